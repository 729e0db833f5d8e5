use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Counted, Index, Indexed, Sealed, Tag};
use crate::{Key, Prefix, Record};

/// An OpenID Connect provider: whose web identity tokens an account takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProvider {
    /// Its account.
    pub account: AccountId,
    /// The issuer's URL as it was given, without `https://`: what tokens say, to the byte.
    pub name: String,
    /// The audiences whose tokens are taken.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// SHA-1 of certificates, in hexadecimal: those that may vouch for the issuer's server where no known authority does.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl OidcProvider {
    /// Where the provider of that name stands. Two names that differ in case alone would have the same condition keys.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "oidc-provider", &name.to_lowercase()])
    }

    /// Where the account's providers stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "oidc-provider"])
    }

    /// `arn:aws:iam::123456789012:oidc-provider/token.example.com/path`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:oidc-provider/{}", self.account, self.name)
    }

    /// The issuer's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.name)
    }
}

impl Record for OidcProvider {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for OidcProvider {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        Index { counts: vec![(Counted::OidcProviders, 1)], ..Index::default() }
    }
}

/// A SAML provider: whose assertions an account takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlProvider {
    /// Its account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub id: String,
    /// What describes it, as it was given: its own name, and the certificates that it signs with.
    pub metadata: String,
    /// Until when that is good, if it says so.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Whether its assertions have to be encrypted, if that was ever said.
    #[serde(default)]
    pub encryption: Option<AssertionEncryption>,
    /// What opens those that are.
    #[serde(default)]
    pub private_keys: Vec<SamlPrivateKey>,
}

/// Whether assertions have to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssertionEncryption {
    /// Others are not taken.
    Required,
    /// They may be.
    Allowed,
}

/// A private key that a provider encrypts assertions for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlPrivateKey {
    /// Its id.
    pub id: String,
    /// PKCS #8.
    pub private: Sealed,
    /// When it was added.
    pub added: Timestamp,
}

impl SamlPrivateKey {
    /// What the key of that id is sealed with.
    #[must_use]
    pub fn seal_context(account: &AccountId, id: &str) -> String {
        format!("saml key {account} {id}")
    }
}

impl SamlProvider {
    /// Where the provider of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, name: &str) -> Key {
        Key::new(&["iam", account.as_str(), "saml-provider", &name.to_lowercase()])
    }

    /// Where the account's providers stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "saml-provider"])
    }

    /// `arn:aws:iam::123456789012:saml-provider/name`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:saml-provider/{}", self.account, self.name)
    }
}

impl Record for SamlProvider {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.name)
    }
}

impl Indexed for SamlProvider {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn index(&self) -> Index {
        Index { counts: vec![(Counted::SamlProviders, 1)], ..Index::default() }
    }
}

/// A SAML assertion that was taken: it is not taken again while it is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedAssertion {
    /// The account of its provider.
    pub account: AccountId,
    /// A digest of the provider and the assertion's id.
    pub digest: String,
    /// When it would not be taken for its age.
    pub expires: Timestamp,
}

impl UsedAssertion {
    /// Where an assertion stands. By the minute that it ends in, so that old ones are found.
    #[must_use]
    pub fn key_of(account: &AccountId, expires: Timestamp, digest: &str) -> Key {
        let minute = format!("{:012}", expires.seconds().max(0) / 60);
        Key::new(&["used-assertion", account.as_str(), &minute, digest])
    }

    /// Where an account's assertions stand, the oldest first.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["used-assertion", account.as_str()])
    }
}

impl Record for UsedAssertion {
    fn key(&self) -> Key {
        Self::key_of(&self.account, self.expires, &self.digest)
    }
}

/// The account as an issuer of tokens (`iam:EnableOutboundWebIdentityFederation`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIssuer {
    /// The account.
    pub account: AccountId,
    /// What tells this issuer from others: it stays when the account stops issuing and starts again.
    pub id: String,
    /// Whether tokens are issued.
    pub enabled: bool,
    /// The keys, oldest first. The last of each algorithm signs; those before it still verify what they signed.
    pub keys: Vec<TokenKey>,
}

/// A key that tokens are signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    /// `RS256` or `ES384`.
    pub algorithm: String,
    /// The key set's entry for it, as JSON.
    pub public: String,
    /// PKCS #8.
    pub private: Sealed,
    /// When it was made.
    pub created: Timestamp,
}

impl TokenIssuer {
    /// Where an account's issuer stands.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key::new(&["iam", account.as_str(), "token-issuer"])
    }

    /// What a private key is sealed with.
    #[must_use]
    pub fn seal_context(account: &AccountId) -> String {
        format!("token key {account}")
    }
}

impl Record for TokenIssuer {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}

/// Whose issuer has an id: what the address of a key set is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIssuerId {
    /// The id.
    pub id: String,
    /// The account.
    pub account: AccountId,
}

impl TokenIssuerId {
    /// Where the owner of an id stands.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(&["token-issuer", id])
    }
}

impl Record for TokenIssuerId {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}
