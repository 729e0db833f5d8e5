use daypass_core::model::AccountId;
use daypass_core::store::records::{Organization, TrustedService};
use daypass_core::testing::{TestServer, account};

const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

fn trusts_iam(organization: &mut Organization) {
    let since = organization.created;
    organization.trusted_services = vec![TrustedService { principal: "iam.amazonaws.com".into(), since }];
}

async fn server() -> TestServer {
    TestServer::new(daypass_iam::OPERATIONS.iter().copied()).await
}

#[tokio::test]
async fn features_are_switched_on_and_off() {
    let server = server().await;
    server.organize(&[account()], trusts_iam).await;
    let alice = server.user("alice", &[("all", ALL)]).await;
    let listed = alice.query("iam", "ListOrganizationsFeatures", &[]).await.ok();
    assert_eq!(listed.xml("OrganizationId"), Some("o-exampleorgid"));
    assert!(!listed.body.contains("<member>"), "{}", listed.body);
    for (operation, features) in [
        ("EnableOrganizationsRootSessions", &["RootSessions"][..]),
        ("EnableOrganizationsRootCredentialsManagement", &["RootCredentialsManagement", "RootSessions"]),
        ("EnableOrganizationsRootSessions", &["RootCredentialsManagement", "RootSessions"]),
        ("DisableOrganizationsRootSessions", &["RootCredentialsManagement"]),
        ("DisableOrganizationsRootCredentialsManagement", &[]),
    ] {
        for answer in [
            alice.query("iam", operation, &[]).await,
            alice.query("iam", "ListOrganizationsFeatures", &[]).await,
        ] {
            let answer = answer.ok();
            let shown = answer.body.matches("<member>").count();
            assert_eq!(shown, features.len(), "{operation}: {}", answer.body);
            assert!(
                features.iter().all(|feature| answer.body.contains(feature)),
                "{operation}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn only_the_management_account_says_what_iam_does() {
    let server = server().await;
    let member: AccountId = "444455556666".parse().unwrap();
    let alice = server.user("alice", &[("all", ALL)]).await;
    let ask = "ListOrganizationsFeatures";
    assert_eq!(alice.query("iam", ask, &[]).await.refused().0, "OrganizationNotFoundException");
    server.organize(&[account(), member.clone()], |_| {}).await;
    assert_eq!(alice.query("iam", ask, &[]).await.refused().0, "ServiceAccessNotEnabledException");
    server.organize(&[account(), member.clone()], |o| o.all_features = false).await;
    assert_eq!(alice.query("iam", ask, &[]).await.refused().0, "OrganizationNotInAllFeaturesModeException");
    server.organize(&[account(), member.clone()], trusts_iam).await;
    let bob = server.user_of(&member, "bob", &[("all", ALL)]).await;
    for operation in [ask, "EnableOrganizationsRootSessions", "DisableOrganizationsRootSessions"] {
        let refused = bob.query("iam", operation, &[]).await.refused();
        assert_eq!(refused.0, "AccountNotManagementOrDelegatedAdministratorException");
    }
}
