//! Presigned URLs of Signature Version 2: what AWS's page and botocore sign is accepted, and nothing that was added to it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_wire::sigv4::{AuthForm, BodyKind, Claim, Family, PayloadMode};

use crate::support::*;

const DENIED: (&str, u16) = ("AccessDenied", 403);
const MISMATCH: (&str, u16) = ("SignatureDoesNotMatch", 403);
const QUERY: (&str, u16) = ("AuthorizationQueryParametersError", 400);
const REQUEST: (&str, u16) = ("InvalidRequest", 400);

/// A signature of `text`, and the URL's own parameters.
fn parameters(key_id: &str, text: &str, expires: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("AWSAccessKeyId={key_id}&Signature={signature}&Expires={expires}")
}

fn later(seconds: i64) -> i64 {
    now().unix_timestamp() + seconds
}

/// A URL for `GET /b/o` with more of the query signed, and more of it added.
fn get(covered: &str, added: &str) -> Request {
    let expires = later(60);
    let query = if covered.is_empty() { String::new() } else { format!("?{covered}") };
    let own = parameters(KEY_ID, &format!("GET\n\n\n{expires}\n/b/o{query}"), expires);
    Request::new("GET", &format!("/b/o?{covered}&{own}{added}")).header("host", "s3.amazonaws.com")
}

fn s3(request: &Request) -> (&'static str, u16) {
    answer(&gate(request, Family::S3, "s3", BodyKind::Object), Family::S3)
}

#[test]
fn the_example_of_awss_page_is_accepted() {
    // "Query string request authentication alternative", with the bucket in the host.
    let target = "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";
    let request = Request::new("GET", target).header("host", "johnsmith.s3.amazonaws.com");
    let claim = Claim::parse(request.head(), Family::S3).unwrap().unwrap();
    assert_eq!((claim.access_key_id(), claim.session_token()), ("AKIAIOSFODNN7EXAMPLE", None));
    assert_eq!((claim.form(), claim.payload_mode()), (AuthForm::Query, PayloadMode::Unsigned));
    let key = claim.signing_key(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let at = |seconds| time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
    let expected = |bucket, seconds| daypass_wire::sigv4::Expected {
        bucket_in_host: bucket,
        now: at(seconds),
        ..expected("s3")
    };
    let (proof, _) =
        claim.verify_head(&key, BodyKind::Object, &expected(Some("johnsmith"), 1_175_139_620)).unwrap();
    assert_eq!((proof.signature_version(), proof.region(), proof.request_time()), ("AWS", None, None));
    for (bucket, seconds) in
        [(Some("johnsmith"), 1_175_139_621), (Some("other"), 1_175_139_620), (None, 1_175_139_620)]
    {
        claim.verify_head(&key, BodyKind::Object, &expected(bucket, seconds)).unwrap_err();
    }
}

#[test]
fn what_is_covered_is_accepted() {
    for covered in [
        "",
        "versionId=3",
        "response-content-type=text%2Fplain&versionId=3",
        "partNumber=1&uploadId=x",
        "tagging",
    ] {
        // Values stand in the signed text as they are.
        let expires = later(60);
        let decoded = covered.replace("%2F", "/");
        let query = if covered.is_empty() { String::new() } else { format!("?{decoded}") };
        let own = parameters(KEY_ID, &format!("GET\n\n\n{expires}\n/b/o{query}"), expires);
        let request = Request::new("GET", &format!("/b/o?{covered}&{own}")).header("host", "h");
        gate(&request, Family::S3, "s3", BodyKind::Object)
            .unwrap_or_else(|e| panic!("{covered}: {e:?}"))
            .unwrap();
    }
}

#[test]
fn a_session_is_named_by_the_token_that_is_signed() {
    let expires = later(60);
    let text = format!("GET\n\n\n{expires}\nx-amz-security-token:{SESSION_TOKEN}\n/b/o");
    let own = parameters(SESSION_KEY_ID, &text, expires);
    let token = SESSION_TOKEN.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let with = |query: String| Request::new("GET", &format!("/b/o?{query}")).header("host", "h");
    let good = with(format!("{own}&x-amz-security-token={token}"));
    let proof = gate(&good, Family::S3, "s3", BodyKind::Object).unwrap().unwrap();
    assert_eq!(proof.access_key_id(), SESSION_KEY_ID);
    // In the header it is signed just as well, but not in both places.
    gate(
        &with(own.clone()).header("x-amz-security-token", SESSION_TOKEN),
        Family::S3,
        "s3",
        BodyKind::Object,
    )
    .unwrap()
    .unwrap();
    assert_eq!(s3(&good.clone().header("x-amz-security-token", SESSION_TOKEN)), ("InvalidToken", 400));
    assert_eq!(s3(&with(own.clone())), ("InvalidAccessKeyId", 403));
    assert_eq!(s3(&with(format!("{own}&x-amz-security-token=other"))), ("InvalidToken", 400));
}

#[test]
fn what_was_added_or_changed_is_refused() {
    let moved = |from: &str, to: &str| {
        let mut request = get("", "");
        request.path = request.path.replace(from, to);
        request
    };
    let mut method = get("", "");
    method.method = "PUT".into();
    let expired = parameters(KEY_ID, &format!("GET\n\n\n{}\n/b/o", later(-1)), later(-1));
    let scoped = parameters("AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request", "GET", later(60));
    for (name, request, expected) in [
        ("another key", moved("/b/o", "/b/p"), MISMATCH),
        ("another bucket", moved("/b/o", "/c/o"), MISMATCH),
        ("another method", method, MISMATCH),
        ("a version", get("", "&versionId=1"), MISMATCH),
        ("a subresource that is covered", get("", "&acl"), MISMATCH),
        ("a subresource that is not covered", get("", "&attributes"), REQUEST),
        ("a retention", get("", "&retention"), REQUEST),
        ("an operation by name", get("", "&x-id=GetObject"), REQUEST),
        ("a header as a parameter", get("", "&x-amz-acl=public-read"), REQUEST),
        ("the other version beside it", get("", "&X-Amz-Signature=0"), QUERY),
        ("a parameter of its own twice", get("", "&Expires=1"), QUERY),
        ("an ambiguous value", get("response-content-type=a%26versionId=1", ""), REQUEST),
        ("a copy source", get("", "").header("x-amz-copy-source", "/victim/secret"), MISMATCH),
        ("a canned acl", get("", "").header("x-amz-acl", "public-read"), MISMATCH),
        (
            "chunks",
            get("", "").header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            MISMATCH,
        ),
        ("a content type", get("", "").header("content-type", "text/html"), MISMATCH),
        ("a digest", get("", "").header("content-md5", "AAAA"), MISMATCH),
        ("past its end", Request::new("GET", &format!("/b/o?{expired}")).header("host", "h"), DENIED),
        ("no expiry", Request::new("GET", "/b/o?AWSAccessKeyId=A&Signature=b").header("host", "h"), REQUEST),
        ("a key with a scope", Request::new("GET", &format!("/b/o?{scoped}")).header("host", "h"), REQUEST),
    ] {
        assert_eq!(s3(&request), expected, "{name}");
    }
}

#[test]
fn only_s3_takes_it_and_only_in_the_query() {
    let request = get("", "");
    for family in [Family::Query, Family::Ec2, Family::Json, Family::RestJson] {
        assert!(Claim::parse(request.head(), family).unwrap().is_none(), "{family:?}");
    }
    let header = Request::new("GET", "/b/o")
        .header("host", "h")
        .header("authorization", "AWS AKIDEXAMPLE:c2lnbmF0dXJl");
    assert_eq!(s3(&header), REQUEST);
}
