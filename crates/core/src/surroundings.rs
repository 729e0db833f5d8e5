//! Time and randomness: parameters, so that a test can say what they are. Only the program reads the real ones.

use daypass_model::Timestamp;

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

/// An array of unguessable bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
