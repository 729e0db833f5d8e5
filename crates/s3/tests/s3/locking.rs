//! Object Lock: what keeps versions, for how long, and from whom.

use daypass_core::testing::{Client, TestAnswer};

use crate::support::{Account, ask, ask_with, header, refusal, refused};

const UNTIL: &str = "2040-01-01T00:00:00.250Z";

async fn with_lock() -> Account {
    let account = Account::new().await;
    let locked = [("x-amz-bucket-object-lock-enabled", "true")];
    account.administrator.s3("PUT", "/b-1", "", &locked, b"").await.ok();
    account
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

fn default(period: &str) -> String {
    format!(
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>{period}</DefaultRetention></Rule></ObjectLockConfiguration>"
    )
}

/// Puts an object and answers the query that names its version.
async fn put(account: &Account, headers: &[(&str, &str)]) -> String {
    let answer = ask_with(&account.administrator, "PUT", "/b-1/k", "", headers, "x").await.ok();
    format!("versionId={}", header(&answer, "x-amz-version-id").unwrap())
}

async fn delete(client: &Client, version: &str, bypass: bool) -> TestAnswer {
    let headers: &[(&str, &str)] =
        if bypass { &[("x-amz-bypass-governance-retention", "true")] } else { &[] };
    client.s3("DELETE", "/b-1/k", version, headers, b"").await
}

#[tokio::test]
async fn a_bucket_is_made_with_a_lock_or_given_one_that_versions_carry() {
    let account = with_lock().await;
    assert_eq!(account.ok("GET", "/b-1", "object-lock", "").await.xml("ObjectLockEnabled"), Some("Enabled"));
    assert_eq!(account.ok("GET", "/b-1", "versioning", "").await.xml("Status"), Some("Enabled"));
    let suspend = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    let words =
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
    assert_eq!(
        account.refused("PUT", "/b-1", "versioning", suspend).await,
        refusal(409, "InvalidBucketState", words)
    );
    account.ok("PUT", "/b-2", "", "").await;
    let words = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
    let days = default("<Days>1</Days>");
    assert_eq!(
        account.refused("PUT", "/b-2", "object-lock", &days).await,
        refusal(409, "InvalidBucketState", words)
    );
    account.ok("PUT", "/b-2", "versioning", &suspend.replace("Suspended", "Enabled")).await;
    account.ok("PUT", "/b-2", "object-lock", &days).await;
    assert_eq!(account.ok("GET", "/b-2", "object-lock", "").await.xml("Days"), Some("1"));
    for (period, code) in [
        ("<Days>1</Days><Years>1</Years>", "MalformedXML"),
        ("", "MalformedXML"),
        ("<Days>0</Days>", "InvalidRetentionPeriod"),
        ("<Years>101</Years>", "InvalidRetentionPeriod"),
    ] {
        assert_eq!(account.refused("PUT", "/b-1", "object-lock", &default(period)).await.1, code, "{period}");
    }
}

#[tokio::test]
async fn governance_yields_to_who_may_bypass_it_and_compliance_to_nobody() {
    let account = with_lock().await;
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:DeleteObjectVersion","s3:PutObjectRetention"],"Resource":"*"}}"#;
    let plain = account.server.user("plain", &[("p", policy)]).await;
    let words = "Access Denied because object protected by object lock.";
    for (mode, yields) in [("GOVERNANCE", true), ("COMPLIANCE", false)] {
        let version = put(&account, &[]).await;
        let path = "/b-1/k";
        account.ok("PUT", path, &format!("retention&{version}"), &retention(mode, UNTIL)).await;
        let shown = account.ok("GET", path, &format!("retention&{version}"), "").await;
        assert_eq!((shown.xml("Mode"), shown.xml("RetainUntilDate")), (Some(mode), Some(UNTIL)));
        assert_eq!(delete(&account.administrator, &version, false).await.refused().1, words, "{mode}");
        // The wish alone is no right.
        assert_eq!(delete(&plain, &version, true).await.refused().1, words, "{mode}");
        let shorter = retention(mode, "2030-01-01T00:00:00Z");
        let query = format!("retention&{version}");
        assert_eq!(refused(&plain, "PUT", path, &query, &shorter).await, refusal(403, "AccessDenied", words));
        ask(&plain, "PUT", path, &query, &retention(mode, "2041-01-01T00:00:00Z")).await.ok();
        let answer = delete(&account.administrator, &version, true).await;
        assert_eq!(answer.status, if yields { 204 } else { 403 }, "{mode}");
    }
}

#[tokio::test]
async fn a_legal_hold_holds_until_it_is_taken_off() {
    let account = with_lock().await;
    let version = put(&account, &[("x-amz-object-lock-legal-hold", "ON")]).await;
    let answer = account.ok("HEAD", "/b-1/k", "", "").await;
    assert_eq!(header(&answer, "x-amz-object-lock-legal-hold"), Some("ON"));
    assert_eq!(delete(&account.administrator, &version, true).await.status, 403);
    let query = format!("legal-hold&{version}");
    account.ok("PUT", "/b-1/k", &query, "<LegalHold><Status>OFF</Status></LegalHold>").await;
    assert_eq!(account.ok("GET", "/b-1/k", &query, "").await.xml("Status"), Some("OFF"));
    let answer = account.ok("HEAD", "/b-1/k", "", "").await;
    assert_eq!(header(&answer, "x-amz-object-lock-legal-hold"), Some("OFF"));
    assert_eq!(delete(&account.administrator, &version, false).await.status, 204);
    // What never had one says nothing, and what came with one that is off says so.
    for (headers, shown) in [(&[][..], None), (&[("x-amz-object-lock-legal-hold", "OFF")], Some("OFF"))] {
        put(&account, headers).await;
        let answer = account.ok("GET", "/b-1/k", "", "").await;
        assert_eq!(header(&answer, "x-amz-object-lock-legal-hold"), shown);
    }
}

#[tokio::test]
async fn versions_stay_enabled_whoever_comes_first() {
    let account = Account::new().await;
    let versions = |status: &str| {
        format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>")
    };
    let (enabled, suspended) = (versions("Enabled"), versions("Suspended"));
    let locked =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    for number in 0..16 {
        let path = format!("/bucket-{number}");
        account.ok("PUT", &path, "", "").await;
        account.ok("PUT", &path, "versioning", &enabled).await;
        let client = &account.administrator;
        tokio::join!(
            ask(client, "PUT", &path, "object-lock", locked),
            ask(client, "PUT", &path, "versioning", &suspended)
        );
        let locks = ask(client, "GET", &path, "object-lock", "").await.status == 200;
        let status = account.ok("GET", &path, "versioning", "").await;
        assert!(!locks || status.xml("Status") == Some("Enabled"), "{number}: {}", status.body);
    }
}

#[tokio::test]
async fn a_lock_comes_with_the_object_or_from_the_bucket() {
    let account = with_lock().await;
    put(
        &account,
        &[("x-amz-object-lock-mode", "COMPLIANCE"), ("x-amz-object-lock-retain-until-date", UNTIL)],
    )
    .await;
    let answer = account.ok("HEAD", "/b-1/k", "", "").await;
    assert_eq!(header(&answer, "x-amz-object-lock-mode"), Some("COMPLIANCE"));
    assert_eq!(header(&answer, "x-amz-object-lock-retain-until-date"), Some(UNTIL));
    account.ok("PUT", "/b-1", "object-lock", &default("<Days>1</Days>")).await;
    let version = put(&account, &[]).await;
    assert_eq!(
        header(&account.ok("HEAD", "/b-1/k", "", "").await, "x-amz-object-lock-mode"),
        Some("GOVERNANCE")
    );
    let many = format!(
        "<Delete><Object><Key>k</Key><VersionId>{}</VersionId></Object></Delete>",
        version.strip_prefix("versionId=").unwrap()
    );
    assert_eq!(account.ok("POST", "/b-1", "delete", &many).await.xml("Code"), Some("AccessDenied"));
    // A delete without a version hides, and takes nothing away.
    assert_eq!(account.ok("DELETE", "/b-1/k", "", "").await.status, 204);
    let later = account.server.user("later", &[("all", crate::buckets::ALL)]).await;
    account.server.clock.advance(86_400);
    assert_eq!(delete(&later, &version, false).await.status, 204);
}

#[tokio::test]
async fn what_contradicts_itself_or_has_no_bucket_is_refused() {
    let account = with_lock().await;
    let until = ("x-amz-object-lock-retain-until-date", UNTIL);
    let past = ("x-amz-object-lock-retain-until-date", "2001-01-01T00:00:00Z");
    let mode = ("x-amz-object-lock-mode", "GOVERNANCE");
    for (headers, code) in
        [(&[until][..], "InvalidArgument"), (&[mode], "InvalidArgument"), (&[mode, past], "InvalidArgument")]
    {
        let answer = ask_with(&account.administrator, "PUT", "/b-1/k", "", headers, "x").await;
        assert_eq!((answer.status, answer.refused().0.as_str()), (400, code), "{headers:?}");
    }
    let unsummed = account.administrator.s3("PUT", "/b-1/k", "", &[mode, until], b"x").await;
    assert_eq!(unsummed.refused().0, "InvalidRequest");
    let version = put(&account, &[]).await;
    for (what, document) in [
        ("retention", retention("GOVERNANCE", UNTIL)),
        ("legal-hold", "<LegalHold><Status>ON</Status></LegalHold>".to_owned()),
    ] {
        let words = "The specified object does not have a ObjectLock configuration";
        let query = format!("{what}&{version}");
        assert_eq!(
            account.refused("GET", "/b-1/k", &query, "").await,
            refusal(404, "NoSuchObjectLockConfiguration", words)
        );
        account.ok("PUT", "/b-3", "", "").await;
        account.ok("PUT", "/b-3/k", "", "x").await;
        let words = "Bucket is missing Object Lock Configuration";
        for (method, body) in [("GET", ""), ("PUT", document.as_str())] {
            assert_eq!(
                account.refused(method, "/b-3/k", what, body).await,
                refusal(400, "InvalidRequest", words)
            );
        }
    }
    let answer = ask_with(&account.administrator, "PUT", "/b-3/k", "", &[mode, until], "x").await;
    assert_eq!(answer.refused().1, "Bucket is missing Object Lock Configuration");
}
