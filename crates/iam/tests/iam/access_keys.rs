use daypass_core::model::Timestamp;
use daypass_core::store::records::AccessKeyLastUsed;
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::NOW;

use crate::support::{Account, refusal};

#[tokio::test]
async fn a_key_signs_until_it_is_inactive_or_gone() {
    let account = Account::new().await;
    account.user("alice").await;
    let made = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let (id, secret) = (made.xml("AccessKeyId").unwrap(), made.xml("SecretAccessKey").unwrap());
    assert!(id.starts_with("AKIA") && id.len() == 20 && secret.len() == 40);
    assert_eq!((made.xml("Status"), made.xml("UserName")), (Some("Active"), Some("alice")));
    let client = account.server.client(id, secret, None);
    let code = async || client.query("iam", "GetUser", &[]).await.refused().0;
    assert_eq!(code().await, "AccessDenied");
    let key = [("UserName", "alice"), ("AccessKeyId", id)];
    account.ok("UpdateAccessKey", &[&key[..], &[("Status", "Inactive")]].concat()).await;
    assert_eq!(code().await, "InvalidClientTokenId");
    let listed = account.ok("ListAccessKeys", &key[..1]).await;
    assert_eq!((listed.xml("AccessKeyId"), listed.xml("Status")), (Some(id), Some("Inactive")));
    account.ok("UpdateAccessKey", &[&key[..], &[("Status", "Active")]].concat()).await;
    assert_eq!(code().await, "AccessDenied");
    account.ok("DeleteAccessKey", &key).await;
    assert_eq!(code().await, "InvalidClientTokenId");
    let gone = refusal(404, "NoSuchEntity", format!("The Access Key with id {id} cannot be found"));
    assert_eq!(account.refused("DeleteAccessKey", &key).await, gone);
    let update = [&key[..], &[("Status", "Active")]].concat();
    assert_eq!(account.refused("UpdateAccessKey", &update).await, gone);
}

#[tokio::test]
async fn the_secret_is_told_once_and_stands_nowhere() {
    let account = Account::new().await;
    account.user("alice").await;
    let made = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let secret = made.xml("SecretAccessKey").unwrap();
    let listed = account.ok("ListAccessKeys", &[("UserName", "alice")]).await;
    assert!(!listed.body.contains(secret) && !listed.body.contains("SecretAccessKey"));
    assert!(account.server.audit().iter().all(|record| !record.event.contains(secret)));
}

#[tokio::test]
async fn a_user_has_two_keys_at_most() {
    let account = Account::new().await;
    account.user("alice").await;
    let first = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let full = refusal(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    assert_eq!(account.refused("CreateAccessKey", &[("UserName", "alice")]).await, full);
    // An inactive key counts too.
    let id = first.xml("AccessKeyId").unwrap();
    let user = ("UserName", "alice");
    account.ok("UpdateAccessKey", &[user, ("AccessKeyId", id), ("Status", "Inactive")]).await;
    assert_eq!(account.refused("CreateAccessKey", &[user]).await, full);
    account.ok("DeleteAccessKey", &[user, ("AccessKeyId", id)]).await;
    account.ok("CreateAccessKey", &[user]).await;
}

#[tokio::test]
async fn a_key_is_found_only_under_its_own_user() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    let made = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let id = made.xml("AccessKeyId").unwrap();
    let gone = refusal(404, "NoSuchEntity", format!("The Access Key with id {id} cannot be found"));
    let bobs = [("UserName", "bob"), ("AccessKeyId", id)];
    assert_eq!(account.refused("DeleteAccessKey", &bobs).await, gone);
    let update = [bobs[0], bobs[1], ("Status", "Inactive")];
    assert_eq!(account.refused("UpdateAccessKey", &update).await, gone);
    let expired = [("UserName", "alice"), ("AccessKeyId", id), ("Status", "Expired")];
    assert_eq!(account.refused("UpdateAccessKey", &expired).await.1, "ValidationError");
}

#[tokio::test]
async fn last_use_is_told_where_there_was_one() {
    let account = Account::new().await;
    account.user("alice").await;
    let made = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let id = made.xml("AccessKeyId").unwrap();
    let never = account.ok("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await;
    assert_eq!(never.xml("UserName"), Some("alice"));
    assert_eq!((never.xml("ServiceName"), never.xml("Region")), (Some("N/A"), Some("N/A")));
    assert_eq!(never.xml("LastUsedDate"), None);
    let used = AccessKeyLastUsed {
        id: id.to_owned(),
        time: Timestamp::from_millis(NOW * 1000 + 7),
        service: "s3".to_owned(),
        region: "eu-west-1".to_owned(),
    };
    let put: Result<(), TransactError<StoreError>> =
        account.server.gate.state().store.transact(|tx| tx.put(&used)).await;
    put.unwrap();
    let told = account.ok("GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await;
    assert_eq!((told.xml("ServiceName"), told.xml("Region")), (Some("s3"), Some("eu-west-1")));
    assert_eq!(told.xml("LastUsedDate"), Some("2026-11-22T02:14:00Z"));
    let unknown = "AKIAIOSFODNN7EXAMPLE";
    let words = format!("The Access Key with id {unknown} cannot be found");
    let refused = account.refused("GetAccessKeyLastUsed", &[("AccessKeyId", unknown)]).await;
    assert_eq!(refused, refusal(404, "NoSuchEntity", words));
}
