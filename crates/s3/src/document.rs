//! Configurations of a bucket that are kept as they were put, by the shape of the API.

use daypass_core::model::{FromValue, IntoValue, Kind, Structure, TypedOperation};
use daypass_core::{Cx, Error, Fault, wire};
use serde_json::Value;

use crate::bucket::Bucket;
use crate::fault::invalid_request;

/// The most bytes of a bucket's configurations together.
const MAX_DOCUMENTS: usize = 1 << 20;

/// A configuration that is kept does not read any more.
#[derive(Debug)]
struct Unreadable;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a configuration that is kept does not read as one")
    }
}

impl std::error::Error for Unreadable {}

/// A configuration that `O` put, as it is kept: so that it is shown exactly so.
///
/// # Errors
/// A failure of ours, if `O` takes no document.
pub(crate) fn write<O: TypedOperation>(cx: &Cx, document: impl IntoValue) -> Result<Value, Error> {
    let shape = shape::<O>().ok_or_else(|| cx.internal_failure())?;
    Ok(wire::json_of_value(&document.into_value(), shape))
}

/// Keeps a document at its place among a bucket's, unless they came to more than a record should hold: it is read with every
/// request to the bucket.
///
/// # Errors
/// `InvalidRequest` if there is no room.
pub(crate) fn keep(bucket: &mut Bucket, place: String, document: Value) -> Result<(), Fault> {
    let length = |document: &Value| document.to_string().len();
    let others = bucket.documents.iter().filter(|(known, _)| **known != place);
    let held: usize = others.map(|(_, document)| length(document)).sum();
    if held + length(&document) > MAX_DOCUMENTS {
        return Err(invalid_request("The configurations of a bucket together are limited to 1 MiB"));
    }
    bucket.documents.insert(place, document);
    Ok(())
}

/// A configuration that `O` put.
///
/// # Errors
/// If it does not read, which is a failure of ours.
pub(crate) fn read<O: TypedOperation, T: FromValue>(kept: &Value) -> Result<T, Error> {
    let value = shape::<O>().and_then(|shape| wire::value_of_json(kept, shape));
    value.and_then(T::from_value).ok_or_else(|| Error::Internal(Box::new(Unreadable)))
}

/// The document that an operation takes.
fn shape<O: TypedOperation>() -> Option<&'static Structure> {
    let input = O::row().input;
    match input.member(input.payload?)?.kind {
        Kind::Structure(shape) => Some(shape),
        _ => None,
    }
}
