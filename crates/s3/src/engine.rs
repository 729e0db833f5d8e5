//! What the object store's errors are to a caller.

use daypass_core::objects::Error as Engine;
use daypass_core::{Cx, Error, Fault};

/// An error that no refusal of the operation's own explains. The full disk and the store that takes nothing any more are
/// told as S3 tells of an overload, which clients wait for; everything else is a failure of ours.
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
        other => Error::Internal(Box::new(other)),
    }
}
