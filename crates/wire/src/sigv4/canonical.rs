//! The canonical request, byte for byte what a signer had to hash.
//! Source: *Create a signed AWS API request*, "Create a canonical request".

use super::percent::{decoded, push_encoded};
use super::query::Query;
use super::request::RequestHead;
use super::signed_headers::SignedHeaders;

/// How a service brings a path into canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathForm {
    /// Dot segments and empty segments removed, then the path as sent encoded once more: every service but S3.
    Normalised,
    /// S3: the bytes of the request line.
    AsSent,
    /// S3: each segment decoded and encoded in the one canonical way. This is what S3 compares with when a client
    /// leaves reserved characters bare (its answers show `%3D` for a path sent with `=`).
    Reencoded,
}

/// What a canonical request is made of.
pub(super) struct Parts<'a> {
    pub(super) head: &'a RequestHead<'a>,
    pub(super) host: &'a [u8],
    pub(super) query: &'a Query,
    pub(super) signed: &'a SignedHeaders<'a>,
    pub(super) payload_hash: &'a [u8],
}

/// Writes the canonical request.
pub(super) fn request(parts: &Parts<'_>, path: PathForm) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(parts.head.method.as_bytes());
    out.push(b'\n');
    write_path(&mut out, parts.head.path, path);
    out.push(b'\n');
    parts.query.write_canonical(&mut out);
    out.push(b'\n');
    for name in parts.signed.iter() {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        if name == "host" {
            write_value(&mut out, parts.host);
        } else {
            write_header(&mut out, parts.head, name);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(parts.signed.as_str().as_bytes());
    out.push(b'\n');
    out.extend_from_slice(parts.payload_hash);
    out
}

/// The path in its canonical form.
pub(super) fn path(path: &str, form: PathForm) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 16);
    write_path(&mut out, path, form);
    out
}

fn write_path(out: &mut Vec<u8>, path: &str, form: PathForm) {
    match form {
        PathForm::AsSent if path.is_empty() => out.push(b'/'),
        PathForm::AsSent => out.extend_from_slice(path.as_bytes()),
        PathForm::Reencoded => write_reencoded(out, path),
        PathForm::Normalised => write_normalised(out, path),
    }
}

/// An escaped `/` stays escaped, so that no two paths with different segments come out alike. A broken escape
/// leaves the path as sent; whoever reads it refuses it.
fn write_reencoded(out: &mut Vec<u8>, path: &str) {
    let start = out.len();
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        for byte in decoded(segment.as_bytes(), false) {
            let Ok(byte) = byte else {
                out.truncate(start);
                out.extend_from_slice(path.as_bytes());
                return;
            };
            push_encoded(out, byte);
        }
    }
}

/// RFC 3986, section 5.2.4: a path that ends in a dot segment names a directory.
fn write_normalised(out: &mut Vec<u8>, path: &str) {
    let mut segments = Vec::new();
    let mut directory = false;
    for segment in path.split('/') {
        directory = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push(b'/');
        segment.bytes().for_each(|byte| push_encoded(out, byte));
    }
    if segments.is_empty() || directory {
        out.push(b'/');
    }
}

/// The values of a header, joined by commas in the order in which they came. One that is listed and absent has
/// no value: S3 accepts clients that sign a header which their HTTP library then leaves out for being empty.
fn write_header(out: &mut Vec<u8>, head: &RequestHead<'_>, name: &str) {
    for (index, value) in head.headers.get_all(name).iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(out, value.as_bytes());
    }
}

/// A value without surrounding white space, and with one space for each run of it inside.
fn write_value(out: &mut Vec<u8>, value: &[u8]) {
    let mut words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.extend_from_slice(first);
    }
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}
