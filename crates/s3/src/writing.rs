//! What requests that make an object have in common, whether it comes at once, in parts or as a copy: what they ask to be
//! allowed, and what they may want of it.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    ObjectCannedACL, ObjectLockLegalHoldStatus, ObjectLockMode, ServerSideEncryption, StorageClass, errors,
};
use daypass_core::objects::Lock;
use daypass_core::store::records::Tag;
use daypass_core::{Check, Checks, Cx, Error, Fault};

use crate::acl::{self, Permission, Written};
use crate::authorize::{self, Conditions as _, object_check};
use crate::bucket::{Bucket, Ownership};
use crate::description::Description;
use crate::fault::{invalid_argument, not_implemented};
use crate::object::pairs;
use crate::{customer_key, kms, object_lock, website};

/// The classes of objects that are read at once. They differ in price and place, of which there is one; what has to be restored
/// before it is read is not here.
const AT_ONCE: [StorageClass; 6] = [
    StorageClass::STANDARD,
    StorageClass::STANDARDIA,
    StorageClass::ONEZONEIA,
    StorageClass::INTELLIGENTTIERING,
    StorageClass::REDUCEDREDUNDANCY,
    StorageClass::GLACIERIR,
];

/// What a request wants an object to have, besides bytes and description.
pub(crate) struct Wanted<'a> {
    pub(crate) acl: Option<ObjectCannedACL>,
    pub(crate) grants: [(&'static str, Option<&'a str>); 4],
    pub(crate) encryption: Option<ServerSideEncryption>,
    pub(crate) kms: [Option<&'a str>; 2],
    pub(crate) bucket_key: Option<bool>,
    pub(crate) customer_key: customer_key::Headers<'a>,
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
            bucket_key: $input.bucket_key_enabled,
            customer_key: $crate::customer_key::headers!($input),
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
        let put = self.conditions(cx, check("s3:PutObject")).request_object_tags(pairs(tags));
        let mut checks: Checks = further(put).into();
        if self.sets_acl() {
            match cx.caller().account() {
                // Who writes what will be its own asks its own account.
                Some(writer) if !bucket.is_enforced() && writer != bucket.account => {
                    let own = authorize::existing_check(cx, bucket, "s3:PutObjectAcl", key, &writer, &[]);
                    checks = checks.and(self.acl_conditions(own));
                }
                _ => checks = checks.and(self.acl_conditions(check("s3:PutObjectAcl"))),
            }
        }
        if self.tagging.is_some() {
            checks = checks.and(check("s3:PutObjectTagging").request_object_tags(pairs(tags)));
        }
        if self.lock_mode.is_some() || self.retain_until.is_some() {
            let check = check("s3:PutObjectRetention");
            let mode = self.lock_mode.map(|mode| mode.as_str());
            checks = checks.and(object_lock::conditions(cx, check, mode, self.retain_until));
        }
        if self.legal_hold.is_some() {
            let status = self.legal_hold.map(|hold| hold.as_str());
            checks = checks.and(check("s3:PutObjectLegalHold").header("s3:object-lock-legal-hold", status));
        }
        checks
    }

    fn conditions(&self, cx: &Cx, check: Check) -> Check {
        let [kms_key, _] = self.kms;
        let [customer_algorithm, ..] = self.customer_key;
        let check = self
            .acl_conditions(check)
            .header("s3:x-amz-server-side-encryption", self.encryption.map(|e| e.as_str()))
            .header("s3:x-amz-server-side-encryption-aws-kms-key-id", kms_key)
            .header("s3:x-amz-server-side-encryption-customer-algorithm", customer_algorithm)
            .header("s3:x-amz-storage-class", self.storage_class.map(|class| class.as_str()))
            .header("s3:x-amz-website-redirect-location", self.redirect)
            .header("s3:object-lock-legal-hold", self.legal_hold.map(|hold| hold.as_str()));
        object_lock::conditions(cx, check, self.lock_mode.map(|mode| mode.as_str()), self.retain_until)
    }

    fn acl_conditions(&self, check: Check) -> Check {
        let check = check.header("s3:x-amz-acl", self.acl.map(|acl| acl.as_str()));
        self.grants.iter().fold(check, |check, (key, grant)| check.header(key, *grant))
    }

    fn sets_acl(&self) -> bool {
        self.acl.is_some() || self.grants.iter().any(|(_, grant)| grant.is_some())
    }

    /// Whose the object is and what its ACL says (S3 user guide, "Controlling ownership of objects").
    ///
    /// # Errors
    /// `AccessControlListNotSupported` where the bucket has none, or what is wrong with the list.
    pub(crate) fn owned(
        &self,
        cx: &Cx,
        bucket: &Bucket,
        described: Description,
    ) -> Result<Description, Error> {
        let described = Description {
            legal_hold_was_set: self.legal_hold.is_some(),
            storage_class: self
                .storage_class
                .filter(|c| *c != StorageClass::STANDARD)
                .map(|c| c.as_str().to_owned()),
            ..described
        };
        let [full_control, read, read_acp, write_acp] = self.grants;
        let headers = [
            (Permission::Read, read.1),
            (Permission::ReadAcp, read_acp.1),
            (Permission::WriteAcp, write_acp.1),
            (Permission::FullControl, full_control.1),
        ];
        let headers =
            headers.into_iter().filter_map(|(permission, text)| Some((permission, text?))).collect();
        let written = Written { canned: acl::of_object(self.acl), headers, document: None };
        if bucket.is_enforced() {
            written.only_of_the_owner(cx, bucket)?;
            return Ok(described);
        }
        let given = self.acl == Some(ObjectCannedACL::BucketOwnerFullControl);
        let owner = cx.caller().account().filter(|writer| {
            *writer != bucket.account && !(given && bucket.ownership == Some(Ownership::BucketOwnerPreferred))
        });
        let acl = match written.is_there() {
            true => Some(written.read(cx, bucket, owner.as_ref().unwrap_or(&bucket.account))?),
            false => None,
        };
        Ok(Description { owner, acl, ..described })
    }

    /// What keeps the object from the start.
    ///
    /// # Errors
    /// As [`object_lock::of_new`].
    pub(crate) fn lock(&self, cx: &Cx, bucket: &Bucket) -> Result<Lock, Error> {
        if self.legal_hold.is_some() {
            object_lock::must_be_enabled(bucket)?;
        }
        let hold = self.legal_hold == Some(ObjectLockLegalHoldStatus::ON);
        object_lock::of_new(cx, bucket, (self.lock_mode, self.retain_until), hold)
    }

    /// Whether the request speaks of locks.
    pub(crate) fn locks(&self) -> bool {
        self.lock_mode.is_some() || self.retain_until.is_some() || self.legal_hold.is_some()
    }

    /// What the object is to be sealed with by a key of KMS, where the request or its bucket says that it is.
    ///
    /// # Errors
    /// If the request speaks of a key and not of KMS, or of what is not built.
    pub(crate) fn of_kms<'w>(&'w self, bucket: &'w Bucket) -> Result<Option<kms::Wish<'w>>, Fault> {
        let [key, context] = self.kms;
        let default = &bucket.encryption;
        let bucket_key = self.bucket_key.unwrap_or(default.bucket_key);
        match self.encryption {
            Some(ServerSideEncryption::AwsKms) => Ok(Some(kms::Wish { key, context, bucket_key })),
            Some(ServerSideEncryption::AES256) | None if key.is_some() || context.is_some() => {
                let words = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
                Err(invalid_argument(words, "x-amz-server-side-encryption", ""))
            }
            Some(ServerSideEncryption::AES256) => Ok(None),
            Some(other) => Err(not_implemented(&format!("encryption by {}", other.as_str()))),
            None => Ok(default.kms.as_ref().map(|default| kms::Wish {
                key: default.key.as_deref(),
                context: None,
                bucket_key,
            })),
        }
    }

    /// Refuses what no object here has, by its name.
    ///
    /// # Errors
    /// In S3's words where it has some for a bucket like ours.
    pub(crate) fn only_what_is_built(&self) -> Result<(), Fault> {
        website::check_location(self.redirect)?;
        self.storage_class.map_or(Ok(()), is_at_once)
    }
}

/// Refuses a class whose objects have to be restored before they are read.
///
/// # Errors
/// `InvalidStorageClass`.
pub(crate) fn is_at_once(class: StorageClass) -> Result<(), Fault> {
    if AT_ONCE.contains(&class) {
        return Ok(());
    }
    let words = "The storage class you specified is not valid";
    Err(Fault::new(&errors::INVALID_STORAGE_CLASS, words).with("StorageClassRequested", class.as_str()))
}
