//! What a signature costs: `cargo bench -p daypass-wire --bench sigv4`.

use std::hint::black_box;

use bytes::Bytes;
use daypass_wire::sigv4::{
    BodyKind, ChecksumAlgorithm, Claim, Expected, Family, NoKey, PayloadVerifier, RequestHead, SigningKey,
};
use divan::Bencher;
use divan::counter::BytesCount;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn main() {
    divan::main();
}

/// An S3 GET with a canonical request of some 300 bytes, signed with [`SECRET`].
struct Get {
    headers: HeaderMap,
}

impl Get {
    fn new() -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "s3.us-east-1.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                 Signature=752e42931a03bc33caea181720efec31bb8aaae956c7f84e318f00243ab14d23",
            ),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Self { headers }
    }

    fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: "GET",
            path: "/bucket/photos/2015/08/30/image.jpg",
            query: None,
            authority: None,
            headers: &self.headers,
        }
    }
}

fn expected() -> Expected<'static> {
    Expected {
        service: "s3",
        regions: &|region| region == "us-east-1",
        home_region: "us-east-1",
        bucket_in_host: None,
        now: time::macros::datetime!(2015-08-30 12:36:00 UTC),
    }
}

fn key() -> SigningKey {
    SigningKey::derive(SECRET, "20150830", "us-east-1", "s3")
}

#[divan::bench(sample_size = 100)]
fn parse(bencher: Bencher) {
    let get = Get::new();
    bencher.bench_local(|| Claim::parse(black_box(get.head()), Family::S3).is_ok());
}

#[divan::bench(sample_size = 100)]
fn derive_key(bencher: Bencher) {
    bencher.bench_local(|| SigningKey::derive(black_box(SECRET), "20150830", "us-east-1", "s3"));
}

#[divan::bench(sample_size = 100)]
fn parse_and_verify_with_cached_key(bencher: Bencher) {
    let (get, key, expected) = (Get::new(), key(), expected());
    bencher.bench_local(|| {
        let claim = Claim::parse(black_box(get.head()), Family::S3);
        let verifies =
            matches!(claim, Ok(Some(claim)) if claim.verify_head(&key, BodyKind::Object, &expected).is_ok());
        assert!(verifies, "the request of the benchmark has a right signature");
    });
}

#[divan::bench(sample_size = 100)]
fn refuse_unknown_key(bencher: Bencher) {
    let (get, expected) = (Get::new(), expected());
    bencher.bench_local(|| match Claim::parse(black_box(get.head()), Family::S3) {
        Ok(Some(claim)) => Some(claim.refuse(NoKey::UnknownAccessKey, b"", &expected)),
        _ => None,
    });
}

/// Takes framing off 8 MiB in chunks of 64 KiB, and computes `algorithm` on the way.
#[divan::bench(args = ["none", "CRC32", "CRC64NVME", "MD5", "SHA256"])]
fn unsigned_chunks_of_8_mib(bencher: Bencher, algorithm: &str) {
    const LENGTH: usize = 8 * 1024 * 1024;
    let mut headers = HeaderMap::new();
    let mode = HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    headers.insert("x-amz-content-sha256", mode);
    headers.insert("x-amz-decoded-content-length", HeaderValue::from(LENGTH));
    let chunk = [b"10000\r\n".as_slice(), &[7; 65536], b"\r\n"].concat();
    let body = Bytes::from([chunk.repeat(LENGTH / 65536), b"0\r\n\r\n".to_vec()].concat());
    bencher.counter(BytesCount::new(LENGTH)).bench_local(|| {
        let Ok(mut verifier) = PayloadVerifier::anonymous(&headers, BodyKind::Object) else { return false };
        if let Some(algorithm) = ChecksumAlgorithm::from_name(algorithm) {
            verifier.compute(algorithm);
        }
        let mut input = body.clone();
        while let Ok(Some(payload)) = verifier.next(&mut input) {
            black_box(payload);
        }
        verifier.finish().is_ok()
    });
}
