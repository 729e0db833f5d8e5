use crate::support::{Account, DOCUMENT, refusal};

#[tokio::test]
async fn a_group_is_made_shown_and_deleted() {
    let account = Account::new().await;
    let made = account.ok("CreateGroup", &[("GroupName", "Admins"), ("Path", "/x/")]).await;
    assert_eq!(made.xml("Arn"), Some("arn:aws:iam::123456789012:group/x/Admins"));
    assert!(made.xml("GroupId").unwrap().starts_with("AGPA"));
    let taken = refusal(409, "EntityAlreadyExists", "Group with name admins already exists.");
    assert_eq!(account.refused("CreateGroup", &[("GroupName", "admins")]).await, taken);
    let got = account.ok("GetGroup", &[("GroupName", "Admins")]).await;
    assert_eq!((got.xml("GroupId"), got.xml("IsTruncated")), (made.xml("GroupId"), Some("false")));
    account.ok("DeleteGroup", &[("GroupName", "Admins")]).await;
    let gone = refusal(404, "NoSuchEntity", "The group with name Admins cannot be found.");
    for action in ["GetGroup", "DeleteGroup", "UpdateGroup"] {
        assert_eq!(account.refused(action, &[("GroupName", "Admins")]).await, gone, "{action}");
    }
}

#[tokio::test]
async fn members_come_and_go_and_twice_is_no_error() {
    let account = Account::new().await;
    account.group("g").await;
    account.user("alice").await;
    let both = [("GroupName", "g"), ("UserName", "alice")];
    account.ok("AddUserToGroup", &both).await;
    account.ok("AddUserToGroup", &both).await;
    assert_eq!(account.ok("GetGroup", &both[..1]).await.xml_all("UserName"), ["alice"]);
    let groups = account.ok("ListGroupsForUser", &both[1..]).await;
    assert_eq!(groups.xml_all("GroupName"), ["g"]);
    account.ok("RemoveUserFromGroup", &both).await;
    account.ok("RemoveUserFromGroup", &both).await;
    assert!(account.ok("GetGroup", &both[..1]).await.xml_all("UserName").is_empty());
    for action in ["AddUserToGroup", "RemoveUserFromGroup"] {
        let nobody = account.refused(action, &[("GroupName", "g"), ("UserName", "bob")]).await;
        assert_eq!(nobody, refusal(404, "NoSuchEntity", "The user with name bob cannot be found."));
        let nowhere = account.refused(action, &[("GroupName", "h"), ("UserName", "alice")]).await;
        assert_eq!(nowhere, refusal(404, "NoSuchEntity", "The group with name h cannot be found."));
    }
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most() {
    let account = Account::new().await;
    account.user("alice").await;
    for number in 0..11 {
        let group = format!("g{number}");
        account.group(&group).await;
        let both = [("GroupName", group.as_str()), ("UserName", "alice")];
        if number < 10 {
            account.ok("AddUserToGroup", &both).await;
        } else {
            let full = refusal(409, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10");
            assert_eq!(account.refused("AddUserToGroup", &both).await, full);
        }
    }
}

#[tokio::test]
async fn a_renamed_group_keeps_its_members_and_their_rights() {
    let account = Account::new().await;
    account.group("g").await;
    account.group("taken").await;
    let alice = account.server.user("alice", &[]).await;
    account.ok("AddUserToGroup", &[("GroupName", "g"), ("UserName", "alice")]).await;
    let may = crate::support::allow(r#""iam:GetAccountSummary""#, "*", "");
    account.ok("PutGroupPolicy", &[("GroupName", "g"), ("PolicyName", "p"), ("PolicyDocument", &may)]).await;
    alice.query("iam", "GetAccountSummary", &[]).await.ok();
    let taken = account.refused("UpdateGroup", &[("GroupName", "g"), ("NewGroupName", "TAKEN")]).await;
    assert_eq!(taken, refusal(409, "EntityAlreadyExists", "Group with name TAKEN already exists."));
    account.ok("UpdateGroup", &[("GroupName", "g"), ("NewGroupName", "h"), ("NewPath", "/x/")]).await;
    let got = account.ok("GetGroup", &[("GroupName", "h")]).await;
    assert_eq!(got.xml_all("UserName"), ["alice"]);
    assert_eq!(got.xml("Arn"), Some("arn:aws:iam::123456789012:group/x/h"));
    assert_eq!(account.ok("ListGroupsForUser", &[("UserName", "alice")]).await.xml_all("GroupName"), ["h"]);
    alice.query("iam", "GetAccountSummary", &[]).await.ok();
    // A new group of the old name gives nothing to the old one's members.
    account.ok("RemoveUserFromGroup", &[("GroupName", "h"), ("UserName", "alice")]).await;
    account.group("g").await;
    account.ok("PutGroupPolicy", &[("GroupName", "g"), ("PolicyName", "p"), ("PolicyDocument", &may)]).await;
    assert_eq!(alice.query("iam", "GetAccountSummary", &[]).await.refused().0, "AccessDenied");
}

#[tokio::test]
async fn a_group_that_has_something_left_is_not_deleted() {
    let account = Account::new().await;
    account.group("g").await;
    account.user("alice").await;
    let (policy, group) = (account.policy("p").await, ("GroupName", "g"));
    account.ok("PutGroupPolicy", &[group, ("PolicyName", "i"), ("PolicyDocument", DOCUMENT)]).await;
    account.ok("AttachGroupPolicy", &[group, ("PolicyArn", &policy)]).await;
    account.ok("AddUserToGroup", &[group, ("UserName", "alice")]).await;
    for (words, action, parameter) in [
        (
            "Cannot delete entity, must remove users from group first.",
            "RemoveUserFromGroup",
            ("UserName", "alice"),
        ),
        (
            "Cannot delete entity, must detach all policies first.",
            "DetachGroupPolicy",
            ("PolicyArn", policy.as_str()),
        ),
        ("Cannot delete entity, must delete policies first.", "DeleteGroupPolicy", ("PolicyName", "i")),
    ] {
        assert_eq!(account.refused("DeleteGroup", &[group]).await, refusal(409, "DeleteConflict", words));
        account.ok(action, &[group, parameter]).await;
    }
    account.ok("DeleteGroup", &[group]).await;
}
