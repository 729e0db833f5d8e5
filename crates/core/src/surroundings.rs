//! Time, randomness and what others publish: parameters, so that a test can say what they are. Only the program reads the
//! real ones.

use std::pin::Pin;

use bytes::Bytes;
use daypass_federation::Issuer;
use daypass_model::Timestamp;
use thiserror::Error;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Gives bytes that nobody can guess.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the whole buffer; a source that cannot must end the process rather than return.
    fn fill(&self, buffer: &mut [u8]);
}

/// What the issuers of web identity tokens publish, over TLS. Whoever implements it bounds sizes and times, follows nobody to
/// another address, and never answers with what was not authenticated.
pub trait Web: Send + Sync + 'static {
    /// A document of a server whose certificate a known authority vouches for, or a certificate of one of these thumbprints
    /// (SHA-1, hexadecimal).
    fn fetch<'a>(&'a self, url: &'a str, thumbprints: &'a [String]) -> Fetching<'a, Bytes>;

    /// The thumbprint of the topmost certificate that the issuer's server shows.
    fn thumbprint<'a>(&'a self, issuer: &'a Issuer) -> Fetching<'a, String>;

    /// The key set that the operator has put here for an issuer that cannot be reached, if there is one.
    fn offline_keys<'a>(&'a self, issuer: &'a Issuer) -> Fetching<'a, Option<Vec<u8>>>;
}

/// Something that is being fetched.
pub type Fetching<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unreachable>> + Send + 'a>>;

/// A server did not answer as it should; why is for the operator's log, not for callers.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// An array of unguessable bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
