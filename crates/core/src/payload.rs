//! Bodies, on their way in and out.

use std::time::Duration;

use bytes::Bytes;
use daypass_wire::Fault;
use daypass_wire::sigv4::{ChecksumAlgorithm, PayloadVerifier};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

/// A client that sends nothing of a body for so long is not waited for any more.
const IDLE: Duration = Duration::from_secs(60);

/// A body ended early.
#[derive(Debug, thiserror::Error)]
#[error("the body ended early")]
pub struct BodyError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl BodyError {
    /// For this reason.
    pub fn new(why: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(why))
    }
}

/// A body, as it streams.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body that is there already.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The body of an object on its way in: verified as it comes, and not to be trusted before it has ended well.
pub struct Payload {
    body: Body,
    verifier: Option<PayloadVerifier>,
    /// What has arrived and was not taken yet.
    input: Bytes,
    decoded_length: Option<u64>,
    content_length: Option<u64>,
    declares_integrity: bool,
}

impl Payload {
    pub(crate) fn new(body: Body, verifier: PayloadVerifier, content_length: Option<u64>) -> Self {
        let decoded_length = verifier.decoded_length();
        let declares_integrity = verifier.declares_integrity();
        Self {
            body,
            verifier: Some(verifier),
            input: Bytes::new(),
            decoded_length,
            content_length,
            declares_integrity,
        }
    }

    /// How long the object will be, where the request says.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.decoded_length.or(self.content_length)
    }

    /// The checksum algorithm that the caller chose.
    #[must_use]
    pub fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.verifier.as_ref().and_then(PayloadVerifier::algorithm)
    }

    /// The next piece of the object; `None` at its end, which is reached only if everything that was declared is true.
    ///
    /// # Errors
    /// S3's refusal of a body that is not what was signed or declared. Nothing of it may be kept.
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            let Some(verifier) = &mut self.verifier else { return Ok(None) };
            if let Some(piece) = verifier.next(&mut self.input).map_err(|e| fault(&e))? {
                return Ok(Some(piece));
            }
            let frame = tokio::time::timeout(IDLE, self.body.frame()).await;
            match frame.map_err(|_| request_timeout())? {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.input = data;
                    }
                }
                Some(Err(_)) => return Err(incomplete()),
                None => {
                    let verifier = self.verifier.take();
                    verifier.map(PayloadVerifier::finish).transpose().map_err(|e| fault(&e))?;
                    return Ok(None);
                }
            }
        }
    }

    /// The body as the object store takes it in: it ends well only if everything that was declared of it is true, so
    /// that nothing else becomes an object. What it fails with is a [`Fault`].
    #[must_use]
    pub fn into_body(self) -> daypass_objects::Body {
        let length = self.length();
        let pieces = futures_util::stream::unfold(Some(self), |payload| async {
            let mut payload = payload?;
            match payload.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(payload))),
                Ok(None) => None,
                Err(fault) => Some((Err(Box::new(fault) as daypass_objects::CallerError), None)),
            }
        });
        let body = daypass_objects::Body::new(pieces);
        match length {
            Some(length) => body.with_length(length),
            None => body,
        }
    }

    /// Whether the request says what its body must come to: `Content-MD5` or a checksum.
    pub(crate) fn declares_integrity(&self) -> bool {
        self.declares_integrity
    }

    /// The whole of it, if it is a document of at most `limit` bytes, for which `grow` finds the memory.
    ///
    /// # Errors
    /// As [`next`](Self::next), what `grow` says, or if it is longer.
    pub(crate) async fn collect(
        &mut self,
        limit: usize,
        mut grow: impl FnMut(usize) -> Result<(), Fault>,
    ) -> Result<Bytes, Fault> {
        let mut out: Vec<u8> = vec![];
        while let Some(piece) = self.next().await? {
            if out.len() + piece.len() > limit {
                let words = "Your request was too big.";
                return Err(Fault::coded("MaxMessageLengthExceeded", 400, words));
            }
            grow(out.len() + piece.len())?;
            out.extend_from_slice(&piece);
        }
        Ok(out.into())
    }
}

fn fault(error: &daypass_wire::sigv4::PayloadError) -> Fault {
    let (code, status) = error.code();
    let mut fault = Fault::coded(code, status, error.message());
    fault.details = error.details();
    fault
}

/// S3's answer to a client that stalls.
pub(crate) fn request_timeout() -> Fault {
    let words = "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.";
    Fault::coded("RequestTimeout", 400, words)
}

fn incomplete() -> Fault {
    let words = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Fault::coded("IncompleteBody", 400, words)
}
