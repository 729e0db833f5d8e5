//! Many requests at once.

use futures_util::future::join_all;

use crate::support::Account;

/// So many at a time.
const AT_ONCE: usize = 100;

/// Calls an operation for each of many names at the same time; all succeed.
async fn all(account: &Account, action: &str, handle: &str, more: &[(&str, &str)]) {
    join_all((0..AT_ONCE).map(|number| async move {
        let name = format!("n{number}");
        account.ok(action, &[&[(handle, name.as_str())], more].concat()).await;
    }))
    .await;
}

#[tokio::test]
async fn what_is_made_and_attached_at_once_is_all_there_and_counted() {
    let account = Account::new().await;
    let arn = account.policy("p").await;
    account.group("g").await;
    let policy = [("PolicyArn", arn.as_str())];
    let group = [("GroupName", "g")];
    all(&account, "CreateUser", "UserName", &[]).await;
    all(&account, "AttachUserPolicy", "UserName", &policy).await;
    all(&account, "AddUserToGroup", "UserName", &group).await;
    let count = async || account.ok("GetPolicy", &policy).await.xml("AttachmentCount").map(str::to_owned);
    assert_eq!(count().await, Some(AT_ONCE.to_string()));
    let members = account.ok("GetGroup", &group).await;
    assert_eq!(members.xml_all("UserName").len(), AT_ONCE);
    all(&account, "DetachUserPolicy", "UserName", &policy).await;
    all(&account, "RemoveUserFromGroup", "UserName", &group).await;
    all(&account, "DeleteUser", "UserName", &[]).await;
    assert_eq!(count().await.as_deref(), Some("0"));
    account.ok("DeletePolicy", &policy).await;
    account.ok("DeleteGroup", &group).await;
}

#[tokio::test]
async fn of_many_that_make_the_same_user_one_does() {
    let account = Account::new().await;
    let user = [("UserName", "alice")];
    let codes = join_all(
        (0..20).map(|_| async { account.administrator.query("iam", "CreateUser", &user).await.code() }),
    )
    .await;
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 1);
    assert!(codes.iter().flatten().all(|code| code == "EntityAlreadyExists"), "{codes:?}");
}
