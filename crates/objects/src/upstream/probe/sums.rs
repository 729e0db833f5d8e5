//! Whether it verifies and keeps checksums.

use super::{BYTES, OTHER, Probe, Said};
use crate::checksum::Hasher;
use crate::upstream::client::{Ask, Payload};
use crate::upstream::describe::text_header;
use crate::upstream::outgoing::{self, header};
use crate::{Algorithm, Algorithms, Body, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::StreamExt;
use http::Method;
use http::header::HeaderValue;

impl Probe<'_> {
    /// A checksum in a trailer: kept as it was sent if it is right, refused if it is not, and the framing is gone.
    pub(super) async fn checksums(&self) -> Result<bool> {
        let right = self.put_trailed("sum", Bytes::from_static(BYTES)).await?.is_yes();
        let head = self.head("sum").await?;
        let kept = head.is_some_and(|headers| {
            let length = text_header(&headers, "content-length");
            let encoding = text_header(&headers, "content-encoding").unwrap_or_default();
            text_header(&headers, header(Algorithm::Crc64Nvme)) == Some(&sum())
                && length == Some(&BYTES.len().to_string())
                && !encoding.contains("aws-chunked")
        });
        Ok(right
            && kept
            && self.holds("sum", BYTES).await?
            && matches!(self.put_trailed("bad", Bytes::from_static(OTHER)).await?, Said::No(400..=499))
            && self.is_gone("bad").await?)
    }

    /// Puts these bytes with the checksum of [`BYTES`].
    async fn put_trailed(&self, name: &str, bytes: Bytes) -> Result<Said> {
        let key = self.key(name);
        let mut ask = Ask::new(Method::PUT, Some(&key));
        let body = Body::from_bytes(Bytes::from_static(BYTES));
        let mut outgoing = outgoing::prepare(body, Algorithms::NONE, Some(Algorithm::Crc64Nvme)).await?;
        outgoing.bytes = outgoing
            .bytes
            .map(move |chunk| chunk.map(|chunk| if chunk == BYTES { bytes.clone() } else { chunk }))
            .boxed();
        ask.headers.insert("x-amz-trailer", HeaderValue::from_static(header(Algorithm::Crc64Nvme)));
        ask.headers.insert("x-amz-decoded-content-length", HeaderValue::from(BYTES.len()));
        ask.headers.insert("content-encoding", HeaderValue::from_static("aws-chunked"));
        self.says(ask, Payload::Stream(outgoing)).await
    }
}

/// The checksum of [`BYTES`], as headers have it.
pub(super) fn sum() -> String {
    let mut hasher = Hasher::new(Algorithm::Crc64Nvme);
    hasher.update(BYTES);
    BASE64.encode(hasher.finish())
}
