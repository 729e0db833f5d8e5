use serde_json::json;

use crate::support::{Organization, RCP, SCP, each, pages, text};

const DENY: &str = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#;

#[tokio::test]
async fn a_policy_is_made_changed_and_deleted() {
    let org = Organization::new().await;
    let content = format!(r#"{{"Version":"2012-10-17","Statement":{DENY}}}"#);
    let input = json!({ "Type": SCP, "Name": "NoS3", "Description": "d", "Content": content });
    let made = org.ok("CreatePolicy", input.clone()).await;
    let id = text(&made, "/Policy/PolicySummary/Id");
    let arn = format!("arn:aws:organizations::123456789012:policy/{}/service_control_policy/{id}", org.id);
    let summary =
        json!({ "Id": id, "Arn": arn, "Name": "NoS3", "Description": "d", "Type": SCP, "AwsManaged": false });
    assert_eq!(made, json!({ "Policy": { "PolicySummary": summary, "Content": content } }));
    assert_eq!(org.ok("DescribePolicy", json!({ "PolicyId": id })).await, made);
    assert_eq!(org.refused("CreatePolicy", input).await.0, "DuplicatePolicyException");
    let changed = org.ok("UpdatePolicy", json!({ "PolicyId": id, "Description": "e" })).await;
    assert_eq!(text(&changed, "/Policy/PolicySummary/Description"), "e");
    assert_eq!(text(&changed, "/Policy/Content"), content);
    org.enable(SCP).await;
    org.attach(&id, &org.root).await;
    assert_eq!(org.refused("DeletePolicy", json!({ "PolicyId": id })).await.0, "PolicyInUseException");
    org.ok("DetachPolicy", json!({ "PolicyId": id, "TargetId": org.root })).await;
    org.ok("DeletePolicy", json!({ "PolicyId": id })).await;
    let (code, words) = org.refused("DescribePolicy", json!({ "PolicyId": id })).await;
    assert_eq!(
        (code.as_str(), words.as_str()),
        ("PolicyNotFoundException", "You specified a policy that doesn't exist.")
    );
}

#[tokio::test]
async fn awss_own_policies_are_only_looked_at() {
    let org = Organization::new().await;
    for (kind, id, name) in
        [(SCP, "p-FullAWSAccess", "FullAWSAccess"), (RCP, "p-RCPFullAWSAccess", "RCPFullAWSAccess")]
    {
        let shown = org.ok("DescribePolicy", json!({ "PolicyId": id })).await;
        assert_eq!(text(&shown, "/Policy/PolicySummary/AwsManaged"), "true");
        let listed = org.ok("ListPolicies", json!({ "Filter": kind })).await;
        assert_eq!(each(&listed, "Policies", "Name"), [name]);
        assert_eq!(org.refused("DeletePolicy", json!({ "PolicyId": id })).await.0, "InvalidInputException");
        let change = json!({ "PolicyId": id, "Name": "Mine" });
        assert_eq!(org.refused("UpdatePolicy", change).await.0, "InvalidInputException");
    }
    org.enable(RCP).await;
    let gone = json!({ "PolicyId": "p-RCPFullAWSAccess", "TargetId": org.root });
    assert_eq!(org.refused("DetachPolicy", gone).await.0, "InvalidInputException");
}

#[tokio::test]
async fn documents_are_checked_and_measured() {
    let org = Organization::new().await;
    let put = |kind: &str, statement: &str| {
        let content = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        json!({ "Type": kind, "Name": "x", "Description": "", "Content": content })
    };
    let everyone = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    for (kind, statement) in [
        (SCP, r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#),
        (SCP, r#"{"Effect":"Perhaps","Action":"s3:*","Resource":"*"}"#),
        (SCP, r#"{"Effect":"Deny","Resource":"*"}"#),
        (RCP, r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#),
        (RCP, r#"{"Effect":"Deny","Principal":{"AWS":"123456789012"},"Action":"s3:*","Resource":"*"}"#),
        (RCP, r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#),
    ] {
        let (code, words) = org.refused("CreatePolicy", put(kind, statement)).await;
        assert_eq!(code, "MalformedPolicyDocumentException", "{statement}");
        assert_eq!(
            words,
            "The provided policy document does not meet the requirements of the specified policy type."
        );
    }
    for (kind, most, statement) in [(SCP, 10_240, DENY), (RCP, 5120, everyone)] {
        let content = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        let input = |characters: usize, name: &str| {
            let content = format!("{content}{}", " ".repeat(characters - content.len()));
            json!({ "Type": kind, "Name": name, "Description": "", "Content": content })
        };
        let (code, words) = org.refused("CreatePolicy", input(most + 1, "long")).await;
        assert_eq!(code, "ConstraintViolationException");
        assert_eq!(words, "You have exceeded the maximum policy size.");
        org.ok("CreatePolicy", input(most, "longest")).await;
    }
    let tags = json!({ "Type": "TAG_POLICY", "Name": "t", "Description": "", "Content": "{}" });
    assert_eq!(org.refused("CreatePolicy", tags).await.0, "PolicyTypeNotAvailableForOrganizationException");
}

#[tokio::test]
async fn policies_hang_on_targets_within_limits() {
    let org = Organization::new().await;
    let first = org.policy(SCP, "first", DENY).await;
    let hang = |policy: &str, target: &str| json!({ "PolicyId": policy, "TargetId": target });
    let (code, words) = org.refused("AttachPolicy", hang(&first, &org.root)).await;
    assert_eq!(code, "PolicyTypeNotEnabledException");
    assert_eq!(words, "This operation can be performed only for enabled policy types.");
    org.enable(SCP).await;
    org.attach(&first, &org.root).await;
    assert_eq!(
        org.refused("AttachPolicy", hang(&first, &org.root)).await.0,
        "DuplicatePolicyAttachmentException"
    );
    assert_eq!(org.refused("AttachPolicy", hang(&first, "r-zzzz")).await.0, "TargetNotFoundException");
    assert_eq!(org.refused("AttachPolicy", hang("p-zzzzzzzz", &org.root)).await.0, "PolicyNotFoundException");
    assert_eq!(
        org.refused("DetachPolicy", hang(&first, "123456789012")).await.0,
        "PolicyNotAttachedException"
    );
    for number in 3..=10 {
        let policy = org.policy(SCP, &format!("policy {number}"), DENY).await;
        org.attach(&policy, &org.root).await;
    }
    let eleventh = org.policy(SCP, "eleventh", DENY).await;
    let (code, words) = org.refused("AttachPolicy", hang(&eleventh, &org.root)).await;
    assert_eq!(code, "ConstraintViolationException");
    assert_eq!(words, "You have attached the maximum number of policies to the specified target.");
    let input = json!({ "TargetId": org.root, "Filter": SCP });
    assert_eq!(pages(&org.management, "ListPoliciesForTarget", &input, "Policies", "Id").await.len(), 10);
    let account = hang("p-FullAWSAccess", "123456789012");
    let (code, words) = org.refused("DetachPolicy", account).await;
    assert_eq!(code, "ConstraintViolationException");
    assert_eq!(
        words,
        "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times."
    );
    let input = json!({ "Filter": SCP });
    assert_eq!(pages(&org.management, "ListPolicies", &input, "Policies", "Id").await.len(), 11);
    let input = json!({ "PolicyId": "p-FullAWSAccess" });
    let targets = pages(&org.management, "ListTargetsForPolicy", &input, "Targets", "TargetId").await;
    assert_eq!(targets, ["123456789012".to_owned(), org.root.clone()]);
}

#[tokio::test]
async fn no_account_has_an_effective_policy() {
    let org = Organization::new().await;
    let account = org.account("dev").await;
    let alice = org.user(&account, "alice").await;
    for (client, input) in [
        (&org.management, json!({ "PolicyType": "TAG_POLICY", "TargetId": account.as_str() })),
        (&alice, json!({ "PolicyType": "TAG_POLICY" })),
    ] {
        let refused = crate::support::refused(client, "DescribeEffectivePolicy", input).await;
        assert_eq!(refused.0, "EffectivePolicyNotFoundException");
    }
    let other = json!({ "PolicyType": "TAG_POLICY", "TargetId": "123456789012" });
    assert_eq!(
        crate::support::refused(&alice, "DescribeEffectivePolicy", other).await.0,
        "AccessDeniedException"
    );
    let missing = json!({ "PolicyType": "TAG_POLICY", "TargetId": "999999999999" });
    assert_eq!(org.refused("DescribeEffectivePolicy", missing).await.0, "TargetNotFoundException");
    let invalid = json!({ "PolicyType": "TAG_POLICY" });
    assert_eq!(
        org.refused("ListAccountsWithInvalidEffectivePolicy", invalid).await.0,
        "EffectivePolicyNotFoundException"
    );
    let errors = json!({ "PolicyType": "TAG_POLICY", "AccountId": account.as_str() });
    assert_eq!(
        org.refused("ListEffectivePolicyValidationErrors", errors).await.0,
        "EffectivePolicyNotFoundException"
    );
}
