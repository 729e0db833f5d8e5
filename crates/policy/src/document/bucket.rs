//! What S3 asks of a bucket policy beyond the language.

use super::malformed::{Malformed, MalformedDocument};
use super::{Document, DocumentKind};

/// Whether actions of the service can stand in a bucket policy.
pub(super) fn is_bucket_action(service: &str) -> bool {
    ["s3", "s3-object-lambda"].iter().any(|own| service.eq_ignore_ascii_case(own))
}

/// A bucket policy names buckets and objects only; not even `*` is taken (noobaa-core issue 10058, tried on AWS).
pub(super) fn invalid_resource(text: &str) -> Option<Malformed> {
    let is_s3 = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":s3:")).is_some();
    if is_s3 { None } else { Some(Malformed::BucketResource(text.into())) }
}

impl Document {
    /// Whether every resource of a bucket policy is the bucket or in it, as S3 requires of what is put on it.
    ///
    /// # Errors
    /// The first resource of another bucket (`Policy has invalid resource`).
    pub fn check_bucket(&self, bucket: &str) -> Result<(), MalformedDocument> {
        let resources = self.statements.iter().filter_map(|statement| statement.resource.as_ref());
        for entry in resources.flat_map(|clause| &clause.entries) {
            let own = entry.value.splitn(6, ':').nth(5).and_then(|resource| resource.strip_prefix(bucket));
            if !own.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('*')) {
                let reason = Malformed::BucketResource(entry.value.clone());
                return Err(MalformedDocument::new(DocumentKind::Bucket, reason, entry.span));
            }
        }
        Ok(())
    }
}
