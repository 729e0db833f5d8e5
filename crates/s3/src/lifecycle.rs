//! The lifecycle of a bucket's objects: `s3:PutBucketLifecycleConfiguration`, `s3:GetBucketLifecycleConfiguration`,
//! `s3:DeleteBucketLifecycle`. What is taken is carried out (`lifetime`); transitions to other storage classes, of which
//! there are none, are refused.

use std::collections::BTreeSet;

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    BucketLifecycleConfiguration, DeleteBucketLifecycleRequest, GetBucketLifecycleConfigurationOutput,
    GetBucketLifecycleConfigurationRequest, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration, PutBucketLifecycleConfigurationOutput,
    PutBucketLifecycleConfigurationRequest, TransitionDefaultMinimumObjectSize, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::{Bucket, Lifecycle};
use crate::fault::{invalid_request, malformed_xml, not_implemented, not_there};
use crate::{attachment, document, tag};

bucket_operation!(PUT_BUCKET_LIFECYCLE_CONFIGURATION, ops::PutBucketLifecycleConfiguration, put);
bucket_operation!(GET_BUCKET_LIFECYCLE_CONFIGURATION, ops::GetBucketLifecycleConfiguration, get);
bucket_operation!(DELETE_BUCKET_LIFECYCLE, ops::DeleteBucketLifecycle, delete);

/// Rules of a configuration (S3 user guide, "Setting an S3 Lifecycle configuration on a bucket").
const MAX_RULES: usize = 1000;
/// Characters of a rule's id.
const MAX_ID: usize = 255;
/// Noncurrent versions that a rule can keep.
const MAX_NEWER_VERSIONS: i32 = 100;

type Put = PutBucketLifecycleConfigurationRequest;
type Get = GetBucketLifecycleConfigurationRequest;

fn put(cx: &Cx, tx: &mut Tx<'_>, input: Put) -> Result<PutBucketLifecycleConfigurationOutput, Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    let mut configuration = input.lifecycle_configuration.ok_or_else(malformed_xml)?;
    check(&configuration.rules)?;
    let elsewhere = attachment::capabilities(tx, &bucket.name)?;
    if expires(&configuration.rules) && elsewhere.is_some_and(|store| !store.delete_if_match) {
        let words =
            "lifecycle expiration in a bucket whose store keeps no condition on a deletion (If-Match)";
        return Err(not_implemented(words).into());
    }
    for rule in configuration.rules.iter_mut().filter(|rule| rule.id.as_deref().is_none_or(str::is_empty)) {
        rule.id = Some(cx.ids().uuid());
    }
    let least = input
        .transition_default_minimum_object_size
        .unwrap_or(TransitionDefaultMinimumObjectSize::AllStorageClasses128K);
    bucket.set_lifecycle(Some(Lifecycle {
        configuration: document::write::<ops::PutBucketLifecycleConfiguration>(cx, configuration)?,
        transition_default_minimum_object_size: least.as_str().to_owned(),
    }));
    tx.put(&bucket)?;
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: Some(least) })
}

fn get(_: &Cx, tx: &mut Tx<'_>, input: Get) -> Result<GetBucketLifecycleConfigurationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let Some(lifecycle) = &bucket.lifecycle else {
        let words = "The lifecycle configuration does not exist";
        return Err(not_there(&errors::NO_SUCH_LIFECYCLE_CONFIGURATION, words, &bucket.name).into());
    };
    let least = TransitionDefaultMinimumObjectSize::parse(&lifecycle.transition_default_minimum_object_size);
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules(lifecycle)?),
        transition_default_minimum_object_size: least,
    })
}

fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketLifecycleRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.set_lifecycle(None);
    Ok(tx.put(&bucket)?)
}

/// The rules of a configuration that is kept.
///
/// # Errors
/// If it does not read, which is a failure of ours.
pub(crate) fn rules(lifecycle: &Lifecycle) -> Result<Vec<LifecycleRule>, Error> {
    let kept = &lifecycle.configuration;
    let configuration = document::read::<ops::PutBucketLifecycleConfiguration, _>(kept)?;
    let BucketLifecycleConfiguration { rules } = configuration;
    Ok(rules)
}

/// Whether any of these rules lets current objects go. Only what is still the object that was looked at may go, so the store
/// has to compare it when it deletes.
pub(crate) fn expires(rules: &[LifecycleRule]) -> bool {
    let of_objects =
        |expiration: &LifecycleExpiration| expiration.days.is_some() || expiration.date.is_some();
    rules.iter().filter_map(|rule| rule.expiration.as_ref()).any(of_objects)
}

/// Refuses what S3 does not take, in its words: those that its users were recorded to see, or that other servers' tests
/// against AWS have.
fn check(rules: &[LifecycleRule]) -> Result<(), Fault> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(malformed_xml());
    }
    let mut ids = BTreeSet::new();
    for rule in rules {
        let id = rule.id.as_deref().unwrap_or("");
        if id.chars().count() > MAX_ID {
            return Err(invalid("ID length should not exceed allowed limit of 255"));
        }
        if !id.is_empty() && !ids.insert(id) {
            return Err(invalid("Rule ID must be unique. Found same ID for more than one rule"));
        }
        check_rule(rule)?;
    }
    // One rule of the old form makes all be of it.
    match rules.first() {
        Some(first) if first.prefix.is_some() && rules.iter().any(|rule| rule.filter.is_some()) => {
            Err(invalid_request("Filter element can only be used in Lifecycle V2."))
        }
        Some(first) if first.filter.is_some() && rules.iter().any(|rule| rule.prefix.is_some()) => {
            let words = "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.";
            Err(invalid_request(words))
        }
        _ => Ok(()),
    }
}

fn check_rule(rule: &LifecycleRule) -> Result<(), Fault> {
    if rule.prefix.is_some() == rule.filter.is_some() {
        return Err(malformed_xml());
    }
    let moves = |moves: usize| moves > 0;
    if moves(rule.transitions.as_ref().map_or(0, Vec::len))
        || moves(rule.noncurrent_version_transitions.as_ref().map_or(0, Vec::len))
    {
        return Err(not_implemented("lifecycle transitions to other storage classes"));
    }
    let aborts = rule.abort_incomplete_multipart_upload.as_ref();
    if rule.expiration.is_none() && rule.noncurrent_version_expiration.is_none() && aborts.is_none() {
        return Err(invalid_request("At least one action needs to be specified in a rule"));
    }
    let scope = Scope::of(rule.filter.as_ref())?;
    rule.expiration.as_ref().map_or(Ok(()), |expiration| check_expiration(expiration, &scope))?;
    rule.noncurrent_version_expiration.as_ref().map_or(Ok(()), check_noncurrent)?;
    let Some(aborts) = aborts else { return Ok(()) };
    if scope.tags {
        return Err(invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags."));
    }
    if scope.sizes {
        return Err(invalid_request("AbortIncompleteMultipartUpload cannot be specified with Object Size."));
    }
    positive("DaysAfterInitiation", "AbortIncompleteMultipartUpload", aborts.days_after_initiation)
}

fn check_expiration(expiration: &LifecycleExpiration, scope: &Scope) -> Result<(), Fault> {
    let said = [
        expiration.days.is_some(),
        expiration.date.is_some(),
        expiration.expired_object_delete_marker.is_some(),
    ];
    if said.into_iter().filter(|said| *said).count() != 1 {
        return Err(malformed_xml());
    }
    if expiration.days.is_some() {
        return positive("Days", "Expiration", expiration.days);
    }
    if expiration.date.is_some_and(|date| date.millis().rem_euclid(DAY_MILLIS) != 0) {
        return Err(invalid("'Date' must be at midnight GMT"));
    }
    if expiration.expired_object_delete_marker.is_some() && scope.tags {
        return Err(invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags."));
    }
    Ok(())
}

fn check_noncurrent(expiration: &NoncurrentVersionExpiration) -> Result<(), Fault> {
    let action = "NoncurrentVersionExpiration";
    positive("NoncurrentDays", action, expiration.noncurrent_days)?;
    if expiration.newer_noncurrent_versions.is_some_and(|n| !(1..=MAX_NEWER_VERSIONS).contains(&n)) {
        let words = format!("'NewerNoncurrentVersions' for {action} action must be a positive integer");
        return Err(invalid(&words));
    }
    Ok(())
}

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;

/// What a filter looks at.
struct Scope {
    tags: bool,
    sizes: bool,
}

impl Scope {
    /// A filter has one condition, or several under `And`.
    fn of(filter: Option<&LifecycleRuleFilter>) -> Result<Self, Fault> {
        let Some(filter) = filter else { return Ok(Self { tags: false, sizes: false }) };
        let said = [
            filter.prefix.is_some(),
            filter.tag.is_some(),
            filter.object_size_greater_than.is_some(),
            filter.object_size_less_than.is_some(),
            filter.and.is_some(),
        ];
        if said.into_iter().filter(|said| *said).count() > 1 {
            return Err(malformed_xml());
        }
        let (tags, sizes) = match &filter.and {
            None => {
                let tags: Vec<_> = filter.tag.iter().cloned().collect();
                (tags, (filter.object_size_greater_than, filter.object_size_less_than))
            }
            Some(and) => {
                let tags = and.tags.clone().unwrap_or_default();
                let sizes = (and.object_size_greater_than, and.object_size_less_than);
                let said = usize::from(and.prefix.is_some())
                    + tags.len()
                    + usize::from(sizes.0.is_some())
                    + usize::from(sizes.1.is_some());
                if said < 2 {
                    return Err(malformed_xml());
                }
                (tags, sizes)
            }
        };
        tag::read(&tags)?;
        if let (Some(above), Some(below)) = sizes
            && above >= below
        {
            let words = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.";
            return Err(invalid_request(words));
        }
        Ok(Self { tags: !tags.is_empty(), sizes: sizes != (None, None) })
    }
}

fn positive(what: &str, action: &str, is: Option<i32>) -> Result<(), Fault> {
    match is {
        None => Err(malformed_xml()),
        Some(1..) => Ok(()),
        Some(_) => Err(invalid(&format!("'{what}' for {action} action must be a positive integer"))),
    }
}

fn invalid(words: &str) -> Fault {
    Fault::new(&errors::INVALID_ARGUMENT, words)
}
