//! Whether its locks hold.

use super::{BYTES, Probe, Said};
use crate::Result;
use crate::upstream::client::{Ask, Payload};
use crate::upstream::describe::text_header;
use crate::upstream::sign::content_md5;
use crate::upstream::xml;
use http::Method;

/// What is locked for a while.
pub(super) const LOCKED: &str = "locked";

impl Probe<'_> {
    /// Whether the bucket has S3 Object Lock, and a legal hold keeps a version until it is taken off. A retention would stay.
    pub(super) async fn object_lock(&self) -> Result<bool> {
        let Some(document) = self.document(Ask::new(Method::GET, None).query("object-lock", "")).await?
        else {
            return Ok(false);
        };
        let enabled = xml::read(&document, "ObjectLockConfiguration", |configuration| {
            Some(configuration.text("ObjectLockEnabled") == Some("Enabled"))
        });
        if !enabled.unwrap_or(false) {
            return Ok(false);
        }
        let md5 = content_md5(BYTES);
        let hold = [("x-amz-object-lock-legal-hold", "ON"), ("content-md5", md5.as_str())];
        let Some(put) = self.put(LOCKED, BYTES, &hold).await?.yes() else { return Ok(false) };
        let Some(id) = text_header(&put, "x-amz-version-id") else { return Ok(false) };
        let held = matches!(self.delete_version(LOCKED, id).await?, Said::No(400..=499))
            && self.has_version(LOCKED, id, BYTES).await?;
        Ok(held
            && self.let_go(id).await?.is_yes()
            && self.delete_version(LOCKED, id).await?.is_yes()
            && !self.has_version(LOCKED, id, BYTES).await?)
    }

    /// Takes the legal hold off.
    pub(super) async fn let_go(&self, id: &str) -> Result<Said> {
        let key = self.key(LOCKED);
        let document = "<LegalHold><Status>OFF</Status></LegalHold>";
        let ask = Ask::new(Method::PUT, Some(&key)).query("legal-hold", "").query("versionId", id);
        let ask = ask.header("content-md5", &content_md5(document.as_bytes()))?;
        self.says(ask, Payload::Document(document.as_bytes().to_vec())).await
    }
}
