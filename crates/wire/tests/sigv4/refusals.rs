//! Requests that must be refused, with AWS's code for each way of failing, and the ones beside them that must not.
//!
//! Each row has the id of the black-box probe that tries the same against a running server: `ctl` controls,
//! `hdr` header authentication, `net` host confusion, `s3h` S3's header authentication, `pre` presigned URLs,
//! `tok` session tokens.

use crate::support::*;
use daypass_wire::sigv4::{BodyKind, Claim, Family, SigError};

const GET_CALLER_IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn sts() -> Request {
    let mut request = Request::new("POST", "/")
        .header("host", "sts.example.com")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    request.body = GET_CALLER_IDENTITY.into();
    request
}

fn signed(tweak: impl FnOnce(&mut Signer)) -> Request {
    let mut request = sts();
    let mut signer = Signer::new("sts");
    tweak(&mut signer);
    signer.sign(&mut request);
    request
}

/// A good request, and its `Authorization` header rewritten.
fn rewritten(rewrite: impl FnOnce(String) -> String) -> Request {
    let mut request = signed(|_| {});
    let value = rewrite(request.authorization());
    request.set("authorization", &value);
    request
}

/// A good request, changed after it was signed.
fn changed(change: impl FnOnce(&mut Request)) -> Request {
    let mut request = signed(|_| {});
    change(&mut request);
    request
}

fn with_signature(rewrite: impl FnOnce(&str) -> String) -> Request {
    rewritten(|value| {
        let (start, signature) = value.split_once("Signature=").unwrap();
        format!("{start}Signature={}", rewrite(signature))
    })
}

fn check(family: Family, service: &str, cases: Vec<(&str, Request, &str, u16)>) {
    let mut wrong = Vec::new();
    for (id, request, code, status) in cases {
        let result = gate(&request, family, service, BodyKind::Object);
        if answer(&result, family) != (code, status) {
            wrong.push(format!("{id}: expected {code} {status}, got {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_requests_to_sts_are_accepted() {
    let get = |tweak: fn(&mut Signer)| {
        let mut request =
            Request::new("GET", &format!("/?{GET_CALLER_IDENTITY}")).header("host", "sts.example.com");
        let mut signer = Signer::new("sts");
        tweak(&mut signer);
        signer.presign(&mut request, "60");
        request
    };
    let with_header = |name: &str, values: &[&str]| {
        let mut request = sts();
        values.iter().for_each(|value| request.add(name, value));
        Signer::new("sts").sign(&mut request);
        request
    };
    let mut in_query =
        Request::new("GET", &format!("/?{GET_CALLER_IDENTITY}")).header("host", "sts.example.com");
    Signer::new("sts").sign(&mut in_query);
    let no_expiry = {
        let mut request =
            Request::new("GET", &format!("/?{GET_CALLER_IDENTITY}")).header("host", "sts.example.com");
        Signer::new("sts").presign(&mut request, "-");
        request
    };
    check(
        Family::Query,
        "sts",
        vec![
            ("ctl-01", signed(|_| {}), "OK", 200),
            ("ctl-02", in_query, "OK", 200),
            ("ctl-03", get(|_| {}), "OK", 200),
            ("ctl-04", signed(|signer| signer.s3 = false), "OK", 200),
            ("ctl-05", with_header("x-amz-meta-foo", &["  a   b   c  "]), "OK", 200),
            ("a tab is white space", with_header("x-amz-meta-foo", &["a\tb \t c"]), "OK", 200),
            ("ctl-06", with_header("x-amz-meta-dup", &["b", "a"]), "OK", 200),
            ("ctl-22", session(SESSION_TOKEN), "OK", 200),
            ("ctl-24", signed(|signer| *signer = signer.clone().dated(-240)), "OK", 200),
            ("ctl-25", signed(|signer| *signer = signer.clone().dated(240)), "OK", 200),
            ("ctl-27", rewritten(|value| value.replace(", ", ",")), "OK", 200),
            ("skew of exactly 15 minutes", signed(|s| *s = s.clone().dated(-900)), "OK", 200),
            ("an EKS token of 14 minutes", get(|s| *s = s.clone().dated(-14 * 60)), "OK", 200),
            ("presigned without an expiry", no_expiry, "OK", 200),
        ],
    );
}

#[test]
fn the_content_hash_of_other_services_may_be_stated_if_it_is_true() {
    let stated = |hash: &str| {
        let mut request = sts();
        request.add("x-amz-content-sha256", hash);
        Signer::new("sts").sign(&mut request);
        request
    };
    let body = sha256_hex(GET_CALLER_IDENTITY.as_bytes());
    let unhashed = {
        let mut request = sts().header("x-amz-content-sha256", EMPTY_SHA256);
        Signer { payload_hash: Some(String::new()), ..Signer::new("sts") }.sign(&mut request);
        request
    };
    check(
        Family::Query,
        "sts",
        vec![
            ("ctl-04", stated(&body), "OK", 200),
            ("hdr-16", stated(EMPTY_SHA256), "SignatureDoesNotMatch", 403),
            ("unsigned payload", stated("UNSIGNED-PAYLOAD"), "SignatureDoesNotMatch", 403),
            ("a false hash, and none signed", unhashed, "SignatureDoesNotMatch", 403),
        ],
    );
}

fn session(token: &str) -> Request {
    signed(|signer| {
        signer.key_id = SESSION_KEY_ID.into();
        signer.token = Some(token.into());
    })
}

const MISMATCH: (&str, u16) = ("SignatureDoesNotMatch", 403);
const INCOMPLETE: (&str, u16) = ("IncompleteSignature", 400);
const MISSING: (&str, u16) = ("MissingAuthenticationToken", 403);
const NO_KEY: (&str, u16) = ("InvalidClientTokenId", 403);

fn check_sts(cases: Vec<(&str, Request, (&str, u16))>) {
    check(
        Family::Query,
        "sts",
        cases.into_iter().map(|(id, request, (code, status))| (id, request, code, status)).collect(),
    );
}

#[test]
fn wrong_signatures_keys_and_bodies_are_refused_by_sts() {
    let flipped = |index: usize| {
        with_signature(|signature| {
            let mut digits: Vec<char> = signature.chars().collect();
            digits[index] = if digits[index] == '0' { '1' } else { '0' };
            digits.into_iter().collect()
        })
    };
    check_sts(vec![
        ("hdr-02", flipped(0), MISMATCH),
        ("hdr-03", flipped(63), MISMATCH),
        ("hdr-04", with_signature(|s| s[..63].into()), MISMATCH),
        ("hdr-05", with_signature(|_| String::new()), INCOMPLETE),
        ("hdr-06", with_signature(|_| "0".repeat(64)), MISMATCH),
        ("hdr-07", with_signature(|s| format!("{s}0")), MISMATCH),
        ("hdr-08", with_signature(|_| "q".repeat(43) + "="), MISMATCH),
        ("hdr-09", signed(|s| s.secret = format!("wrong{}", s.secret)), MISMATCH),
        ("hdr-10", signed(|s| s.secret.clear()), MISMATCH),
        ("hdr-11", signed(|s| s.key_id = "AKIAZZZZZZZZZZZZZZZZ".into()), NO_KEY),
        ("hdr-12", signed(|s| s.key_id = "akidexample".into()), NO_KEY),
        ("hdr-13", signed(|s| s.key_id.push_str("%00")), NO_KEY),
        ("hdr-14", signed(|s| s.key_id.clear()), NO_KEY),
        ("hdr-15", changed(|r| r.body.extend_from_slice(b"&X=1")), MISMATCH),
        ("hdr-17", changed(|r| r.method = "GET".into()), MISMATCH),
        ("hdr-18", changed(|r| r.query = Some("Action=GetSessionToken".into())), MISMATCH),
        ("hdr-19", changed(|r| r.set("content-type", "text/plain")), MISMATCH),
        ("hdr-51", signed(|s| s.key_id = "A'--*)(uid=*))<x>&".into()), NO_KEY),
        ("hdr-52", rewritten_with_key_of_yesterday(), MISMATCH),
        ("upper-case signature", with_signature(str::to_uppercase), MISMATCH),
        ("a signature of nothing", with_signature(|_| "-".repeat(64)), MISMATCH),
    ]);
}

fn rewritten_with_key_of_yesterday() -> Request {
    let yesterday = Signer { scope_date: amz_date(-86400)[..8].into(), ..Signer::new("sts") };
    let mut other = sts();
    let signature = yesterday.sign(&mut other);
    with_signature(|_| signature)
}

#[test]
fn unsigned_and_missing_headers_are_refused_by_sts() {
    let lacking = {
        let mut request = sts().header("x-amz-meta-foo", "1");
        Signer::new("sts").sign(&mut request);
        request.headers.remove("x-amz-meta-foo");
        request
    };
    let listed = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        signed(|signer| signer.signed = Some(names))
    };
    let list = |list: &str| {
        let list = list.to_owned();
        rewritten(move |value| {
            let (start, rest) = value.split_once("SignedHeaders=").unwrap();
            let (_, rest) = rest.split_once(',').unwrap();
            format!("{start}SignedHeaders={list},{rest}")
        })
    };
    let many: Vec<String> = (0..5000).map(|index| format!("a{index}")).collect();
    check_sts(vec![
        ("hdr-20", lacking, MISMATCH),
        ("hdr-21", listed(&["content-type", "x-amz-date"]), MISMATCH),
        ("hdr-22", changed(|r| r.add("x-amz-content-sha256", EMPTY_SHA256)), MISMATCH),
        ("hdr-23", list(""), MISMATCH),
        ("hdr-24", list("x-amz-date;host;content-type"), MISMATCH),
        ("hdr-25", list("host;content-type;host;x-amz-date"), MISMATCH),
        ("hdr-49", list(&many.join(";")), INCOMPLETE),
        ("a list signed unsorted", listed(&["host", "content-type", "x-amz-date"]), MISMATCH),
        ("a list signed with a name twice", listed(&["host", "host", "x-amz-date"]), MISMATCH),
        ("upper-case names", list("Content-Type;Host;X-Amz-Date"), MISMATCH),
        ("an empty name", list("content-type;;host;x-amz-date"), MISMATCH),
        ("unsigned x-amz-target", changed(|r| r.add("x-amz-target", "Other.Operation")), MISMATCH),
        ("x-amz-date unsigned", listed(&["content-type", "host"]), MISMATCH),
        ("unsigned x-custom", changed(|r| r.add("x-custom", "v")), ("OK", 200)),
        ("unsigned x-amzn-trace-id", changed(|r| r.add("x-amzn-trace-id", "v")), ("OK", 200)),
    ]);
}

#[test]
fn wrong_dates_and_scopes_are_refused_by_sts() {
    let at = |date: &str| {
        signed(|signer| {
            signer.amz_date = date.to_owned();
            signer.scope_date = date[..8].to_owned();
        })
    };
    check_sts(vec![
        ("hdr-26", signed(|s| *s = s.clone().dated(-16 * 60)), MISMATCH),
        ("hdr-27", signed(|s| *s = s.clone().dated(16 * 60)), MISMATCH),
        ("hdr-28", at("19700101T000000Z"), MISMATCH),
        ("hdr-29", at("99991231T235959Z"), MISMATCH),
        ("hdr-30", at("20261399T999999Z"), INCOMPLETE),
        ("before the epoch", at("19500101T000000Z"), INCOMPLETE),
        ("hdr-31", signed(|s| s.scope_date = amz_date(-86400)[..8].into()), MISMATCH),
        ("hdr-32", signed(|s| s.scope_date.push('1')), MISMATCH),
        ("hdr-33", changed(|r| drop(r.headers.remove("x-amz-date"))), INCOMPLETE),
        ("hdr-34", signed(|s| s.terminator.push('X')), MISMATCH),
        ("hdr-35", signed(|s| s.service = "iam".into()), MISMATCH),
        ("hdr-36", signed(|s| s.region.clear()), MISMATCH),
        ("hdr-37", rewritten(|value| value.replace("/aws4_request", "")), INCOMPLETE),
        ("hdr-38", rewritten(|value| value.replace("/aws4_request", "/x/aws4_request")), INCOMPLETE),
        ("another region", signed(|s| s.region = "eu-west-1".into()), MISMATCH),
        ("svc-01", signed(|s| s.service = "s3".into()), MISMATCH),
    ]);
}

#[test]
fn malformed_authorization_headers_are_refused_by_sts() {
    let scope = Signer::new("sts").scope();
    let twice = |first_forged: bool| {
        changed(|request| {
            let good = request.authorization();
            let (start, _) = good.split_once("Signature=").unwrap();
            let forged = format!("{start}Signature={}", "0".repeat(64));
            let (first, second) = if first_forged { (forged, good) } else { (good, forged) };
            request.set("authorization", &first);
            request.add("authorization", &second);
        })
    };
    let not_text = changed(|request| {
        let value = http::HeaderValue::from_bytes(b"AWS4-HMAC-SHA256 Credential=\xff\xfe/x").unwrap();
        request.headers.insert("authorization", value);
    });
    check_sts(vec![
        ("hdr-39", signed(|s| s.algorithm = "AWS4-HMAC-SHA1".into()), INCOMPLETE),
        ("hdr-40", rewritten(|v| v.replace("AWS4-HMAC-SHA256 ", "aws4-hmac-sha256 ")), MISSING),
        ("hdr-41", rewritten(|v| v.replace("AWS4-HMAC-SHA256 ", "none ")), MISSING),
        ("hdr-42", rewritten(|_| "Basic QUtJREVYQU1QTEU6c2VjcmV0".into()), MISSING),
        ("hdr-43", rewritten(|_| format!("Bearer {KEY_ID}")), MISSING),
        (
            "hdr-44",
            rewritten(|v| v.replacen("Credential=", &format!("Credential=AKIAZZZZ/{scope}, Credential="), 1)),
            INCOMPLETE,
        ),
        ("hdr-45", rewritten(|v| format!("{v}, Signature={}", "0".repeat(64))), INCOMPLETE),
        ("hdr-46", twice(true), INCOMPLETE),
        ("hdr-47", twice(false), INCOMPLETE),
        ("hdr-48", rewritten(|v| format!("{v}, X={}", "A".repeat(100_000))), INCOMPLETE),
        ("hdr-50", not_text, INCOMPLETE),
        ("an unknown component", rewritten(|v| format!("{v}, X=1")), INCOMPLETE),
        ("no equal sign", rewritten(|v| v.replace("Credential=", "Credential")), INCOMPLETE),
        ("no components", rewritten(|_| "AWS4-HMAC-SHA256".into()), INCOMPLETE),
        ("sigv4a", rewritten(|v| v.replace("HMAC-SHA256", "ECDSA-P256-SHA256")), INCOMPLETE),
        ("an empty header", rewritten(|_| String::new()), MISSING),
        ("an access key id of 129 letters", signed(|s| s.key_id = "A".repeat(129)), INCOMPLETE),
    ]);
}

#[test]
fn a_request_without_any_authentication_is_anonymous() {
    for family in [Family::Query, Family::Ec2, Family::Json, Family::RestJson, Family::S3] {
        let request = sts();
        assert!(Claim::parse(request.head(), family).unwrap().is_none());
    }
    assert_eq!(SigError::MissingAuthentication.code(Family::Query), MISSING);
}

#[test]
fn the_host_is_the_requests_own() {
    let forwarded = {
        let mut request = sts();
        request.set("host", "sts.amazonaws.com");
        Signer::new("sts").sign(&mut request);
        request.set("host", "sts.example.com");
        request.add("x-forwarded-host", "sts.amazonaws.com");
        request
    };
    let user_alone = {
        let mut request = sts();
        request.set("host", "x@sts.example.com");
        Signer::new("sts").sign(&mut request);
        request.headers.remove("host");
        request.authority = Some("x@sts.example.com".into());
        request
    };
    let over_http2 = changed(|request| {
        request.headers.remove("host");
        request.authority = Some("sts.example.com".into());
    });
    check_sts(vec![
        ("net-01", changed(|r| r.set("host", "evil.example.com")), MISMATCH),
        (
            "net-02",
            changed(|r| {
                r.set("host", "evil.example.com");
                r.add("x-forwarded-host", "sts.example.com");
            }),
            MISMATCH,
        ),
        ("net-03", forwarded, MISMATCH),
        ("net-04", changed(|r| r.add("host", "evil.example.com")), MISMATCH),
        ("net-12", changed(|r| r.authority = Some("evil.example.com".into())), MISMATCH),
        ("authority with a user", changed(|r| r.authority = Some("x@sts.example.com".into())), MISMATCH),
        ("a user in the authority alone", user_alone, MISMATCH),
        ("authority and host agree", changed(|r| r.authority = Some("STS.example.com".into())), ("OK", 200)),
        ("authority alone", over_http2, ("OK", 200)),
    ]);
}

#[test]
fn session_tokens_are_signed_and_bounded() {
    let without = signed(|signer| signer.key_id = SESSION_KEY_ID.into());
    let unsigned = {
        let mut request = without.clone();
        request.add("x-amz-security-token", SESSION_TOKEN);
        request
    };
    let foreign = signed(|signer| signer.token = Some(SESSION_TOKEN.into()));
    let garbage = signed(|signer| signer.token = Some("garbage".repeat(10)));
    let twice = {
        let mut request = session(SESSION_TOKEN);
        request.add("x-amz-security-token", "other");
        request
    };
    check_sts(vec![
        ("tok-01", without, NO_KEY),
        ("tok-02", session(&SESSION_TOKEN.replace("EXAMPLE", "EXAMPLF")), NO_KEY),
        ("tok-03", session(&SESSION_TOKEN[..10]), NO_KEY),
        ("tok-04", session(""), NO_KEY),
        ("tok-05", session(&format!("{SESSION_TOKEN}{}", "A".repeat(100_000))), NO_KEY),
        ("tok-06", unsigned, MISMATCH),
        ("tok-07", foreign, NO_KEY),
        ("tok-08", garbage, NO_KEY),
        ("a token twice", twice, NO_KEY),
        ("an expired token", session(EXPIRED_TOKEN), ("ExpiredToken", 403)),
    ]);
}

#[test]
fn presigned_requests_to_sts_are_held_to_their_action_and_to_15_minutes() {
    let presigned = |seconds: i64| {
        let mut request =
            Request::new("GET", &format!("/?{GET_CALLER_IDENTITY}")).header("host", "sts.example.com");
        Signer::new("sts").dated(seconds).presign(&mut request, "60");
        request
    };
    let altered = |alter: &dyn Fn(&mut Request)| {
        let mut request = presigned(0);
        alter(&mut request);
        request
    };
    let query = |alter: &dyn Fn(&str) -> String| {
        altered(&|request| request.query = request.query.as_deref().map(alter))
    };
    check_sts(vec![
        ("pre-33", query(&|q| q.replace("GetCallerIdentity", "GetSessionToken")), MISMATCH),
        ("pre-34", query(&|q| format!("{q}&Action=GetSessionToken")), MISMATCH),
        (
            "pre-35",
            altered(&|request| {
                request.method = "POST".into();
                request.body = b"Action=GetSessionToken&Version=2011-06-15".to_vec();
            }),
            MISMATCH,
        ),
        ("a body", altered(&|request| request.body = b"x".to_vec()), MISMATCH),
        ("older than 15 minutes", presigned(-16 * 60), MISMATCH),
        ("newer than 15 minutes", presigned(16 * 60), MISMATCH),
        ("half a signature", query(&|q| q.replace("X-Amz-Signature=", "Other=")), INCOMPLETE),
        ("a signature alone", query(&|_| "X-Amz-Signature=abc".into()), INCOMPLETE),
        ("two signatures", query(&|q| format!("{q}&X-Amz-Signature=abc")), INCOMPLETE),
        ("an escaped second one", query(&|q| format!("{q}&X-Amz-Signatur%65=abc")), INCOMPLETE),
        ("broken escape", query(&|q| format!("{q}&a=%z1")), ("MalformedQueryString", 404)),
        ("escape cut short", query(&|q| format!("{q}&a=%2")), ("MalformedQueryString", 404)),
        ("too long", query(&|q| format!("{q}&{}", "a&".repeat(40_000))), INCOMPLETE),
        ("both forms", altered(&|request| Signer::new("sts").sign(request).clear()), MISMATCH),
    ]);
}

// S3

fn object(method: &str, target: &str) -> Request {
    Request::new(method, target).header("host", "s3.example.com")
}

fn s3(method: &str, target: &str, tweak: impl FnOnce(&mut Signer)) -> Request {
    let mut request = object(method, target);
    if method == "PUT" {
        request.body = b"good!".to_vec();
    }
    let mut signer = Signer::new("s3");
    tweak(&mut signer);
    signer.sign(&mut request);
    request
}

fn s3_changed(method: &str, target: &str, change: impl FnOnce(&mut Request)) -> Request {
    let mut request = s3(method, target, |_| {});
    change(&mut request);
    request
}

fn s3_rewritten(rewrite: impl FnOnce(String) -> String) -> Request {
    s3_changed("GET", "/bucket/obj", |request| {
        let value = rewrite(request.authorization());
        request.set("authorization", &value);
    })
}

/// A component of the header, or nothing, in place of the one with this name.
fn component(name: &str, other: &str) -> Request {
    let (name, other) = (format!("{name}="), other.to_owned());
    s3_rewritten(move |value| {
        let (algorithm, rest) = value.split_once(' ').unwrap();
        let components = rest.split(", ").map(|c| if c.starts_with(&name) { other.as_str() } else { c });
        let kept: Vec<_> = components.filter(|component| !component.is_empty()).collect();
        format!("{algorithm} {}", kept.join(", "))
    })
}

const DENIED: (&str, u16) = ("AccessDenied", 403);
const MALFORMED: (&str, u16) = ("AuthorizationHeaderMalformed", 400);
const ARGUMENT: (&str, u16) = ("InvalidArgument", 400);
const REQUEST: (&str, u16) = ("InvalidRequest", 400);
const QUERY: (&str, u16) = ("AuthorizationQueryParametersError", 400);

fn check_s3(cases: Vec<(&str, Request, (&str, u16))>) {
    check(
        Family::S3,
        "s3",
        cases.into_iter().map(|(id, request, (code, status))| (id, request, code, status)).collect(),
    );
}

#[test]
fn good_requests_to_s3_are_accepted() {
    let put = |target: &str| s3("PUT", target, |_| {});
    check_s3(vec![
        ("ctl-07", s3("GET", "/bucket?prefix=&max-keys=5&list-type=2", |_| {}), ("OK", 200)),
        ("ctl-08", s3("GET", "/bucket/obj", |_| {}), ("OK", 200)),
        (
            "ctl-09",
            s3("PUT", "/bucket/up", |s| s.payload_hash = Some("UNSIGNED-PAYLOAD".into())),
            ("OK", 200),
        ),
        ("ctl-10", put("/bucket/a%20b%2Bc~d%3De%27f%22%28g%29%21%2A%3B%3A%40%26%24%2C"), ("OK", 200)),
        ("ctl-11", put("/bucket/%D0%B4/%E6%97%A5/%C3%A9"), ("OK", 200)),
        ("ctl-12", put("/bucket/a%252Fb%2525"), ("OK", 200)),
        ("ctl-13", put("/bucket/dir//sub///x"), ("OK", 200)),
        ("ctl-28", s3("GET", "/bucket?location", |_| {}), ("OK", 200)),
        (
            "ctl-29",
            s3_changed("PUT", "/bucket/ct", |request| {
                request.add("content-type", "text/plain");
                request.add("x-custom-header", "v");
            }),
            ("OK", 200),
        ),
        ("ctl-30", s3_changed("PUT", "/bucket/exp", |r| r.add("expect", "100-continue")), ("OK", 200)),
        ("lower-case escapes, signed as sent", put("/bucket/%ff%fe"), ("OK", 200)),
        (
            "reserved characters sent bare, signed escaped",
            s3("PUT", "/bucket/dt=2024:a(b)", |s| s.sign_path = Some("/bucket/dt%3D2024%3Aa%28b%29".into())),
            ("OK", 200),
        ),
        (
            "content hash outside the list",
            s3("GET", "/bucket/obj", |s| s.signed = Some(vec!["host".into(), "x-amz-date".into()])),
            ("OK", 200),
        ),
        (
            "a header signed empty and left out",
            {
                let mut request = object("GET", "/bucket/obj").header("transfer-encoding", "");
                Signer::new("s3").sign(&mut request);
                request.headers.remove("transfer-encoding");
                request
            },
            ("OK", 200),
        ),
    ]);
}

#[test]
fn forged_requests_to_s3_are_refused() {
    let add = |name: &'static str, value: &'static str| {
        s3_changed("PUT", "/bucket/f", move |request| request.add(name, value))
    };
    let mut listed = s3("GET", "/bucket?list-type=2&prefix=a", |_| {});
    listed.query = Some("list-type=2&prefix=a&prefix=b".into());
    let mut reencoded = s3("GET", "/bucket?prefix=a%2Bb", |_| {});
    reencoded.query = Some("prefix=a%20b".into());
    let mut plus = s3("GET", "/bucket?prefix=a%2Bb", |_| {});
    plus.query = Some("prefix=a+b".into());
    check_s3(vec![
        (
            "s3h-03",
            s3_changed("PUT", "/bucket/f", |r| {
                let (start, _) =
                    r.authorization().split_once("Signature=").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
                r.set("authorization", &format!("{start}Signature={}", "0".repeat(64)));
            }),
            MISMATCH,
        ),
        ("s3h-04", s3("GET", "/bucket/obj", |s| s.key_id = "AKIAZZZZ".into()), ("InvalidAccessKeyId", 403)),
        (
            "s3h-05",
            s3_changed("PUT", "/b/f", |r| r.body = b"evil!".to_vec()),
            ("XAmzContentSHA256Mismatch", 400),
        ),
        ("s3h-06", s3_changed("PUT", "/b/f", |r| drop(r.headers.remove("x-amz-content-sha256"))), REQUEST),
        ("s3h-07", s3("PUT", "/b/f", |s| s.payload_hash = Some("deadbeef".into())), ARGUMENT),
        (
            "s3h-08",
            s3_changed("PUT", "/b/f", |r| r.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
            MISMATCH,
        ),
        ("s3h-09", add("x-amz-acl", "public-read"), DENIED),
        ("s3h-10", add("x-amz-meta-evil", "1"), DENIED),
        ("s3h-11", add("x-amz-copy-source", "/bucket/obj"), DENIED),
        ("unsigned content-md5", add("content-md5", "rL0Y20zC+Fzt72VPzMSk2A=="), DENIED),
        (
            "s3h-12",
            s3("GET", "/b/o", |s| s.signed = Some(vec!["x-amz-content-sha256".into(), "x-amz-date".into()])),
            DENIED,
        ),
        ("s3h-18", s3_changed("GET", "/bucket/obj", |r| r.path = "/bucket//obj".into()), MISMATCH),
        ("s3h-19", s3_changed("GET", "/bucket/obj", |r| r.path = "/bucket/x/../obj".into()), MISMATCH),
        ("s3h-20", s3("GET", "/b/a%20b", |s| s.sign_path = Some("/b/a%2520b".into())), MISMATCH),
        ("s3h-21", listed, MISMATCH),
        ("s3h-22", reencoded, MISMATCH),
        ("a plus is a space", plus, MISMATCH),
        (
            "an escaped slash is not a slash",
            s3_changed("GET", "/b/a/c", |r| r.path = "/b/a%2Fc".into()),
            MISMATCH,
        ),
        ("net-05", s3_changed("GET", "/bucket/obj", |r| r.path = "/bucket/nope".into()), MISMATCH),
        (
            "s3h-36",
            s3("GET", "/b/o", |s| s.signed = Some(vec!["host".into(), "x-amz-content-sha256".into()])),
            DENIED,
        ),
        ("s3h-37", s3_changed("GET", "/b/o", |r| r.add("x-amz-security-token", &"A".repeat(200))), DENIED),
        (
            "broken escape in the query",
            s3_changed("GET", "/b/o", |r| r.query = Some("a=%zz".into())),
            ("InvalidURI", 400),
        ),
    ]);
}

#[test]
fn malformed_authentication_is_refused_in_s3s_words() {
    let scope = Signer::new("s3").scope();
    check_s3(vec![
        ("s3h-13", s3("GET", "/b/o", |s| *s = s.clone().dated(-960)), ("RequestTimeTooSkewed", 403)),
        ("s3h-14", s3("GET", "/b/o", |s| *s = s.clone().dated(960)), ("RequestTimeTooSkewed", 403)),
        ("s3h-15", s3("GET", "/b/o", |s| s.service = "ec2".into()), MALFORMED),
        ("s3h-16", s3("GET", "/b/o", |s| s.terminator = "aws5".into()), MALFORMED),
        ("s3h-17", s3("GET", "/b/o", |s| s.scope_date = "20200101".into()), MALFORMED),
        ("another region", s3("GET", "/b/o", |s| s.region = "eu-west-1".into()), MALFORMED),
        ("s3h-23", s3_rewritten(|_| format!("AWS {KEY_ID}:c2lnbmF0dXJl")), REQUEST),
        ("s3h-27", s3_rewritten(|_| "invalid_header".into()), ARGUMENT),
        ("s3h-28", s3_rewritten(|v| v.replace("AWS4-HMAC-SHA256", "AWS2-HMAC-SHA1")), ARGUMENT),
        ("s3h-29", component("Credential", ""), MALFORMED),
        ("s3h-30", component("SignedHeaders", ""), MALFORMED),
        ("s3h-31", component("Signature", ""), MALFORMED),
        ("s3h-32", component("Credential", "Credential"), MALFORMED),
        ("two equal signs", component("Signature", "Signature=abc="), MALFORMED),
        ("s3h-33", component("Credential", &format!("Credential={KEY_ID}/20260101/x")), MALFORMED),
        (
            "s3h-34",
            component("Credential", &format!("Credential={KEY_ID}/32234Z34/us-east-1/s3/aws4_request")),
            MALFORMED,
        ),
        ("a component twice", component("SignedHeaders", &format!("Credential={KEY_ID}/{scope}")), MALFORMED),
        ("s3h-35", s3_changed("GET", "/b/o", |r| drop(r.headers.remove("x-amz-date"))), DENIED),
        ("an invalid date", s3_changed("GET", "/b/o", |r| r.set("x-amz-date", "03032006")), DENIED),
        ("an empty header", s3_rewritten(|_| String::new()), DENIED),
        ("hdr-48", s3_rewritten(|v| v + &"A".repeat(9000)), ("RequestHeaderSectionTooLarge", 400)),
        (
            "chunks signed with sigv4a",
            s3("PUT", "/b/o", |s| s.payload_hash = Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD".into())),
            ("NotImplemented", 501),
        ),
        ("chk-17", component("SignedHeaders", "SignedHeaders=invalidheader"), DENIED),
    ]);
}

#[test]
fn a_date_header_stands_in_for_x_amz_date() {
    let by_date = |value: &str| {
        let mut request = s3("GET", "/b/o", |s| {
            s.signed = Some(vec!["date".into(), "host".into()]);
        });
        request.headers.remove("x-amz-date");
        request.headers.remove("authorization");
        request.headers.remove("x-amz-content-sha256");
        request.add("date", value);
        let signer = Signer { signed: Some(vec!["date".into(), "host".into()]), ..Signer::new("s3") };
        signer.sign(&mut request);
        request.headers.remove("x-amz-date");
        request
    };
    check_s3(vec![
        ("basic format", by_date(&amz_date(0)), ("OK", 200)),
        ("http format", by_date("Sun, 30 Aug 2015 12:36:00 GMT"), ("OK", 200)),
        ("another second", by_date("Sun, 30 Aug 2015 12:36:01 GMT"), MISMATCH),
        ("no date", by_date("today"), DENIED),
    ]);
}

fn presigned(tweak: impl FnOnce(&mut Signer), expires: &str) -> Request {
    let mut request = object("GET", "/bucket/obj");
    let mut signer = Signer::new("s3");
    tweak(&mut signer);
    signer.presign(&mut request, expires);
    request
}

fn presigned_changed(change: impl FnOnce(&mut Request)) -> Request {
    let mut request = presigned(|_| {}, "300");
    change(&mut request);
    request
}

fn requeried(alter: impl FnOnce(String) -> String) -> Request {
    presigned_changed(|request| request.query = request.query.take().map(alter))
}

fn without(name: &str) -> Request {
    requeried(|query| {
        let kept: Vec<_> = query.split('&').filter(|p| !p.starts_with(&format!("{name}="))).collect();
        kept.join("&")
    })
}

#[test]
fn good_presigned_urls_are_accepted() {
    let with_type = {
        let mut request = object("PUT", "/bucket/pp").header("content-type", "text/x");
        Signer::new("s3").presign(&mut request, "300");
        request.body = b"1".to_vec();
        request
    };
    let hashed = {
        let mut request = object("PUT", "/bucket/pp");
        request.body = b"signed body".to_vec();
        let hash = sha256_hex(&request.body);
        request.query = Some(format!("X-Amz-Content-Sha256={hash}"));
        Signer { payload_hash: Some(hash), ..Signer::new("s3") }.presign(&mut request, "300");
        request
    };
    let session = presigned(
        |signer| {
            signer.key_id = SESSION_KEY_ID.into();
            signer.token = Some(SESSION_TOKEN.into());
        },
        "300",
    );
    check_s3(vec![
        ("ctl-14", presigned(|_| {}, "300"), ("OK", 200)),
        ("ctl-15", with_type, ("OK", 200)),
        ("ctl-16", presigned(|_| {}, "604800"), ("OK", 200)),
        ("ctl-23", session, ("OK", 200)),
        ("six days old", presigned(|s| *s = s.clone().dated(-6 * 86400), "604800"), ("OK", 200)),
        ("a clock ten minutes ahead", presigned(|s| *s = s.clone().dated(600), "60"), ("OK", 200)),
        ("at its last second", presigned(|s| *s = s.clone().dated(-60), "60"), ("OK", 200)),
        ("a signed hash", hashed, ("OK", 200)),
        (
            "unsigned payload stated in an unsigned header",
            presigned_changed(|r| r.add("x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
            ("OK", 200),
        ),
    ]);
}

#[test]
fn bad_presigned_urls_are_refused() {
    let expiring = |expires: &str| presigned(|_| {}, expires);
    let old = |expires: &str| presigned(|s| *s = s.clone().dated(-3600), expires);
    let raised = {
        let mut request = old("60");
        request.query = request.query.map(|q| q.replace("X-Amz-Expires=60", "X-Amz-Expires=86400"));
        request
    };
    check_s3(vec![
        ("pre-01", old("60"), DENIED),
        ("pre-02", presigned(|s| *s = s.clone().dated(-62), "60"), DENIED),
        ("pre-03", raised, MISMATCH),
        ("pre-04", expiring("604801"), QUERY),
        ("pre-05", expiring("-1"), QUERY),
        ("pre-06", expiring("1e5"), QUERY),
        ("pre-07", expiring("99999999999999999999"), QUERY),
        ("pre-08", expiring("-"), QUERY),
        ("an expiry of zero", expiring("0"), DENIED),
        ("pre-09", without("X-Amz-Date"), QUERY),
        ("pre-10", presigned(|s| *s = s.clone().dated(3600), "300"), DENIED),
        ("pre-11", requeried(|q| q.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=x")), DENIED),
        ("pre-12", without("X-Amz-Algorithm"), QUERY),
        ("pre-13", presigned(|s| s.algorithm = "AWS4-HMAC-MD5".into(), "300"), QUERY),
        ("pre-14", without("X-Amz-Signature"), QUERY),
        ("pre-15", requeried(|q| q.split_at(q.len() - 64).0.to_owned() + &"0".repeat(64)), MISMATCH),
        ("pre-16", presigned_changed(|r| r.method = "PUT".into()), MISMATCH),
        ("pre-17", presigned_changed(|r| r.method = "DELETE".into()), MISMATCH),
        ("pre-18", presigned_changed(|r| r.path = "/bucket/other".into()), MISMATCH),
        ("pre-19", presigned_changed(|r| r.path = "/bucket/obj/../obj".into()), MISMATCH),
        ("pre-20", requeried(|q| q + "&versionId=null"), MISMATCH),
        ("pre-21", requeried(|q| format!("acl&{q}")), MISMATCH),
        ("pre-22", requeried(|q| q + "&response-content-disposition=attachment"), MISMATCH),
        (
            "pre-23",
            requeried(|q| q.replace("X-Amz-Signature=", "X-Amz-Signature=00&X-Amz-Signature=")),
            QUERY,
        ),
        ("pre-24", requeried(|q| q + "&X-Amz-Expires=86400"), QUERY),
        ("pre-25", presigned_changed(|r| r.add("x-amz-tagging", "a=b")), DENIED),
        ("pre-26", presigned_changed(|r| r.add("x-amz-security-token", &"x".repeat(40))), DENIED),
        ("pre-27", presigned_changed(|r| Signer::new("s3").sign(r).clear()), ARGUMENT),
        ("pre-28", presigned(|s| s.service = "sts".into(), "300"), QUERY),
        (
            "pre-29",
            requeried(|q| q.replace(&encode(Signer::new("s3").scope().as_bytes(), false), "x")),
            QUERY,
        ),
        ("pre-30", presigned(|s| s.key_id = "AKIAZZZZ".into(), "300"), ("InvalidAccessKeyId", 403)),
        ("pre-31", presigned_changed(|r| r.set("host", "evil.example.com")), MISMATCH),
        (
            "pre-32",
            {
                let mut request = object("PUT", "/bucket/p32").header("content-type", "text/x");
                Signer::new("s3").presign(&mut request, "300");
                request.headers.remove("content-type");
                request
            },
            MISMATCH,
        ),
        ("another region", presigned(|s| s.region = "eu-west-1".into(), "300"), QUERY),
        (
            "a hash stated in an unsigned header",
            presigned_changed(|r| r.add("x-amz-content-sha256", EMPTY_SHA256)),
            MISMATCH,
        ),
        ("presigned copy source", presigned_changed(|r| r.add("x-amz-copy-source", "/b/secret")), DENIED),
        ("chk-18", object("PUT", "/b/o?X-Amz-Credential=AKIDEXAMPLE%2F20150830"), QUERY),
        ("a date alone", object("GET", "/b/o?X-Amz-Date=20150830T123600Z"), QUERY),
    ]);
}

#[test]
fn session_tokens_of_presigned_urls_are_signed() {
    let session = |signer: &mut Signer| {
        signer.key_id = SESSION_KEY_ID.into();
        signer.token = Some(SESSION_TOKEN.into());
    };
    let removed = {
        let mut request = presigned(session, "300");
        let query = request.query.take().unwrap();
        let kept: Vec<_> = query.split('&').filter(|p| !p.starts_with("X-Amz-Security-Token=")).collect();
        request.query = Some(kept.join("&"));
        request
    };
    let appended = {
        let mut request = presigned(|s| s.key_id = SESSION_KEY_ID.into(), "300");
        let token = encode(SESSION_TOKEN.as_bytes(), false);
        request.query = request.query.map(|query| format!("{query}&X-Amz-Security-Token={token}"));
        request
    };
    let altered = presigned(
        |signer| {
            session(signer);
            signer.token = Some("altered".into());
        },
        "300",
    );
    let header = s3("GET", "/b/o", |signer| {
        session(signer);
        signer.token = Some("altered".into());
    });
    check_s3(vec![
        ("tok-10", s3("GET", "/b/o", |s| s.key_id = SESSION_KEY_ID.into()), ("InvalidAccessKeyId", 403)),
        ("tok-11", header, ("InvalidToken", 400)),
        ("tok-11 presigned", altered, ("InvalidToken", 400)),
        ("tok-12", removed, ("InvalidAccessKeyId", 403)),
        ("tok-13", appended, MISMATCH),
        (
            "an expired token",
            s3("GET", "/b/o", |signer| {
                session(signer);
                signer.token = Some(EXPIRED_TOKEN.into());
            }),
            ("ExpiredToken", 400),
        ),
    ]);
}
