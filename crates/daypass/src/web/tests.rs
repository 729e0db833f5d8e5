use std::net::Ipv4Addr;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::*;

#[test]
fn link_local_addresses_and_those_of_nobody_are_not_asked() {
    for (address, expected) in [
        ("192.0.2.1", true),
        ("127.0.0.1", true),
        ("10.0.0.1", true),
        ("2001:db8::1", true),
        ("169.254.169.254", false),
        ("::ffff:169.254.169.254", false),
        ("fe80::1", false),
        ("fd00:ec2::254", false),
        ("0.0.0.0", false),
        ("::", false),
        ("224.0.0.1", false),
        ("ff02::1", false),
        ("255.255.255.255", false),
        ("64:ff9b::192.0.2.1", true),
        ("64:ff9b::169.254.169.254", false),
        ("2002:a9fe:a9fe::1", false),
    ] {
        assert_eq!(may_be_asked(address.parse().unwrap()), expected, "{address}");
    }
}

/// An authority that no machine knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn thumbprint(&self) -> String {
        thumbprint_of(self.0.as_ref().der())
    }

    /// A server on loopback for that name that gives everybody this answer; its port.
    async fn serve(&self, name: &str, days: (i32, i32), answer: String) -> u16 {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(days.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(days.1, 1, 1);
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let chain = vec![leaf.der().clone(), self.0.as_ref().der().clone()];
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), answer.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = [0; 1024];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        port
    }
}

fn web() -> SystemWeb {
    SystemWeb::new(PathBuf::from("/nonexistent"), known_authorities())
}

fn good() -> String {
    answer("200 OK", "", "{}")
}

fn answer(status: &str, header: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

const GOOD_DAYS: (i32, i32) = (2020, 2090);

#[tokio::test]
async fn a_server_is_believed_by_the_thumbprint_of_a_certificate_that_it_shows() {
    let authority = Authority::new();
    let port = authority.serve("localhost", GOOD_DAYS, good()).await;
    let (web, url) = (web(), format!("https://localhost:{port}/keys"));
    let capitals = authority.thumbprint().to_uppercase();
    let other = "0".repeat(40);
    let body = web.fetch(&url, &[other.clone(), capitals]).await.unwrap();
    assert_eq!(&body[..], b"{}");
    for thumbprints in [vec![], vec![other], vec![Authority::new().thumbprint()]] {
        assert!(web.fetch(&url, &thumbprints).await.is_err(), "{thumbprints:?}");
    }
    let issuer = Issuer::parse(&format!("https://localhost:{port}")).unwrap();
    assert_eq!(web.thumbprint(&issuer).await.unwrap(), authority.thumbprint());
}

#[tokio::test]
async fn a_thumbprint_does_not_make_up_for_a_wrong_name_or_time() {
    let authority = Authority::new();
    let known = [authority.thumbprint()];
    for (name, days) in
        [("elsewhere.example", GOOD_DAYS), ("localhost", (2020, 2021)), ("localhost", (2089, 2090))]
    {
        let port = authority.serve(name, days, good()).await;
        let url = format!("https://localhost:{port}/keys");
        assert!(web().fetch(&url, &known).await.is_err(), "{name} {days:?}");
    }
}

#[tokio::test]
async fn only_the_document_itself_is_taken_and_only_a_short_one() {
    let authority = Authority::new();
    let known = [authority.thumbprint()];
    let target = authority.serve("localhost", GOOD_DAYS, good()).await;
    let there = format!("Location: https://localhost:{target}/keys\r\n");
    for (what, answer) in [
        ("a redirect", answer("302 Found", &there, "")),
        ("a permanent redirect", answer("308 Permanent Redirect", &there, "{}")),
        ("nothing", answer("204 No Content", "", "")),
        ("an error", answer("500 Internal Server Error", "", "{}")),
        ("a part", answer("206 Partial Content", "", "{}")),
        ("too much", answer("200 OK", "", &" ".repeat(MAX_BYTES + 1))),
        ("less than it says", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}".to_owned()),
        ("no HTTP", "{}".to_owned()),
    ] {
        let port = authority.serve("localhost", GOOD_DAYS, answer).await;
        let url = format!("https://localhost:{port}/keys");
        assert!(web().fetch(&url, &known).await.is_err(), "{what}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_plain_https_is_not_asked() {
    let authority = Authority::new();
    let port = authority.serve("localhost", GOOD_DAYS, good()).await;
    let known = [authority.thumbprint()];
    for url in [
        format!("http://localhost:{port}/"),
        format!("https://user@localhost:{port}/"),
        format!("https://user:pass@localhost:{port}/"),
        "https:///keys".to_owned(),
        "file:///etc/passwd".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        String::new(),
    ] {
        assert!(web().fetch(&url, &known).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn the_operator_s_files_are_found_by_the_issuer_that_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let document = r#"{"issuer":"https://a.example","keys":[]}"#;
    std::fs::write(folder.path().join("one.json"), document).unwrap();
    std::fs::write(
        folder.path().join("two.json"),
        r#"{"issuer":"https://b.example","issuer":"https://c.example"}"#,
    )
    .unwrap();
    std::fs::write(folder.path().join("three.json"), "no JSON").unwrap();
    let found = SystemWeb::new(folder.path().to_owned(), known_authorities());
    let keys = async |issuer: &str| found.offline_keys(&Issuer::parse(issuer).unwrap()).await.unwrap();
    assert_eq!(keys("https://a.example").await, Some(document.as_bytes().to_vec()));
    for issuer in ["https://a.example/", "https://b.example", "https://c.example", "https://d.example"] {
        assert_eq!(keys(issuer).await, None, "{issuer}");
    }
    let nowhere = web().offline_keys(&Issuer::parse("https://a.example").unwrap()).await.unwrap();
    assert_eq!(nowhere, None);
}
