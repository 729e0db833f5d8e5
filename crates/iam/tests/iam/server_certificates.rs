use crate::support::{Account, SERVER_CERTIFICATE, refusal};

const KEY: &str = include_str!("../data/server.key");
const AUTHORITY: &str = include_str!("../data/ca.pem");
const CURVE: &str = include_str!("../data/curve.pem");
const CURVE_KEY: &str = include_str!("../data/curve.key");

fn named(name: &str) -> (&str, &str) {
    ("ServerCertificateName", name)
}

fn body(body: &str) -> (&str, &str) {
    ("CertificateBody", body)
}

fn key(key: &str) -> (&str, &str) {
    ("PrivateKey", key)
}

#[tokio::test]
async fn a_certificate_is_told_with_its_end_and_without_its_key() {
    let account = Account::new().await;
    let ask = [
        named("web"),
        ("Path", "/cloudfront/"),
        body(SERVER_CERTIFICATE),
        key(KEY),
        ("CertificateChain", AUTHORITY),
    ];
    let made = account.ok("UploadServerCertificate", &ask).await;
    let arn = "arn:aws:iam::123456789012:server-certificate/cloudfront/web";
    assert_eq!((made.xml("Arn"), made.xml("Expiration")), (Some(arn), Some("2126-10-29T09:53:54Z")));
    assert!(made.xml("ServerCertificateId").unwrap().starts_with("ASCA"));
    let told = account.ok("GetServerCertificate", &[named("web")]).await;
    assert_eq!(told.xml("CertificateBody").map(str::trim), Some(SERVER_CERTIFICATE.trim()));
    assert_eq!(told.xml("CertificateChain").map(str::trim), Some(AUTHORITY.trim()));
    assert!(!told.body.contains("PRIVATE KEY"));
    let line = KEY.lines().nth(3).unwrap();
    assert!(account.server.audit().iter().all(|record| !record.event.contains(line)));
    assert_eq!(account.ok("ListServerCertificates", &[("PathPrefix", "/cloud")]).await.xml("Arn"), Some(arn));
    assert_eq!(account.ok("ListServerCertificates", &[("PathPrefix", "/x/")]).await.xml("Arn"), None);
}

#[tokio::test]
async fn keys_of_every_common_form_are_taken() {
    let account = Account::new().await;
    let pkcs1 = include_str!("../data/server-pkcs1.key");
    for (name, certificate, private) in [
        ("pkcs8", SERVER_CERTIFICATE, KEY),
        ("pkcs1", SERVER_CERTIFICATE, pkcs1),
        ("curve", CURVE, CURVE_KEY),
    ] {
        account.ok("UploadServerCertificate", &[named(name), body(certificate), key(private)]).await;
    }
    let listed = account.ok("ListServerCertificates", &[("MaxItems", "2")]).await;
    assert_eq!((listed.xml_all("ServerCertificateName").len(), listed.xml("IsTruncated")), (2, Some("true")));
    let rest = account.ok("ListServerCertificates", &[("Marker", listed.xml("Marker").unwrap())]).await;
    assert_eq!(rest.xml_all("ServerCertificateName").len(), 1);
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused() {
    let account = Account::new().await;
    let refused = async |parts: &[(&str, &str)]| {
        account.refused("UploadServerCertificate", &[&[named("web")], parts].concat()).await
    };
    let unparsable = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    let malformed = |words: &str| refusal(400, "MalformedCertificate", words);
    assert_eq!(refused(&[body("nothing"), key(KEY)]).await, malformed(unparsable));
    assert_eq!(refused(&[body(SERVER_CERTIFICATE), key("nothing")]).await, malformed("Invalid Private Key."));
    assert_eq!(refused(&[body(SERVER_CERTIFICATE), key(CURVE_KEY)]).await.1, "KeyPairMismatch");
    let chain = |index: i32| {
        malformed(&format!(
            "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: {index}"
        ))
    };
    let both = [body(SERVER_CERTIFICATE), key(KEY)];
    assert_eq!(refused(&[both[0], both[1], ("CertificateChain", CURVE)]).await, chain(-1));
    let wrong = format!("{AUTHORITY}{CURVE}");
    assert_eq!(refused(&[both[0], both[1], ("CertificateChain", &wrong)]).await, chain(0));
    assert_eq!(refused(&[both[0], both[1], ("CertificateChain", "nothing")]).await, malformed(unparsable));
}

#[tokio::test]
async fn names_are_taken_once_changed_and_given_up() {
    let account = Account::new().await;
    account.server_certificate("web").await;
    account.server_certificate("other").await;
    let words = "The Server Certificate with name WEB already exists.";
    let ask = [named("WEB"), body(SERVER_CERTIFICATE), key(KEY)];
    assert_eq!(
        account.refused("UploadServerCertificate", &ask).await,
        refusal(409, "EntityAlreadyExists", words)
    );
    let words = "The Server Certificate with name other already exists.";
    let rename = account
        .refused("UpdateServerCertificate", &[named("web"), ("NewServerCertificateName", "other")])
        .await;
    assert_eq!(rename, refusal(409, "EntityAlreadyExists", words));
    let change = [named("web"), ("NewServerCertificateName", "site"), ("NewPath", "/x/")];
    account.ok("UpdateServerCertificate", &change).await;
    let told = account.ok("GetServerCertificate", &[named("site")]).await;
    assert_eq!(told.xml("Arn"), Some("arn:aws:iam::123456789012:server-certificate/x/site"));
    let missing = refusal(404, "NoSuchEntity", "The Server Certificate with name web cannot be found.");
    for action in ["GetServerCertificate", "DeleteServerCertificate", "UpdateServerCertificate"] {
        assert_eq!(account.refused(action, &[named("web")]).await, missing);
    }
    account.ok("DeleteServerCertificate", &[named("site")]).await;
    account.server_certificate("web").await;
}

#[tokio::test]
async fn an_account_has_twenty_at_most() {
    let account = Account::new().await;
    for number in 0..20 {
        account.server_certificate(&format!("c{number}")).await;
    }
    let ask = [named("more"), body(SERVER_CERTIFICATE), key(KEY)];
    let full = refusal(409, "LimitExceeded", "Cannot exceed quota for ServerCertificatesPerAccount: 20");
    assert_eq!(account.refused("UploadServerCertificate", &ask).await, full);
    account.ok("DeleteServerCertificate", &[named("c7")]).await;
    account.server_certificate("more").await;
}
