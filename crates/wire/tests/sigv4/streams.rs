//! Bodies in `aws-chunked` framing: a builder with every part of it exposed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::*;

pub(crate) const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
pub(crate) const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
pub(crate) const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// A streamed upload in the making.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) mode: &'static str,
    pub(crate) data: Vec<u8>,
    pub(crate) chunk_size: usize,
    /// `x-amz-decoded-content-length`, if not the true one.
    pub(crate) decoded_length: Option<&'static str>,
    /// `x-amz-trailer`.
    pub(crate) declared: Option<&'static str>,
    /// What comes after the last chunk.
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) skip_final: bool,
    pub(crate) bad_final_signature: bool,
    pub(crate) bad_trailer_signature: bool,
    pub(crate) skip_trailer_signature: bool,
    pub(crate) swap_chunks: bool,
}

impl Upload {
    pub(crate) fn new(mode: &'static str, data: &[u8]) -> Self {
        Self {
            mode,
            data: data.to_vec(),
            chunk_size: 65536,
            decoded_length: None,
            declared: None,
            trailers: Vec::new(),
            headers: Vec::new(),
            skip_final: false,
            bad_final_signature: false,
            bad_trailer_signature: false,
            skip_trailer_signature: false,
            swap_chunks: false,
        }
    }

    /// With the CRC-32 of the data, declared and sent as a trailer.
    pub(crate) fn with_crc32(mut self) -> Self {
        self.declared = Some("x-amz-checksum-crc32");
        self.trailers = vec![("x-amz-checksum-crc32".into(), crc32(&self.data))];
        self
    }

    pub(crate) fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers = vec![(name.into(), value.into())];
        self
    }

    pub(crate) fn request(&self) -> Request {
        self.request_signed_by(&Signer::new("s3"))
    }

    pub(crate) fn request_signed_by(&self, signer: &Signer) -> Request {
        let length = self.data.len().to_string();
        let mut request = Request::new("PUT", "/bucket/obj")
            .header("host", "s3.example.com")
            .header("content-encoding", "aws-chunked");
        match self.decoded_length {
            Some("-") => {}
            Some(length) => request.add("x-amz-decoded-content-length", length),
            None => request.add("x-amz-decoded-content-length", &length),
        }
        if let Some(trailer) = self.declared {
            request.add("x-amz-trailer", trailer);
        }
        for (name, value) in &self.headers {
            request.add(name, value);
        }
        let signer = Signer { payload_hash: Some(self.mode.into()), ..signer.clone() };
        let seed = signer.sign(&mut request);
        request.body = self.framed(&signer, &seed);
        request
    }

    fn framed(&self, signer: &Signer, seed: &str) -> Vec<u8> {
        let signs = self.mode != UNSIGNED_TRAILER;
        let mut previous = seed.to_owned();
        let mut pieces = Vec::new();
        let last: &[u8] = &[];
        for chunk in self.data.chunks(self.chunk_size).chain([last]) {
            let mut signature = chunk_signature(signer, &previous, chunk);
            previous.clone_from(&signature);
            if chunk.is_empty() && self.bad_final_signature {
                signature = "0".repeat(64);
            }
            let extension = if signs { format!(";chunk-signature={signature}") } else { String::new() };
            let mut piece = format!("{:x}{extension}\r\n", chunk.len()).into_bytes();
            piece.extend_from_slice(chunk);
            if !chunk.is_empty() {
                piece.extend_from_slice(b"\r\n");
            }
            pieces.push(piece);
        }
        if self.swap_chunks {
            pieces.swap(0, 1);
        }
        if self.skip_final {
            pieces.pop();
            return pieces.concat();
        }
        let mut body = pieces.concat();
        for (name, value) in &self.trailers {
            body.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        if self.mode == SIGNED_TRAILER && !self.skip_trailer_signature {
            let mut signature = self.trailer_signature(signer, &previous);
            if self.bad_trailer_signature {
                signature = "f".repeat(64);
            }
            body.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body
    }

    fn trailer_signature(&self, signer: &Signer, previous: &str) -> String {
        let canonical: String =
            self.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{previous}\n{}",
            signer.amz_date,
            signer.scope(),
            sha256_hex(canonical.as_bytes())
        );
        hex(&hmac_sha256(&signer.key(), text.as_bytes()))
    }
}

fn chunk_signature(signer: &Signer, previous: &str, chunk: &[u8]) -> String {
    let text = format!(
        "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{previous}\n{EMPTY_SHA256}\n{}",
        signer.amz_date,
        signer.scope(),
        sha256_hex(chunk)
    );
    hex(&hmac_sha256(&signer.key(), text.as_bytes()))
}

/// CRC-32 bit by bit: slow, and nobody else's.
pub(crate) fn crc32(data: &[u8]) -> String {
    let mut crc = u32::MAX;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    STANDARD.encode((!crc).to_be_bytes())
}
