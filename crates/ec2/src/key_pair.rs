//! Key pairs. Only public keys are kept: the private key of a pair that was made here is told once and forgotten.

mod create_key_pair;
mod delete_key_pair;
mod describe_key_pairs;
mod import_key_pair;
mod material;

use daypass_core::model::Timestamp;
use daypass_core::model::ec2::{self, KeyPairInfo, errors};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Read, Record, StoreError};
use daypass_core::{Check, Cx, Entry, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::resource::{Home, Kind, Resource, ask};
use crate::{fault, tag};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &create_key_pair::CREATE_KEY_PAIR,
    &delete_key_pair::DELETE_KEY_PAIR,
    &describe_key_pairs::DESCRIBE_KEY_PAIRS,
    &import_key_pair::IMPORT_KEY_PAIR,
];

/// So many a region may have (Service Quotas of Amazon EC2).
const MAX_KEY_PAIRS: usize = 5000;
/// The longest name.
const MAX_NAME: usize = 255;

/// A key pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyPair {
    home: Home,
    id: String,
    pub(crate) name: String,
    kind: Algorithm,
    fingerprint: String,
    /// As in `authorized_keys`.
    pub(crate) public_key: String,
    created: Timestamp,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Algorithm {
    Rsa,
    Ed25519,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl Record for KeyPair {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for KeyPair {
    const KIND: &'static Kind = &Kind {
        name: "key-pair",
        prefix: "key",
        malformed: "InvalidParameterValue",
        not_found: |id| {
            let words = format!("The key pair ID '{id}' does not exist");
            Fault::new(&errors::INVALID_KEY_PAIR_NOT_FOUND, words)
        },
    };

    fn id(&self) -> &str {
        &self.id
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }

    fn sort_key(&self) -> String {
        self.name.clone()
    }

    fn describe(&self, check: Check) -> Check {
        check.with("ec2:KeyPairName", self.name.clone()).with("ec2:KeyPairType", self.kind.name())
    }

    /// Key pairs have their names in their ARNs.
    fn ask(cx: &Cx, tx: &impl Read, action: &'static str, id: &str) -> Result<Check, StoreError> {
        let home = Home::of(cx);
        Ok(match Self::find(tx, &home, id)? {
            Some(pair) => pair.ask_about(cx, action),
            None => ask(cx, action, home.arn(Self::KIND.name, "*")),
        })
    }
}

impl KeyPair {
    /// The key pair of that name.
    pub(crate) fn named(tx: &impl Read, home: &Home, name: &str) -> Result<Option<Self>, StoreError> {
        Ok(Self::list(tx, home)?.into_iter().find(|pair| pair.name == name))
    }

    /// The refusal of a name that no key pair has.
    pub(crate) fn unknown(name: &str) -> Fault {
        Fault::new(&errors::INVALID_KEY_PAIR_NOT_FOUND, format!("The key pair '{name}' does not exist"))
    }

    /// May the caller do this with the key pair of that name?
    pub(crate) fn ask_named(
        cx: &Cx,
        tx: &impl Read,
        action: &'static str,
        name: &str,
    ) -> Result<Check, StoreError> {
        let home = Home::of(cx);
        Ok(match Self::named(tx, &home, name)? {
            Some(pair) => pair.ask_about(cx, action),
            None => ask(cx, action, home.arn(Self::KIND.name, name)),
        })
    }

    fn ask_about(&self, cx: &Cx, action: &'static str) -> Check {
        let check = ask(cx, action, self.home.arn(Self::KIND.name, &self.name));
        self.describe(check.resource_tags(&self.tags))
    }

    fn describe_as(&self, with_public_key: bool) -> KeyPairInfo {
        KeyPairInfo {
            key_pair_id: Some(self.id.clone()),
            key_type: Some(match self.kind {
                Algorithm::Rsa => ec2::KeyType::Rsa,
                Algorithm::Ed25519 => ec2::KeyType::Ed25519,
            }),
            tags: Some(tag::all(&self.tags)),
            public_key: Some(self.public_key.clone()).filter(|_| with_public_key),
            create_time: Some(self.created),
            key_name: Some(self.name.clone()),
            key_fingerprint: Some(self.fingerprint.clone()),
        }
    }
}

/// Refuses a name that no new key pair can have.
fn check_name(tx: &impl Read, home: &Home, name: &str) -> Result<(), Error> {
    if name.is_empty() || name.len() > MAX_NAME || !name.is_ascii() || name.trim() != name {
        let why = "It must be up to 255 ASCII characters, without leading or trailing spaces.";
        return Err(fault::invalid_parameter(name, "keyName", why).into());
    }
    let pairs = KeyPair::list(tx, home)?;
    if pairs.iter().any(|pair| pair.name == name) {
        let words = format!("The keypair '{name}' already exists.");
        return Err(Fault::new(&errors::INVALID_KEY_PAIR_DUPLICATE, words).into());
    }
    if pairs.len() >= MAX_KEY_PAIRS {
        return Err(fault::coded(
            "KeyPairLimitExceeded",
            "The maximum number of key pairs has been reached.",
        )
        .into());
    }
    Ok(())
}
