//! What a website's visitor is told of a refusal: a page, as S3's website endpoints write it (S3 user guide, "Amazon S3 HTTP
//! response codes").

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::answer::host_id;
use crate::{Answer, Fault};

/// The page of a refusal. An answer to `HEAD` has none.
#[must_use]
pub fn write_page(fault: &Fault, request_id: &str, head: bool) -> Answer {
    let mut answer = Answer { status: fault.status, ..Answer::default() };
    let mut header = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
        {
            answer.headers.insert(name, value);
        }
    };
    header("x-amz-error-code", &fault.code);
    header("x-amz-error-message", &fault.message);
    for (name, value) in &fault.details {
        header(&format!("x-amz-error-detail-{name}"), value);
    }
    header("x-amz-request-id", request_id);
    header("x-amz-id-2", &host_id(request_id));
    for (name, value) in &fault.headers {
        header(name, value);
    }
    if head || fault.status == 304 {
        return answer;
    }
    answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer.body = page(fault, request_id).into_bytes();
    answer
}

fn page(fault: &Fault, request_id: &str) -> String {
    let reason = StatusCode::from_u16(fault.status).ok().and_then(|status| status.canonical_reason());
    let title = format!("{} {}", fault.status, reason.unwrap_or("Error"));
    let details = fault.details.iter().map(|(name, value)| (*name, value.as_str()));
    let id = host_id(request_id);
    let items = [("Code", fault.code.as_ref()), ("Message", fault.message.as_ref())]
        .into_iter()
        .chain(details)
        .chain([("RequestId", request_id), ("HostId", id.as_str())]);
    let items: String = items.map(|(name, value)| format!("<li>{name}: {}</li>\n", escaped(value))).collect();
    format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{items}</ul>\n<hr/>\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_sent_is_text_and_never_markup() {
        let fault = Fault::coded("NoSuchKey", 404, "The specified key does not exist.")
            .with("Key", "<script>alert('x')</script>\r\nset-cookie: a=b");
        let answer = write_page(&fault, "R", false);
        let body = String::from_utf8(answer.body).unwrap();
        assert!(body.contains("<li>Key: &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), "{body}");
        assert!(
            body.contains("<h1>404 Not Found</h1>") && body.contains("<li>Code: NoSuchKey</li>"),
            "{body}"
        );
        assert!(!answer.headers.contains_key("x-amz-error-detail-key"), "a header has no line ends");
        assert!(!answer.headers.contains_key("set-cookie"));
        assert!(write_page(&fault, "R", true).body.is_empty());
    }
}
