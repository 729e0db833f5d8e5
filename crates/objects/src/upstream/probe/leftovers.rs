//! What the questions leave behind, taken away again: objects, versions, delete markers, holds and uploads.

use super::listings::ORDERED;
use super::locking::LOCKED;
use super::{ALIASES, Probe, SAME, xml};
use crate::Result;
use crate::upstream::client::{Ask, Failure, Payload};
use crate::upstream::{Upstream, text};
use http::Method;
use std::sync::{Mutex, PoisonError};

/// Uploads that were begun.
#[derive(Default)]
pub(super) struct Leftovers(Mutex<Vec<String>>);

impl Leftovers {
    pub(super) fn upload(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
    }

    fn uploads(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Upstream {
    /// The keys there that begin with this; so many as a page has.
    pub(super) async fn listed_below(&self, place: &str) -> Result<Vec<String>, Failure> {
        let ask = Ask::new(Method::GET, None)
            .query("list-type", "2")
            .query("prefix", place)
            .query("encoding-type", "url");
        let document = self.http.ask(ask, Payload::None).await?.document().await?;
        let keys = xml::read(&document, "ListBucketResult", |list| {
            let is_encoded = list.text("EncodingType") == Some("url");
            let key = |element: xml::Element<'_, '_>| key_of(element, is_encoded);
            list.all("Contents").map(key).collect::<Option<Vec<_>>>()
        });
        Ok(keys?)
    }
}

fn key_of(element: xml::Element<'_, '_>, is_encoded: bool) -> Option<String> {
    let key = element.text("Key")?;
    if is_encoded { String::from_utf8(text::decode(key)?).ok() } else { Some(key.to_owned()) }
}

impl Probe<'_> {
    /// Takes away what was put; what is not found is not there. What cannot be taken away is told.
    pub(super) async fn clear(&self) {
        let key = self.key("parts");
        for id in self.left.uploads() {
            let abort = Ask::new(Method::DELETE, Some(&key)).query("uploadId", id);
            self.try_to(abort).await;
        }
        let names = ["plain", "new", "twice", "sum", "bad", "tagged", "sealed", "parts", LOCKED].into_iter();
        let pairs = ALIASES.iter().chain(SAME).flat_map(|(one, other)| [*one, *other]);
        // What takes keys for paths keeps the folders.
        let folders = ["a/", "c/", "h/", "p/", ""];
        for name in names.chain(pairs).chain(ORDERED).chain(folders) {
            let key = self.key(name);
            self.try_to(Ask::new(Method::DELETE, Some(&key))).await;
        }
        self.clear_versions().await;
        if let Ok(left) = self.upstream.listed_below(&self.place).await
            && !left.is_empty()
        {
            tracing::warn!(
                place = self.place,
                left = left.len(),
                "what was asked with stays in the other store"
            );
        }
    }

    async fn try_to(&self, ask: Ask<'_>) {
        if let Err(error) = self.says(ask, Payload::None).await {
            tracing::warn!(%error, place = self.place, "what was asked with may stay in the other store");
        }
    }

    /// Where versions are kept, what was put is still there below delete markers.
    async fn clear_versions(&self) {
        let ask = Ask::new(Method::GET, None)
            .query("versions", "")
            .query("prefix", self.place.clone())
            .query("encoding-type", "url");
        let Ok(Some(document)) = self.document(ask).await else { return };
        let listed = xml::read(&document, "ListVersionsResult", |list| {
            let is_encoded = list.text("EncodingType") == Some("url");
            let version = |one: xml::Element<'_, '_>| {
                Some((key_of(one, is_encoded)?, one.text("VersionId")?.to_owned()))
            };
            let both = list.all("Version").chain(list.all("DeleteMarker"));
            Some(both.filter_map(version).collect::<Vec<_>>())
        });
        for (key, id) in listed.unwrap_or_default() {
            // A prefix is what was asked for; nothing else is touched, whatever is listed.
            if !key.starts_with(&self.place) {
                continue;
            }
            if key == self.key(LOCKED)
                && let Err(error) = self.let_go(&id).await
            {
                tracing::warn!(%error, "a legal hold may stay in the other store");
            }
            self.try_to(Ask::new(Method::DELETE, Some(&key)).query("versionId", id)).await;
        }
    }
}
