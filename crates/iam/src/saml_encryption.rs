//! Whether a SAML provider's assertions are encrypted, and the private keys that open them (IAM user guide,
//! `troubleshoot_saml`, for what is refused and in which words).

use daypass_core::federation::saml::DecryptionKey;
use daypass_core::model::iam::{AssertionEncryptionModeType, SAMLPrivateKey};
use daypass_core::store::records::{AssertionEncryption, SamlPrivateKey, SamlProvider, Sealed};
use daypass_core::{Cx, Error, Purpose, Secret};

use crate::fault::{invalid_input, limit_exceeded};
use crate::pem;

/// Two, so that one takes over from the other (IAM API reference, UpdateSAMLProvider).
const MAX_KEYS: usize = 2;

/// What is to change.
pub(crate) struct Changes {
    pub(crate) mode: Option<AssertionEncryptionModeType>,
    /// PEM.
    pub(crate) add: Option<Secret<String>>,
    /// The key's id.
    pub(crate) remove: Option<String>,
}

impl Changes {
    /// Whether nothing is.
    pub(crate) fn is_empty(&self) -> bool {
        self.mode.is_none() && self.add.is_none() && self.remove.is_none()
    }

    /// Makes the changes, all or none.
    ///
    /// # Errors
    /// AWS's refusals.
    pub(crate) fn make(self, cx: &Cx, provider: &mut SamlProvider) -> Result<(), Error> {
        let keys = match (self.add, self.remove) {
            (None, None) => provider.private_keys.clone(),
            (Some(text), None) => with(cx, provider, &text)?,
            (None, Some(id)) => without(provider, &id)?,
            (Some(_), Some(_)) => {
                let words = "Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.";
                return Err(invalid_input(words).into());
            }
        };
        let mode = match self.mode {
            Some(AssertionEncryptionModeType::Required) => Some(AssertionEncryption::Required),
            Some(AssertionEncryptionModeType::Allowed) => Some(AssertionEncryption::Allowed),
            // A key that is added opens what may be encrypted, if nothing else is said.
            None if !keys.is_empty() => provider.encryption.or(Some(AssertionEncryption::Allowed)),
            None => provider.encryption,
        };
        if mode == Some(AssertionEncryption::Required) && keys.is_empty() {
            return Err(invalid_input(match provider.private_keys.is_empty() {
                true => {
                    "Unable to set assertion encryption mode to Required because no private key is provided."
                }
                false => "Failed to remove private key.",
            })
            .into());
        }
        (provider.encryption, provider.private_keys) = (mode, keys);
        Ok(())
    }
}

/// The provider's keys and one more.
fn with(cx: &Cx, provider: &SamlProvider, text: &Secret<String>) -> Result<Vec<SamlPrivateKey>, Error> {
    if provider.private_keys.len() >= MAX_KEYS {
        return Err(limit_exceeded("Private key limit of 2 is reached.").into());
    }
    let block = pem::blocks(text.expose()).and_then(|mut found| found.pop().filter(|_| found.is_empty()));
    let block = block.map(|(label, der)| (label, Secret::new(der)));
    let pkcs8 = block.and_then(|(label, der)| DecryptionKey::import(&label, der.expose()).ok());
    let pkcs8 = pkcs8.ok_or_else(|| invalid_input("Invalid private key."))?;
    // ids of 22 letters and more (IAM API reference, SAMLPrivateKey)
    let id = cx.ids().unique_id("ASAMK");
    let context = SamlPrivateKey::seal_context(&provider.account, &id);
    let private = Sealed(cx.state().ring.seal(Purpose::Record, context.as_bytes(), &pkcs8)?);
    let added = SamlPrivateKey { id, private, added: cx.now().truncated() };
    Ok(provider.private_keys.iter().cloned().chain([added]).collect())
}

/// The provider's keys but that one.
fn without(provider: &SamlProvider, id: &str) -> Result<Vec<SamlPrivateKey>, Error> {
    let rest: Vec<_> = provider.private_keys.iter().filter(|key| key.id != id).cloned().collect();
    if rest.len() == provider.private_keys.len() {
        let words = "Failed to remove private key because the Key ID does not match a private key.";
        return Err(invalid_input(words).into());
    }
    Ok(rest)
}

/// The mode, if one was ever set.
pub(crate) fn shown_mode(provider: &SamlProvider) -> Option<AssertionEncryptionModeType> {
    provider.encryption.map(|mode| match mode {
        AssertionEncryption::Required => AssertionEncryptionModeType::Required,
        AssertionEncryption::Allowed => AssertionEncryptionModeType::Allowed,
    })
}

/// What may be known of the keys.
pub(crate) fn shown_keys(provider: &SamlProvider) -> Option<Vec<SAMLPrivateKey>> {
    let shown =
        |key: &SamlPrivateKey| SAMLPrivateKey { key_id: Some(key.id.clone()), timestamp: Some(key.added) };
    let keys = &provider.private_keys;
    (!keys.is_empty()).then(|| keys.iter().map(shown).collect())
}
