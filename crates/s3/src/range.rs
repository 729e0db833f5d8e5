//! Which bytes of an object are asked for (S3 API reference, GetObject, `Range` and `partNumber`; RFC 9110, section 14).

use std::ops::Range;

use daypass_core::Fault;
use daypass_core::model::s3::errors;

/// The one range that a header asks for; `None` where it is to be ignored: several ranges, which S3 does not serve, or
/// no range at all.
///
/// # Errors
/// `InvalidRange` where nothing of the object is asked for.
pub(crate) fn read(header: &str, size: u64) -> Result<Option<Range<u64>>, Fault> {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let (first, last) = (number(first.trim()), number(last.trim()));
    let range = match (first, last) {
        (Some(Some(first)), Some(None)) => first..size,
        (Some(Some(first)), Some(Some(last))) if first <= last => first..last.saturating_add(1).min(size),
        (Some(None), Some(Some(suffix))) => size.saturating_sub(suffix)..size,
        _ => return Ok(None),
    };
    if range.start < range.end { Ok(Some(range)) } else { Err(invalid(header, size)) }
}

/// A number, or none where there is no text; `None` where there is another text. What is beyond all sizes is as far.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

fn invalid(header: &str, size: u64) -> Fault {
    let asked: String = header.chars().take(100).collect();
    Fault::new(&errors::INVALID_RANGE, "The requested range is not satisfiable")
        .with("RangeRequested", asked)
        .with("ActualObjectSize", size.to_string())
}

/// A part that the object was not made of.
pub(crate) fn invalid_part_number(asked: i32, actual: u32) -> Fault {
    Fault::coded("InvalidPartNumber", 416, "The requested partnumber is not satisfiable")
        .with("PartNumberRequested", asked.to_string())
        .with("ActualPartCount", actual.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_the_rest_is_ignored_or_refused() {
        let whole = Some(0..10);
        for (header, expected) in [
            ("bytes=0-0", Ok(Some(0..1))),
            ("bytes=5-", Ok(Some(5..10))),
            ("bytes=-3", Ok(Some(7..10))),
            ("bytes=-100", Ok(whole.clone())),
            ("bytes=0-18446744073709551616", Ok(whole.clone())),
            ("bytes=-18446744073709551617", Ok(whole)),
            ("bytes=9-9", Ok(Some(9..10))),
            ("bytes=10-", Err(())),
            ("bytes=100-200", Err(())),
            ("bytes=99999999999999999999-", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=5-3", Ok(None)),
            ("bytes=", Ok(None)),
            ("bytes=-", Ok(None)),
            ("bytes=abc", Ok(None)),
            ("bytes=0x1-0x2", Ok(None)),
            ("bytes=--1", Ok(None)),
            ("bytes=0-4,2-6", Ok(None)),
            ("bytes=0-1;x", Ok(None)),
            ("items=0-1", Ok(None)),
        ] {
            assert_eq!(read(header, 10).map_err(|_| ()), expected, "{header}");
        }
        for header in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            let fault = read(header, 0).unwrap_err();
            assert_eq!((fault.code.as_ref(), fault.status), ("InvalidRange", 416), "{header}");
            assert!(fault.details.contains(&("ActualObjectSize", "0".to_owned())));
        }
    }
}
