//! Requests that were signed for several regions, or for none: the region that counts is the one that serves them.

use crate::signer::{Outgoing, Signer};
use crate::support::{Account, ask, header};

const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const PATH_STYLE: &str = "127.0.0.1:4566";

fn get(path: &str) -> Outgoing<'_> {
    Outgoing {
        method: "GET",
        path,
        query: "",
        headers: &[],
        unsigned: &[],
        payload: "UNSIGNED-PAYLOAD",
        body: b"",
    }
}

/// An account with a bucket in a region that is not the server's own, and an object in it.
async fn with_far_bucket() -> Account {
    let mut account = Account::new().await;
    let far = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    account.ok("PUT", "/far", "", far).await;
    account.administrator.region = "eu-west-1".to_owned();
    account.ok("PUT", "/far/k", "", "bytes").await;
    account
}

fn only_in(region: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"aws:RequestedRegion":"{region}"}}}}}}}}"#
    )
}

#[tokio::test]
async fn the_requested_region_is_the_one_that_serves_the_bucket() {
    let account = with_far_bucket().await;
    for (name, region, status) in [("near", "us-east-1", 403), ("far", "eu-west-1", 200)] {
        account.server.user(name, &[("p", &only_in(region))]).await;
        let signer = Signer::of(&account.server, name);
        for set in ["*", "us-east-1,eu-west-1", "eu-west-2,eu-*", "eu-west-1"] {
            let answer = signer.regional(get("/far/k"), PATH_STYLE, set).await;
            assert_eq!(answer.status, status, "{name} {set} {}", answer.body);
        }
        let answer = signer.regional(get("/far/k"), PATH_STYLE, "us-east-1").await;
        assert_eq!(answer.code().unwrap(), "AuthorizationHeaderMalformed", "{name}");
    }
}

#[tokio::test]
async fn an_object_is_sealed_with_a_key_of_its_buckets_region() {
    let account = with_far_bucket().await;
    account.server.user("all", &[("p", ALL)]).await;
    let headers = [("x-amz-server-side-encryption", "aws:kms")];
    let put = Outgoing { method: "PUT", headers: &headers, ..get("/far/sealed") };
    let signer = Signer::of(&account.server, "all");
    let answer = signer.regional(put, PATH_STYLE, "*").await.ok();
    let key = header(&answer, "x-amz-server-side-encryption-aws-kms-key-id").unwrap();
    assert!(key.starts_with("arn:aws:kms:eu-west-1:"), "{key}");
    signer.regional(get("/far/sealed"), PATH_STYLE, "*").await.ok();
    let record = account.server.audit().into_iter().rfind(|record| record.event_name == "GetObject").unwrap();
    assert_eq!(record.region, "eu-west-1");
}

#[tokio::test]
async fn who_signs_nothing_asks_in_the_region_of_the_bucket() {
    let account = with_far_bucket().await;
    account.unblock("far").await;
    let policy = |region: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::far/*","Condition":{{"StringEquals":{{"aws:RequestedRegion":"{region}"}}}}}}]}}"#
        )
    };
    for (region, status) in [("us-east-1", 403), ("eu-west-1", 200)] {
        account.policy("far", &policy(region)).await;
        assert_eq!(
            ask(&account.server.anonymous(), "GET", "/far/k", "", "").await.status,
            status,
            "{region}"
        );
    }
}
