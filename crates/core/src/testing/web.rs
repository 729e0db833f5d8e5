//! The web, as far as a test says what is on it.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use daypass_federation::Issuer;

use crate::{Fetching, Unreachable, Web};

/// What others publish, as far as a test says.
#[derive(Default)]
pub struct StillWeb {
    documents: Mutex<HashMap<String, String>>,
    fetched: Mutex<Vec<String>>,
}

impl StillWeb {
    /// Publishes a document.
    pub fn publish(&self, url: &str, document: impl Into<String>) {
        self.documents.lock().unwrap().insert(url.to_owned(), document.into());
    }

    /// Takes a document away.
    pub fn withdraw(&self, url: &str) {
        self.documents.lock().unwrap().remove(url);
    }

    /// What was fetched since the last time that this was asked.
    pub fn fetched(&self) -> Vec<String> {
        std::mem::take(&mut *self.fetched.lock().unwrap())
    }
}

impl Web for StillWeb {
    fn fetch<'a>(&'a self, url: &'a str, _: &'a [String]) -> Fetching<'a, Bytes> {
        self.fetched.lock().unwrap().push(url.to_owned());
        let found = self.documents.lock().unwrap().get(url).cloned();
        Box::pin(async move { found.map(Bytes::from).ok_or_else(|| Unreachable(format!("no `{url}`"))) })
    }

    fn thumbprint<'a>(&'a self, issuer: &'a Issuer) -> Fetching<'a, String> {
        self.fetched.lock().unwrap().push(issuer.to_string());
        let found = self.documents.lock().unwrap().get(issuer.as_str()).cloned();
        Box::pin(async move { found.ok_or_else(|| Unreachable(format!("no `{issuer}`"))) })
    }

    fn offline_keys<'a>(&'a self, issuer: &'a Issuer) -> Fetching<'a, Option<Vec<u8>>> {
        let found = self.documents.lock().unwrap().get(&format!("offline {issuer}")).cloned();
        Box::pin(async move { Ok(found.map(String::into_bytes)) })
    }
}
