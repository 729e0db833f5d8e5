//! Bodies of S3 requests: streamed in chunks, hashed, and with checksums. Rows named `chk` are those of the
//! black-box probe of that id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use daypass_wire::sigv4::{
    BodyKind, ChecksumAlgorithm, Checksums, Claim, Digests, Family, PayloadError, PayloadVerifier, SigError,
};
use http::HeaderMap;
use proptest::prelude::*;

use crate::streams::*;
use crate::support::*;

const MISMATCH: (&str, u16) = ("SignatureDoesNotMatch", 403);
const INCOMPLETE: (&str, u16) = ("IncompleteBody", 400);
const TRAILER: (&str, u16) = ("MalformedTrailerError", 400);
const REQUEST: (&str, u16) = ("InvalidRequest", 400);
const BAD_DIGEST: (&str, u16) = ("BadDigest", 400);

fn verifier(request: &Request, body: BodyKind) -> Result<PayloadVerifier, SigError> {
    let claim = Claim::parse(request.head(), Family::S3)?.unwrap();
    let key = claim.signing_key(SECRET.as_bytes());
    claim.verify_head(&key, body, &expected("s3")).map(|(_, payload)| payload)
}

fn receive(request: &Request) -> Result<(Vec<u8>, Digests), SigError> {
    Ok(read_body(verifier(request, BodyKind::Object)?, &request.body)?)
}

/// Random bytes that are the same each time.
fn data(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn check(cases: Vec<(&str, Request, (&str, u16))>) {
    let mut wrong = Vec::new();
    for (id, request, code) in cases {
        let result = receive(&request);
        let found = match &result {
            Ok(_) => ("OK", 200),
            Err(error) => error.code(Family::S3),
        };
        if found != code {
            wrong.push(format!("{id}: expected {code:?}, got {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn edited(upload: &Upload, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Request {
    let mut request = upload.request();
    request.body = edit(request.body);
    request
}

fn replaced(upload: &Upload, from: &str, to: &str) -> Request {
    edited(upload, |body| {
        let at = body.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&body[..at], to.as_bytes(), &body[at + from.len()..]].concat()
    })
}

#[test]
fn streamed_uploads_give_the_bytes_between_the_framing() {
    for mode in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        for length in [0, 1, 1000, 8192, 65536, 65537, 150_000, 196_608] {
            let upload = match mode {
                SIGNED => Upload::new(mode, &data(length)),
                _ => Upload::new(mode, &data(length)).with_crc32(),
            };
            let (received, digests) = receive(&upload.request()).unwrap();
            assert!(received == upload.data, "{mode} {length}");
            let declared = (mode != SIGNED).then_some(ChecksumAlgorithm::Crc32);
            assert_eq!(digests.chosen(), declared, "{mode} {length}");
            if declared.is_some() {
                assert_eq!(digests.base64(ChecksumAlgorithm::Crc32).unwrap(), crc32(&upload.data));
            }
        }
    }
}

fn upper_case_digits(body: &[u8]) -> Vec<u8> {
    let at = body.iter().position(|byte| *byte == b'=').unwrap();
    [&body[..at], &body[at..].to_ascii_uppercase()].concat()
}

#[test]
fn altered_signed_chunks_are_refused() {
    let signed = |length| Upload::new(SIGNED, &data(length));
    let flip = |at: usize| {
        edited(&signed(100_000), |mut body| {
            body[at] ^= 1;
            body
        })
    };
    check(vec![
        ("ctl-18", signed(1000).request(), ("OK", 200)),
        ("ctl-19", signed(150_000).request(), ("OK", 200)),
        ("chk-01", flip(200), MISMATCH),
        ("chk-02", flip(70_000), MISMATCH),
        ("chk-03", Upload { bad_final_signature: true, ..signed(1000) }.request(), MISMATCH),
        ("chk-04", Upload { skip_final: true, ..signed(1000) }.request(), INCOMPLETE),
        ("chk-05", Upload { swap_chunks: true, ..signed(131_077) }.request(), MISMATCH),
        ("chk-06", Upload { decoded_length: Some("10"), ..signed(1000) }.request(), INCOMPLETE),
        ("chk-07", Upload { decoded_length: Some("200000"), ..signed(1000) }.request(), INCOMPLETE),
        (
            "chk-08",
            Upload { decoded_length: Some("-"), ..signed(10) }.request(),
            ("MissingContentLength", 411),
        ),
        (
            "a length with a sign",
            Upload { decoded_length: Some("+10"), ..signed(10) }.request(),
            ("MissingContentLength", 411),
        ),
        ("chk-09", edited(&signed(10), |body| [b"zz", &body[1..]].concat()), INCOMPLETE),
        ("chk-10", edited(&signed(10), |body| [b"FFFFFFFFFFFFFFFF", &body[1..]].concat()), INCOMPLETE),
        ("17 digits", edited(&signed(10), |body| [b"0000000000000000", &body[..]].concat()), INCOMPLETE),
        ("chk-11", edited(&signed(10), |body| [b"-", &body[..]].concat()), INCOMPLETE),
        ("chk-12", replaced(&signed(10), ";", &format!(";{}", "x".repeat(1_000_000))), INCOMPLETE),
        ("chk-15", replaced(&signed(1000), ";chunk-signature=", ";"), INCOMPLETE),
        ("a second extension", replaced(&signed(10), ";chunk", ";a=b;chunk"), INCOMPLETE),
        ("bare line feeds", replaced(&signed(10), "\r\n", "\n"), INCOMPLETE),
        ("chk-25", edited(&signed(22), |_| b"plain body not chunked".to_vec()), INCOMPLETE),
        ("no body", edited(&signed(10), |_| Vec::new()), INCOMPLETE),
        ("more after the end", edited(&signed(10), |body| [&body[..], b"x"].concat()), INCOMPLETE),
        (
            "the last line end is missing",
            edited(&signed(10), |body| body[..body.len() - 2].to_vec()),
            INCOMPLETE,
        ),
        ("a signature in upper case", edited(&signed(0), |body| body.to_ascii_uppercase()), INCOMPLETE),
        ("its digits in upper case", edited(&signed(0), |body| upper_case_digits(&body)), MISMATCH),
        (
            "a small chunk in the middle",
            Upload { chunk_size: 8191, ..signed(20_000) }.request(),
            ("InvalidChunkSizeError", 403),
        ),
        ("8192 is enough", Upload { chunk_size: 8192, ..signed(20_000) }.request(), ("OK", 200)),
        (
            "trailers where none belong",
            Upload { ..signed(10) }.trailer("x-amz-checksum-crc32", "AAAAAA==").request(),
            INCOMPLETE,
        ),
    ]);
}

/// The chunk after the small one is counted, and the small one measured, as S3 does.
#[test]
fn a_small_chunk_is_named() {
    let upload = Upload { chunk_size: 5, ..Upload::new(SIGNED, b"smallanother") };
    let error = receive(&upload.request()).unwrap_err();
    assert_eq!(error.details(), [("Chunk", "2".to_owned()), ("BadChunkSize", "5".to_owned())]);
}

#[test]
fn a_trailer_is_the_declared_one_and_signed_where_chunks_are() {
    let signed = || Upload::new(SIGNED_TRAILER, &data(1000)).with_crc32();
    let unsigned = || Upload::new(UNSIGNED_TRAILER, &data(9000)).with_crc32();
    let wrong = "AAAAAA==";
    let crc = "x-amz-checksum-crc32";
    let forged = |upload: &Upload, signature: &str| {
        let mut request = upload.request();
        let (start, _) =
            request.authorization().split_once("Signature=").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
        request.set("authorization", &format!("{start}Signature={signature}"));
        request
    };
    check(vec![
        ("ctl-20", signed().request(), ("OK", 200)),
        ("ctl-21", unsigned().request(), ("OK", 200)),
        ("chk-13", Upload { bad_trailer_signature: true, ..signed() }.request(), MISMATCH),
        ("chk-14", signed().trailer(crc, wrong).request(), BAD_DIGEST),
        ("chk-16", forged(&unsigned(), &"deadbeef".repeat(8)), MISMATCH),
        ("chk-19", forged(&unsigned(), &"0".repeat(64)), MISMATCH),
        (
            "chk-20",
            unsigned().request_signed_by(&Signer { secret: "nope".into(), ..Signer::new("s3") }),
            MISMATCH,
        ),
        ("chk-21", unsigned().trailer(crc, wrong).request(), BAD_DIGEST),
        ("chk-22", Upload { skip_final: true, ..unsigned() }.request(), INCOMPLETE),
        ("chk-23", Upload { decoded_length: Some("5"), ..unsigned() }.request(), INCOMPLETE),
        ("chk-26", unsigned().trailer("x-amz-acl", "public-read").request(), TRAILER),
        ("not declared", Upload { declared: None, ..unsigned() }.request(), TRAILER),
        ("not declared, signed", Upload { declared: None, ..signed() }.request(), TRAILER),
        ("declared and not sent", Upload { trailers: Vec::new(), ..unsigned() }.request(), TRAILER),
        (
            "another one sent",
            Upload { declared: Some("x-amz-checksum-sha256"), ..unsigned() }.request(),
            TRAILER,
        ),
        (
            "none declared, none sent",
            Upload { declared: None, trailers: Vec::new(), ..unsigned() }.request(),
            ("OK", 200),
        ),
        ("no trailer signature", Upload { skip_trailer_signature: true, ..signed() }.request(), INCOMPLETE),
        (
            "a trailer after its signature",
            replaced(&signed(), "\r\n\r\n", "\r\nx-amz-acl:private\r\n\r\n"),
            INCOMPLETE,
        ),
        (
            "a bad signature before bad names",
            Upload { bad_trailer_signature: true, ..signed().trailer("x", "y") }.request(),
            MISMATCH,
        ),
        ("not a checksum", unsigned().trailer(crc, "invalid").request(), REQUEST),
        ("no colon", replaced(&unsigned(), "x-amz-checksum-crc32:", "x-amz-checksum-crc32"), INCOMPLETE),
        (
            "an unknown trailer declared",
            Upload { declared: Some("x-amz-meta-a"), ..unsigned() }.request(),
            REQUEST,
        ),
        (
            "xxhash, which we do not have",
            Upload { declared: Some("x-amz-checksum-xxhash3"), ..unsigned() }.request(),
            REQUEST,
        ),
        (
            "a trailer in upper case",
            unsigned().trailer("X-Amz-Checksum-CRC32", &crc32(&data(9000))).request(),
            ("OK", 200),
        ),
        (
            "twice",
            {
                let mut upload = unsigned();
                upload.trailers.push(upload.trailers[0].clone());
                upload.request()
            },
            TRAILER,
        ),
        (
            "nine trailers",
            {
                let mut upload = unsigned();
                upload.trailers = (0..9).map(|index| (format!("t{index}"), "v".into())).collect();
                upload.request()
            },
            INCOMPLETE,
        ),
        (
            "a trailer and a header",
            Upload { headers: vec![("x-amz-checksum-crc32", crc32(&data(9000)))], ..unsigned() }.request(),
            REQUEST,
        ),
        (
            "a chunk signature in an unsigned stream",
            replaced(&unsigned(), "2328\r\n", &format!("2328;chunk-signature={}\r\n", "0".repeat(64))),
            INCOMPLETE,
        ),
        (
            "a trailer with a plain body",
            {
                let mut request =
                    Request::new("PUT", "/b/o").header("host", "s3.example.com").header("x-amz-trailer", crc);
                Signer::new("s3").sign(&mut request);
                request
            },
            TRAILER,
        ),
    ]);
}

#[test]
fn only_operations_that_store_the_body_take_it_in_chunks() {
    for mode in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let request = Upload::new(mode, b"x").request();
        for body in [BodyKind::Document, BodyKind::Manifest] {
            let refused = verifier(&request, body).unwrap_err();
            assert_eq!(refused.code(Family::S3), REQUEST, "chk-24 {mode}");
        }
    }
}

#[test]
fn anonymous_requests_have_bodies_too() {
    let headers = |mode: &str| Request::new("PUT", "/").header("x-amz-content-sha256", mode).headers;
    let with = |mode: &str| PayloadVerifier::anonymous(&headers(mode), BodyKind::Object);
    assert!(PayloadVerifier::anonymous(&HeaderMap::new(), BodyKind::Object).is_ok());
    assert!(with("UNSIGNED-PAYLOAD").is_ok());
    assert_eq!(with(SIGNED).unwrap_err().code(Family::S3), REQUEST);
    assert_eq!(with("deadbeef").unwrap_err().code(Family::S3), ("InvalidArgument", 400));

    let hashed = with(EMPTY_SHA256).unwrap();
    assert!(matches!(read_body(hashed, b"x"), Err(PayloadError::Sha256Mismatch { .. })));

    let mut framed = headers(UNSIGNED_TRAILER);
    framed.insert("x-amz-decoded-content-length", http::HeaderValue::from_static("5"));
    let verifier = PayloadVerifier::anonymous(&framed, BodyKind::Object).unwrap();
    assert_eq!(verifier.decoded_length(), Some(5));
    assert_eq!(read_body(verifier, b"5\r\nhello\r\n0\r\n\r\n").unwrap().0, b"hello");
    let refused = PayloadVerifier::anonymous(&framed, BodyKind::Document).unwrap_err();
    assert_eq!(refused.code(Family::S3), REQUEST);
}

/// Nothing that failed once can be brought to a good end.
#[test]
fn an_error_is_final() {
    let mut headers = Request::new("PUT", "/").header("x-amz-content-sha256", UNSIGNED_TRAILER).headers;
    headers.insert("x-amz-decoded-content-length", http::HeaderValue::from_static("0"));
    let mut verifier = PayloadVerifier::anonymous(&headers, BodyKind::Object).unwrap();
    assert!(verifier.next(&mut Bytes::from_static(b"zz\r\n")).is_err());
    assert!(verifier.next(&mut Bytes::from_static(b"0\r\n\r\n")).is_err());
    assert!(matches!(verifier.finish(), Err(PayloadError::IncompleteBody)));
}

#[test]
fn payload_is_handed_on_without_being_copied() {
    let upload = Upload::new(UNSIGNED_TRAILER, &data(100_000)).with_crc32();
    let request = upload.request();
    let mut input = Bytes::from(request.body.clone());
    let range = input.as_ptr_range();
    let mut verifier = verifier(&request, BodyKind::Object).unwrap();
    let mut received = 0;
    while let Some(payload) = verifier.next(&mut input).unwrap() {
        assert!(range.contains(&payload.as_ptr()));
        received += payload.len();
    }
    assert_eq!(received, 100_000);
}

// AWS's published values for one input, so that no library is its own judge.
const FOX: &[u8] = b"The quick brown fox jumps over the lazy dog";

#[test]
fn checksums_are_the_published_ones() {
    let hex_of = |algorithm, input: &[u8]| {
        let mut checksums = Checksums::default();
        checksums.compute(algorithm);
        input.chunks(7).for_each(|piece| checksums.update(piece));
        hex(checksums.finish().unwrap().get(algorithm).unwrap())
    };
    // The check values of the CRC catalogue are over the digits 1 to 9.
    assert_eq!(hex_of(ChecksumAlgorithm::Crc32, b"123456789"), "cbf43926");
    assert_eq!(hex_of(ChecksumAlgorithm::Crc32c, b"123456789"), "e3069283");
    assert_eq!(hex_of(ChecksumAlgorithm::Crc64Nvme, b"123456789"), "ae8b14860a799888");
    assert_eq!(hex_of(ChecksumAlgorithm::Md5, FOX), "9e107d9d372bb6826bd81d3542a419d6");
    assert_eq!(hex_of(ChecksumAlgorithm::Sha1, FOX), "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
    assert_eq!(
        hex_of(ChecksumAlgorithm::Sha256, FOX),
        "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"
    );
    assert!(hex_of(ChecksumAlgorithm::Sha512, FOX).starts_with("07e547d9586f6a73f73fbac0435ed769"));
}

#[test]
fn checksum_headers_are_compared_with_the_body() {
    let put = |headers: &[(&'static str, &str)]| {
        let mut request = Request::new("PUT", "/b/o").header("host", "s3.example.com");
        request.body = FOX.to_vec();
        headers.iter().for_each(|(name, value)| request.add(name, value));
        Signer { payload_hash: Some("UNSIGNED-PAYLOAD".into()), ..Signer::new("s3") }.sign(&mut request);
        request
    };
    let good: Vec<(ChecksumAlgorithm, String)> = ChecksumAlgorithm::ALL
        .into_iter()
        .map(|algorithm| {
            let mut checksums = Checksums::default();
            checksums.compute(algorithm);
            checksums.update(FOX);
            (algorithm, checksums.finish().unwrap().base64(algorithm).unwrap())
        })
        .collect();
    for (algorithm, value) in &good {
        let name = algorithm.header_name();
        let (_, digests) = receive(&put(&[(name, value)])).unwrap();
        assert_eq!(digests.chosen(), Some(*algorithm));
        assert_eq!(digests.base64(*algorithm).as_ref(), Some(value));
        assert!(receive(&put(&[(name, value), ("x-amz-sdk-checksum-algorithm", algorithm.name())])).is_ok());

        let mut other = STANDARD.decode(value).unwrap();
        other[0] ^= 1;
        let error = receive(&put(&[(name, &STANDARD.encode(&other))])).unwrap_err();
        assert_eq!(error.code(Family::S3), BAD_DIGEST, "{name}");
        let words = format!("The {} you specified did not match the calculated checksum.", algorithm.name());
        assert_eq!(error.message(Family::S3), words);
        assert_eq!(receive(&put(&[(name, "invalid")])).unwrap_err().code(Family::S3), REQUEST, "{name}");
        other.push(0);
        let long = STANDARD.encode(&other);
        assert_eq!(receive(&put(&[(name, &long)])).unwrap_err().code(Family::S3), REQUEST, "{name}");
    }
    let crc = good[0].1.as_str();
    let md5 = good[3].1.as_str();
    check(vec![
        ("good md5", put(&[("content-md5", md5)]), ("OK", 200)),
        ("md5 too short", put(&[("content-md5", "YWJyYWNhZGFicmE=")]), ("InvalidDigest", 400)),
        ("md5 of something else", put(&[("content-md5", "rL0Y20xC+Fzt72VPzMSk2A==")]), BAD_DIGEST),
        ("empty md5", put(&[("content-md5", "")]), ("InvalidDigest", 400)),
        ("md5 twice", put(&[("content-md5", md5), ("content-md5", md5)]), ("InvalidDigest", 400)),
        ("two checksums", put(&[("x-amz-checksum-crc32", crc), ("x-amz-checksum-md5", md5)]), REQUEST),
        ("one checksum twice", put(&[("x-amz-checksum-crc32", crc), ("x-amz-checksum-crc32", crc)]), REQUEST),
        ("an unknown checksum", put(&[("x-amz-checksum-xxhash3", crc)]), REQUEST),
        (
            "the type is not a checksum",
            put(&[("x-amz-checksum-crc32", crc), ("x-amz-checksum-type", "FULL_OBJECT")]),
            ("OK", 200),
        ),
        ("an algorithm alone", put(&[("x-amz-sdk-checksum-algorithm", "CRC32")]), REQUEST),
        (
            "another algorithm",
            put(&[("x-amz-checksum-crc32", crc), ("x-amz-sdk-checksum-algorithm", "SHA1")]),
            REQUEST,
        ),
        (
            "an unknown algorithm",
            put(&[("x-amz-checksum-crc32", crc), ("x-amz-sdk-checksum-algorithm", "CRC16")]),
            REQUEST,
        ),
        (
            "an algorithm in lower case",
            put(&[("x-amz-checksum-crc32", crc), ("x-amz-sdk-checksum-algorithm", "crc32")]),
            ("OK", 200),
        ),
    ]);
}

/// `CompleteMultipartUpload` states the checksum of the object, not of its body.
#[test]
fn a_manifests_checksum_headers_are_not_its_own() {
    let mut request = Request::new("POST", "/b/o?uploadId=1")
        .header("host", "s3.example.com")
        .header("x-amz-checksum-crc32", "AAAAAA==");
    request.body = b"<CompleteMultipartUpload/>".to_vec();
    Signer::new("s3").sign(&mut request);
    let read = |body: BodyKind| read_body(verifier(&request, body).unwrap(), &request.body);
    assert!(read(BodyKind::Manifest).is_ok());
    assert!(matches!(read(BodyKind::Document), Err(PayloadError::BadDigest { .. })));
}

#[test]
fn asked_for_checksums_come_with_the_declared_ones() {
    let upload = Upload::new(UNSIGNED_TRAILER, FOX).with_crc32();
    let request = upload.request();
    let mut verifier = verifier(&request, BodyKind::Object).unwrap();
    verifier.compute(ChecksumAlgorithm::Md5);
    verifier.compute(ChecksumAlgorithm::Crc64Nvme);
    assert_eq!(verifier.algorithm(), Some(ChecksumAlgorithm::Crc32));
    let (_, digests) = read_body(verifier, &request.body).unwrap();
    assert_eq!(hex(digests.get(ChecksumAlgorithm::Md5).unwrap()), "9e107d9d372bb6826bd81d3542a419d6");
    assert!(digests.get(ChecksumAlgorithm::Crc64Nvme).is_some());
    assert!(digests.get(ChecksumAlgorithm::Sha1).is_none());
}

fn modes() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(SIGNED), Just(SIGNED_TRAILER), Just(UNSIGNED_TRAILER)]
}

proptest! {
    /// However the network cuts a body, what comes out is the same.
    #[test]
    fn the_cuts_of_the_network_do_not_matter(
        mode in modes(),
        length in 0_usize..40_000,
        chunk_size in 8192_usize..20_000,
        cuts in prop::collection::vec(1_usize..3000, 1..40),
    ) {
        let mut upload = Upload { chunk_size, ..Upload::new(mode, &data(length)) };
        if mode != SIGNED {
            upload = upload.with_crc32();
        }
        let request = upload.request();
        let mut verifier = verifier(&request, BodyKind::Object).unwrap();
        let mut rest = Bytes::from(request.body.clone());
        let mut received = Vec::new();
        for cut in cuts.iter().cycle() {
            let mut piece = rest.split_to((*cut).min(rest.len()));
            while let Some(payload) = verifier.next(&mut piece).unwrap() {
                received.extend_from_slice(&payload);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(received == upload.data);
        prop_assert!(verifier.finish().is_ok());
    }

    /// One byte of a signed stream changed, anywhere: refused. Only the letter case of a size's digits is free.
    #[test]
    fn a_changed_byte_of_a_signed_stream_is_refused(
        trailer in any::<bool>(),
        length in 0_usize..20_000,
        at in any::<prop::sample::Index>(),
        by in 1_u8..=255,
    ) {
        let upload = match trailer {
            true => Upload::new(SIGNED_TRAILER, &data(length)).with_crc32(),
            false => Upload::new(SIGNED, &data(length)),
        };
        let mut request = upload.request();
        let at = at.index(request.body.len());
        let before = request.body[at];
        request.body[at] ^= by;
        let same_digit = before.eq_ignore_ascii_case(&request.body[at]);
        prop_assume!(!same_digit);
        prop_assert!(receive(&request).is_err(), "byte {at}: {before} to {}", request.body[at]);
    }

    /// A body cut short anywhere is refused.
    #[test]
    fn a_body_cut_short_is_refused(
        mode in modes(),
        length in 0_usize..20_000,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut upload = Upload::new(mode, &data(length));
        if mode != SIGNED {
            upload = upload.with_crc32();
        }
        let mut request = upload.request();
        request.body.truncate(cut.index(request.body.len()));
        prop_assert!(receive(&request).is_err());
    }

    /// Whatever comes, the machine stops or ends, and gives no more bytes than were announced.
    #[test]
    fn noise_does_no_harm(
        noise in prop::collection::vec(
            prop_oneof![
                Just(b"5\r\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"0\r\n".to_vec()), Just(b";".to_vec()),
                Just(b"chunk-signature=".to_vec()), Just(b"x-amz-checksum-crc32:".to_vec()),
                prop::collection::vec(any::<u8>(), 0..20),
            ],
            0..40,
        ),
    ) {
        let mut headers = Request::new("PUT", "/").header("x-amz-content-sha256", UNSIGNED_TRAILER).headers;
        headers.insert("x-amz-decoded-content-length", http::HeaderValue::from_static("20"));
        let verifier = PayloadVerifier::anonymous(&headers, BodyKind::Object).unwrap();
        if let Ok((payload, _)) = read_body(verifier, &noise.concat()) {
            prop_assert_eq!(payload.len(), 20);
        }
    }
}
