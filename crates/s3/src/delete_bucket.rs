//! `s3:DeleteBucket`

use std::sync::Arc;

use daypass_core::model::s3::{DeleteBucketRequest, ops};
use daypass_core::objects::{Error as Engine, Versioning};
use daypass_core::store::Read as _;
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::attachment::Attachment;
use crate::authorize::{self, bucket_check};
use crate::bucket::{Bucket, OwnedBucket};
use crate::engine;
use crate::fault::bucket_not_empty;

stream_operation!(DELETE_BUCKET, ops::DeleteBucket, checks, run);

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
    let objects = &cx.state().objects;
    match objects.close_bucket(bucket.id(), cx.commit_unnoted()).await {
        // It was closed before and not forgotten: a deletion that ended half-way is ended now.
        Ok(()) | Err(Engine::NoSuchBucket) => {}
        Err(Engine::BucketNotEmpty) => {
            let kept = objects.bucket(bucket.id()).await.map(|info| info.versioning);
            let versions = !matches!(kept, Ok(Versioning::Unversioned));
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
}
