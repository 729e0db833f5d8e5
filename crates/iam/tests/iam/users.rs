use crate::support::{Account, DOCUMENT, refusal};

#[tokio::test]
async fn a_user_is_made_shown_and_deleted() {
    let account = Account::new().await;
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let new = [("UserName", "Alice"), ("Path", "/dev/")];
    let made = account.ok("CreateUser", &[&new[..], &tags[..]].concat()).await;
    assert_eq!(made.xml("Arn"), Some("arn:aws:iam::123456789012:user/dev/Alice"));
    assert_eq!(made.xml("CreateDate"), Some("2026-11-22T02:14:00Z"));
    let id = made.xml("UserId").unwrap();
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
    let got = account.ok("GetUser", &[("UserName", "Alice")]).await;
    for name in ["Path", "UserName", "UserId", "Arn", "CreateDate", "Key", "Value"] {
        assert_eq!(got.xml(name), made.xml(name), "{name}");
    }
    assert_eq!(got.xml("PermissionsBoundary"), None);
    account.ok("DeleteUser", &[("UserName", "Alice")]).await;
    let gone = refusal(404, "NoSuchEntity", "The user with name Alice cannot be found.");
    for action in ["GetUser", "DeleteUser", "UpdateUser"] {
        assert_eq!(account.refused(action, &[("UserName", "Alice")]).await, gone, "{action}");
    }
}

#[tokio::test]
async fn an_answer_has_no_tags_where_a_user_has_none() {
    let account = Account::new().await;
    let made = account.ok("CreateUser", &[("UserName", "alice")]).await;
    assert!(!made.body.contains("<Tags"), "{}", made.body);
    let got = account.ok("GetUser", &[("UserName", "alice")]).await;
    assert!(!got.body.contains("<Tags"), "{}", got.body);
}

#[tokio::test]
async fn names_are_unique_without_regard_to_case() {
    let account = Account::new().await;
    account.user("alice").await;
    let taken = refusal(409, "EntityAlreadyExists", "User with name ALICE already exists.");
    assert_eq!(account.refused("CreateUser", &[("UserName", "ALICE"), ("Path", "/x/")]).await, taken);
    account.user("bob").await;
    let rename = [("UserName", "bob"), ("NewUserName", "ALICE")];
    assert_eq!(account.refused("UpdateUser", &rename).await, taken);
    // Its own name in another case is free.
    account.ok("UpdateUser", &[("UserName", "bob"), ("NewUserName", "Bob")]).await;
    assert_eq!(account.ok("GetUser", &[("UserName", "bob")]).await.xml("UserName"), Some("Bob"));
}

#[tokio::test]
async fn a_renamed_user_stays_the_same() {
    let account = Account::new().await;
    account.user("alice").await;
    account.group("admins").await;
    let policy = account.policy("p").await;
    account.ok("AddUserToGroup", &[("GroupName", "admins"), ("UserName", "alice")]).await;
    account.ok("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", &policy)]).await;
    let key = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let id = account.ok("GetUser", &[("UserName", "alice")]).await.xml("UserId").unwrap().to_owned();
    let rename = [("UserName", "alice"), ("NewUserName", "carol"), ("NewPath", "/ops/")];
    account.ok("UpdateUser", &rename).await;

    let carol = account.ok("GetUser", &[("UserName", "carol")]).await;
    assert_eq!(carol.xml("UserId"), Some(id.as_str()));
    assert_eq!(carol.xml("Arn"), Some("arn:aws:iam::123456789012:user/ops/carol"));
    assert_eq!(account.refused("GetUser", &[("UserName", "alice")]).await.0, 404);
    let group = account.ok("GetGroup", &[("GroupName", "admins")]).await;
    assert_eq!(group.xml_all("UserName"), ["carol"]);
    let entities = account.ok("ListEntitiesForPolicy", &[("PolicyArn", &policy)]).await;
    assert_eq!(entities.xml_all("UserName"), ["carol"]);
    assert_eq!(account.ok("GetPolicy", &[("PolicyArn", &policy)]).await.xml("AttachmentCount"), Some("1"));
    let keys = account.ok("ListAccessKeys", &[("UserName", "carol")]).await;
    assert_eq!(keys.xml_all("UserName"), ["carol"]);
    // The key works on, as carol.
    let client =
        account.server.client(key.xml("AccessKeyId").unwrap(), key.xml("SecretAccessKey").unwrap(), None);
    let refused = client.query("iam", "GetUser", &[]).await.refused();
    assert!(refused.1.contains("user/ops/carol is not authorized to perform: iam:GetUser"), "{refused:?}");
}

#[tokio::test]
async fn a_user_that_has_something_left_is_not_deleted() {
    let account = Account::new().await;
    account.user("alice").await;
    account.group("g").await;
    let (policy, user) = (account.policy("p").await, ("UserName", "alice"));
    let key = account.ok("CreateAccessKey", &[user]).await;
    let key = key.xml("AccessKeyId").unwrap();
    account.ok("AddUserToGroup", &[user, ("GroupName", "g")]).await;
    account.ok("PutUserPolicy", &[user, ("PolicyName", "i"), ("PolicyDocument", DOCUMENT)]).await;
    account.ok("AttachUserPolicy", &[user, ("PolicyArn", &policy)]).await;
    let conflict = |words: &str| refusal(409, "DeleteConflict", words);
    for (words, action, parameter) in [
        (
            "Cannot delete entity, must detach all policies first.",
            "DetachUserPolicy",
            ("PolicyArn", policy.as_str()),
        ),
        ("Cannot delete entity, must delete policies first.", "DeleteUserPolicy", ("PolicyName", "i")),
        (
            "Cannot delete entity, must remove users from group first.",
            "RemoveUserFromGroup",
            ("GroupName", "g"),
        ),
        ("Cannot delete entity, must delete access keys first.", "DeleteAccessKey", ("AccessKeyId", key)),
    ] {
        assert_eq!(account.refused("DeleteUser", &[user]).await, conflict(words));
        account.ok(action, &[user, parameter]).await;
    }
    account.ok("DeleteUser", &[user]).await;
}

#[tokio::test]
async fn without_a_name_a_user_means_itself_and_a_session_nobody() {
    let account = Account::new().await;
    let may = crate::support::allow(r#""iam:GetUser""#, "arn:aws:iam::*:user/${aws:username}", "");
    let alice = account.server.user("alice", &[("own", &may)]).await;
    assert_eq!(alice.query("iam", "GetUser", &[]).await.ok().xml("UserName"), Some("alice"));
    let words = "Must specify userName when calling with non-User credentials";
    for action in ["GetUser", "CreateAccessKey", "ListAccessKeys"] {
        assert_eq!(account.refused(action, &[]).await, refusal(400, "ValidationError", words), "{action}");
    }
}

#[tokio::test]
async fn what_the_model_forbids_is_refused_before_anything_is_looked_up() {
    let account = Account::new().await;
    for (parameters, words) in [
        (
            &[("UserName", "a/b")][..],
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ),
        (
            &[("UserName", "")],
            "1 validation error detected: Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
    ] {
        assert_eq!(account.refused("CreateUser", parameters).await, refusal(400, "ValidationError", words));
    }
    for path in ["x", "/x", "x/", "/é/"] {
        let refused = account.refused("CreateUser", &[("UserName", "a"), ("Path", path)]).await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "ValidationError"), "{path}");
    }
}
