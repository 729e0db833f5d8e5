use daypass_core::model::Timestamp;
use daypass_core::store::records::{Indexed as _, Role, RoleLastUsed};
use daypass_core::store::{Read as _, StoreError, TransactError};
use daypass_core::testing::{NOW, account as account_id};

use crate::support::{Account, DOCUMENT, TRUST, decoded, refusal};

#[tokio::test]
async fn a_new_role_is_told_without_what_aws_leaves_out() {
    let account = Account::new().await;
    let made = account
        .ok(
            "CreateRole",
            &[
                ("RoleName", "app"),
                ("Path", "/x/"),
                ("AssumeRolePolicyDocument", TRUST),
                ("Description", "for app"),
                ("MaxSessionDuration", "7200"),
                ("Tags.member.1.Key", "k"),
                ("Tags.member.1.Value", "v"),
            ],
        )
        .await;
    assert_eq!(made.xml("Arn"), Some("arn:aws:iam::123456789012:role/x/app"));
    assert_eq!(made.xml("CreateDate"), Some("2026-11-22T02:14:00Z"));
    let id = made.xml("RoleId").unwrap();
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    assert_eq!(decoded(made.xml("AssumeRolePolicyDocument").unwrap()), TRUST);
    assert_eq!((made.xml("Key"), made.xml("Value")), (Some("k"), Some("v")));
    for name in ["MaxSessionDuration", "RoleLastUsed", "Description"] {
        assert!(!made.body.contains(name), "{name}: {}", made.body);
    }
    let got = account.ok("GetRole", &[("RoleName", "app")]).await;
    assert_eq!((got.xml("RoleId"), got.xml("Key")), (Some(id), Some("k")));
    assert_eq!(got.xml("MaxSessionDuration"), Some("7200"));
    assert_eq!(got.xml("Description"), Some("for app"));
    assert!(got.body.contains("<RoleLastUsed></RoleLastUsed>") || got.body.contains("<RoleLastUsed/>"));
    assert_eq!(decoded(got.xml("AssumeRolePolicyDocument").unwrap()), TRUST);
}

#[tokio::test]
async fn documents_come_back_as_they_were_put() {
    let account = Account::new().await;
    let trust = TRUST.replace(
        "\"Action\"",
        " \"Condition\" : {\"StringEquals\":{\"aws:SourceArn\":\"arn%3Aaws+é\"}},\n\"Action\"",
    );
    account.ok("CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", &trust)]).await;
    let got = account.ok("GetRole", &[("RoleName", "app")]).await;
    let document = got.xml("AssumeRolePolicyDocument").unwrap();
    assert_eq!(decoded(document), trust);
    assert!(document.contains("arn%253Aaws%2B%C3%A9") && document.contains("%20"), "{document}");
}

#[tokio::test]
async fn names_are_unique_and_what_is_missing_is_named() {
    let account = Account::new().await;
    account.role("app").await;
    let again = [("RoleName", "APP"), ("AssumeRolePolicyDocument", TRUST), ("Path", "/x/")];
    let taken = refusal(409, "EntityAlreadyExists", "Role with name APP already exists.");
    assert_eq!(account.refused("CreateRole", &again).await, taken);
    let gone = refusal(404, "NoSuchEntity", "The role with name x cannot be found.");
    for (action, more) in [
        ("GetRole", vec![]),
        ("DeleteRole", vec![]),
        ("UpdateRole", vec![]),
        ("UpdateRoleDescription", vec![("Description", "d")]),
        ("UpdateAssumeRolePolicy", vec![("PolicyDocument", "{")]),
        ("ListRolePolicies", vec![]),
        ("ListAttachedRolePolicies", vec![]),
        ("ListInstanceProfilesForRole", vec![]),
        ("ListRoleTags", vec![]),
    ] {
        let parameters = [&[("RoleName", "x")], &more[..]].concat();
        assert_eq!(account.refused(action, &parameters).await, gone, "{action}");
    }
}

#[tokio::test]
async fn trust_policies_are_checked_in_awss_words() {
    let account = Account::new().await;
    let malformed = |words: &str| refusal(400, "MalformedPolicyDocument", words);
    for (document, expected) in [
        ("{", malformed("This policy contains invalid Json")),
        (
            r#"{"Version":"2012-10-17","Statement":[]}"#,
            malformed("Could not parse the policy: Statement is empty!"),
        ),
        (DOCUMENT, malformed("Missing required field Principal")),
        (&TRUST.replace("}]}", r#","Resource":"*"}]}"#), malformed("Has prohibited field Resource")),
        (
            &TRUST.replace("sts:AssumeRole", "s3:GetObject"),
            malformed("AssumeRole policy may only specify STS AssumeRole actions."),
        ),
        (
            &TRUST.replace("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "x".repeat(2000))),
            refusal(409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"),
        ),
    ] {
        let parameters = [("RoleName", "app"), ("AssumeRolePolicyDocument", document)];
        assert_eq!(account.refused("CreateRole", &parameters).await, expected, "{document}");
    }
    account.role("app").await;
    let update = [("RoleName", "app"), ("PolicyDocument", "{")];
    assert_eq!(
        account.refused("UpdateAssumeRolePolicy", &update).await,
        malformed("This policy contains invalid Json")
    );
    let other = TRUST.replace("ec2", "lambda");
    account.ok("UpdateAssumeRolePolicy", &[("RoleName", "app"), ("PolicyDocument", &other)]).await;
    let got = account.ok("GetRole", &[("RoleName", "app")]).await;
    assert_eq!(decoded(got.xml("AssumeRolePolicyDocument").unwrap()), other);
}

#[tokio::test]
async fn description_and_session_length_change() {
    let account = Account::new().await;
    account.role("app").await;
    let role = ("RoleName", "app");
    let answer =
        account.ok("UpdateRole", &[role, ("MaxSessionDuration", "43200"), ("Description", "a")]).await;
    assert!(answer.body.contains("UpdateRoleResult"), "{}", answer.body);
    let got = account.ok("GetRole", &[role]).await;
    assert_eq!((got.xml("MaxSessionDuration"), got.xml("Description")), (Some("43200"), Some("a")));
    // What is not said stays.
    account.ok("UpdateRole", &[role, ("MaxSessionDuration", "3600")]).await;
    assert_eq!(account.ok("GetRole", &[role]).await.xml("Description"), Some("a"));
    let told = account.ok("UpdateRoleDescription", &[role, ("Description", "b")]).await;
    assert_eq!((told.xml("RoleName"), told.xml("Description")), (Some("app"), Some("b")));
    for seconds in ["3599", "43201"] {
        let refused = account.refused("UpdateRole", &[role, ("MaxSessionDuration", seconds)]).await;
        assert_eq!(refused.1, "ValidationError", "{seconds}");
    }
}

#[tokio::test]
async fn a_role_that_has_something_left_is_not_deleted() {
    let account = Account::new().await;
    account.role("app").await;
    let (policy, role) = (account.policy("p").await, ("RoleName", "app"));
    let profile = ("InstanceProfileName", "app");
    account.ok("CreateInstanceProfile", &[profile]).await;
    account.ok("AddRoleToInstanceProfile", &[profile, role]).await;
    account.ok("AttachRolePolicy", &[role, ("PolicyArn", &policy)]).await;
    account.ok("PutRolePolicy", &[role, ("PolicyName", "i"), ("PolicyDocument", DOCUMENT)]).await;
    for (words, action, parameter) in [
        (
            "Cannot delete entity, must remove roles from instance profile first.",
            "RemoveRoleFromInstanceProfile",
            profile,
        ),
        (
            "Cannot delete entity, must detach all policies first.",
            "DetachRolePolicy",
            ("PolicyArn", policy.as_str()),
        ),
        ("Cannot delete entity, must delete policies first.", "DeleteRolePolicy", ("PolicyName", "i")),
    ] {
        assert_eq!(account.refused("DeleteRole", &[role]).await, refusal(409, "DeleteConflict", words));
        account.ok(action, &[role, parameter]).await;
    }
    account.ok("DeleteRole", &[role]).await;
    assert_eq!(account.refused("GetRole", &[role]).await.0, 404);
}

#[tokio::test]
async fn last_use_is_shown_by_get_and_by_no_list() {
    let account = Account::new().await;
    account.role("app").await;
    let id = account.ok("GetRole", &[("RoleName", "app")]).await.xml("RoleId").unwrap().to_owned();
    let used = RoleLastUsed {
        account: account_id(),
        role_id: id,
        time: Timestamp::from_millis(NOW * 1000 + 123),
        region: "us-east-1".to_owned(),
    };
    let put: Result<(), TransactError<StoreError>> =
        account.server.gate.state().store.transact(|tx| tx.put(&used)).await;
    put.unwrap();
    let got = account.ok("GetRole", &[("RoleName", "app")]).await;
    assert_eq!(got.xml("LastUsedDate"), Some("2026-11-22T02:14:00Z"));
    assert_eq!(got.xml("Region"), Some("us-east-1"));
    assert!(!account.ok("ListRoles", &[]).await.body.contains("LastUsed"));
}

#[tokio::test]
async fn the_paths_of_services_are_closed() {
    let account = Account::new().await;
    let role = |path| [("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST), ("Path", path)];
    let words = "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles";
    let refused = account.refused("CreateRole", &role("/aws-service-role/ecs.amazonaws.com/")).await;
    assert_eq!(refused, refusal(400, "InvalidInput", words));
    let refused = account.refused("CreateRole", &role("/aws-reserved/sso.amazonaws.com/")).await;
    assert_eq!((refused.0, refused.1.as_str()), (403, "AccessDenied"));
}

#[tokio::test]
async fn a_service_linked_role_is_only_changed_by_its_service() {
    let account = Account::new().await;
    account.role("AWSServiceRoleForX").await;
    let policy = account.policy("p").await;
    // As a later operation will make it: there is none yet that does.
    let moved: Result<(), TransactError<StoreError>> = account
        .server
        .gate
        .state()
        .store
        .transact(|tx| {
            let mut role: Role = tx.get(&Role::key_of(&account_id(), "AWSServiceRoleForX"))?.unwrap();
            role.path = "/aws-service-role/x.amazonaws.com/".to_owned();
            role.save(tx)
        })
        .await;
    moved.unwrap();
    account.ok("CreateInstanceProfile", &[("InstanceProfileName", "ip")]).await;
    let words = "Cannot perform the operation on the protected role 'AWSServiceRoleForX' - this role is only modifiable by AWS";
    for (action, more) in [
        ("DeleteRole", vec![]),
        ("UpdateRole", vec![("MaxSessionDuration", "7200")]),
        ("UpdateAssumeRolePolicy", vec![("PolicyDocument", TRUST)]),
        ("PutRolePolicy", vec![("PolicyName", "i"), ("PolicyDocument", DOCUMENT)]),
        ("DeleteRolePolicy", vec![("PolicyName", "i")]),
        ("AttachRolePolicy", vec![("PolicyArn", policy.as_str())]),
        ("DetachRolePolicy", vec![("PolicyArn", policy.as_str())]),
        ("PutRolePermissionsBoundary", vec![("PermissionsBoundary", policy.as_str())]),
        ("DeleteRolePermissionsBoundary", vec![]),
        ("AddRoleToInstanceProfile", vec![("InstanceProfileName", "ip")]),
        ("RemoveRoleFromInstanceProfile", vec![("InstanceProfileName", "ip")]),
    ] {
        let parameters = [&[("RoleName", "AWSServiceRoleForX")], &more[..]].concat();
        assert_eq!(
            account.refused(action, &parameters).await,
            refusal(400, "UnmodifiableEntity", words),
            "{action}"
        );
    }
    let role = ("RoleName", "AWSServiceRoleForX");
    account.ok("UpdateRole", &[role, ("Description", "may be said")]).await;
    account.ok("TagRole", &[role, ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]).await;
}
