//! A form with a file on its way in: who signed it, its fields at once, its file as a stream.

use std::time::Duration;

use bytes::Bytes;
use daypass_wire::sigv4::{BodyKind, Family, FormClaim, PayloadVerifier, SigError};
use daypass_wire::{Fault, FormFile, Routed, UploadForm};
use http::request::Parts;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use super::reading::signature_fault;
use super::{Admitted, Arrival, Arrived, Gate, Message};
use crate::authenticate::{Unauthenticated, authenticate_form};
use crate::caller::Caller;
use crate::payload::{Body, BodyError, IDLE, Payload, incomplete, request_timeout};

/// The fields of a form that take longer to arrive are not waited for.
const WITHIN: Duration = Duration::from_secs(30);

impl Gate {
    /// A form with a file: its fields say who signed what may be uploaded.
    pub(super) async fn admit_form(
        &self,
        arrival: &Arrival,
        routed: Routed,
        body: Body,
    ) -> Result<Admitted, Fault> {
        let family = Family::S3;
        if !arrival.head.headers.contains_key(http::header::CONTENT_LENGTH) {
            let words = "You must provide the Content-Length HTTP header.";
            return Err(Fault::coded("MissingContentLength", 411, words));
        }
        let read = tokio::time::timeout(WITHIN, Form::read(&arrival.head, body)).await;
        let Form { fields, file } = read.map_err(|_| request_timeout())??;
        let refuse = |error: SigError| signature_fault(&error, family);
        let service = routed.operation.service;
        let caller =
            match FormClaim::parse(&fields).map_err(refuse)? {
                None => Caller::anonymous(),
                Some(claim) => authenticate_form(&self.state, &claim, &self.expected(arrival, service))
                    .map_err(|error| match error {
                        Unauthenticated::Signature(error) => signature_fault(&error, family),
                        Unauthenticated::Failed(error) => self.failure(service, error),
                    })?,
            };
        let verifier = PayloadVerifier::anonymous(&integrity(&fields), BodyKind::Object).map_err(refuse)?;
        let body = Arrived::Streaming(Box::new(Payload::new(file, verifier, None)));
        Ok(Admitted {
            caller,
            message: Message { routed, form: None, fields: Some(fields), body, held: self.documents.hold() },
        })
    }
}

/// What a form's fields declare of its file, as headers do of a body.
fn integrity(fields: &[(String, String)]) -> http::HeaderMap {
    let declares = |name: &str| {
        name == "content-md5" || name == "x-amz-sdk-checksum-algorithm" || name.starts_with("x-amz-checksum-")
    };
    let declared = fields.iter().filter(|(name, _)| declares(name));
    declared.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
}

/// The fields of a form, and the bytes of its file.
struct Form {
    fields: Vec<(String, String)>,
    file: Body,
}

impl Form {
    /// Reads a form up to its file.
    ///
    /// # Errors
    /// What is no form with a file.
    async fn read(head: &Parts, mut body: Body) -> Result<Self, Fault> {
        let kind = head.headers.get("content-type").and_then(|value| value.to_str().ok());
        let mut form = UploadForm::new(kind)?;
        loop {
            let input = next(&mut body).await?.ok_or_else(incomplete)?;
            match form.push(&input)? {
                Ok(head) => return Ok(Self { fields: head.fields, file: streamed(head.file, body) }),
                Err(more) => form = more,
            }
        }
    }
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, Fault> {
    loop {
        let frame = tokio::time::timeout(IDLE, body.frame()).await.map_err(|_| request_timeout())?;
        match frame {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(incomplete()),
            None => return Ok(None),
        }
    }
}

/// A form that ended within its file.
#[derive(Debug, thiserror::Error)]
#[error("the form ended within its file")]
struct CutShort;

/// The file as a body; it fails if the form ends before the file does.
fn streamed(file: FormFile, body: Body) -> Body {
    let pieces = futures_util::stream::unfold(Some((file, body)), |state| async {
        let (mut file, mut body) = state?;
        loop {
            if let Some(piece) = file.take() {
                return Some((Ok(Frame::data(piece)), Some((file, body))));
            }
            if file.is_ended() {
                return None;
            }
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        file.push(&data);
                    }
                }
                Some(Err(error)) => return Some((Err(error), None)),
                None => return Some((Err(BodyError::new(CutShort)), None)),
            }
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}
