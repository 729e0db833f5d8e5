//! Replication of a bucket's objects into others: `s3:PutReplicationConfiguration`, `s3:GetReplicationConfiguration` (S3 user
//! guide, "Replicating objects within and across Regions").
//!
//! What is to be replicated is noted with the change that it is about (`intent`), waits as tasks (`queue`), and is done by
//! the role that the configuration names (`work`, `replica`): whatever it may not do is not replicated.

mod check;
mod ending;
mod intent;
mod queue;
mod replica;
mod rules;
mod work;

use std::sync::Arc;

use daypass_core::model::s3::{
    DeleteBucketReplicationRequest, GetBucketReplicationOutput, GetBucketReplicationRequest,
    PutBucketReplicationRequest, ReplicationStatus, errors, ops,
};
use daypass_core::objects::Versioning;
use daypass_core::store::records::Role;
use daypass_core::store::{Read, Tx};
use daypass_core::{Answered, Check, Checks, Cx, Error, Fault, Payload, role_of_arn, stream_operation};
use serde::{Deserialize, Serialize};

use crate::authorize::{self, bucket_operation};
use crate::bucket::Bucket;
use crate::fault::{access_denied, invalid_argument, invalid_request, not_implemented, not_there};
use crate::object::bucket_info;
use crate::{attachment, document, versioning};

pub(crate) use intent::{Intents, Replicating, of_change, of_markers, of_new, of_upload};
pub(crate) use queue::{fit, put as queue};
pub(crate) use rules::Rules;
pub use work::{Replicated, replicate_due};

stream_operation!(PUT_BUCKET_REPLICATION, ops::PutBucketReplication, put_checks, put);
bucket_operation!(GET_BUCKET_REPLICATION, ops::GetBucketReplication, get);
bucket_operation!(DELETE_BUCKET_REPLICATION, ops::DeleteBucketReplication, delete);

/// Its place among a bucket's documents.
const KIND: &str = "replication";
/// Who replicates.
const SERVICE: &str = "s3.amazonaws.com";

/// How the replication of an object stands (S3 user guide, "Getting replication status information").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It is to be replicated.
    Pending,
    /// It was, everywhere.
    Completed,
    /// It could not be, somewhere.
    Failed,
    /// It is a replica itself.
    Replica,
    /// A replica whose changes are to go back.
    ReplicaPending,
    /// A replica whose changes could not go back.
    ReplicaFailed,
}

impl Status {
    /// As answers have it.
    pub(crate) fn shown(self) -> ReplicationStatus {
        match self {
            Self::Pending | Self::ReplicaPending => ReplicationStatus::PENDING,
            Self::Completed => ReplicationStatus::COMPLETED,
            Self::Failed | Self::ReplicaFailed => ReplicationStatus::FAILED,
            Self::Replica => ReplicationStatus::REPLICA,
        }
    }

    pub(crate) fn is_of_replica(self) -> bool {
        matches!(self, Self::Replica | Self::ReplicaPending | Self::ReplicaFailed)
    }

    /// Whether lifecycles wait for it (S3 user guide, "Getting replication status information": they do until an object is
    /// replicated or has failed to be).
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::ReplicaPending)
    }

    /// The same, waiting.
    fn waiting(self) -> Self {
        if self.is_of_replica() { Self::ReplicaPending } else { Self::Pending }
    }

    /// The same, at its end.
    fn ended(self, well: bool) -> Self {
        match (self.is_of_replica(), well) {
            (true, true) => Self::Replica,
            (true, false) => Self::ReplicaFailed,
            (false, true) => Self::Completed,
            (false, false) => Self::Failed,
        }
    }
}

/// Whether a bucket's objects are replicated.
pub(crate) fn is_configured(bucket: &Bucket) -> bool {
    bucket.documents.contains_key(KIND)
}

/// The rules that a bucket keeps, if it does.
///
/// # Errors
/// If what is kept does not read, which is a failure of ours.
pub(crate) fn kept_rules(bucket: &Bucket) -> Result<Option<Arc<Rules>>, Error> {
    let Some(kept) = bucket.documents.get(KIND) else { return Ok(None) };
    let configuration = document::read::<ops::PutBucketReplication, _>(kept)?;
    Ok(Some(Arc::new(Rules::of(&configuration))))
}

async fn put_checks(cx: &Cx, input: &PutBucketReplicationRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check = authorize::bucket_check(cx, &bucket, cx.operation().action);
    let pass = pass_role(cx, &bucket, &input.replication_configuration.role)?;
    Ok((Checks::from(check).and_all(pass), bucket))
}

/// May the caller give this role to S3? (S3 API reference, PutBucketReplication, "Permissions".) What can be no role is refused
/// afterwards.
fn pass_role(cx: &Cx, bucket: &Bucket, arn: &str) -> Result<Option<Check>, Error> {
    let Some((account, name)) = role_of_arn(arn) else { return Ok(None) };
    let role = cx.state().store.read(|tx| tx.get::<Role>(&Role::key_of(&account, name)))?;
    let check = Check::new("iam:PassRole", arn)
        .of_account(account)
        .with("iam:PassedToService", SERVICE)
        .with("iam:AssociatedResourceArn", bucket.arn());
    Ok(Some(match role.filter(|role| role.arn() == arn) {
        Some(role) => check.resource_tags(&role.tags),
        None => check,
    }))
}

async fn put(
    cx: &Cx,
    bucket: Arc<Bucket>,
    input: PutBucketReplicationRequest,
    _: Payload,
) -> Result<Answered<()>, Error> {
    let mut configuration = input.replication_configuration;
    for rule in configuration.rules.iter_mut().filter(|rule| rule.id.as_deref().is_none_or(str::is_empty)) {
        rule.id = Some(cx.ids().uuid());
    }
    check::configuration(&configuration)?;
    match role_of_arn(&configuration.role) {
        None => {
            let words = "Invalid Role specified in replication configuration";
            return Err(invalid_argument(words, "Role", configuration.role).into());
        }
        // What replicates is of the owner of what is replicated.
        Some((account, _)) if account != bucket.account => return Err(access_denied().into()),
        Some(_) => {}
    }
    cx.state().store.read(|tx| is_here(tx, &bucket.name))?;
    if bucket_info(cx, &bucket).await?.versioning != Versioning::Enabled {
        let words = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
        return Err(invalid_request(words).into());
    }
    let rules = Rules::of(&configuration);
    for destination in rules.destinations() {
        may_receive(cx, &bucket, destination).await?;
    }
    let kept = document::write::<ops::PutBucketReplication>(cx, configuration)?;
    let change = |tx: &mut Tx<'_>| {
        // They may have been attached to another store meanwhile.
        is_here(tx, &bucket.name)?;
        rules.destinations().iter().try_for_each(|to| is_here(tx, &to.bucket))?;
        let mut bucket = Bucket::load(tx, &bucket.name)?;
        document::keep(&mut bucket, KIND.to_owned(), kept.clone())?;
        Ok(tx.put(&bucket)?)
    };
    cx.transact(change).await?;
    // Who suspended versions meanwhile saw no replication yet.
    versioning::keep_enabled(cx, &bucket).await?;
    Ok(Answered::new(()))
}

/// Whether objects can be replicated there at all. Everybody may know of a bucket that it is there.
async fn may_receive(cx: &Cx, source: &Bucket, destination: &rules::Destination) -> Result<(), Error> {
    if destination.bucket == source.name {
        let words = "Destination bucket cannot be the same as the source bucket.";
        return Err(invalid_request(words).into());
    }
    let bucket = match Bucket::find(cx, &destination.bucket) {
        Ok(bucket) if bucket.via.is_none() => bucket,
        Ok(_) => return Err(invalid_request("Destination bucket must exist.").into()),
        Err(Error::Fault(_)) => return Err(invalid_request("Destination bucket must exist.").into()),
        Err(error) => return Err(error),
    };
    if destination.account.as_ref().is_some_and(|account| *account != bucket.account) {
        let words =
            "The AWS account specified in the Account element must match the destination bucket owner.";
        return Err(invalid_argument(words, "Account", "").into());
    }
    cx.state().store.read(|tx| is_here(tx, &bucket.name))?;
    if bucket_info(cx, &bucket).await?.versioning != Versioning::Enabled {
        return Err(invalid_request("Destination bucket must have versioning enabled.").into());
    }
    Ok(())
}

/// Replicas are versions with the ids of others, which no other store takes.
fn is_here(tx: &impl Read, bucket: &str) -> Result<(), Error> {
    match attachment::capabilities(tx, bucket)? {
        Some(_) => {
            let words = format!("replication from or to a bucket in another store (`{bucket}`)");
            Err(not_implemented(&words).into())
        }
        None => Ok(()),
    }
}

fn get(
    _: &Cx,
    tx: &mut Tx<'_>,
    input: GetBucketReplicationRequest,
) -> Result<GetBucketReplicationOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let Some(kept) = bucket.documents.get(KIND) else {
        let words = "The replication configuration was not found";
        let missing = &errors::REPLICATION_CONFIGURATION_NOT_FOUND_ERROR;
        return Err(not_there(missing, words, &bucket.name).into());
    };
    let configuration = document::read::<ops::PutBucketReplication, _>(kept)?;
    Ok(GetBucketReplicationOutput { replication_configuration: Some(configuration) })
}

fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketReplicationRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.documents.remove(KIND);
    Ok(tx.put(&bucket)?)
}

/// Versions cannot be suspended where objects are replicated (S3 user guide, "Versioning configuration and replication
/// configuration").
///
/// # Errors
/// `InvalidBucketState`.
pub(crate) fn suspendable(bucket: &Bucket) -> Result<(), Fault> {
    if !is_configured(bucket) {
        return Ok(());
    }
    let words =
        "A replication configuration is present on this bucket, so the versioning state cannot be changed.";
    Err(Fault::new(&errors::INVALID_BUCKET_STATE, words))
}
