//! One replica: what the role may do about it, what of its original it has, and how it comes to its bucket.

use std::sync::Arc;

use bytes::Bytes;
use daypass_core::model::s3::{
    DeleteObjectOutput, DeleteObjectRequest, GetObjectRequest, PutObjectAclRequest, PutObjectOutput,
    PutObjectRequest, PutObjectRetentionRequest, PutObjectTaggingRequest, ops,
};
use daypass_core::model::{AccountId, IntoValue, Operation, TypedOperation as _};
use daypass_core::objects::{
    At, Description as Kept, Error as Engine, Lock, Original, Outcome, PutReplica, Source, Timestamp, Update,
    Version, VersionId,
};
use daypass_core::policy::Decision;
use daypass_core::store::records::Tag;
use daypass_core::{Checks, Cx, Error, ServiceRole, State};

use super::rules::Rule;
use super::{SERVICE, Status};
use crate::acl;
use crate::authorize::{Conditions as _, bucket_check, existing_check, object_check};
use crate::bucket::Bucket;
use crate::description::Description;
use crate::encryption::{Sealing, opening_check};
use crate::event::{self, Telling};
use crate::kms::{KmsPlan, Wish};
use crate::object::{self, pairs, quoted};
use crate::object_lock;
use crate::retention::stronger;

/// Why there is no replica.
#[derive(Debug)]
pub(super) enum Stop {
    /// It may not be, or cannot: a reason of S3's (S3 user guide, "Amazon S3 replication failure reasons"), and more of it.
    Refused(&'static str, String),
    /// Something failed that may pass.
    Failed(String),
    /// What was to be replicated is not there any more, or not as it was looked at.
    Changed,
}

impl Stop {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// What an operation of ours failed with: what it refuses is refused for good.
    fn of(reason: &'static str, error: Error) -> Self {
        match error {
            Error::Fault(fault) if fault.status < 500 => Self::Refused(reason, fault.message),
            Error::Fault(fault) => Self::Failed(fault.message),
            Error::Internal(error) => Self::Failed(error.to_string()),
        }
    }
}

/// A version of a bucket, and where it is to go.
pub(super) struct Replica<'a> {
    pub(super) state: &'a Arc<State>,
    pub(super) role: &'a ServiceRole,
    pub(super) source: &'a Bucket,
    pub(super) key: &'a str,
    pub(super) id: &'a VersionId,
    pub(super) rule: &'a Rule,
}

/// The original, as it was looked at.
pub(super) struct Found<'a> {
    pub(super) version: &'a Version,
    pub(super) described: &'a Description,
    pub(super) tags: &'a [Tag],
}

impl Replica<'_> {
    /// Makes it of an object; where it is already, what is said of it becomes what is said of its original. Unless
    /// `is_new`, it has to be there.
    ///
    /// # Errors
    /// Why it is not so.
    pub(super) async fn of_object(&self, found: &Found<'_>, is_new: bool) -> Result<(), Stop> {
        let bucket = self.destination()?;
        if object_lock::is_enabled(self.source) && !object_lock::is_enabled(&bucket) {
            return Err(Stop::Refused("DstBucketObjectLockConfigMissing", bucket.name.clone()));
        }
        let with_tags = self.read(found).await?;
        let tags = if with_tags { found.tags } else { &[] };
        let input = PutObjectRequest {
            bucket: bucket.name.clone(),
            key: self.key.to_owned(),
            ..PutObjectRequest::default()
        };
        let cx = self.surroundings(ops::PutObject::row(), &bucket, input)?;
        let mut checks = self.checks(&cx, &bucket, found, tags);
        let plan = self.plan(&cx, &bucket, found)?;
        checks = checks.and_all(plan.as_ref().and_then(|(plan, _)| plan.check(&cx, "kms:Encrypt")));
        self.authorize(&cx, &checks, "DstPutObjectNotPermitted").await?;
        let check = object_check(&cx, &bucket, "s3:ReplicateTags", self.key).request_object_tags(pairs(tags));
        // Who may replicate objects may replicate their tags, unless the owner of the destination wants none (S3 user guide,
        // "Setting up permissions for live replication").
        let takes_tags = cx.decide(&check) != Decision::ExplicitDeny;
        let tags = (with_tags && takes_tags).then(|| found.version.tags.clone());
        let there = At::version(bucket.id(), self.engine_key()?, self.id.clone());
        match self.state.objects.head(there.clone()).await {
            Ok(version) => return self.follow(&cx, &bucket, found, tags, version).await,
            Err(Engine::NoSuchKey { .. } | Engine::NoSuchVersion) if is_new => {}
            Err(Engine::NoSuchKey { .. } | Engine::NoSuchVersion) => {
                return Err(Stop::Refused("DstVersionNotFound", bucket.name.clone()));
            }
            Err(error) => return Err(stopped(error, &bucket)),
        }
        admit_customer_key(found, &bucket)?;
        let sealing = match &plan {
            Some((plan, sealing)) => {
                let again = plan.seal_again(&cx, sealing).await;
                Some(Sealing::Kms(again.map_err(|error| Stop::of("DstKmsKeyInvalidState", error))?))
            }
            None => found.described.sealing.clone(),
        };
        let tags = tags.unwrap_or_default();
        let description = Kept { tags, ..self.description(&cx, &bucket, found, sealing)? };
        let telling = Telling::of_service(self.state, &bucket, SERVICE).map_err(Stop::failed_of)?;
        let answer = |outcome: &Outcome<'_>| match outcome {
            Outcome::Written(written) => Some(PutObjectOutput {
                e_tag: Some(quoted(&written.etag)),
                version_id: Some(written.id.to_string()),
                ..PutObjectOutput::default()
            }),
            _ => None,
        };
        let at = At::version(self.source.id(), self.engine_key()?, self.id.clone());
        let source = Source { at, generation: found.version.generation };
        let tell = event::created(telling, "ObjectCreated:Put", self.key);
        let commit = cx.commit_telling(answer, tell);
        let of = Original::Object { source, description };
        let put = PutReplica { to: bucket.id(), key: self.engine_key()?, of, commit };
        match self.state.objects.put_replica(put).await {
            Ok(_) => Ok(()),
            Err(Engine::SourceChanged | Engine::NoSuchKey { .. } | Engine::NoSuchVersion) => {
                Err(Stop::Changed)
            }
            Err(error) => Err(stopped(error, &bucket)),
        }
    }

    /// Makes it of a delete marker.
    ///
    /// # Errors
    /// Why it is not so.
    pub(super) async fn of_marker(&self, modified: Timestamp) -> Result<(), Stop> {
        let bucket = self.destination()?;
        // S3 user guide, "What isn't replicated with replication configurations?".
        if self.rule.is_first_version && bucket.account != self.source.account {
            return Ok(());
        }
        let cx = self.surroundings(ops::GetObject::row(), self.source, self.asked())?;
        let checks = self.configuration_checks(&cx);
        self.authorize(&cx, &checks, "SrcGetObjectNotPermitted").await?;
        let input = DeleteObjectRequest {
            bucket: bucket.name.clone(),
            key: self.key.to_owned(),
            ..DeleteObjectRequest::default()
        };
        let cx = self.surroundings(ops::DeleteObject::row(), &bucket, input)?;
        let check = object_check(&cx, &bucket, "s3:ReplicateDelete", self.key);
        self.authorize(&cx, &check.into(), "DstDelObjNotPermitted").await?;
        let telling = Telling::of_service(self.state, &bucket, SERVICE).map_err(Stop::failed_of)?;
        let answer = |outcome: &Outcome<'_>| match outcome {
            Outcome::Deleted([Ok(deleted)]) => Some(DeleteObjectOutput {
                delete_marker: Some(true),
                version_id: deleted.marker.as_ref().map(ToString::to_string),
                request_charged: None,
            }),
            _ => None,
        };
        let tell = event::removed(telling, "ObjectRemoved", std::iter::once(self.key));
        let commit = cx.commit_telling(answer, tell);
        let of = Original::Marker { id: self.id.clone(), modified };
        let put = PutReplica { to: bucket.id(), key: self.engine_key()?, of, commit };
        let made = self.state.objects.put_replica(put).await;
        made.map(|_| ()).map_err(|error| stopped(error, &bucket))
    }

    fn destination(&self) -> Result<Arc<Bucket>, Stop> {
        let to = &self.rule.to;
        let found = self.state.kept.get::<Bucket>(&Bucket::key_of(&to.bucket)).map_err(Stop::failed)?;
        let bucket = found.ok_or_else(|| Stop::Refused("DstBucketNotFound", to.bucket.clone()))?;
        if to.account.as_ref().is_some_and(|account| *account != bucket.account) {
            let words = format!("bucket `{}` is of another account than the rule says", bucket.name);
            return Err(Stop::Refused("DstPutObjectNotPermitted", words));
        }
        if bucket.requester_pays && bucket.account != self.source.account {
            let words = format!("requesters pay for bucket `{}`", bucket.name);
            return Err(Stop::Refused("DstPutObjectNotPermitted", words));
        }
        Ok(bucket)
    }

    fn engine_key(&self) -> Result<daypass_core::objects::Key, Stop> {
        object::key(self.key).map_err(|fault| Stop::failed(fault.message))
    }

    fn surroundings(
        &self,
        operation: &'static Operation,
        bucket: &Bucket,
        input: impl IntoValue,
    ) -> Result<Cx, Stop> {
        let cx = self.role.surroundings(self.state, operation, &bucket.region, input);
        cx.map_err(Stop::failed)?
            // One of its name may have come meanwhile, which is to be assumed for itself.
            .ok_or_else(|| Stop::failed("the role is gone"))
    }

    async fn authorize(&self, cx: &Cx, checks: &Checks, reason: &'static str) -> Result<(), Stop> {
        let Err(error) = cx.authorize(checks) else { return Ok(()) };
        if let Error::Fault(fault) = &error {
            cx.record(Err(fault)).await.map_err(Stop::failed)?;
        }
        Err(Stop::of(reason, error))
    }

    fn asked(&self) -> GetObjectRequest {
        GetObjectRequest {
            bucket: self.source.name.clone(),
            key: self.key.to_owned(),
            version_id: Some(self.id.to_string()),
            ..GetObjectRequest::default()
        }
    }

    /// What the role needs of the source as a whole (S3 user guide, "Setting up permissions").
    fn configuration_checks(&self, cx: &Cx) -> Checks {
        let check = |action| bucket_check(cx, self.source, action);
        Checks::from(check("s3:GetReplicationConfiguration")).and(check("s3:ListBucket"))
    }

    /// Reads the original, as far as the role may: whether its tags, too.
    async fn read(&self, found: &Found<'_>) -> Result<bool, Stop> {
        let cx = self.surroundings(ops::GetObject::row(), self.source, self.asked())?;
        let owner = self.owner_of(found);
        let grants = found.described.acl.clone().unwrap_or_else(|| acl::private(owner));
        let id = self.id.to_string();
        let check = |action| {
            existing_check(&cx, self.source, action, self.key, owner, &grants)
                .version(Some(&id))
                .existing_object_tags(pairs(found.tags))
        };
        let by_kms = matches!(found.described.sealing, Some(Sealing::Kms(_)));
        let read = check("s3:GetObjectVersionForReplication");
        // The older right is as good for what no key of KMS seals (S3 user guide, "Replicating encrypted objects").
        let read = if by_kms || cx.may(&read) || !cx.may(&check("s3:GetObjectVersion")) {
            read
        } else {
            check("s3:GetObjectVersion")
        };
        let mut checks = self.configuration_checks(&cx).and(read).and(check("s3:GetObjectVersionAcl"));
        if found.version.lock.retention.is_some() {
            checks = checks.and(check("s3:GetObjectRetention"));
        }
        if found.version.lock.legal_hold {
            checks = checks.and(check("s3:GetObjectLegalHold"));
        }
        let opening = opening_check(&cx, found.described.sealing.as_ref());
        checks = checks.and_all(opening.map_err(Stop::failed_of)?);
        self.authorize(&cx, &checks, "SrcGetObjectNotPermitted").await?;
        cx.record(Ok(())).await.map_err(Stop::failed)?;
        Ok(cx.may(&check("s3:GetObjectVersionTagging")))
    }

    /// What the role needs of the destination.
    fn checks(&self, cx: &Cx, bucket: &Bucket, found: &Found<'_>, tags: &[Tag]) -> Checks {
        let check = |action| object_check(cx, bucket, action, self.key);
        let sealed = match found.described.sealing {
            Some(Sealing::Kms(_)) => Some("aws:kms"),
            Some(Sealing::Customer(_)) => None,
            None => Some("AES256"),
        };
        let key = sealed.filter(|name| *name == "aws:kms").and(self.rule.to.kms_key.clone());
        let checks = Checks::from(
            check("s3:ReplicateObject")
                .request_object_tags(pairs(tags))
                .header("s3:x-amz-server-side-encryption", sealed)
                .header("s3:x-amz-server-side-encryption-aws-kms-key-id", key),
        );
        match self.rule.to.owner_override {
            true => checks.and(check("s3:ObjectOwnerOverrideToBucketOwner")),
            false => checks,
        }
    }

    /// How the data key of what a key of KMS seals is sealed again.
    fn plan<'f>(
        &self,
        cx: &Cx,
        bucket: &Bucket,
        found: &'f Found<'_>,
    ) -> Result<Option<(KmsPlan, &'f crate::kms::KmsSealing)>, Stop> {
        let Some(Sealing::Kms(sealing)) = &found.described.sealing else { return Ok(None) };
        let key = self.rule.to.kms_key.as_deref();
        let missing = || Stop::Refused("DstKmsKeyNotFound", "the rule names no key".to_owned());
        let key = Some(key.ok_or_else(missing)?);
        let wish = Wish { key, context: None, bucket_key: bucket.encryption.bucket_key };
        let plan = KmsPlan::of(cx, bucket, self.key, &wish);
        Ok(Some((plan.map_err(|error| Stop::of("DstKmsKeyNotFound", error))?, sealing)))
    }

    fn description(
        &self,
        cx: &Cx,
        bucket: &Bucket,
        found: &Found<'_>,
        sealing: Option<Sealing>,
    ) -> Result<Kept, Stop> {
        let (owner, grants) = self.owned(cx, bucket, found)?;
        let described = Description {
            owner,
            acl: grants,
            sealing,
            storage_class: match self.rule.to.storage_class.as_deref() {
                None => found.described.storage_class.clone(),
                Some("STANDARD") => None,
                Some(class) => Some(class.to_owned()),
            },
            replication: Some(Status::Replica),
            ..found.described.clone().of_object()
        };
        let lock = match found.version.lock {
            // The default of the destination is for what has no retention (S3 user guide, "What does Amazon S3 replicate?").
            Lock { retention: None, legal_hold } => {
                object_lock::of_new(cx, bucket, (None, None), legal_hold).map_err(Stop::failed_of)?
            }
            lock => lock,
        };
        Ok(Kept { meta: described.encode().map_err(Stop::failed_of)?.into(), lock, ..Kept::default() })
    }

    /// Whose the original is.
    fn owner_of<'f>(&'f self, found: &'f Found<'_>) -> &'f AccountId {
        let owner = found.described.owner.as_ref().filter(|_| !self.source.is_enforced());
        owner.unwrap_or(&self.source.account)
    }

    /// Whose it is, where that is not the bucket owner's, and its ACL (S3 user guide, "Changing the replica owner").
    fn owned(
        &self,
        cx: &Cx,
        bucket: &Bucket,
        found: &Found<'_>,
    ) -> Result<(Option<AccountId>, Option<acl::Acl>), Stop> {
        if bucket.is_enforced() || self.rule.to.owner_override {
            return Ok((None, None));
        }
        let of_source = !self.source.is_enforced();
        let owner = self.owner_of(found);
        let grants = found.described.acl.clone().filter(|_| of_source);
        if grants.as_deref().is_some_and(acl::is_public) && bucket.blocks(cx).block_public_acls {
            let words = format!("bucket `{}` blocks public ACLs", bucket.name);
            return Err(Stop::Refused("DstPutAclNotPermitted", words));
        }
        Ok((Some(owner.clone()).filter(|owner| *owner != bucket.account), grants))
    }

    /// What is said of the replica that is there becomes what is said of its original: tags, ACL and lock. No lock is
    /// made weaker or taken off; that of the replica is at least as strong as its original's, or this is refused.
    async fn follow(
        &self,
        cx: &Cx,
        bucket: &Bucket,
        found: &Found<'_>,
        tags: Option<Bytes>,
        there: Version,
    ) -> Result<(), Stop> {
        let before = Description::decode(&there.meta).map_err(Stop::failed_of)?;
        // The ACL of what was given away is its new owner's affair, whatever the rule says now.
        let is_given_away = before.owner.as_ref().unwrap_or(&bucket.account) != self.owner_of(found);
        let acl = if is_given_away || bucket.is_enforced() || self.rule.to.owner_override {
            before.acl.clone()
        } else {
            self.owned(cx, bucket, found)?.1
        };
        let described = Description {
            acl,
            legal_hold_was_set: before.legal_hold_was_set || found.described.legal_hold_was_set,
            ..before
        };
        let now = Timestamp(u64::try_from(cx.now().millis()).unwrap_or(0));
        let stronger = stronger(there.lock.retention, found.version.lock.retention, now);
        let retention = stronger.unwrap_or(there.lock.retention);
        // What else is said follows all the same.
        let followed = stronger.map(|_| ()).ok_or_else(|| {
            let words =
                format!("neither the lock in bucket `{}` nor its original's is the stronger", bucket.name);
            Stop::Refused("DstPutObjectNotPermitted", words)
        });
        let lock = Lock { retention, legal_hold: there.lock.legal_hold || found.version.lock.legal_hold };
        let tags = tags.unwrap_or_else(|| there.tags.clone());
        let meta = Bytes::from(described.encode().map_err(Stop::failed_of)?);
        if meta == there.meta && tags == there.tags && lock == there.lock {
            return followed;
        }
        let cx = self.changing(bucket, tags != there.tags, meta != there.meta)?;
        let checks = Checks::from(object_check(&cx, bucket, "s3:ReplicateObject", self.key));
        self.authorize(&cx, &checks, "DstPutAclNotPermitted").await?;
        let at = At::version(bucket.id(), self.engine_key()?, self.id.clone());
        let update = Update {
            only_if: Some((there.generation, there.revision)),
            meta: Some(meta),
            tags: Some(tags),
            lock: Some(lock),
            ..Update::new(at, cx.commit(|_| Some(())))
        };
        match self.state.objects.update(update).await {
            Ok(_) => followed,
            Err(Engine::RevisionChanged { .. } | Engine::SourceChanged) => Err(Stop::Changed),
            Err(error) => Err(stopped(error, bucket)),
        }
    }

    /// The surroundings of a change of what is said of the replica: what it is to the audit log.
    fn changing(&self, bucket: &Bucket, tags: bool, grants: bool) -> Result<Cx, Stop> {
        macro_rules! of {
            ($operation:ident, $request:ident) => {{
                let input = $request {
                    bucket: bucket.name.clone(),
                    key: self.key.to_owned(),
                    version_id: Some(self.id.to_string()),
                    ..$request::default()
                };
                self.surroundings(ops::$operation::row(), bucket, input)
            }};
        }
        match (tags, grants) {
            (true, _) => of!(PutObjectTagging, PutObjectTaggingRequest),
            (false, true) => of!(PutObjectAcl, PutObjectAclRequest),
            (false, false) => of!(PutObjectRetention, PutObjectRetentionRequest),
        }
    }
}

impl Stop {
    fn failed_of(error: Error) -> Self {
        Self::of("DstPutObjectNotPermitted", error)
    }
}

/// A bucket that takes no keys of callers takes no replicas that are sealed with them (S3 API reference,
/// `BlockedEncryptionTypes`).
fn admit_customer_key(found: &Found<'_>, bucket: &Bucket) -> Result<(), Stop> {
    match found.described.sealing {
        Some(Sealing::Customer(_)) if !bucket.encryption.allows_customer_keys => {
            let words = format!("bucket `{}` blocks SSE-C", bucket.name);
            Err(Stop::Refused("DstPutObjectNotPermitted", words))
        }
        _ => Ok(()),
    }
}

/// What the object store failed with.
fn stopped(error: Engine, bucket: &Bucket) -> Stop {
    let reason = match &error {
        Engine::NoSuchBucket => "DstBucketNotFound",
        Engine::NotVersioned => "DstBucketUnversioned",
        Engine::InvalidVersionId | Engine::IsDeleteMarker { .. } => "DstPutObjectNotPermitted",
        Engine::Unsupported(_) | Engine::TooLarge { .. } | Engine::Archived => "SrcObjectNotEligible",
        _ => return Stop::failed(error),
    };
    Stop::Refused(reason, format!("bucket `{}`: {error}", bucket.name))
}
