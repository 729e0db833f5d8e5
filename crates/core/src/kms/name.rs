//! How requests name keys: by id, by ARN, by an alias or its ARN (KMS developer guide, "Key identifiers (KeyId)").

use std::sync::Arc;

use daypass_model::{AccountId, Timestamp};
use daypass_store::{Key as Place, Prefix, Read, Record, StoreError};
use serde::{Deserialize, Serialize};

use super::key::{self, Key};
use crate::Cx;

/// A name for a key, which can come to stand for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// Whose it is.
    pub account: AccountId,
    /// Where it is.
    pub region: String,
    /// `alias/…`.
    pub name: String,
    /// The id of the key that it stands for, of the same account and region.
    pub key_id: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last came to stand for another key.
    pub updated: Timestamp,
}

impl Alias {
    /// Where the alias of that name stands.
    #[must_use]
    pub fn key_of(account: &AccountId, region: &str, name: &str) -> Place {
        Place::new(&["kms", "alias", account.as_str(), region, name])
    }

    /// Where an account's aliases of a region stand.
    #[must_use]
    pub fn all(account: &AccountId, region: &str) -> Prefix {
        Prefix::new(&["kms", "alias", account.as_str(), region])
    }

    /// `arn:aws:kms:us-east-1:123456789012:alias/…`.
    #[must_use]
    pub fn arn(&self) -> String {
        arn(&self.account, &self.region, &self.name)
    }
}

impl Record for Alias {
    fn key(&self) -> Place {
        Self::key_of(&self.account, &self.region, &self.name)
    }
}

fn arn(account: &AccountId, region: &str, name: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{name}")
}

/// There is no such key; in KMS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// What names nothing.
    Name(String),
    /// An alias, by its ARN.
    Alias(String),
    /// A key, by its ARN.
    Key(String),
}

impl Missing {
    /// As KMS says it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Name(text) if text.starts_with("arn:") => format!("Invalid arn {text}"),
            Self::Name(text) => format!("Invalid keyId '{text}'"),
            Self::Alias(arn) => format!("Alias {arn} is not found."),
            Self::Key(arn) => format!("Key '{arn}' does not exist"),
        }
    }
}

/// A key as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    account: AccountId,
    region: String,
    /// `alias/…`, or an id.
    text: String,
}

impl Name {
    /// Reads what a request says, in the caller's account and the request's region where it says no other.
    ///
    /// # Errors
    /// What can name no key.
    pub fn parse(cx: &Cx, text: &str) -> Result<Self, Missing> {
        Self::within(cx.account(), cx.region(), text)
    }

    /// The key of an ARN that is kept: of whatever region.
    ///
    /// # Errors
    /// If it is none.
    pub fn of_arn(arn: &str) -> Result<Self, Missing> {
        let mut parts = arn.split(':').skip(3);
        match (parts.next(), parts.next().map(str::parse)) {
            (Some(region), Some(Ok(account))) => Self::within(account, region, arn),
            _ => Err(Missing::Name(arn.to_owned())),
        }
    }

    /// Reads a name that is meant in an account and a region where it says no other; a region that it says has to be that one.
    ///
    /// # Errors
    /// What can name no key.
    pub fn within(account: AccountId, region: &str, text: &str) -> Result<Self, Missing> {
        let wrong = || Missing::Name(text.to_owned());
        let (account, name) = match text.strip_prefix("arn:") {
            None => (account, text),
            Some(rest) => {
                let mut parts = rest.splitn(5, ':');
                let mut next = || parts.next().ok_or_else(wrong);
                let (partition, service, of, account, name) = (next()?, next()?, next()?, next()?, next()?);
                if (partition, service, of) != ("aws", "kms", region) {
                    return Err(wrong());
                }
                let account = account.parse().map_err(|_| wrong())?;
                let id = name.strip_prefix("key/").filter(|id| is_id(id));
                (account, id.or(Some(name).filter(|name| is_alias(name))).ok_or_else(wrong)?)
            }
        };
        if !is_alias(name) && !is_id(name) {
            return Err(wrong());
        }
        Ok(Self { account, region: region.to_owned(), text: name.to_owned() })
    }

    /// The alias that it was named by.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| is_alias(text))
    }

    /// The ARN that it comes to, of the key or of the alias.
    #[must_use]
    pub fn arn(&self) -> String {
        match self.alias() {
            Some(alias) => arn(&self.account, &self.region, alias),
            None => key::arn(&self.account, &self.region, &self.text),
        }
    }

    /// The account that it is in.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The key, as a transaction sees it.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find(&self, read: &impl Read, now: Timestamp) -> Result<Result<Key, Missing>, StoreError> {
        let id = match self.alias() {
            None => Some(self.text.clone()),
            Some(alias) => {
                let place = Alias::key_of(&self.account, &self.region, alias);
                read.get::<Alias>(&place)?.map(|alias| alias.key_id)
            }
        };
        let Some(id) = id else { return Ok(Err(self.missing())) };
        let key = read.get::<Key>(&Key::key_of(&self.account, &self.region, &id))?;
        Ok(key.filter(|key| !key.is_gone(now)).ok_or_else(|| self.missing()))
    }

    /// The key, as the last commit left it: for operations over streams.
    ///
    /// # Errors
    /// If the store fails.
    pub fn kept(&self, cx: &Cx) -> Result<Result<Arc<Key>, Missing>, StoreError> {
        let kept = &cx.state().kept;
        let id = match self.alias() {
            None => Some(self.text.clone()),
            Some(alias) => {
                let place = Alias::key_of(&self.account, &self.region, alias);
                kept.get::<Alias>(&place)?.map(|alias| alias.key_id.clone())
            }
        };
        let Some(id) = id else { return Ok(Err(self.missing())) };
        let key = kept.get::<Key>(&Key::key_of(&self.account, &self.region, &id))?;
        Ok(key.filter(|key| !key.is_gone(cx.now())).ok_or_else(|| self.missing()))
    }

    fn missing(&self) -> Missing {
        if self.alias().is_some() { Missing::Alias(self.arn()) } else { Missing::Key(self.arn()) }
    }
}

fn is_alias(text: &str) -> bool {
    text.strip_prefix("alias/").is_some_and(|name| !name.is_empty())
}

fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn a_key_is_named_in_four_ways() {
        let name = |text: &str| Name::within("123456789012".parse().unwrap(), "us-east-1", text);
        let key = format!("arn:aws:kms:us-east-1:123456789012:key/{ID}");
        let other = format!("arn:aws:kms:us-east-1:999988887777:key/{ID}");
        let alias = "arn:aws:kms:us-east-1:123456789012:alias/a/b";
        for (text, arn) in [(ID, &*key), (&key, &key), (&other, &other), ("alias/a/b", alias), (alias, alias)]
        {
            assert_eq!(name(text).unwrap().arn(), arn, "{text}");
        }
        let upper = ID.to_uppercase();
        let abroad = key.replace("us-east-1", "eu-west-1");
        let of_iam = key.replace("kms", "iam");
        let as_key = key.replace(ID, "alias/a");
        let without_kind = key.replace("key/", "");
        for text in [
            "",
            "alias/",
            "x",
            &upper,
            &abroad,
            &of_iam,
            &as_key,
            &without_kind,
            "arn:aws:kms:us-east-1:1:key/x",
            "arn:",
        ] {
            assert_eq!(name(text), Err(Missing::Name(text.to_owned())));
        }
    }
}
