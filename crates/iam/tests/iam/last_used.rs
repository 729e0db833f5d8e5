use crate::support::Account;

#[tokio::test]
async fn a_role_tells_when_and_where_it_was_last_used() {
    let account = Account::new().await;
    let role = [("RoleName", "Administrator")];
    assert_eq!(account.ok("GetRole", &role).await.xml("LastUsedDate"), None);
    account.server.gate.write_last_used().await.unwrap();
    let told = account.ok("GetRole", &role).await;
    assert_eq!(
        (told.xml("LastUsedDate"), told.xml("Region")),
        (Some("2026-11-22T02:14:00Z"), Some("us-east-1"))
    );
    account.server.clock.advance(60);
    account.ok("ListUsers", &[]).await;
    account.server.gate.write_last_used().await.unwrap();
    assert_eq!(account.ok("GetRole", &role).await.xml("LastUsedDate"), Some("2026-11-22T02:15:00Z"));
}

#[tokio::test]
async fn an_access_key_tells_its_last_use_even_if_that_was_denied() {
    let account = Account::new().await;
    let user = account.server.user("alice", &[]).await;
    user.query("iam", "ListUsers", &[]).await.refused();
    account.server.gate.write_last_used().await.unwrap();
    let told = account.ok("GetAccessKeyLastUsed", &[("AccessKeyId", "AKIAALICEQQQQQQQQQQQ")]).await;
    assert_eq!((told.xml("UserName"), told.xml("ServiceName")), (Some("alice"), Some("iam")));
    assert_eq!(told.xml("LastUsedDate"), Some("2026-11-22T02:14:00Z"));
}

#[tokio::test]
async fn what_was_deleted_leaves_no_last_use_behind() {
    let account = Account::new().await;
    account.role("app").await;
    let user = account.server.user("alice", &[]).await;
    user.query("iam", "ListUsers", &[]).await.refused();
    let key = [("UserName", "alice"), ("AccessKeyId", "AKIAALICEQQQQQQQQQQQ")];
    account.ok("DeleteAccessKey", &key).await;
    account.server.gate.write_last_used().await.unwrap();
    let state = account.server.gate.state();
    let left = state.store.read(|tx| {
        use daypass_core::store::Read as _;
        tx.keys(&daypass_core::store::Prefix::new(&["last-used-access-key"]), None, 10)
    });
    let left: Vec<_> = left.map_err(|e: daypass_core::store::StoreError| e).unwrap();
    assert!(left.is_empty(), "{left:?}");
}
