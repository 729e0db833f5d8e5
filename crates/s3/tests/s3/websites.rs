//! Websites of buckets: their configuration, and what their visitors get at hosts of their own.

use std::sync::Arc;

use daypass_core::testing::TestAnswer;
use daypass_core::{Peer, full};
use daypass_s3::AccessLog;
use http::Request;
use http_body_util::BodyExt as _;

use crate::support::{Account, ask_with, refusal, refused};

fn configuration(inside: &str) -> String {
    format!("<WebsiteConfiguration>{inside}</WebsiteConfiguration>")
}

const INDEX: &str = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
const HOST: &str = "b-1.s3-website-us-east-1.amazonaws.com";
const PUBLIC: &str = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/*"},{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b-1/private*"}]}"#;
const LISTED: &str = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b-1","arn:aws:s3:::b-1/*"]}]}"#;

/// An account with a website that everybody may see.
async fn site(inside: &str, policy: &str) -> Account {
    let account = Account::with_bucket("b-1").await;
    account.unblock("b-1").await;
    account.policy("b-1", policy).await;
    account.ok("PUT", "/b-1", "website", &configuration(inside)).await;
    for (key, text) in [
        ("index.html", "home"),
        ("a/index.html", "folder"),
        ("page.html", "page"),
        ("private.html", "secret"),
    ] {
        let html = [("content-type", "text/html")];
        ask_with(&account.administrator, "PUT", &format!("/b-1/{key}"), "", &html, text).await.ok();
    }
    account
}

async fn visit_with(
    account: &Account,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> TestAnswer {
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer = Peer { address: [192, 0, 2, 9].into(), tls: None, instance: None };
    let answer = account.server.gate.serve(peer, request.body(full("")).unwrap()).await;
    let (head, body) = answer.into_parts();
    let body = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
    TestAnswer { status: head.status.as_u16(), headers: head.headers, body }
}

async fn visit(account: &Account, path: &str) -> TestAnswer {
    visit_with(account, HOST, "GET", path, &[]).await
}

fn text<'a>(answer: &'a TestAnswer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_configuration_is_shown_as_it_was_put() {
    let account = Account::with_bucket("b-1").await;
    for inside in [
        "<RedirectAllRequestsTo><HostName>example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
        "<IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument><Key>error.html</Key></ErrorDocument><RoutingRules><RoutingRule><Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule></RoutingRules>",
    ] {
        account.ok("PUT", "/b-1", "website", &configuration(inside)).await;
        let is = account.ok("GET", "/b-1", "website", "").await.body;
        for part in inside.split_inclusive('>').filter(|part| !part.starts_with("</")) {
            assert!(is.contains(part), "{part}: {is}");
        }
    }
    assert_eq!(account.ok("DELETE", "/b-1", "website", "").await.status, 204);
    let words = "The specified bucket does not have a website configuration";
    let is = account.refused("GET", "/b-1", "website", "").await;
    assert_eq!(is, refusal(404, "NoSuchWebsiteConfiguration", words));
}

#[tokio::test]
async fn what_s3_would_not_take_is_refused() {
    let account = Account::with_bucket("b-1").await;
    let rule =
        |inside: &str| format!("{INDEX}<RoutingRules><RoutingRule>{inside}</RoutingRule></RoutingRules>");
    let all = "<RedirectAllRequestsTo><HostName>example.com</HostName></RedirectAllRequestsTo>";
    let to = "<Redirect><HostName>example.com</HostName></Redirect>";
    let many = format!(
        "{INDEX}<RoutingRules>{}</RoutingRules>",
        format!("<RoutingRule>{to}</RoutingRule>").repeat(51)
    );
    for (inside, code) in [
        (String::new(), "InvalidArgument"),
        ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>".to_owned(), "InvalidArgument"),
        ("<IndexDocument><Suffix></Suffix></IndexDocument>".to_owned(), "InvalidArgument"),
        (format!("{all}{INDEX}"), "InvalidRequest"),
        (many, "InvalidRequest"),
        (rule(&format!("<Condition></Condition>{to}")), "InvalidRequest"),
        (
            rule(&format!(
                "<Condition><HttpErrorCodeReturnedEquals>200</HttpErrorCodeReturnedEquals></Condition>{to}"
            )),
            "InvalidRequest",
        ),
        (rule("<Redirect><HttpRedirectCode>300</HttpRedirectCode></Redirect>"), "InvalidRequest"),
        (
            rule(
                "<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith></Redirect>",
            ),
            "InvalidRequest",
        ),
        (rule("<Redirect></Redirect>"), "MalformedXML"),
        (rule("<Redirect><HostName>a b</HostName></Redirect>"), "InvalidArgument"),
        (rule("<Redirect><Protocol>ftp</Protocol></Redirect>"), "MalformedXML"),
    ] {
        let is = account.refused("PUT", "/b-1", "website", &configuration(&inside)).await;
        assert_eq!((is.0, is.1.as_str()), (400, code), "{inside}");
    }
}

#[tokio::test]
async fn visitors_get_objects_and_the_indexes_of_folders() {
    let account = site(INDEX, PUBLIC).await;
    for (path, body) in
        [("/", "home"), ("/a/", "folder"), ("/page.html", "page"), ("/page.html?versionId=x&uploads", "page")]
    {
        let answer = visit(&account, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
        assert_eq!(text(&answer, "content-type"), "text/html");
    }
    for host in ["b-1.s3-website.us-east-1.amazonaws.com:80", "b-1.s3-website.localhost:4566"] {
        assert_eq!(visit_with(&account, host, "GET", "/", &[]).await.body, "home", "{host}");
    }
    let head = visit_with(&account, HOST, "HEAD", "/", &[]).await;
    assert_eq!((head.status, text(&head, "content-length"), head.body.as_str()), (200, "4", ""));
    let part = visit_with(&account, HOST, "GET", "/", &[("range", "bytes=1-2")]).await;
    assert_eq!((part.status, part.body.as_str()), (206, "om"));
    let tag = text(&head, "etag").to_owned();
    assert_eq!(visit_with(&account, HOST, "GET", "/", &[("if-none-match", &tag)]).await.status, 304);
    let folder = visit(&account, "/a").await;
    assert_eq!((folder.status, text(&folder, "location")), (302, "/a/"));
    assert!(folder.body.contains("<h1>302 Found</h1>"), "{}", folder.body);
    let no_folder = visit(&account, "/b").await;
    assert_eq!(no_folder.status, 403, "whether there is one is for those who may list");
}

#[tokio::test]
async fn what_visitors_may_not_read_they_are_refused_on_a_page() {
    let account = site(INDEX, PUBLIC).await;
    for path in ["/private.html", "/missing"] {
        let answer = visit(&account, path).await;
        assert_eq!((answer.status, text(&answer, "x-amz-error-code")), (403, "AccessDenied"), "{path}");
        assert!(
            answer.body.contains("<h1>403 Forbidden</h1>") && !answer.body.contains("secret"),
            "{}",
            answer.body
        );
        assert_eq!(text(&answer, "content-type"), "text/html; charset=utf-8");
    }
    account.policy("b-1", LISTED).await;
    let answer = visit(&account, "/missing").await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("<li>Code: NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>\n<li>Key: missing</li>"), "{}", answer.body);
    // A bucket that is closed to the public is so at its website.
    let block = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    account.ok("PUT", "/b-1", "publicAccessBlock", block).await;
    assert_eq!(visit(&account, "/").await.status, 403);
}

#[tokio::test]
async fn a_website_takes_nothing_but_visits() {
    let account = site(INDEX, PUBLIC).await;
    for method in ["PUT", "POST", "DELETE", "PATCH"] {
        let answer = visit_with(&account, HOST, method, "/page.html", &[]).await;
        assert_eq!((answer.status, text(&answer, "x-amz-error-code")), (405, "MethodNotAllowed"), "{method}");
    }
    let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00";
    let answer = visit_with(&account, HOST, "GET", "/private.html", &[("authorization", signed)]).await;
    assert_eq!((answer.status, text(&answer, "x-amz-error-code")), (400, "InvalidArgument"));
    // A target of another service, and an action in the query, are nothing here.
    let answer = visit_with(
        &account,
        HOST,
        "GET",
        "/?Action=GetCallerIdentity&Version=2011-06-15",
        &[("x-amz-target", "AmazonSSM.GetParameter")],
    )
    .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "home"));
    assert_eq!(
        visit_with(&account, "b-1.s3-website-eu-west-1.amazonaws.com", "GET", "/", &[]).await.status,
        400
    );
    let nothing = visit_with(&account, "b-2.s3-website.localhost", "GET", "/", &[]).await;
    assert_eq!((nothing.status, text(&nothing, "x-amz-error-code")), (404, "NoSuchBucket"));
    account.ok("DELETE", "/b-1", "website", "").await;
    assert_eq!(text(&visit(&account, "/").await, "x-amz-error-code"), "NoSuchWebsiteConfiguration");
}

#[tokio::test]
async fn requesters_cannot_pay_at_a_website() {
    let account = site(INDEX, PUBLIC).await;
    let payer = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    account.ok("PUT", "/b-1", "requestPayment", payer).await;
    let pays = [("x-amz-request-payer", "requester")];
    assert_eq!(visit_with(&account, HOST, "GET", "/", &pays).await.status, 403);
}

#[tokio::test]
async fn an_error_document_comes_with_the_status_of_the_error() {
    let inside = format!("{INDEX}<ErrorDocument><Key>oops.html</Key></ErrorDocument>");
    let account = site(&inside, LISTED).await;
    assert!(
        visit(&account, "/missing").await.body.contains("404 Not Found"),
        "the document is missing itself"
    );
    account.ok("PUT", "/b-1/oops.html", "", "sorry").await;
    let answer = visit_with(&account, HOST, "GET", "/missing", &[("range", "bytes=0-1")]).await;
    assert_eq!(
        (answer.status, answer.body.as_str(), text(&answer, "x-amz-error-code")),
        (404, "sorry", "NoSuchKey")
    );
    let head = visit_with(&account, HOST, "HEAD", "/missing", &[]).await;
    assert_eq!((head.status, head.body.as_str(), text(&head, "content-length")), (404, "", "5"));
    let audit = account.server.audit();
    let record = audit.iter().rev().find(|record| record.event_name == "GetObject").unwrap();
    assert!(
        record.event.contains("\"errorCode\":\"NoSuchKey\"") && record.event.contains("ANONYMOUS_PRINCIPAL"),
        "{}",
        record.event
    );
}

#[tokio::test]
async fn rules_send_visitors_elsewhere() {
    let rules = "<RoutingRules>\
        <RoutingRule><Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule>\
        <RoutingRule><Condition><KeyPrefixEquals>images/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyWith>gone.html?a=b#c</ReplaceKeyWith><HttpRedirectCode>302</HttpRedirectCode></Redirect></RoutingRule>\
        <RoutingRule><Condition><KeyPrefixEquals>app/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><ReplaceKeyPrefixWith>#!/</ReplaceKeyPrefixWith></Redirect></RoutingRule>\
        <RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><HostName>example.com</HostName><Protocol>https</Protocol><ReplaceKeyPrefixWith>report-404/</ReplaceKeyPrefixWith></Redirect></RoutingRule>\
        </RoutingRules>";
    let account = site(&format!("{INDEX}{rules}"), LISTED).await;
    for (path, status, location) in [
        ("/docs/a%20b.html", 301, format!("http://{HOST}/documents/a%20b.html")),
        ("/images/x.png", 302, format!("http://{HOST}/gone.html?a=b#c")),
        ("/app/view/1", 301, format!("http://{HOST}/#!/view/1")),
        (
            "/Missing%0d%0aset-cookie:x",
            301,
            "https://example.com/report-404/Missing%0D%0Aset-cookie%3Ax".to_owned(),
        ),
    ] {
        let answer = visit(&account, path).await;
        assert_eq!((answer.status, text(&answer, "location")), (status, location.as_str()), "{path}");
    }
    assert_eq!(visit(&account, "/page.html").await.body, "page");
    let all = "<RedirectAllRequestsTo><HostName>example.com</HostName></RedirectAllRequestsTo>";
    account.ok("PUT", "/b-1", "website", &configuration(all)).await;
    let answer = visit(&account, "/private.html").await;
    assert_eq!((answer.status, text(&answer, "location")), (301, "http://example.com/private.html"));
}

#[tokio::test]
async fn an_object_can_send_its_visitors_elsewhere() {
    let account = site(INDEX, PUBLIC).await;
    let header = "x-amz-website-redirect-location";
    for location in ["/page.html", "https://example.com/x?y"] {
        ask_with(&account.administrator, "PUT", "/b-1/old.html", "", &[(header, location)], "old").await.ok();
        let answer = visit(&account, "/old.html").await;
        assert_eq!((answer.status, text(&answer, "location"), answer.body.as_str()), (301, location, ""));
        let is = account.ok("GET", "/b-1/old.html", "", "").await;
        assert_eq!((is.body.as_str(), text(&is, header)), ("old", location), "the API does not redirect");
    }
    // A copy has what its request says.
    let from = [("x-amz-copy-source", "/b-1/old.html")];
    ask_with(&account.administrator, "PUT", "/b-1/copy.html", "", &from, "").await.ok();
    assert_eq!(visit(&account, "/copy.html").await.body, "old");
    ask_with(&account.administrator, "PUT", "/b-1/copy.html", "", &[from[0], (header, "/x")], "").await.ok();
    assert_eq!(text(&visit(&account, "/copy.html").await, "location"), "/x");
    for location in ["page.html", "ftp://example.com/"] {
        let is =
            ask_with(&account.administrator, "PUT", "/b-1/old.html", "", &[(header, location)], "old").await;
        assert_eq!((is.status, is.refused().0.as_str()), (400, "InvalidRedirectLocation"));
    }
}

#[tokio::test]
async fn only_who_may_configures_a_website() {
    let account = site(INDEX, PUBLIC).await;
    let stranger = account
        .stranger("robin", &[("all", r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#)])
        .await;
    for (method, body) in [("GET", ""), ("PUT", configuration(INDEX).as_str()), ("DELETE", "")] {
        assert_eq!(refused(&stranger, method, "/b-1", "website", body).await.1, "AccessDenied", "{method}");
        assert_eq!(
            refused(&account.server.anonymous(), method, "/b-1", "website", body).await.1,
            "AccessDenied"
        );
    }
}

#[tokio::test]
async fn a_path_is_decoded_once_and_only_if_it_can_be() {
    let account = site(INDEX, PUBLIC).await;
    account.ok("PUT", "/b-1/a%2520b%2B+c", "", "odd").await;
    for (path, status) in [
        ("/a%2520b%2B+c", 200),
        ("/a%20b%2B+c", 403),
        ("/a%2520b++c", 200),
        ("/a%252520b%2B+c", 403),
        ("/%70rivate.html", 403),
        ("/%2570rivate.html", 403),
        ("/page%2Ehtml", 200),
        ("/page%zz", 400),
        ("/page%2", 400),
        ("/page%", 400),
        ("/page%ff", 400),
    ] {
        assert_eq!(visit(&account, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_visit_is_logged_with_the_key_that_was_visited() {
    let mut account = site(INDEX, PUBLIC).await;
    let log = Arc::new(AccessLog::new(Arc::clone(account.server.gate.state())));
    account.server.gate = account.server.gate.clone().observed_by(Arc::clone(&log) as _);
    account.ok("PUT", "/logs", "", "").await;
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}"#;
    account.policy("logs", policy).await;
    let on = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>";
    account.ok("PUT", "/b-1", "logging", on).await;
    for path in ["/a%20b%2F%C3%A9", "/a%", "/"] {
        visit(&account, path).await;
    }
    log.deliver().await;
    let list = account.ok("GET", "/logs", "", "").await;
    let text = account.ok("GET", &format!("/logs/{}", list.xml("Key").unwrap()), "", "").await.body;
    let keys: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(8)).collect();
    assert_eq!(keys, ["a+b/%C3%A9", "-", "-"], "{text}");
}

#[tokio::test]
async fn no_path_sends_visitors_to_another_host() {
    let account = site(INDEX, PUBLIC).await;
    account.ok("PUT", "/b-1//example.com/index.html", "", "own").await;
    let answer = visit(&account, "//example.com").await;
    assert_eq!((answer.status, text(&answer, "location")), (302, "/%2Fexample.com/"));
    assert_eq!(visit(&account, "/%2Fexample.com/").await.body, "own");
}
