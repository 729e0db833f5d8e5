//! `s3:ListMultipartUploadParts`: ListParts.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{ListPartsOutput, ListPartsRequest, Part, StorageClass, ops};
use daypass_core::objects::{self, Parts};
use daypass_core::{Answered, Checks, Cx, Error, Payload, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::checksum;
use crate::customer_key::{self, CustomerKey};
use crate::description::Description;
use crate::listing::{self, Owners};
use crate::object::{quoted, size, time};
use crate::upload::{self, Begun, Looked, Named};

stream_operation!(LIST_PARTS, ops::ListParts, checks, run);

async fn checks(cx: &Cx, input: &ListPartsRequest) -> Result<(Checks, Named), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let named = upload::named(bucket, &input.key)?;
    let check = named.check(cx, "s3:ListMultipartUploadParts", &input.upload_id).await?;
    // Of what KMS seals, who may not open it is not told the checksums (S3 API reference, ListParts, "Permissions").
    let looked = Looked::at(cx, named, &input.upload_id).await;
    Ok((Checks::from(check).and_all(looked.opening_check(cx)?), looked.named))
}

async fn run(
    cx: &Cx,
    named: Named,
    input: ListPartsRequest,
    _: Payload,
) -> Result<Answered<ListPartsOutput>, Error> {
    CustomerKey::read(cx, customer_key::headers!(input))?;
    let limit = listing::limit(input.max_parts, "max-parts")?;
    let after = upload::part_number_marker(input.part_number_marker)?;
    // A page of nothing tells of the upload all the same.
    let parts = Parts { upload: named.at(&input.upload_id)?, after, limit: limit.max(1) };
    let page = cx.state().objects.list_parts(parts).await;
    let mut page =
        page.map_err(|error| upload::failed(cx, &named.bucket, &input.key, &input.upload_id, error))?;
    if limit == 0 {
        page.parts.clear();
        page.truncated = false;
    }
    let begun = Begun::of(page.upload)?;
    begun.description.sealing.iter().try_for_each(|sealing| sealing.admit(cx))?;
    let (checksum_algorithm, checksum_type) = begun.shown_checksum();
    Ok(Answered::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after.into()),
        next_part_number_marker: Some(page.parts.last().map_or(0, |part| part.number.into())),
        max_parts: listing::shown_limit(limit),
        is_truncated: Some(page.truncated),
        parts: Some(page.parts.iter().map(shown).collect()),
        initiator: begun.initiator(),
        owner: Some(Owners::new(cx, &named.bucket)?.of(&begun.upload.meta)),
        storage_class: StorageClass::parse(&Description::storage_class(&begun.upload.meta)),
        checksum_algorithm,
        checksum_type,
        ..ListPartsOutput::default()
    }))
}

fn shown(part: &objects::Part) -> Part {
    let written = &part.written;
    let mut shown = Part {
        part_number: Some(part.number.into()),
        last_modified: Some(time(written.modified)),
        e_tag: Some(quoted(&written.etag)),
        size: Some(size(written.size)),
        ..Part::default()
    };
    checksum::show!(shown, &written.checksums);
    shown
}
