//! Whom a trust policy means.

use daypass_core::policy::{
    Action, Context, Policies, Principal, PrincipalPolicies, Request, Resource, ResourcePolicy,
};
use daypass_core::store::Read as _;
use daypass_core::store::StoreError;
use daypass_core::store::records::Role;
use daypass_core::testing::account as account_id;

use crate::support::{Account, decoded, refusal};

fn trusting(principal: &str) -> String {
    format!(
        r#"{{ "Version": "2012-10-17",
  "Statement": [ {{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}} ] }}"#
    )
}

async fn shown(account: &Account, role: &str) -> String {
    decoded(account.ok("GetRole", &[("RoleName", role)]).await.xml("AssumeRolePolicyDocument").unwrap())
}

fn stored(account: &Account, role: &str) -> Role {
    let read = |tx: &daypass_core::store::Tx<'_>| tx.get::<Role>(&Role::key_of(&account_id(), role));
    let role: Result<Option<Role>, StoreError> = account.server.gate.state().store.read(read);
    role.unwrap().unwrap()
}

/// Whether the role's trust policy alone lets the user of that ARN and id in.
fn trusts(account: &Account, role: &str, arn: &str, id: &str) -> bool {
    let role = stored(account, role);
    let trust = account.server.gate.state().identities.trust_policy(&role);
    let user = Principal::user(&arn.parse().unwrap(), id).unwrap();
    let (action, nothing, context) =
        (Action::new("sts:AssumeRole").unwrap(), PrincipalPolicies::builder().build(), Context::new());
    let resource = role.arn();
    let request = Request::new(&user, &action, Resource::arn(&resource).unwrap(), &context);
    Policies::of(&nothing).resource(ResourcePolicy::Trust(&trust)).allows(&request)
}

#[tokio::test]
async fn users_and_roles_are_kept_by_id_and_shown_by_arn() {
    let account = Account::new().await;
    account.ok("CreateUser", &[("UserName", "alice"), ("Path", "/dev/")]).await;
    account.role("app").await;
    let (user, role) = ("arn:aws:iam::123456789012:user/dev/alice", "arn:aws:iam::123456789012:role/app");
    let document = trusting(&format!(
        r#"{{"AWS": ["{user}",   "{role}", "123456789012"], "Service":"ec2.amazonaws.com"}}"#
    ));
    let made = account.ok("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &document)]).await;
    // What is shown is what was put, to the last space.
    assert_eq!(decoded(made.xml("AssumeRolePolicyDocument").unwrap()), document);
    assert_eq!(shown(&account, "r").await, document);
    let id = async |action: &str, name, value: &str| {
        account.ok(action, &[(name, "alice"), ("RoleName", "app")]).await.xml(value).unwrap().to_owned()
    };
    let ids = (id("GetUser", "UserName", "UserId").await, id("GetRole", "UserName", "RoleId").await);
    assert_eq!(stored(&account, "r").trust_policy, document.replace(user, &ids.0).replace(role, &ids.1));
    // A user that moves is the same user.
    account.ok("UpdateUser", &[("UserName", "alice"), ("NewUserName", "carol"), ("NewPath", "/")]).await;
    assert_eq!(shown(&account, "r").await, document.replace("user/dev/alice", "user/carol"));
    // A role is shown likewise wherever its trust policy is.
    let listed = account.ok("ListRoles", &[]).await;
    assert!(
        listed.xml_all("AssumeRolePolicyDocument").iter().any(|text| decoded(text).contains("user/carol"))
    );
}

#[tokio::test]
async fn one_of_the_same_name_that_comes_later_is_another() {
    let account = Account::new().await;
    account.user("alice").await;
    let arn = "arn:aws:iam::123456789012:user/alice";
    let id = account.ok("GetUser", &[("UserName", "alice")]).await.xml("UserId").unwrap().to_owned();
    let document = trusting(&format!(r#"{{"AWS":"{arn}"}}"#));
    account.ok("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &document)]).await;
    assert!(trusts(&account, "r", arn, &id));
    account.ok("DeleteUser", &[("UserName", "alice")]).await;
    assert_eq!(shown(&account, "r").await, document.replace(arn, &id));
    account.user("alice").await;
    let new = account.ok("GetUser", &[("UserName", "alice")]).await.xml("UserId").unwrap().to_owned();
    assert_ne!(new, id);
    assert!(!trusts(&account, "r", arn, &new));
    assert_eq!(shown(&account, "r").await, document.replace(arn, &id));
    // The id of who is gone cannot be put again.
    let words = format!(r#"Invalid principal in policy: "AWS":"{id}""#);
    let again = shown(&account, "r").await;
    let refused =
        account.refused("UpdateAssumeRolePolicy", &[("RoleName", "r"), ("PolicyDocument", &again)]).await;
    assert_eq!(refused, refusal(400, "MalformedPolicyDocument", words));
    account.ok("UpdateAssumeRolePolicy", &[("RoleName", "r"), ("PolicyDocument", &document)]).await;
    assert!(trusts(&account, "r", arn, &new) && !trusts(&account, "r", arn, &id));
}

#[tokio::test]
async fn a_role_that_was_deleted_and_made_again_is_another() {
    let account = Account::new().await;
    account.role("app").await;
    let arn = "arn:aws:iam::123456789012:role/app";
    let document = trusting(&format!(r#"{{"AWS":["123456789012","{arn}"]}}"#));
    let old = account.ok("GetRole", &[("RoleName", "app")]).await.xml("RoleId").unwrap().to_owned();
    account.ok("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &document)]).await;
    assert_eq!(shown(&account, "r").await, document);
    account.ok("DeleteRole", &[("RoleName", "app")]).await;
    account.role("app").await;
    let shown = shown(&account, "r").await;
    assert!(old.starts_with("AROA") && shown == document.replace(arn, &old), "{shown}");
    let new = account.ok("GetRole", &[("RoleName", "app")]).await.xml("RoleId").unwrap().to_owned();
    assert_ne!(new, old);
}

#[tokio::test]
async fn who_does_not_exist_cannot_be_trusted() {
    let account = Account::new().await;
    account.ok("CreateUser", &[("UserName", "alice"), ("Path", "/dev/")]).await;
    for nobody in [
        "arn:aws:iam::123456789012:user/bob",
        // Another path, another case, another account: another principal.
        "arn:aws:iam::123456789012:user/alice",
        "arn:aws:iam::123456789012:user/dev/ALICE",
        "arn:aws:iam::999999999999:user/dev/alice",
        "arn:aws:iam::123456789012:role/alice",
        "arn:aws:sts::123456789012:assumed-role/nothing/session",
        "arn:aws:iam::123456789012:group/dev",
        "AIDAIOSFODNN7EXAMPLEX",
    ] {
        let document = trusting(&format!(r#"{{"AWS":["123456789012","{nobody}"]}}"#));
        let refused = account
            .refused("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &document)])
            .await;
        let words = format!(r#"Invalid principal in policy: "AWS":"{nobody}""#);
        assert_eq!(refused, refusal(400, "MalformedPolicyDocument", words));
    }
    for somebody in [
        "123456789012",
        "999999999999",
        "arn:aws:iam::999999999999:root",
        "arn:aws:sts::123456789012:assumed-role/Administrator/anyone",
        "arn:aws:sts::123456789012:federated-user/anyone",
        "*",
    ] {
        let document = trusting(&format!(r#"{{"AWS":"{somebody}"}}"#));
        account.ok("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &document)]).await;
        assert_eq!(stored(&account, "r").trust_policy, document);
        account.ok("DeleteRole", &[("RoleName", "r")]).await;
    }
}
