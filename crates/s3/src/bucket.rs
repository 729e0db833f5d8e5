//! Buckets: the record of one, and how a request finds it.
//!
//! Names are one space for the whole server, as AWS's are for a partition. What the record does not hold, the object
//! store knows by the bucket's number: its objects, and how it keeps versions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use daypass_core::model::s3::LifecycleRule;
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::objects::BucketId;
use daypass_core::policy::{Policy, PolicySet};
use daypass_core::store::records::{Account, Tag};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Cx, Error, State};
use serde::{Deserialize, Serialize};

use crate::access_point::{self, AccessPoint};
use crate::account_block;
use crate::acl::{self, Acl, Grant};
use crate::event::Wishes;
use crate::fault::no_such_bucket;
use crate::lifecycle;
use crate::name;
use crate::notification;
use crate::public;
use crate::replication::{self, Rules};
use crate::stored_policy::StoredPolicy;

/// A bucket.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bucket {
    /// Its name.
    pub(crate) name: String,
    /// Whose it is.
    pub(crate) account: AccountId,
    /// Where it is.
    pub(crate) region: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// What the object store knows it by; never that of another bucket, not even of one of the same name.
    pub(crate) number: u64,
    /// Its policy: the document as it was put, but principals of IAM as unique ids.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// What of public access it blocks.
    #[serde(default)]
    pub(crate) public_access_block: Option<PublicAccessBlock>,
    /// Whether it says that its owner owns every object: there are no ACLs then.
    #[serde(default)]
    pub(crate) owner_enforced: bool,
    /// What else it says of whose objects are. Where it says nothing, they are their writers'.
    #[serde(default)]
    pub(crate) ownership: Option<Ownership>,
    /// Its own ACL, if one was ever put.
    #[serde(default)]
    pub(crate) acl: Option<Acl>,
    /// Its tags.
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    /// What its default encryption says beside that everything is encrypted.
    #[serde(default)]
    pub(crate) encryption: Encryption,
    /// What becomes of its objects in time.
    #[serde(default)]
    pub(crate) lifecycle: Option<Lifecycle>,
    /// Whether transfer acceleration, which there is none of, was told to be off.
    #[serde(default)]
    pub(crate) acceleration_suspended: bool,
    /// Whether its tags decide who may do what with it.
    #[serde(default)]
    pub(crate) abac: bool,
    /// Whether transfer acceleration was told to be on.
    #[serde(default)]
    pub(crate) accelerated: bool,
    /// Whether requesters pay.
    #[serde(default)]
    pub(crate) requester_pays: bool,
    /// Further configurations by their kinds, as they were put, by the shapes of the API.
    #[serde(default)]
    pub(crate) documents: BTreeMap<String, serde_json::Value>,
    /// The access point that a request reached it by, if it did.
    #[serde(skip)]
    pub(crate) via: Option<Arc<AccessPoint>>,
    /// Its policy, compiled.
    #[serde(skip)]
    compiled: OnceLock<StoredPolicy>,
    /// The rules of its lifecycle, read.
    #[serde(skip)]
    rules: OnceLock<Arc<[LifecycleRule]>>,
    /// What its notification configuration wants told, read.
    #[serde(skip)]
    wishes: OnceLock<Arc<Wishes>>,
    /// The rules of its replication, read.
    #[serde(skip)]
    replication: OnceLock<Arc<Rules>>,
}

/// What of public access a bucket blocks (S3 user guide, "Blocking public access to your Amazon S3 storage").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicAccessBlock {
    pub(crate) block_public_acls: bool,
    pub(crate) ignore_public_acls: bool,
    pub(crate) block_public_policy: bool,
    pub(crate) restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// That of every new bucket (S3 user guide, "Block Public Access … default settings", since April 2023).
    pub(crate) const ALL: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };

    /// Nothing.
    pub(crate) const NONE: Self = Self {
        block_public_acls: false,
        ignore_public_acls: false,
        block_public_policy: false,
        restrict_public_buckets: false,
    };

    /// Whatever either blocks.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }
}

/// Whose objects are in a bucket with ACLs (S3 user guide, "Controlling ownership of objects").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ownership {
    /// The bucket owner's, if they are written with the ACL `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// Their writers'.
    ObjectWriter,
}

/// What a bucket says of the encryption of its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    /// Whether it has a bucket key.
    pub(crate) bucket_key: bool,
    /// Whether callers may bring keys along. No bucket lets them until it is told to (S3 user guide, "Blocking or unblocking
    /// SSE-C for a general purpose bucket", since April 2026).
    #[serde(default)]
    pub(crate) allows_customer_keys: bool,
    /// The default, where it is KMS's: the key, as it was put; without one, that which AWS looks after.
    #[serde(default)]
    pub(crate) kms: Option<DefaultKey>,
}

/// With which key of KMS objects are sealed that say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultKey {
    /// Its id, its ARN, or an alias.
    pub(crate) key: Option<String>,
}

/// What becomes of a bucket's objects in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifecycle {
    /// The rules as they were put, by the shape of the API.
    pub(crate) configuration: serde_json::Value,
    /// Which objects no transition moves. There are no transitions; it is shown as it was put.
    pub(crate) transition_default_minimum_object_size: String,
}

impl Bucket {
    /// A new one, as AWS makes them: closed to the public, and everything in it its owner's.
    pub(crate) fn new(name: &str, account: AccountId, region: &str, created: Timestamp, number: u64) -> Self {
        Self {
            name: name.to_owned(),
            account,
            region: region.to_owned(),
            created,
            number,
            policy: None,
            public_access_block: Some(PublicAccessBlock::ALL),
            owner_enforced: true,
            ownership: None,
            acl: None,
            tags: vec![],
            encryption: Encryption::default(),
            lifecycle: None,
            acceleration_suspended: false,
            abac: false,
            accelerated: false,
            requester_pays: false,
            documents: BTreeMap::new(),
            via: None,
            compiled: OnceLock::new(),
            rules: OnceLock::new(),
            wishes: OnceLock::new(),
            replication: OnceLock::new(),
        }
    }

    /// Where the bucket of that name stands.
    pub(crate) fn key_of(name: &str) -> Key {
        Key::new(&["s3", "bucket", name])
    }

    /// The bucket of that name or behind the access point of that name, as the last commit left it: for operations over
    /// streams.
    ///
    /// # Errors
    /// `NoSuchBucket`, or a failure of the store.
    pub(crate) fn find(cx: &Cx, name: &str) -> Result<Arc<Self>, Error> {
        name::may_exist(name)?;
        if let Some(found) = cx.state().kept.get::<Self>(&Self::key_of(name))? {
            return Ok(found);
        }
        let via = access_point::named(cx, name)?.ok_or_else(|| no_such_bucket(name))?;
        Self::led_to(cx.state(), via)?.ok_or_else(|| no_such_bucket(name).into())
    }

    /// The bucket that is named so, or that the access point of that name in the region leads to; `None` if there is none.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn asked(state: &State, region: &str, name: &str) -> Result<Option<Arc<Self>>, StoreError> {
        let found = state.kept.get::<Self>(&Self::key_of(name))?;
        if found.is_some() {
            return Ok(found);
        }
        let Some(via) = access_point::named_in(state, region, name)? else { return Ok(None) };
        Self::led_to(state, via)
    }

    fn led_to(state: &State, via: Arc<AccessPoint>) -> Result<Option<Arc<Self>>, StoreError> {
        let behind = state.kept.get::<Self>(&Self::key_of(&via.bucket))?;
        Ok(behind.and_then(|bucket| bucket.behind(via).map(Arc::new)))
    }

    /// The same, as the transaction sees the bucket: for what access points take. [`load`](Self::load) is for the rest.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) fn reach(cx: &Cx, tx: &Tx<'_>, name: &str) -> Result<Self, Error> {
        name::may_exist(name)?;
        if let Some(found) = tx.get::<Self>(&Self::key_of(name))? {
            return Ok(found);
        }
        let via = access_point::named(cx, name)?.ok_or_else(|| no_such_bucket(name))?;
        let behind = tx.get::<Self>(&Self::key_of(&via.bucket))?;
        behind.and_then(|bucket| bucket.behind(via)).ok_or_else(|| no_such_bucket(name).into())
    }

    /// The bucket behind an access point, unless it is another one of the same name. It shares the policy of the record that is
    /// kept, which is compiled for all who come.
    fn behind(&self, via: Arc<AccessPoint>) -> Option<Self> {
        self.compiled();
        (self.number == via.bucket_number).then(|| Self { via: Some(via), ..self.clone() })
    }

    /// The bucket of that name, as the transaction sees it.
    ///
    /// # Errors
    /// `NoSuchBucket`, or a failure of the store.
    pub(crate) fn load(tx: &Tx<'_>, name: &str) -> Result<Self, Error> {
        name::may_exist(name)?;
        tx.get::<Self>(&Self::key_of(name))?.ok_or_else(|| no_such_bucket(name).into())
    }

    /// Its number in the object store.
    pub(crate) fn id(&self) -> BucketId {
        BucketId(self.number)
    }

    /// `arn:aws:s3:::name`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.name)
    }

    /// `arn:aws:s3:::name/key`.
    pub(crate) fn object_arn(&self, key: &str) -> String {
        format!("arn:aws:s3:::{}/{key}", self.name)
    }

    /// Whether its owner owns everything in it, and ACLs count for nothing.
    pub(crate) fn is_enforced(&self) -> bool {
        self.owner_enforced
    }

    /// Its ACL, as it counts.
    pub(crate) fn acl(&self) -> Cow<'_, [Grant]> {
        match &self.acl {
            Some(acl) if !self.is_enforced() => Cow::Borrowed(acl),
            _ => Cow::Owned(acl::private(&self.account)),
        }
    }

    /// What of public access is blocked: by itself, by its account, and by the access point that the request came through and
    /// that one's account (S3 user guide, "Blocking public access": the most restrictive combination).
    pub(crate) fn blocks(&self, cx: &Cx) -> PublicAccessBlock {
        let own = self.public_access_block.unwrap_or(PublicAccessBlock::NONE);
        let blocks = own.and(account_block::of(cx, &self.account));
        match &self.via {
            None => blocks,
            Some(via) => blocks.and(via.block).and(account_block::of(cx, &via.account)),
        }
    }

    /// Its policy, compiled once for as long as the record is kept: alone, and as a set.
    pub(crate) fn policy(&self) -> Option<(&Arc<Policy>, &Arc<PolicySet>)> {
        self.compiled().map(|compiled| (&compiled.policy, &compiled.set))
    }

    /// What its policy denies, which holds for whatever is in the bucket.
    pub(crate) fn denials(&self) -> Option<&Arc<Policy>> {
        self.compiled().map(|compiled| &compiled.denials)
    }

    /// Whether its policy lets in the public.
    pub(crate) fn is_public(&self) -> bool {
        self.compiled().is_some_and(|compiled| compiled.is_public)
    }

    /// Puts a policy, or takes it away.
    pub(crate) fn set_policy(&mut self, policy: Option<String>) {
        self.policy = policy;
        self.compiled = OnceLock::new();
    }

    /// The rules of its lifecycle, read once for as long as the record is kept.
    ///
    /// # Errors
    /// If what is kept does not read, which is a failure of ours.
    pub(crate) fn lifecycle_rules(&self) -> Result<Arc<[LifecycleRule]>, Error> {
        let Some(lifecycle) = &self.lifecycle else { return Ok(Arc::new([])) };
        if let Some(rules) = self.rules.get() {
            return Ok(Arc::clone(rules));
        }
        let rules: Arc<[LifecycleRule]> = lifecycle::rules(lifecycle)?.into();
        Ok(Arc::clone(self.rules.get_or_init(|| rules)))
    }

    /// Puts a lifecycle, or takes it away.
    pub(crate) fn set_lifecycle(&mut self, lifecycle: Option<Lifecycle>) {
        self.lifecycle = lifecycle;
        self.rules = OnceLock::new();
    }

    /// What is to be told of its objects, read once for as long as the record is kept.
    ///
    /// # Errors
    /// If what is kept does not read, which is a failure of ours.
    pub(crate) fn wishes(&self) -> Result<Arc<Wishes>, Error> {
        if let Some(wishes) = self.wishes.get() {
            return Ok(Arc::clone(wishes));
        }
        let wishes = notification::kept_wishes(self)?;
        Ok(Arc::clone(self.wishes.get_or_init(|| wishes)))
    }

    /// The rules of its replication, read once for as long as the record is kept; `None` where nothing is replicated.
    ///
    /// # Errors
    /// If what is kept does not read, which is a failure of ours.
    pub(crate) fn replication(&self) -> Result<Option<Arc<Rules>>, Error> {
        if let Some(rules) = self.replication.get() {
            return Ok(Some(Arc::clone(rules)));
        }
        let rules = replication::kept_rules(self)?;
        Ok(rules.map(|rules| Arc::clone(self.replication.get_or_init(|| rules))))
    }

    fn compiled(&self) -> Option<&StoredPolicy> {
        let text = self.policy.as_deref()?;
        let name = || format!("policy of bucket {}", self.name);
        Some(self.compiled.get_or_init(|| StoredPolicy::compile(text, &name(), public::is_public)))
    }
}

impl Record for Bucket {
    fn key(&self) -> Key {
        Self::key_of(&self.name)
    }
}

/// All buckets of all accounts.
///
/// # Errors
/// If the store fails.
pub(crate) fn all(state: &State) -> Result<Vec<Arc<Bucket>>, StoreError> {
    let keys = state.store.read(|tx| tx.keys(&Prefix::new(&["s3", "bucket"]), None, usize::MAX))?;
    let found = keys.iter().map(|key| state.kept.get::<Bucket>(key));
    found.filter_map(Result::transpose).collect()
}

/// `arn:aws:s3:::name`.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

/// The canonical id of an account, as owners are named in S3.
///
/// # Errors
/// If the store fails.
pub(crate) fn canonical_id(cx: &Cx, account: &AccountId) -> Result<String, StoreError> {
    canonical_id_of(cx.state(), account)
}

/// The same, where nobody asks.
///
/// # Errors
/// If the store fails.
pub(crate) fn canonical_id_of(state: &State, account: &AccountId) -> Result<String, StoreError> {
    let account = state.kept.get::<Account>(&Account::key_of(account))?;
    Ok(account.map(|account| account.canonical_user_id.clone()).unwrap_or_default())
}

/// A bucket in the list of its account's.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnedBucket {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) created: Timestamp,
}

impl OwnedBucket {
    /// Of this bucket.
    pub(crate) fn of(bucket: &Bucket) -> Self {
        Self {
            account: bucket.account.clone(),
            name: bucket.name.clone(),
            region: bucket.region.clone(),
            created: bucket.created,
        }
    }

    /// Where the bucket of that name stands in the account's list.
    pub(crate) fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["s3", "owned", account.as_str(), name])
    }

    /// Where the account's buckets stand.
    pub(crate) fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["s3", "owned", account.as_str()])
    }
}

impl Record for OwnedBucket {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_point::tests::door;

    #[test]
    fn the_policy_of_a_bucket_is_compiled_once_for_all_who_come_through_its_access_points() {
        let account = "123456789012".parse().unwrap();
        let mut bucket = Bucket::new("behind", account, "us-east-1", Timestamp::default(), 1);
        bucket.set_policy(Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()));
        let via = Arc::new(door(&bucket, "door"));
        let policy = || Arc::clone(bucket.behind(Arc::clone(&via)).unwrap().policy().unwrap().0);
        assert!(Arc::ptr_eq(&policy(), &policy()), "it was compiled again");
    }
}
