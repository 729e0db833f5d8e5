//! What the visitors of a bucket's website get: objects, the indexes of folders, redirects and error documents, each asked for
//! by a caller without a name, so that only what everybody may read is shown (S3 user guide, "Website endpoints").

use std::sync::Arc;

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    GetObjectOutput, GetObjectRequest, HeadObjectOutput, HeadObjectRequest, Redirect, RoutingRule,
    WebsiteConfiguration, ops,
};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, Website, stream_operation};

use crate::authorize;
use crate::bucket::Bucket;
use crate::description::Description;
use crate::object::Subject;
use crate::{get_object, uri, website};

stream_operation!(for_websites: GET_PAGE, ops::GetObject, get_checks, get);
stream_operation!(for_websites: HEAD_PAGE, ops::HeadObject, head_checks, head);

/// A website, and the path that is visited.
struct Site {
    at: Website,
    bucket: Arc<Bucket>,
    configuration: WebsiteConfiguration,
    /// Without the slash that it began with.
    path: String,
}

/// What stands at a path.
enum Page {
    Object(Box<Subject>),
    Elsewhere {
        status: u16,
        location: String,
    },
    /// A refusal, and the document that its visitors get.
    Failed {
        fault: Fault,
        document: Option<Box<Subject>>,
    },
}

async fn get_checks(cx: &Cx, input: &GetObjectRequest) -> Result<(Checks, Site), Error> {
    Site::find(cx, &input.bucket, &input.key)
}

async fn head_checks(cx: &Cx, input: &HeadObjectRequest) -> Result<(Checks, Site), Error> {
    Site::find(cx, &input.bucket, &input.key)
}

async fn get(
    cx: &Cx,
    site: Site,
    input: GetObjectRequest,
    payload: Payload,
) -> Result<Answered<GetObjectOutput>, Error> {
    match site.page(cx).await? {
        Page::Object(subject) => get_object::get(cx, *subject, input, payload).await,
        Page::Elsewhere { status, location } => {
            cx.on_answer("location", location);
            Ok(Answered::new(GetObjectOutput::default()).with_status(status))
        }
        Page::Failed { fault, document: None } => Err(fault.into()),
        Page::Failed { fault, document: Some(document) } => {
            let whole =
                GetObjectRequest { bucket: input.bucket, key: input.key, ..GetObjectRequest::default() };
            Ok(get_object::get(cx, *document, whole, payload).await?.as_refusal(told(cx, fault)))
        }
    }
}

async fn head(
    cx: &Cx,
    site: Site,
    input: HeadObjectRequest,
    payload: Payload,
) -> Result<Answered<HeadObjectOutput>, Error> {
    match site.page(cx).await? {
        Page::Object(subject) => get_object::head(cx, *subject, input, payload).await,
        Page::Elsewhere { status, location } => {
            cx.on_answer("location", location);
            Ok(Answered::new(HeadObjectOutput::default()).with_status(status))
        }
        Page::Failed { fault, document: None } => Err(fault.into()),
        Page::Failed { fault, document: Some(document) } => {
            let whole =
                HeadObjectRequest { bucket: input.bucket, key: input.key, ..HeadObjectRequest::default() };
            Ok(get_object::head(cx, *document, whole, payload).await?.as_refusal(told(cx, fault)))
        }
    }
}

/// Says in the headers what the error document need not say.
fn told(cx: &Cx, fault: Fault) -> Fault {
    cx.on_answer("x-amz-error-code", fault.code.as_ref());
    cx.on_answer("x-amz-error-message", fault.message.as_str());
    fault
}

impl Site {
    fn find(cx: &Cx, name: &str, path: &str) -> Result<(Checks, Self), Error> {
        let bucket = Bucket::find(cx, name)?;
        authorize::admit(cx, &bucket, None)?;
        let at = cx.website().cloned().ok_or_else(|| cx.internal_failure())?;
        if at.region.as_ref().is_some_and(|region| *region != bucket.region) {
            let words = "The specified bucket exists in another region. Please direct requests to the specified endpoint.";
            let endpoint = format!("{}.s3-website-{}.amazonaws.com", bucket.name, bucket.region);
            return Err(Fault::coded("IncorrectEndpoint", 400, words).with("Endpoint", endpoint).into());
        }
        let configuration = website::of(&bucket)?.ok_or_else(|| website::none(&bucket))?;
        let path = path.strip_prefix('/').unwrap_or(path).to_owned();
        let checks = Checks::authenticated_only("each key that a website shows is asked about for itself");
        Ok((checks, Self { at, bucket, configuration, path }))
    }

    async fn page(&self, cx: &Cx) -> Result<Page, Error> {
        if let Some(all) = &self.configuration.redirect_all_requests_to {
            let protocol = all.protocol.map(|protocol| protocol.as_str());
            let location = self.location(cx, protocol, Some(&all.host_name), &encoded(&self.path));
            return Ok(Page::Elsewhere { status: 301, location });
        }
        if let Some(page) = self.redirect(cx, None) {
            return Ok(page);
        }
        let index = self.configuration.index_document.as_ref().map(|index| index.suffix.as_str());
        let index = index.unwrap_or_default();
        let is_folder = self.path.is_empty() || self.path.ends_with('/');
        let key = if is_folder { format!("{}{index}", self.path) } else { self.path.clone() };
        let fault = match self.readable(cx, &key).await {
            Ok(subject) => return shown(cx, subject),
            Err(Error::Fault(fault)) if (400..500).contains(&fault.status) => *fault,
            Err(error) => return Err(error),
        };
        if !is_folder && self.readable(cx, &format!("{}/{index}", self.path)).await.is_ok() {
            // A second slash would begin the name of another host.
            let path = encoded(&self.path);
            let location = match path.strip_prefix('/') {
                Some(rest) => format!("/%2F{rest}/"),
                None => format!("/{path}/"),
            };
            let found = Fault::coded("Found", 302, "Resource Found").with_header("location", location);
            return Ok(Page::Failed { fault: found, document: None });
        }
        if let Some(page) = self.redirect(cx, Some(fault.status)) {
            return Ok(page);
        }
        let document = match &self.configuration.error_document {
            Some(document) => self.readable(cx, &document.key).await.ok().map(Box::new),
            None => None,
        };
        Ok(Page::Failed { fault, document })
    }

    /// The object of that key, if everybody may read it.
    async fn readable(&self, cx: &Cx, key: &str) -> Result<Subject, Error> {
        let subject = Subject::find(cx, Arc::clone(&self.bucket), key, None).await?;
        let read = subject.check(cx, get_object::action(false));
        cx.authorize(&Checks::from(read).and_all(subject.opening_check(cx)?))?;
        subject.opened(cx)?;
        Ok(subject)
    }

    /// Where the first rule that is about the path sends its visitors: before an object is looked for, or after it failed
    /// with a status.
    fn redirect(&self, cx: &Cx, failed: Option<u16>) -> Option<Page> {
        let rule = self.configuration.routing_rules.iter().find(|rule| is_about(rule, &self.path, failed))?;
        let Redirect { host_name, http_redirect_code, protocol, replace_key_prefix_with, replace_key_with } =
            &rule.redirect;
        let prefix = rule.condition.as_ref().and_then(|condition| condition.key_prefix_equals.as_deref());
        let path = match (replace_key_with, replace_key_prefix_with) {
            (Some(key), _) => visible(key),
            (None, Some(with)) => {
                let rest = self.path.strip_prefix(prefix.unwrap_or_default()).unwrap_or(&self.path);
                visible(with) + &encoded(rest)
            }
            (None, None) => encoded(&self.path),
        };
        let protocol = protocol.map(|protocol| protocol.as_str());
        let status = http_redirect_code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(301);
        let location = self.location(cx, protocol, host_name.as_deref(), &path);
        Some(Page::Elsewhere { status, location })
    }

    fn location(&self, cx: &Cx, protocol: Option<&str>, host: Option<&str>, path: &str) -> String {
        let protocol = protocol.unwrap_or(if cx.peer().tls.is_some() { "https" } else { "http" });
        format!("{protocol}://{}/{path}", host.unwrap_or(&self.at.host))
    }
}

/// An object that sends its visitors elsewhere does so.
fn shown(cx: &Cx, subject: Subject) -> Result<Page, Error> {
    let description = Description::decode(&subject.opened(cx)?.version.meta)?;
    Ok(match description.website_redirect_location {
        Some(location) => Page::Elsewhere { status: 301, location },
        None => Page::Object(Box::new(subject)),
    })
}

fn is_about(rule: &RoutingRule, path: &str, failed: Option<u16>) -> bool {
    let condition = rule.condition.as_ref();
    let code = condition.and_then(|condition| condition.http_error_code_returned_equals.as_deref());
    let prefix = condition.and_then(|condition| condition.key_prefix_equals.as_deref());
    let at_this_point = match (code, failed) {
        (None, None) => true,
        (Some(code), Some(status)) => code.parse() == Ok(status),
        _ => false,
    };
    at_this_point && prefix.is_none_or(|prefix| path.starts_with(prefix))
}

/// A key in an address.
fn encoded(key: &str) -> String {
    uri::encode(key).replace('+', "%20")
}

/// What the bucket's owner wrote, which may hold a query and a fragment, in what a header can carry.
fn visible(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_graphic() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
