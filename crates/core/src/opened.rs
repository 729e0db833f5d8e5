//! What was opened lately: session tokens and the secrets of access keys, each with the signing key that verified its last
//! request.
//!
//! To open one and to derive a signing key costs as much as everything else about a signature, and depends on nothing that
//! changes: not on the clock, nor on the state. What does (a key that was deactivated, a session that has ended, a role that
//! is gone) is looked up at each request by whoever asks here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use daypass_wire::sigv4::{Claim, KeyScope, SigningKey};

use crate::Secret;
use crate::session::Session;

/// The most that are kept open.
const MAX_OPENED: usize = 4096;
/// What is longer is opened each time: so the whole is bounded. Most tokens have less than a kilobyte.
const MAX_SEALED_BYTES: usize = 4096;

/// What is kept open.
#[derive(Default)]
pub struct Opened {
    /// By what is sealed, and what it opens for.
    secrets: RwLock<HashMap<String, Arc<OpenedSecret>>>,
}

/// The secret of an access key.
pub(crate) struct OpenedSecret {
    secret: Secret<String>,
    /// The session whose secret it is, if it is one.
    session: Option<Arc<Session>>,
    /// The key that verified a request last.
    signing: Mutex<Option<(KeyScope, SigningKey)>>,
}

impl Opened {
    /// What is sealed for an access key id: as it was opened before, or as `open` does it now.
    pub(crate) fn get<E>(
        &self,
        access_key_id: &str,
        sealed: &str,
        open: impl FnOnce() -> Result<OpenedSecret, E>,
    ) -> Result<Arc<OpenedSecret>, E> {
        if sealed.len() > MAX_SEALED_BYTES {
            return open().map(Arc::new);
        }
        let place = [access_key_id, sealed].join("\0");
        let known = self.secrets.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let opened = Arc::new(open()?);
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        if secrets.len() >= MAX_OPENED {
            secrets.clear();
        }
        secrets.insert(place, Arc::clone(&opened));
        Ok(opened)
    }
}

impl OpenedSecret {
    pub(crate) fn new(secret: Secret<String>, session: Option<Arc<Session>>) -> Self {
        Self { secret, session, signing: Mutex::default() }
    }

    pub(crate) fn secret(&self) -> &Secret<String> {
        &self.secret
    }

    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// The key that verifies a claim.
    pub(crate) fn signing_key(&self, claim: &Claim<'_>) -> SigningKey {
        let known = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((scope, key)) if claim.key_scope().as_ref() == Some(scope) => key.clone(),
            _ => {
                drop(known);
                claim.signing_key(self.secret.expose().as_bytes())
            }
        }
    }

    /// Keeps the key of a claim that was verified: whoever has no secret changes nothing here.
    pub(crate) fn keep(&self, claim: &Claim<'_>, key: &SigningKey) {
        let Some(scope) = claim.key_scope() else { return };
        let mut known = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(before, _)| *before != scope) {
            *known = Some((scope, key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<OpenedSecret, ()> {
        Ok(OpenedSecret::new(Secret::new(text.to_owned()), None))
    }

    #[test]
    fn what_is_sealed_is_opened_once_for_each_access_key() {
        let all = Opened::default();
        let get = |id: &str, sealed: &str, text: &str| {
            let got = all.get(id, sealed, || opened(text)).unwrap();
            got.secret().expose().clone()
        };
        assert_eq!(get("ASIAONE", "token", "first"), "first");
        assert_eq!(get("ASIAONE", "token", "second"), "first");
        assert_eq!(get("ASIATWO", "token", "third"), "third");
        assert_eq!(get("ASIAONE", "token-", "fourth"), "fourth");
    }

    #[test]
    fn what_does_not_open_or_is_long_is_not_kept() {
        let all = Opened::default();
        assert!(all.get("ASIAONE", "token", || Err(())).is_err());
        assert!(all.get("ASIAONE", "token", || opened("good")).is_ok());
        let long = "x".repeat(MAX_SEALED_BYTES + 1);
        for text in ["one", "two"] {
            let got = all.get("ASIAONE", &long, || opened(text)).unwrap();
            assert_eq!(got.secret().expose(), text);
        }
    }

    #[test]
    fn no_more_are_kept_than_there_may_be() {
        let all = Opened::default();
        for number in 0..=MAX_OPENED {
            all.get("ASIAONE", &number.to_string(), || opened("secret")).unwrap();
        }
        assert!(all.secrets.read().unwrap().len() <= MAX_OPENED);
    }
}
