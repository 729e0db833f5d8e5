//! What must hold for any input: nothing panics, every refusal has an answer, what was verified is bound to its
//! request, and a body is read alike in whatever pieces it comes.

use bytes::Bytes;
use daypass_wire::sigv4::{
    BodyKind, ChecksumAlgorithm, Claim, Digests, Expected, Family, NoKey, PayloadError, PayloadVerifier,
    RequestHead, SigError, SigningKey, Verified,
};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const FAMILIES: [Family; 5] = [Family::Query, Family::Ec2, Family::Json, Family::RestJson, Family::S3];

/// A request as it stands in the line protocol, read leniently.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    headers: HeaderMap,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = match end.and_then(|end| bytes.split_at_checked(end)) {
            Some((head, body)) => (head, body.get(2..)?),
            None => (bytes, [].as_slice()),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = std::str::from_utf8(lines.next()?).ok()?;
        let (method, target) = line.split_once(' ')?;
        let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut headers = HeaderMap::new();
        for line in lines.take(100) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let name = HeaderName::from_bytes(name).ok()?;
            headers.append(name, HeaderValue::from_bytes(value.get(1..)?).ok()?);
        }
        Some(Self { method, path, query, headers, body })
    }

    fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: self.method,
            path: self.path,
            query: self.query,
            authority: None,
            headers: &self.headers,
        }
    }
}

fn expected(service: &str) -> Expected<'_> {
    Expected {
        service,
        regions: &|region| region == "us-east-1",
        home_region: "us-east-1",
        bucket_in_host: None,
        now: time::macros::datetime!(2015-08-30 12:36:00 UTC),
    }
}

fn key(service: &str) -> SigningKey {
    SigningKey::derive(SECRET, "20150830", "us-east-1", service)
}

fn verify(request: &Request<'_>, family: Family) -> Result<Option<Verified>, SigError> {
    let Some(claim) = Claim::parse(request.head(), family)? else { return Ok(None) };
    let (key, expected) = (key("service"), expected("service"));
    match family {
        Family::S3 => claim.verify_head(&key, BodyKind::Object, &expected).map(|(proof, _)| Some(proof)),
        _ => claim.verify(&key, request.body, &expected).map(Some),
    }
}

/// Any bytes as a request to each kind of service. One that verifies is refused with another method, path, query,
/// host or header, and without its key. The result is whether any kind of service takes it.
pub(crate) fn claim(bytes: &[u8]) -> bool {
    let Some(mut request) = Request::read(bytes) else { return false };
    let mut taken = false;
    for family in FAMILIES {
        match verify(&request, family) {
            Ok(None) => {}
            Ok(Some(proof)) => {
                check_bound(&mut request, family, &proof);
                taken = true;
            }
            Err(error) => check_answer(&error, family),
        }
    }
    taken
}

fn check_bound(request: &mut Request<'_>, family: Family, proof: &Verified) {
    assert_eq!(proof.region(), Some("us-east-1"));
    let expected = expected("service");
    match Claim::parse(request.head(), family) {
        Ok(Some(claim)) => {
            assert_eq!(claim.access_key_id(), proof.access_key_id());
            for why in [NoKey::UnknownAccessKey, NoKey::InvalidToken, NoKey::ExpiredToken] {
                check_answer(&claim.refuse(why, request.body, &expected), family);
            }
        }
        _ => panic!("what verified does not parse"),
    }
    let refused = |request: &Request<'_>| verify(request, family).is_err();
    let (method, path) = (request.method, request.path);
    request.method = "FUZZ";
    assert!(refused(request));
    request.method = method;
    let other = format!("{path}fuzz");
    assert!(refused(&Request { path: &other, headers: request.headers.clone(), ..*request }));
    let other = format!("{}&fuzz=1", request.query.unwrap_or_default());
    assert!(refused(&Request { query: Some(&other), headers: request.headers.clone(), ..*request }));

    let mut headers = request.headers.clone();
    headers.insert("host", HeaderValue::from_static("fuzz.example.com"));
    assert!(refused(&Request { headers, ..*request }));
    let mut headers = request.headers.clone();
    headers.insert("x-amz-fuzz", HeaderValue::from_static("1"));
    assert!(refused(&Request { headers, ..*request }));
    if family != Family::S3 {
        let body = [request.body, b"fuzz"].concat();
        assert!(refused(&Request { body: &body, headers: request.headers.clone(), ..*request }));
    }
}

fn check_answer(error: &SigError, family: Family) {
    let (code, status) = error.code(family);
    assert!((400..600).contains(&status) && code != "InternalFailure" && code != "InternalError");
    assert!(!error.message(family).is_empty());
    assert!(error.details().iter().all(|(name, _)| !name.is_empty()));
}

/// Any bytes as an upload: with their own headers and nobody's signature, and as the body of a signed request.
/// The result is whether either is taken.
pub(crate) fn chunks(bytes: &[u8]) -> bool {
    let Some(request) = Request::read(bytes) else { return false };
    let mut taken = false;
    for kind in [BodyKind::Object, BodyKind::Document, BodyKind::Manifest] {
        taken |= check_pieces(request.body, || PayloadVerifier::anonymous(&request.headers, kind));
    }
    let Some(signed) = Request::read(include_bytes!("seeds/sigv4_signed_chunks")) else { return taken };
    let (key, expected) = (key("s3"), expected("s3"));
    taken
        | check_pieces(request.body, || match Claim::parse(signed.head(), Family::S3)? {
            Some(claim) => Ok(claim.verify_head(&key, BodyKind::Object, &expected)?.1),
            None => panic!("the seed is signed"),
        })
}

fn check_pieces(body: &[u8], verifier: impl Fn() -> Result<PayloadVerifier, SigError>) -> bool {
    let verifier = || {
        let mut verifier = verifier()?;
        verifier.compute(ChecksumAlgorithm::Crc64Nvme);
        Ok(verifier)
    };
    let length = match verifier() {
        Ok(verifier) => verifier.decoded_length(),
        Err(error) => {
            check_answer(&error, Family::S3);
            return false;
        }
    };
    let read = |size| verifier().ok().map(|verifier: PayloadVerifier| read(verifier, body, size));
    let Some((payload, end)) = read(usize::MAX) else { panic!("the same headers make no verifier") };
    for size in [1, 7] {
        let Some((pieces, pieces_end)) = read(size) else { panic!("the same headers make no verifier") };
        match (&end, pieces_end) {
            (Ok(_), Ok(_)) => assert_eq!(payload, pieces),
            (Err(error), Err(other)) => assert_eq!(error.code(), other.code()),
            (whole, pieces) => panic!("whole {:?}, in pieces of {size} {:?}", whole.is_ok(), pieces.is_ok()),
        }
    }
    if let Err(error) = end {
        check_answer(&error.into(), Family::S3);
        return false;
    }
    assert!(length.is_none_or(|length| length == payload.len() as u64));
    true
}

fn read(mut verifier: PayloadVerifier, body: &[u8], size: usize) -> (Vec<u8>, Result<Digests, PayloadError>) {
    let mut payload = Vec::new();
    for piece in body.chunks(size) {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match verifier.next(&mut input) {
                Ok(Some(bytes)) => payload.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(error) => return (payload, Err(error)),
            }
        }
        assert!(input.is_empty());
    }
    let end = verifier.finish();
    (payload, end)
}
