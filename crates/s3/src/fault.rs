//! S3's refusals in its own words. Each text is one that AWS was recorded to say, in the API reference's list of error
//! responses, in tools' test data or in reports of its users, unless a comment says otherwise.

use daypass_core::Fault;
use daypass_core::model::s3::errors;

pub(crate) fn access_denied() -> Fault {
    Fault::new(&errors::ACCESS_DENIED, "Access Denied")
}

pub(crate) fn no_such_bucket(name: &str) -> Fault {
    Fault::new(&errors::NO_SUCH_BUCKET, "The specified bucket does not exist").with("BucketName", name)
}

pub(crate) fn invalid_bucket_name(name: &str) -> Fault {
    Fault::new(&errors::INVALID_BUCKET_NAME, "The specified bucket is not valid.").with("BucketName", name)
}

pub(crate) fn bucket_not_empty(name: &str, versions: bool) -> Fault {
    let words = if versions {
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    } else {
        "The bucket you tried to delete is not empty"
    };
    Fault::new(&errors::BUCKET_NOT_EMPTY, words).with("BucketName", name)
}

pub(crate) fn has_access_points(name: &str) -> Fault {
    let words = "Bucket has access points attached and cannot be deleted.";
    Fault::coded("BucketHasAccessPointsAttached", 400, words).with("BucketName", name)
}

pub(crate) fn invalid_argument(words: impl Into<String>, name: &str, value: impl Into<String>) -> Fault {
    Fault::new(&errors::INVALID_ARGUMENT, words).with("ArgumentName", name).with("ArgumentValue", value)
}

pub(crate) fn invalid_request(words: impl Into<String>) -> Fault {
    Fault::new(&errors::INVALID_REQUEST, words)
}

pub(crate) fn malformed_xml() -> Fault {
    let words = "The XML you provided was not well-formed or did not validate against our published schema";
    Fault::new(&errors::MALFORMED_XML, words)
}

pub(crate) fn malformed_policy(words: impl Into<String>) -> Fault {
    Fault::new(&errors::MALFORMED_POLICY, words)
}

/// What a bucket does not have, in its own code.
pub(crate) fn not_there(shape: &'static daypass_core::model::ErrorShape, words: &str, bucket: &str) -> Fault {
    Fault::new(shape, words).with("BucketName", bucket)
}

/// What is not built is refused and named, whatever would come of it silently.
pub(crate) fn not_implemented(what: &str) -> Fault {
    let words = format!(
        "A header or element you provided implies functionality that is not implemented by Daypass: {what}."
    );
    Fault::new(&errors::NOT_IMPLEMENTED, words)
}

/// What every bucket says to an ACL other than its owner's.
pub(crate) fn no_acls() -> Fault {
    Fault::new(&errors::ACCESS_CONTROL_LIST_NOT_SUPPORTED, "The bucket does not allow ACLs")
}

/// A body that no object can have.
pub(crate) fn entity_too_large(proposed: Option<u64>, limit: u64) -> Fault {
    let words = "Your proposed upload exceeds the maximum allowed size";
    let fault = Fault::new(&errors::ENTITY_TOO_LARGE, words);
    let fault = match proposed {
        Some(size) => fault.with("ProposedSize", size.to_string()),
        None => fault,
    };
    fault.with("MaxSizeAllowed", limit.to_string())
}
