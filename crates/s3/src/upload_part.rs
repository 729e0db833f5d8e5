//! `s3:PutObject`, a part of it: UploadPart.

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{UploadPartOutput, UploadPartRequest, ops};
use daypass_core::objects::{Algorithm, Algorithms, Checksums, Outcome, PartWritten, PutPart};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, object_check};
use crate::bucket::Bucket;
use crate::encryption::{self, sealed_with};
use crate::fault::invalid_request;
use crate::get_object::part_number;
use crate::object::quoted;
use crate::put_object::admit_body;
use crate::upload::{self, Begun, Looked};
use crate::{checksum, customer_key};

stream_operation!(UPLOAD_PART, ops::UploadPart, checks, run);

async fn checks(cx: &Cx, input: &UploadPartRequest) -> Result<(Checks, Looked), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let check =
        object_check(cx, &bucket, "s3:PutObject", &input.key).with_flag("s3:ObjectCreationOperation", false);
    let looked = Looked::at(cx, upload::named(bucket, &input.key)?, &input.upload_id).await;
    Ok((Checks::from(check).and_all(looked.opening_check(cx)?), looked))
}

async fn run(
    cx: &Cx,
    looked: Looked,
    input: UploadPartRequest,
    payload: Payload,
) -> Result<Answered<UploadPartOutput>, Error> {
    let number = part_number(input.part_number)?;
    let sent = admit_body(&payload)?;
    let Looked { named, found } = looked;
    let (at, begun) = found?;
    let opening = begun.opening(cx, customer_key::headers!(input))?;
    refuse_other(&begun, sent)?;
    let shown = sent.or(begun.chosen().map(|chosen| chosen.algorithm));
    let (key, told) = (opening.key(cx)?, opening.shown);
    let answer = move |written: &PartWritten| answer(written, shown, told.clone());
    let answer_then = answer.clone();
    let part = PutPart {
        upload: at,
        number,
        checksums: sent.into_iter().collect::<Algorithms>(),
        commit: cx.commit(move |outcome| match outcome {
            Outcome::Part(written) => Some(answer(written)),
            _ => None,
        }),
    };
    let body = sealed_with(payload.into_body(), key);
    let written = cx.state().objects.put_part(part, body).await;
    let written =
        written.map_err(|error| upload::failed(cx, &named.bucket, &input.key, &input.upload_id, error))?;
    Ok(Answered::new(answer_then(&written)))
}

/// The parts of an upload that was asked to have a checksum have that one, and all of them where it is made of theirs.
fn refuse_other(begun: &Begun, sent: Option<Algorithm>) -> Result<(), Fault> {
    let Some(chosen) = begun.chosen() else { return Ok(()) };
    if sent == Some(chosen.algorithm) || (sent.is_none() && chosen.full_object) {
        return Ok(());
    }
    let name = |algorithm: Option<Algorithm>| {
        let name = algorithm.and_then(checksum::name).map(|name| name.as_str().to_lowercase());
        name.unwrap_or_else(|| "null".to_owned())
    };
    let words = format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        name(Some(chosen.algorithm)),
        name(sent)
    );
    Err(invalid_request(words))
}

/// Of the checksums, that which the caller knows of.
pub(crate) fn known(checksums: &Checksums, shown: Option<Algorithm>) -> Checksums {
    checksums.iter().filter(|checksum| Some(checksum.algorithm) == shown).cloned().collect()
}

fn answer(written: &PartWritten, shown: Option<Algorithm>, told: encryption::Shown) -> UploadPartOutput {
    let mut output = UploadPartOutput { e_tag: Some(quoted(&written.etag)), ..UploadPartOutput::default() };
    encryption::show!(output, told);
    checksum::show!(output, &known(&written.checksums, shown));
    output
}
