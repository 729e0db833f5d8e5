//! The configuration of a bucket's website: `s3:PutBucketWebsite`, `s3:GetBucketWebsite`, `s3:DeleteBucketWebsite` (S3 user
//! guide, "Hosting a static website using Amazon S3"). `page` answers its visitors.

use daypass_core::model::s3::{
    DeleteBucketWebsiteRequest, GetBucketWebsiteOutput, GetBucketWebsiteRequest, PutBucketWebsiteRequest,
    Redirect, RoutingRule, WebsiteConfiguration, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault};

use crate::authorize::bucket_operation;
use crate::bucket::Bucket;
use crate::document;
use crate::fault::{invalid_argument, invalid_request, malformed_xml, not_there};

bucket_operation!(GET_BUCKET_WEBSITE, ops::GetBucketWebsite, get);
bucket_operation!(PUT_BUCKET_WEBSITE, ops::PutBucketWebsite, put);
bucket_operation!(DELETE_BUCKET_WEBSITE, ops::DeleteBucketWebsite, delete);

/// Its place among a bucket's documents.
const KIND: &str = "website";
/// Routing rules (S3 user guide, "Configure redirection rules to use advanced conditional redirects").
const MAX_RULES: usize = 50;
/// Bytes of a configuration (S3 API reference, PutBucketWebsite: 128 KB).
const MAX_BYTES: usize = 128 << 10;
/// Bytes of an object's redirect location.
const MAX_LOCATION: usize = 2048;

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutBucketWebsiteRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    check(&input.website_configuration)?;
    let kept = document::write::<ops::PutBucketWebsite>(cx, input.website_configuration)?;
    if kept.to_string().len() > MAX_BYTES {
        return Err(malformed_xml().into());
    }
    document::keep(&mut bucket, KIND.to_owned(), kept)?;
    Ok(tx.put(&bucket)?)
}

fn get(_: &Cx, tx: &mut Tx<'_>, input: GetBucketWebsiteRequest) -> Result<GetBucketWebsiteOutput, Error> {
    let bucket = Bucket::load(tx, &input.bucket)?;
    let configuration = of(&bucket)?.ok_or_else(|| none(&bucket))?;
    Ok(GetBucketWebsiteOutput {
        redirect_all_requests_to: configuration.redirect_all_requests_to,
        index_document: configuration.index_document,
        error_document: configuration.error_document,
        routing_rules: Some(configuration.routing_rules).filter(|rules| !rules.is_empty()),
    })
}

fn delete(_: &Cx, tx: &mut Tx<'_>, input: DeleteBucketWebsiteRequest) -> Result<(), Error> {
    let mut bucket = Bucket::load(tx, &input.bucket)?;
    bucket.documents.remove(KIND);
    Ok(tx.put(&bucket)?)
}

/// The bucket's website, if it has one.
///
/// # Errors
/// If what is kept does not read, which is a failure of ours.
pub(crate) fn of(bucket: &Bucket) -> Result<Option<WebsiteConfiguration>, Error> {
    let kept = bucket.documents.get(KIND);
    kept.map(document::read::<ops::PutBucketWebsite, _>).transpose()
}

pub(crate) fn none(bucket: &Bucket) -> Fault {
    let words = "The specified bucket does not have a website configuration";
    not_there(&errors::NO_SUCH_WEBSITE_CONFIGURATION, words, &bucket.name)
}

fn check(configuration: &WebsiteConfiguration) -> Result<(), Fault> {
    let WebsiteConfiguration { error_document, index_document, redirect_all_requests_to, routing_rules } =
        configuration;
    if let Some(redirect) = redirect_all_requests_to {
        if index_document.is_some() || error_document.is_some() || !routing_rules.is_empty() {
            let words = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
            return Err(invalid_request(words));
        }
        return host_name(&redirect.host_name);
    }
    let Some(index) = index_document else {
        let words = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
        return Err(invalid_argument(words, "IndexDocument", "null"));
    };
    if index.suffix.is_empty() || index.suffix.contains('/') {
        let words = "The IndexDocument Suffix is not well formed";
        return Err(invalid_argument(words, "IndexDocument", index.suffix.as_str()));
    }
    if error_document.as_ref().is_some_and(|document| document.key.is_empty()) {
        return Err(invalid_argument("The ErrorDocument Key is not well formed", "ErrorDocument", ""));
    }
    if routing_rules.len() > MAX_RULES {
        let words = format!(
            "The number of routing rules must not exceed the allowed limit of {MAX_RULES}. Please reduce the number of routing rules."
        );
        return Err(invalid_request(words));
    }
    routing_rules.iter().try_for_each(check_rule)
}

fn check_rule(rule: &RoutingRule) -> Result<(), Fault> {
    if let Some(condition) = &rule.condition {
        if condition.key_prefix_equals.is_none() && condition.http_error_code_returned_equals.is_none() {
            let words = "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.";
            return Err(invalid_request(words));
        }
        let code = condition.http_error_code_returned_equals.as_deref();
        if let Some(code) = code.filter(|code| !matches!(code.parse(), Ok(400_u16..=599))) {
            let words =
                format!("The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX.");
            return Err(invalid_request(words));
        }
    }
    let Redirect { host_name: host, http_redirect_code: code, protocol, .. } = &rule.redirect;
    let (prefix, key) = (&rule.redirect.replace_key_prefix_with, &rule.redirect.replace_key_with);
    if prefix.is_some() && key.is_some() {
        return Err(invalid_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
    }
    if [host, code, prefix, key].iter().all(|element| element.is_none()) && protocol.is_none() {
        return Err(malformed_xml());
    }
    if let Some(code) = code.as_deref().filter(|code| !matches!(code.parse(), Ok(301_u16..=399))) {
        let words =
            format!("The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.");
        return Err(invalid_request(words));
    }
    host.as_deref().map_or(Ok(()), host_name)
}

fn host_name(name: &str) -> Result<(), Fault> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(invalid_argument("The hostname is not well formed", "HostName", name))
}

/// Whether an object may send its visitors there (S3 API reference, PutObject, `x-amz-website-redirect-location`).
///
/// # Errors
/// `InvalidRedirectLocation`.
pub(crate) fn check_location(location: Option<&str>) -> Result<(), Fault> {
    let Some(location) = location else { return Ok(()) };
    let refused = |words: &str| Fault::coded("InvalidRedirectLocation", 400, words);
    if !["/", "http://", "https://"].iter().any(|start| location.starts_with(start)) {
        let words = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
        return Err(refused(words));
    }
    if location.len() > MAX_LOCATION {
        return Err(refused("The length of website redirect location cannot exceed 2,048 characters."));
    }
    Ok(())
}
