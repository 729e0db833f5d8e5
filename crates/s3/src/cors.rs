//! What pages of other sites may ask of a bucket: `s3:PutBucketCORS`, `s3:GetBucketCORS`, and the answers to browsers that
//! follow (S3 user guide, "Using cross-origin resource sharing (CORS)"; Fetch standard, "HTTP extensions").

use daypass_core::model::s3::{
    CORSConfiguration, CORSRule, DeleteBucketCorsRequest, GetBucketCorsOutput, GetBucketCorsRequest,
    OptionsObjectOutput, OptionsObjectRequest, PutBucketCorsRequest, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Checks, Cx, Error, Fault, operation};

use crate::authorize::{admit, bucket_operation};
use crate::bucket::Bucket;
use crate::document;
use crate::fault::{invalid_request, malformed_xml, not_there};

bucket_operation!(PUT_BUCKET_CORS, ops::PutBucketCors, put);
bucket_operation!(GET_BUCKET_CORS, ops::GetBucketCors, get);
bucket_operation!(DELETE_BUCKET_CORS, ops::DeleteBucketCors, delete);
operation!(OPTIONS_OBJECT, ops::OptionsObject, may_refuse: preflight_checks, preflight);

/// Its place among a bucket's documents.
const KIND: &str = "cors";
/// Rules of a configuration (S3 API reference, PutBucketCors).
const MAX_RULES: usize = 100;
/// Bytes of a configuration (S3 user guide, "Elements of a CORS configuration": 64 KB).
const MAX_BYTES: usize = 64 << 10;
/// Headers that a browser asks for at once; a page that sends more is let in by no rule.
const MAX_ASKED_HEADERS: usize = 100;
/// Characters of a rule's id.
const MAX_ID: usize = 255;
/// Methods that a rule can let in.
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// What of a request the answer depends on.
const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutBucketCorsRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    check(&input.cors_configuration.cors_rules)?;
    let kept = document::write::<ops::PutBucketCors>(cx, input.cors_configuration)?;
    if kept.to_string().len() > MAX_BYTES {
        return Err(malformed_xml().into());
    }
    document::keep(&mut bucket, KIND.to_owned(), kept)?;
    Ok(tx.put(&bucket)?)
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetBucketCorsRequest) -> Result<GetBucketCorsOutput, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    match rules(&bucket)? {
        Some(rules) => Ok(GetBucketCorsOutput { cors_rules: Some(rules) }),
        None => {
            let words = "The CORS configuration does not exist";
            Err(not_there(&errors::NO_SUCH_CORS_CONFIGURATION, words, &bucket.name).into())
        }
    }
}

fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketCorsRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.documents.remove(KIND);
    Ok(tx.put(&bucket)?)
}

fn rules(bucket: &Bucket) -> Result<Option<Vec<CORSRule>>, Error> {
    let Some(kept) = bucket.documents.get(KIND) else { return Ok(None) };
    let CORSConfiguration { cors_rules } = document::read::<ops::PutBucketCors, _>(kept)?;
    Ok(Some(cors_rules))
}

fn check(rules: &[CORSRule]) -> Result<(), Fault> {
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(malformed_xml());
    }
    for rule in rules {
        if rule.id.as_deref().is_some_and(|id| id.chars().count() > MAX_ID)
            || rule.allowed_methods.is_empty()
            || rule.allowed_origins.is_empty()
        {
            return Err(malformed_xml());
        }
        if let Some(method) = rule.allowed_methods.iter().find(|m| !METHODS.contains(&m.as_str())) {
            let words =
                format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
            return Err(invalid_request(words));
        }
        one_wildcard("AllowedOrigin", &rule.allowed_origins)?;
        one_wildcard("AllowedHeader", rule.allowed_headers.as_deref().unwrap_or_default())?;
        let exposed = rule.expose_headers.as_deref().unwrap_or_default();
        if let Some(header) = exposed.iter().find(|header| header.contains('*')) {
            let words = format!(
                "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            );
            return Err(invalid_request(words));
        }
    }
    Ok(())
}

fn one_wildcard(element: &str, patterns: &[String]) -> Result<(), Fault> {
    match patterns.iter().find(|pattern| pattern.matches('*').count() > 1) {
        None => Ok(()),
        Some(pattern) => {
            Err(invalid_request(format!("{element} \"{pattern}\" can not have more than one wildcard.")))
        }
    }
}

/// What a browser asks for.
struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    headers: Vec<String>,
}

impl Asked<'_> {
    /// What the first rule that lets it in answers.
    fn answer(&self, rules: &[CORSRule]) -> Option<OptionsObjectOutput> {
        let rule = rules.iter().find(|rule| self.fits(rule))?;
        let origin = rule.allowed_origins.iter().find(|pattern| matches(pattern, self.origin))?;
        let everybody = origin == "*";
        Some(OptionsObjectOutput {
            allow_origin: Some(if everybody { "*" } else { self.origin }.to_owned()),
            allow_methods: Some(rule.allowed_methods.join(", ")),
            allow_headers: (!self.headers.is_empty()).then(|| self.headers.join(", ")),
            expose_headers: rule.expose_headers.as_ref().filter(|e| !e.is_empty()).map(|e| e.join(", ")),
            max_age: rule.max_age_seconds.map(|seconds| seconds.to_string()),
            allow_credentials: (!everybody).then(|| "true".to_owned()),
            vary: Some(VARY.to_owned()),
        })
    }

    fn fits(&self, rule: &CORSRule) -> bool {
        let allowed = rule.allowed_headers.as_deref().unwrap_or_default();
        let allowed: Vec<String> = match self.headers.as_slice() {
            [] => vec![],
            _ => allowed.iter().map(|pattern| pattern.to_lowercase()).collect(),
        };
        let lets_in = |header: &String| allowed.iter().any(|pattern| matches(pattern, header));
        rule.allowed_methods.iter().any(|method| method == self.method)
            && rule.allowed_origins.iter().any(|pattern| matches(pattern, self.origin))
            && self.headers.len() <= MAX_ASKED_HEADERS
            && self.headers.iter().all(lets_in)
    }
}

/// Whether a pattern with at most one `*` is of the whole text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
        }
    }
}

/// Says in the answer to a request from a page what the bucket allows pages of its site to see.
///
/// # Errors
/// A failure of ours, if the configuration does not read.
pub(crate) fn answer(cx: &Cx, bucket: &Bucket) -> Result<(), Error> {
    let Some(origin) = cx.origin().filter(|_| cx.operation().name != "OptionsObject") else { return Ok(()) };
    let method = cx.asked_method().unwrap_or(cx.operation().http.method);
    let asked = Asked { origin, method, headers: vec![] };
    let Some(allowed) = rules(bucket)?.and_then(|rules| asked.answer(&rules)) else { return Ok(()) };
    for (header, value) in [
        ("access-control-allow-origin", allowed.allow_origin),
        ("access-control-allow-methods", allowed.allow_methods),
        ("access-control-expose-headers", allowed.expose_headers),
        ("access-control-max-age", allowed.max_age),
        ("access-control-allow-credentials", allowed.allow_credentials),
        ("vary", allowed.vary),
    ] {
        if let Some(value) = value {
            cx.on_answer(header, value);
        }
    }
    Ok(())
}

fn preflight_checks(cx: &Cx, tx: &Tx<'_>, input: &OptionsObjectRequest) -> Result<Checks, Error> {
    let bucket = Bucket::reach(cx, tx, &input.bucket)?;
    admit(cx, &bucket, None)?;
    Ok(Checks::authenticated_only("a browser asks before it sends anything; the answer is for everybody"))
}

fn preflight(cx: &Cx, tx: &mut Tx<'_>, input: OptionsObjectRequest) -> Result<OptionsObjectOutput, Error> {
    let bad = |words: String| Error::from(Fault::new(&errors::BAD_REQUEST, words));
    let Some(origin) = input.origin.as_deref() else {
        return Err(bad("Insufficient information. Origin request header needed.".to_owned()));
    };
    let method = input.access_control_request_method.as_deref();
    let Some(method) = method.filter(|method| METHODS.contains(method)) else {
        return Err(bad(format!("Invalid Access-Control-Request-Method: {}", method.unwrap_or("null"))));
    };
    let resource_type = if input.key.is_some() { "OBJECT" } else { "BUCKET" };
    let forbidden = |words: &str| {
        let fault = Fault::coded("AccessForbidden", 403, words).with("Method", method);
        Error::from(fault.with("ResourceType", resource_type))
    };
    let Some(rules) = rules(&Bucket::reach(cx, tx, &input.bucket)?)? else {
        return Err(forbidden("CORSResponse: CORS is not enabled for this bucket."));
    };
    let headers = input.access_control_request_headers.unwrap_or_default().to_lowercase();
    let headers = headers.split(',').map(str::trim).filter(|header| !header.is_empty());
    let asked = Asked { origin, method, headers: headers.map(str::to_owned).collect() };
    asked.answer(&rules).ok_or_else(|| {
        forbidden("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
    })
}
