use serde_json::json;

use crate::support::{Organization, SCP, each};

#[tokio::test]
async fn roots_units_accounts_and_policies_have_tags() {
    let org = Organization::new().await;
    let unit = org.unit(&org.root, "unit").await;
    let policy = org.policy(SCP, "p", r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#).await;
    for id in [org.root.as_str(), &unit, "123456789012", &policy] {
        let tags = json!([{ "Key": "team", "Value": "red" }, { "Key": "stage", "Value": "" }]);
        org.ok("TagResource", json!({ "ResourceId": id, "Tags": tags })).await;
        org.ok("TagResource", json!({ "ResourceId": id, "Tags": [{ "Key": "team", "Value": "blue" }] }))
            .await;
        let listed = org.ok("ListTagsForResource", json!({ "ResourceId": id })).await;
        assert_eq!(each(&listed, "Tags", "Value"), ["", "blue"], "{id}");
        org.ok("UntagResource", json!({ "ResourceId": id, "TagKeys": ["team"] })).await;
        let listed = org.ok("ListTagsForResource", json!({ "ResourceId": id })).await;
        assert_eq!(each(&listed, "Tags", "Key"), ["stage"], "{id}");
    }
    let twice = json!([{ "Key": "a", "Value": "1" }, { "Key": "a", "Value": "2" }]);
    assert_eq!(
        org.refused("TagResource", json!({ "ResourceId": unit, "Tags": twice })).await.0,
        "InvalidInputException"
    );
    let reserved = json!([{ "Key": "aws:a", "Value": "1" }]);
    assert_eq!(
        org.refused("TagResource", json!({ "ResourceId": unit, "Tags": reserved })).await.0,
        "InvalidInputException"
    );
    let many: Vec<_> = (0..51).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect();
    assert_eq!(
        org.refused("TagResource", json!({ "ResourceId": unit, "Tags": many })).await.0,
        "ConstraintViolationException"
    );
    let nothing = json!({ "ResourceId": "ou-zzzz-zzzzzzzz" });
    assert_eq!(org.refused("ListTagsForResource", nothing).await.0, "TargetNotFoundException");
}

#[tokio::test]
async fn tags_decide() {
    let org = Organization::new().await;
    let unit = org.unit(&org.root, "unit").await;
    let only = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"organizations:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}}"#;
    let alice = org.server.user("alice", &[("only", only)]).await;
    let input = json!({ "OrganizationalUnitId": unit });
    assert_eq!(
        crate::support::refused(&alice, "DescribeOrganizationalUnit", input.clone()).await.0,
        "AccessDeniedException"
    );
    let tags = json!([{ "Key": "team", "Value": "red" }]);
    org.ok("TagResource", json!({ "ResourceId": unit, "Tags": tags })).await;
    crate::support::ok(&alice, "DescribeOrganizationalUnit", input).await;
}
