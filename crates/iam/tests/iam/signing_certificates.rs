use crate::support::{Account, SERVER_CERTIFICATE, refusal};

const CURVE: &str = include_str!("../data/curve.pem");
const AUTHORITY: &str = include_str!("../data/ca.pem");

async fn upload(account: &Account, body: &str) -> String {
    let ask = [("UserName", "alice"), ("CertificateBody", body)];
    let made = account.ok("UploadSigningCertificate", &ask).await;
    made.xml("CertificateId").unwrap().to_owned()
}

#[tokio::test]
async fn a_certificate_is_listed_switched_off_and_deleted_by_its_own_user() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    let id = upload(&account, SERVER_CERTIFICATE).await;
    assert!(id.len() >= 24, "{id}");
    let (alice, certificate) = (("UserName", "alice"), ("CertificateId", id.as_str()));
    account.ok("UpdateSigningCertificate", &[alice, certificate, ("Status", "Inactive")]).await;
    let listed = account.ok("ListSigningCertificates", &[alice]).await;
    assert_eq!((listed.xml("CertificateId"), listed.xml("Status")), (Some(id.as_str()), Some("Inactive")));
    assert_eq!(listed.xml("CertificateBody").map(str::trim), Some(SERVER_CERTIFICATE.trim()));
    let gone = refusal(404, "NoSuchEntity", format!("The Certificate with id {id} cannot be found."));
    assert_eq!(account.refused("DeleteSigningCertificate", &[("UserName", "bob"), certificate]).await, gone);
    let conflict = "Cannot delete entity, must delete signing certificates first.";
    assert_eq!(account.refused("DeleteUser", &[alice]).await, refusal(409, "DeleteConflict", conflict));
    account.ok("DeleteSigningCertificate", &[alice, certificate]).await;
    assert_eq!(
        account.refused("UpdateSigningCertificate", &[alice, certificate, ("Status", "Active")]).await,
        gone
    );
}

#[tokio::test]
async fn a_user_has_two_different_certificates_at_most() {
    let account = Account::new().await;
    account.user("alice").await;
    let refused = async |body: &str| {
        account.refused("UploadSigningCertificate", &[("UserName", "alice"), ("CertificateBody", body)]).await
    };
    let words = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    for body in ["nothing", include_str!("../data/server.key"), &format!("{CURVE}{AUTHORITY}")] {
        assert_eq!(refused(body).await, refusal(400, "MalformedCertificate", words));
    }
    upload(&account, SERVER_CERTIFICATE).await;
    assert_eq!(refused(SERVER_CERTIFICATE).await.1, "DuplicateCertificate");
    upload(&account, CURVE).await;
    let full = refusal(409, "LimitExceeded", "Cannot exceed quota for CertificatesPerUser: 2");
    assert_eq!(refused(AUTHORITY).await, full);
    let first = account.ok("ListSigningCertificates", &[("UserName", "alice"), ("MaxItems", "1")]).await;
    assert_eq!((first.xml_all("CertificateId").len(), first.xml("IsTruncated")), (1, Some("true")));
    let next = [("UserName", "alice"), ("Marker", first.xml("Marker").unwrap())];
    assert_eq!(account.ok("ListSigningCertificates", &next).await.xml("IsTruncated"), Some("false"));
}
