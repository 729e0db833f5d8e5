//! One line of an access log (S3 user guide, "Amazon S3 server access log format").

use std::fmt::Write as _;

use daypass_core::model::Timestamp;
use daypass_core::objects::MAX_KEY_BYTES;
use daypass_core::store::StoreError;
use daypass_core::wire::host_id;
use daypass_core::wire::sigv4::AuthForm;
use daypass_core::{Exchange, State};

use crate::bucket::{Bucket, canonical_id_of};
use crate::uri;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Characters of what a request says of itself: of its first line, which holds its address, and of the rest. What is cut is its
/// own; a line stays small, so that few requests cannot fill a log.
const MAX_FIRST_LINE: usize = 8192;
const MAX_TEXT: usize = 1024;

/// The line, with its end.
///
/// # Errors
/// If the store fails.
pub(super) fn of(state: &State, bucket: &Bucket, seen: &Exchange) -> Result<String, StoreError> {
    let owner = canonical_id_of(state, &bucket.account)?;
    let requester = match seen.requester.as_deref() {
        Some(account) if account.len() == 12 => {
            account.parse().ok().map(|account| canonical_id_of(state, &account)).transpose()?
        }
        other => other.map(str::to_owned),
    };
    let signed = seen.signed.as_ref();
    let number = |number: u64| (number > 0).then(|| number.to_string());
    let fields = [
        Some(owner),
        Some(bucket.name.clone()),
        Some(time(seen.time)),
        Some(seen.address.to_string()),
        requester,
        Some(seen.request_id.clone()),
        Some(operation(seen)),
        seen.key.as_deref().map(key),
        Some(quoted(Some(&seen.line), MAX_FIRST_LINE)),
        Some(seen.status.to_string()),
        seen.error_code.clone(),
        number(seen.sent),
        seen.object_size.map(|size| size.to_string()),
        Some(seen.total_millis.max(0).to_string()),
        Some(seen.turn_around_millis.max(0).to_string()),
        Some(quoted(seen.referer.as_deref(), MAX_TEXT)),
        Some(quoted(seen.user_agent.as_deref(), MAX_TEXT)),
        seen.version_id.as_deref().map(plain),
        Some(host_id(&seen.request_id)),
        signed.map(|(version, _)| if *version == "AWS" { "SigV2" } else { "SigV4" }.to_owned()),
        seen.tls.as_ref().map(|tls| tls.cipher_suite.to_string()),
        signed.map(|(_, form)| form_name(*form).to_owned()),
        seen.host.as_deref().map(plain),
        seen.tls.as_ref().map(|tls| tls.version.name().to_owned()),
        bucket.via.as_ref().map(|access_point| access_point.arn()),
        seen.acl_required.then(|| "Yes".to_owned()),
    ];
    let mut line = String::new();
    for (place, field) in fields.iter().enumerate() {
        let field = field.as_deref().filter(|field| !field.is_empty()).unwrap_or("-");
        let _ = write!(line, "{}{field}", if place == 0 { "" } else { " " });
    }
    line.push('\n');
    Ok(line)
}

fn form_name(form: AuthForm) -> &'static str {
    match form {
        AuthForm::Header => "AuthHeader",
        AuthForm::Query => "QueryString",
        AuthForm::Post => "-",
    }
}

/// `[06/Feb/2019:00:00:38 +0000]`
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!("[{}/{}/{}:{} +0000]", part(8..10), month.unwrap_or(&"-"), part(0..4), part(11..19))
}

/// `2026-11-22`
pub(super) fn day(at: &Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// `2026-11-22-02-14-00` of `2026-11-22T02:14:00Z`.
pub(super) fn dashed(time: &str) -> String {
    time.trim_end_matches('Z').replace(['T', ':'], "-")
}

/// What a request says of itself never ends its field, nor its line.
fn quoted(text: Option<&str>, most: usize) -> String {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return "\"-\"".to_owned() };
    let text: String = text.chars().take(most).fold(String::new(), |mut out, c| {
        match c {
            '"' => out.push_str("%22"),
            c if c.is_control() => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
        out
    });
    format!("\"{text}\"")
}

/// A key as it is encoded; of one that no object can have, as much as one could.
fn key(text: &str) -> String {
    uri::encode(text.get(..text.floor_char_boundary(MAX_KEY_BYTES)).unwrap_or(text))
}

/// The same of a field without quotes.
fn plain(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if c.is_control() || c.is_whitespace() { '_' } else { c }).collect()
}

/// `REST.GET.OBJECT`: the protocol, the method and the kind of resource.
fn operation(seen: &Exchange) -> String {
    let method = seen.line.split(' ').next().unwrap_or("-");
    let front = if seen.website { "WEBSITE" } else { "REST" };
    let kind = match seen.operation.unwrap_or_default() {
        "CopyObject" => return "REST.COPY.OBJECT".to_owned(),
        "UploadPartCopy" => return "REST.COPY.PART".to_owned(),
        "CreateMultipartUpload" | "ListMultipartUploads" => "UPLOADS",
        "CompleteMultipartUpload" | "AbortMultipartUpload" | "ListParts" => "UPLOAD",
        "UploadPart" => "PART",
        "DeleteObjects" => "MULTI_OBJECT_DELETE",
        "ListObjectVersions" => "BUCKETVERSIONS",
        "OptionsObject" => "PREFLIGHT",
        "RestoreObject" => "OBJECT",
        "SelectObjectContent" => "OBJECT_SELECT",
        name => resource(name, seen.key.is_some()),
    };
    format!("{front}.{method}.{kind}")
}

fn resource(name: &str, of_object: bool) -> &'static str {
    let has = |part: &str| name.contains(part);
    match name {
        _ if has("ObjectTagging") => "OBJECT_TAGGING",
        _ if has("BucketTagging") => "TAGGING",
        _ if has("ObjectRetention") => "OBJECT_LOCK_RETENTION",
        _ if has("ObjectLegalHold") => "OBJECT_LOCK_LEGALHOLD",
        _ if has("ObjectLockConfiguration") => "OBJECT_LOCK_CONFIGURATION",
        _ if has("ObjectAttributes") => "OBJECT_ATTRIBUTES",
        _ if has("ObjectTorrent") => "OBJECT_TORRENT",
        _ if has("PolicyStatus") => "POLICY_STATUS",
        _ if has("BucketPolicy") => "BUCKETPOLICY",
        _ if has("Acl") => "ACL",
        _ if has("PublicAccessBlock") => "PUBLIC_ACCESS_BLOCK",
        _ if has("OwnershipControls") => "OWNERSHIP_CONTROLS",
        _ if has("Versioning") => "VERSIONING",
        _ if has("Logging") => "LOGGING_STATUS",
        _ if has("Lifecycle") => "LIFECYCLE",
        _ if has("Location") => "LOCATION",
        _ if has("Notification") => "NOTIFICATION",
        _ if has("Replication") => "REPLICATION",
        _ if has("RequestPayment") => "REQUEST_PAYMENT",
        _ if has("Accelerate") => "ACCELERATE",
        _ if has("Encryption") => "ENCRYPTION",
        _ if has("Website") => "WEBSITE",
        _ if has("Cors") => "CORS",
        _ if has("Analytics") => "ANALYTICS",
        _ if has("Inventory") => "INVENTORY",
        _ if has("Metrics") => "METRICS",
        _ if has("IntelligentTiering") => "INTELLIGENT_TIERING",
        _ if of_object => "OBJECT",
        _ => "BUCKET",
    }
}
