//! What a session of a member account's root user does: the tasks of `AssumeRoot`.

use daypass_core::model::AccountId;
use daypass_core::store::records::{Organization, RootFeature, TrustedService};
use daypass_core::testing::{Client, TestServer, account};
use daypass_core::{Clock as _, Session, SessionPrincipal};

fn member() -> AccountId {
    "444455556666".parse().unwrap()
}

/// A session of the member's root user for a task.
async fn root(task: &str) -> Client {
    let server = TestServer::new(daypass_iam::OPERATIONS.iter().copied()).await;
    let gives_sessions = |organization: &mut Organization| {
        let since = organization.created;
        organization.trusted_services = vec![TrustedService { principal: "iam.amazonaws.com".into(), since }];
        organization.root_features = vec![RootFeature::Sessions];
    };
    server.organize(&[account(), member()], gives_sessions).await;
    server.user_of(&member(), "bob", &[]).await;
    let now = server.clock.now().truncated();
    let principal = SessionPrincipal::Root { organization: "o-exampleorgid".to_owned() };
    let session = Session {
        policy_arns: vec![format!("arn:aws:iam::aws:policy/root-task/{task}")],
        ..Session::plain(member(), principal, now, now.plus_seconds(900))
    };
    let given = session.issue(&server.gate.state().ring, "ASIAY34FZKBOKMUTVV7A".to_owned()).unwrap();
    server.client(&given.access_key_id, given.secret_access_key.expose(), Some(given.session_token))
}

#[tokio::test]
async fn an_audit_finds_that_the_root_user_has_no_credentials() {
    let root = root("IAMAuditRootUserCredentials").await;
    let user = root.query("iam", "GetUser", &[]).await.ok();
    assert_eq!(user.xml("Arn"), Some("arn:aws:iam::444455556666:root"));
    for list in ["ListAccessKeys", "ListMFADevices", "ListSigningCertificates"] {
        let listed = root.query("iam", list, &[]).await.ok();
        assert_eq!((listed.xml("IsTruncated"), listed.body.contains("<member>")), (Some("false"), false));
    }
    let (code, words) = root.query("iam", "GetLoginProfile", &[]).await.refused();
    assert_eq!(code, "NoSuchEntity", "{words}");
    let summary = root.query("iam", "GetAccountSummary", &[]).await.ok();
    assert!(summary.body.contains("<key>AccountPasswordPresent</key>"), "{}", summary.body);
}

#[tokio::test]
async fn a_task_is_about_the_root_user_alone() {
    let root = root("IAMAuditRootUserCredentials").await;
    let bob = [("UserName", "bob")];
    for action in
        ["GetUser", "ListAccessKeys", "ListMFADevices", "ListSigningCertificates", "GetLoginProfile"]
    {
        assert_eq!(root.query("iam", action, &bob).await.refused().0, "AccessDenied", "{action}");
    }
    assert_eq!(root.query("iam", "DeleteLoginProfile", &[]).await.refused().0, "AccessDenied");
    assert_eq!(root.query("iam", "ListUsers", &[]).await.refused().0, "AccessDenied");
}

#[tokio::test]
async fn there_is_nothing_of_the_root_users_to_delete() {
    let root = root("IAMDeleteRootUserCredentials").await;
    for (action, parameters) in [
        ("DeleteLoginProfile", &[][..]),
        ("DeleteAccessKey", &[("AccessKeyId", "AKIAY34FZKBOKMUTVV7A")]),
        ("DeleteSigningCertificate", &[("CertificateId", "TA7SMP42TDN5Z26OBPJE7EXAMPLE")]),
        ("DeactivateMFADevice", &[("SerialNumber", "arn:aws:iam::444455556666:mfa/root")]),
    ] {
        let (code, words) = root.query("iam", action, parameters).await.refused();
        assert_eq!(code, "NoSuchEntity", "{action}: {words}");
    }
}

#[tokio::test]
async fn a_root_user_gets_no_password_here() {
    let root = root("IAMCreateRootUserPassword").await;
    assert_eq!(root.query("iam", "CreateLoginProfile", &[]).await.refused().0, "NotImplemented");
}
