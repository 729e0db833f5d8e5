//! AWS's own signer signs random requests: they verify, and with anything changed they do not.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use daypass_wire::sigv4::{BodyKind, Claim, Family};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::*;

/// A request before it is signed.
#[derive(Clone, Debug)]
struct Plan {
    s3: bool,
    in_query: bool,
    session: bool,
    method: &'static str,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let segment = prop_oneof![4 => "\\PC{1,8}", 1 => Just(String::new()), 1 => "\\.{1,3}"];
    let pair = ("\\PC{1,6}", "\\PC{0,8}");
    let name = prop_oneof!["x-amz-meta-[a-z]{1,5}", "x-[b-z]{3,6}", Just("content-type".to_owned())];
    let header = (name, "[!-~]{1,8}( {1,3}[!-~]{1,8}){0,2}");
    let shape = (any::<bool>(), any::<bool>(), any::<bool>());
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("POST"), Just("DELETE")];
    (
        shape,
        method,
        prop::collection::vec(segment, 0..4),
        prop::collection::vec(pair, 0..4),
        prop::collection::vec(header, 0..4),
        prop::collection::vec(any::<u8>(), 0..64),
    )
        .prop_map(|((s3, in_query, session), method, segments, query, mut headers, body)| {
            headers.sort();
            headers.dedup_by(|a, b| a.0 == b.0);
            Plan { s3, in_query, session, method, segments, query, headers, body }
        })
}

impl Plan {
    fn family(&self) -> Family {
        if self.s3 { Family::S3 } else { Family::Query }
    }

    fn service(&self) -> &'static str {
        if self.s3 { "s3" } else { "sts" }
    }

    fn target(&self) -> String {
        let path: String =
            self.segments.iter().map(|segment| format!("/{}", encode(segment.as_bytes(), false))).collect();
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| {
                format!("{}={}", encode(name.as_bytes(), false), encode(value.as_bytes(), false))
            })
            .collect();
        let path = if path.is_empty() { "/".to_owned() } else { path };
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self.s3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if self.in_query {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(300));
        }
        settings
    }

    fn signed(&self) -> Request {
        let target = self.target();
        let mut request = Request::new(self.method, &target).header("host", "aws.example.com");
        request.body.clone_from(&self.body);
        self.headers.iter().for_each(|(name, value)| request.add(name, value));
        let (key_id, token) = match self.session {
            true => (SESSION_KEY_ID, Some(SESSION_TOKEN.to_owned())),
            false => (KEY_ID, None),
        };
        let identity = Credentials::new(key_id, SECRET, token, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(self.service())
            .time(SystemTime::from(now()))
            .settings(self.settings())
            .build()
            .unwrap()
            .into();
        let body = match (self.s3, self.in_query) {
            (true, true) => SignableBody::UnsignedPayload,
            _ => SignableBody::Bytes(&self.body),
        };
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = format!("https://aws.example.com{target}");
        let signable = SignableRequest::new(self.method, uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        for (name, value) in instructions.headers() {
            request.set(name, value);
        }
        for (name, value) in instructions.params() {
            let query = request.query.get_or_insert_default();
            let separator = if query.is_empty() { "" } else { "&" };
            query.push_str(&format!("{separator}{name}={}", encode(value.as_bytes(), false)));
        }
        request
    }

    fn accepts(&self, request: &Request) -> bool {
        matches!(gate(request, self.family(), self.service(), BodyKind::Object), Ok(Some(_)))
    }
}

/// One way to change a signed request. `false` if there is nothing of the kind in it.
fn mutate(plan: &Plan, request: &mut Request, kind: usize, at: Index) -> bool {
    match kind {
        0 => request.method = if request.method == "GET" { "PUT".into() } else { "GET".into() },
        // What `..` takes back is not signed, outside S3.
        1 if !plan.s3 && plan.segments.iter().any(|segment| segment == "..") => return false,
        1 => return alter(&mut request.path, at),
        2 => return request.query.as_mut().is_some_and(|query| alter(query, at)),
        3 => return alter_signed_header(plan, &mut request.headers, at),
        4 if plan.s3 && plan.in_query => return false,
        4 if request.body.is_empty() => request.body.push(0),
        4 => {
            let at = at.index(request.body.len());
            request.body[at] ^= 1;
        }
        5 if plan.in_query => return false,
        5 => {
            let mut value = request.authorization();
            let altered = alter(&mut value, at);
            request.set("authorization", &value);
            return altered;
        }
        6 => request.add("x-amz-acl", "public-read"),
        7 => request.set("host", "evil.example.com"),
        8 => request.path.push_str("/x"),
        9 => request.query.get_or_insert_default().push_str("&versionId=1"),
        _ => {
            let Some((name, _)) = plan.headers.first() else { return false };
            request.headers.remove(name.as_str());
        }
    }
    true
}

/// Puts another letter or digit in the place of one.
fn alter(text: &mut String, at: Index) -> bool {
    let places: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).map(|(place, _)| place).collect();
    if places.is_empty() {
        return false;
    }
    let place = places[at.index(places.len())];
    let other = if &text[place..=place] == "0" { "1" } else { "0" };
    text.replace_range(place..=place, other);
    true
}

fn alter_signed_header(plan: &Plan, headers: &mut HeaderMap, at: Index) -> bool {
    if plan.headers.is_empty() {
        return false;
    }
    let (name, value) = &plan.headers[at.index(plan.headers.len())];
    headers.insert(
        http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
        HeaderValue::from_str(&format!("{value}x")).unwrap(),
    );
    true
}

proptest! {
    #[test]
    fn what_aws_signs_is_accepted(plan in plans()) {
        let request = plan.signed();
        let result = gate(&request, plan.family(), plan.service(), BodyKind::Object);
        prop_assert!(matches!(result, Ok(Some(_))), "{result:?}\n{request:?}");
    }

    #[test]
    fn what_is_changed_after_it_is_refused(plan in plans(), kind in 0_usize..11, at in any::<Index>()) {
        let mut request = plan.signed();
        if mutate(&plan, &mut request, kind, at) {
            prop_assert!(!plan.accepts(&request), "{request:?}");
        }
    }

    /// The parser takes whatever comes, and what it takes says nothing that was not there.
    #[test]
    fn noise_is_parsed_without_harm(
        family in prop_oneof![Just(Family::Query), Just(Family::S3), Just(Family::Json)],
        authorization in prop_oneof![
            "\\PC{0,80}",
            "AWS4-HMAC-SHA256 Credential=[A-Z]{0,4}(/[a-z0-9_]{0,12}){0,6}, ?SignedHeaders=[a-z;-]{0,30}, ?Signature=[0-9a-f]{0,70}",
        ],
        query in prop_oneof![
            Just(None),
            "[ -~]{0,80}".prop_map(Some),
            "X-Amz-(Algorithm|Date|Expires)=[0-9A-Z%-]{0,20}(&X-Amz-(Signature|Credential)=[0-9a-z/%]{0,80}){0,3}".prop_map(Some),
        ],
        date in "[0-9TZ]{0,18}",
    ) {
        let mut request = Request::new("GET", "/");
        request.query = query;
        request.add("x-amz-date", &date);
        request.headers.insert("authorization", HeaderValue::from_bytes(authorization.as_bytes()).unwrap());
        if let Ok(Some(claim)) = Claim::parse(request.head(), family) {
            prop_assert!(authorization.contains(claim.access_key_id()));
            prop_assert!(claim.session_token().is_none());
        }
    }
}
