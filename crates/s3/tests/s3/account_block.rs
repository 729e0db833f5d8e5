//! What an account blocks of public access, whatever its buckets do not.

use crate::support::{Account, ask, ask_with, control, control_of, refusal};

const BLOCK: &str = "configuration/publicAccessBlock";

fn configuration(blocked: &[&str]) -> String {
    let members: String = blocked.iter().map(|name| format!("<{name}>true</{name}>")).collect();
    format!(
        "<PublicAccessBlockConfiguration xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\">{members}</PublicAccessBlockConfiguration>"
    )
}

fn public(bucket: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/*"}}]}}"#
    )
}

#[tokio::test]
async fn the_block_of_an_account_is_put_shown_and_taken_away() {
    let account = Account::new().await;
    let none = control(&account.administrator, "GET", BLOCK, "", "").await;
    assert_eq!(none.status, 404);
    assert!(none.body.contains("<ErrorResponse xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"><Error><Code>NoSuchPublicAccessBlockConfiguration</Code>"));
    let some = configuration(&["BlockPublicAcls", "RestrictPublicBuckets"]);
    control(&account.administrator, "PUT", BLOCK, "", &some).await.ok();
    let shown = control(&account.administrator, "GET", BLOCK, "", "").await.ok();
    let names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    assert_eq!(names.map(|name| shown.xml(name).unwrap()), ["true", "false", "false", "true"]);
    control(&account.administrator, "DELETE", BLOCK, "", "").await.ok();
    assert_eq!(control(&account.administrator, "GET", BLOCK, "", "").await.status, 404);
}

#[tokio::test]
async fn only_the_account_itself_and_who_may_touches_its_block() {
    let account = Account::new().await;
    let may = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let not = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*BucketPublicAccessBlock","Resource":"*"}]}"#;
    let (nobody, allowed) =
        (account.server.user("nobody", &[]).await, account.server.user("may", &[("p", may)]).await);
    let of_buckets = account.server.user("buckets", &[("p", not)]).await;
    let stranger = account.stranger("stranger", &[("p", may)]).await;
    let all = configuration(&["BlockPublicAcls"]);
    for (method, body) in [("PUT", all.as_str()), ("GET", ""), ("DELETE", "")] {
        for client in [&nobody, &of_buckets, &stranger, &account.server.anonymous()] {
            let answer = control(client, method, BLOCK, "", body).await;
            assert_eq!((answer.status, answer.code().unwrap().as_str()), (403, "AccessDenied"), "{method}");
        }
    }
    control(&allowed, "PUT", BLOCK, "", &all).await.ok();
    // Another account's own is another one.
    assert_eq!(control_of(&stranger, "999988887777", "GET", BLOCK, "", "").await.status, 404);
    assert_eq!(control_of(&allowed, "999988887777", "GET", BLOCK, "", "").await.status, 403);
}

#[tokio::test]
async fn an_account_that_restricts_shuts_out_whom_a_public_policy_lets_in() {
    let account = Account::with_bucket("open").await;
    account.unblock("open").await;
    account.ok("PUT", "/open/k", "", "x").await;
    account.policy("open", &public("open")).await;
    let anonymous = account.server.anonymous();
    ask(&anonymous, "GET", "/open/k", "", "").await.ok();
    let stranger = account
        .stranger(
            "s",
            &[(
                "p",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
            )],
        )
        .await;
    ask(&stranger, "GET", "/open/k", "", "").await.ok();
    control(&account.administrator, "PUT", BLOCK, "", &configuration(&["RestrictPublicBuckets"])).await.ok();
    assert_eq!(ask(&anonymous, "GET", "/open/k", "", "").await.status, 403);
    assert_eq!(ask(&stranger, "GET", "/open/k", "", "").await.status, 403);
    account.ok("GET", "/open/k", "", "").await;
    control(&account.administrator, "DELETE", BLOCK, "", "").await.ok();
    ask(&anonymous, "GET", "/open/k", "", "").await.ok();
}

#[tokio::test]
async fn an_account_that_blocks_policies_takes_no_public_one() {
    let account = Account::with_bucket("open").await;
    account.unblock("open").await;
    control(&account.administrator, "PUT", BLOCK, "", &configuration(&["BlockPublicPolicy"])).await.ok();
    let (status, code, _) = account.refused("PUT", "/open", "policy", &public("open")).await;
    assert_eq!((status, code.as_str()), (403, "AccessDenied"));
    // What lets in somebody in particular is taken.
    account
        .policy("open", &public("open").replace("\"*\",\"Action", "{\"AWS\":\"999988887777\"},\"Action"))
        .await;
    control(&account.administrator, "DELETE", BLOCK, "", "").await.ok();
    account.policy("open", &public("open")).await;
}

#[tokio::test]
async fn an_account_that_blocks_lists_takes_no_public_one_and_one_that_ignores_them_shows_none() {
    let account = Account::new().await;
    let ownership = [("x-amz-object-ownership", "ObjectWriter")];
    ask_with(&account.administrator, "PUT", "/lists", "", &ownership, "").await.ok();
    account.unblock("lists").await;
    let open = [("x-amz-acl", "public-read")];
    ask_with(&account.administrator, "PUT", "/lists/k", "", &open, "x").await.ok();
    let anonymous = account.server.anonymous();
    ask(&anonymous, "GET", "/lists/k", "", "").await.ok();
    assert!(account.ok("GET", "/lists/k", "acl", "").await.body.contains("AllUsers"));
    control(&account.administrator, "PUT", BLOCK, "", &configuration(&["IgnorePublicAcls"])).await.ok();
    assert_eq!(ask(&anonymous, "GET", "/lists/k", "", "").await.status, 403);
    assert!(!account.ok("GET", "/lists/k", "acl", "").await.body.contains("AllUsers"));
    ask_with(&account.administrator, "PUT", "/lists/k2", "", &open, "x").await.ok();
    control(&account.administrator, "PUT", BLOCK, "", &configuration(&["BlockPublicAcls"])).await.ok();
    for (path, query) in [("/lists/k3", ""), ("/lists/k", "acl"), ("/lists", "acl")] {
        let headers = [open[0], ("x-amz-checksum-crc32", "AAAAAA==")];
        let answer = ask_with(&account.administrator, "PUT", path, query, &headers, "").await;
        let (code, message) = answer.refused();
        assert_eq!(
            (answer.status, code, message),
            refusal(403, "AccessDenied", "Access Denied"),
            "{path}?{query}"
        );
    }
}
