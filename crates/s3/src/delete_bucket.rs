//! `s3:DeleteBucket`
//!
//! The objects are elsewhere than the records, so that a bucket is closed in three steps: it is said that it is about to be, it
//! is closed if it holds nothing, and it goes. Access points come to a bucket between none of them.

use std::sync::Arc;

use daypass_core::model::Timestamp;
use daypass_core::model::s3::{DeleteBucketRequest, ops};
use daypass_core::objects::{Error as Engine, Versioning};
use daypass_core::store::{Key, Prefix, Read as _, Record, TransactError, Tx};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};
use serde::{Deserialize, Serialize};

use crate::access_point::AtBucket;
use crate::attachment::Attachment;
use crate::authorize::{self, bucket_check};
use crate::bucket::{Bucket, OwnedBucket};
use crate::change::aborted;
use crate::engine;
use crate::fault::{bucket_not_empty, has_access_points};

stream_operation!(DELETE_BUCKET, ops::DeleteBucket, checks, run);

/// A deletion that takes longer has ended with the server that it ran on.
const LONGEST_SECONDS: i64 = 3600;

/// That a bucket is about to go, and since when: what one deletion says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    bucket_number: u64,
    request_id: String,
    since: Timestamp,
}

impl Closing {
    fn all(bucket_number: u64) -> Prefix {
        Prefix::new(&["s3", "closing", &bucket_number.to_string()])
    }
}

impl Record for Closing {
    fn key(&self) -> Key {
        Key::new(&["s3", "closing", &self.bucket_number.to_string(), &self.request_id])
    }
}

/// Whether something may come to a bucket that keeps it from being deleted.
///
/// # Errors
/// `OperationAborted` while the bucket is being deleted, or a failure of the store.
pub(crate) fn may_be_attached_to(cx: &Cx, tx: &Tx<'_>, bucket: &Bucket) -> Result<(), Error> {
    let closing = tx.all::<Closing>(&Closing::all(bucket.number))?;
    if closing.iter().any(|closing| closing.since.plus_seconds(LONGEST_SECONDS) > cx.now()) {
        return Err(aborted().into());
    }
    Ok(())
}

/// One of the steps before the last, which alone has an audit record.
async fn step(cx: &Cx, change: impl FnMut(&mut Tx<'_>) -> Result<(), Error> + Send) -> Result<(), Error> {
    cx.state().store.transact(change).await.map_err(|error| match error {
        TransactError::Aborted(error) => error,
        TransactError::Store(error) => error.into(),
    })
}

async fn checks(cx: &Cx, input: &DeleteBucketRequest) -> Result<(Checks, Arc<Bucket>), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    Ok((bucket_check(cx, &bucket, "s3:DeleteBucket").into(), bucket))
}

async fn run(
    cx: &Cx,
    bucket: Arc<Bucket>,
    _: DeleteBucketRequest,
    _: Payload,
) -> Result<Answered<()>, Error> {
    let closing =
        Closing { bucket_number: bucket.number, request_id: cx.request_id().to_owned(), since: cx.now() };
    step(cx, |tx| {
        if !tx.keys(&AtBucket::all(bucket.number), None, 1)?.is_empty() {
            return Err(has_access_points(&bucket.name).into());
        }
        Ok(tx.put(&closing)?)
    })
    .await?;
    let objects = &cx.state().objects;
    match objects.close_bucket(bucket.id(), cx.commit_unnoted()).await {
        // It was closed before and not forgotten: a deletion that ended half-way is ended now.
        Ok(()) | Err(Engine::NoSuchBucket) => {}
        Err(Engine::BucketNotEmpty) => {
            let kept = objects.bucket(bucket.id()).await.map(|info| info.versioning);
            let versions = !matches!(kept, Ok(Versioning::Unversioned));
            step(cx, |tx| {
                tx.delete(&closing.key());
                Ok(())
            })
            .await?;
            return Err(bucket_not_empty(&bucket.name, versions).into());
        }
        Err(error) => return Err(engine::failed(cx, error)),
    }
    cx.transact(|tx| {
        // By now there may be another one of that name.
        if tx.get::<Bucket>(&Bucket::key_of(&bucket.name))?.is_some_and(|b| b.number == bucket.number) {
            tx.delete(&Bucket::key_of(&bucket.name));
            tx.delete(&OwnedBucket::key_of(&bucket.account, &bucket.name));
            tx.delete(&Attachment::key_of(&bucket.name));
        }
        for key in tx.keys(&Closing::all(bucket.number), None, usize::MAX)? {
            tx.delete(&key);
        }
        Ok(())
    })
    .await?;
    Ok(Answered::new(()))
}

#[cfg(test)]
mod tests {
    use daypass_core::objects::{Body, Commit, Key, Put, Timestamp};
    use daypass_core::testing::TestServer;

    use super::*;

    async fn bucket(server: &TestServer) -> Bucket {
        server.administrator().await.s3("PUT", "/kept", "", &[], b"").await.ok();
        server.gate.state().store.read(|tx| Bucket::load(tx, "kept")).unwrap()
    }

    #[tokio::test]
    async fn a_bucket_with_an_object_stays() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let bucket = bucket(&server).await;
        let key = Key::new("k").unwrap();
        let put = Put::new(bucket.id(), key, Commit::at(Timestamp(1)));
        server.gate.state().objects.put(put, Body::from_bytes("x".into())).await.unwrap();
        let answer = server.administrator().await.s3("DELETE", "/kept", "", &[], b"").await;
        assert_eq!(answer.status, 409);
        let refusal = ("BucketNotEmpty".to_owned(), "The bucket you tried to delete is not empty".to_owned());
        assert_eq!(answer.refused(), refusal);
        assert_eq!(answer.xml("BucketName"), Some("kept"));
        server.administrator().await.s3("HEAD", "/kept", "", &[], b"").await.ok();
    }

    #[tokio::test]
    async fn a_deletion_that_ended_half_way_is_ended_by_the_next() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let bucket = bucket(&server).await;
        let state = server.gate.state();
        state.objects.close_bucket(bucket.id(), Commit::at(Timestamp(1))).await.unwrap();
        server.administrator().await.s3("DELETE", "/kept", "", &[], b"").await.ok();
        let gone = state.store.read(|tx| Bucket::load(tx, "kept"));
        assert!(matches!(gone, Err(Error::Fault(fault)) if fault.code == "NoSuchBucket"));
    }

    /// Has the administrator make an access point to the bucket.
    async fn attach(server: &TestServer) -> (u16, Option<String>) {
        let headers = [("x-amz-account-id", daypass_core::testing::ACCOUNT)];
        let body = "<CreateAccessPointRequest><Bucket>kept</Bucket></CreateAccessPointRequest>";
        let path = "/v20180820/accesspoint/door";
        let answer = server.administrator().await.s3("PUT", path, "", &headers, body.as_bytes()).await;
        (answer.status, answer.code())
    }

    #[tokio::test]
    async fn no_access_point_comes_to_a_bucket_that_is_about_to_go() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let bucket = bucket(&server).await;
        let state = server.gate.state();
        let closing =
            Closing { bucket_number: bucket.number, request_id: "R".to_owned(), since: state.clock.now() };
        let put = state.store.transact(|tx| Ok::<_, Error>(tx.put(&closing)?));
        assert!(put.await.is_ok());
        assert_eq!(attach(&server).await, (409, Some("OperationAborted".to_owned())));
        // The deletion ended with its server.
        server.clock.advance(LONGEST_SECONDS);
        assert_eq!(attach(&server).await, (200, None));
        let answer = server.administrator().await.s3("DELETE", "/kept", "", &[], b"").await;
        assert_eq!(answer.refused().0, "BucketHasAccessPointsAttached");
    }

    #[tokio::test]
    async fn a_deletion_leaves_nothing_behind_whether_it_succeeds_or_not() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let bucket = bucket(&server).await;
        let store = &server.gate.state().store;
        let closings = || store.read(|tx| tx.keys(&Closing::all(bucket.number), None, 1)).unwrap().len();
        let administrator = server.administrator().await;
        administrator.s3("PUT", "/kept/k", "", &[], b"x").await.ok();
        let answer = administrator.s3("DELETE", "/kept", "", &[], b"").await;
        assert_eq!((answer.refused().0.as_str(), closings()), ("BucketNotEmpty", 0));
        assert_eq!(attach(&server).await.0, 200);
        let headers = [("x-amz-account-id", daypass_core::testing::ACCOUNT)];
        administrator.s3("DELETE", "/v20180820/accesspoint/door", "", &headers, b"").await.ok();
        administrator.s3("DELETE", "/kept/k", "", &[], b"").await.ok();
        administrator.s3("DELETE", "/kept", "", &[], b"").await.ok();
        assert_eq!(closings(), 0);
    }
}
