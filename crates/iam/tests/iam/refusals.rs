use daypass_core::testing::TestServer;

use crate::support::{Account, refusal};

#[tokio::test]
async fn a_stranger_is_refused_everything_changes_nothing_and_is_recorded() {
    let server = TestServer::new(daypass_iam::OPERATIONS.iter().copied()).await;
    for entry in daypass_iam::OPERATIONS {
        server.refuses_a_stranger(entry.operation()).await;
    }
}

#[tokio::test]
async fn who_may_nothing_does_not_learn_what_exists() {
    let account = Account::new().await;
    account.user("alice").await;
    account.role("app").await;
    account.group("staff").await;
    let arn = account.policy("readers").await;
    let nobody = account.server.user("nobody", &[]).await;
    for (action, parameter, there, missing) in [
        ("GetUser", "UserName", "alice", "bob"),
        ("GetRole", "RoleName", "app", "bob"),
        ("GetGroup", "GroupName", "staff", "bob"),
        ("GetPolicy", "PolicyArn", arn.as_str(), "arn:aws:iam::123456789012:policy/bob"),
    ] {
        let (there_code, there_words) = nobody.query("iam", action, &[(parameter, there)]).await.refused();
        let (code, words) = nobody.query("iam", action, &[(parameter, missing)]).await.refused();
        assert_eq!((there_code.as_str(), code.as_str()), ("AccessDenied", "AccessDenied"));
        let (there, missing) = (there.rsplit('/').next().unwrap(), missing.rsplit('/').next().unwrap());
        assert_eq!(there_words.replace(there, "…"), words.replace(missing, "…"));
    }
}

#[tokio::test]
async fn the_list_of_what_is_built_is_the_model_s_and_holds_nothing_twice() {
    let names: Vec<&str> = daypass_iam::OPERATIONS.iter().map(|entry| entry.operation().name).collect();
    let built = include_str!("../../../../models/iam.ops");
    assert_eq!(names, built.lines().collect::<Vec<_>>());
}

#[tokio::test]
async fn names_and_paths_are_refused_in_iam_s_own_words() {
    let account = Account::new().await;
    let characters = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
    let both = "It must begin and end with / and contain only alphanumeric characters and/or / characters.";
    let begin =
        "It must begin with the / character and contain only alphanumeric characters and/or / characters.";
    for (action, ask, words) in [
        (
            "CreateUser",
            vec![("UserName", "a b")],
            format!("The specified value for userName is invalid. {characters}"),
        ),
        (
            "CreateVirtualMFADevice",
            vec![("VirtualMFADeviceName", "x"), ("Path", "test")],
            format!("The specified value for path is invalid. {both}"),
        ),
        (
            "ListRoles",
            vec![("PathPrefix", "test")],
            format!("The specified value for pathPrefix is invalid. {begin}"),
        ),
    ] {
        assert_eq!(account.refused(action, &ask).await, refusal(400, "ValidationError", words));
    }
}
