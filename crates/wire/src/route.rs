//! Which operation a request asks for. One port serves every service: they are told apart as AWS's clients name
//! them, by target, by action and version, by host and by path; never by what the signature says, which is checked
//! against the outcome afterwards.

use daypass_model::{Location, Operation, Protocol, Service, services};
use http::HeaderMap;
use http::request::Parts;

use crate::form::percent_decode;
use crate::rest::{invalid_uri, query_pairs};
use crate::{Fault, Form, Labels};

/// Characters of a name that an answer repeats: longer than any of an operation.
const MAX_TOLD: usize = 128;

/// An operation, and what the path says.
#[derive(Clone)]
pub struct Routed {
    /// The operation that the request asks for.
    pub operation: &'static Operation,
    /// What the path's template names.
    pub labels: Labels,
}

/// How the services are reached by name.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Domains whose first labels are a bucket, as `s3.example.com` (virtual-host style), beside AWS's own and
    /// `localhost`.
    pub s3_domains: Vec<String>,
    /// Domains whose first labels are a bucket's website, beside AWS's own and `s3-website.localhost`.
    pub s3_website_domains: Vec<String>,
}

impl Hosts {
    /// `bucket` of `bucket.s3.amazonaws.com`, `bucket.s3.eu-west-1.amazonaws.com`, `bucket.localhost:4566` and of the
    /// domains that were configured.
    #[must_use]
    pub fn bucket_of<'a>(&self, host: &'a str) -> Option<&'a str> {
        let name = without_port(host);
        let under = |domain: &str| under(name, domain);
        if let Some(bucket) = self.s3_domains.iter().find_map(|d| under(d)) {
            return Some(bucket);
        }
        if let Some(rest) = name.strip_suffix(".amazonaws.com") {
            // `bucket.s3`, `bucket.s3.region`, `bucket.s3-region`, `bucket.s3.dualstack.region`
            let at = rest
                .rfind(".s3")
                .filter(|at| matches!(rest.as_bytes().get(at + 3), None | Some(b'.' | b'-')))?;
            return rest.get(..at).filter(|b| !b.is_empty());
        }
        under("s3.localhost")
            .or_else(|| under("localhost"))
            .or_else(|| before_address(name))
            .filter(|b| *b != "s3")
    }
}

/// `name` of `name.127.0.0.1`, which the SDKs make of an endpoint without a name and an access point. No DNS knows it, but a
/// proxy is told it.
fn before_address(host: &str) -> Option<&str> {
    let at = host.rmatch_indices('.').nth(3).map(|(at, _)| at)?;
    let (name, address) = (host.get(..at)?, host.get(at + 1..)?);
    address.parse::<std::net::Ipv4Addr>().ok().map(|_| name).filter(|name| !name.is_empty())
}

impl Hosts {
    /// The bucket whose website the host is, and the region that it names: `bucket.s3-website-us-east-1.amazonaws.com`,
    /// `bucket.s3-website.eu-central-1.amazonaws.com` (S3 user guide, "Website endpoints"), `bucket.s3-website.localhost` and
    /// those of the domains that were configured.
    #[must_use]
    pub fn website_of<'a>(&self, host: &'a str) -> Option<(&'a str, Option<&'a str>)> {
        let name = without_port(host);
        if let Some(bucket) = self.s3_website_domains.iter().find_map(|domain| under(name, domain)) {
            return Some((bucket, None));
        }
        if let Some(bucket) = under(name, "s3-website.localhost") {
            return Some((bucket, None));
        }
        let (bucket, region) = name.strip_suffix(".amazonaws.com")?.rsplit_once(".s3-website")?;
        let region =
            region.strip_prefix(['-', '.']).filter(|region| !region.is_empty() && !region.contains('.'))?;
        Some((bucket, Some(region))).filter(|(bucket, _)| !bucket.is_empty())
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn under<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    let bucket = name.strip_suffix(domain)?.strip_suffix('.')?;
    Some(bucket).filter(|b| !b.is_empty())
}

/// A path as the text that it stands for.
///
/// # Errors
/// `InvalidURI` if it is not percent-encoded UTF-8.
pub fn decoded_path(path: &str) -> Result<String, Fault> {
    percent_decode(path, false).map_err(|_| invalid_uri())
}

/// What kind of request it is, as far as the head alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// A form is in the body, and the action in the form: the body has to be read first.
    FormBody,
    /// A form is in the query.
    FormQuery,
    /// A JSON operation of this service, and the body is its input.
    Json,
    /// Routes of Access Analyzer.
    RestJson,
    /// S3.
    S3,
}

/// Tells from the head how the request is to be read.
///
/// `scope_service` is the service in the credential scope, as the client claims it: it only tells the few routes of
/// Access Analyzer from S3's buckets.
#[must_use]
pub fn protocol_of(head: &Parts, scope_service: Option<&str>) -> Protocols {
    if head.headers.contains_key("x-amz-target") {
        return Protocols::Json;
    }
    let has_action =
        |query: &str| query.split('&').any(|pair| pair == "Action" || pair.starts_with("Action="));
    if head.uri.path() == "/" && has_action(head.uri.query().unwrap_or("")) {
        return Protocols::FormQuery;
    }
    if head.method == http::Method::POST && head.uri.path() == "/" && is_form(&head.headers) {
        return Protocols::FormBody;
    }
    if scope_service == Some("access-analyzer") { Protocols::RestJson } else { Protocols::S3 }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("");
    kind.split(';').next().is_some_and(|k| k.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The operation that the request asks for.
///
/// # Errors
/// With the answer of AWS to an action, target or route that there is none of.
pub fn route(
    protocols: Protocols,
    head: &Parts,
    form: Option<&Form>,
    hosts: &Hosts,
) -> Result<Routed, Fault> {
    match protocols {
        Protocols::FormBody | Protocols::FormQuery => by_action(form.unwrap_or(&Form::default())),
        Protocols::Json => by_target(&head.headers),
        Protocols::RestJson => by_path(head, &|service| service.protocol == Protocol::RestJson),
        Protocols::S3 if is_s3_control(head) => by_path(head, &|service| service.name == "s3control"),
        Protocols::S3 => s3(head, hosts),
    }
}

/// The version tells the services apart: no two have the same.
fn by_action(form: &Form) -> Result<Routed, Fault> {
    let missing = || {
        let words = "Request is missing the Action parameter";
        Fault::coded("MissingAction", 400, words)
    };
    let action = form.text("Action").filter(|a| !a.is_empty()).ok_or_else(missing)?;
    let version = form.text("Version").unwrap_or("");
    let forms = |s: &&&Service| matches!(s.protocol, Protocol::Query | Protocol::Ec2);
    let service = services().iter().filter(forms).find(|s| s.api_version == version);
    let operation = service.and_then(|s| s.operation(action)).ok_or_else(|| {
        let version = if version.is_empty() { "NO_VERSION_SPECIFIED" } else { version };
        let short = |text: &str| text.chars().take(MAX_TOLD).collect::<String>();
        let words = format!("Could not find operation {} for version {}", short(action), short(version));
        Fault::coded("InvalidAction", 400, words)
    })?;
    Ok(Routed { operation, labels: vec![] })
}

fn by_target(headers: &HeaderMap) -> Result<Routed, Fault> {
    let target = headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or("");
    let found = target.rsplit_once('.').and_then(|(prefix, name)| {
        let json = |s: &&&Service| s.protocol == Protocol::Json && s.target_prefix == prefix;
        services().iter().find(json)?.operation(name)
    });
    let unknown = || Fault::coded("UnknownOperationException", 400, "");
    Ok(Routed { operation: found.ok_or_else(unknown)?, labels: vec![] })
}

/// Whether the request is for S3's second API. A bucket's name may be its paths' first part; its clients always name an account
/// besides, in a header that has to be signed, and those of buckets never do.
fn is_s3_control(head: &Parts) -> bool {
    head.uri.path().starts_with("/v20180820/") && head.headers.contains_key("x-amz-account-id")
}

/// Routes with templates: the one with the most literal parts wins.
fn by_path(head: &Parts, of: &dyn Fn(&Service) -> bool) -> Result<Routed, Fault> {
    let path: Vec<&str> = head.uri.path().trim_start_matches('/').split('/').collect();
    let mut best: Option<(usize, Routed)> = None;
    for service in services().iter().filter(|s| of(s)) {
        for operation in service.operations.iter().filter(|o| o.http.method == head.method.as_str()) {
            let Some((literal, labels)) = fit(operation.http.path, &path)? else { continue };
            if best.as_ref().is_none_or(|(most, _)| literal > *most) {
                best = Some((literal, Routed { operation, labels }));
            }
        }
    }
    let unknown = || Fault::coded("UnknownOperationException", 404, "");
    best.map(|(_, routed)| routed).ok_or_else(unknown)
}

fn fit(template: &'static str, path: &[&str]) -> Result<Option<(usize, Labels)>, Fault> {
    let parts: Vec<&'static str> = template.trim_start_matches('/').split('/').collect();
    // A label like `{resourceArn+}` takes as many parts as the others leave.
    let spread = path.len().checked_sub(parts.len());
    let Some(spread) = spread.filter(|spread| *spread == 0 || template.contains("+}")) else {
        return Ok(None);
    };
    let (mut literal, mut labels, mut rest) = (0, vec![], path);
    for part in parts {
        let length = if part.ends_with("+}") { spread + 1 } else { 1 };
        let Some((taken, left)) = rest.split_at_checked(length) else { return Ok(None) };
        let given = taken.join("/");
        rest = left;
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(_) if given.is_empty() => return Ok(None),
            Some(label) => {
                let value = percent_decode(&given, false).map_err(|_| invalid_uri())?;
                labels.push((label.trim_end_matches('+'), value));
            }
            None if part == given => literal += 1,
            None => return Ok(None),
        }
    }
    Ok(Some((literal, labels)))
}

/// The bucket and the key that a request names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct S3Address {
    /// The bucket, if any.
    pub bucket: Option<String>,
    /// The key, decoded; `None` where the path ends at the bucket.
    pub key: Option<String>,
}

impl S3Address {
    /// Reads the address: the bucket is in the host (virtual-host style) or starts the path. The path is taken as it
    /// was sent: no part of it is normalised, for a key is any text.
    ///
    /// # Errors
    /// `InvalidURI` if the path is not percent-encoded UTF-8.
    pub fn read(head: &Parts, hosts: &Hosts) -> Result<Self, Fault> {
        let decode = |text: &str| percent_decode(text, false).map_err(|_| invalid_uri());
        let path = head.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let host = head.headers.get("host").and_then(|v| v.to_str().ok());
        if let Some(bucket) = host.and_then(|h| hosts.bucket_of(h)) {
            let key = Some(path).filter(|p| !p.is_empty()).map(decode).transpose()?;
            return Ok(Self { bucket: Some(bucket.to_owned()), key });
        }
        let (bucket, key) = path.split_once('/').map_or((path, None), |(b, k)| (b, Some(k)));
        if bucket.is_empty() {
            // `//key` has no bucket; AWS reads an empty bucket name.
            return match key {
                None => Ok(Self::default()),
                Some(key) => Ok(Self { bucket: Some(String::new()), key: Some(decode(key)?) }),
            };
        }
        Ok(Self {
            bucket: Some(decode(bucket)?),
            key: key.filter(|k| !k.is_empty()).map(decode).transpose()?,
        })
    }
}

/// Operations that share their route with a newer one, or that only S3 Express has.
const SUPERSEDED: [&str; 6] = [
    "GetBucketLifecycle",
    "PutBucketLifecycle",
    "GetBucketNotification",
    "PutBucketNotification",
    "ListDirectoryBuckets",
    "WriteGetObjectResponse",
];

/// Among the operations of the method and of what the address names, the one whose query and headers are all there;
/// the most particular wins.
fn s3(head: &Parts, hosts: &Hosts) -> Result<Routed, Fault> {
    let address = S3Address::read(head, hosts)?;
    let query = query_pairs(head.uri.query().unwrap_or(""))?;
    let has = |name: &str| query.iter().any(|(n, _)| n == name);
    let service = services().iter().find(|s| s.name == "s3");
    let mut best: Option<(usize, &'static Operation)> = None;
    for operation in service.into_iter().flat_map(|s| s.operations.iter().copied()) {
        let level = match operation.http.path {
            "/" => 0,
            "/{Bucket}" => 1,
            "/{Bucket}/{Key+}" => 2,
            _ => continue,
        };
        let addressed = usize::from(address.bucket.is_some()) + usize::from(address.key.is_some());
        // A preflight asks about a bucket as about an object.
        let preflight = operation.http.method == "OPTIONS" && addressed > 0;
        if (level != addressed && !preflight)
            || operation.http.method != head.method.as_str()
            || SUPERSEDED.contains(&operation.name)
        {
            continue;
        }
        let Some(weight) = weight(operation, &query, &has, &head.headers) else { continue };
        if best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, operation));
        }
    }
    let Some((_, operation)) = best else {
        let words = "The specified method is not allowed against this resource.";
        return Err(Fault::coded("MethodNotAllowed", 405, words).with("Method", head.method.as_str()));
    };
    let named = |name: &'static str, value: Option<String>| value.map(|v| (name, v));
    let labels = named("Bucket", address.bucket).into_iter().chain(named("Key", address.key)).collect();
    Ok(Routed { operation, labels })
}

/// How many things of the request the operation asks for; `None` if one of them is missing.
fn weight(
    operation: &Operation,
    query: &[(String, String)],
    has: &dyn Fn(&str) -> bool,
    headers: &HeaderMap,
) -> Option<usize> {
    let mut weight = 0;
    for pair in operation.http.query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A sub-resource is named; what it is set to does not matter, but `list-type=2` does.
        let there =
            if value.is_empty() { has(name) } else { query.iter().any(|(n, v)| n == name && v == value) };
        weight += 2 * usize::from(there.then_some(true)?);
    }
    for member in operation.input.members.iter().filter(|m| m.required) {
        match member.location {
            Location::Query => weight += usize::from(has(member.wire_in).then_some(true)?),
            // Only the header that makes a copy tells operations apart; others are checked as members.
            Location::Header if member.wire_in == "x-amz-copy-source" => {
                weight += usize::from(headers.contains_key(member.wire_in).then_some(true)?);
            }
            _ => {}
        }
    }
    Some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn name(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<&'static str, String> {
        let head = head(method, uri, headers);
        let protocols = protocol_of(&head, None);
        let form = Form::parse(head.uri.query().unwrap_or("")).ok();
        route(protocols, &head, form.as_ref(), &Hosts::default())
            .map(|r| r.operation.name)
            .map_err(|f| f.code.into_owned())
    }

    #[test]
    fn s3_operations_are_told_apart_by_method_path_query_and_header() {
        let copy: &[(&str, &str)] = &[("x-amz-copy-source", "/a/b")];
        for (method, uri, headers, expected) in [
            ("GET", "/", &[][..], "ListBuckets"),
            ("GET", "/b", &[], "ListObjects"),
            ("GET", "/b/", &[], "ListObjects"),
            ("GET", "/b?list-type=2", &[], "ListObjectsV2"),
            ("GET", "/b?list-type=1", &[], "ListObjects"),
            ("GET", "/b?location", &[], "GetBucketLocation"),
            ("GET", "/b?location=", &[], "GetBucketLocation"),
            ("GET", "/b?lifecycle", &[], "GetBucketLifecycleConfiguration"),
            ("GET", "/b?analytics", &[], "ListBucketAnalyticsConfigurations"),
            ("GET", "/b?analytics&id=x", &[], "GetBucketAnalyticsConfiguration"),
            ("PUT", "/b", &[], "CreateBucket"),
            ("POST", "/b?delete", &[], "DeleteObjects"),
            ("GET", "/b/k", &[], "GetObject"),
            ("GET", "/b/k?versionId=1", &[], "GetObject"),
            ("GET", "/b/k?uploadId=1", &[], "ListParts"),
            ("GET", "/b/k?torrent", &[], "GetObjectTorrent"),
            ("HEAD", "/b/k", &[], "HeadObject"),
            ("PUT", "/b/k", &[], "PutObject"),
            ("PUT", "/b/k", copy, "CopyObject"),
            ("PUT", "/b/k?partNumber=1&uploadId=2", &[], "UploadPart"),
            ("PUT", "/b/k?partNumber=1&uploadId=2", copy, "UploadPartCopy"),
            ("POST", "/b/k?uploads", &[], "CreateMultipartUpload"),
            ("POST", "/b/k?uploadId=1", &[], "CompleteMultipartUpload"),
            ("DELETE", "/b/k?uploadId=1", &[], "AbortMultipartUpload"),
            ("DELETE", "/b/k?tagging", &[], "DeleteObjectTagging"),
            ("POST", "/b", &[], "PostObject"),
            ("OPTIONS", "/b", &[], "OptionsObject"),
            ("OPTIONS", "/b/k?X-Amz-Signature=1", &[], "OptionsObject"),
        ] {
            assert_eq!(name(method, uri, headers), Ok(expected), "{method} {uri}");
        }
        assert_eq!(name("PATCH", "/b/k", &[]), Err("MethodNotAllowed".into()));
        assert_eq!(name("GET", "/b/%ff", &[]), Err("InvalidURI".into()));
    }

    #[test]
    fn actions_and_targets_name_their_service() {
        assert_eq!(
            name("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", &[]),
            Ok("GetCallerIdentity")
        );
        assert_eq!(
            name("GET", "/?Action=GetCallerIdentity&Version=2010-05-08", &[]),
            Err("InvalidAction".into())
        );
        assert_eq!(name("GET", "/?Action=&Version=2010-05-08", &[]), Err("MissingAction".into()));
        let target = |t| name("POST", "/", &[("x-amz-target", t)]);
        assert_eq!(target("AmazonSSM.GetParameter"), Ok("GetParameter"));
        assert_eq!(
            target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"),
            Ok("LookupEvents")
        );
        assert_eq!(target("AmazonSSM.LookupEvents"), Err("UnknownOperationException".into()));
    }

    #[test]
    fn rest_json_routes_prefer_literal_parts() {
        let find = |method, uri| {
            let head = head(method, uri, &[]);
            assert_eq!(protocol_of(&head, Some("access-analyzer")), Protocols::RestJson);
            route(Protocols::RestJson, &head, None, &Hosts::default()).map(|r| (r.operation.name, r.labels))
        };
        assert_eq!(find("POST", "/policy/validation").unwrap().0, "ValidatePolicy");
        let (name, labels) = find("GET", "/analyzer/a%2Fb").unwrap();
        assert_eq!((name, labels), ("GetAnalyzer", vec![("analyzerName", "a/b".to_owned())]));
        assert_eq!(find("GET", "/nothing/here").unwrap_err().code, "UnknownOperationException");
    }

    #[test]
    fn s3s_second_api_is_told_by_its_path_and_the_account_that_it_names() {
        let account: &[(&str, &str)] =
            &[("host", "123456789012.localhost"), ("x-amz-account-id", "123456789012")];
        let find = |method, uri, headers| {
            let head = head(method, uri, headers);
            route(protocol_of(&head, None), &head, None, &Hosts::default())
                .map(|routed| (routed.operation.service.name, routed.operation.name, routed.labels))
                .map_err(|fault| fault.code.into_owned())
        };
        let labels = |name, value: &str| vec![(name, value.to_owned())];
        for (method, uri, name, expected) in [
            ("GET", "/v20180820/configuration/publicAccessBlock", "GetPublicAccessBlock", vec![]),
            ("GET", "/v20180820/accesspoint", "ListAccessPoints", vec![]),
            ("PUT", "/v20180820/accesspoint/ap", "CreateAccessPoint", labels("name", "ap")),
            ("PUT", "/v20180820/accesspoint/ap/policy", "PutAccessPointPolicy", labels("name", "ap")),
            (
                "GET",
                "/v20180820/tags/arn%3Aa%3A%3A%3Ab",
                "ListTagsForResource",
                labels("resourceArn", "arn:a:::b"),
            ),
            ("POST", "/v20180820/tags/arn:a/b/c", "TagResource", labels("resourceArn", "arn:a/b/c")),
            (
                "GET",
                "/v20180820/mrap/instances/a/b/policy",
                "GetMultiRegionAccessPointPolicy",
                labels("name", "a/b"),
            ),
        ] {
            assert_eq!(find(method, uri, account), Ok(("s3control", name, expected)), "{method} {uri}");
        }
        assert_eq!(find("GET", "/v20180820/nothing", account), Err("UnknownOperationException".to_owned()));
        // A bucket of that name, and one that is named as an account is.
        assert_eq!(find("GET", "/v20180820/tags/k", &[]).unwrap().1, "GetObject");
        assert_eq!(
            find("GET", "/v20180820/tags/k", &account[..1]).unwrap().2.first(),
            Some(&("Bucket", "123456789012".to_owned()))
        );
    }

    #[test]
    fn buckets_are_found_in_the_path_and_in_the_host() {
        let read = |host: &str, path: &str| {
            let hosts = Hosts { s3_domains: vec!["s3.example.com".into()], ..Hosts::default() };
            S3Address::read(&head("GET", path, &[("host", host)]), &hosts).unwrap()
        };
        let address = |bucket: Option<&str>, key: Option<&str>| S3Address {
            bucket: bucket.map(str::to_owned),
            key: key.map(str::to_owned),
        };
        for (host, path, bucket, key) in [
            ("127.0.0.1:4566", "/", None, None),
            ("127.0.0.1:4566", "/b", Some("b"), None),
            ("127.0.0.1:4566", "/b/", Some("b"), None),
            ("127.0.0.1:4566", "/b//k", Some("b"), Some("/k")),
            ("127.0.0.1:4566", "/b/../k%20%2B+", Some("b"), Some("../k ++")),
            ("b.localhost:4566", "/k", Some("b"), Some("k")),
            ("localhost:4566", "/b/k", Some("b"), Some("k")),
            ("s3.localhost:4566", "/b/k", Some("b"), Some("k")),
            ("b.s3.amazonaws.com", "/k", Some("b"), Some("k")),
            ("my.b.s3.eu-west-1.amazonaws.com", "/", Some("my.b"), None),
            ("s3.us-east-1.amazonaws.com", "/b/k", Some("b"), Some("k")),
            ("my.b.s3.example.com", "//k", Some("my.b"), Some("/k")),
            ("s3.example.com", "/b", Some("b"), None),
            ("ap-123456789012.127.0.0.1:4566", "/k", Some("ap-123456789012"), Some("k")),
            (
                "ap-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
                "/k",
                Some("ap-123456789012"),
                Some("k"),
            ),
            ("999.127.0.0.1", "/k", Some("999"), Some("k")),
            ("127.0.0.1", "/b/k", Some("b"), Some("k")),
        ] {
            assert_eq!(read(host, path), address(bucket, key), "{host} {path}");
        }
    }

    #[test]
    fn websites_have_hosts_of_their_own() {
        let hosts = Hosts { s3_website_domains: vec!["pages.example".to_owned()], ..Hosts::default() };
        for (host, site) in [
            ("b.s3-website-us-east-1.amazonaws.com", Some(("b", Some("us-east-1")))),
            ("www.a.b.s3-website.eu-central-1.amazonaws.com:443", Some(("www.a.b", Some("eu-central-1")))),
            ("b.s3-website.localhost:4566", Some(("b", None))),
            ("www.b.pages.example", Some(("www.b", None))),
            ("pages.example", None),
            ("s3-website.localhost", None),
            ("s3-website-us-east-1.amazonaws.com", None),
            ("b.s3-website.amazonaws.com", None),
            ("b.s3.us-east-1.amazonaws.com", None),
            ("b.localhost", None),
        ] {
            assert_eq!(hosts.website_of(host), site, "{host}");
        }
    }
}
