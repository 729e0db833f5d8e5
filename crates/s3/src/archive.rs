//! What there is only with archives, or no more at all, answered as AWS answers it for objects that can be read at once:
//! `s3:RestoreObject`, SelectObjectContent (closed to new customers since July 2024), `s3:GetObjectTorrent` (ended in
//! April 2022).

use daypass_core::model::s3::{
    GetObjectTorrentOutput, GetObjectTorrentRequest, RestoreObjectOutput, RestoreObjectRequest,
    SelectObjectContentOutput, SelectObjectContentRequest, errors, ops,
};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::object::Subject;

stream_operation!(RESTORE_OBJECT, ops::RestoreObject, restore_checks, restore);
stream_operation!(SELECT_OBJECT_CONTENT, ops::SelectObjectContent, select_checks, select);
stream_operation!(GET_OBJECT_TORRENT, ops::GetObjectTorrent, torrent_checks, torrent);

async fn find(
    cx: &Cx,
    bucket: &str,
    expected_owner: Option<&str>,
    key: &str,
    version_id: Option<&str>,
) -> Result<(Checks, Subject), Error> {
    let bucket = Bucket::find(cx, bucket)?;
    authorize::admit(cx, &bucket, expected_owner)?;
    let subject = Subject::find(cx, bucket, key, version_id).await?;
    Ok((subject.check(cx, cx.operation().action).into(), subject))
}

async fn restore_checks(cx: &Cx, input: &RestoreObjectRequest) -> Result<(Checks, Subject), Error> {
    let owner = input.expected_bucket_owner.as_deref();
    find(cx, &input.bucket, owner, &input.key, input.version_id.as_deref()).await
}

async fn restore(
    cx: &Cx,
    subject: Subject,
    _: RestoreObjectRequest,
    _: Payload,
) -> Result<Answered<RestoreObjectOutput>, Error> {
    subject.opened(cx)?;
    let words = "Restore is not allowed for the object's current storage class";
    Err(Fault::new(&errors::INVALID_OBJECT_STATE, words).with("StorageClass", "STANDARD").into())
}

async fn select_checks(cx: &Cx, input: &SelectObjectContentRequest) -> Result<(Checks, Subject), Error> {
    find(cx, &input.bucket, input.expected_bucket_owner.as_deref(), &input.key, None).await
}

async fn select(
    cx: &Cx,
    subject: Subject,
    _: SelectObjectContentRequest,
    _: Payload,
) -> Result<Answered<SelectObjectContentOutput>, Error> {
    subject.opened(cx)?;
    Err(not_allowed("POST").into())
}

async fn torrent_checks(cx: &Cx, input: &GetObjectTorrentRequest) -> Result<(Checks, Subject), Error> {
    find(cx, &input.bucket, input.expected_bucket_owner.as_deref(), &input.key, None).await
}

async fn torrent(
    cx: &Cx,
    subject: Subject,
    _: GetObjectTorrentRequest,
    _: Payload,
) -> Result<Answered<GetObjectTorrentOutput>, Error> {
    subject.opened(cx)?;
    Err(not_allowed("GET").into())
}

fn not_allowed(method: &str) -> Fault {
    let words = "The specified method is not allowed against this resource.";
    Fault::new(&errors::METHOD_NOT_ALLOWED, words).with("Method", method).with("ResourceType", "OBJECT")
}
