//! Who replicates, with which rights: the role that the configuration names and nobody else.

use daypass_core::store::records::{ControlPolicyType, Organization};
use daypass_core::testing::{Client, account as number};
use serde_json::Value;

use crate::customer_keys::{ALLOWING, ONE, headers, over_tls};
use crate::kms_keys::{ROOT, allow, arn, key};
use crate::replication::{
    RIGHTS, ROLE, STRANGER, TRUST, abroad, bounded_role, put, replicate, role, rule, status, two, work,
};
use crate::support::{Account, ask, ask_with, header};

/// Puts an object and replicates it: how that went, and whether it is there.
async fn went(account: &Account, headers: &[(&str, &str)]) -> (String, bool) {
    put(&account.administrator, "/b-1/k", headers, "x").await;
    assert_eq!(work(account).await, (1, 0));
    let there = account.administrator.s3("HEAD", "/b-2/k", "", &[], b"").await.status == 200;
    (status(account, "/b-1/k").await.unwrap_or_default(), there)
}

fn failed() -> (String, bool) {
    ("FAILED".to_owned(), false)
}

fn completed() -> (String, bool) {
    ("COMPLETED".to_owned(), true)
}

#[tokio::test]
async fn the_role_needs_each_of_its_rights() {
    for right in [
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:ReplicateObject",
    ] {
        let account = two().await;
        replicate(&account, &rule("b-2")).await;
        role(&account, &RIGHTS.replace(right, "s3:None"), TRUST).await;
        assert_eq!(went(&account, &[]).await, failed(), "{right}");
        let denied = account.server.audit().into_iter().find(|r| r.event.contains("errorCode")).unwrap();
        let event: Value = serde_json::from_str(&denied.event).unwrap();
        assert_eq!(event["userIdentity"]["arn"], "arn:aws:sts::123456789012:assumed-role/r/s3-replication");
        assert_eq!(event["userIdentity"]["invokedBy"], "s3.amazonaws.com");
        assert_eq!(event["sourceIPAddress"], "s3.amazonaws.com");
        assert!(denied.explanation.is_some_and(|why| why.contains(right)), "{right}");
        // What failed is not tried again, whatever the role may then do.
        role(&account, RIGHTS, TRUST).await;
        assert_eq!(work(&account).await, (0, 0));
        assert_eq!(went(&account, &[]).await, completed(), "{right}");
    }
}

#[tokio::test]
async fn what_the_role_did_is_recorded_as_its_own() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    assert_eq!(went(&account, &[]).await, completed());
    daypass_core::outbox::drain(account.server.gate.state()).await.unwrap();
    let audit = account.server.audit();
    let of_role = |name: &str| {
        let found = audit.iter().filter(|record| record.event_name == name);
        found.filter(|record| record.event.contains("s3-replication")).count()
    };
    assert_eq!((of_role("AssumeRole"), of_role("GetObject"), of_role("PutObject")), (1, 1, 1));
}

#[tokio::test]
async fn a_role_that_does_not_trust_s3_or_is_not_there_replicates_nothing() {
    let ec2 = TRUST.replace("s3.amazonaws.com", "ec2.amazonaws.com");
    let of_other = TRUST.replace(
        r#""Action":"sts:AssumeRole""#,
        r#""Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::b-9"}}"#,
    );
    let of_this = of_other.replace("b-9", "b-1");
    for (trust, expected) in [(ec2.as_str(), failed()), (&of_other, failed()), (&of_this, completed())] {
        let account = two().await;
        replicate(&account, &rule("b-2")).await;
        role(&account, RIGHTS, trust).await;
        assert_eq!(went(&account, &[]).await, expected, "{trust}");
    }
    let account = two().await;
    let document = crate::replication::configuration(&rule("b-2"));
    account
        .ok("PUT", "/b-1", "replication", &document.replace(ROLE, "arn:aws:iam::123456789012:role/none"))
        .await;
    assert_eq!(went(&account, &[]).await, failed());
}

#[tokio::test]
async fn the_destination_has_a_say() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    let deny = |action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"{action}","Resource":"arn:aws:s3:::b-2/*"}}]}}"#
        )
    };
    account.policy("b-2", &deny("s3:ReplicateObject")).await;
    assert_eq!(went(&account, &[]).await, failed());
    account.policy("b-2", &deny("s3:ReplicateTags")).await;
    assert_eq!(went(&account, &[("x-amz-tagging", "a=1")]).await, completed());
    let tags = async || account.ok("GET", "/b-2/k", "tagging", "").await.xml_all("Key").len();
    assert_eq!(tags().await, 0, "the replica has none");
    account.ok("DELETE", "/b-2", "policy", "").await;
    role(&account, &RIGHTS.replace("s3:ReplicateTags", "s3:None"), TRUST).await;
    assert_eq!(went(&account, &[("x-amz-tagging", "a=1")]).await, completed());
    assert_eq!(tags().await, 1, "the right to replicate objects is one to replicate their tags");
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    account.ok("PUT", "/b-2", "versioning", suspended).await;
    put(&account.administrator, "/b-1/other", &[], "x").await;
    work(&account).await;
    assert_eq!(status(&account, "/b-1/other").await.as_deref(), Some("FAILED"));
}

#[tokio::test]
async fn a_bucket_of_another_account_takes_what_its_policy_lets_in() {
    let account = two().await;
    let other = abroad(&account, "b-abroad").await;
    let to = rule("b-abroad").replace(
        "</Destination>",
        &format!("<Account>{STRANGER}</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation></Destination>"),
    );
    let rights = RIGHTS
        .replace(r#""s3:ReplicateTags""#, r#""s3:ReplicateTags","s3:ObjectOwnerOverrideToBucketOwner""#);
    let policy = |actions: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ROLE}"}},"Action":[{actions}],"Resource":"arn:aws:s3:::b-abroad/*"}}]}}"#
        )
    };
    let read = async || ask(&other, "GET", "/b-abroad/k", "", "").await.status;
    replicate(&account, &rule("b-abroad")).await;
    put(&account.administrator, "/b-1/k", &[], "x").await;
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("FAILED"), "no policy lets it in");
    ask(&other, "PUT", "/b-abroad", "policy", &policy(r#""s3:ReplicateObject""#)).await.ok();
    put(&account.administrator, "/b-1/k", &[], "x").await;
    work(&account).await;
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("COMPLETED"));
    assert_eq!(read().await, 200, "the owner of a bucket without ACLs owns what is in it");
    // Whoever asks for more has to be given more.
    replicate(&account, &to).await;
    put(&account.administrator, "/b-1/k", &[], "x").await;
    work(&account).await;
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("FAILED"));
    role(&account, &rights, TRUST).await;
    let both = policy(r#""s3:ReplicateObject","s3:ObjectOwnerOverrideToBucketOwner""#);
    ask(&other, "PUT", "/b-abroad", "policy", &both).await.ok();
    put(&account.administrator, "/b-1/k", &[], "x").await;
    work(&account).await;
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("COMPLETED"));
    assert_eq!(account.administrator.s3("GET", "/b-abroad/k", "", &[], b"").await.status, 403);
}

const ACLS: &str =
    "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";

/// A bucket of another account that has ACLs and lets replicas in; a client of that account's, and the rule that gives them away.
async fn abroad_among_acls(account: &Account) -> (Client, String) {
    let other = abroad(account, "b-abroad").await;
    ask(&other, "PUT", "/b-abroad", "ownershipControls", ACLS).await.ok();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ROLE}"}},"Action":["s3:ReplicateObject","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::b-abroad/*"}}]}}"#
    );
    ask(&other, "PUT", "/b-abroad", "policy", &policy).await.ok();
    let rights = RIGHTS
        .replace(r#""s3:ReplicateTags""#, r#""s3:ReplicateTags","s3:ObjectOwnerOverrideToBucketOwner""#);
    role(account, &rights, TRUST).await;
    let given = rule("b-abroad").replace(
        "</Destination>",
        &format!("<Account>{STRANGER}</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation></Destination>"),
    );
    (other, given)
}

#[tokio::test]
async fn replicas_among_acls_stay_their_owners_unless_the_rule_gives_them_away() {
    let account = two().await;
    let (other, given) = abroad_among_acls(&account).await;
    for (rules, status) in [(rule("b-abroad"), 403), (given, 200)] {
        replicate(&account, &rules).await;
        put(&account.administrator, "/b-1/k", &[], "x").await;
        assert_eq!(work(&account).await, (1, 0));
        assert_eq!(ask(&other, "GET", "/b-abroad/k", "", "").await.status, status, "{rules}");
    }
}

#[tokio::test]
async fn a_replica_that_was_given_away_keeps_the_acl_of_its_owner() {
    let account = two().await;
    let (other, given) = abroad_among_acls(&account).await;
    ask(&other, "DELETE", "/b-abroad", "publicAccessBlock", "").await.ok();
    account.ok("PUT", "/b-1", "ownershipControls", ACLS).await;
    account.unblock("b-1").await;
    replicate(&account, &given).await;
    put(&account.administrator, "/b-1/k", &[], "x").await;
    assert_eq!(work(&account).await, (1, 0));
    // The rule gives away nothing any more; this one is gone.
    replicate(&account, &rule("b-abroad")).await;
    let anonymous = account.server.anonymous();
    let open = async || anonymous.s3("GET", "/b-abroad/k", "", &[], b"").await.status == 200;
    let acl = async |client: &_, path: &str, acl: &str| {
        ask_with(client, "PUT", path, "acl", &[("x-amz-acl", acl)], "").await.ok();
    };
    acl(&account.administrator, "/b-1/k", "public-read").await;
    assert_eq!(work(&account).await, (1, 0));
    assert!(!open().await, "the source does not open what is another's");
    acl(&other, "/b-abroad/k", "public-read").await;
    acl(&account.administrator, "/b-1/k", "private").await;
    assert_eq!(work(&account).await, (1, 0));
    assert!(open().await, "nor close it");
    assert_eq!(status(&account, "/b-1/k").await.as_deref(), Some("COMPLETED"));
}

#[tokio::test]
async fn a_boundary_and_the_organization_hold_the_role_too() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    bounded_role(&account, RIGHTS, TRUST, Some("arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")).await;
    assert_eq!(went(&account, &[]).await, failed(), "its boundary lets it do nothing of the kind");
    bounded_role(&account, RIGHTS, TRUST, Some("arn:aws:iam::aws:policy/AmazonS3FullAccess")).await;
    assert_eq!(went(&account, &[]).await, completed());
    let members: Vec<_> = ["000000000001", "123456789012"].map(|id| id.parse().unwrap()).into();
    let limits = |organization: &mut Organization| {
        organization.policy_types = vec![ControlPolicyType::ServiceControlPolicy];
    };
    account.server.organize(&members, limits).await;
    assert_eq!(went(&account, &[]).await, completed());
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:ReplicateObject","Resource":"*"}]}"#;
    account.server.limit(&number(), "p-deny", deny, &["p-FullAWSAccess"]).await;
    put(&account.administrator, "/b-1/other", &[], "x").await;
    work(&account).await;
    assert_eq!(status(&account, "/b-1/other").await.as_deref(), Some("FAILED"));
}

#[tokio::test]
async fn what_a_key_of_kms_seals_is_replicated_only_where_a_rule_says_so_and_sealed_again() {
    let (one, two_id) = ("1234abcd-12ab-34cd-56ef-1234567890ab", "2234abcd-12ab-34cd-56ef-1234567890ab");
    let account = two().await;
    key(&account, one, &[allow(ROOT, "")]).await;
    key(&account, two_id, &[allow(ROOT, "")]).await;
    replicate(&account, &rule("b-2")).await;
    let sealed =
        [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", one)];
    put(&account.administrator, "/b-1/k", &sealed, "x").await;
    assert_eq!((work(&account).await, status(&account, "/b-1/k").await), ((0, 0), None));
    let with_key = rule("b-2").replace(
        "<Destination>",
        "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria><Destination>",
    );
    let with_key = with_key.replace(
        "</Destination>",
        &format!("<EncryptionConfiguration><ReplicaKmsKeyID>{}</ReplicaKmsKeyID></EncryptionConfiguration></Destination>", arn(two_id)),
    );
    replicate(&account, &with_key).await;
    let more =
        |statements: &str| RIGHTS.replace(r#""Statement":["#, &format!(r#""Statement":[{statements},"#));
    let statement = |action: &str, id: &str, bucket: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"{action}","Resource":"{}","Condition":{{"StringEquals":{{"kms:ViaService":"s3.us-east-1.amazonaws.com","kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::{bucket}/k"}}}}}}"#,
            arn(id)
        )
    };
    let (decrypt, encrypt) = (statement("kms:Decrypt", one, "b-1"), statement("kms:Encrypt", two_id, "b-2"));
    for (policy, expected) in [
        (RIGHTS.to_owned(), failed()),
        (more(&decrypt), failed()),
        (more(&encrypt), failed()),
        (more(&format!("{decrypt},{encrypt}")), completed()),
    ] {
        role(&account, &policy, TRUST).await;
        assert_eq!(went(&account, &sealed).await, expected);
    }
    let replica = account.ok("GET", "/b-2/k", "", "").await;
    assert_eq!(replica.body, "x");
    assert_eq!(header(&replica, "x-amz-server-side-encryption-aws-kms-key-id"), Some(arn(two_id).as_str()));
    // The replica opens by its own key alone.
    key(&account, one, &[]).await;
    assert_eq!(account.administrator.s3("GET", "/b-1/k", "", &[], b"").await.status, 403);
    assert_eq!(account.ok("GET", "/b-2/k", "", "").await.body, "x");
}

#[tokio::test]
async fn what_a_key_of_the_callers_seals_opens_with_that_key_there_too() {
    let account = two().await;
    over_tls(&account.administrator);
    account.ok("PUT", "/b-1", "encryption", ALLOWING).await;
    replicate(&account, &rule("b-2")).await;
    let sealed = headers(ONE);
    let put_and_work = async || {
        ask_with(&account.administrator, "PUT", "/b-1/k", "", &sealed, "sealed").await.ok();
        assert_eq!(work(&account).await, (1, 0));
        let original = account.administrator.s3("HEAD", "/b-1/k", "", &sealed, b"").await.ok();
        let there = account.administrator.s3("HEAD", "/b-2/k", "", &sealed, b"").await.status == 200;
        (header(&original, "x-amz-replication-status").unwrap_or_default().to_owned(), there)
    };
    assert_eq!(put_and_work().await, failed(), "the destination blocks SSE-C, as buckets do");
    account.ok("PUT", "/b-2", "encryption", ALLOWING).await;
    assert_eq!(put_and_work().await, completed());
    assert_eq!(account.administrator.s3("GET", "/b-2/k", "", &[], b"").await.status, 400);
    assert_eq!(account.administrator.s3("GET", "/b-2/k", "", &sealed, b"").await.ok().body, "sealed");
}

#[tokio::test]
async fn replicas_of_what_is_locked_stay_locked() {
    let account = Account::new().await;
    let locked = [("x-amz-bucket-object-lock-enabled", "true")];
    for bucket in ["/b-1", "/b-2"] {
        account.administrator.s3("PUT", bucket, "", &locked, b"").await.ok();
    }
    let rights = RIGHTS.replace(
        r#""s3:GetObjectVersionAcl""#,
        r#""s3:GetObjectVersionAcl","s3:GetObjectRetention","s3:GetObjectLegalHold""#,
    );
    role(&account, &rights, TRUST).await;
    replicate(&account, &rule("b-2")).await;
    let until = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-object-lock-retain-until-date", "2040-01-01T00:00:00Z"),
        ("x-amz-object-lock-legal-hold", "ON"),
    ];
    let id = put(&account.administrator, "/b-1/k", &until, "x").await;
    assert_eq!(work(&account).await, (1, 0));
    let query = format!("versionId={id}");
    let stays = async || {
        let bypass = [("x-amz-bypass-governance-retention", "true")];
        let answer = account.administrator.s3("DELETE", "/b-2/k", &query, &bypass, b"").await;
        assert_eq!(answer.status, 403, "it is held");
        account
            .ok("GET", "/b-2/k", &format!("retention&{query}"), "")
            .await
            .xml("RetainUntilDate")
            .map(str::to_owned)
    };
    assert!(stays().await.unwrap().starts_with("2040-01-01"));
    // What weakens the lock of the original does not weaken that of the replica.
    account.ok("PUT", "/b-1/k", "legal-hold", "<LegalHold><Status>OFF</Status></LegalHold>").await;
    let sooner = "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2039-01-01T00:00:00Z</RetainUntilDate></Retention>";
    let bypass = [("x-amz-bypass-governance-retention", "true")];
    ask_with(&account.administrator, "PUT", "/b-1/k", "retention", &bypass, sooner).await.ok();
    work(&account).await;
    assert!(stays().await.unwrap().starts_with("2040-01-01"));
    let later = sooner.replace("2039", "2041");
    account.ok("PUT", "/b-1/k", "retention", &later).await;
    work(&account).await;
    assert!(stays().await.unwrap().starts_with("2041-01-01"), "and what strengthens it does");
    // So does another mode that is stronger, but none that is so in one way and weaker in the other.
    let retain = async |bucket: &str, mode: &str, year: u16| {
        let document = format!(
            "<Retention><Mode>{mode}</Mode><RetainUntilDate>{year}-01-01T00:00:00Z</RetainUntilDate></Retention>"
        );
        let path = format!("/{bucket}/k");
        ask_with(&account.administrator, "PUT", &path, &format!("retention&{query}"), &bypass, &document)
            .await
            .ok();
    };
    let lock = async || {
        let shown = account.ok("GET", "/b-2/k", &format!("retention&{query}"), "").await;
        let until = shown.xml("RetainUntilDate").unwrap().split('-').next().unwrap().to_owned();
        (shown.xml("Mode").unwrap().to_owned(), until, status(&account, "/b-1/k").await.unwrap())
    };
    let is = |mode: &str, year: &str, status: &str| (mode.to_owned(), year.to_owned(), status.to_owned());
    retain("b-2", "GOVERNANCE", 2050).await;
    retain("b-1", "COMPLIANCE", 2042).await;
    account
        .ok(
            "PUT",
            "/b-1/k",
            "tagging",
            "<Tagging><TagSet><Tag><Key>t</Key><Value>v</Value></Tag></TagSet></Tagging>",
        )
        .await;
    work(&account).await;
    assert_eq!(lock().await, is("GOVERNANCE", "2050", "FAILED"));
    let tags = account.ok("GET", "/b-2/k", "tagging", "").await;
    assert_eq!(tags.xml("Value"), Some("v"), "what can follow does");
    retain("b-2", "GOVERNANCE", 2042).await;
    retain("b-1", "COMPLIANCE", 2043).await;
    work(&account).await;
    assert_eq!(lock().await, is("COMPLIANCE", "2043", "COMPLETED"));
}

#[tokio::test]
async fn a_bucket_without_locks_takes_nothing_from_one_that_has_them() {
    let account = Account::new().await;
    let locked = [("x-amz-bucket-object-lock-enabled", "true")];
    account.administrator.s3("PUT", "/b-1", "", &locked, b"").await.ok();
    account.ok("PUT", "/b-2", "", "").await;
    account.ok("PUT", "/b-2", "versioning", crate::replication::ENABLED).await;
    role(&account, RIGHTS, TRUST).await;
    replicate(&account, &rule("b-2")).await;
    assert_eq!(went(&account, &[]).await, failed());
}

#[tokio::test]
async fn no_client_can_pretend_to_replicate() {
    let account = two().await;
    let forged = [
        ("x-amz-replication-status", "REPLICA"),
        ("x-amz-version-id", "0000000000000001000000000000000000000000"),
        ("x-amz-meta-replication", "replica"),
    ];
    let id = put(&account.administrator, "/b-1/k", &forged, "x").await;
    assert_ne!(id, forged[1].1);
    assert_eq!(status(&account, "/b-1/k").await, None);
    // Who may replicate may not put.
    let only = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:Replicate*","s3:GetObjectVersionForReplication"],"Resource":"*"}}"#;
    let client = account.server.user("replicator", &[("p", only)]).await;
    for (method, path, query) in [("PUT", "/b-1/k", ""), ("GET", "/b-1/k", ""), ("DELETE", "/b-1/k", "")] {
        let answer = ask_with(&client, method, path, query, &forged, "").await;
        assert_eq!(answer.status, 403, "{method}");
    }
}

#[tokio::test]
async fn what_fails_for_a_passing_reason_is_tried_again_and_is_pending_until_then() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    put(&account.administrator, "/b-1/gone", &[], "x").await;
    let id = put(&account.administrator, "/b-1/k", &[], "x").await;
    account.ok("DELETE", "/b-1/gone", &format!("versionId={}", first_version(&account).await), "").await;
    assert_eq!(work(&account).await, (2, 0), "what is gone needs no replica");
    let there = account.administrator.s3("HEAD", "/b-2/k", &format!("versionId={id}"), &[], b"").await;
    assert_eq!(there.status, 200);
    account.ok("DELETE", "/b-1", "replication", "").await;
    replicate(&account, &rule("b-2")).await;
    put(&account.administrator, "/b-1/late", &[], "x").await;
    account.ok("DELETE", "/b-1", "replication", "").await;
    assert_eq!(work(&account).await, (1, 0));
    assert_eq!(status(&account, "/b-1/late").await.as_deref(), Some("FAILED"), "the configuration is gone");
}

async fn first_version(account: &Account) -> String {
    let listed = account.ok("GET", "/b-1", "versions", "").await;
    listed.xml("VersionId").unwrap().to_owned()
}
