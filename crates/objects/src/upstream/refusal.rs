//! What another store's refusals are to us.

use super::client::{Failure, Refusal};
use super::describe::{text_header, version_id};
use super::text;
use crate::{At, Error, Timestamp};
use http::StatusCode;

impl Failure {
    /// The error that it is, whatever was asked. A refusal of our key, or of the bucket, is for the operator to see to.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Refused(refusal) => refusal.into_error(),
        }
    }

    /// The same of a question about an object.
    pub(super) fn of_object(self, at: &At) -> Error {
        match self {
            Self::Refused(refusal) => refusal.of_object(at),
            Self::Failed(error) => error,
        }
    }
}

impl Refusal {
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    pub(super) fn into_error(self) -> Error {
        let Self { status, code, message, changes, .. } = self;
        let words = || format!("{} {code}: {message}", status.as_u16());
        match (status, code.as_str()) {
            (StatusCode::NOT_IMPLEMENTED, _) => Error::Unsupported("what was asked for"),
            (StatusCode::PRECONDITION_FAILED, _) => Error::PreconditionFailed("If-Match"),
            (StatusCode::RANGE_NOT_SATISFIABLE, _) => Error::InvalidRange,
            (_, "NoSuchUpload") => Error::NoSuchUpload,
            (_, "NoSuchVersion") => Error::NoSuchVersion,
            (_, "NoSuchKey") => Error::NoSuchKey { marker: None },
            (_, "EntityTooLarge") => Error::TooLarge { what: "body", limit: crate::MAX_BODY_BYTES },
            (_, "MetadataTooLarge") => Error::TooLarge { what: "description", limit: 2048 },
            (_, "ConditionalRequestConflict" | "OperationAborted") => Error::Unavailable(words()),
            (StatusCode::TOO_MANY_REQUESTS, _) => Error::Unavailable(words()),
            // The store itself says that it is overloaded; what stands before it knows less.
            (StatusCode::SERVICE_UNAVAILABLE, code) if !code.is_empty() => Error::Unavailable(words()),
            // Whether what failed on its way was done is not known.
            (status, _) if status.is_server_error() && changes => Error::Unanswered(words()),
            (status, _) if status.is_server_error() => Error::Unavailable(words()),
            _ => Error::Upstream(words()),
        }
    }

    fn of_object(self, at: &At) -> Error {
        let marker = text_header(&self.headers, "x-amz-delete-marker") == Some("true");
        let id = || version_id(&self.headers).ok();
        match self.status {
            StatusCode::NOT_FOUND if self.is("NoSuchBucket") => self.into_error(),
            StatusCode::NOT_FOUND if at.version.is_some() => Error::NoSuchVersion,
            StatusCode::NOT_FOUND => Error::NoSuchKey { marker: id().filter(|_| marker) },
            StatusCode::METHOD_NOT_ALLOWED if marker => {
                let modified = text_header(&self.headers, "last-modified").and_then(text::http_date);
                match id() {
                    Some(id) => Error::IsDeleteMarker {
                        id,
                        modified: modified.unwrap_or(Timestamp(0)),
                        is_latest: false,
                    },
                    None => self.into_error(),
                }
            }
            // A version id that no version there could have.
            StatusCode::BAD_REQUEST if at.version.is_some() => Error::InvalidVersionId,
            _ => self.into_error(),
        }
    }
}
