//! What pages of other sites may ask.

use crate::support::{Account, header, refusal};

const RULES: &str = "<CORSConfiguration><CORSRule><ID>one</ID><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>100</MaxAgeSeconds></CORSRule><CORSRule><AllowedMethod>HEAD</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>";

#[tokio::test]
async fn a_configuration_is_shown_as_it_was_put() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1", "cors", RULES).await;
    let shown = account.ok("GET", "/b-1", "cors", "").await;
    assert_eq!(shown.xml_all("AllowedMethod"), ["GET", "PUT", "HEAD"]);
    assert_eq!((shown.xml("ID"), shown.xml("MaxAgeSeconds")), (Some("one"), Some("100")));
    assert_eq!(account.ok("DELETE", "/b-1", "cors", "").await.status, 204);
    let absent = refusal(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist");
    assert_eq!(account.refused("GET", "/b-1", "cors", "").await, absent);
}

#[tokio::test]
async fn rules_that_s3_does_not_take_are_refused() {
    let account = Account::with_bucket("b-1").await;
    let rule = |inner: &str| format!("<CORSConfiguration><CORSRule>{inner}</CORSRule></CORSConfiguration>");
    for (inner, code, words) in [
        (
            "<AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin>",
            "InvalidRequest",
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
        ),
        (
            "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*.a.*</AllowedOrigin>",
            "InvalidRequest",
            "AllowedOrigin \"*.a.*\" can not have more than one wildcard.",
        ),
        (
            "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><AllowedHeader>**</AllowedHeader>",
            "InvalidRequest",
            "AllowedHeader \"**\" can not have more than one wildcard.",
        ),
        (
            "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ExposeHeader>x-*</ExposeHeader>",
            "InvalidRequest",
            "ExposeHeader \"x-*\" contains wildcard. We currently do not support wildcard for ExposeHeader.",
        ),
    ] {
        assert_eq!(account.refused("PUT", "/b-1", "cors", &rule(inner)).await, refusal(400, code, words));
    }
    for inner in ["<AllowedMethod>GET</AllowedMethod>", "<AllowedOrigin>*</AllowedOrigin>"] {
        assert_eq!(account.refused("PUT", "/b-1", "cors", &rule(inner)).await.1, "MalformedXML");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_without_credentials_and_by_the_rules() {
    let account = Account::with_bucket("b-1").await;
    let browser = account.server.anonymous();
    let ask =
        async |path: &str, headers: &[(&str, &str)]| browser.s3("OPTIONS", path, "", headers, b"").await;
    let wants = [("origin", "https://a.example.com"), ("access-control-request-method", "PUT")];
    let refused = ask("/b-1/k", &wants).await;
    assert_eq!(
        (refused.status, refused.refused().1.as_str(), refused.xml("ResourceType")),
        (403, "CORSResponse: CORS is not enabled for this bucket.", Some("OBJECT"))
    );
    account.ok("PUT", "/b-1", "cors", RULES).await;
    let mut with = wants.to_vec();
    with.push(("access-control-request-headers", "X-Amz-Date, x-amz-acl"));
    let answer = ask("/b-1/k", &with).await.ok();
    for (name, value) in [
        ("access-control-allow-origin", Some("https://a.example.com")),
        ("access-control-allow-methods", Some("GET, PUT")),
        ("access-control-allow-headers", Some("x-amz-date, x-amz-acl")),
        ("access-control-expose-headers", Some("ETag")),
        ("access-control-max-age", Some("100")),
        ("access-control-allow-credentials", Some("true")),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    let everybody =
        ask("/b-1", &[("origin", "http://evil.example"), ("access-control-request-method", "HEAD")])
            .await
            .ok();
    assert_eq!(header(&everybody, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&everybody, "access-control-allow-credentials"), None);
    for (headers, status, code) in [
        (
            &[("origin", "http://evil.example"), ("access-control-request-method", "PUT")][..],
            403,
            "AccessForbidden",
        ),
        (
            &[("origin", "https://a.example.com"), ("access-control-request-method", "DELETE")],
            403,
            "AccessForbidden",
        ),
        (
            &[
                ("origin", "https://a.example.com"),
                ("access-control-request-method", "PUT"),
                ("access-control-request-headers", "content-type"),
            ],
            403,
            "AccessForbidden",
        ),
        (&[("access-control-request-method", "PUT")], 400, "BadRequest"),
        (&[("origin", "https://a.example.com")], 400, "BadRequest"),
    ] {
        let answer = ask("/b-1/k", headers).await;
        assert_eq!((answer.status, answer.refused().0.as_str()), (status, code), "{headers:?}");
    }
    assert_eq!(ask("/nobodys/k", &wants).await.refused().0, "NoSuchBucket");
}

#[tokio::test]
async fn an_answer_says_what_the_page_may_see_even_if_it_is_a_refusal() {
    let account = Account::with_bucket("b-1").await;
    account.ok("PUT", "/b-1", "cors", RULES).await;
    account.ok("PUT", "/b-1/k", "", "x").await;
    let origin = [("origin", "https://a.example.com")];
    for (client, status) in [(&account.administrator, 200), (&account.server.anonymous(), 403)] {
        let answer = client.s3("GET", "/b-1/k", "", &origin, b"").await;
        assert_eq!(
            (answer.status, header(&answer, "access-control-allow-origin")),
            (status, Some("https://a.example.com"))
        );
    }
    let answer =
        account.administrator.s3("GET", "/b-1/k", "", &[("origin", "http://evil.example")], b"").await;
    assert_eq!(header(&answer, "access-control-allow-origin"), None);
}
