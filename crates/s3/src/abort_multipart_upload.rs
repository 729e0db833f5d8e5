//! `s3:AbortMultipartUpload`

use daypass_core::model::s3::{AbortMultipartUploadOutput, AbortMultipartUploadRequest, ops};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::fault::not_implemented;
use crate::upload::{self, Named};

stream_operation!(ABORT_MULTIPART_UPLOAD, ops::AbortMultipartUpload, checks, run);

async fn checks(cx: &Cx, input: &AbortMultipartUploadRequest) -> Result<(Checks, Named), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let named = upload::named(bucket, &input.key)?;
    let check = named.check(cx, "s3:AbortMultipartUpload", &input.upload_id).await?;
    Ok((check.into(), named))
}

async fn run(
    cx: &Cx,
    named: Named,
    input: AbortMultipartUploadRequest,
    _: Payload,
) -> Result<Answered<AbortMultipartUploadOutput>, Error> {
    if input.if_match_initiated_time.is_some() {
        return Err(not_implemented("aborts on condition of a date").into());
    }
    let at = named.at(&input.upload_id)?;
    let commit = cx.commit(|_| Some(AbortMultipartUploadOutput::default()));
    match cx.state().objects.abort_upload(at, commit).await {
        Ok(()) => Ok(Answered::new(AbortMultipartUploadOutput::default())),
        Err(error) => Err(upload::failed(cx, &named.bucket, &input.key, &input.upload_id, error)),
    }
}
