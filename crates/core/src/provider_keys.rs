//! The keys of the issuers of web identity tokens, fetched when they are needed and kept for a while.
//!
//! Anybody may send a token, so what one makes us do is bounded: an issuer is asked at most once in a few seconds whatever
//! tokens say, one request at a time; what fails is not tried again at once either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use daypass_federation::{Issuer, KeySet, Token, parse_object};
use daypass_model::Timestamp;
use thiserror::Error;

use crate::surroundings::{Unreachable, Web};

/// Keys are as good as new for so long, in seconds.
const FRESH_SECONDS: i64 = 300;
/// An issuer that cannot be reached is believed to have the keys that it had for so long.
const STALE_SECONDS: i64 = 3600;
/// Between two requests to an issuer there are at least so many seconds.
const RETRY_SECONDS: i64 = 10;
/// So many issuers are remembered.
const MAX_ISSUERS: usize = 1000;
/// The longest address of a key set.
const MAX_ADDRESS: usize = 2048;

/// The keys of issuers.
pub struct ProviderKeys {
    web: Arc<dyn Web>,
    entries: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Entry>>>>,
}

#[derive(Default)]
struct Entry {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    tried: Option<Timestamp>,
}

/// The keys of an issuer could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the issuer's keys cannot be fetched")]
pub struct NoKeys;

impl ProviderKeys {
    /// Keys that are fetched by `web`.
    #[must_use]
    pub fn of(web: Arc<dyn Web>) -> Self {
        Self { web, entries: Mutex::default() }
    }

    /// What fetches them.
    #[must_use]
    pub fn web(&self) -> &dyn Web {
        &*self.web
    }

    /// The issuer's keys: as they were lately, or, where the token's key is not among them, as they are now.
    ///
    /// # Errors
    /// If the issuer does not give them, and did not for a while.
    pub async fn get(
        &self,
        issuer: &Issuer,
        thumbprints: &[String],
        token: &Token<'_>,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, NoKeys> {
        let entry = self.entry(issuer, thumbprints);
        let mut entry = entry.lock().await;
        // Of two requests the later to arrive may be the first to get here: that must not count as another time.
        let age = |since: &Timestamp| (now.seconds() - since.seconds()).max(0);
        if let Some((keys, fetched)) = &entry.keys
            && (0..FRESH_SECONDS).contains(&age(fetched))
            && keys.has(token.key_id(), token.algorithm())
        {
            return Ok(Arc::clone(keys));
        }
        if entry.tried.as_ref().is_none_or(|tried| !(0..RETRY_SECONDS).contains(&age(tried))) {
            entry.tried = entry.tried.max(Some(now));
            match self.fetch(issuer, thumbprints).await {
                Ok(keys) => entry.keys = Some((Arc::new(keys), now)),
                Err(error) => tracing::warn!(%error, %issuer, "an issuer's keys could not be fetched"),
            }
        }
        let known = entry.keys.as_ref().filter(|(_, fetched)| (0..STALE_SECONDS).contains(&age(fetched)));
        known.map(|(keys, _)| Arc::clone(keys)).ok_or(NoKeys)
    }

    /// What is known of an issuer as far as these thumbprints vouch for it.
    fn entry(&self, issuer: &Issuer, thumbprints: &[String]) -> Arc<tokio::sync::Mutex<Entry>> {
        let place = format!("{issuer} {}", thumbprints.join(" "));
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ISSUERS && !entries.contains_key(&place) {
            entries.clear();
        }
        Arc::clone(entries.entry(place).or_default())
    }

    async fn fetch(&self, issuer: &Issuer, thumbprints: &[String]) -> Result<KeySet, Unreachable> {
        let wrong = |what: &str| Unreachable(what.to_owned());
        if let Some(keys) = self.web.offline_keys(issuer).await? {
            return KeySet::parse(&keys).map_err(|e| wrong(&format!("the operator's file is {e}")));
        }
        let document = self.web.fetch(&issuer.discovery_url(), thumbprints).await?;
        let document = parse_object(&document).map_err(|_| wrong("the discovery document is no JSON"))?;
        let text = |name: &str| document.get(name).and_then(serde_json::Value::as_str);
        if text("issuer") != Some(issuer.as_str()) {
            return Err(wrong("the discovery document is another issuer's"));
        }
        let address = text("jwks_uri").filter(|a| a.starts_with("https://") && a.len() <= MAX_ADDRESS);
        let address = address.ok_or_else(|| wrong("the discovery document names no key set"))?;
        let keys = self.web.fetch(address, thumbprints).await?;
        KeySet::parse(&keys).map_err(|e| wrong(&format!("what should be the key set is {e}")))
    }
}
