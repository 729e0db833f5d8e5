//! `s3:PutObject`, a part of it, of what `s3:GetObject` of a source gives: UploadPartCopy.

use std::ops::Range;

use daypass_core::model::s3::{CopyPartResult, UploadPartCopyOutput, UploadPartCopyRequest, errors, ops};
use daypass_core::objects::{
    Algorithm, Algorithms, CopyPart, Error as Engine, MAX_BODY_BYTES, Outcome, PartWritten, PutPart,
};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _, object_check};
use crate::bucket::Bucket;
use crate::copy_source::{CopySource, conditions};
use crate::fault::{invalid_argument, invalid_request};
use crate::get_object::part_number;
use crate::object::{quoted, shown_id, time};
use crate::upload::{self, Looked};
use crate::upload_part::known;
use crate::{checksum, customer_key, encryption};

stream_operation!(UPLOAD_PART_COPY, ops::UploadPartCopy, checks, run);

async fn checks(cx: &Cx, input: &UploadPartCopyRequest) -> Result<(Checks, (Looked, CopySource)), Error> {
    let bucket = Bucket::find(cx, &input.bucket)?;
    authorize::admit(cx, &bucket, input.expected_bucket_owner.as_deref())?;
    let owner = input.expected_source_bucket_owner.as_deref();
    let source = CopySource::find(cx, &input.copy_source, owner).await?;
    let check = object_check(cx, &bucket, "s3:PutObject", &input.key)
        .header("s3:x-amz-copy-source", Some(source.name()))
        .with_flag("s3:ObjectCreationOperation", false);
    let looked = Looked::at(cx, upload::named(bucket, &input.key)?, &input.upload_id).await;
    let checks = Checks::from(check).and(source.check(cx));
    let checks = checks.and_all(source.opening_check(cx)?).and_all(looked.opening_check(cx)?);
    Ok((checks, (looked, source)))
}

async fn run(
    cx: &Cx,
    (looked, source): (Looked, CopySource),
    input: UploadPartCopyRequest,
    _: Payload,
) -> Result<Answered<UploadPartCopyOutput>, Error> {
    let number = part_number(input.part_number)?;
    let Looked { named, found } = looked;
    let (at, begun) = found?;
    let to = begun.opening(cx, customer_key::headers!(input))?;
    let opened = source.opened(cx, &conditions!(input))?;
    let from = source.opening(cx, opened, customer_key::source_headers!(input))?;
    let range = input.copy_source_range.as_deref().map(|r| read_range(r, opened.version.size)).transpose()?;
    let bytes = range.as_ref().map_or(opened.version.size, |range| range.end - range.start);
    if bytes > MAX_BODY_BYTES {
        let words = format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_BODY_BYTES}"
        );
        return Err(invalid_request(words).into());
    }
    let source_id = shown_id(cx, &source.subject.bucket, opened).await?;
    let shown = begun.chosen().map(|chosen| chosen.algorithm);
    let (to_key, told) = (to.key(cx)?, to.shown.clone());
    let answer = move |written: &PartWritten| answer(written, shown, source_id.clone(), told.clone());
    let answer_then = answer.clone();
    let part = PutPart {
        upload: at,
        number,
        checksums: Algorithms::NONE,
        commit: cx.commit(move |outcome| match outcome {
            Outcome::Part(written) => Some(answer(written)),
            _ => None,
        }),
    };
    let objects = &cx.state().objects;
    let written = if from.needs_key() || to.needs_key() {
        let range = range.unwrap_or(0..opened.version.size);
        objects.put_part(part, from.body_again(cx, opened, range, to_key)?).await
    } else {
        objects.copy_part(CopyPart { source: source.exact(opened), range, to: part }).await
    };
    match written {
        Ok(written) => Ok(Answered::new(answer_then(&written))),
        // What is there now may be another object, with other tags: the caller asks again.
        Err(Engine::SourceChanged) => {
            Err(Fault::new(&errors::SLOW_DOWN, "Please reduce your request rate.").into())
        }
        Err(error) => Err(upload::failed(cx, &named.bucket, &input.key, &input.upload_id, error)),
    }
}

/// The range of a copy, which is taken at its word: `bytes=first-last`, within the object.
fn read_range(header: &str, size: u64) -> Result<Range<u64>, Fault> {
    let invalid = |words: String| invalid_argument(words, "x-amz-copy-source-range", header);
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX - 1))
    };
    let ends = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let ends = ends.and_then(|(first, last)| number(first).zip(number(last)));
    let Some((first, last)) = ends.filter(|(first, last)| first <= last) else {
        let words = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        return Err(invalid(words.to_owned()));
    };
    if last >= size {
        return Err(invalid(format!("Range specified is not valid for source object of size: {size}")));
    }
    Ok(first..last + 1)
}

fn answer(
    written: &PartWritten,
    shown: Option<Algorithm>,
    source_id: Option<String>,
    told: encryption::Shown,
) -> UploadPartCopyOutput {
    let mut result = CopyPartResult {
        e_tag: Some(quoted(&written.etag)),
        last_modified: Some(time(written.modified)),
        ..CopyPartResult::default()
    };
    checksum::show!(result, &known(&written.checksums, shown));
    let mut output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source_id,
        ..UploadPartCopyOutput::default()
    };
    encryption::show!(output, told);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_taken_at_its_word() {
        assert_eq!(read_range("bytes=0-9", 10).unwrap(), 0..10);
        assert_eq!(read_range("bytes=3-3", 10).unwrap(), 3..4);
        for header in [
            "",
            "bytes=0-10",
            "bytes=5-",
            "bytes=-5",
            "bytes=5-4",
            "0-1",
            "bytes=a-b",
            "bytes=0-18446744073709551616",
        ] {
            assert_eq!(read_range(header, 10).unwrap_err().code, "InvalidArgument", "{header}");
        }
        assert!(read_range("bytes=0-0", 0).is_err());
    }
}
