//! An answer that is not a success.

use std::borrow::Cow;

use daypass_model::ErrorShape;

/// What a caller is told: AWS's code, status and words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// The code on the wire, as `NoSuchEntity`.
    pub code: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// The sentence for the caller.
    pub message: String,
    /// Further elements of the error, in order (S3's `Key`, `BucketName`, …).
    pub details: Vec<(&'static str, String)>,
    /// Headers of the answer (S3's `x-amz-bucket-region`, `x-amz-delete-marker`, …).
    pub headers: Vec<(&'static str, String)>,
}

impl Fault {
    /// An error that the model or its quirks name; a misspelt code does not compile.
    #[must_use]
    pub fn new(shape: &'static ErrorShape, message: impl Into<String>) -> Self {
        Self::coded(shape.code, shape.status, message)
    }

    /// An error that no model names: those that every service has in common.
    #[must_use]
    pub fn coded(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into(), details: vec![], headers: vec![] }
    }

    /// Adds an element to the error.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whether the caller, not the server, is at fault.
    #[must_use]
    pub fn is_senders(&self) -> bool {
        self.status < 500
    }
}
