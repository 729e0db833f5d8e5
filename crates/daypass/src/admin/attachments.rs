//! Buckets in other stores, as the owner's commands ask for them.

use daypass_core::Secret;
use daypass_s3::NewAttachment;

use super::protocol::{AttachRequest, Reply};
use super::server::{failed, name_of};
use crate::server::Server;

pub(super) async fn attach(server: &Server, uid: u32, mut asked: AttachRequest) -> Reply {
    let take = std::mem::take::<String>;
    let new = NewAttachment {
        bucket: take(&mut asked.bucket),
        endpoint: take(&mut asked.endpoint),
        region: take(&mut asked.region),
        there: take(&mut asked.there),
        prefix: take(&mut asked.prefix),
        access_key_id: take(&mut asked.access_key_id),
        secret: Secret::new(take(&mut asked.secret)),
        authorities: asked.authorities.take(),
        plain: asked.plain,
        vouched: asked.vouched,
    };
    match server.attachments().attach(new, &name_of(uid)).await {
        Ok(attached) => {
            tracing::info!(
                uid,
                bucket = attached.bucket,
                endpoint = attached.endpoint,
                there = attached.there,
                "a bucket was attached"
            );
            Reply::Attached { buckets: vec![attached] }
        }
        Err(error) => failed(&error.to_string()),
    }
}

pub(super) async fn detach(server: &Server, uid: u32, bucket: &str) -> Reply {
    match server.attachments().detach(bucket, &name_of(uid)).await {
        Ok(()) => {
            tracing::info!(uid, bucket, "a bucket was detached");
            Reply::Attached { buckets: vec![] }
        }
        Err(error) => failed(&error.to_string()),
    }
}

pub(super) fn list(server: &Server) -> Reply {
    match server.attachments().list() {
        Ok(buckets) => Reply::Attached { buckets },
        Err(error) => failed(&format!("the attachments could not be read: {error}")),
    }
}
