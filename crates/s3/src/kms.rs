//! Objects that are sealed with a key of AWS KMS (SSE-KMS; S3 user guide, "Using server-side encryption with AWS KMS keys"). Each
//! has a data key of its own, which stands beside it sealed by the key of KMS: without that one nobody reads the object.
//!
//! S3 asks KMS for the caller: who writes needs `kms:GenerateDataKey`, who reads `kms:Decrypt`, both through S3
//! (`kms:ViaService`) and under the encryption context that holds the ARN of the object, or of its bucket where that has a
//! bucket key.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::kms::{self, Ciphertext, DATA_KEY_BYTES, EncryptionContext, Key, Missing, Name, Unusable};
use daypass_core::objects::SealKey;
use daypass_core::{Check, Cx, Error, Fault, Secret};
use serde::{Deserialize, Serialize};

use crate::bucket::Bucket;
use crate::fault::invalid_argument;

/// What is always in the context.
const ARN: &str = "aws:s3:arn";
const SERVICE: &str = "s3";

/// With what an object is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KmsSealing {
    /// The ARN of the key.
    pub(crate) key: String,
    /// Under what the data key is sealed.
    context: EncryptionContext,
    /// Whether the bucket's key counts, and not the object's own.
    pub(crate) bucket_key: bool,
    /// The data key, sealed.
    data_key: String,
}

/// What a request wants, or its bucket's default.
pub(crate) struct Wish<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) context: Option<&'a str>,
    pub(crate) bucket_key: bool,
}

/// With which key a new object is to be sealed, and under which context.
pub(crate) struct KmsPlan {
    key: Result<Arc<Key>, Missing>,
    /// Where the bucket is, and so the key.
    region: String,
    /// Where the key would be that is missing.
    name: Option<Name>,
    alias: Option<String>,
    context: EncryptionContext,
    bucket_key: bool,
}

impl KmsPlan {
    /// The key of that name in the bucket's region, in the caller's account where it says no other; without one, that which AWS
    /// looks after there (`alias/aws/s3`).
    ///
    /// # Errors
    /// A context that is none, or a failure of the store.
    pub(crate) fn of(cx: &Cx, bucket: &Bucket, key: &str, wish: &Wish<'_>) -> Result<Self, Error> {
        let arn = if wish.bucket_key { bucket.arn() } else { bucket.object_arn(key) };
        let context = context(wish.context, arn)?;
        let bucket_key = wish.bucket_key;
        let region = bucket.region.clone();
        let Some(text) = wish.key else {
            let key = Ok(kms::aws_managed(cx, &region, SERVICE)?);
            return Ok(Self { key, region, name: None, alias: None, context, bucket_key });
        };
        Ok(match Name::within(cx.account(), &region, text) {
            Err(missing) => Self { key: Err(missing), region, name: None, alias: None, context, bucket_key },
            Ok(name) => {
                let alias = name.alias().map(str::to_owned);
                Self { key: name.kept(cx)?, region, name: Some(name), alias, context, bucket_key }
            }
        })
    }

    /// With which key the data key of an object that is there is to be sealed from now on. What its context says beside the
    /// ARN it goes on to say.
    ///
    /// # Errors
    /// As [`KmsPlan::of`].
    pub(crate) fn anew(
        cx: &Cx,
        bucket: &Bucket,
        key: &str,
        kms_key: &str,
        was: Option<&KmsSealing>,
        bucket_key: bool,
    ) -> Result<Self, Error> {
        let wish = Wish { key: Some(kms_key), context: None, bucket_key };
        let mut plan = Self::of(cx, bucket, key, &wish)?;
        for (name, value) in was.iter().flat_map(|was| &was.context) {
            plan.context.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Ok(plan)
    }

    /// May the caller do this with it? What names no key is told to whoever may write the object.
    pub(crate) fn check(&self, cx: &Cx, action: &'static str) -> Option<Check> {
        match (&self.key, &self.name) {
            (Ok(key), _) => {
                let check = key.check_via(cx, SERVICE, action, &self.context);
                Some(check.with_some("kms:RequestAlias", self.alias.as_deref()))
            }
            (Err(_), name) => name.as_ref().map(|name| about_missing(name, action)),
        }
    }

    /// Makes a data key.
    ///
    /// # Errors
    /// As [`signed`]; `KMS.NotFoundException`, `KMS.DisabledException`, `KMS.KMSInvalidStateException`, or a failure of ours.
    pub(crate) async fn seal(&self, cx: &Cx) -> Result<(KmsSealing, SealKey), Error> {
        signed(cx)?;
        let key = self.usable_key(cx).await?;
        let state = cx.state();
        let (plain, sealed) = key.data_key((&state.ring, &*state.entropy), &self.context, DATA_KEY_BYTES)?;
        Ok((self.sealing(&key, &sealed), seal_key(cx, &plain)?))
    }

    /// Seals a data key that is there once more, for bytes that stay as they are: the object's own, or a replica's (S3 user
    /// guide, "Replicating encrypted objects", where `kms:Decrypt` and `kms:Encrypt` are all that it takes).
    ///
    /// # Errors
    /// As [`KmsPlan::seal`] and [`KmsSealing::open`].
    pub(crate) async fn seal_again(&self, cx: &Cx, other: &KmsSealing) -> Result<KmsSealing, Error> {
        let key = self.usable_key(cx).await?;
        let state = cx.state();
        let plain = other.data_key(cx)?;
        let sealed = key.seal((&state.ring, &*state.entropy), &self.context, plain.expose())?;
        Ok(self.sealing(&key, &sealed))
    }

    async fn usable_key(&self, cx: &Cx) -> Result<Arc<Key>, Error> {
        let mut key = self.key.as_ref().map_err(not_found)?.clone();
        if key.materials.is_empty() {
            key = kms::made_aws_managed(cx, &self.region, SERVICE).await?;
        }
        usable(&key)?;
        Ok(key)
    }

    fn sealing(&self, key: &Key, sealed: &[u8]) -> KmsSealing {
        KmsSealing {
            key: key.arn(),
            context: self.context.clone(),
            bucket_key: self.bucket_key,
            data_key: BASE64.encode(sealed),
        }
    }
}

impl KmsSealing {
    /// May the caller do this with the key that it is sealed with?
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn check(&self, cx: &Cx, action: &'static str) -> Result<Check, Error> {
        let name = self.name(cx)?;
        Ok(match name.kept(cx)? {
            Ok(key) => key.check_via(cx, SERVICE, action, &self.context),
            Err(_) => about_missing(&name, action),
        })
    }

    /// What opens the object.
    ///
    /// # Errors
    /// As [`KmsPlan::seal`]: a key that is gone, off or on its way opens nothing.
    pub(crate) fn open(&self, cx: &Cx) -> Result<SealKey, Error> {
        seal_key(cx, &self.data_key(cx)?)
    }

    fn data_key(&self, cx: &Cx) -> Result<Secret<Vec<u8>>, Error> {
        let key = self.name(cx)?.kept(cx)?.map_err(|missing| not_found(&missing))?;
        usable(&key)?;
        let unreadable = |_| {
            tracing::error!(key = self.key, "a data key does not open with the key that sealed it");
            Error::from(cx.internal_failure())
        };
        let sealed = BASE64.decode(&self.data_key).map_err(|error| Error::Internal(Box::new(error)))?;
        let ciphertext = Ciphertext::parse(&sealed).map_err(unreadable)?;
        let (plain, _) = ciphertext.open(&cx.state().ring, &key, &self.context).map_err(unreadable)?;
        Ok(plain)
    }

    /// The context, as an answer says it.
    pub(crate) fn shown_context(&self) -> Option<String> {
        serde_json::to_vec(&self.context).ok().map(|json| BASE64.encode(json))
    }

    fn name(&self, cx: &Cx) -> Result<Name, Error> {
        Name::of_arn(&self.key).map_err(|_| cx.internal_failure().into())
    }
}

/// Whether the request can be passed on to KMS, which knows nobody but by a signature of Version 4 (S3 API reference,
/// CreateMultipartUpload).
///
/// # Errors
/// `InvalidArgument` if it has none, or one of Version 2.
pub(crate) fn signed(cx: &Cx) -> Result<(), Fault> {
    if is_signed(cx) {
        return Ok(());
    }
    let words = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
    Err(invalid_argument(words, "Authorization", "null"))
}

/// Whether the request is signed by Version 4.
pub(crate) fn is_signed(cx: &Cx) -> bool {
    cx.caller().proof().is_some_and(|proof| proof.region().is_some())
}

fn seal_key(cx: &Cx, plain: &Secret<Vec<u8>>) -> Result<SealKey, Error> {
    let bytes = plain.expose().as_slice().try_into().map_err(|_| cx.internal_failure())?;
    Ok(SealKey::new(bytes))
}

/// Of a key that is not there, only policies of IAM say who may use it.
fn about_missing(name: &Name, action: &'static str) -> Check {
    Check::new(action, name.arn()).of_account(name.account().clone())
}

fn not_found(missing: &Missing) -> Fault {
    Fault::coded("KMS.NotFoundException", 400, missing.words())
}

fn usable(key: &Key) -> Result<(), Fault> {
    key.usable().map_err(|why| {
        let code = match why {
            Unusable::Disabled => "KMS.DisabledException",
            Unusable::PendingDeletion => "KMS.KMSInvalidStateException",
        };
        Fault::coded(code, 400, why.of(&key.arn()))
    })
}

/// The context that a request says, with the ARN that S3 adds (S3 user guide, "Encryption context").
fn context(header: Option<&str>, arn: String) -> Result<EncryptionContext, Fault> {
    let mut context = header.map(read_context).transpose()?.unwrap_or_default();
    if context.get(ARN).is_some_and(|said| *said != arn) {
        let words = format!("The encryption context's {ARN} is not the ARN of what is encrypted");
        return Err(invalid_argument(words, "x-amz-server-side-encryption-context", "null"));
    }
    context.insert(ARN.to_owned(), arn);
    if kms::is_too_long(&context) {
        let words = format!("The encryption context is longer than {} bytes", kms::MAX_CONTEXT_BYTES);
        return Err(invalid_argument(words, "x-amz-server-side-encryption-context", "null"));
    }
    Ok(context)
}

fn read_context(header: &str) -> Result<EncryptionContext, Fault> {
    let json = BASE64.decode(header).ok();
    let read = json.and_then(|json| serde_json::from_slice::<BTreeMap<String, String>>(&json).ok());
    read.ok_or_else(|| {
        let words = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";
        invalid_argument(words, "x-amz-server-side-encryption-context", header)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_a_map_of_texts_that_does_not_lie_of_the_object() {
        let arn = "arn:aws:s3:::b/k".to_owned();
        let read = |json: &str| context(Some(&BASE64.encode(json)), arn.clone());
        assert_eq!(read(r#"{"a":"b"}"#).unwrap().len(), 2);
        assert_eq!(read(r#"{"aws:s3:arn":"arn:aws:s3:::b/k"}"#).unwrap().len(), 1);
        assert_eq!(context(None, arn.clone()).unwrap().get(ARN), Some(&arn));
        let long = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 1));
        let room = kms::MAX_CONTEXT_BYTES - ARN.len() - arn.len();
        read(&long(room)).unwrap();
        for wrong in
            ["", "{", "[]", r#"{"a":1}"#, r#"{"aws:s3:arn":"arn:aws:s3:::b/other"}"#, &long(room + 1)]
        {
            assert_eq!(read(wrong).unwrap_err().code, "InvalidArgument", "{wrong}");
        }
        assert!(context(Some("no base64"), arn).is_err());
    }
}
