//! How an operation ends that does not succeed.

use daypass_store::StoreError;
use daypass_wire::Fault;

use crate::key_ring::KeyRingError;

/// A refusal for the caller, or a failure of ours.
#[derive(Debug)]
pub enum Error {
    /// What the caller is told.
    Fault(Box<Fault>),
    /// Something of ours failed; the caller learns only that.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<KeyRingError> for Error {
    fn from(error: KeyRingError) -> Self {
        Self::Internal(Box::new(error))
    }
}

/// The answer to a failure of ours: the caller may try again, and learns nothing else.
#[must_use]
pub fn internal_failure(service: &daypass_model::Service) -> Fault {
    match service.name {
        "s3" | "s3control" => {
            Fault::coded("InternalError", 500, "We encountered an internal error. Please try again.")
        }
        "ec2" => Fault::coded("InternalError", 500, "An internal error has occurred"),
        _ => Fault::coded(
            "InternalFailure",
            500,
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
    }
}
