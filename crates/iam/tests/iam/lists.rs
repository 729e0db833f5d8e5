use daypass_core::model::Timestamp;
use daypass_core::store::records::{Group, Policies};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::{NOW, account as account_id};

use crate::support::{Account, DOCUMENT, TRUST, refusal};

/// All pages of a list: the items of each, with the answers' bodies put together.
async fn pages(account: &Account, action: &str, parameters: &[(&str, &str)], item: &str) -> Vec<Vec<String>> {
    let (mut pages, mut marker): (Vec<Vec<String>>, Option<String>) = (vec![], None);
    loop {
        let mut all = parameters.to_vec();
        all.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = account.ok(action, &all).await;
        pages.push(answer.xml_all(item).into_iter().map(str::to_owned).collect());
        let next = answer.xml("Marker").map(str::to_owned);
        assert_eq!(answer.xml("IsTruncated"), Some(if next.is_some() { "true" } else { "false" }));
        match next {
            Some(next) => marker = Some(next),
            None => return pages,
        }
    }
}

async fn full() -> Account {
    let account = Account::new().await;
    for name in ["delta", "Alpha", "charlie", "bravo"] {
        let path = if name == "Alpha" { "/" } else { "/deep/er/" };
        account.ok("CreateUser", &[("UserName", name), ("Path", path)]).await;
        account.ok("CreateGroup", &[("GroupName", name), ("Path", path)]).await;
        account.ok("CreateInstanceProfile", &[("InstanceProfileName", name), ("Path", path)]).await;
        let role = [("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", TRUST)];
        account.ok("CreateRole", &role).await;
        let policy = [("PolicyName", name), ("Path", path), ("PolicyDocument", DOCUMENT)];
        account.ok("CreatePolicy", &policy).await;
    }
    account
}

#[tokio::test]
async fn entities_are_listed_by_name_in_pages_and_below_a_path() {
    let account = full().await;
    for (action, item, own) in [
        ("ListUsers", "UserName", None),
        ("ListGroups", "GroupName", None),
        ("ListInstanceProfiles", "InstanceProfileName", None),
        ("ListRoles", "RoleName", Some("Administrator")),
    ] {
        let mut all: Vec<&str> = own.into_iter().chain(["Alpha", "bravo", "charlie", "delta"]).collect();
        all.sort_by_key(|name| name.to_lowercase());
        assert_eq!(pages(&account, action, &[], item).await, [all.clone()], "{action}");
        let by_two = pages(&account, action, &[("MaxItems", "2")], item).await;
        assert!(by_two[..by_two.len() - 1].iter().all(|page| page.len() == 2), "{by_two:?}");
        assert_eq!(by_two.concat(), all);
        // A page that is full to the last item is not followed by an empty one.
        let exact = all.len().to_string();
        assert_eq!(pages(&account, action, &[("MaxItems", &exact)], item).await, [all.clone()]);
        let deep = [("PathPrefix", "/deep/"), ("MaxItems", "1")];
        assert_eq!(pages(&account, action, &deep, item).await, [["bravo"], ["charlie"], ["delta"]]);
        assert_eq!(pages(&account, action, &[("PathPrefix", "/none/")], item).await, [[""; 0]]);
    }
}

#[tokio::test]
async fn lists_leave_out_what_aws_leaves_out() {
    let account = Account::new().await;
    let tags = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    account.ok("CreateUser", &[&[("UserName", "x")][..], &tags].concat()).await;
    account.ok("CreateInstanceProfile", &[&[("InstanceProfileName", "x")][..], &tags].concat()).await;
    let role = [("RoleName", "x"), ("AssumeRolePolicyDocument", TRUST), ("Description", "d")];
    account.ok("CreateRole", &[&role[..], &tags].concat()).await;
    let policy = [("PolicyName", "x"), ("PolicyDocument", DOCUMENT), ("Description", "d")];
    account.ok("CreatePolicy", &[&policy[..], &tags].concat()).await;
    for (action, parameters, absent) in [
        ("ListUsers", &[][..], &["Tags"][..]),
        ("ListInstanceProfiles", &[], &["Tags"]),
        ("ListRoles", &[], &["Tags", "RoleLastUsed"]),
        ("ListPolicies", &[("Scope", "Local")], &["Tags", "Description"]),
    ] {
        let body = account.ok(action, parameters).await.body;
        for name in absent {
            assert!(!body.contains(&format!("<{name}")), "{action} {name}: {body}");
        }
    }
    let roles = account.ok("ListRoles", &[]).await;
    assert_eq!(roles.xml_all("MaxSessionDuration").len(), 2);
    assert!(roles.xml_all("Description").contains(&"d"));
}

#[tokio::test]
async fn a_marker_is_of_one_list_and_nobodys_own() {
    let account = full().await;
    let first = account.ok("ListUsers", &[("MaxItems", "1")]).await;
    let marker = first.xml("Marker").unwrap();
    assert!(marker.len() <= 320 && !marker.contains("lpha"), "{marker}");
    let invalid = refusal(400, "ValidationError", "Invalid Marker.");
    assert_eq!(account.refused("ListGroups", &[("Marker", marker)]).await, invalid);
    for made_up in ["bravo", "AAAA", "0 alpha"] {
        assert_eq!(account.refused("ListUsers", &[("Marker", made_up)]).await, invalid, "{made_up}");
    }
    for (max_items, word) in [("0", "greater than or equal to 1"), ("1001", "less than or equal to 1000")] {
        let (status, code, message) = account.refused("ListUsers", &[("MaxItems", max_items)]).await;
        assert_eq!((status, code.as_str()), (400, "ValidationError"));
        assert!(message.contains(word), "{message}");
    }
}

#[tokio::test]
async fn the_longest_name_still_fits_a_marker() {
    let account = Account::new().await;
    let long = "x".repeat(128);
    account.group(&long).await;
    account.group("y").await;
    assert_eq!(
        pages(&account, "ListGroups", &[("MaxItems", "1")], "GroupName").await,
        [[long.as_str()], ["y"]]
    );
}

#[tokio::test]
async fn members_of_a_group_come_in_pages() {
    let account = full().await;
    for user in ["delta", "Alpha", "bravo"] {
        account.ok("AddUserToGroup", &[("GroupName", "alpha"), ("UserName", user)]).await;
    }
    let by_two = pages(&account, "GetGroup", &[("GroupName", "alpha"), ("MaxItems", "2")], "UserName").await;
    assert_eq!(by_two, [vec!["Alpha", "bravo"], vec!["delta"]]);
}

#[tokio::test]
async fn short_lists_come_in_pages_too() {
    let account = full().await;
    let user = ("UserName", "alpha");
    for name in ["q", "p", "r"] {
        account.ok("PutUserPolicy", &[user, ("PolicyName", name), ("PolicyDocument", DOCUMENT)]).await;
        let arn = account.policy(name).await;
        account.ok("AttachUserPolicy", &[user, ("PolicyArn", &arn)]).await;
        account
            .ok("AddUserToGroup", &[user, ("GroupName", if name == "q" { "bravo" } else { "delta" })])
            .await;
        let profile = format!("profile-{name}");
        account.ok("CreateInstanceProfile", &[("InstanceProfileName", &profile)]).await;
        let both = [("InstanceProfileName", profile.as_str()), ("RoleName", "alpha")];
        account.ok("AddRoleToInstanceProfile", &both).await;
    }
    account.ok("CreateAccessKey", &[user]).await;
    account.ok("CreateAccessKey", &[user]).await;
    let one = ("MaxItems", "1");
    assert_eq!(pages(&account, "ListUserPolicies", &[user, one], "member").await, [["p"], ["q"], ["r"]]);
    let attached = pages(&account, "ListAttachedUserPolicies", &[user, one], "PolicyName").await;
    assert_eq!(attached, [["q"], ["p"], ["r"]]);
    assert_eq!(pages(&account, "ListGroupsForUser", &[user, one], "GroupName").await, [["bravo"], ["delta"]]);
    assert_eq!(pages(&account, "ListAccessKeys", &[user, one], "AccessKeyId").await.len(), 2);
    let role = ("RoleName", "alpha");
    let profiles = pages(&account, "ListInstanceProfilesForRole", &[role, one], "InstanceProfileName").await;
    assert_eq!(profiles, [["profile-q"], ["profile-p"], ["profile-r"]]);
    let arn = account.policy("versioned").await;
    account.ok("CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", DOCUMENT)]).await;
    let versions = pages(&account, "ListPolicyVersions", &[("PolicyArn", &arn), one], "VersionId").await;
    assert_eq!(versions, [["v2"], ["v1"]]);
}

#[tokio::test]
async fn policies_are_listed_by_owner_path_and_use() {
    let account = full().await;
    let own = ["Alpha", "bravo", "charlie", "delta"];
    let local = pages(&account, "ListPolicies", &[("Scope", "Local"), ("MaxItems", "3")], "PolicyName").await;
    assert_eq!(local, [&own[..3], &own[3..]]);
    let aws = pages(&account, "ListPolicies", &[("Scope", "AWS"), ("MaxItems", "1000")], "PolicyName").await;
    assert_eq!(aws.len(), 2);
    let aws = aws.concat();
    for name in
        ["AdministratorAccess", "ReadOnlyAccess", "AmazonEC2FullAccess", "AmazonSSMManagedInstanceCore"]
    {
        assert!(aws.iter().any(|known| known == name), "{name}");
    }
    let all = pages(&account, "ListPolicies", &[("MaxItems", "1000")], "PolicyName").await.concat();
    assert_eq!(all, [&own.map(str::to_owned)[..], &aws].concat());
    let deep = [("PathPrefix", "/deep/")];
    assert_eq!(pages(&account, "ListPolicies", &deep, "PolicyName").await.concat(), &own[1..]);
    let attached = [("OnlyAttached", "true")];
    assert_eq!(
        pages(&account, "ListPolicies", &attached, "PolicyName").await.concat(),
        ["AdministratorAccess"]
    );
    let arn = "arn:aws:iam::123456789012:policy/Alpha";
    account.ok("PutUserPermissionsBoundary", &[("UserName", "bravo"), ("PermissionsBoundary", arn)]).await;
    let boundary = [("PolicyUsageFilter", "PermissionsBoundary")];
    let listed = account.ok("ListPolicies", &boundary).await;
    assert_eq!(listed.xml_all("PolicyName"), ["Alpha"]);
    assert_eq!(listed.xml("PermissionsBoundaryUsageCount"), Some("1"));
    let usage = [("PolicyUsageFilter", "PermissionsPolicy")];
    assert_eq!(pages(&account, "ListPolicies", &usage, "PolicyName").await.concat(), ["AdministratorAccess"]);
}

#[tokio::test]
async fn a_filter_that_keeps_nothing_does_not_look_at_everything_in_one_request() {
    let account = Account::new().await;
    let put: Result<(), TransactError<StoreError>> = account
        .server
        .gate
        .state()
        .store
        .transact(|tx| {
            for number in 0..12_050 {
                tx.put(&Group {
                    account: account_id(),
                    path: if number == 12_049 { "/rare/" } else { "/" }.to_owned(),
                    name: format!("g{number:05}"),
                    id: format!("AGPA{number:017}"),
                    created: Timestamp::from_seconds(NOW),
                    policies: Policies::default(),
                })?;
            }
            Ok(())
        })
        .await;
    put.unwrap();
    let rare = pages(&account, "ListGroups", &[("PathPrefix", "/rare/")], "GroupName").await;
    assert_eq!(rare, [vec![], vec!["g12049"]]);
}
