//! The default encryption of a bucket: `s3:PutBucketEncryption`, `s3:GetBucketEncryption`, `s3:DeleteBucketEncryption`.
//!
//! Every object is sealed at rest: with the server's own keys, which is what SSE-S3 (`AES256`) says, or with a key of KMS.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    BlockedEncryptionTypes, DeleteBucketEncryptionRequest, EncryptionType, GetBucketEncryptionOutput,
    GetBucketEncryptionRequest, PutBucketEncryptionRequest, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::{Bucket, DefaultKey, Encryption};
use crate::fault::{invalid_argument, malformed_xml, not_implemented};

bucket_operation!(PUT_BUCKET_ENCRYPTION, ops::PutBucketEncryption, put);
bucket_operation!(GET_BUCKET_ENCRYPTION, ops::GetBucketEncryption, get);
bucket_operation!(DELETE_BUCKET_ENCRYPTION, ops::DeleteBucketEncryption, delete);

fn put(_: &Cx, tx: &mut Tx<'_>, input: PutBucketEncryptionRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let mut rules = input.server_side_encryption_configuration.rules;
    let (Some(rule), true) = (rules.pop(), rules.is_empty()) else { return Err(malformed_xml().into()) };
    bucket.encryption = read(rule, &bucket.encryption)?;
    Ok(tx.put(&bucket)?)
}

fn read(rule: ServerSideEncryptionRule, before: &Encryption) -> Result<Encryption, Fault> {
    let kms = rule.apply_server_side_encryption_by_default.map(default_key).transpose()?.flatten();
    let blocked = rule.blocked_encryption_types.and_then(|blocked| blocked.encryption_type);
    let allows_customer_keys = match blocked.as_deref() {
        // What is not spoken of stays as it is.
        None | Some([]) => before.allows_customer_keys,
        Some([EncryptionType::SSEC]) => false,
        Some([EncryptionType::NONE]) => true,
        Some(_) => return Err(malformed_xml()),
    };
    Ok(Encryption { bucket_key: rule.bucket_key_enabled.unwrap_or(false), allows_customer_keys, kms })
}

/// The key of KMS that is the default, if it is one. Whether there is such a key is not looked at (S3 API reference,
/// PutBucketEncryption).
fn default_key(default: ServerSideEncryptionByDefault) -> Result<Option<DefaultKey>, Fault> {
    match (default.sse_algorithm, default.kms_master_key_id) {
        (ServerSideEncryption::AwsKms, key) => Ok(Some(DefaultKey { key })),
        (ServerSideEncryption::AES256, None) => Ok(None),
        (ServerSideEncryption::AES256, Some(key)) => {
            let words = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            Err(invalid_argument(words, "KMSMasterKeyID", key))
        }
        (other, _) => Err(not_implemented(&format!("encryption by {}", other.as_str()))),
    }
}

fn get(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketEncryptionRequest,
) -> Result<GetBucketEncryptionOutput, Error> {
    let encryption = Bucket::load(tx, &input.bucket)?.encryption;
    let blocked = if encryption.allows_customer_keys { EncryptionType::NONE } else { EncryptionType::SSEC };
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            sse_algorithm: match encryption.kms {
                Some(_) => ServerSideEncryption::AwsKms,
                None => ServerSideEncryption::AES256,
            },
            kms_master_key_id: encryption.kms.and_then(|default| default.key),
        }),
        bucket_key_enabled: Some(encryption.bucket_key),
        blocked_encryption_types: Some(BlockedEncryptionTypes { encryption_type: Some(vec![blocked]) }),
    };
    let configuration = ServerSideEncryptionConfiguration { rules: vec![rule] };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

/// Back to the default, which is to encrypt (S3 API reference, DeleteBucketEncryption).
fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketEncryptionRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let allows_customer_keys = bucket.encryption.allows_customer_keys;
    bucket.encryption = Encryption { allows_customer_keys, ..Encryption::default() };
    Ok(tx.put(&bucket)?)
}
