use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Account, refusal};

async fn report(account: &Account) -> Vec<Vec<String>> {
    let answer = account.ok("GetCredentialReport", &[]).await;
    assert_eq!(answer.xml("ReportFormat"), Some("text/csv"));
    let content = String::from_utf8(STANDARD.decode(answer.xml("Content").unwrap()).unwrap()).unwrap();
    content.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn a_report_is_made_once_in_four_hours() {
    let account = Account::new().await;
    assert_eq!(
        account.refused("GetCredentialReport", &[]).await,
        refusal(410, "ReportNotPresent", "No report exists")
    );
    let state = async || account.ok("GenerateCredentialReport", &[]).await.xml("State").unwrap().to_owned();
    assert_eq!((state().await.as_str(), state().await.as_str()), ("STARTED", "COMPLETE"));
    account.user("alice").await;
    assert_eq!(state().await, "COMPLETE");
    assert_eq!(report(&account).await.len(), 2);
    account.server.clock.advance(4 * 3600);
    let administrator = account.server.administrator().await;
    let expired = administrator.query("iam", "GetCredentialReport", &[]).await;
    assert_eq!((expired.status, expired.refused().0.as_str()), (410, "ReportExpired"));
    let made = administrator.query("iam", "GenerateCredentialReport", &[]).await.ok();
    assert_eq!(made.xml("State"), Some("STARTED"));
    let told = administrator.query("iam", "GetCredentialReport", &[]).await.ok();
    assert_eq!(told.xml("GeneratedTime"), Some("2026-11-22T06:14:00Z"));
}

#[tokio::test]
async fn every_user_has_a_line_with_all_its_credentials() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    account.ok("UpdateAccountPasswordPolicy", &[("MaxPasswordAge", "10")]).await;
    account.ok("CreateLoginProfile", &[("UserName", "alice"), ("Password", "Abcdefg1!")]).await;
    let made = account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let (id, secret) = (made.xml("AccessKeyId").unwrap(), made.xml("SecretAccessKey").unwrap());
    account.server.client(id, secret, None).query("iam", "GetUser", &[]).await.refused();
    account.server.gate.write_last_used().await.unwrap();
    account.ok("CreateAccessKey", &[("UserName", "alice")]).await;
    let certificate = ("CertificateBody", crate::support::SERVER_CERTIFICATE);
    account.ok("UploadSigningCertificate", &[("UserName", "alice"), certificate]).await;
    account.ok("GenerateCredentialReport", &[]).await;
    let lines = report(&account).await;
    let header = lines.first().unwrap();
    assert_eq!(header.len(), 22);
    assert!(lines.iter().all(|line| line.len() == header.len()), "{lines:?}");
    let line = |user: &str| lines.iter().find(|line| line[0] == user).unwrap();
    let of = |user: &str, column: &str| {
        line(user)[header.iter().position(|name| name == column).unwrap()].as_str()
    };
    let now = "2026-11-22T02:14:00+00:00";
    for (column, value) in [
        ("arn", "arn:aws:iam::123456789012:user/alice"),
        ("user_creation_time", now),
        ("password_enabled", "true"),
        ("password_last_used", "no_information"),
        ("password_last_changed", now),
        ("password_next_rotation", "2026-12-02T02:14:00+00:00"),
        ("mfa_active", "false"),
        ("access_key_1_active", "true"),
        ("access_key_1_last_rotated", now),
        ("access_key_1_last_used_date", now),
        ("access_key_1_last_used_region", "us-east-1"),
        ("access_key_1_last_used_service", "iam"),
        ("access_key_2_active", "true"),
        ("access_key_2_last_used_date", "N/A"),
        ("cert_1_active", "true"),
        ("cert_1_last_rotated", now),
        ("cert_2_active", "false"),
    ] {
        assert_eq!(of("alice", column), value, "{column}");
    }
    for column in
        ["password_last_used", "password_last_changed", "access_key_1_last_rotated", "cert_1_last_rotated"]
    {
        assert_eq!(of("bob", column), "N/A", "{column}");
    }
    assert_eq!(of("<root_account>", "arn"), "arn:aws:iam::123456789012:root");
    assert_eq!(of("<root_account>", "password_enabled"), "not_supported");
}
