//! What requests that make an object have in common, whether it comes at once, in parts or as a copy: what they ask to be
//! allowed, and what they may want of it.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    ObjectCannedACL, ObjectLockLegalHoldStatus, ObjectLockMode, ServerSideEncryption, StorageClass, errors,
};
use daypass_core::store::records::Tag;
use daypass_core::{Check, Checks, Cx, Fault};

use crate::authorize::{Conditions as _, object_check};
use crate::bucket::Bucket;
use crate::fault::{invalid_argument, invalid_request, no_acls, not_implemented};
use crate::object::pairs;

/// What a request wants an object to have, besides bytes and description.
pub(crate) struct Wanted<'a> {
    pub(crate) acl: Option<ObjectCannedACL>,
    pub(crate) grants: [(&'static str, Option<&'a str>); 4],
    pub(crate) encryption: Option<ServerSideEncryption>,
    pub(crate) kms: [Option<&'a str>; 2],
    pub(crate) customer_key: [Option<&'a str>; 3],
    pub(crate) storage_class: Option<StorageClass>,
    pub(crate) redirect: Option<&'a str>,
    pub(crate) lock_mode: Option<ObjectLockMode>,
    pub(crate) retain_until: Option<daypass_core::model::Timestamp>,
    pub(crate) legal_hold: Option<ObjectLockLegalHoldStatus>,
    pub(crate) tagging: Option<&'a str>,
}

/// `wanted!(input)` is what a request wants, whichever it is.
macro_rules! wanted {
    ($input:expr) => {
        $crate::writing::Wanted {
            acl: $input.acl,
            grants: [
                ("s3:x-amz-grant-full-control", $input.grant_full_control.as_deref()),
                ("s3:x-amz-grant-read", $input.grant_read.as_deref()),
                ("s3:x-amz-grant-read-acp", $input.grant_read_acp.as_deref()),
                ("s3:x-amz-grant-write-acp", $input.grant_write_acp.as_deref()),
            ],
            encryption: $input.server_side_encryption,
            kms: [$input.ssekms_key_id.as_deref(), $input.ssekms_encryption_context.as_deref()],
            customer_key: [
                $input.sse_customer_algorithm.as_deref(),
                $input.sse_customer_key.as_deref(),
                $input.sse_customer_key_md5.as_deref(),
            ],
            storage_class: $input.storage_class,
            redirect: $input.website_redirect_location.as_deref(),
            lock_mode: $input.object_lock_mode,
            retain_until: $input.object_lock_retain_until_date,
            legal_hold: $input.object_lock_legal_hold_status,
            tagging: $input.tagging.as_deref(),
        }
    };
}
pub(crate) use wanted;

impl Wanted<'_> {
    /// The right to put the object, and those to set what the headers set (S3 API reference, PutObject,
    /// "Permissions"). `further` adds what the operation knows besides.
    pub(crate) fn checks(
        &self,
        cx: &Cx,
        bucket: &Bucket,
        key: &str,
        tags: &[Tag],
        further: impl FnOnce(Check) -> Check,
    ) -> Checks {
        let check = |action| object_check(cx, bucket, action, key);
        let put = self.conditions(check("s3:PutObject")).request_object_tags(pairs(tags));
        let mut checks: Checks = further(put).into();
        if self.sets_acl() {
            checks = checks.and(self.acl_conditions(check("s3:PutObjectAcl")));
        }
        if self.tagging.is_some() {
            checks = checks.and(check("s3:PutObjectTagging").request_object_tags(pairs(tags)));
        }
        if self.lock_mode.is_some() || self.retain_until.is_some() {
            checks = checks.and(check("s3:PutObjectRetention"));
        }
        if self.legal_hold.is_some() {
            checks = checks.and(check("s3:PutObjectLegalHold"));
        }
        checks
    }

    fn conditions(&self, check: Check) -> Check {
        let [kms_key, _] = self.kms;
        let [customer_algorithm, ..] = self.customer_key;
        let check = self
            .acl_conditions(check)
            .header("s3:x-amz-server-side-encryption", self.encryption.map(|e| e.as_str()))
            .header("s3:x-amz-server-side-encryption-aws-kms-key-id", kms_key)
            .header("s3:x-amz-server-side-encryption-customer-algorithm", customer_algorithm)
            .header("s3:x-amz-storage-class", self.storage_class.map(|class| class.as_str()))
            .header("s3:x-amz-website-redirect-location", self.redirect)
            .header("s3:object-lock-mode", self.lock_mode.map(|mode| mode.as_str()))
            .header("s3:object-lock-legal-hold", self.legal_hold.map(|hold| hold.as_str()));
        match self.retain_until {
            Some(date) => check.with_time("s3:object-lock-retain-until-date", date),
            None => check,
        }
    }

    fn acl_conditions(&self, check: Check) -> Check {
        let check = check.header("s3:x-amz-acl", self.acl.map(|acl| acl.as_str()));
        self.grants.iter().fold(check, |check, (key, grant)| check.header(key, *grant))
    }

    fn sets_acl(&self) -> bool {
        self.acl.is_some() || self.grants.iter().any(|(_, grant)| grant.is_some())
    }

    /// Refuses what no object here has, by its name.
    ///
    /// # Errors
    /// In S3's words where it has some for a bucket like ours.
    pub(crate) fn only_what_is_built(&self) -> Result<(), Fault> {
        let granted = self.grants.iter().any(|(_, grant)| grant.is_some());
        if granted || self.acl.is_some_and(|acl| acl != ObjectCannedACL::BucketOwnerFullControl) {
            return Err(no_acls());
        }
        if self.customer_key.iter().any(Option::is_some) {
            return Err(not_implemented("encryption with customer-provided keys (SSE-C)"));
        }
        if self.encryption.is_some_and(|e| e != ServerSideEncryption::AES256) {
            let name = self.encryption.map(ServerSideEncryption::as_str).unwrap_or_default();
            return Err(not_implemented(&format!("encryption with keys of AWS KMS ({name})")));
        }
        if self.kms.iter().any(Option::is_some) {
            let words = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
            return Err(invalid_argument(words, "x-amz-server-side-encryption", ""));
        }
        if self.lock_mode.is_some() || self.retain_until.is_some() || self.legal_hold.is_some() {
            // No bucket here has one, and that is what S3 says then.
            return Err(invalid_request("Bucket is missing Object Lock Configuration"));
        }
        if self.redirect.is_some() {
            return Err(not_implemented("redirects of websites (x-amz-website-redirect-location)"));
        }
        match self.storage_class {
            None | Some(StorageClass::STANDARD) => Ok(()),
            Some(class) => {
                let words = "The storage class you specified is not valid";
                Err(Fault::new(&errors::INVALID_STORAGE_CLASS, words)
                    .with("StorageClassRequested", class.as_str()))
            }
        }
    }
}

/// Refuses keys that no object here was encrypted with.
///
/// # Errors
/// If there is one.
pub(crate) fn no_customer_key(headers: [Option<&str>; 3]) -> Result<(), Fault> {
    if headers.iter().all(Option::is_none) {
        return Ok(());
    }
    Err(invalid_request("The encryption parameters are not applicable to this object."))
}
