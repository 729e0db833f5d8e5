//! `s3:PutObject`, by a form of a browser (S3 API reference, POST Object): the form's policy says what may be uploaded,
//! and its signer's rights whether.

use std::ops::RangeInclusive;

use daypass_core::model::s3::{PostObjectOutput, PostObjectRequest, PutObjectOutput, PutObjectRequest, ops};
use daypass_core::objects::MAX_BODY_BYTES;
use daypass_core::wire::flat_document;
use daypass_core::{Answered, CallerKind, Checks, Cx, Error, Payload, full, stream_operation};

use crate::fault::invalid_argument;
use crate::put_object::{self, Target};
use crate::{checksum, post_policy, tag, uri};

stream_operation!(POST_OBJECT, ops::PostObject, checks, run);

/// What the form comes to.
struct Form {
    put: PutObjectRequest,
    target: Target,
    size: Option<RangeInclusive<u64>>,
}

async fn checks(cx: &Cx, input: &PostObjectRequest) -> Result<(Checks, Form), Error> {
    let fields: Vec<(String, String)> = input.fields.clone().into_iter().collect();
    let missing = |name: &str| {
        let words = format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
        );
        invalid_argument(words, name, "")
    };
    let key = input.key.clone().filter(|key| !key.is_empty()).ok_or_else(|| missing("key"))?;
    let size = match input.fields.get("policy") {
        Some(policy) => post_policy::check(policy, &input.bucket, &fields, cx.now())?,
        // Without one there is no signer.
        None if matches!(cx.caller().kind(), CallerKind::Anonymous) => None,
        None => return Err(missing("policy").into()),
    };
    let put = PutObjectRequest {
        bucket: input.bucket.clone(),
        key,
        acl: input.acl,
        cache_control: input.cache_control.clone(),
        content_disposition: input.content_disposition.clone(),
        content_encoding: input.content_encoding.clone(),
        content_language: input.content_language.clone(),
        content_type: input.content_type.clone(),
        expires: input.expires.clone(),
        metadata: input.metadata.clone(),
        server_side_encryption: input.server_side_encryption,
        storage_class: input.storage_class,
        website_redirect_location: input.website_redirect_location.clone(),
        sse_customer_algorithm: input.sse_customer_algorithm.clone(),
        sse_customer_key: input.sse_customer_key.clone(),
        sse_customer_key_md5: input.sse_customer_key_md5.clone(),
        ssekms_key_id: input.ssekms_key_id.clone(),
        ssekms_encryption_context: input.ssekms_encryption_context.clone(),
        bucket_key_enabled: input.bucket_key_enabled,
        object_lock_mode: input.object_lock_mode,
        object_lock_retain_until_date: input.object_lock_retain_until_date,
        object_lock_legal_hold_status: input.object_lock_legal_hold_status,
        tagging: input.tagging_document.as_deref().map(tag::header_of_document).transpose()?,
        ..PutObjectRequest::default()
    };
    let (checks, target) = put_object::checks(cx, &put).await?;
    Ok((checks, Form { put, target, size }))
}

async fn run(
    cx: &Cx,
    form: Form,
    input: PostObjectRequest,
    payload: Payload,
) -> Result<Answered<PostObjectOutput>, Error> {
    let Form { put, target, size } = form;
    let after = After::of(&input);
    let location =
        format!("http://{}.s3.amazonaws.com/{}", put.bucket, uri::encode(&put.key).replace('+', "%20"));
    let (bucket, key) = (put.bucket.clone(), put.key.clone());
    let payload = payload.within(size.unwrap_or(0..=MAX_BODY_BYTES));
    let algorithm = checksum::of_payload(payload.algorithm());
    let told = after.clone();
    let (of, named) = (bucket.clone(), key.clone());
    let answer = move |output: PutObjectOutput| {
        let e_tag = output.e_tag.unwrap_or_default();
        let location = match &told {
            After::Redirect(url) => redirected(url, &of, &named, &e_tag),
            After::Status(_) => location.clone(),
        };
        PostObjectOutput {
            content_type: matches!(told, After::Status(201)).then(|| "application/xml".to_owned()),
            e_tag: Some(e_tag),
            location: Some(location),
            expiration: output.expiration,
            version_id: output.version_id,
            server_side_encryption: output.server_side_encryption,
            sse_customer_algorithm: output.sse_customer_algorithm,
            sse_customer_key_md5: output.sse_customer_key_md5,
            ssekms_key_id: output.ssekms_key_id,
            bucket_key_enabled: output.bucket_key_enabled,
        }
    };
    let output = put_object::store(cx, target, put, payload, algorithm, answer).await?;
    let body = document(&output, &bucket, &key);
    let answered = Answered::new(output);
    Ok(match after {
        After::Redirect(_) => answered.with_status(303),
        After::Status(201) => answered.with_status(201).with_body(full(body)),
        After::Status(status) => answered.with_status(status),
    })
}

/// What follows a success.
#[derive(Clone)]
enum After {
    Redirect(String),
    Status(u16),
}

impl After {
    /// A redirect that is none counts for nothing, a status that is none of three for 204 (S3 API reference, POST Object,
    /// `success_action_redirect` and `success_action_status`).
    fn of(input: &PostObjectRequest) -> Self {
        let url = input.success_action_redirect.as_ref().or(input.redirect.as_ref());
        let is_url = |url: &&String| {
            (url.starts_with("http://") || url.starts_with("https://"))
                && url.bytes().all(|b| b.is_ascii_graphic())
        };
        match (url.filter(is_url), input.success_action_status.as_deref()) {
            (Some(url), _) => Self::Redirect(url.clone()),
            (None, Some("200")) => Self::Status(200),
            (None, Some("201")) => Self::Status(201),
            (None, _) => Self::Status(204),
        }
    }
}

fn redirected(url: &str, bucket: &str, key: &str, e_tag: &str) -> String {
    let join = if url.contains('?') { '&' } else { '?' };
    format!("{url}{join}bucket={bucket}&key={}&etag={}", uri::encode(key), uri::encode(e_tag))
}

/// The document of a 201.
fn document(output: &PostObjectOutput, bucket: &str, key: &str) -> String {
    let location = output.location.as_deref().unwrap_or_default();
    let e_tag = output.e_tag.as_deref().unwrap_or_default();
    let elements = [("Location", location), ("Bucket", bucket), ("Key", key), ("ETag", e_tag)];
    flat_document("PostResponse", &elements)
}
