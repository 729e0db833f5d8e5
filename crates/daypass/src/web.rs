//! What the issuers of web identity tokens publish, fetched over TLS.
//!
//! Who may make a provider chooses where we connect to, and anybody's token can make us ask it again. So: `https` alone, one
//! request, no redirect, no proxy, small and quick or not at all, never an address where machines are told who they are
//! (link-local), and never a word to a server that nobody vouches for. Issuers on this machine and in its network are taken:
//! whoever makes a provider of one has to know a certificate that it shows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use daypass_core::federation::{Issuer, parse_object};
use daypass_core::{Fetching, Unreachable, Web};
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// From the name to the last byte.
const WITHIN: Duration = Duration::from_secs(5);
/// The longest document.
const MAX_BYTES: usize = 512 << 10;
/// So many fetches at a time.
const MAX_FETCHES: usize = 16;
/// So many addresses of a name are tried.
const MAX_ADDRESSES: usize = 4;
/// So many of the operator's files are looked at.
const MAX_FILES: usize = 1000;

/// The network, and the operator's files.
pub(crate) struct SystemWeb {
    provider: Arc<CryptoProvider>,
    /// Verifies by the authorities that this machine knows; none if it knows none.
    known: Option<Arc<WebPkiServerVerifier>>,
    /// Key sets of issuers that cannot be reached.
    folder: PathBuf,
    fetches: Semaphore,
}

impl SystemWeb {
    /// Believes the authorities that this machine knows. `folder` is where the operator puts key sets: JSON files, each with its
    /// `issuer` beside its `keys`.
    pub(crate) fn new(folder: PathBuf, roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Self { known: verifier(roots, &provider), provider, folder, fetches: Semaphore::new(MAX_FETCHES) }
    }

    async fn get(&self, url: &str, thumbprints: &[String]) -> Result<Bytes, Unreachable> {
        let uri: Uri = url.parse().map_err(|_| failed("an address that is none"))?;
        let vouching = Vouching {
            known: self.known.clone(),
            thumbprints: thumbprints.iter().map(|t| t.to_ascii_lowercase()).collect(),
            provider: Arc::clone(&self.provider),
        };
        let stream = self.connect(&uri, Arc::new(vouching)).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(because)?;
        let driver = tokio::spawn(connection);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("daypass/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(because)?;
        let answer = sender.send_request(request).await.map_err(because)?;
        // A redirect is an answer as any other that is not the document.
        if answer.status() != StatusCode::OK {
            return Err(failed(&format!("`{url}` answered {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        driver.abort();
        body.map(http_body_util::Collected::to_bytes).map_err(|error| Unreachable(error.to_string()))
    }

    async fn connect(
        &self,
        uri: &Uri,
        verifier: Arc<dyn ServerCertVerifier>,
    ) -> Result<TlsStream<TcpStream>, Unreachable> {
        if uri.scheme_str() != Some("https") || uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(failed("an address that is not plain `https`"));
        }
        let host = uri.host().ok_or_else(|| failed("an address without a host"))?;
        let name = ServerName::try_from(host.to_owned()).map_err(because)?;
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(because)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = open(host, uri.port_u16().unwrap_or(443)).await?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(because)
    }

    async fn bounded<T>(
        &self,
        fetch: impl Future<Output = Result<T, Unreachable>>,
    ) -> Result<T, Unreachable> {
        let fetched = tokio::time::timeout(WITHIN, async {
            let _permit = self.fetches.acquire().await.map_err(because)?;
            fetch.await
        });
        fetched.await.unwrap_or_else(|_| Err(failed("it took too long")))
    }
}

impl Web for SystemWeb {
    fn fetch<'a>(&'a self, url: &'a str, thumbprints: &'a [String]) -> Fetching<'a, Bytes> {
        Box::pin(self.bounded(self.get(url, thumbprints)))
    }

    fn thumbprint<'a>(&'a self, issuer: &'a Issuer) -> Fetching<'a, String> {
        Box::pin(self.bounded(async move {
            let uri: Uri = issuer.as_str().parse().map_err(because)?;
            // Nothing is sent and nothing believed: who makes the provider answers for what is shown here.
            let stream = self.connect(&uri, Arc::new(Looking(Arc::clone(&self.provider)))).await?;
            let (_, connection) = stream.get_ref();
            let shown = connection.peer_certificates().and_then(|chain| chain.last());
            shown.map(thumbprint_of).ok_or_else(|| failed("the server shows no certificate"))
        }))
    }

    fn offline_keys<'a>(&'a self, issuer: &'a Issuer) -> Fetching<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let (folder, issuer) = (self.folder.clone(), issuer.clone());
            tokio::task::spawn_blocking(move || keys_in(&folder, &issuer)).await.map_err(because)
        })
    }
}

/// The file of the issuer.
fn keys_in(folder: &Path, issuer: &Issuer) -> Option<Vec<u8>> {
    let files = std::fs::read_dir(folder).ok()?;
    files.take(MAX_FILES).filter_map(Result::ok).map(|file| file.path()).find_map(|path| {
        let short = path.metadata().is_ok_and(|m| m.is_file() && m.len() <= MAX_BYTES as u64);
        let text = short.then(|| std::fs::read(&path).ok())??;
        let document = parse_object(&text).ok()?;
        let named = document.get("issuer").and_then(serde_json::Value::as_str);
        (named == Some(issuer.as_str())).then_some(text)
    })
}

/// The authorities that this machine knows.
pub(crate) fn known_authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// A connection to the first address of a host that takes one.
pub(crate) async fn open(host: &str, port: u16) -> Result<TcpStream, Unreachable> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(because)?;
    let addresses: Vec<SocketAddr> = found.filter(|a| may_be_asked(a.ip())).take(MAX_ADDRESSES).collect();
    let mut last = failed("the name has no address that may be asked");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = because(error),
        }
    }
    Err(last)
}

/// Link-local addresses are where machines are told who they are (169.254.169.254); no issuer is there, nor where nobody in
/// particular is.
fn may_be_asked(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            !(v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified())
        }
        // IPv4 addresses behind a translator (RFC 6052) and a tunnel (RFC 3056) are judged as what they lead to.
        IpAddr::V6(v6) if embedded(v6).is_some_and(|v4| !may_be_asked(v4.into())) => false,
        IpAddr::V6(v6) => {
            // AWS's metadata service stands at fd00:ec2::254.
            let metadata = v6.segments().starts_with(&[0xfd00, 0x0ec2]);
            !(v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified() || metadata)
        }
    }
}

fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [high, low] = match address.segments() {
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => [high, low],
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

/// SHA-1 of a certificate, as IAM has it (IAM user guide, `id_roles_providers_create_oidc_verify-thumbprint`).
fn thumbprint_of(certificate: &CertificateDer<'_>) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verifier(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()
}

fn failed(why: &str) -> Unreachable {
    Unreachable(why.to_owned())
}

fn because(error: impl std::fmt::Display) -> Unreachable {
    Unreachable(error.to_string())
}

/// Believes a server for whom a known authority vouches, or else a certificate that it shows and whose thumbprint the
/// provider has: as AWS does (IAM user guide, `id_roles_providers_create_oidc`). Names and times are checked either way.
#[derive(Debug)]
struct Vouching {
    known: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl Vouching {
    /// The shown certificates that the provider vouches for.
    fn pinned(&self, end: &CertificateDer<'_>, chain: &[CertificateDer<'_>]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let pinned = |c: &&CertificateDer<'_>| self.thumbprints.contains(&thumbprint_of(c));
        for certificate in chain.iter().chain([end]).filter(pinned) {
            // What is no certificate vouches for nobody.
            let _ = roots.add(certificate.clone().into_owned());
        }
        roots
    }
}

impl ServerCertVerifier for Vouching {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let by_known = match &self.known {
            Some(known) => known.verify_server_cert(end, chain, name, ocsp, now),
            None => Err(unknown()),
        };
        by_known.or_else(|error| match verifier(self.pinned(end, chain), &self.provider) {
            Some(pinned) => pinned.verify_server_cert(end, chain, name, ocsp, now),
            None => Err(error),
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Looks at what a server shows, to be shown to who asked; nothing is sent to it or taken from it.
#[derive(Debug)]
struct Looking(Arc<CryptoProvider>);

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
