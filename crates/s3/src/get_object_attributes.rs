//! `s3:GetObjectAttributes`, beside the right to read the object.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    Checksum, GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectAttributesRequest,
    ObjectAttributes, ObjectPart, StorageClass, ops,
};
use daypass_core::objects::{self, Opened};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::description::Description;
use crate::encryption::Opening;
use crate::get_object;
use crate::object::{Subject, shown_id, size, time};
use crate::upload::part_number_marker;
use crate::{checksum, customer_key, engine, listing};

stream_operation!(GET_OBJECT_ATTRIBUTES, ops::GetObjectAttributes, checks, run);

async fn checks(cx: &Cx, input: &GetObjectAttributesRequest) -> Result<(Checks, Subject), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let by_version = input.version_id.is_some();
    let subject = Subject::find(cx, bucket, &input.key, input.version_id.as_deref()).await?;
    let attributes = if by_version { "s3:GetObjectVersionAttributes" } else { "s3:GetObjectAttributes" };
    let read = subject.check(cx, get_object::action(by_version));
    let checks = Checks::from(read).and(subject.check(cx, attributes));
    let wants = |attribute| input.object_attributes.contains(&attribute);
    let sums = wants(ObjectAttributes::Checksum) || wants(ObjectAttributes::ObjectParts);
    let opening = if sums { subject.opening_check(cx)? } else { None };
    Ok((checks.and_all(opening), subject))
}

async fn run(
    cx: &Cx,
    subject: Subject,
    input: GetObjectAttributesRequest,
    _: Payload,
) -> Result<Answered<GetObjectAttributesOutput>, Error> {
    let opened = subject.opened(cx)?;
    let version = &opened.version;
    let description = Description::decode(&version.meta)?;
    Opening::of(cx, description.sealing.as_ref(), customer_key::headers!(input))?;
    let wants = |attribute| input.object_attributes.contains(&attribute);
    let object_parts =
        if wants(ObjectAttributes::ObjectParts) { parts(cx, opened, &input).await? } else { None };
    Ok(Answered::new(GetObjectAttributesOutput {
        last_modified: Some(time(version.modified)),
        version_id: shown_id(cx, &subject.bucket, opened).await?,
        // The one place where S3 leaves out its quotes.
        e_tag: wants(ObjectAttributes::ETag).then(|| version.etag.to_string()),
        checksum: wants(ObjectAttributes::Checksum).then(|| shown_checksum(version)),
        object_parts,
        storage_class: wants(ObjectAttributes::StorageClass)
            .then(|| StorageClass::parse(&Description::storage_class(&version.meta)))
            .flatten(),
        object_size: wants(ObjectAttributes::ObjectSize).then(|| size(version.size)),
        ..GetObjectAttributesOutput::default()
    }))
}

fn shown_checksum(version: &objects::Version) -> Checksum {
    let mut shown = Checksum { checksum_type: checksum::kind(&version.checksums), ..Checksum::default() };
    checksum::show!(shown, &version.checksums);
    shown
}

/// The parts of an object that was uploaded in some. They are shown one by one only where the upload was asked for a
/// checksum (S3 API reference, GetObjectAttributes, `ObjectParts`).
async fn parts(
    cx: &Cx,
    opened: &Opened,
    input: &GetObjectAttributesRequest,
) -> Result<Option<GetObjectAttributesParts>, Error> {
    let limit = listing::limit(input.max_parts, "max-parts")?;
    let after = part_number_marker(input.part_number_marker)?;
    let Some(count) = opened.version.parts else { return Ok(None) };
    let total_parts_count = i32::try_from(count).ok();
    if !Description::decode(&opened.version.meta)?.checksum_was_chosen {
        return Ok(Some(GetObjectAttributesParts {
            total_parts_count,
            ..GetObjectAttributesParts::default()
        }));
    }
    let found = opened.parts(after.saturating_add(1), limit).await;
    let found = found.map_err(|error| engine::failed(cx, error))?;
    let last = found.last().map_or(after, |part| part.place);
    Ok(Some(GetObjectAttributesParts {
        total_parts_count,
        part_number_marker: Some(after.into()),
        next_part_number_marker: Some(last.into()),
        max_parts: listing::shown_limit(limit),
        is_truncated: Some(!found.is_empty() && u32::from(last) < count),
        parts: Some(found.iter().map(shown_part).collect()),
    }))
}

fn shown_part(part: &objects::ObjectPart) -> ObjectPart {
    let mut shown = ObjectPart {
        part_number: Some(part.place.into()),
        size: Some(size(part.size)),
        ..ObjectPart::default()
    };
    checksum::show!(shown, &part.checksums);
    shown
}
