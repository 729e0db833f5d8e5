//! What a request says of itself before anything of it is verified: enough to choose the words of a refusal, and nothing
//! more.

use daypass_model::{Service, services};
use http::request::Parts;

/// Whether the request claims to be for Access Analyzer, whose routes would be S3's otherwise. It is only believed if
/// the signature says so too. Its host name says it where there is no signature.
pub(super) fn claims_access_analyzer(head: &Parts) -> Option<&'static str> {
    let authorization = head.headers.get("authorization").map_or(&[][..], |v| v.as_bytes());
    let named = |text: &[u8], needle: &[u8]| text.windows(needle.len()).any(|w| w == needle);
    let query = head.uri.query().unwrap_or("").as_bytes();
    let host = head.headers.get("host").map_or(&[][..], |v| v.as_bytes());
    let claimed = host.starts_with(b"access-analyzer.")
        || named(authorization, b"/access-analyzer/aws4_request")
        || named(query, b"%2Faccess-analyzer%2Faws4_request");
    claimed.then_some("access-analyzer")
}

/// The service that the request says it was signed for, to verify what no operation is known of.
pub(super) fn claimed_service(head: &Parts) -> Option<&'static Service> {
    let authorization = head.headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or("");
    let scope = authorization.split_once("Credential=").map(|(_, rest)| rest.split(',').next().unwrap_or(""));
    let name = scope?.rsplit('/').nth(1)?;
    services().iter().find(|s| s.signing_name == name).copied()
}

/// The key that the request says it was signed with, for the audit record alone.
pub(super) fn claimed_key(head: &Parts) -> Option<String> {
    let header = head.headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or("");
    let query = head.uri.query().unwrap_or("");
    let after = header.split_once("Credential=").or_else(|| query.split_once("X-Amz-Credential="))?.1;
    let key: String = after.chars().take_while(char::is_ascii_alphanumeric).take(128).collect();
    Some(key).filter(|k| !k.is_empty())
}
