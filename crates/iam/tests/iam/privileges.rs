//! What nobody may get by what they are allowed: the second path to a right.

use daypass_core::testing::Client;

use crate::support::{Account, DOCUMENT, TRUST, allow, refused};

const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/boundary";

/// The code of an answer; nothing where it is a success.
async fn code(client: &Client, action: &str, parameters: &[(&str, &str)]) -> Option<String> {
    client.query("iam", action, parameters).await.code()
}

fn denied() -> Option<String> {
    Some("AccessDenied".to_owned())
}

/// Who may manage users and roles, but only below the boundary (IAM user guide, delegating responsibility to others using
/// permissions boundaries).
async fn delegate(account: &Account) -> Client {
    account.policy("boundary").await;
    let only = format!(r#","Condition":{{"StringEquals":{{"iam:PermissionsBoundary":"{BOUNDARY}"}}}}"#);
    let below = r#"["iam:CreateUser","iam:CreateRole","iam:PutUserPolicy","iam:DeleteUserPolicy","iam:AttachUserPolicy","iam:DetachUserPolicy","iam:PutRolePolicy","iam:AttachRolePolicy","iam:PutUserPermissionsBoundary","iam:PutRolePermissionsBoundary"]"#;
    let policies = [
        ("below", allow(below, "*", &only)),
        ("any", allow(r#"["iam:TagUser","iam:CreateAccessKey"]"#, "*", "")),
    ];
    account.server.user("delegate", &policies.each_ref().map(|(name, text)| (*name, text.as_str()))).await
}

#[tokio::test]
async fn who_may_only_make_bounded_users_makes_no_others() {
    let account = Account::new().await;
    let delegate = delegate(&account).await;
    let role = [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)];
    let bounded = ("PermissionsBoundary", BOUNDARY);
    let other = account.policy("other").await;
    assert_eq!(code(&delegate, "CreateUser", &[("UserName", "x")]).await, denied());
    assert_eq!(
        code(&delegate, "CreateUser", &[("UserName", "x"), ("PermissionsBoundary", &other)]).await,
        denied()
    );
    assert_eq!(code(&delegate, "CreateRole", &role).await, denied());
    assert_eq!(code(&delegate, "CreateUser", &[("UserName", "x"), bounded]).await, None);
    assert_eq!(code(&delegate, "CreateRole", &[role[0], role[1], bounded]).await, None);
}

#[tokio::test]
async fn rights_are_given_only_to_what_is_bounded_now() {
    let account = Account::new().await;
    let delegate = delegate(&account).await;
    account.user("free").await;
    account.role("free").await;
    account.ok("CreateUser", &[("UserName", "bounded"), ("PermissionsBoundary", BOUNDARY)]).await;
    let role =
        [("RoleName", "bounded"), ("AssumeRolePolicyDocument", TRUST), ("PermissionsBoundary", BOUNDARY)];
    account.ok("CreateRole", &role).await;
    let inline = [("PolicyName", "p"), ("PolicyDocument", DOCUMENT)];
    let arn = [("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
    for (action, handle, more) in [
        ("PutUserPolicy", "UserName", &inline[..]),
        ("DeleteUserPolicy", "UserName", &inline[..1]),
        ("AttachUserPolicy", "UserName", &arn[..]),
        ("DetachUserPolicy", "UserName", &arn[..]),
        ("PutRolePolicy", "RoleName", &inline[..]),
        ("AttachRolePolicy", "RoleName", &arn[..]),
    ] {
        let on = |name| [&[(handle, name)], more].concat();
        assert_eq!(code(&delegate, action, &on("free")).await, denied(), "{action}");
        assert_eq!(code(&delegate, action, &on("bounded")).await, None, "{action}");
    }
}

#[tokio::test]
async fn a_boundary_is_not_removed_or_exchanged_without_permission() {
    let account = Account::new().await;
    let delegate = delegate(&account).await;
    let other = account.policy("other").await;
    account.ok("CreateUser", &[("UserName", "x"), ("PermissionsBoundary", BOUNDARY)]).await;
    let user = ("UserName", "x");
    assert_eq!(code(&delegate, "DeleteUserPermissionsBoundary", &[user]).await, denied());
    let exchange = [user, ("PermissionsBoundary", other.as_str())];
    assert_eq!(code(&delegate, "PutUserPermissionsBoundary", &exchange).await, denied());
    let same = [user, ("PermissionsBoundary", BOUNDARY)];
    assert_eq!(code(&delegate, "PutUserPermissionsBoundary", &same).await, None);
    // Nor is the policy behind it changed or deleted.
    let version = [("PolicyArn", BOUNDARY), ("PolicyDocument", DOCUMENT), ("SetAsDefault", "true")];
    assert_eq!(code(&delegate, "CreatePolicyVersion", &version).await, denied());
    assert_eq!(code(&delegate, "DeletePolicy", &[("PolicyArn", BOUNDARY)]).await, denied());
}

#[tokio::test]
async fn an_allowance_for_some_policies_is_none_for_others() {
    let account = Account::new().await;
    let only =
        r#","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}"#;
    let may = allow(r#"["iam:AttachUserPolicy","iam:DetachUserPolicy"]"#, "*", only);
    let alice = account.server.user("alice", &[("may", &may)]).await;
    let me = ("UserName", "alice");
    let s3 = ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
    assert_eq!(code(&alice, "AttachUserPolicy", &[me, s3]).await, None);
    assert_eq!(code(&alice, "DetachUserPolicy", &[me, s3]).await, None);
    let all = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(code(&alice, "AttachUserPolicy", &[me, all]).await, denied());
}

#[tokio::test]
async fn putting_a_role_into_a_profile_passes_it() {
    let account = Account::new().await;
    account.role("app").await;
    let admin = [("RoleName", "admin"), ("Path", "/x/"), ("AssumeRolePolicyDocument", TRUST)];
    account.ok("CreateRole", &admin).await;
    account.ok("CreateInstanceProfile", &[("InstanceProfileName", "p")]).await;
    let profile = ("InstanceProfileName", "p");
    let add = allow(r#""iam:AddRoleToInstanceProfile""#, "*", "");
    let without = account.server.user("without", &[("add", &add)]).await;
    let (_, _, message) =
        refused(&without, "AddRoleToInstanceProfile", &[profile, ("RoleName", "app")]).await;
    assert!(
        message.contains(
            "iam:PassRole on resource: arn:aws:iam::123456789012:role/app because no identity-based"
        ),
        "{message}"
    );
    let to =
        |service: &str| format!(r#","Condition":{{"StringEquals":{{"iam:PassedToService":"{service}"}}}}"#);
    let app = "arn:aws:iam::123456789012:role/app";
    let pass = allow(r#""iam:PassRole""#, app, &to("lambda.amazonaws.com"));
    let elsewhere = account.server.user("elsewhere", &[("add", &add), ("pass", &pass)]).await;
    assert_eq!(code(&elsewhere, "AddRoleToInstanceProfile", &[profile, ("RoleName", "app")]).await, denied());
    let pass = allow(r#""iam:PassRole""#, app, &to("ec2.amazonaws.com"));
    let with = account.server.user("with", &[("add", &add), ("pass", &pass)]).await;
    // The role is asked about by its own ARN, with its path, and of one that is not there nothing is told.
    for role in ["admin", "missing"] {
        assert_eq!(code(&with, "AddRoleToInstanceProfile", &[profile, ("RoleName", role)]).await, denied());
    }
    assert_eq!(code(&with, "AddRoleToInstanceProfile", &[profile, ("RoleName", "app")]).await, None);
}

#[tokio::test]
async fn a_name_in_another_case_is_the_same_resource() {
    let account = Account::new().await;
    account.role("Admin").await;
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:iam::123456789012:role/Admin"}]}"#;
    let alice = account.server.user("alice", &[("deny", deny)]).await;
    for name in ["Admin", "ADMIN", "admin"] {
        let put = [("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", DOCUMENT)];
        assert_eq!(code(&alice, "PutRolePolicy", &put).await, denied(), "{name}");
    }
}

#[tokio::test]
async fn a_user_of_the_same_name_inherits_nothing() {
    let account = Account::new().await;
    account.group("admins").await;
    account.user("alice").await;
    let user = ("UserName", "alice");
    let key = account.ok("CreateAccessKey", &[user]).await;
    let old =
        account.server.client(key.xml("AccessKeyId").unwrap(), key.xml("SecretAccessKey").unwrap(), None);
    assert_eq!(code(&old, "GetUser", &[]).await, denied());
    let id = key.xml("AccessKeyId").unwrap();
    account.ok("DeleteAccessKey", &[user, ("AccessKeyId", id)]).await;
    account.ok("AddUserToGroup", &[user, ("GroupName", "admins")]).await;
    account.ok("RemoveUserFromGroup", &[user, ("GroupName", "admins")]).await;
    account.ok("DeleteUser", &[user]).await;
    account.user("alice").await;
    let all = allow(r#""*""#, "*", "");
    account.ok("PutUserPolicy", &[user, ("PolicyName", "all"), ("PolicyDocument", &all)]).await;
    assert_eq!(code(&old, "GetUser", &[]).await.as_deref(), Some("InvalidClientTokenId"));
    assert!(account.ok("ListAccessKeys", &[user]).await.xml_all("AccessKeyId").is_empty());
    assert!(account.ok("ListGroupsForUser", &[user]).await.xml_all("GroupName").is_empty());
    assert!(account.ok("GetGroup", &[("GroupName", "admins")]).await.xml_all("UserName").is_empty());
}

#[tokio::test]
async fn tags_decide_and_so_are_not_set_in_passing() {
    let account = Account::new().await;
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    // To create with tags takes the permission to tag.
    let creator = account.server.user("creator", &[("may", &allow(r#""iam:Create*""#, "*", ""))]).await;
    let user = ("UserName", "x");
    let (_, code_, message) = refused(&creator, "CreateUser", &[&[user][..], &tags].concat()).await;
    assert_eq!(code_, "AccessDenied");
    assert!(message.contains("iam:TagUser on resource: arn:aws:iam::123456789012:user/x"), "{message}");
    assert_eq!(code(&creator, "CreateUser", &[user]).await, None);
    // Request tags, tag keys and resource tags are what conditions see.
    let red = r#","Condition":{"StringEquals":{"aws:RequestTag/team":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}"#;
    let tagger = account.server.user("tagger", &[("may", &allow(r#""iam:TagUser""#, "*", red))]).await;
    assert_eq!(code(&tagger, "TagUser", &[&[user][..], &tags].concat()).await, None);
    let blue = [user, tags[0], ("Tags.member.1.Value", "blue")];
    assert_eq!(code(&tagger, "TagUser", &blue).await, denied());
    let more = [user, tags[0], tags[1], ("Tags.member.2.Key", "k"), ("Tags.member.2.Value", "v")];
    assert_eq!(code(&tagger, "TagUser", &more).await, denied());
    let keys = r#","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["cost"]}}"#;
    let untagger = account.server.user("untagger", &[("may", &allow(r#""iam:UntagUser""#, "*", keys))]).await;
    assert_eq!(code(&untagger, "UntagUser", &[user, ("TagKeys.member.1", "team")]).await, denied());
    let own = r#","Condition":{"StringEquals":{"aws:ResourceTag/team":"red","iam:ResourceTag/team":"red"}}"#;
    let owner = account.server.user("owner", &[("may", &allow(r#""iam:DeleteUser""#, "*", own))]).await;
    account.user("y").await;
    assert_eq!(code(&owner, "DeleteUser", &[("UserName", "y")]).await, denied());
    assert_eq!(code(&owner, "DeleteUser", &[user]).await, None);
}

#[tokio::test]
async fn renaming_takes_a_permission_on_both_names() {
    let account = Account::new().await;
    account.user("mine").await;
    account.group("mine").await;
    for (kind, handle, new) in [("User", "UserName", "NewUserName"), ("Group", "GroupName", "NewGroupName")] {
        let action = format!("Update{kind}");
        let resource = format!("arn:aws:iam::123456789012:{}/mine*", kind.to_lowercase());
        let may = allow(&format!(r#""iam:{action}""#), &resource, "");
        let client = account.server.user(&format!("updates-{kind}"), &[("may", &may)]).await;
        assert_eq!(code(&client, &action, &[(handle, "mine"), (new, "theirs")]).await, denied());
        assert_eq!(code(&client, &action, &[(handle, "mine"), ("NewPath", "/theirs/")]).await, denied());
        assert_eq!(code(&client, &action, &[(handle, "mine"), (new, "mine2")]).await, None);
    }
}

#[tokio::test]
async fn a_path_is_part_of_what_is_asked_about() {
    let account = Account::new().await;
    account.ok("CreateUser", &[("UserName", "deep"), ("Path", "/ops/")]).await;
    let may = allow(
        r#"["iam:GetUser","iam:CreateUser","iam:ListUsers"]"#,
        "arn:aws:iam::123456789012:user/dev/*",
        "",
    );
    let alice = account.server.user("alice", &[("may", &may)]).await;
    assert_eq!(code(&alice, "GetUser", &[("UserName", "deep")]).await, denied());
    assert_eq!(code(&alice, "CreateUser", &[("UserName", "x")]).await, denied());
    assert_eq!(code(&alice, "CreateUser", &[("UserName", "x"), ("Path", "/dev/")]).await, None);
    assert_eq!(code(&alice, "GetUser", &[("UserName", "x")]).await, None);
    assert_eq!(code(&alice, "ListUsers", &[]).await, denied());
    assert_eq!(code(&alice, "ListUsers", &[("PathPrefix", "/dev/")]).await, None);
}
