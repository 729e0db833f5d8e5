//! SigV4A: AWS's suite, and that what is not exactly a signature of the key pair over the request is refused.

use std::fs;
use std::path::Path;

use daypass_wire::sigv4::{BodyKind, Claim, Family, SigError, SigningKey, Verified};
use serde_json::Value;

use crate::suite::parse;
use crate::support::{
    EMPTY_SHA256, KEY_ID, Request, SECRET, SESSION_KEY_ID, SESSION_TOKEN, Signer, answer, expected, gate,
    hex, private_key, sha256_hex,
};

const S3: &str = "s3";

fn object() -> Request {
    Request::new("GET", "/bucket/key").header("host", "example.amazonaws.com")
}

fn signed(change: impl FnOnce(&mut Signer)) -> Request {
    let (mut request, mut signer) = (object(), Signer::asymmetric(S3, "us-east-1"));
    change(&mut signer);
    signer.sign(&mut request);
    request
}

fn presigned(change: impl FnOnce(&mut Signer)) -> Request {
    let (mut request, mut signer) = (object(), Signer::asymmetric(S3, "us-east-1"));
    change(&mut signer);
    signer.presign(&mut request, "60");
    request
}

fn result(request: &Request) -> Result<Option<Verified>, SigError> {
    gate(request, Family::S3, S3, BodyKind::Object)
}

fn verdict(request: &Request) -> (&'static str, u16) {
    answer(&result(request), Family::S3)
}

/// What becomes of a signature.
type Change<'a> = Box<dyn Fn(&str) -> String + 'a>;

/// The signature in the header, as another one.
fn resigned(request: &Request, change: impl FnOnce(&str) -> String) -> Request {
    let authorization = request.authorization();
    let (head, signature) = authorization.split_once("Signature=").unwrap_or_default();
    let mut other = request.clone();
    other.set("authorization", &format!("{head}Signature={}", change(signature)));
    other
}

#[test]
fn the_requests_of_awss_suite_verify() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/aws-signing-test-suite/v4a");
    let mut cases = 0;
    for entry in fs::read_dir(root).unwrap() {
        let (name, directory) = {
            let e = entry.unwrap();
            (e.file_name().into_string().unwrap(), e.path())
        };
        let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap();
        let context: Value = serde_json::from_str(&read("context.json")).unwrap();
        // S3 is the service that takes these. It signs a path as it is sent, and tokens too.
        let unsigned_token = context["omit_session_token"].as_bool() == Some(true);
        if name.ends_with("-normalized") || name == "get-utf8" || unsigned_token {
            continue;
        }
        cases += 1;
        let secret = context["credentials"]["secret_access_key"].as_str().unwrap();
        for form in ["header", "query"] {
            let mut request = parse(&read(&format!("{form}-signed-request.txt")));
            let hash =
                if request.body.is_empty() { EMPTY_SHA256.to_owned() } else { sha256_hex(&request.body) };
            request.set("x-amz-content-sha256", &hash);
            let claim = Claim::parse(request.head(), Family::S3).unwrap().unwrap();
            let expected = expected("service");
            let verify = |secret: &str| {
                let key = claim.signing_key(secret.as_bytes());
                claim.verify_head(&key, BodyKind::Document, &expected).map(|(proof, _)| proof)
            };
            let proof = verify(secret).unwrap_or_else(|error| panic!("{name} {form}: {error:?}"));
            assert_eq!(proof.signature_version(), "AWS4-ECDSA-P256-SHA256");
            let Err(SigError::Mismatch(mismatch)) = verify("another secret") else { panic!("{name}") };
            assert_eq!(mismatch.string_to_sign, read(&format!("{form}-string-to-sign.txt")), "{name} {form}");
        }
    }
    assert_eq!(cases, 29);
}

#[test]
fn signatures_in_headers_and_in_the_query_verify() {
    assert_eq!(verdict(&signed(|_| {})), ("OK", 200));
    assert_eq!(verdict(&presigned(|_| {})), ("OK", 200));
    let session = |signer: &mut Signer| {
        signer.key_id = SESSION_KEY_ID.into();
        signer.token = Some(SESSION_TOKEN.into());
    };
    assert_eq!(verdict(&signed(session)), ("OK", 200));
    assert_eq!(verdict(&presigned(session)), ("OK", 200));
    for (secret, key_id) in [("x", KEY_ID), (SECRET, "AKIDOTHER")] {
        for request in [
            signed(|s| (s.secret, s.key_id) = (secret.into(), key_id.into())),
            presigned(|s| (s.secret, s.key_id) = (secret.into(), key_id.into())),
        ] {
            let code = if key_id == KEY_ID { "SignatureDoesNotMatch" } else { "InvalidAccessKeyId" };
            assert_eq!(verdict(&request), (code, 403));
        }
    }
}

#[test]
fn what_was_changed_after_signing_is_refused() {
    let mut request = signed(|_| {});
    request.path = "/bucket/other".into();
    assert_eq!(verdict(&request).0, "SignatureDoesNotMatch");
    let mut request = signed(|_| {});
    request.method = "DELETE".into();
    assert_eq!(verdict(&request).0, "SignatureDoesNotMatch");
    let mut request = signed(|_| {});
    request.query = Some("versionId=1".into());
    assert_eq!(verdict(&request).0, "SignatureDoesNotMatch");
    let mut request = signed(|_| {});
    request.set("host", "evil.example.com");
    assert_eq!(verdict(&request).0, "SignatureDoesNotMatch");
    for (name, value) in [("x-amz-copy-source", "b/k"), ("x-amz-acl", "public-read")] {
        for mut request in [signed(|_| {}), presigned(|_| {})] {
            request.add(name, value);
            assert_eq!(verdict(&request), ("AccessDenied", 403), "{name}");
        }
    }
    let mut request = presigned(|_| {});
    request.query = request.query.map(|query| query.replace("us-east-1", "%2A"));
    assert_eq!(verdict(&request).0, "SignatureDoesNotMatch");
    let mut request = signed(|_| {});
    request.set("x-amz-region-set", "*");
    assert_eq!(verdict(&request).0, "SignatureDoesNotMatch");
}

#[test]
fn a_set_of_regions_must_hold_one_of_ours() {
    for (set, code) in [
        ("us-east-1", "OK"),
        ("*", "OK"),
        ("eu-west-1,us-*", "OK"),
        ("eu-west-1", "AuthorizationHeaderMalformed"),
        ("eu-*", "AuthorizationHeaderMalformed"),
        ("us-east-1;x", "AuthorizationHeaderMalformed"),
        ("us-east-1,,", "AuthorizationHeaderMalformed"),
        ("-", "AuthorizationHeaderMalformed"),
    ] {
        assert_eq!(verdict(&signed(|signer| signer.region_set = Some(set.into()))).0, code, "{set}");
        let query = if code == "OK" { code } else { "AuthorizationQueryParametersError" };
        assert_eq!(verdict(&presigned(|signer| signer.region_set = Some(set.into()))).0, query, "{set}");
    }
    let mut twice = signed(|_| {});
    twice.add("x-amz-region-set", "*");
    assert_eq!(verdict(&twice).0, "InvalidRequest");
    let proof = |set: &str| result(&signed(|signer| signer.region_set = Some(set.into()))).unwrap().unwrap();
    assert_eq!(proof("eu-west-1,us-*").region(), Some("us-east-1"));
    assert!(proof("eu-west-1,us-*").covers("eu-west-1") && !proof("eu-west-1,us-*").covers("eu-west-2"));
}

#[test]
fn neither_algorithm_passes_for_the_other() {
    // A signature by one under the name of the other.
    let name = |request: &Request, algorithm: &str| {
        let authorization = request.authorization();
        let (_, rest) = authorization.split_once(' ').unwrap();
        let mut other = request.clone();
        other.set("authorization", &format!("{algorithm} {rest}"));
        other
    };
    let asymmetric = signed(|_| {});
    assert_eq!(verdict(&name(&asymmetric, "AWS4-HMAC-SHA256")).0, "AuthorizationHeaderMalformed");
    let mut symmetric = object();
    Signer::new(S3).sign(&mut symmetric);
    assert_eq!(verdict(&name(&symmetric, "AWS4-ECDSA-P256-SHA256")).0, "AuthorizationHeaderMalformed");
    // With a scope of the right form, too.
    let region = |request: &Request, from: &str, to: &str| {
        let mut other = request.clone();
        other.set("authorization", &request.authorization().replace(from, to));
        other
    };
    let down = region(&name(&asymmetric, "AWS4-HMAC-SHA256"), "/s3/", "/us-east-1/s3/");
    assert_eq!(verdict(&down).0, "SignatureDoesNotMatch");
    let up = region(&name(&symmetric, "AWS4-ECDSA-P256-SHA256"), "/us-east-1/s3/", "/s3/");
    assert_eq!(verdict(&up).0, "AuthorizationHeaderMalformed", "it names no regions");
    // An HMAC with the public key, as tokens were once forged.
    let point = {
        let key = aws_lc_rs::agreement::PrivateKey::from_private_key(
            &aws_lc_rs::agreement::ECDH_P256,
            &private_key(SECRET, KEY_ID),
        );
        key.unwrap().compute_public_key().unwrap()
    };
    let forged = hex(&crate::support::hmac_sha256(point.as_ref(), b"text"));
    assert_eq!(verdict(&resigned(&asymmetric, |_| forged)).0, "SignatureDoesNotMatch");
    // Only S3 takes it.
    for (family, service) in [(Family::Query, "sts"), (Family::Ec2, "ec2"), (Family::Json, "ssm")] {
        let mut request = Request::new("POST", "/").header("host", "sts.amazonaws.com");
        Signer::asymmetric(service, "*").sign(&mut request);
        let refused = gate(&request, family, service, BodyKind::Document);
        assert!(matches!(refused, Err(SigError::UnsupportedAlgorithm { .. })), "{service}");
    }
}

#[test]
fn a_signature_that_is_not_written_as_it_must_be_is_refused() {
    let request = signed(|_| {});
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let zero = "00".repeat(32);
    let number = |hex: &str| format!("02{:02x}{hex}", hex.len() / 2);
    let pair = |r: &str, s: &str| {
        let both = format!("{}{}", number(r), number(s));
        format!("30{:02x}{both}", both.len() / 2)
    };
    let long = |signature: &str| {
        // The length in two bytes instead of one.
        format!("3081{}", &signature[2..])
    };
    let changes: Vec<(&str, Change<'_>)> = vec![
        ("nothing", Box::new(|_| "00".to_owned())),
        ("upper case", Box::new(|s| s.to_uppercase())),
        ("cut short", Box::new(|s| s[..s.len() - 2].to_owned())),
        ("half a byte", Box::new(|s| s[..s.len() - 1].to_owned())),
        ("more after it", Box::new(|s| format!("{s}00"))),
        ("filled up as a chunk's", Box::new(|s| format!("{s}**"))),
        ("a longer length", Box::new(long)),
        ("no hexadecimal", Box::new(|s| s.replace('0', "g"))),
        ("zeros", Box::new(move |_| pair("00", "00"))),
        ("the order", Box::new(move |_| pair(&format!("00{order}"), &format!("00{order}")))),
        ("numbers without DER", Box::new(move |_| format!("{zero}{zero}"))),
        ("of HMAC's length", Box::new(|_| "ab".repeat(32))),
        ("very long", Box::new(|s| s.repeat(40))),
        (
            "a zero before a number",
            Box::new(|s| {
                let length = usize::from_str_radix(&s[6..8], 16).unwrap();
                let (first, rest) = s[8..].split_at(2 * length);
                let whole = usize::from_str_radix(&s[2..4], 16).unwrap() + 1;
                format!("30{whole:02x}02{:02x}00{first}{rest}", length + 1)
            }),
        ),
    ];
    assert_eq!(verdict(&request), ("OK", 200));
    for (what, change) in changes {
        assert_eq!(verdict(&resigned(&request, |s| change(s))).0, "SignatureDoesNotMatch", "{what}");
    }
}

#[test]
fn a_session_without_its_token_or_with_another_is_nobody() {
    let session = |token: Option<&str>| {
        signed(|signer| {
            signer.key_id = SESSION_KEY_ID.into();
            signer.token = token.map(str::to_owned);
        })
    };
    assert_eq!(verdict(&session(None)).0, "InvalidAccessKeyId");
    assert_eq!(verdict(&session(Some("another"))).0, "InvalidToken");
    let mut added = signed(|signer| signer.key_id = SESSION_KEY_ID.into());
    added.add("x-amz-security-token", SESSION_TOKEN);
    assert_eq!(verdict(&added).0, "AccessDenied");
}

/// A body in chunks, each signed over the one before, its signatures filled up or not.
fn chunked(signer: &Signer, filled: bool, trailer: Option<(&str, &str)>, chunks: &[&[u8]]) -> Request {
    let payload = if trailer.is_some() {
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"
    } else {
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
    };
    let length: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    let mut request = Request::new("PUT", "/bucket/key")
        .header("host", "example.amazonaws.com")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-decoded-content-length", &length.to_string());
    if let Some((name, _)) = trailer {
        request.add("x-amz-trailer", name);
    }
    let signer = Signer { payload_hash: Some(payload.into()), ..signer.clone() };
    let mut previous = signer.sign(&mut request);
    let text = |what: &str, previous: &str, rest: &str| {
        format!("AWS4-ECDSA-P256-SHA256-{what}\n{}\n{}\n{previous}\n{rest}", signer.amz_date, signer.scope())
    };
    let written = |signature: &str| if filled { format!("{signature:*<144}") } else { signature.to_owned() };
    for chunk in chunks.iter().chain([&&b""[..]]) {
        let rest = format!("{EMPTY_SHA256}\n{}", sha256_hex(chunk));
        previous = signer.sign_text(&text("PAYLOAD", &previous, &rest));
        request.body.extend_from_slice(
            format!("{:x};chunk-signature={}\r\n", chunk.len(), written(&previous)).as_bytes(),
        );
        request.body.extend_from_slice(chunk);
        if !chunk.is_empty() {
            request.body.extend_from_slice(b"\r\n");
        }
    }
    if let Some((name, value)) = trailer {
        let signature = signer.sign_text(&text(
            "TRAILER",
            &previous,
            &sha256_hex(format!("{name}:{value}\n").as_bytes()),
        ));
        request.body.extend_from_slice(
            format!("{name}:{value}\r\nx-amz-trailer-signature:{}\r\n", written(&signature)).as_bytes(),
        );
    }
    request.body.extend_from_slice(b"\r\n");
    request
}

#[test]
fn bodies_in_chunks_verify_by_the_same_key_pair() {
    let signer = Signer::asymmetric(S3, "*");
    let (first, second) = ([b'a'; 8192], [b'b'; 100]);
    for filled in [true, false] {
        assert_eq!(verdict(&chunked(&signer, filled, None, &[&first, &second])), ("OK", 200));
        assert_eq!(
            verdict(&chunked(&signer, filled, Some(("x-amz-checksum-crc32", "6Le+Qw==")), &[b"a"])),
            ("OK", 200)
        );
    }
    // Chunks changed places, or one was changed.
    let swapped = chunked(&signer, true, None, &[&first, &[b'c'; 8192]]);
    let line = 4 + ";chunk-signature=".len() + 144 + 2;
    let mut other = swapped.clone();
    let (one, two) = (&swapped.body[..line + 8194], &swapped.body[line + 8194..2 * (line + 8194)]);
    other.body = [two, one, &swapped.body[2 * (line + 8194)..]].concat();
    assert_eq!(verdict(&other).0, "SignatureDoesNotMatch");
    let mut other = swapped.clone();
    other.body[line + 10] = b'x';
    assert_eq!(verdict(&other).0, "SignatureDoesNotMatch");
    // Chunks are signed as the request is.
    let mut symmetric = Signer::new(S3);
    symmetric.payload_hash = Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD".into());
    let mut request =
        Request::new("PUT", "/bucket/key").header("host", "h").header("x-amz-decoded-content-length", "0");
    symmetric.sign(&mut request);
    assert_eq!(verdict(&request).0, "NotImplemented");
    let mut asymmetric = Signer::asymmetric(S3, "*");
    asymmetric.payload_hash = Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".into());
    let mut request =
        Request::new("PUT", "/bucket/key").header("host", "h").header("x-amz-decoded-content-length", "0");
    asymmetric.sign(&mut request);
    assert_eq!(verdict(&request).0, "InvalidArgument");
}

#[test]
fn a_key_is_that_of_its_secret_and_its_name() {
    let text = b"text";
    let signature = hex(&crate::support::sign_with_pair(SECRET, KEY_ID, text));
    let request = |key_id: &str| signed(|signer| signer.key_id = key_id.into());
    // The key pair holds the access key's id: a signature of one is none of another with the same secret.
    let claim_request = request(KEY_ID);
    let claim = Claim::parse(claim_request.head(), Family::S3).unwrap().unwrap();
    let other = SigningKey::derive_asymmetric(SECRET.as_bytes(), "AKIDOTHER");
    assert!(claim.verify_head(&other, BodyKind::Object, &expected(S3)).is_err());
    assert!(
        claim
            .verify_head(
                &SigningKey::derive_asymmetric(SECRET.as_bytes(), KEY_ID),
                BodyKind::Object,
                &expected(S3)
            )
            .is_ok()
    );
    assert!(!signature.is_empty());
}
