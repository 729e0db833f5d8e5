//! What the object store's errors are to a caller.

use daypass_core::objects::Error as Engine;
use daypass_core::{Cx, Error, Fault};

use crate::fault::not_implemented;

/// An error that no refusal of the operation's own explains. The full disk and the store that takes nothing any more are
/// told as S3 tells of an overload, which clients wait for, and so is another store that does not answer; what it cannot do is
/// named; everything else is a failure of ours.
pub(crate) fn failed(cx: &Cx, error: Engine) -> Error {
    match error {
        Engine::Body(cause) | Engine::Refused(cause) => match cause.downcast::<Fault>() {
            Ok(fault) => Error::Fault(fault),
            Err(cause) => Error::Internal(cause),
        },
        Engine::Full | Engine::ReadOnly(_) => {
            tracing::error!(%error, operation = cx.operation().name, "the object store takes no changes");
            Fault::coded("ServiceUnavailable", 503, "Please reduce your request rate.").into()
        }
        Engine::Unsupported(what) => {
            not_implemented(&format!("{what}, which the store of this bucket lacks")).into()
        }
        Engine::Unavailable(_) | Engine::Unanswered(_) => {
            // It is said of changes alone.
            if matches!(error, Engine::Unanswered(_)) {
                cx.outcome_is_unknown();
            }
            tracing::warn!(%error, operation = cx.operation().name, "the store that a bucket is attached to");
            Fault::coded("SlowDown", 503, "Please reduce your request rate.").into()
        }
        Engine::Upstream(_) => {
            tracing::error!(%error, operation = cx.operation().name, "the store that a bucket is attached to refuses us");
            let words = "Service is unable to handle request.";
            Fault::coded("ServiceUnavailable", 503, words).into()
        }
        other => Error::Internal(Box::new(other)),
    }
}
