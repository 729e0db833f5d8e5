//! Bodies that are held whole: forms, JSON and XML. Each has a limit, and so have all of them together.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use daypass_wire::Fault;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::payload::{Body, Payload, request_timeout};

/// The most bytes of a form or JSON document: far above anything that AWS's quotas allow in one.
const MAX_DOCUMENT: usize = 1 << 20;
/// The most bytes of an XML document of S3: `DeleteObjects` of a thousand of the longest keys, escaped.
const MAX_XML: usize = 8 << 20;
/// A document that takes longer to arrive is not waited for.
const WITHIN: Duration = Duration::from_secs(30);
/// The first bytes of each document, which nearly all stay within: they are bounded by the number of connections.
const FREE: usize = 16 << 10;
/// What all documents may hold together beyond that, in units: whoever sends much cannot take the memory of the machine.
const UNITS: usize = 64 << 10;
const UNIT: usize = 4 << 10;

/// The memory that documents share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Documents(Arc<Semaphore>);

impl Default for Documents {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UNITS)))
    }
}

/// What a request holds of that memory, until it was answered.
pub(crate) struct Held {
    shared: Documents,
    permits: Option<OwnedSemaphorePermit>,
}

impl Documents {
    pub(crate) fn hold(&self) -> Held {
        Held { shared: self.clone(), permits: None }
    }
}

impl Held {
    /// A form or JSON document, as it arrives.
    ///
    /// # Errors
    /// If it is too long, too slow, ends early, or is one too many.
    pub(crate) async fn read(&mut self, body: Body) -> Result<Bytes, Fault> {
        tokio::time::timeout(WITHIN, self.read_all(body)).await.map_err(|_| request_timeout())?
    }

    async fn read_all(&mut self, mut body: Body) -> Result<Bytes, Fault> {
        let mut out = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ended_early())?;
            let Ok(data) = frame.into_data() else { continue };
            if out.len() + data.len() > MAX_DOCUMENT {
                return Err(too_long());
            }
            self.grow(out.len() + data.len())?;
            out.extend_from_slice(&data);
        }
        Ok(out.freeze())
    }

    /// An XML document of S3, verified as it arrives.
    ///
    /// # Errors
    /// As [`read`](Self::read), or if it is not what was signed or declared.
    pub(crate) async fn read_xml(&mut self, payload: &mut Payload) -> Result<Bytes, Fault> {
        let read = payload.collect(MAX_XML, |bytes| self.grow(bytes));
        tokio::time::timeout(WITHIN, read).await.map_err(|_| request_timeout())?
    }

    /// Makes room for a document that has come to so many bytes.
    fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let wanted = bytes.saturating_sub(FREE).div_ceil(UNIT);
        let held = self.permits.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(more) = u32::try_from(wanted.saturating_sub(held)).ok().filter(|more| *more > 0) else {
            return Ok(());
        };
        let permits = Arc::clone(&self.shared.0).try_acquire_many_owned(more).map_err(|_| busy())?;
        match &mut self.permits {
            Some(held) => held.merge(permits),
            none => *none = Some(permits),
        }
        Ok(())
    }
}

fn too_long() -> Fault {
    let words = format!("Request must be smaller than {MAX_DOCUMENT} bytes");
    Fault::coded("RequestEntityTooLarge", 413, words)
}

fn ended_early() -> Fault {
    Fault::coded("IncompleteBody", 400, "The request body ended too early.")
}

/// SDKs try again after this.
fn busy() -> Fault {
    Fault::coded("ServiceUnavailable", 503, "Service is unable to handle request.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::full;

    #[tokio::test]
    async fn a_document_within_its_limit_is_read() {
        for length in [0, 1, FREE, FREE + 1, MAX_DOCUMENT] {
            let mut held = Documents::default().hold();
            assert_eq!(held.read(full(vec![b'a'; length])).await.unwrap().len(), length);
        }
        let mut held = Documents::default().hold();
        let fault = held.read(full(vec![b'a'; MAX_DOCUMENT + 1])).await.unwrap_err();
        assert_eq!((fault.code.as_ref(), fault.status), ("RequestEntityTooLarge", 413));
    }

    #[tokio::test]
    async fn all_documents_together_have_a_limit_and_small_ones_always_pass() {
        let documents = Documents::default();
        let mut large = vec![];
        let refused = loop {
            let mut held = documents.hold();
            match held.read(full(vec![b'a'; MAX_DOCUMENT])).await {
                Ok(_) => large.push(held),
                Err(fault) => break fault,
            }
        };
        assert_eq!((refused.code.as_ref(), refused.status), ("ServiceUnavailable", 503));
        assert_eq!(large.len(), UNITS * UNIT / (MAX_DOCUMENT - FREE));
        assert_eq!(documents.hold().read(full(vec![b'a'; FREE])).await.unwrap().len(), FREE);
        // What was answered gives its memory back.
        large.pop();
        assert_eq!(documents.hold().read(full(vec![b'a'; MAX_DOCUMENT])).await.unwrap().len(), MAX_DOCUMENT);
    }
}
