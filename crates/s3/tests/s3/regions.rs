//! Requests that were signed for several regions, or for none: the region that counts is the one that serves them.

use daypass_core::testing::TestAnswer;

use crate::signer::{Outgoing, Signer};
use crate::support::{Account, ask, control, header};

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

#[tokio::test]
async fn an_access_point_is_found_in_any_region_that_a_request_was_signed_for() {
    let account = with_far_bucket().await;
    let door = "<CreateAccessPointRequest><Bucket>far</Bucket></CreateAccessPointRequest>";
    let made = control(&account.administrator, "PUT", "accesspoint/door", "", door).await.ok();
    let alias = format!("/{}/k", made.xml("Alias").unwrap());
    account.server.user("all", &[("p", &only_in("eu-west-1"))]).await;
    let signer = Signer::of(&account.server, "all");
    let host = "door-123456789012.localhost";
    for set in ["*", "us-east-1,eu-west-1", "eu-west-2,eu-*", "eu-west-1"] {
        for (path, host) in [("/k", host), (alias.as_str(), PATH_STYLE)] {
            let answer: TestAnswer = signer.regional(get(path), host, set).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "bytes"), "{path} {set}");
        }
    }
    let elsewhere = signer.regional(get("/k"), host, "us-*").await;
    assert_eq!(elsewhere.code().unwrap(), "NoSuchBucket");
}
