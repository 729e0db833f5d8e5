//! Buckets that are attached to other stores: by the operator, never by a request.
//!
//! A bucket gets a new number in the object store when it is attached and when it is detached, so that no request that is
//! under way meanwhile writes to the one what was meant for the other.

use std::sync::Arc;

use daypass_core::model::{AccountId, Timestamp};
use daypass_core::objects::upstream::{self, Capabilities, Now, RootCertStore, Surroundings, Upstream};
use daypass_core::objects::{self, BucketId, Commit, Error as Engine, Objects as _, Versioning};
use daypass_core::store::records::Sealed;
use daypass_core::store::{Key, Prefix, Read, Record, StoreError, TransactError, Tx};
use daypass_core::{ObjectKeys, Operated, Purpose, Secret, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bucket::Bucket;
use crate::vocabulary::Headers;
use crate::{access_point, lifecycle, object_lock, replication};

/// Buckets that are attached at most: each keeps connections of its own.
const MAX_ATTACHMENTS: usize = 1000;
/// Characters of a parameter in the audit log.
const MAX_SHOWN: usize = 1024;

/// Where the objects of a bucket are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    bucket: String,
    /// The number that the bucket has with it.
    number: u64,
    endpoint: String,
    region: String,
    there: String,
    prefix: String,
    access_key_id: String,
    secret: Sealed,
    authorities: Option<String>,
    plain: bool,
    capabilities: Capabilities,
    /// Whether the operator answers for its being encrypted at rest.
    vouched: bool,
    since: Timestamp,
}

impl Record for Attachment {
    fn key(&self) -> Key {
        Self::key_of(&self.bucket)
    }
}

impl Attachment {
    /// Where the attachment of the bucket of that name stands.
    pub(crate) fn key_of(bucket: &str) -> Key {
        Key::new(&["s3", "attachment", bucket])
    }

    fn context(number: u64) -> String {
        format!("s3 attachment {number}")
    }

    fn show(self) -> Attached {
        Attached {
            bucket: self.bucket,
            endpoint: self.endpoint,
            region: self.region,
            there: self.there,
            prefix: self.prefix,
            access_key_id: self.access_key_id,
            capabilities: self.capabilities,
            vouched: self.vouched,
            since: self.since.to_string(),
        }
    }
}

/// What the store of the bucket can do, if it is another than ours, which can do everything.
///
/// # Errors
/// If the record does not read.
pub(crate) fn capabilities(tx: &impl Read, bucket: &str) -> Result<Option<Capabilities>, StoreError> {
    let attachment = tx.get::<Attachment>(&Attachment::key_of(bucket))?;
    Ok(attachment.map(|attachment| attachment.capabilities))
}

/// An attachment, as the operator is told of it: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The bucket here.
    pub bucket: String,
    /// The other store.
    pub endpoint: String,
    /// The region that requests to it are signed for.
    pub region: String,
    /// The bucket there.
    pub there: String,
    /// What keys begin with there.
    pub prefix: String,
    /// The key that requests to it are signed with.
    pub access_key_id: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Whether the operator answers for its being encrypted at rest.
    pub vouched: bool,
    /// When it was attached.
    pub since: String,
}

/// What is to be attached to what.
pub struct NewAttachment {
    /// The bucket here, which is empty.
    pub bucket: String,
    /// `https://host[:port]`
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket there.
    pub there: String,
    /// What keys begin with there.
    pub prefix: String,
    /// The key that requests are signed with.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Secret<String>,
    /// Authorities that vouch for its certificate, PEM, instead of those that this machine knows.
    pub authorities: Option<String>,
    /// Whether it may be spoken to without TLS.
    pub plain: bool,
    /// Whether the operator answers for its being encrypted at rest, where it does not say so itself.
    pub vouched: bool,
}

impl NewAttachment {
    /// Everything but the secret, for the audit log.
    fn shown(&self) -> Value {
        let cut = |text: &str| text.chars().take(MAX_SHOWN).collect::<String>();
        json!({
            "bucketName": cut(&self.bucket),
            "endpoint": cut(&self.endpoint),
            "region": cut(&self.region),
            "there": cut(&self.there),
            "prefix": cut(&self.prefix),
            "accessKeyId": cut(&self.access_key_id),
            "plain": self.plain,
            "vouched": self.vouched,
        })
    }
}

fn operated<'a>(
    (account, by): (&'a AccountId, &'a str),
    what: &'static str,
    bucket: &'a str,
    parameters: Value,
) -> Operated<'a> {
    Operated { account, by, what, resource: ("AWS::S3::Bucket", bucket), parameters }
}

/// Why a bucket is not attached or detached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// There is no such bucket.
    #[error("there is no bucket `{0}` here: make it first, as with `aws s3 mb s3://{0}`")]
    NoBucket(String),
    /// It is attached.
    #[error("the bucket `{0}` is attached already: detach it first")]
    IsAttached(String),
    /// It is not.
    #[error("the bucket `{0}` is not attached")]
    NotAttached(String),
    /// There are as many attachments as there may be.
    #[error("{MAX_ATTACHMENTS} buckets are attached, which are all that may be")]
    TooMany,
    /// What is in it would be out of sight.
    #[error("the bucket `{0}` has objects or versions of its own: attach an empty one")]
    NotEmpty(String),
    /// It promises what the other store does not keep.
    #[error("the bucket here {here}, and the one there does not")]
    Weaker {
        /// What the bucket does.
        here: &'static str,
    },
    /// Objects would not be encrypted at rest, although every answer says so.
    #[error(
        "the store does not say that it encrypts what it keeps (SSE-S3), which every answer of S3 says: turn it on there, or answer for it with `--encrypted-at-rest`"
    )]
    NotEncrypted,
    /// The other store cannot be used.
    #[error("the other store: {0}")]
    Store(#[source] Engine),
    /// What is recorded of an attachment cannot be used.
    #[error("the attachment of the bucket `{bucket}`: {why}")]
    Unusable {
        /// The bucket.
        bucket: String,
        /// Why.
        why: String,
    },
    /// A store of ours failed.
    #[error(transparent)]
    Ours(Box<dyn std::error::Error + Send + Sync>),
}

fn ours(error: impl std::error::Error + Send + Sync + 'static) -> AttachError {
    AttachError::Ours(Box::new(error))
}

/// The buckets that are attached, and how.
pub struct Attachments {
    state: Arc<State>,
    engine: Arc<upstream::Attached>,
    surroundings: Surroundings,
}

impl Attachments {
    /// Attaches what was attached before. `authorities` are those that this machine knows.
    ///
    /// # Errors
    /// If the records do not read, or one of them cannot be used: its bucket would seem to be an empty one of ours.
    pub fn open(
        state: Arc<State>,
        engine: Arc<upstream::Attached>,
        authorities: RootCertStore,
    ) -> Result<Self, AttachError> {
        let clock = Arc::clone(&state.clock);
        let now: Now = Arc::new(move || objects::Timestamp(u64::try_from(clock.now().millis()).unwrap_or(0)));
        let surroundings = Surroundings {
            now,
            vocabulary: Arc::new(Headers),
            authorities: Arc::new(authorities),
            seals_at_rest: ObjectKeys::is_of_a_ring,
        };
        let attachments = Self { state, engine, surroundings };
        for attachment in attachments.records().map_err(ours)? {
            let (bucket, number) = (attachment.bucket.clone(), attachment.number);
            let upstream = attachments.opened(attachment);
            let upstream =
                upstream.map_err(|error| AttachError::Unusable { bucket, why: error.to_string() })?;
            attachments.engine.attach(BucketId(number), Arc::new(upstream));
        }
        Ok(attachments)
    }

    fn records(&self) -> Result<Vec<Attachment>, StoreError> {
        self.state.store.read(|tx| {
            let keys = tx.keys(&Prefix::new(&["s3", "attachment"]), None, usize::MAX)?;
            let all =
                keys.iter().map(|key| tx.get::<Attachment>(key)).collect::<Result<Vec<_>, StoreError>>()?;
            Ok(all.into_iter().flatten().collect())
        })
    }

    fn opened(&self, attachment: Attachment) -> Result<Upstream, AttachError> {
        let context = Attachment::context(attachment.number);
        let secret =
            self.state.ring.open(Purpose::Record, context.as_bytes(), &attachment.secret.0).map_err(ours)?;
        let secret = String::from_utf8(secret.expose().clone()).map_err(ours)?;
        let options = upstream::Options {
            endpoint: attachment.endpoint,
            region: attachment.region,
            bucket: attachment.there,
            prefix: attachment.prefix,
            access_key_id: attachment.access_key_id,
            secret: secret.into(),
            authorities: attachment.authorities,
            plain: attachment.plain,
        };
        Upstream::new(options, attachment.capabilities, self.surroundings.clone()).map_err(AttachError::Store)
    }

    /// All of them.
    ///
    /// # Errors
    /// If the records do not read.
    pub fn list(&self) -> Result<Vec<Attached>, StoreError> {
        Ok(self.records()?.into_iter().map(Attachment::show).collect())
    }

    /// Attaches a bucket to another store, after asking what that can do. That `by` tried is audited, and how it ended.
    ///
    /// # Errors
    /// See [`AttachError`]. Nothing is attached then.
    pub async fn attach(&self, new: NewAttachment, by: &str) -> Result<Attached, AttachError> {
        let (name, parameters) = (new.bucket.clone(), new.shown());
        let account = self.account_of(&name)?;
        let operated = operated((&account, by), "AttachBucket", &name, parameters);
        let attached = self.attach_unaudited(new, &operated).await;
        self.failed(attached, &operated).await
    }

    async fn attach_unaudited(
        &self,
        new: NewAttachment,
        operated: &Operated<'_>,
    ) -> Result<Attached, AttachError> {
        let bucket = self.bucket(&new.bucket)?;
        let known = self.records().map_err(ours)?;
        if known.iter().any(|known| known.bucket == new.bucket) {
            return Err(AttachError::IsAttached(new.bucket));
        }
        if known.len() >= MAX_ATTACHMENTS {
            return Err(AttachError::TooMany);
        }
        let number = self.number();
        let random = format!("{:016x}", self.number());
        let probed = Upstream::probe(options(&new), &random, self.surroundings.clone()).await;
        let upstream = Arc::new(probed.map_err(AttachError::Store)?);
        let capabilities = upstream.capabilities();
        if !capabilities.encryption && !new.vouched {
            return Err(AttachError::NotEncrypted);
        }
        self.keeps_promises(&bucket, &upstream).await?;
        let attachment = self.made(new, number, capabilities)?;
        self.engine.attach(BucketId(number), upstream);
        let record = operated.record(&self.state, None);
        self.renumber(&bucket, number, |tx| {
            tx.audit(record.clone());
            tx.put(&attachment)
        })
        .await?;
        Ok(attachment.show())
    }

    fn made(
        &self,
        new: NewAttachment,
        number: u64,
        capabilities: Capabilities,
    ) -> Result<Attachment, AttachError> {
        let context = Attachment::context(number);
        let sealed =
            self.state.ring.seal(Purpose::Record, context.as_bytes(), new.secret.expose().as_bytes());
        Ok(Attachment {
            bucket: new.bucket,
            number,
            endpoint: new.endpoint,
            region: new.region,
            there: new.there,
            prefix: new.prefix,
            access_key_id: new.access_key_id,
            secret: Sealed(sealed.map_err(ours)?),
            authorities: new.authorities,
            plain: new.plain,
            capabilities,
            vouched: new.vouched && !capabilities.encryption,
            since: self.state.clock.now().truncated(),
        })
    }

    /// Gives a bucket its place here again, empty. What is in the other store stays there. That `by` tried is audited.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub async fn detach(&self, name: &str, by: &str) -> Result<(), AttachError> {
        let account = self.account_of(name)?;
        let operated = operated((&account, by), "DetachBucket", name, json!({ "bucketName": name }));
        let detached = self.detach_unaudited(name, &operated).await;
        self.failed(detached, &operated).await
    }

    async fn detach_unaudited(&self, name: &str, operated: &Operated<'_>) -> Result<(), AttachError> {
        let bucket = self.bucket(name)?;
        let known = self.records().map_err(ours)?;
        if !known.iter().any(|known| known.bucket == name) {
            return Err(AttachError::NotAttached(name.to_owned()));
        }
        let key = Attachment::key_of(name);
        let record = operated.record(&self.state, None);
        self.renumber(&bucket, self.number(), |tx| {
            tx.audit(record.clone());
            tx.delete(&key);
            Ok(())
        })
        .await
    }

    /// The record of a success commits with it; that of a failure is written here.
    async fn failed<T>(
        &self,
        result: Result<T, AttachError>,
        operated: &Operated<'_>,
    ) -> Result<T, AttachError> {
        if let Err(error) = &result {
            let record = operated.record(&self.state, Some(&error.to_string()));
            self.state.store.record(record).await.map_err(ours)?;
        }
        result
    }

    /// Whose the bucket is; the server's own account where there is none.
    fn account_of(&self, name: &str) -> Result<AccountId, AttachError> {
        let found = self.state.kept.get::<Bucket>(&Bucket::key_of(name)).map_err(ours)?;
        Ok(found.map_or_else(|| self.state.account.clone(), |bucket| bucket.account.clone()))
    }

    /// The bucket with another number, and what goes with it.
    async fn renumber(
        &self,
        bucket: &Bucket,
        number: u64,
        mut and: impl FnMut(&mut Tx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), AttachError> {
        let commit = || Commit::at((self.surroundings.now)());
        self.engine.open_bucket(BucketId(number), commit()).await.map_err(ours)?;
        let closed = match self.engine.capabilities(bucket.id()) {
            None => self.engine.close_bucket(bucket.id(), commit()).await,
            Some(_) => self.engine.release(bucket.id(), commit()).await,
        };
        match closed {
            // What was closed and not renumbered, because the server ended in between, is renumbered now.
            Ok(()) | Err(Engine::NoSuchBucket) => {}
            Err(Engine::BucketNotEmpty) => {
                self.engine.release(BucketId(number), commit()).await.map_err(ours)?;
                return Err(AttachError::NotEmpty(bucket.name.clone()));
            }
            Err(error) => {
                self.engine.release(BucketId(number), commit()).await.map_err(ours)?;
                return Err(ours(error));
            }
        }
        let outcome = self.state.store.transact(|tx| {
            let Some(mut known) = tx.get::<Bucket>(&Bucket::key_of(&bucket.name))? else { return Ok(false) };
            if known.number != bucket.number {
                return Ok(false);
            }
            access_point::follow(tx, &known, number)?;
            known.number = number;
            tx.put(&known)?;
            and(tx)?;
            Ok::<_, StoreError>(true)
        });
        let renumbered = outcome.await.map_err(|error| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => ours(error),
        })?;
        if renumbered {
            return Ok(());
        }
        // Somebody deleted it meanwhile, or attached it to something else.
        self.engine.release(BucketId(number), commit()).await.map_err(ours)?;
        Err(AttachError::NoBucket(bucket.name.clone()))
    }

    /// What the bucket says of itself must be true of what is there.
    async fn keeps_promises(&self, bucket: &Bucket, upstream: &Upstream) -> Result<(), AttachError> {
        let here = self.state.objects.bucket(bucket.id()).await;
        let here = here.map_or(Versioning::Unversioned, |info| info.versioning);
        let there = upstream.versioning().await.map_err(AttachError::Store)?;
        if here == Versioning::Enabled && there != Versioning::Enabled {
            return Err(AttachError::Weaker { here: "keeps versions" });
        }
        if bucket.documents.contains_key(object_lock::KIND) && !upstream.capabilities().object_lock {
            return Err(AttachError::Weaker { here: "has S3 Object Lock" });
        }
        if replication::is_configured(bucket) {
            return Err(AttachError::Weaker { here: "replicates its objects" });
        }
        let rules = bucket.lifecycle_rules().map_err(|_| AttachError::Unusable {
            bucket: bucket.name.clone(),
            why: "its lifecycle does not read".to_owned(),
        })?;
        if lifecycle::expires(&rules) && !upstream.capabilities().delete_if_match {
            return Err(AttachError::Weaker {
                here: "has a lifecycle that deletes on conditions (If-Match)",
            });
        }
        Ok(())
    }

    fn bucket(&self, name: &str) -> Result<Arc<Bucket>, AttachError> {
        let found = self.state.kept.get::<Bucket>(&Bucket::key_of(name)).map_err(ours)?;
        found.ok_or_else(|| AttachError::NoBucket(name.to_owned()))
    }

    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.state.entropy.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

fn options(new: &NewAttachment) -> upstream::Options {
    upstream::Options {
        endpoint: new.endpoint.clone(),
        region: new.region.clone(),
        bucket: new.there.clone(),
        prefix: new.prefix.clone(),
        access_key_id: new.access_key_id.clone(),
        secret: new.secret.expose().clone().into(),
        authorities: new.authorities.clone(),
        plain: new.plain,
    }
}
