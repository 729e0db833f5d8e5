//! What a replication configuration can say (S3 API reference, PutBucketReplication; S3 user guide, "Replication configuration
//! file elements").

use std::collections::BTreeSet;

use daypass_core::Fault;
use daypass_core::model::AccountId;
use daypass_core::model::s3::{
    DeleteMarkerReplicationStatus, Destination, ExistingObjectReplicationStatus, ReplicationConfiguration,
    ReplicationRule, ReplicationRuleFilter, ReplicationTimeStatus, SseKmsEncryptedObjectsStatus,
};

use super::rules::bucket_of;
use crate::fault::{invalid_argument, invalid_request, malformed_xml, not_implemented};
use crate::{tag, writing};

/// Rules of a configuration.
const MAX_RULES: usize = 1000;
/// Characters of a rule's id.
const MAX_ID: usize = 255;
/// Characters of a prefix.
const MAX_PREFIX: usize = 1024;
/// Bytes of the name of a key of KMS.
const MAX_KEY_ID: usize = 2048;
/// The one time that there is.
const MINUTES: i32 = 15;

/// Judges a configuration by itself.
///
/// # Errors
/// What is wrong with it.
pub(super) fn configuration(configuration: &ReplicationConfiguration) -> Result<(), Fault> {
    let rules = &configuration.rules;
    if rules.is_empty() {
        return Err(malformed_xml());
    }
    if rules.len() > MAX_RULES {
        let words = "The number of replication rules must not exceed the allowed limit of 1000 rules.";
        return Err(invalid_request(words));
    }
    let mut ids = BTreeSet::new();
    for rule in rules {
        let id = rule.id.as_deref().unwrap_or_default();
        if id.chars().count() > MAX_ID {
            return Err(invalid_argument("ID length should not exceed allowed limit of 255", "ID", id));
        }
        if !ids.insert(id) {
            let words = "Rule ID must be unique. Found same ID for more than one rule";
            return Err(invalid_argument(words, "ID", id));
        }
        destination(&rule.destination)?;
        encryption(rule)?;
        let existing = rule.existing_object_replication.as_ref();
        if existing.is_some_and(|existing| existing.status == ExistingObjectReplicationStatus::Enabled) {
            return Err(not_implemented("replication of objects that were there before its rule"));
        }
    }
    match rules.iter().filter(|rule| rule.filter.is_some()).count() {
        0 => first_version(rules),
        filtered if filtered == rules.len() => second_version(rules),
        _ => Err(invalid_request("Rules with a Filter and rules without one cannot be in one configuration")),
    }
}

fn of_version(what: &str, can: bool) -> Fault {
    let verb = if can { "must be specified" } else { "cannot be used" };
    invalid_request(format!(
        "{what} {verb} for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information."
    ))
}

/// Rules without filters.
fn first_version(rules: &[ReplicationRule]) -> Result<(), Fault> {
    for rule in rules {
        if rule.priority.is_some() {
            return Err(of_version("Priority", false));
        }
        if rule.delete_marker_replication.is_some() {
            return Err(of_version("DeleteMarkerReplication", false));
        }
        let criteria = rule.source_selection_criteria.as_ref();
        if criteria.is_some_and(|criteria| criteria.replica_modifications.is_some()) {
            return Err(of_version("ReplicaModifications", false));
        }
        if rule.destination.replication_time.is_some() {
            return Err(of_version("ReplicationTime", false));
        }
        prefix(rule.prefix.as_deref())?;
    }
    let destinations: BTreeSet<&str> = rules.iter().map(|rule| rule.destination.bucket.as_str()).collect();
    if destinations.len() > 1 {
        return Err(invalid_request("Number of distinct destination bucket ARNs cannot exceed 1"));
    }
    let mut prefixes: Vec<&str> =
        rules.iter().map(|rule| rule.prefix.as_deref().unwrap_or_default()).collect();
    prefixes.sort_unstable();
    match prefixes.iter().zip(prefixes.iter().skip(1)).find(|(one, next)| next.starts_with(**one)) {
        Some((one, next)) => Err(invalid_request(format!("Found overlapping prefixes '{one}' and '{next}'"))),
        None => Ok(()),
    }
}

/// Rules with filters.
fn second_version(rules: &[ReplicationRule]) -> Result<(), Fault> {
    let mut priorities = BTreeSet::new();
    for rule in rules {
        if rule.prefix.is_some() {
            return Err(of_version("Prefix", false));
        }
        let priority = rule.priority.ok_or_else(|| of_version("Priority", true))?;
        if priority < 0 {
            let words = "Priority must be a non-negative integer";
            return Err(invalid_argument(words, "Priority", priority.to_string()));
        }
        if !priorities.insert(priority) {
            let words = format!("Found rules with the same priority {priority}. Priorities must be unique");
            return Err(invalid_request(words));
        }
        let markers = rule.delete_marker_replication.as_ref().and_then(|markers| markers.status);
        let markers = markers.ok_or_else(|| of_version("DeleteMarkerReplication", true))?;
        let tagged = rule.filter.as_ref().map(filter).transpose()?.unwrap_or(false);
        if tagged && markers == DeleteMarkerReplicationStatus::Enabled {
            let words = "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.";
            return Err(invalid_request(words));
        }
    }
    Ok(())
}

/// Whether a filter is by tags.
fn filter(filter: &ReplicationRuleFilter) -> Result<bool, Fault> {
    let given = [filter.prefix.is_some(), filter.tag.is_some(), filter.and.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(malformed_xml());
    }
    prefix(filter.prefix.as_deref())?;
    let single = filter.tag.as_ref().map(std::slice::from_ref);
    let several = filter.and.as_ref().and_then(|and| and.tags.as_deref());
    prefix(filter.and.as_ref().and_then(|and| and.prefix.as_deref()))?;
    let tags = single.or(several).unwrap_or_default();
    tag::of_object(tags)?;
    Ok(!tags.is_empty())
}

fn prefix(prefix: Option<&str>) -> Result<(), Fault> {
    match prefix {
        Some(prefix) if prefix.chars().count() > MAX_PREFIX => {
            let words = "The maximum size of a prefix is 1024";
            Err(invalid_argument(words, "Prefix", prefix))
        }
        _ => Ok(()),
    }
}

fn destination(to: &Destination) -> Result<(), Fault> {
    if bucket_of(&to.bucket).is_none() {
        return Err(invalid_argument("Invalid bucket ARN", "Bucket", to.bucket.clone()));
    }
    match to.account.as_deref() {
        None if to.access_control_translation.is_some() => {
            let words = "If the <Owner> in <AccessControlTranslation> has a value, the <Account> element must be specified.";
            return Err(invalid_request(words));
        }
        Some(account) if account.parse::<AccountId>().is_err() => {
            let words = "The <Account> element must contain a valid account ID.";
            return Err(invalid_argument(words, "Account", account));
        }
        _ => {}
    }
    if let Some(class) = to.storage_class {
        writing::is_at_once(class)?;
    }
    let minutes = |time: Option<i32>| time == Some(MINUTES);
    let timed = to.replication_time.as_ref();
    if timed.is_some_and(|timed| !minutes(timed.time.minutes)) {
        return Err(invalid_request("ReplicationTime: only 15 minutes are supported"));
    }
    let metrics = to.metrics.as_ref();
    let threshold = metrics.and_then(|metrics| metrics.event_threshold.as_ref());
    if threshold.is_some_and(|threshold| !minutes(threshold.minutes)) {
        return Err(invalid_request("Metrics: only an EventThreshold of 15 minutes is supported"));
    }
    if timed.is_some_and(|timed| timed.status == ReplicationTimeStatus::Enabled) && metrics.is_none() {
        return Err(invalid_request("Metrics must be specified if ReplicationTime is enabled"));
    }
    Ok(())
}

/// What is sealed by KMS is replicated only with a key that says with what the replicas are.
fn encryption(rule: &ReplicationRule) -> Result<(), Fault> {
    let criteria = rule.source_selection_criteria.as_ref();
    let sealed = criteria.and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref());
    let configured = rule.destination.encryption_configuration.as_ref();
    let key = configured.and_then(|configured| configured.replica_kms_key_id.as_deref());
    if key.is_some_and(|key| key.len() > MAX_KEY_ID) {
        return Err(invalid_argument("Invalid ReplicaKmsKeyID ARN", "ReplicaKmsKeyID", ""));
    }
    let wanted = sealed.is_some_and(|sealed| sealed.status == SseKmsEncryptedObjectsStatus::Enabled);
    if wanted && key.is_none_or(str::is_empty) {
        let words = "EncryptionConfiguration must be specified if SseKmsEncryptedObjects tag is present";
        return Err(invalid_request(words));
    }
    if configured.is_some() && sealed.is_none() {
        let words = "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present";
        return Err(invalid_request(words));
    }
    Ok(())
}
