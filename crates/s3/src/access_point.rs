//! Access points: further doors to a bucket, each with a policy, a block of public access and perhaps a network of its own (S3
//! user guide, "Managing access to shared datasets with access points").
//!
//! A request names one by its alias, as if it were a bucket, or in its host: `name-account` before the endpoint's name, which
//! is what clients make of its ARN. On AWS such hosts are apart from those of buckets; here they are not, so no bucket and no
//! access point may be called alike.

use std::sync::{Arc, OnceLock};

use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::wire::sigv4::AuthForm;
use daypass_core::{Check, Cx, Error, Fault, Guard, State};
use serde::{Deserialize, Serialize};

use crate::bucket::{Bucket, PublicAccessBlock};
use crate::fault::access_denied;
use crate::public;
use crate::stored_policy::StoredPolicy;

/// What every alias ends with.
pub(crate) const ALIAS_SUFFIX: &str = "-s3alias";

/// The regions in which an account can have access points; AWS has fewer.
pub(crate) const MAX_REGIONS: usize = 64;

/// The operations that an access point takes (S3 user guide, "Access point compatibility"), and the preflight of a browser.
const OPERATIONS: [&str; 35] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketAcl",
    "GetBucketCors",
    "GetBucketLocation",
    "GetBucketNotificationConfiguration",
    "GetBucketPolicy",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "OptionsObject",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "RestoreObject",
    "UpdateObjectEncryption",
    "UploadPart",
    "UploadPartCopy",
];

/// An access point.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessPoint {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// Where it is.
    pub(crate) region: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is called where a bucket's name stands.
    pub(crate) alias: String,
    /// The bucket that it leads to.
    pub(crate) bucket: String,
    /// That bucket, and no other one that may come to have its name.
    pub(crate) bucket_number: u64,
    /// Whose the bucket is.
    pub(crate) bucket_account: AccountId,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// What of public access it blocks; it stays as it was made.
    pub(crate) block: PublicAccessBlock,
    /// The only VPC that requests may come from, if it is for one.
    pub(crate) vpc_id: Option<String>,
    /// Its policy, kept as a bucket's is.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    /// Its policy, compiled.
    #[serde(skip)]
    compiled: OnceLock<StoredPolicy>,
}

/// What an access point is made of.
pub(crate) struct Made {
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) alias: String,
    pub(crate) created: Timestamp,
    pub(crate) block: PublicAccessBlock,
    pub(crate) vpc_id: Option<String>,
    pub(crate) tags: Vec<Tag>,
}

impl AccessPoint {
    /// A new one, to a bucket.
    pub(crate) fn new(bucket: &Bucket, made: Made) -> Self {
        let Made { account, region, name, alias, created, block, vpc_id, tags } = made;
        Self {
            account,
            region,
            name,
            alias,
            bucket: bucket.name.clone(),
            bucket_number: bucket.number,
            bucket_account: bucket.account.clone(),
            created,
            block,
            vpc_id,
            policy: None,
            tags,
            compiled: OnceLock::new(),
        }
    }

    /// Where the access point stands.
    pub(crate) fn key_of(account: &AccountId, region: &str, name: &str) -> Key {
        Key::new(&["s3", "access-point", account.as_str(), region, name])
    }

    /// Where an account's access points of a region stand.
    pub(crate) fn all(account: &AccountId, region: &str) -> Prefix {
        Prefix::new(&["s3", "access-point", account.as_str(), region])
    }

    /// Where all access points of an account stand.
    pub(crate) fn of_account(account: &AccountId) -> Prefix {
        Prefix::new(&["s3", "access-point", account.as_str()])
    }

    /// `arn:aws:s3:region:account:accesspoint/name`.
    pub(crate) fn arn(&self) -> String {
        arn(&self.region, &self.account, &self.name)
    }

    /// Whether it is for requests from anywhere, or for those of a VPC.
    pub(crate) fn network_origin(&self) -> &'static str {
        if self.vpc_id.is_some() { "VPC" } else { "Internet" }
    }

    /// Its policy, compiled once for as long as the record is kept.
    pub(crate) fn policy(&self) -> Option<&StoredPolicy> {
        let text = self.policy.as_deref()?;
        let name = || format!("policy of access point {}", self.name);
        Some(
            self.compiled
                .get_or_init(|| StoredPolicy::compile(text, &name(), public::is_public_at_access_point)),
        )
    }

    /// Puts a policy, or takes it away.
    pub(crate) fn set_policy(&mut self, policy: Option<String>) {
        self.policy = policy;
        self.compiled = OnceLock::new();
    }

    /// Whether its policy lets in the public; that of one for a VPC never does (S3 user guide, "Blocking public access",
    /// "Access points").
    pub(crate) fn is_public(&self) -> bool {
        self.vpc_id.is_none() && self.policy().is_some_and(|policy| policy.is_public)
    }

    /// What its policy lets in and keeps out, where `restricted` says that nobody from outside may be let in.
    fn guard(&self, restricted: bool) -> Guard {
        match self.policy() {
            Some(policy) if restricted => {
                let denials = daypass_core::policy::PolicySet::new([Arc::clone(&policy.denials)]);
                Guard::Grants(Arc::new(denials))
            }
            Some(policy) => Guard::Grants(Arc::clone(&policy.set)),
            None => Guard::None,
        }
    }
}

impl Record for AccessPoint {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.region, &self.name)
    }
}

/// Where an alias leads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alias {
    pub(crate) alias: String,
    pub(crate) account: AccountId,
    pub(crate) region: String,
    pub(crate) name: String,
}

impl Alias {
    /// Of this access point.
    pub(crate) fn of(access_point: &AccessPoint) -> Self {
        Self {
            alias: access_point.alias.clone(),
            account: access_point.account.clone(),
            region: access_point.region.clone(),
            name: access_point.name.clone(),
        }
    }

    /// Where an alias stands.
    pub(crate) fn key_of(alias: &str) -> Key {
        Key::new(&["s3", "access-point-alias", alias])
    }
}

impl Record for Alias {
    fn key(&self) -> Key {
        Self::key_of(&self.alias)
    }
}

/// An access point of a bucket's own account, by the bucket: a bucket that has any stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtBucket {
    pub(crate) bucket_number: u64,
    pub(crate) region: String,
    pub(crate) name: String,
}

impl AtBucket {
    /// Of this access point.
    pub(crate) fn of(access_point: &AccessPoint) -> Self {
        Self {
            bucket_number: access_point.bucket_number,
            region: access_point.region.clone(),
            name: access_point.name.clone(),
        }
    }

    /// Where those of a bucket stand.
    pub(crate) fn all(bucket_number: u64) -> Prefix {
        Prefix::new(&["s3", "access-point-at", &bucket_number.to_string()])
    }
}

impl Record for AtBucket {
    fn key(&self) -> Key {
        let number = self.bucket_number.to_string();
        Key::new(&["s3", "access-point-at", &number, &self.region, &self.name])
    }
}

/// The bucket gets another number, and is the same: what leads to it leads to it still.
///
/// # Errors
/// If the store fails.
pub(crate) fn follow(tx: &mut Tx<'_>, bucket: &Bucket, number: u64) -> Result<(), StoreError> {
    let all = tx.all::<AccessPoint>(&Prefix::new(&["s3", "access-point"]))?;
    let leads_here = |one: &AccessPoint| one.bucket == bucket.name && one.bucket_number == bucket.number;
    for mut access_point in all.into_iter().filter(leads_here) {
        let at_bucket = AtBucket::of(&access_point).key();
        let is_own = tx.get::<AtBucket>(&at_bucket)?.is_some();
        access_point.bucket_number = number;
        if is_own {
            tx.delete(&at_bucket);
            tx.put(&AtBucket::of(&access_point))?;
        }
        tx.put(&access_point)?;
    }
    Ok(())
}

/// `arn:aws:s3:region:account:accesspoint/name`.
pub(crate) fn arn(region: &str, account: &AccountId, name: &str) -> String {
    format!("arn:aws:s3:{region}:{account}:accesspoint/{name}")
}

/// `name` and `account` of `name-account`, the host of an access point.
pub(crate) fn of_host(label: &str) -> Option<(&str, AccountId)> {
    let (name, account) = label.rsplit_once('-')?;
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    Some((name, account.parse().ok().filter(|_| digits)?))
}

/// Whether an access point can have that name where a bucket's stands.
pub(crate) fn is_name(name: &str) -> bool {
    name.ends_with(ALIAS_SUFFIX) || of_host(name).is_some()
}

/// The access point that stands where a bucket's name does, if it is one.
///
/// # Errors
/// If the store fails.
pub(crate) fn named(cx: &Cx, name: &str) -> Result<Option<Arc<AccessPoint>>, StoreError> {
    let found = named_in(cx.state(), cx.region(), name)?;
    if found.is_some() {
        return Ok(found);
    }
    // The host does not say where it is; the signature may be for several regions, or there is none, as of a preflight.
    let Some((name, account)) = of_host(name) else { return Ok(None) };
    let covered = |region: &String| cx.caller().proof().is_none_or(|proof| proof.covers(region));
    for region in cx.state().store.read(|tx| regions(tx, &account))?.iter().filter(|region| covered(region)) {
        let found = cx.state().kept.get(&AccessPoint::key_of(&account, region, name))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The same of what was asked in a region.
///
/// # Errors
/// If the store fails.
pub(crate) fn named_in(
    state: &State,
    region: &str,
    name: &str,
) -> Result<Option<Arc<AccessPoint>>, StoreError> {
    let kept = &state.kept;
    if name.ends_with(ALIAS_SUFFIX) {
        let Some(alias) = kept.get::<Alias>(&Alias::key_of(name))? else { return Ok(None) };
        return kept.get(&AccessPoint::key_of(&alias.account, &alias.region, &alias.name));
    }
    match of_host(name) {
        Some((name, account)) => kept.get(&AccessPoint::key_of(&account, region, name)),
        None => Ok(None),
    }
}

/// The regions in which an account has access points, of which there are no more than [`MAX_REGIONS`]: a look at one key for
/// each, however many access points there are.
///
/// # Errors
/// If the store fails.
pub(crate) fn regions(tx: &Tx<'_>, account: &AccountId) -> Result<Vec<String>, StoreError> {
    let all = AccessPoint::of_account(account);
    let (mut found, mut after): (Vec<String>, _) = (vec![], None);
    while found.len() < MAX_REGIONS
        && let Some(key) = tx.keys(&all, after.as_ref(), 1)?.first()
        && let Some(region) = key.parts().nth(3)
    {
        // No name is behind this one.
        after = Some(AccessPoint::key_of(account, &region, "~"));
        found.push(region);
    }
    Ok(found)
}

/// Whether clients would take a name of a bucket for an access point that is there.
///
/// # Errors
/// If the store fails.
pub(crate) fn has_host(tx: &Tx<'_>, label: &str) -> Result<bool, StoreError> {
    let Some((name, account)) = of_host(label) else { return Ok(false) };
    for region in regions(tx, &account)? {
        if tx.get::<AccessPoint>(&AccessPoint::key_of(&account, &region, name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a request may come through the access point at all: only signed ones with a region in their signature (S3 user
/// guide, "Access points restrictions and limitations"), from its VPC where it has one, and for what access points take.
///
/// # Errors
/// If it may not.
pub(crate) fn admit(cx: &Cx, access_point: &AccessPoint) -> Result<(), Error> {
    if !OPERATIONS.contains(&cx.operation().name) {
        let words = "The specified method is not allowed against this resource.";
        return Err(Fault::coded("MethodNotAllowed", 405, words)
            .with("Method", cx.operation().http.method)
            .with("ResourceType", "ACCESSPOINT")
            .into());
    }
    // A browser's preflight is never signed, and says nothing but what may be asked.
    if cx.operation().name == "OptionsObject" {
        return Ok(());
    }
    let proof = cx.caller().proof().filter(|proof| proof.region().is_some());
    if proof.is_none_or(|proof| proof.form() == AuthForm::Post) {
        return Err(access_denied().into());
    }
    match &access_point.vpc_id {
        None => Ok(()),
        Some(vpc) if cx.peer().instance.as_ref().is_some_and(|instance| instance.vpc_id == *vpc) => Ok(()),
        Some(_) => Err(access_denied().into()),
    }
}

/// The same question of the access point that the request came through; both have to be answered with yes, for what an access
/// point allows counts only where its bucket allows it too (S3 user guide, "Configuring IAM policies for using access points").
pub(crate) fn through(cx: &Cx, bucket: &Bucket, check: Check, key: Option<&str>) -> Check {
    let Some(access_point) = &bucket.via else { return check };
    let resource = match key {
        Some(key) => format!("{}/object/{key}", access_point.arn()),
        None => access_point.arn(),
    };
    let outside = cx
        .caller()
        .account()
        .is_none_or(|account| account != bucket.account && account != access_point.account);
    let restricted = outside && access_point.is_public() && bucket.blocks(cx).restrict_public_buckets;
    let account = access_point.account.clone();
    check.through(resource, account, access_point.guard(restricted), &access_point.tags)
}

/// The condition keys of a request through an access point.
pub(crate) fn keys(access_point: &AccessPoint, check: Check) -> Check {
    let check = check
        .with("s3:DataAccessPointArn", access_point.arn())
        .with("s3:DataAccessPointAccount", access_point.account.as_str())
        .with("s3:AccessPointNetworkOrigin", access_point.network_origin());
    access_point
        .tags
        .iter()
        .fold(check, |check, tag| check.with(format!("s3:AccessPointTag/{}", tag.key), tag.value.clone()))
}

/// `bucket` and `key` of an access point's ARN with an object, as the source of a copy names it:
/// `arn:aws:s3:region:account:accesspoint/name/object/key`. The bucket is the access point's host name.
pub(crate) fn of_object_arn(cx: &Cx, text: &str) -> Option<(String, String)> {
    let rest = text.strip_prefix("arn:aws:s3:")?;
    let (region, rest) = rest.split_once(':')?;
    let (account, rest) = rest.split_once(':')?;
    let (name, key) = rest.strip_prefix("accesspoint/")?.split_once("/object/")?;
    let account: AccountId = account.parse().ok()?;
    // Only copies within a region are taken through access points.
    (region == cx.region() && !name.contains('/')).then(|| (format!("{name}-{account}"), key.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use daypass_core::store::{Store, TransactError};

    use super::*;

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    /// An access point to a bucket, of its account and in its region.
    pub(crate) fn door(bucket: &Bucket, name: &str) -> AccessPoint {
        let made = Made {
            account: bucket.account.clone(),
            region: bucket.region.clone(),
            name: name.to_owned(),
            alias: format!("{name}{ALIAS_SUFFIX}"),
            created: Timestamp::default(),
            block: PublicAccessBlock::ALL,
            vpc_id: None,
            tags: vec![],
        };
        AccessPoint::new(bucket, made)
    }

    async fn with_doors(doors: &[(&str, &str, &str)]) -> Store {
        let store = Store::in_memory().unwrap();
        let put = store.transact(|tx| {
            doors.iter().try_for_each(|(owner, region, name)| {
                let bucket = Bucket::new("behind", account(owner), region, Timestamp::default(), 1);
                tx.put(&door(&bucket, name))
            })
        });
        let done: Result<(), TransactError<StoreError>> = put.await;
        done.unwrap();
        store
    }

    #[tokio::test]
    async fn a_host_is_taken_by_an_access_point_of_any_region() {
        let (own, other) = ("123456789012", "999988887777");
        let doors = [
            (own, "eu-west-1", "aaa"),
            (own, "eu-west-1", "z-9"),
            (own, "eu-west-10", "bbb"),
            (own, "us-east-1", "aaa"),
            (other, "ap-south-1", "ccc"),
        ];
        let store = with_doors(&doors).await;
        let regions = store.read(|tx| regions(tx, &account(own))).unwrap();
        assert_eq!(regions, ["eu-west-1", "eu-west-10", "us-east-1"]);
        for (label, taken) in [
            ("aaa-123456789012", true),
            ("z-9-123456789012", true),
            ("bbb-123456789012", true),
            ("ccc-123456789012", false),
            ("ccc-999988887777", true),
            ("aaa-999988887777", false),
            ("aa-123456789012", false),
            ("aaa", false),
        ] {
            assert_eq!(store.read(|tx| has_host(tx, label)).unwrap(), taken, "{label}");
        }
    }

    #[tokio::test]
    async fn an_account_has_access_points_in_a_bounded_number_of_regions() {
        let names: Vec<String> = (0..MAX_REGIONS + 9).map(|number| format!("eu-{number:03}-1")).collect();
        let doors: Vec<_> = names.iter().map(|region| ("123456789012", region.as_str(), "door")).collect();
        let store = with_doors(&doors).await;
        let regions = store.read(|tx| regions(tx, &account("123456789012"))).unwrap();
        assert_eq!(regions.len(), MAX_REGIONS);
    }
}
