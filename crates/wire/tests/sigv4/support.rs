//! What the SigV4 tests share: requests as text, and a signer with every part of it exposed.
//!
//! The signer is written from AWS's description and shares no code with the verifier.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use daypass_wire::sigv4::{
    BodyKind, Claim, Digests, Expected, Family, NoKey, PayloadError, PayloadVerifier, RequestHead, SigError,
    Verified,
};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use time::OffsetDateTime;

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Noon of the suite's day.
pub(crate) fn now() -> OffsetDateTime {
    time::macros::datetime!(2015-08-30 12:36:00 UTC)
}

pub(crate) fn amz_date(offset_seconds: i64) -> String {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    (now() + time::Duration::seconds(offset_seconds)).format(&format).unwrap()
}

/// A request that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            method: method.into(),
            path: path.into(),
            query,
            authority: None,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }

    pub(crate) fn head(&self) -> RequestHead<'_> {
        RequestHead {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            authority: self.authority.as_deref(),
            headers: &self.headers,
        }
    }

    pub(crate) fn authorization(&self) -> String {
        self.headers.get("authorization").unwrap().to_str().unwrap().to_owned()
    }
}

/// A session's access key, and its token.
pub(crate) const SESSION_KEY_ID: &str = "ASIAEXAMPLE";
pub(crate) const SESSION_TOKEN: &str = "FwoGZXIvYXdzEXAMPLE+token/with=signs";
pub(crate) const EXPIRED_TOKEN: &str = "FwoGZXIvYXdzEXPIRED";

/// What the gate does with a request: find the claim, find its key, verify, read the body. `Ok(None)` is an anonymous
/// request. There is one user with a long-term key, and one with a session; both have [`SECRET`].
pub(crate) fn gate(
    request: &Request,
    family: Family,
    service: &str,
    body: BodyKind,
) -> Result<Option<Verified>, SigError> {
    let Some(claim) = Claim::parse(request.head(), family)? else { return Ok(None) };
    let expected = expected(service);
    let no_key = match (claim.access_key_id(), claim.session_token()) {
        (KEY_ID, None) | (SESSION_KEY_ID, Some(SESSION_TOKEN)) => None,
        (SESSION_KEY_ID, Some(EXPIRED_TOKEN)) => Some(NoKey::ExpiredToken),
        (KEY_ID | SESSION_KEY_ID, Some(_)) => Some(NoKey::InvalidToken),
        _ => Some(NoKey::UnknownAccessKey),
    };
    if let Some(why) = no_key {
        return Err(claim.refuse(why, &request.body, &expected));
    }
    let key = claim.signing_key(SECRET.as_bytes());
    if family != Family::S3 {
        return claim.verify(&key, &request.body, &expected).map(Some);
    }
    let (proof, payload) = claim.verify_head(&key, body, &expected)?;
    read_body(payload, &request.body)?;
    Ok(Some(proof))
}

/// Reads a body as it might come, and gives what it held.
pub(crate) fn read_body(
    mut verifier: PayloadVerifier,
    body: &[u8],
) -> Result<(Vec<u8>, Digests), PayloadError> {
    let mut payload = Vec::new();
    for piece in body.chunks(4096) {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(bytes) = verifier.next(&mut input)? {
            payload.extend_from_slice(&bytes);
        }
    }
    Ok((payload, verifier.finish()?))
}

/// The code and status that a caller gets, or `OK 200`.
pub(crate) fn answer(result: &Result<Option<Verified>, SigError>, family: Family) -> (&'static str, u16) {
    match result {
        Ok(Some(_)) => ("OK", 200),
        Ok(None) => ("anonymous", 0),
        Err(error) => error.code(family),
    }
}

pub(crate) fn expected(service: &str) -> Expected<'_> {
    Expected {
        service,
        regions: &|region| region == REGION,
        home_region: REGION,
        bucket_in_host: None,
        now: now(),
    }
}

/// A signature in the making, each part of which a test may set before it is computed.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) algorithm: String,
    pub(crate) amz_date: String,
    pub(crate) scope_date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) terminator: String,
    /// Names in the list; all but the ones that clients leave out if `None`.
    pub(crate) signed: Option<Vec<String>>,
    pub(crate) payload_hash: Option<String>,
    /// The path that is signed instead of the one that is sent.
    pub(crate) sign_path: Option<String>,
    pub(crate) s3: bool,
    /// Signs with the key pair of SigV4A, for these regions.
    pub(crate) region_set: Option<String>,
}

impl Signer {
    pub(crate) fn new(service: &str) -> Self {
        let amz_date = amz_date(0);
        Self {
            key_id: KEY_ID.into(),
            secret: SECRET.into(),
            token: None,
            algorithm: "AWS4-HMAC-SHA256".into(),
            scope_date: amz_date[..8].into(),
            amz_date,
            region: REGION.into(),
            service: service.into(),
            terminator: "aws4_request".into(),
            signed: None,
            payload_hash: None,
            sign_path: None,
            s3: service == "s3",
            region_set: None,
        }
    }

    /// Of SigV4A.
    pub(crate) fn asymmetric(service: &str, region_set: &str) -> Self {
        let algorithm = "AWS4-ECDSA-P256-SHA256".into();
        Self { algorithm, region_set: Some(region_set.into()), ..Self::new(service) }
    }

    pub(crate) fn dated(mut self, offset_seconds: i64) -> Self {
        self.amz_date = amz_date(offset_seconds);
        self.scope_date = self.amz_date[..8].into();
        self
    }

    pub(crate) fn scope(&self) -> String {
        match self.region_set {
            Some(_) => format!("{}/{}/{}", self.scope_date, self.service, self.terminator),
            None => format!("{}/{}/{}/{}", self.scope_date, self.region, self.service, self.terminator),
        }
    }

    fn hash(&self, request: &Request) -> String {
        self.payload_hash.clone().unwrap_or_else(|| sha256_hex(&request.body))
    }

    /// Adds date, hash, token and `Authorization` to a request, and gives the signature.
    pub(crate) fn sign(&self, request: &mut Request) -> String {
        request.add("x-amz-date", &self.amz_date);
        if self.s3 {
            request.add("x-amz-content-sha256", &self.hash(request));
        }
        if let Some(token) = &self.token {
            request.add("x-amz-security-token", token);
        }
        if let Some(regions) = self.region_set.as_ref().filter(|regions| *regions != "-") {
            request.add("x-amz-region-set", regions);
        }
        let signed = self.signed.clone().unwrap_or_else(|| signable(request));
        let signature = self.signature(request, &signed, &self.hash(request));
        let value = format!(
            "{} Credential={}/{}, SignedHeaders={}, Signature={signature}",
            self.algorithm,
            self.key_id,
            self.scope(),
            signed.join(";")
        );
        request.add("authorization", &value);
        signature
    }

    /// Puts a signature into the query string instead.
    pub(crate) fn presign(&self, request: &mut Request, expires: &str) {
        let signed = self.signed.clone().unwrap_or_else(|| signable(request));
        let mut parameters = vec![
            ("X-Amz-Algorithm", self.algorithm.clone()),
            ("X-Amz-Credential", format!("{}/{}", self.key_id, self.scope())),
            ("X-Amz-Date", self.amz_date.clone()),
            ("X-Amz-Expires", expires.to_owned()),
            ("X-Amz-SignedHeaders", signed.join(";")),
        ];
        if let Some(token) = &self.token {
            parameters.push(("X-Amz-Security-Token", token.clone()));
        }
        if let Some(regions) = &self.region_set {
            parameters.push(("X-Amz-Region-Set", regions.clone()));
        }
        parameters.retain(|(_, value)| value != "-");
        let mut query = request.query.take().unwrap_or_default();
        for (name, value) in parameters {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&format!("{name}={}", encode(value.as_bytes(), false)));
        }
        request.query = Some(query);
        let hash = match (&self.payload_hash, self.s3) {
            (Some(hash), _) => hash.clone(),
            (None, true) => "UNSIGNED-PAYLOAD".into(),
            (None, false) => sha256_hex(&request.body),
        };
        let signature = self.signature(request, &signed, &hash);
        request.query.as_mut().unwrap().push_str(&format!("&X-Amz-Signature={signature}"));
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [&self.scope_date, &self.region, &self.service, &self.terminator] {
            key = hmac_sha256(&key, part.as_bytes());
        }
        key
    }

    fn signature(&self, request: &Request, signed: &[String], payload_hash: &str) -> String {
        let path = match (&self.sign_path, self.s3) {
            (Some(path), _) => path.clone(),
            (None, true) => request.path.clone(),
            (None, false) => encode(request.path.as_bytes(), true),
        };
        let mut headers = String::new();
        for name in signed {
            let values: Vec<_> = request.headers.get_all(name).iter().map(trimmed).collect();
            headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        let canonical = format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{payload_hash}",
            request.method,
            canonical_query(request.query.as_deref().unwrap_or_default()),
            signed.join(";"),
        );
        let text = format!(
            "{}\n{}\n{}\n{}",
            self.algorithm,
            self.amz_date,
            self.scope(),
            sha256_hex(canonical.as_bytes())
        );
        self.sign_text(&text)
    }

    /// The signature of a text.
    pub(crate) fn sign_text(&self, text: &str) -> String {
        match self.region_set {
            Some(_) => hex(&sign_with_pair(&self.secret, &self.key_id, text.as_bytes())),
            None => hex(&hmac_sha256(&self.key(), text.as_bytes())),
        }
    }
}

/// The private key of SigV4A, its first candidate: the secrets of these tests need no second.
pub(crate) fn private_key(secret: &str, key_id: &str) -> [u8; 32] {
    let mut input = vec![0, 0, 0, 1];
    input.extend_from_slice(b"AWS4-ECDSA-P256-SHA256\0");
    input.extend_from_slice(key_id.as_bytes());
    input.extend_from_slice(&[1, 0, 0, 1, 0]);
    let mut number = hmac_sha256(format!("AWS4A{secret}").as_bytes(), &input);
    let last = number.last_mut().unwrap();
    *last = last.checked_add(1).unwrap();
    number.try_into().unwrap()
}

/// A signature with that key, in DER.
pub(crate) fn sign_with_pair(secret: &str, key_id: &str, text: &[u8]) -> Vec<u8> {
    let private = private_key(secret, key_id);
    let point = PrivateKey::from_private_key(&ECDH_P256, &private).unwrap().compute_public_key().unwrap();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &private,
        point.as_ref(),
    );
    pair.unwrap().sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec()
}

/// The headers that clients sign.
fn signable(request: &Request) -> Vec<String> {
    let left_out = ["content-length", "connection", "user-agent", "authorization"];
    let mut names: Vec<String> = request.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.retain(|name| !left_out.contains(&name.as_str()));
    names.sort();
    names
}

fn trimmed(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn canonical_query(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (encode(&decode(name), false), encode(&decode(value), false))
        })
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

pub(crate) fn encode(bytes: &[u8], keep_slash: bool) -> String {
    let mut out = String::new();
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep_slash && byte == b'/';
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
