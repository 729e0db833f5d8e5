//! Replication configurations: what they can say, and who may put them. And the buckets and roles that `replicas` replicates
//! with.

use daypass_core::store::StoreError;
use daypass_core::store::TransactError;
use daypass_core::store::records::{Indexed as _, Policies, Role};
use daypass_core::testing::{Client, account as number};

use crate::buckets::ALL;
use crate::support::{Account, ask, ask_with, header, refusal, refused};

pub(crate) const ENABLED: &str =
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &str = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/r";
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub(crate) const STRANGER: &str = "999988887777";

/// The rights that S3's user guide gives such a role.
pub(crate) const RIGHTS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket"],"Resource":"arn:aws:s3:::b-*"},
    {"Effect":"Allow","Action":["s3:GetObjectVersionForReplication","s3:GetObjectVersionAcl","s3:GetObjectVersionTagging"],"Resource":"arn:aws:s3:::b-*/*"},
    {"Effect":"Allow","Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ReplicateTags"],"Resource":"arn:aws:s3:::b-*/*"}]}"#;

/// A role of S3's with this policy.
pub(crate) async fn role(account: &Account, policy: &str, trust: &str) {
    bounded_role(account, policy, trust, None).await;
}

/// The same with a boundary, which is a policy of AWS's.
pub(crate) async fn bounded_role(account: &Account, policy: &str, trust: &str, boundary: Option<&str>) {
    let role = Role {
        account: number(),
        path: "/".to_owned(),
        name: "r".to_owned(),
        id: "AROAREPLICATIONROLE00".to_owned(),
        created: account.server.gate.state().clock.now(),
        description: None,
        trust_policy: trust.to_owned(),
        max_session_seconds: 3600,
        policies: Policies {
            attached: vec![],
            inline: [("p".to_owned(), policy.to_owned())].into_iter().collect(),
        },
        permissions_boundary: boundary.map(str::to_owned),
        tags: vec![],
        instance_profiles: vec![],
    };
    let saved = account.server.gate.state().store.transact(|tx| role.save(tx));
    let saved: Result<(), TransactError<StoreError>> = saved.await;
    saved.unwrap();
}

/// An account with two buckets that keep versions, and the role.
pub(crate) async fn two() -> Account {
    let account = Account::new().await;
    for bucket in ["/b-1", "/b-2"] {
        account.ok("PUT", bucket, "", "").await;
        account.ok("PUT", bucket, "versioning", ENABLED).await;
    }
    role(&account, RIGHTS, TRUST).await;
    account
}

pub(crate) fn configuration(rules: &str) -> String {
    format!("<ReplicationConfiguration><Role>{ROLE}</Role>{rules}</ReplicationConfiguration>")
}

/// A rule for everything.
pub(crate) fn rule(destination: &str) -> String {
    rule_of("<Filter/>", 1, "Disabled", destination)
}

pub(crate) fn rule_of(filter: &str, priority: i32, markers: &str, destination: &str) -> String {
    format!(
        "<Rule><ID>rule-{priority}</ID><Priority>{priority}</Priority>{filter}<Status>Enabled</Status><DeleteMarkerReplication><Status>{markers}</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::{destination}</Bucket></Destination></Rule>"
    )
}

/// Configures the first bucket.
pub(crate) async fn replicate(account: &Account, rules: &str) {
    account.ok("PUT", "/b-1", "replication", &configuration(rules)).await;
}

#[tokio::test]
async fn a_configuration_is_shown_as_it_was_put_and_can_be_taken_away() {
    let account = two().await;
    let missing =
        refusal(404, "ReplicationConfigurationNotFoundError", "The replication configuration was not found");
    assert_eq!(account.refused("GET", "/b-1", "replication", "").await, missing);
    let first = "<Rule><ID>one</ID><Prefix>a/</Prefix><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::b-2</Bucket><StorageClass>STANDARD_IA</StorageClass></Destination></Rule>";
    let tagged = "<Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>";
    let timed = rule("b-2").replace(
        "</Destination>",
        "<ReplicationTime><Status>Enabled</Status><Time><Minutes>15</Minutes></Time></ReplicationTime><Metrics><Status>Enabled</Status><EventThreshold><Minutes>15</Minutes></EventThreshold></Metrics></Destination>",
    );
    for rules in [first.to_owned(), rule_of(tagged, 7, "Disabled", "b-2"), timed] {
        account.ok("PUT", "/b-1", "replication", &configuration(&rules)).await;
        let shown = account.ok("GET", "/b-1", "replication", "").await.body;
        let elements = |document: &str| {
            let mut elements: Vec<_> = document.replace("/>", ">").split('<').map(str::to_owned).collect();
            elements.retain(|element| {
                !element.starts_with(['/', '?']) && !element.starts_with("ReplicationConfiguration")
            });
            elements.sort();
            elements
        };
        assert_eq!(elements(&shown), elements(&configuration(&rules)), "{shown}");
    }
    let unnamed = rule("b-2").replace("<ID>rule-1</ID>", "");
    replicate(&account, &unnamed).await;
    let shown = account.ok("GET", "/b-1", "replication", "").await;
    assert!(shown.xml("ID").is_some_and(|id| !id.is_empty()), "S3 names it");
    assert_eq!(account.ok("DELETE", "/b-1", "replication", "").await.status, 204);
    assert_eq!(account.refused("GET", "/b-1", "replication", "").await, missing);
}

#[tokio::test]
async fn what_s3_would_not_take_is_refused_in_its_words() {
    let account = two().await;
    account.ok("PUT", "/unversioned", "", "").await;
    let of_version = |what: &str, how: &str| {
        format!(
            "{what} {how} for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information."
        )
    };
    let good = rule("b-2");
    let edited = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let markers = "<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>";
    let first = |more: &str| {
        format!(
            "<Rule><Prefix/><Status>Enabled</Status>{more}<Destination><Bucket>arn:aws:s3:::b-2</Bucket></Destination></Rule>"
        )
    };
    let sealed = |status: &str| {
        format!(
            "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>{status}</Status></SseKmsEncryptedObjects></SourceSelectionCriteria><Destination>"
        )
    };
    let tagged = "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>";
    let to = |more: &str| edited("</Destination>", &format!("{more}</Destination>"));
    let long = format!("<ID>{}</ID>", "x".repeat(256));
    for (rules, code, words) in [
        (edited("b-2", "b-1"), "InvalidRequest", "Destination bucket cannot be the same as the source bucket.".to_owned()),
        (edited("b-2", "b-none"), "InvalidRequest", "Destination bucket must exist.".to_owned()),
        (edited("b-2", "unversioned"), "InvalidRequest", "Destination bucket must have versioning enabled.".to_owned()),
        (edited("arn:aws:s3:::b-2", "b-2"), "InvalidArgument", "Invalid bucket ARN".to_owned()),
        (edited("arn:aws:s3:::b-2", "arn:aws:s3:::b-2/x"), "InvalidArgument", "Invalid bucket ARN".to_owned()),
        (edited("<Priority>1</Priority>", ""), "InvalidRequest", of_version("Priority", "must be specified")),
        (edited(markers, ""), "InvalidRequest", of_version("DeleteMarkerReplication", "must be specified")),
        (first(markers), "InvalidRequest", of_version("DeleteMarkerReplication", "cannot be used")),
        (first("<Priority>1</Priority>"), "InvalidRequest", of_version("Priority", "cannot be used")),
        (
            format!("{}{}", first(""), first("").replace("b-2", "b-3")),
            "InvalidRequest",
            "Number of distinct destination bucket ARNs cannot exceed 1".to_owned(),
        ),
        (
            format!("{}{}", first(""), first("").replace("<Prefix/>", "<Prefix>a</Prefix>")),
            "InvalidRequest",
            "Found overlapping prefixes '' and 'a'".to_owned(),
        ),
        (
            format!("{good}{}", first("")),
            "InvalidRequest",
            "Rules with a Filter and rules without one cannot be in one configuration".to_owned(),
        ),
        (
            format!("{good}{}", edited("rule-1", "rule-2")),
            "InvalidRequest",
            "Found rules with the same priority 1. Priorities must be unique".to_owned(),
        ),
        (
            format!("{good}{good}"),
            "InvalidArgument",
            "Rule ID must be unique. Found same ID for more than one rule".to_owned(),
        ),
        (edited("<ID>rule-1</ID>", &long), "InvalidArgument", "ID length should not exceed allowed limit of 255".to_owned()),
        (
            rule_of(tagged, 1, "Enabled", "b-2"),
            "InvalidRequest",
            "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.".to_owned(),
        ),
        (
            to("<AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>"),
            "InvalidRequest",
            "If the <Owner> in <AccessControlTranslation> has a value, the <Account> element must be specified.".to_owned(),
        ),
        (
            to("<Account>999988887777</Account>"),
            "InvalidArgument",
            "The AWS account specified in the Account element must match the destination bucket owner.".to_owned(),
        ),
        (
            edited("<Destination>", &sealed("Enabled")),
            "InvalidRequest",
            "EncryptionConfiguration must be specified if SseKmsEncryptedObjects tag is present".to_owned(),
        ),
        (
            to("<EncryptionConfiguration><ReplicaKmsKeyID>k</ReplicaKmsKeyID></EncryptionConfiguration>"),
            "InvalidRequest",
            "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present".to_owned(),
        ),
        (
            to("<StorageClass>GLACIER</StorageClass>"),
            "InvalidStorageClass",
            "The storage class you specified is not valid".to_owned(),
        ),
        (
            to("<ReplicationTime><Status>Enabled</Status><Time><Minutes>5</Minutes></Time></ReplicationTime>"),
            "InvalidRequest",
            "ReplicationTime: only 15 minutes are supported".to_owned(),
        ),
    ] {
        let answer = account.refused("PUT", "/b-1", "replication", &configuration(&rules)).await;
        assert_eq!(answer, refusal(400, code, words), "{rules}");
    }
    let existing = edited(
        "<Destination>",
        "<ExistingObjectReplication><Status>Enabled</Status></ExistingObjectReplication><Destination>",
    );
    let answer = account.refused("PUT", "/b-1", "replication", &configuration(&existing)).await;
    assert_eq!((answer.0, answer.1.as_str()), (501, "NotImplemented"));
    let many: String = (0..1001).map(|n| rule_of("<Filter/>", n, "Disabled", "b-2")).collect();
    let answer = account.refused("PUT", "/b-1", "replication", &configuration(&many)).await;
    assert_eq!((answer.0, answer.1.as_str()), (400, "InvalidRequest"));
    let answer = account.refused("PUT", "/unversioned", "replication", &configuration(&good)).await;
    let words = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
    assert_eq!(answer, refusal(400, "InvalidRequest", words));
    let missing = account.refused("GET", "/b-1", "replication", "").await;
    assert_eq!(missing.0, 404, "nothing of it was kept");
}

#[tokio::test]
async fn who_configures_replication_must_be_able_to_pass_its_role() {
    let account = two().await;
    let document = configuration(&rule("b-2"));
    let s3 = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let pass = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*"}},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{ROLE}","Condition":{{"StringEquals":{condition}}}}}]}}"#
        )
    };
    let to_s3 = pass(r#"{"iam:PassedToService":"s3.amazonaws.com"}"#);
    let to_ec2 = pass(r#"{"iam:PassedToService":"ec2.amazonaws.com"}"#);
    for (name, policy, allowed) in
        [("only-s3", s3, false), ("for-ec2", &to_ec2, false), ("for-s3", &to_s3, true)]
    {
        let client = account.server.user(name, &[("p", policy)]).await;
        let answer = ask(&client, "PUT", "/b-1", "replication", &document).await;
        if allowed {
            answer.ok();
            continue;
        }
        let (code, words) = answer.refused();
        assert_eq!((answer.status, code.as_str()), (403, "AccessDenied"));
        assert!(words.contains("iam:PassRole") && words.contains(ROLE), "{words}");
    }
    let other = document.replace(":role/r", ":role/other");
    let client = account.server.user("for-another", &[("p", &to_s3)]).await;
    assert_eq!(refused(&client, "PUT", "/b-1", "replication", &other).await.0, 403, "another role");
    for (role, status, code) in [
        ("arn:aws:iam::123456789012:user/r", 400, "InvalidArgument"),
        ("r", 400, "InvalidArgument"),
        ("arn:aws:iam::999988887777:role/r", 403, "AccessDenied"),
    ] {
        let answer = account.refused("PUT", "/b-1", "replication", &document.replace(ROLE, role)).await;
        assert_eq!((answer.0, answer.1.as_str()), (status, code), "{role}");
    }
    let eve = account.stranger("eve", &[("all", ALL)]).await;
    for (method, body) in [("PUT", document.as_str()), ("GET", ""), ("DELETE", "")] {
        assert_eq!(refused(&eve, method, "/b-1", "replication", body).await.0, 403, "{method}");
    }
}

#[tokio::test]
async fn versions_cannot_be_suspended_where_objects_are_replicated() {
    let account = two().await;
    replicate(&account, &rule("b-2")).await;
    let words =
        "A replication configuration is present on this bucket, so the versioning state cannot be changed.";
    assert_eq!(
        account.refused("PUT", "/b-1", "versioning", SUSPENDED).await,
        refusal(409, "InvalidBucketState", words)
    );
    account.ok("PUT", "/b-2", "versioning", SUSPENDED).await;
    account.ok("DELETE", "/b-1", "replication", "").await;
    account.ok("PUT", "/b-1", "versioning", SUSPENDED).await;
}

/// Puts an object; its version.
pub(crate) async fn put(client: &Client, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let answer = ask_with(client, "PUT", path, "", headers, body).await.ok();
    header(&answer, "x-amz-version-id").unwrap().to_owned()
}

/// Replicates what waits; how many are done with, and how many are tried later.
pub(crate) async fn work(account: &Account) -> (usize, usize) {
    let state = account.server.gate.state();
    daypass_core::outbox::drain(state).await.unwrap();
    daypass_s3::queue_events(state).await.unwrap();
    let done = daypass_s3::replicate_due(state).await.unwrap();
    (done.done, done.later)
}

/// How the replication of an object stands.
pub(crate) async fn status(account: &Account, path: &str) -> Option<String> {
    let answer = account.administrator.s3("HEAD", path, "", &[], b"").await;
    assert!(matches!(answer.status, 200 | 404), "{}", answer.status);
    header(&answer, "x-amz-replication-status").map(str::to_owned)
}

/// A bucket of another account that keeps versions, and a client of that account's.
pub(crate) async fn abroad(account: &Account, bucket: &str) -> Client {
    let other = account.stranger("other", &[("all", ALL)]).await;
    ask(&other, "PUT", &format!("/{bucket}"), "", "").await.ok();
    ask(&other, "PUT", &format!("/{bucket}"), "versioning", ENABLED).await.ok();
    other
}
