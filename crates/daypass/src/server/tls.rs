//! Certificates from files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use daypass_core::{Tls, TlsVersion};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ProtocolVersion, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What was agreed on for a connection. We offer no older version than 1.2.
pub(crate) fn agreed<S>(stream: &TlsStream<S>) -> Tls {
    let connection = stream.get_ref().1;
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::V1_3,
        _ => TlsVersion::V1_2,
    };
    // rustls says which version those of 1.3 are of: `TLS13_AES_128_GCM_SHA256`.
    let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    Tls { version, cipher_suite: suite.unwrap_or_default().replace("TLS13_", "TLS_").into() }
}

/// Reads a certificate chain and its key.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let unreadable = |path: &Path| format!("`{}` cannot be read as PEM", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| unreadable(certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| unreadable(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS")?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| {
            format!("`{}` and `{}` do not belong together", certificate.display(), key.display())
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
