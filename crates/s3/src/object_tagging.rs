//! The tags of an object: `s3:PutObjectTagging`, `s3:GetObjectTagging`, `s3:DeleteObjectTagging`, and the same of a
//! version by its id.

use daypass_core::model::IntoValue;
use daypass_core::model::s3::{
    DeleteObjectTaggingOutput, DeleteObjectTaggingRequest, GetObjectTaggingOutput, GetObjectTaggingRequest,
    PutObjectTaggingOutput, PutObjectTaggingRequest, Tag as ApiTag, ops,
};
use daypass_core::{Answered, Check, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize::{self, Conditions as _};
use crate::bucket::Bucket;
use crate::change::{self, ATTEMPTS, Change};
use crate::object::{Subject, shown_id};
use crate::tag;

stream_operation!(PUT_OBJECT_TAGGING, ops::PutObjectTagging, put_checks, put);
stream_operation!(GET_OBJECT_TAGGING, ops::GetObjectTagging, get_checks, get);
stream_operation!(DELETE_OBJECT_TAGGING, ops::DeleteObjectTagging, delete_checks, delete);

/// Which object's tags, and what is asked of them.
struct Asked<'a> {
    bucket: &'a str,
    expected_owner: Option<&'a str>,
    key: &'a str,
    version_id: Option<&'a str>,
    /// The right for an object, and that for a version.
    actions: [&'static str; 2],
    /// The tags that it is to have.
    tags: &'a [ApiTag],
    /// What the change is to those who are told of it.
    event: Option<&'static str>,
}

impl Asked<'_> {
    async fn subject(&self, cx: &Cx) -> Result<(Checks, Subject), Error> {
        let bucket = Bucket::find(cx, self.bucket)?;
        authorize::admit(cx, &bucket, self.expected_owner)?;
        let subject = Subject::find(cx, bucket, self.key, self.version_id).await?;
        let [action, of_version] = self.actions;
        let action = if self.version_id.is_some() { of_version } else { action };
        let given = self.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        let check: Check = subject.check(cx, action).request_object_tags(given);
        Ok((check.into(), subject))
    }

    /// Gives the object that was asked about these tags: if it is another by now, or has other tags, the question is
    /// asked again.
    async fn change<O: IntoValue + Clone + Send + 'static>(
        &self,
        cx: &Cx,
        mut subject: Subject,
        answer: impl Fn(Option<String>) -> O,
    ) -> Result<Answered<O>, Error> {
        let kept = tag::encode(&tag::of_object(self.tags)?);
        for _ in 0..ATTEMPTS {
            let output = answer(shown_id(cx, &subject.bucket, subject.opened(cx)?).await?);
            let change = Change { tags: Some(kept.clone().into()), event: self.event, ..Change::default() };
            if let Some(output) = change::attempt(cx, &subject, change, output).await? {
                return Ok(Answered::new(output));
            }
            let (checks, found) = self.subject(cx).await?;
            cx.authorize(&checks)?;
            subject = found;
        }
        Err(change::aborted().into())
    }
}

/// `asked!(input, actions, tags, event)` is what a request asks, whichever it is.
macro_rules! asked {
    ($input:expr, $actions:expr, $tags:expr, $event:expr) => {
        Asked {
            bucket: &$input.bucket,
            expected_owner: $input.expected_bucket_owner.as_deref(),
            key: &$input.key,
            version_id: $input.version_id.as_deref(),
            actions: $actions,
            tags: $tags,
            event: $event,
        }
    };
}

const PUT: [&str; 2] = ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"];
const GET: [&str; 2] = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"];
const DELETE: [&str; 2] = ["s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"];

async fn put_checks(cx: &Cx, input: &PutObjectTaggingRequest) -> Result<(Checks, Subject), Error> {
    asked!(input, PUT, &input.tagging.tag_set, None).subject(cx).await
}

async fn put(
    cx: &Cx,
    subject: Subject,
    input: PutObjectTaggingRequest,
    _: Payload,
) -> Result<Answered<PutObjectTaggingOutput>, Error> {
    let asked = asked!(input, PUT, &input.tagging.tag_set, Some("ObjectTagging:Put"));
    asked.change(cx, subject, |version_id| PutObjectTaggingOutput { version_id }).await
}

async fn get_checks(cx: &Cx, input: &GetObjectTaggingRequest) -> Result<(Checks, Subject), Error> {
    asked!(input, GET, &[], None).subject(cx).await
}

async fn get(
    cx: &Cx,
    subject: Subject,
    _: GetObjectTaggingRequest,
    _: Payload,
) -> Result<Answered<GetObjectTaggingOutput>, Error> {
    let version_id = shown_id(cx, &subject.bucket, subject.opened(cx)?).await?;
    Ok(Answered::new(GetObjectTaggingOutput { version_id, tag_set: tag::shown(subject.tags()) }))
}

async fn delete_checks(cx: &Cx, input: &DeleteObjectTaggingRequest) -> Result<(Checks, Subject), Error> {
    asked!(input, DELETE, &[], None).subject(cx).await
}

async fn delete(
    cx: &Cx,
    subject: Subject,
    input: DeleteObjectTaggingRequest,
    _: Payload,
) -> Result<Answered<DeleteObjectTaggingOutput>, Error> {
    let asked = asked!(input, DELETE, &[], Some("ObjectTagging:Delete"));
    asked.change(cx, subject, |version_id| DeleteObjectTaggingOutput { version_id }).await
}
