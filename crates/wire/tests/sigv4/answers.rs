//! What a refused caller is told: code, status and words, in each protocol family.

use daypass_wire::sigv4::{BodyKind, Family, SigError};

use crate::support::*;

const BODY: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";

fn request(tweak: impl FnOnce(&mut Signer)) -> Request {
    let mut request = Request::new("POST", "/").header("host", "sts.example.com");
    request.body = BODY.to_vec();
    let mut signer = Signer::new("sts");
    tweak(&mut signer);
    signer.sign(&mut request);
    request
}

fn with_authorization(value: &str) -> Request {
    let mut request = request(|_| {});
    request.set("authorization", value);
    request
}

fn refusal(request: &Request, family: Family, service: &str) -> SigError {
    gate(request, family, service, BodyKind::Document).unwrap_err()
}

fn object(tweak: impl FnOnce(&mut Signer)) -> Request {
    let mut request = Request::new("GET", "/bucket/obj").header("host", "s3.example.com");
    let mut signer = Signer::new("s3");
    tweak(&mut signer);
    signer.sign(&mut request);
    request
}

fn presigned(tweak: impl FnOnce(&mut Signer), expires: &str) -> Request {
    let mut request = Request::new("GET", "/bucket/obj").header("host", "s3.example.com");
    let mut signer = Signer::new("s3");
    tweak(&mut signer);
    signer.presign(&mut request, expires);
    request
}

#[test]
fn each_family_has_its_own_code_and_status() {
    let unknown = request(|signer| signer.key_id = "AKIAUNKNOWN".into());
    let expired = request(|signer| {
        signer.key_id = SESSION_KEY_ID.into();
        signer.token = Some(EXPIRED_TOKEN.into());
    });
    let invalid = request(|signer| signer.token = Some("garbage".into()));
    let table = [
        (
            "no scheme of AWS's",
            with_authorization("Bearer x"),
            [
                ("MissingAuthenticationToken", 403),
                ("MissingParameter", 400),
                ("MissingAuthenticationTokenException", 400),
                ("MissingAuthenticationTokenException", 403),
            ],
        ),
        (
            "malformed",
            with_authorization("AWS4-HMAC-SHA256 Credential=x"),
            [
                ("IncompleteSignature", 400),
                ("IncompleteSignature", 400),
                ("IncompleteSignatureException", 400),
                ("IncompleteSignatureException", 403),
            ],
        ),
        (
            "wrong signature",
            request(|signer| signer.secret = "wrong".into()),
            [
                ("SignatureDoesNotMatch", 403),
                ("AuthFailure", 401),
                ("InvalidSignatureException", 400),
                ("InvalidSignatureException", 403),
            ],
        ),
        (
            "wrong clock",
            request(|signer| *signer = signer.clone().dated(-3600)),
            [
                ("SignatureDoesNotMatch", 403),
                ("AuthFailure", 401),
                ("InvalidSignatureException", 400),
                ("InvalidSignatureException", 403),
            ],
        ),
        (
            "unknown key",
            unknown,
            [
                ("InvalidClientTokenId", 403),
                ("AuthFailure", 401),
                ("UnrecognizedClientException", 400),
                ("UnrecognizedClientException", 403),
            ],
        ),
        (
            "invalid token",
            invalid,
            [
                ("InvalidClientTokenId", 403),
                ("AuthFailure", 401),
                ("UnrecognizedClientException", 400),
                ("UnrecognizedClientException", 403),
            ],
        ),
        (
            "expired token",
            expired,
            [
                ("ExpiredToken", 403),
                ("RequestExpired", 400),
                ("ExpiredTokenException", 400),
                ("ExpiredTokenException", 403),
            ],
        ),
    ];
    let families = [Family::Query, Family::Ec2, Family::Json, Family::RestJson];
    for (name, request, codes) in table {
        for (family, code) in families.into_iter().zip(codes) {
            assert_eq!(refusal(&request, family, "sts").code(family), code, "{name} {family:?}");
        }
    }
}

#[test]
fn the_words_are_those_that_aws_uses() {
    let says = |request: &Request, family: Family, words: &str| {
        assert_eq!(refusal(request, family, "sts").message(family), words);
    };
    let wrong = request(|signer| signer.secret = "wrong".into());
    says(
        &wrong,
        Family::Query,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
         Access Key and signing method. Consult the service documentation for details.",
    );
    says(&wrong, Family::Ec2, "AWS was not able to validate the provided access credentials");
    let old = request(|signer| *signer = signer.clone().dated(-16 * 60));
    says(
        &old,
        Family::Json,
        "Signature expired: 20150830T122000Z is now earlier than 20150830T122100Z (20150830T123600Z - 15 min.)",
    );
    let early = request(|signer| *signer = signer.clone().dated(16 * 60));
    says(
        &early,
        Family::Query,
        "Signature not yet current: 20150830T125200Z is still later than 20150830T125100Z \
         (20150830T123600Z + 15 min.)",
    );
    let unknown = request(|signer| signer.key_id = "AKIAUNKNOWN".into());
    says(&unknown, Family::Query, "The security token included in the request is invalid.");
    let scope = request(|signer| {
        signer.scope_date = "20150829".into();
        signer.region = "eu-west-1".into();
        signer.service = "iam".into();
        signer.terminator = "aws5".into();
    });
    says(
        &scope,
        Family::Json,
        "Credential should be scoped to a valid region, not 'eu-west-1'. \
         Credential should be scoped to correct service: 'sts'. \
         Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. \
         Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20150829' != '20150830', from '20150830T123600Z'.",
    );
    let no_host = request(|signer| signer.signed = Some(vec!["x-amz-date".into()]));
    says(
        &no_host,
        Family::Query,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
    says(&with_authorization("Basic x"), Family::RestJson, "Missing Authentication Token");
    says(&with_authorization("Basic x"), Family::Query, "Request is missing Authentication Token");
    says(
        &with_authorization("AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=x"),
        Family::Query,
        "Credential must have exactly 5 slash-delimited elements, \
         e.g. keyid/date/region/service/term, got 'a/b/c/d'",
    );
    says(
        &with_authorization("AWS4-HMAC-SHA512 Credential=a"),
        Family::Query,
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'.",
    );
}

/// AWS shows the digest of a malformed header and not the header, which may hold a password.
#[test]
fn a_malformed_header_is_shown_as_its_digest() {
    let mut request = with_authorization("AWS4-HMAC-SHA256 SignedHeaders=host");
    request.headers.remove("x-amz-date");
    let message = refusal(&request, Family::Query, "sts").message(Family::Query).into_owned();
    let (sentences, digest) =
        message.split_once("(Hashed with SHA-256 and encoded with Base64) Authorization=").unwrap();
    assert_eq!(
        sentences,
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
         parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    );
    assert_eq!(digest.len(), 44);
    let secret = with_authorization("AWS4-HMAC-SHA256 my-password");
    for family in [Family::Query, Family::Json, Family::RestJson, Family::Ec2] {
        let error = refusal(&secret, family, "sts");
        assert!(!error.message(family).contains("my-password"), "{family:?}");
        assert!(!format!("{error} {error:?}").contains("my-password"), "{family:?}");
    }
}

#[test]
fn s3_answers_in_its_own_words_and_elements() {
    let says = |request: &Request, words: &str, elements: &[(&str, &str)]| {
        let error = refusal(request, Family::S3, "s3");
        assert_eq!(error.message(Family::S3), words);
        let found = error.details();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(found, elements);
    };
    says(
        &object(|signer| signer.region = "eu-west-1".into()),
        "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'",
        &[("Region", "us-east-1")],
    );
    says(
        &presigned(|signer| signer.region = "eu-west-1".into(), "300"),
        "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'us-east-1'",
        &[("Region", "us-east-1")],
    );
    says(
        &presigned(|signer| signer.service = "execute-api".into(), "300"),
        "Error parsing the X-Amz-Credential parameter; incorrect service \"execute-api\". \
         This endpoint belongs to \"s3\".",
        &[],
    );
    says(
        &object(|signer| *signer = signer.clone().dated(-3600)),
        "The difference between the request time and the current time is too large.",
        &[
            ("RequestTime", "20150830T113600Z"),
            ("ServerTime", "2015-08-30T12:36:00Z"),
            ("MaxAllowedSkewMilliseconds", "900000"),
        ],
    );
    says(
        &presigned(|signer| *signer = signer.clone().dated(-3600), "60"),
        "Request has expired",
        &[
            ("X-Amz-Expires", "60"),
            ("Expires", "2015-08-30T11:37:00Z"),
            ("ServerTime", "2015-08-30T12:36:00Z"),
        ],
    );
    says(
        &presigned(|signer| *signer = signer.clone().dated(3600), "60"),
        "Request is not yet valid",
        &[
            ("X-Amz-Date", "1440941760000"),
            ("Expires", "2015-08-30T13:37:00Z"),
            ("ServerTime", "2015-08-30T12:36:00Z"),
        ],
    );
    says(
        &object(|signer| signer.key_id = "AKIAUNKNOWN".into()),
        "The AWS Access Key Id you provided does not exist in our records.",
        &[("AWSAccessKeyId", "AKIAUNKNOWN")],
    );
    let mut unsigned = presigned(|_| {}, "300");
    unsigned.add("x-amz-tagging", "a=b");
    unsigned.add("x-amz-copy-source", "/b/secret");
    says(
        &unsigned,
        "There were headers present in the request which were not signed",
        &[("HeadersNotSigned", "x-amz-copy-source, x-amz-tagging")],
    );
    let mut bearer = object(|_| {});
    bearer.set("authorization", "Bearer secret-token");
    says(
        &bearer,
        "Unsupported Authorization Type",
        &[("ArgumentName", "Authorization"), ("ArgumentValue", "Bearer")],
    );
}

#[test]
fn s3_shows_what_it_compared_unless_a_token_is_in_it() {
    let error = refusal(&object(|signer| signer.secret = "wrong".into()), Family::S3, "s3");
    assert_eq!(error.code(Family::S3), ("SignatureDoesNotMatch", 403));
    let details = error.details();
    let value = |wanted: &str| {
        details.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str()).unwrap()
    };
    assert_eq!(value("AWSAccessKeyId"), KEY_ID);
    assert!(
        value("StringToSign")
            .starts_with("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/s3/aws4_request\n")
    );
    assert!(value("StringToSignBytes").starts_with("41 57 53 34 2d"));
    assert!(value("CanonicalRequest").starts_with("GET\n/bucket/obj\n\nhost:s3.example.com\n"));
    assert!(value("CanonicalRequestBytes").starts_with("47 45 54 0a 2f"));

    let session = object(|signer| {
        signer.key_id = SESSION_KEY_ID.into();
        signer.token = Some(SESSION_TOKEN.into());
        signer.secret = "wrong".into();
    });
    let error = refusal(&session, Family::S3, "s3");
    assert_eq!(error.code(Family::S3), ("SignatureDoesNotMatch", 403));
    assert!(
        error
            .details()
            .iter()
            .all(|(name, value)| *name != "CanonicalRequest" && !value.contains(SESSION_TOKEN))
    );
    assert!(!format!("{error:?} {error}").contains(SESSION_TOKEN));
}

/// A body is never left unverified because the wrong door was used for its service.
#[test]
fn the_wrong_door_lets_nobody_in() {
    use daypass_wire::sigv4::Claim;

    let request = request(|_| {});
    let claim = Claim::parse(request.head(), Family::Query).unwrap().unwrap();
    let key = claim.signing_key(SECRET.as_bytes());
    let through_s3s = claim.verify_head(&key, BodyKind::Object, &expected("sts"));
    assert!(matches!(through_s3s, Err(SigError::WrongBody)));

    let object = object(|_| {});
    let claim = Claim::parse(object.head(), Family::S3).unwrap().unwrap();
    let key = claim.signing_key(SECRET.as_bytes());
    let through_the_others = claim.verify(&key, b"", &expected("s3"));
    assert!(matches!(through_the_others, Err(SigError::WrongBody)));
    assert_eq!(SigError::WrongBody.code(Family::S3).1, 500);
}

#[test]
fn nothing_secret_is_printed() {
    use daypass_wire::sigv4::Claim;

    let session = object(|signer| {
        signer.key_id = SESSION_KEY_ID.into();
        signer.token = Some(SESSION_TOKEN.into());
    });
    let claim = Claim::parse(session.head(), Family::S3).unwrap().unwrap();
    let signature = session.authorization().rsplit_once('=').unwrap().1.to_owned();
    let (proof, payload) =
        claim.verify_head(&claim.signing_key(SECRET.as_bytes()), BodyKind::Object, &expected("s3")).unwrap();
    let printed = format!("{claim:?} {proof:?} {payload:?}");
    assert!(printed.contains(SESSION_KEY_ID));
    assert!(!printed.contains(SESSION_TOKEN) && !printed.contains(&signature) && !printed.contains(SECRET));
}
