//! How it takes uploads in parts.

use super::sums::sum;
use super::{BYTES, NO_TAG, OTHER, Probe, Said};
use crate::upstream::client::{Ask, Failure, Payload, refused_after_all};
use crate::upstream::describe::text_header;
use crate::upstream::outgoing::header;
use crate::upstream::{Capabilities, xml};
use crate::{Algorithm, Error, Result};
use http::Method;

const NAME: &str = "parts";

impl Probe<'_> {
    /// An upload of one part. A store that knows none is not taken: clients upload everything large in parts.
    pub(super) async fn multipart(&self, found: &mut Capabilities) -> Result<()> {
        let key = self.key(NAME);
        // Before the upload: to some stores (Garage) an object is as old as the beginning of its upload.
        self.put(NAME, OTHER, &[]).await?;
        let (id, has_sum) = match self.begin(&key, found.checksums).await {
            Err(_) if found.checksums => (self.begin(&key, false).await?, false),
            id => (id?, found.checksums),
        };
        let mut ask =
            Ask::new(Method::PUT, Some(&key)).query("partNumber", "1").query("uploadId", id.clone());
        // As parts are sent later too. Garage 2.1 does not survive one without.
        if has_sum {
            ask = ask.header(header(Algorithm::Crc64Nvme), &sum())?;
        }
        let part = self.says(ask, Payload::Document(BYTES.to_vec())).await?.yes();
        let tag = part.as_ref().and_then(|headers| text_header(headers, "etag")).map(str::to_owned);
        let tag = tag.ok_or_else(|| Error::Upstream("it takes no parts of uploads".to_owned()))?;
        found.checksums_of_parts = found.checksums && self.lists_checksum(&key, &id).await?;
        let document = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        found.complete_conditionally = self.completes(&key, &id, &document).await?;
        if !self.holds(NAME, BYTES).await? {
            return Err(Error::Upstream("it completes no uploads".to_owned()));
        }
        found.part_numbers = self.part_numbers(&key).await?;
        Ok(())
    }

    async fn begin(&self, key: &str, sum: bool) -> Result<String> {
        let mut ask = Ask::new(Method::POST, Some(key)).query("uploads", "");
        if sum {
            ask = ask
                .header("x-amz-checksum-algorithm", "CRC64NVME")?
                .header("x-amz-checksum-type", "FULL_OBJECT")?;
        }
        let answer = self.ask(ask, Payload::None).await.map_err(Failure::into_error)?;
        let id = xml::read(&answer.document().await?, "InitiateMultipartUploadResult", |result| {
            result.text("UploadId").map(str::to_owned)
        })?;
        self.left.upload(&id);
        Ok(id)
    }

    /// Completes it, first on conditions that do not hold: that nothing is there, and another tag. Whether those were kept.
    async fn completes(&self, key: &str, id: &str, document: &str) -> Result<bool> {
        let complete = async |condition: Option<(&'static str, &str)>| {
            let ask = Ask::new(Method::POST, Some(key)).query("uploadId", id);
            let ask = match condition {
                Some((name, value)) => ask.header(name, value)?,
                None => ask,
            };
            match self.ask(ask, Payload::Document(document.as_bytes().to_vec())).await {
                // Some say yes first and no then.
                Ok(answer) => Ok(match refused_after_all(&answer.slow_document().await?).as_deref() {
                    None => Said::Yes(http::HeaderMap::new()),
                    Some("PreconditionFailed") => Said::No(412),
                    Some(_) => Said::No(500),
                }),
                Err(Failure::Refused(refusal)) => Ok(Said::No(refusal.status.as_u16())),
                Err(Failure::Failed(error)) => Err(error),
            }
        };
        let own = self.tag_of(NAME).await?;
        let mut kept = true;
        for condition in [("if-none-match", "*"), ("if-match", NO_TAG)] {
            let said = complete(Some(condition)).await?;
            kept &= said.is_unmet() && self.holds(NAME, OTHER).await?;
            if said.is_yes() {
                return Ok(false);
            }
        }
        if kept && complete(Some(("if-match", &own))).await?.is_yes() {
            return self.holds(NAME, BYTES).await;
        }
        complete(None).await?;
        Ok(false)
    }

    async fn part_numbers(&self, key: &str) -> Result<bool> {
        let ask = Ask::new(Method::HEAD, Some(key)).query("partNumber", "1");
        let head = self.says(ask, Payload::None).await?.yes();
        let whole = BYTES.len();
        let range = format!("bytes 0-{}/{whole}", whole - 1);
        Ok(head.is_some_and(|headers| text_header(&headers, "content-range") == Some(range.as_str())))
    }

    async fn lists_checksum(&self, key: &str, id: &str) -> Result<bool> {
        let ask = Ask::new(Method::GET, Some(key)).query("uploadId", id);
        let Some(document) = self.document(ask).await? else { return Ok(false) };
        let known = xml::read(&document, "ListPartsResult", |list| {
            Some(
                list.text("ChecksumAlgorithm") == Some("CRC64NVME")
                    && list.text("ChecksumType") == Some("FULL_OBJECT"),
            )
        });
        Ok(known.unwrap_or(false))
    }
}
