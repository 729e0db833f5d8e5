//! What keeps versions from being deleted: retention for a time, a legal hold until it is taken off, and a bucket's default
//! (S3 user guide, "Locking objects with Object Lock"): `s3:PutBucketObjectLockConfiguration`,
//! `s3:GetBucketObjectLockConfiguration`.

use std::sync::Arc;

use daypass_core::model::Timestamp;
use daypass_core::model::s3::{
    GetObjectLockConfigurationOutput, GetObjectLockConfigurationRequest, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockMode, ObjectLockRetentionMode, PutObjectLockConfigurationOutput,
    PutObjectLockConfigurationRequest, errors, ops,
};
use daypass_core::objects::{self, Error as Engine, Lock, RetentionMode, Versioning};
use daypass_core::store::Tx;
use daypass_core::{Answered, Check, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _, bucket_operation, object_check};
use crate::bucket::Bucket;
use crate::fault::{
    invalid_argument, invalid_request, malformed_xml, no_such_bucket, not_implemented, not_there,
};
use crate::{attachment, document, engine, versioning};

stream_operation!(PUT_OBJECT_LOCK_CONFIGURATION, ops::PutObjectLockConfiguration, put_checks, put);
bucket_operation!(GET_OBJECT_LOCK_CONFIGURATION, ops::GetObjectLockConfiguration, get);

/// Its place among a bucket's documents.
pub(crate) const KIND: &str = "object-lock";
/// The longest default (S3 user guide, "Configuring Object Lock", "Default retention": 100 years).
const MAX_DAYS: i32 = 36_500;
const MAX_YEARS: i32 = 100;
const DAY_SECONDS: i64 = 86_400;

/// What a bucket has that is made with Object Lock.
pub(crate) fn enabled() -> ObjectLockConfiguration {
    ObjectLockConfiguration { object_lock_enabled: Some(ObjectLockEnabled::Enabled), rule: None }
}

async fn put_checks(
    cx: &Cx,
    input: &PutObjectLockConfigurationRequest,
) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = authorize::bucket_check(cx, &bucket, cx.operation().action);
    Ok((check.into(), bucket))
}

async fn put(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: PutObjectLockConfigurationRequest,
    _: Payload,
) -> Result<Answered<PutObjectLockConfigurationOutput>, Error> {
    let configuration = input.object_lock_configuration.ok_or_else(malformed_xml)?;
    check(&configuration)?;
    let info = cx.state().objects.bucket(bucket.id()).await.map_err(|error| match error {
        Engine::NoSuchBucket => no_such_bucket(&bucket.name).into(),
        error => engine::failed(cx, error),
    })?;
    // From here on it cannot be suspended: a bucket that has versions has them for good.
    if info.versioning != Versioning::Enabled {
        let words = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(Fault::new(&errors::INVALID_BUCKET_STATE, words).into());
    }
    let kept = document::write::<ops::PutObjectLockConfiguration>(cx, configuration)?;
    let change = |tx: &mut Tx<'_>| {
        let mut bucket = Bucket::load(tx, &bucket.name)?;
        // What is promised of a lock only the store can keep.
        if attachment::capabilities(tx, &bucket.name)?.is_some_and(|store| !store.object_lock) {
            return Err(not_implemented("S3 Object Lock in a bucket whose store has none").into());
        }
        bucket.documents.insert(KIND.to_owned(), kept.clone());
        tx.put(&bucket)?;
        Ok(PutObjectLockConfigurationOutput::default())
    };
    let output = cx.transact(change).await?;
    // Who suspended it meanwhile saw no locks yet.
    versioning::keep_enabled(cx, &bucket).await?;
    Ok(Answered::new(output))
}

fn check(configuration: &ObjectLockConfiguration) -> Result<(), Fault> {
    if configuration.object_lock_enabled.is_none() {
        return Err(malformed_xml());
    }
    let Some(rule) = &configuration.rule else { return Ok(()) };
    let Some(default) = &rule.default_retention else { return Err(malformed_xml()) };
    let period = match (default.mode, default.days, default.years) {
        (Some(_), Some(days), None) => (days, MAX_DAYS),
        (Some(_), None, Some(years)) => (years, MAX_YEARS),
        _ => return Err(malformed_xml()),
    };
    match period {
        (period, most) if period > most => {
            let words = format!("Default retention period too long. Must be at most {most}");
            Err(Fault::coded("InvalidRetentionPeriod", 400, words))
        }
        (period, _) if period < 1 => {
            let words = "Default retention period must be a positive integer value.";
            Err(Fault::coded("InvalidRetentionPeriod", 400, words))
        }
        _ => Ok(()),
    }
}

fn get(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetObjectLockConfigurationRequest,
) -> Result<GetObjectLockConfigurationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let Some(configuration) = of_bucket(&bucket)? else {
        let words = "Object Lock configuration does not exist for this bucket";
        return Err(not_there(&errors::OBJECT_LOCK_CONFIGURATION_NOT_FOUND_ERROR, words, &bucket.name).into());
    };
    Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
}

fn of_bucket(bucket: &Bucket) -> Result<Option<ObjectLockConfiguration>, Error> {
    let kept = bucket.documents.get(KIND);
    kept.map(document::read::<ops::PutObjectLockConfiguration, _>).transpose()
}

/// Whether objects of this bucket may be locked.
pub(crate) fn is_enabled(bucket: &Bucket) -> bool {
    bucket.documents.contains_key(KIND)
}

/// Refuses what speaks of locks where the bucket has none.
///
/// # Errors
/// `InvalidRequest`.
pub(crate) fn must_be_enabled(bucket: &Bucket) -> Result<(), Fault> {
    if is_enabled(bucket) {
        return Ok(());
    }
    Err(invalid_request("Bucket is missing Object Lock Configuration"))
}

/// What a new object is locked with: what the request says, else the bucket's default.
///
/// # Errors
/// What contradicts itself, lies in the past, or has no bucket to be kept in.
pub(crate) fn of_new(
    cx: &Cx,
    bucket: &Bucket,
    retention: (Option<ObjectLockMode>, Option<Timestamp>),
    legal_hold: bool,
) -> Result<Lock, Error> {
    let retention = match retention {
        (None, None) => default_retention(cx, bucket)?,
        (Some(mode), Some(until)) => {
            must_be_enabled(bucket)?;
            let mode = match mode {
                ObjectLockMode::GOVERNANCE => RetentionMode::Governance,
                ObjectLockMode::COMPLIANCE => RetentionMode::Compliance,
            };
            Some((mode, in_future(cx, until)?))
        }
        _ => {
            let words =
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
            return Err(invalid_argument(words, "x-amz-object-lock-mode", "").into());
        }
    };
    if legal_hold {
        must_be_enabled(bucket)?;
    }
    Ok(Lock { retention, legal_hold })
}

/// A date that is still to come.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn in_future(cx: &Cx, until: Timestamp) -> Result<objects::Timestamp, Fault> {
    if until <= cx.now() {
        let words = "The retain until date must be in the future!";
        return Err(invalid_argument(words, "RetainUntilDate", until.iso8601_millis()));
    }
    Ok(objects::Timestamp(u64::try_from(until.millis()).unwrap_or(0)))
}

fn default_retention(cx: &Cx, bucket: &Bucket) -> Result<Option<(RetentionMode, objects::Timestamp)>, Error> {
    let default = of_bucket(bucket)?.and_then(|configuration| configuration.rule?.default_retention);
    let Some(default) = default else { return Ok(None) };
    let days = match (default.days, default.years) {
        (Some(days), _) => i64::from(days),
        (None, years) => i64::from(years.unwrap_or(0)) * 365,
    };
    let until = cx.now().plus_seconds(days.saturating_mul(DAY_SECONDS));
    let until = objects::Timestamp(u64::try_from(until.millis()).unwrap_or(0));
    Ok(default.mode.map(|mode| (read_mode(mode), until)))
}

/// How strongly, as the object store has it.
pub(crate) fn read_mode(mode: ObjectLockRetentionMode) -> RetentionMode {
    match mode {
        ObjectLockRetentionMode::GOVERNANCE => RetentionMode::Governance,
        ObjectLockRetentionMode::COMPLIANCE => RetentionMode::Compliance,
    }
}

/// Whether the caller wants to bypass governance, and may.
pub(crate) fn bypasses(cx: &Cx, bucket: &Bucket, key: &str, version_id: Option<&str>, wants: bool) -> bool {
    wants && cx.may(&object_check(cx, bucket, "s3:BypassGovernanceRetention", key).version(version_id))
}

/// The condition keys of a retention (service authorization reference, `s3:object-lock-…`).
pub(crate) fn conditions(
    cx: &Cx,
    check: Check,
    mode: Option<&'static str>,
    until: Option<Timestamp>,
) -> Check {
    let check = check.header("s3:object-lock-mode", mode);
    let Some(until) = until else { return check };
    let days = (until.seconds() - cx.now().seconds()).max(0) / DAY_SECONDS;
    check
        .with_time("s3:object-lock-retain-until-date", until)
        .with_number("s3:object-lock-remaining-retention-days", days)
}

/// What is told of a version that stays.
pub(crate) fn protected() -> Fault {
    Fault::new(&errors::ACCESS_DENIED, "Access Denied because object protected by object lock.")
}
