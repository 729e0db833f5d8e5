//! AWS's signing test suite: each case's canonical request, string to sign and signature must come out.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{EMPTY_SHA256, REGION, Request, expected, now};
use daypass_wire::sigv4::{BodyKind, Claim, Expected, Family, Mismatch, SigError, SigningKey, Verified};
use serde_json::Value;

struct Case {
    name: String,
    directory: PathBuf,
    context: Value,
}

impl Case {
    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.directory.join(file)).unwrap()
    }

    fn normalises(&self) -> bool {
        self.context["normalize"].as_bool().unwrap()
    }

    fn has_token(&self) -> bool {
        self.context["credentials"]["token"].is_string()
    }

    /// Whether the token was added after signing, which we refuse.
    fn token_unsigned(&self) -> bool {
        self.context["omit_session_token"].as_bool().unwrap_or(false)
    }

    /// The suite signs unnormalised paths for services that do it as S3 does. S3 itself names its payload's
    /// hash in a header, which may stay unsigned.
    fn family(&self) -> Family {
        if self.normalises() { Family::Query } else { Family::S3 }
    }

    fn request(&self, form: &str) -> Request {
        let mut request = parse(&self.read(&format!("{form}-signed-request.txt")));
        if self.family() == Family::S3 {
            request.set("x-amz-content-sha256", EMPTY_SHA256);
        }
        request
    }

    fn verify(&self, request: &Request, secret: &str) -> Result<Verified, SigError> {
        let claim = Claim::parse(request.head(), self.family())?.unwrap();
        let key = SigningKey::derive(secret.as_bytes(), claim.date(), claim.region(), claim.service());
        let expected = expected("service");
        match self.family() {
            Family::S3 => claim.verify_head(&key, BodyKind::Document, &expected).map(|(proof, _)| proof),
            _ => claim.verify(&key, &request.body, &expected),
        }
    }

    fn secret(&self) -> &str {
        self.context["credentials"]["secret_access_key"].as_str().unwrap()
    }

    fn mismatch(&self, request: &Request) -> Mismatch {
        match self.verify(request, "another secret") {
            Err(SigError::Mismatch(mismatch)) => *mismatch,
            other => panic!("{}: {other:?}", self.name),
        }
    }
}

fn suite() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/aws-signing-test-suite/v4");
    let mut cases: Vec<Case> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|directory| directory.join("context.json").exists())
        .map(|directory| Case {
            name: directory.file_name().unwrap().to_str().unwrap().to_owned(),
            context: serde_json::from_slice(&fs::read(directory.join("context.json")).unwrap()).unwrap(),
            directory,
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(cases.len(), 38);
    cases
}

/// Reads a request as the suite writes it: a target may hold spaces, and a header may be folded.
pub(crate) fn parse(text: &str) -> Request {
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let line = lines.next().unwrap();
    let (method, rest) = line.split_once(' ').unwrap();
    let mut request = Request::new(method, rest.strip_suffix(" HTTP/1.1").unwrap_or(rest));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with(' ') {
            let value = &mut headers.last_mut().unwrap().1;
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    for (name, value) in headers {
        request.add(&name, &value);
    }
    // The empty line that ends a head is sometimes doubled.
    request.body = body.trim_start_matches('\n').as_bytes().to_vec();
    request
}

#[test]
fn signatures_in_the_authorization_header_verify() {
    for case in suite() {
        let mut request = case.request("header");
        if case.token_unsigned() {
            let refused = case.verify(&request, case.secret());
            assert!(matches!(refused, Err(SigError::HeadersNotSigned { .. })), "{}: {refused:?}", case.name);
            request.headers.remove("x-amz-security-token");
        }
        let proof = case.verify(&request, case.secret());
        assert_eq!(proof.expect(&case.name).access_key_id(), "AKIDEXAMPLE");
    }
}

#[test]
fn signatures_in_the_query_verify() {
    for case in suite() {
        let mut request = case.request("query");
        if case.token_unsigned() {
            let refused = case.verify(&request, case.secret());
            assert!(matches!(refused, Err(SigError::Mismatch(_))), "{}: {refused:?}", case.name);
            let query = request.query.take().unwrap();
            let kept: Vec<_> = query.split('&').filter(|p| !p.starts_with("X-Amz-Security-Token=")).collect();
            request.query = Some(kept.join("&"));
        }
        let proof = case.verify(&request, case.secret());
        assert_eq!(proof.expect(&case.name).access_key_id(), "AKIDEXAMPLE");
    }
}

#[test]
fn canonical_requests_and_strings_to_sign_come_out() {
    let mut shown = 0;
    for case in suite().iter().filter(|case| !case.token_unsigned()) {
        for form in ["header", "query"] {
            let mismatch = case.mismatch(&case.request(form));
            assert_eq!(
                mismatch.string_to_sign,
                case.read(&format!("{form}-string-to-sign.txt")),
                "{} {form}",
                case.name
            );
            assert_eq!(
                mismatch.signature_provided,
                case.read(&format!("{form}-signature.txt")),
                "{} {form}",
                case.name
            );
            assert_eq!(mismatch.canonical_request.is_none(), case.has_token(), "{} {form}", case.name);
            if let Some(canonical) = mismatch.canonical_request {
                shown += 1;
                let wanted = case.read(&format!("{form}-canonical-request.txt"));
                assert_eq!(canonical, wanted, "{} {form}", case.name);
            }
        }
    }
    assert_eq!(shown, 2 * 35);
}

/// smithy-rs's own two cases, in another format: an escaped path is escaped again outside S3.
#[test]
fn an_escaped_path_is_escaped_again() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/aws-signing-test-suite/v4");
    for name in ["double-encode-path", "double-url-encode"] {
        let read = |file: &str| fs::read_to_string(root.join(name).join(file)).unwrap();
        let request = parse(&read("header-signed-request.txt"));
        let claim = Claim::parse(request.head(), Family::Query).unwrap().unwrap();
        let (service, region) = (claim.service().to_owned(), claim.region().to_owned());
        let day = if name == "double-url-encode" {
            time::macros::datetime!(2021-05-11 15:40:45 UTC)
        } else {
            now()
        };
        let expected = Expected {
            service: &service,
            regions: &|found| found == region,
            home_region: REGION,
            bucket_in_host: None,
            now: day,
        };
        let key = SigningKey::derive(b"another secret", claim.date(), claim.region(), claim.service());
        let Err(SigError::Mismatch(mismatch)) = claim.verify(&key, b"", &expected) else {
            panic!("{name}: verified")
        };
        let canonical = mismatch.canonical_request.unwrap();
        assert_eq!(canonical.lines().nth(1), read("header-canonical-request.txt").lines().nth(1), "{name}");
        if name == "double-url-encode" {
            assert_eq!(mismatch.string_to_sign, read("header-string-to-sign.txt").trim_end());
        }
    }
}
