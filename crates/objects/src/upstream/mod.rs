//! Buckets whose bytes, listing and descriptions are in another store that speaks S3: Ceph RGW, Garage, SeaweedFS, MinIO,
//! RustFS, AWS, or another Daypass.
//!
#![doc = include_str!("upstream.md")]

mod attached;
mod capability;
mod client;
mod describe;
mod listing;
mod order;
mod outgoing;
mod probe;
mod reading;
mod refusal;
mod sign;
mod text;
mod unordered;
mod uploads;
mod walk;
mod writing;
mod xml;

pub use attached::Attached;
pub use capability::Capabilities;
pub use client::Now;
pub use describe::Vocabulary;
pub use rustls::RootCertStore;

use crate::{Error, Key, KeyId, Result, Timestamp, Versioning};
use client::{Http, Place, text_of};
use sign::Signer;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The state of versioning is asked for again after this, in milliseconds: others may change it there.
const VERSIONING_KNOWN: u64 = 10_000;

/// What of another store is told to whoever attaches a bucket to it.
pub struct Options {
    /// `https://host[:port]`; requests name the bucket in the path.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket there.
    pub bucket: String,
    /// What every key begins with there; may be empty.
    pub prefix: String,
    /// The key that requests are signed with.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
    /// Authorities that vouch for the store's certificate, PEM, instead of those that this machine knows.
    pub authorities: Option<String>,
    /// Whether it may be spoken to without TLS.
    pub plain: bool,
}

impl Options {
    fn check(&self) -> Result<()> {
        let most = |text: &str, limit: usize, why| {
            if text.len() > limit { Err(Error::BadOption(why)) } else { Ok(()) }
        };
        most(&self.endpoint, 512, "an endpoint has at most 512 bytes")?;
        most(&self.region, 64, "a region has at most 64 bytes")?;
        most(&self.bucket, 255, "a bucket has a name of at most 255 bytes")?;
        most(&self.prefix, 512, "a prefix has at most 512 bytes")?;
        most(&self.access_key_id, 128, "the id of a key has at most 128 bytes")?;
        most(&self.secret, 1024, "a secret has at most 1024 bytes")?;
        let authorities = self.authorities.as_deref().unwrap_or_default();
        most(authorities, 512 << 10, "authorities have at most 512 KiB, in bytes of PEM")?;
        if self.bucket.is_empty() || self.bucket.contains('/') {
            return Err(Error::BadOption("a bucket has a name, without a slash"));
        }
        Ok(())
    }
}

/// What engines of other stores share.
#[derive(Clone)]
pub struct Surroundings {
    /// The time, for signatures.
    pub now: Now,
    /// How descriptions are written there.
    pub vocabulary: Arc<dyn Vocabulary>,
    /// The authorities that this machine knows.
    pub authorities: Arc<RootCertStore>,
    /// Whether the key that a body is to be sealed with is the one that stands for "encrypted at rest", which the other
    /// store takes upon itself. Any other is refused: nothing is sealed there with a key of ours.
    pub seals_at_rest: fn(KeyId) -> bool,
}

/// A bucket in another store.
pub struct Upstream {
    http: Http,
    prefix: String,
    capabilities: Capabilities,
    surroundings: Surroundings,
    versioning: Mutex<Option<(Timestamp, Versioning)>>,
    uploads: uploads::Known,
}

impl Upstream {
    /// A bucket with these capabilities. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::BadOption`].
    pub fn new(options: Options, capabilities: Capabilities, surroundings: Surroundings) -> Result<Self> {
        options.check()?;
        let place = Place {
            endpoint: &options.endpoint,
            bucket: &options.bucket,
            signer: Signer {
                access_key_id: options.access_key_id,
                secret: options.secret,
                region: options.region,
            },
            authorities: options.authorities.as_deref(),
            known: &surroundings.authorities,
            plain: options.plain,
        };
        let http = Http::new(place, Arc::clone(&surroundings.now))?;
        Ok(Self {
            http,
            prefix: options.prefix,
            capabilities,
            surroundings,
            versioning: Mutex::new(None),
            uploads: uploads::Known::default(),
        })
    }

    /// What the store can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// How the bucket keeps versions there.
    ///
    /// # Errors
    /// What asking fails with.
    pub async fn versioning(&self) -> Result<Versioning> {
        if !self.capabilities.versions {
            return Ok(Versioning::Unversioned);
        }
        let now = self.http.now();
        let known = *self.versioning.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, state)) = known.filter(|(at, _)| now.0.saturating_sub(at.0) < VERSIONING_KNOWN) {
            return Ok(state);
        }
        let state = self.ask_versioning().await?;
        self.set_known_versioning(state);
        Ok(state)
    }

    fn set_known_versioning(&self, state: Versioning) {
        *self.versioning.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.http.now(), state));
    }

    fn needs(&self, has: bool, what: &'static str) -> Result<()> {
        if has { Ok(()) } else { Err(Error::Unsupported(what)) }
    }

    /// A key as it is there. Where keys may be taken for paths, those are refused that are more than one name of a path.
    fn there(&self, key: &Key) -> Result<String> {
        let text = text_of(key)?;
        self.needs(!text.contains('\0'), "keys with a zero byte")?;
        if !self.capabilities.exact_keys && !is_plain(text) {
            return Err(Error::Unsupported("keys that could be another path"));
        }
        let there = format!("{}{text}", self.prefix);
        if there.len() > crate::MAX_KEY_BYTES {
            return Err(Error::TooLarge { what: "key", limit: crate::MAX_KEY_BYTES as u64 });
        }
        Ok(there)
    }

    /// A key from there. One without our prefix was not asked for.
    fn here(&self, key: Vec<u8>) -> Result<Key> {
        let odd = || Error::Upstream("a key that was not asked for".to_owned());
        Key::new(key.strip_prefix(self.prefix.as_bytes()).ok_or_else(odd)?.to_vec())
    }
}

/// Whether a key is the same to a store that takes keys for paths.
fn is_plain(key: &str) -> bool {
    let plain_name = |name: &str| !matches!(name, "" | "." | "..");
    key.split('/').all(plain_name) && !key.chars().any(|c| c.is_control() || c == '\\')
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_keys_that_are_one_path_are_plain() {
        for (key, plain) in [
            ("a", true),
            ("a/b.c/d e", true),
            ("é", true),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
            ("a/../b", false),
            ("..", false),
            ("a/.", false),
            ("a\\b", false),
            ("a\n", false),
        ] {
            assert_eq!(is_plain(key), plain, "{key:?}");
        }
    }
}
