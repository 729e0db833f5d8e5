use crate::support::{Account, refusal};

const SERVICE: &str = "codecommit.amazonaws.com";

async fn create(account: &Account, service: &str) -> daypass_core::testing::TestAnswer {
    account.ok("CreateServiceSpecificCredential", &[("UserName", "alice"), ("ServiceName", service)]).await
}

#[tokio::test]
async fn a_credential_has_a_name_and_a_password_that_is_told_once() {
    let account = Account::new().await;
    account.user("alice").await;
    let made = create(&account, SERVICE).await;
    assert_eq!(made.xml("ServiceUserName"), Some("alice-at-123456789012"));
    let (id, password) =
        (made.xml("ServiceSpecificCredentialId").unwrap(), made.xml("ServicePassword").unwrap());
    assert!(id.starts_with("ACCA") && password.len() >= 40, "{id} {password}");
    assert_eq!(create(&account, SERVICE).await.xml("ServiceUserName"), Some("alice+1-at-123456789012"));
    let ask = [("UserName", "alice"), ("ServiceName", SERVICE)];
    let full = refusal(409, "LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2");
    assert_eq!(account.refused("CreateServiceSpecificCredential", &ask).await, full);
    let credential = [("UserName", "alice"), ("ServiceSpecificCredentialId", id)];
    let reset = account.ok("ResetServiceSpecificCredential", &credential).await;
    assert_eq!(reset.xml("ServiceUserName"), Some("alice-at-123456789012"));
    let other = reset.xml("ServicePassword").unwrap();
    assert_ne!(other, password);
    let listed = account.ok("ListServiceSpecificCredentials", &[("UserName", "alice")]).await;
    assert!(!listed.body.contains(password) && !listed.body.contains("ServicePassword"));
    for secret in [password, other] {
        assert!(account.server.audit().iter().all(|record| !record.event.contains(secret)));
    }
}

#[tokio::test]
async fn an_api_key_has_an_alias_and_may_end() {
    let account = Account::new().await;
    account.user("alice").await;
    let ask = [("UserName", "alice"), ("ServiceName", "bedrock.amazonaws.com"), ("CredentialAgeDays", "1")];
    let made = account.ok("CreateServiceSpecificCredential", &ask).await;
    assert_eq!(made.xml("ServiceCredentialAlias"), Some("alice-at-123456789012"));
    assert!(made.xml("ServiceCredentialSecret").is_some() && made.xml("ServicePassword").is_none());
    assert_eq!(made.xml("ExpirationDate"), Some("2026-11-23T02:14:00Z"));
    account.server.clock.advance(86_400);
    // A session of the administrator does not last so long.
    let administrator = account.server.administrator().await;
    let listed = administrator.query("iam", "ListServiceSpecificCredentials", &[("UserName", "alice")]).await;
    assert_eq!(listed.ok().xml("Status"), Some("Expired"));
}

#[tokio::test]
async fn credentials_are_listed_for_one_user_or_all_switched_off_and_deleted() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    let made = create(&account, SERVICE).await;
    create(&account, "cassandra.amazonaws.com").await;
    let id = made.xml("ServiceSpecificCredentialId").unwrap();
    let (alice, bob, credential) =
        (("UserName", "alice"), ("UserName", "bob"), ("ServiceSpecificCredentialId", id));
    account.ok("UpdateServiceSpecificCredential", &[alice, credential, ("Status", "Inactive")]).await;
    let listed = account.ok("ListServiceSpecificCredentials", &[alice, ("ServiceName", SERVICE)]).await;
    assert_eq!((listed.xml_all("ServiceName"), listed.xml("Status")), (vec![SERVICE], Some("Inactive")));
    assert!(account.ok("ListServiceSpecificCredentials", &[bob]).await.xml("ServiceName").is_none());
    let all = account.ok("ListServiceSpecificCredentials", &[("AllUsers", "true"), ("MaxItems", "1")]).await;
    assert_eq!((all.xml_all("UserName"), all.xml("IsTruncated")), (vec!["alice"], Some("true")));
    assert_eq!(
        account.refused("DeleteServiceSpecificCredential", &[bob, credential]).await.1,
        "NoSuchEntity"
    );
    let conflict = "Cannot delete entity, must delete service specific credentials first.";
    assert_eq!(account.refused("DeleteUser", &[alice]).await, refusal(409, "DeleteConflict", conflict));
    account.ok("DeleteServiceSpecificCredential", &[alice, credential]).await;
    assert_eq!(
        account.refused("ResetServiceSpecificCredential", &[alice, credential]).await.1,
        "NoSuchEntity"
    );
}

#[tokio::test]
async fn other_services_have_none() {
    let account = Account::new().await;
    account.user("alice").await;
    let ask = [("UserName", "alice"), ("ServiceName", "s3.amazonaws.com")];
    let words = "The specified service does not support service-specific credentials.";
    let expected = refusal(404, "NotSupportedService", words);
    assert_eq!(account.refused("CreateServiceSpecificCredential", &ask).await, expected);
    assert_eq!(account.refused("ListServiceSpecificCredentials", &ask).await, expected);
}
