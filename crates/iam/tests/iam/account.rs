use std::collections::BTreeMap;

use daypass_core::store::records::{Account as AccountRecord, AccountAlias};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::account as account_id;

use crate::support::{Account, DOCUMENT, SERVER_CERTIFICATE, TRUST, decoded, refusal};

#[tokio::test]
async fn an_account_has_one_alias_at_most() {
    let account = Account::new().await;
    let aliases = async || account.ok("ListAccountAliases", &[]).await.xml_all("member").join(" ");
    assert_eq!(aliases().await, "");
    account.ok("CreateAccountAlias", &[("AccountAlias", "first")]).await;
    let taken = refusal(409, "EntityAlreadyExists", "The account alias first already exists.");
    assert_eq!(account.refused("CreateAccountAlias", &[("AccountAlias", "first")]).await, taken);
    account.ok("CreateAccountAlias", &[("AccountAlias", "second-2")]).await;
    assert_eq!(aliases().await, "second-2");
    let gone = account.refused("DeleteAccountAlias", &[("AccountAlias", "first")]).await;
    assert_eq!(gone, refusal(404, "NoSuchEntity", "The account alias with name first cannot be found."));
    account.ok("DeleteAccountAlias", &[("AccountAlias", "second-2")]).await;
    assert_eq!(aliases().await, "");
    // What was given up is free again.
    account.ok("CreateAccountAlias", &[("AccountAlias", "first")]).await;
}

#[tokio::test]
async fn no_two_accounts_have_the_same_alias() {
    let account = Account::new().await;
    let other = AccountAlias { alias: "taken".to_owned(), account: "999999999999".parse().unwrap() };
    let put: Result<(), TransactError<StoreError>> =
        account.server.gate.state().store.transact(|tx| tx.put(&other)).await;
    put.unwrap();
    let taken = refusal(409, "EntityAlreadyExists", "The account alias taken already exists.");
    assert_eq!(account.refused("CreateAccountAlias", &[("AccountAlias", "taken")]).await, taken);
    assert_eq!(account.refused("DeleteAccountAlias", &[("AccountAlias", "taken")]).await.1, "NoSuchEntity");
}

#[tokio::test]
async fn an_alias_has_small_letters_digits_and_single_hyphens() {
    let account = Account::new().await;
    for alias in ["ab", "-abc", "abc-", "a--b", "Abc", "a_b", "a.b.c"] {
        for action in ["CreateAccountAlias", "DeleteAccountAlias"] {
            let (status, code, message) = account.refused(action, &[("AccountAlias", alias)]).await;
            assert_eq!((status, code.as_str()), (400, "ValidationError"), "{alias}");
            assert!(message.contains("'accountAlias'"), "{message}");
        }
    }
}

/// The summary as a map.
async fn summary(account: &Account) -> BTreeMap<String, i64> {
    let answer = account.ok("GetAccountSummary", &[]).await;
    let keys = answer.xml_all("key").into_iter().map(str::to_owned);
    keys.zip(answer.xml_all("value").into_iter().map(|value| value.parse().unwrap())).collect()
}

#[tokio::test]
async fn the_summary_counts_what_there_is() {
    let account = Account::new().await;
    let count = |summary: &BTreeMap<String, i64>| {
        ["Users", "Groups", "Roles", "Policies", "PolicyVersionsInUse", "InstanceProfiles"]
            .map(|key| summary[key])
    };
    // The administrator's role is one.
    assert_eq!(count(&summary(&account).await), [0, 0, 1, 0, 0, 0]);
    for number in 0..20 {
        let name = format!("n{number}");
        account.user(&name).await;
        account.group(&name).await;
        account.role(&name).await;
        account.policy(&name).await;
        account.ok("CreateInstanceProfile", &[("InstanceProfileName", &name)]).await;
    }
    let arn = "arn:aws:iam::123456789012:policy/n3";
    account.ok("CreatePolicyVersion", &[("PolicyArn", arn), ("PolicyDocument", DOCUMENT)]).await;
    assert_eq!(count(&summary(&account).await), [20, 20, 21, 20, 21, 20]);
    account.ok("UpdateUser", &[("UserName", "n1"), ("NewUserName", "renamed")]).await;
    account.ok("DeleteUser", &[("UserName", "n2")]).await;
    account.ok("DeleteGroup", &[("GroupName", "n2")]).await;
    account.ok("DeleteRole", &[("RoleName", "n2")]).await;
    account.ok("DeleteInstanceProfile", &[("InstanceProfileName", "n2")]).await;
    account.ok("DeletePolicyVersion", &[("PolicyArn", arn), ("VersionId", "v2")]).await;
    account.ok("DeletePolicy", &[("PolicyArn", arn)]).await;
    let told = summary(&account).await;
    assert_eq!(count(&told), [19, 19, 20, 19, 19, 19]);
    for (key, value) in [
        ("AccessKeysPerUserQuota", 2),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("GroupsPerUserQuota", 10),
        ("PolicySizeQuota", 6144),
        ("RolePolicySizeQuota", 10_240),
        ("VersionsPerPolicyQuota", 5),
        ("UsersQuota", 5000),
        ("GroupsQuota", 300),
        ("RolesQuota", 1000),
        ("PoliciesQuota", 1500),
        ("PolicyVersionsInUseQuota", 10_000),
        ("InstanceProfilesQuota", 1000),
        ("ServerCertificatesQuota", 20),
        ("AccountAccessKeysPresent", 0),
    ] {
        assert_eq!(told[key], value, "{key}");
    }
}

#[tokio::test]
async fn authorization_details_hold_everybody_with_everything() {
    let account = Account::new().await;
    let policy = account.policy("own").await;
    account.user("alice").await;
    account.group("staff").await;
    account.role("app").await;
    account.ok("AddUserToGroup", &[("UserName", "alice"), ("GroupName", "staff")]).await;
    let inline = [("PolicyName", "in"), ("PolicyDocument", DOCUMENT)];
    account.ok("PutUserPolicy", &[&[("UserName", "alice")][..], &inline].concat()).await;
    account.ok("PutGroupPolicy", &[&[("GroupName", "staff")][..], &inline].concat()).await;
    account.ok("PutRolePolicy", &[&[("RoleName", "app")][..], &inline].concat()).await;
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    account.ok("TagUser", &[&[("UserName", "alice")][..], &tag].concat()).await;
    account.ok("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", &policy)]).await;
    account
        .ok("PutUserPermissionsBoundary", &[("UserName", "alice"), ("PermissionsBoundary", &policy)])
        .await;
    account.ok("CreateInstanceProfile", &[("InstanceProfileName", "ip")]).await;
    account.ok("AddRoleToInstanceProfile", &[("InstanceProfileName", "ip"), ("RoleName", "app")]).await;

    let whole = account.ok("GetAccountAuthorizationDetails", &[]).await;
    assert_eq!(whole.xml("IsTruncated"), Some("false"));
    let (users, rest) = whole.body.split_once("</UserDetailList>").unwrap();
    let (groups, rest) = rest.split_once("</GroupDetailList>").unwrap();
    let (roles, policies) = rest.split_once("</RoleDetailList>").unwrap();
    for text in [
        "<UserName>alice",
        "<PolicyName>in<",
        "<GroupList><member>staff<",
        "<Key>k<",
        &policy,
        "PermissionsBoundaryArn",
    ] {
        assert!(users.contains(text), "{text}: {users}");
    }
    assert!(groups.contains("<GroupName>staff") && groups.contains("<PolicyName>in<"), "{groups}");
    for text in [
        "<RoleName>Administrator",
        "<RoleName>app",
        "<InstanceProfileName>ip",
        "AdministratorAccess",
        "<PolicyName>in<",
    ] {
        assert!(roles.contains(text), "{text}: {roles}");
    }
    // The own policy, and of AWS's the one that is used.
    let names: Vec<&str> =
        policies.split("<PolicyName>").skip(1).map(|r| r.split('<').next().unwrap()).collect();
    assert_eq!(names, ["own", "AdministratorAccess"]);
    assert_eq!(whole.xml_all("Document").into_iter().map(decoded).filter(|d| d == DOCUMENT).count(), 1);
}

#[tokio::test]
async fn authorization_details_are_filtered_and_paged() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    account.group("staff").await;
    account.policy("own").await;
    let action = "GetAccountAuthorizationDetails";
    let only =
        account.ok(action, &[("Filter.member.1", "Group"), ("Filter.member.2", "LocalManagedPolicy")]).await;
    assert_eq!((only.xml_all("GroupName"), only.xml_all("PolicyName")), (vec!["staff"], vec!["own"]));
    assert!(only.xml_all("UserName").is_empty() && only.xml_all("RoleName").is_empty());
    let (mut seen, mut marker): (Vec<String>, Option<String>) = (vec![], None);
    loop {
        let mut parameters = vec![("MaxItems", "1")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = account.ok(action, &parameters).await;
        let arns = page.xml_all("Arn");
        // The role's own policy is named beside it.
        seen.push(arns.first().unwrap().rsplit('/').next().unwrap().to_owned());
        match page.xml("Marker") {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, ["alice", "bob", "staff", "Administrator", "own", "AdministratorAccess"]);
}

#[tokio::test]
async fn the_account_keeps_its_alias_where_others_find_it() {
    let account = Account::new().await;
    account.ok("CreateAccountAlias", &[("AccountAlias", "mine")]).await;
    let known: Option<AccountRecord> = account
        .server
        .gate
        .state()
        .store
        .read(|tx| daypass_core::store::Read::get(tx, &AccountRecord::key_of(&account_id())))
        .map_err(|error: StoreError| error)
        .unwrap();
    assert_eq!(known.unwrap().alias.as_deref(), Some("mine"));
}

#[tokio::test]
async fn the_operator_sets_quotas_and_the_summary_tells_them() {
    let names = ["Roles", "Users", "Groups", "Policies", "InstanceProfiles", "ServerCertificates"];
    let set: Vec<String> = names.iter().map(|name| format!("iam:{name}PerAccount=2")).collect();
    let mut set: Vec<&str> = set.iter().map(String::as_str).collect();
    set.extend(["iam:PoliciesPerRole=12", "iam:PoliciesPerUser=1", "iam:ACLSizePerRole=4096"]);
    let account = Account::with_quotas(&set).await;
    let told = summary(&account).await;
    for name in names {
        assert_eq!(told[&format!("{name}Quota")], 2, "{name}");
    }
    assert_eq!((told["AttachedPoliciesPerRoleQuota"], told["AttachedPoliciesPerUserQuota"]), (12, 1));
    assert_eq!((told["AttachedPoliciesPerGroupQuota"], told["AssumeRolePolicySizeQuota"]), (10, 4096));
    let certificate = ("CertificateBody", SERVER_CERTIFICATE);
    let key = ("PrivateKey", include_str!("../data/server.key"));
    for (action, name, more, quota, room) in [
        // The administrator's role is one.
        ("CreateRole", "RoleName", &[("AssumeRolePolicyDocument", TRUST)][..], "RolesPerAccount", 1),
        (
            "CreateServiceLinkedRole",
            "CustomSuffix",
            &[("AWSServiceName", "autoscaling.amazonaws.com")],
            "RolesPerAccount",
            0,
        ),
        ("CreateUser", "UserName", &[], "UsersPerAccount", 2),
        ("CreateGroup", "GroupName", &[], "GroupsPerAccount", 2),
        ("CreatePolicy", "PolicyName", &[("PolicyDocument", DOCUMENT)], "PoliciesPerAccount", 2),
        ("CreateInstanceProfile", "InstanceProfileName", &[], "InstanceProfilesPerAccount", 2),
        (
            "UploadServerCertificate",
            "ServerCertificateName",
            &[certificate, key],
            "ServerCertificatesPerAccount",
            2,
        ),
        ("CreateVirtualMFADevice", "VirtualMFADeviceName", &[], "VirtualMFADevicesPerAccount", 2),
    ] {
        for number in 0..room {
            account.ok(action, &[&[(name, format!("n{number}").as_str())][..], more].concat()).await;
        }
        let full = refusal(409, "LimitExceeded", format!("Cannot exceed quota for {quota}: 2"));
        assert_eq!(account.refused(action, &[&[(name, "more")][..], more].concat()).await, full, "{action}");
    }
    let arn = |name: &str| format!("arn:aws:iam::123456789012:policy/{name}");
    account.ok("AttachUserPolicy", &[("UserName", "n0"), ("PolicyArn", &arn("n0"))]).await;
    let full = account.refused("AttachUserPolicy", &[("UserName", "n0"), ("PolicyArn", &arn("n1"))]).await;
    assert_eq!(full, refusal(409, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 1"));
}
