//! The rules of a configuration, as they decide of an object: which of them it is for, and where each leads.

use std::collections::BTreeSet;

use daypass_core::model::AccountId;
use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    DeleteMarkerReplicationStatus, Destination as ApiDestination, MetricsStatus, ReplicaModificationsStatus,
    ReplicationConfiguration, ReplicationRule, ReplicationRuleStatus, SseKmsEncryptedObjectsStatus,
    Tag as ApiTag,
};
use daypass_core::store::records::Tag;

use crate::encryption::Sealing;

const ARN: &str = "arn:aws:s3:::";

/// The rules of a bucket.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The ARN of the role that replicates.
    pub(super) role: String,
    /// Those that are enabled, the one with the highest priority first.
    enabled: Vec<Rule>,
    /// Where all of them lead.
    destinations: Vec<Destination>,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    /// Whether who wants to know is told of what fails (S3 user guide, "Receiving replication failure events with Amazon S3 Event
    /// Notifications").
    pub(super) tells: bool,
    /// Whether it is of the first version of configurations, which has no filters.
    pub(super) is_first_version: bool,
    prefix: String,
    tags: Vec<Tag>,
    markers: bool,
    sealed_by_kms: bool,
    replica_modifications: bool,
    pub(super) to: Destination,
}

/// Where a rule leads.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// The name of the bucket.
    pub(super) bucket: String,
    /// Whose it must be.
    pub(super) account: Option<AccountId>,
    /// Whether replicas become its owner's.
    pub(super) owner_override: bool,
    /// The storage class of replicas, if not that of their originals.
    pub(super) storage_class: Option<String>,
    /// The key of KMS that replicas of what such a key sealed are sealed with.
    pub(super) kms_key: Option<String>,
}

/// What rules look at.
pub(super) struct Looked<'a> {
    pub(super) key: &'a str,
    pub(super) tags: &'a [Tag],
    pub(super) sealing: Option<&'a Sealing>,
    pub(super) is_replica: bool,
}

impl Rules {
    pub(super) fn of(configuration: &ReplicationConfiguration) -> Self {
        let enabled = configuration.rules.iter().filter(|rule| rule.status == ReplicationRuleStatus::Enabled);
        let mut enabled: Vec<_> = enabled.map(|rule| (rule.priority.unwrap_or(0), Rule::of(rule))).collect();
        enabled.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        Self {
            role: configuration.role.clone(),
            enabled: enabled.into_iter().map(|(_, rule)| rule).collect(),
            destinations: configuration.rules.iter().map(|rule| Destination::of(&rule.destination)).collect(),
        }
    }

    pub(super) fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// Those that an object is replicated by: of several with one destination that of the highest priority (S3 user guide,
    /// "Replication configuration", `Priority`).
    pub(super) fn of_object(&self, looked: &Looked<'_>) -> Vec<&Rule> {
        self.chosen(|rule| rule.is_for(looked))
    }

    /// Those that a delete marker above a key is replicated by.
    pub(super) fn of_marker(&self, key: &str) -> Vec<&Rule> {
        self.chosen(|rule| rule.markers && rule.tags.is_empty() && key.starts_with(&rule.prefix))
    }

    /// Whether any could be for an object of that key, whatever it is otherwise.
    pub(super) fn may_be_for(&self, key: &str) -> bool {
        self.enabled.iter().any(|rule| key.starts_with(&rule.prefix))
    }

    fn chosen(&self, is_for: impl Fn(&Rule) -> bool) -> Vec<&Rule> {
        let mut seen = BTreeSet::new();
        let all = self.enabled.iter().filter(|rule| is_for(rule));
        all.filter(|rule| seen.insert(rule.to.bucket.as_str())).collect()
    }
}

impl Rule {
    fn of(rule: &ReplicationRule) -> Self {
        let is_first_version = rule.filter.is_none();
        let (mut prefix, mut tags) = (rule.prefix.as_deref(), vec![]);
        let tag = |tag: &ApiTag| Tag { key: tag.key.clone(), value: tag.value.clone() };
        if let Some(filter) = &rule.filter {
            prefix = filter.prefix.as_deref();
            tags.extend(filter.tag.iter().map(tag));
            if let Some(and) = &filter.and {
                prefix = and.prefix.as_deref();
                tags.extend(and.tags.iter().flatten().map(tag));
            }
        }
        let markers = rule.delete_marker_replication.as_ref().and_then(|markers| markers.status);
        let criteria = rule.source_selection_criteria.as_ref();
        let sealed = criteria.and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref());
        let modified = criteria.and_then(|criteria| criteria.replica_modifications.as_ref());
        let metrics = rule.destination.metrics.as_ref();
        Self {
            id: rule.id.clone().unwrap_or_default(),
            tells: metrics.is_some_and(|metrics| metrics.status == MetricsStatus::Enabled),
            is_first_version,
            prefix: prefix.unwrap_or_default().to_owned(),
            tags,
            // S3 user guide, "Replication configuration", "Backward compatibility".
            markers: is_first_version || markers == Some(DeleteMarkerReplicationStatus::Enabled),
            sealed_by_kms: sealed.is_some_and(|s| s.status == SseKmsEncryptedObjectsStatus::Enabled),
            replica_modifications: modified.is_some_and(|m| m.status == ReplicaModificationsStatus::Enabled),
            to: Destination::of(&rule.destination),
        }
    }

    fn is_for(&self, looked: &Looked<'_>) -> bool {
        let by_kms = matches!(looked.sealing, Some(Sealing::Kms(_)));
        looked.key.starts_with(&self.prefix)
            && self.tags.iter().all(|tag| looked.tags.contains(tag))
            && (!by_kms || self.sealed_by_kms)
            && (!looked.is_replica || self.replica_modifications)
    }
}

impl Destination {
    fn of(destination: &ApiDestination) -> Self {
        let encryption = destination.encryption_configuration.as_ref();
        Self {
            bucket: destination.bucket.strip_prefix(ARN).unwrap_or_default().to_owned(),
            account: destination.account.as_deref().and_then(|account| account.parse().ok()),
            owner_override: destination.access_control_translation.is_some(),
            storage_class: destination.storage_class.map(|class| class.as_str().to_owned()),
            kms_key: encryption.and_then(|encryption| encryption.replica_kms_key_id.clone()),
        }
    }
}

/// The name of the bucket of that ARN, if it is one.
pub(super) fn bucket_of(arn: &str) -> Option<&str> {
    arn.strip_prefix(ARN).filter(|name| !name.is_empty() && !name.contains(['/', ':', '*', '?']))
}
