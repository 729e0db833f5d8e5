//! `s3:UpdateObjectEncryption`: another key for an object that KMS sealed, or its bucket's key in place of its own. The bytes
//! stay; it is the data key beside them that is sealed anew, in the one change of the object's description.
//!
//! What the server's own keys sealed has no data key: the key of each stored piece is derived from one of the server's and
//! serves every copy that shares the piece. Such an object would have to be written again, which is what copying is for.

use std::sync::Arc;

use daypass_core::model::s3::{UpdateObjectEncryptionRequest, UpdateObjectEncryptionResponse, errors, ops};
use daypass_core::objects::Timestamp;
use daypass_core::{Answered, Check, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _};
use crate::bucket::Bucket;
use crate::change::{self, ATTEMPTS, Change};
use crate::description::Description;
use crate::encryption::Sealing;
use crate::fault::{invalid_request, not_implemented};
use crate::kms::{self, KmsPlan, KmsSealing};
use crate::object::Subject;

stream_operation!(UPDATE_OBJECT_ENCRYPTION, ops::UpdateObjectEncryption, checks, run);

/// The object that was asked about, with what it is sealed with and is to be.
struct Asked {
    subject: Subject,
    sealing: Option<Sealing>,
    plan: Option<KmsPlan>,
}

async fn checks(cx: &Cx, input: &UpdateObjectEncryptionRequest) -> Result<(Checks, Asked), Error> {
    let bucket: Arc<Bucket> = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let subject = Subject::find(cx, Arc::clone(&bucket), &input.key, input.version_id.as_deref()).await?;
    let wanted = input.object_encryption.ssekms.as_ref();
    let key = wanted.map(|wanted| wanted.kms_key_arn.as_str());
    let sealing = subject.description()?.and_then(|description| description.sealing);
    let encrypted = |check: Check| {
        check
            .header("s3:x-amz-server-side-encryption", key.map(|_| "aws:kms"))
            .header("s3:x-amz-server-side-encryption-aws-kms-key-id", key)
    };
    let put = authorize::object_check(cx, &bucket, "s3:PutObject", &input.key);
    let mut checks = Checks::from(encrypted(subject.check(cx, "s3:UpdateObjectEncryption")));
    checks = checks.and(encrypted(put));
    let was = match &sealing {
        Some(Sealing::Kms(sealing)) => Some(sealing),
        _ => None,
    };
    if let Some(was) = was {
        checks = checks.and(was.check(cx, "kms:Decrypt")?).and(was.check(cx, "kms:ReEncryptFrom")?);
    }
    let plan = match wanted.filter(|wanted| is_key_arn(&wanted.kms_key_arn)) {
        Some(wanted) => {
            let bucket_key = wanted.bucket_key_enabled == Some(true);
            Some(KmsPlan::anew(cx, &bucket, &input.key, &wanted.kms_key_arn, was, bucket_key)?)
        }
        None => None,
    };
    let of_new = ["kms:GenerateDataKey", "kms:Encrypt", "kms:ReEncryptTo"];
    let of_new = of_new.into_iter().filter_map(|action| plan.as_ref()?.check(cx, action));
    checks = checks.and_all(of_new);
    Ok((checks, Asked { subject, sealing, plan }))
}

async fn run(
    cx: &Cx,
    mut asked: Asked,
    input: UpdateObjectEncryptionRequest,
    _: Payload,
) -> Result<Answered<UpdateObjectEncryptionResponse>, Error> {
    if !kms::is_signed(cx) {
        let words = "Requests that modify an object encryption configuration require AWS Signature Version 4. Modify the request to use AWS Signature Version 4, and then try again.";
        return Err(invalid_request(words).into());
    }
    for _ in 0..ATTEMPTS {
        let sealing = asked.resealed(cx, &input).await?;
        let meta = Description { sealing: Some(Sealing::Kms(sealing)), ..asked.description()? }.encode()?;
        let change = Change { meta: Some(meta.into()), ..Change::default() };
        let output = UpdateObjectEncryptionResponse::default();
        if let Some(output) = change::attempt(cx, &asked.subject, change, output).await? {
            return Ok(Answered::new(output));
        }
        let (again, found) = checks(cx, &input).await?;
        cx.authorize(&again)?;
        asked = found;
    }
    Err(change::aborted().into())
}

impl Asked {
    fn description(&self) -> Result<Description, Error> {
        Ok(self.subject.description()?.unwrap_or_default())
    }

    /// The object's data key, sealed as it is wanted.
    ///
    /// # Errors
    /// AWS's refusals (S3 API reference, UpdateObjectEncryption, "Errors").
    async fn resealed(&self, cx: &Cx, input: &UpdateObjectEncryptionRequest) -> Result<KmsSealing, Error> {
        let version = &self.subject.opened(cx)?.version;
        let Some(wanted) = &input.object_encryption.ssekms else {
            let words = "Requests that modify an object encryption configuration require a valid new encryption type. Valid values are `SSEKMS`. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.";
            return Err(invalid_request(words).into());
        };
        let Some(plan) = &self.plan else {
            let words = "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.";
            return Err(invalid_request(words).into());
        };
        if wanted.kms_key_arn.split(':').nth(4) != Some(self.subject.bucket.account.as_str()) {
            let words = "The AWS KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a KMS key from the same account, and then try again.";
            return Err(Fault::new(&errors::ACCESS_DENIED, words).into());
        }
        if version.lock.holds(Timestamp(u64::try_from(cx.now().millis()).unwrap_or(0)), false) {
            return Err(locked().into());
        }
        match &self.sealing {
            Some(Sealing::Kms(sealing)) => plan.seal_again(cx, sealing).await,
            Some(Sealing::Customer(_)) => {
                let words = "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.";
                Err(invalid_request(words).into())
            }
            None => {
                let what = "UpdateObjectEncryption of an object that is sealed with the server's own keys (SSE-S3), which has to be copied instead";
                Err(not_implemented(what).into())
            }
        }
    }
}

fn locked() -> Fault {
    let words = "The encryption type for the specified object can\u{2019}t be updated because that object is protected by S3 Object Lock. If the object has a governance-mode retention period or a legal hold, you must first remove the Object Lock status on the object before you issue your UpdateObjectEncryption request. You can't use the UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period applied to them.";
    Fault::new(&errors::ACCESS_DENIED, words)
}

/// Whether it is the ARN of a key, not of an alias (S3 API reference, SSEKMSEncryption: the pattern of `KMSKeyArn`).
fn is_key_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [arn, partition, "kms", region, account, name] = parts.as_slice() else { return false };
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    *arn == "arn"
        && partition.starts_with("aws")
        && plain(region, b"-")
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && name.strip_prefix("key/").is_some_and(|id| plain(id, b"-"))
        && text.len() <= 2048
}

#[cfg(test)]
mod tests {
    use super::is_key_arn;

    #[test]
    fn a_key_is_named_by_its_whole_arn() {
        for (text, is) in [
            ("arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", true),
            ("arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1", true),
            ("arn:aws:kms:us-east-1:123456789012:alias/a", false),
            ("arn:aws:kms:us-east-1:123456789012:key/", false),
            ("arn:aws:kms:us-east-1:123456789012:key/a/b", false),
            ("arn:aws:kms:us-east-1:12345678901:key/a", false),
            ("arn:aws:kms::123456789012:key/a", false),
            ("arn:aws:s3:us-east-1:123456789012:key/a", false),
            ("arn:aws:kms:us-east-1:123456789012:key/a:b", false),
            ("1234abcd-12ab-34cd-56ef-1234567890ab", false),
            ("", false),
        ] {
            assert_eq!(is_key_arn(text), is, "{text}");
        }
    }
}
