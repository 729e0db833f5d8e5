//! What EC2 keeps: things with an id and tags, in one region of one account. Every kind is found, refused, listed and
//! asked about in the same way.

use daypass_core::model::AccountId;
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Prefix, Read, Record, StoreError};
use daypass_core::{Check, Cx, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::default_network;
use crate::filter::Listed;

/// A region of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Home {
    /// The account.
    pub(crate) account: AccountId,
    /// The region.
    pub(crate) region: String,
}

impl Home {
    /// Where a request works: its caller's account, and the region that it was signed for.
    pub(crate) fn of(cx: &Cx) -> Self {
        Self { account: cx.account(), region: cx.region().to_owned() }
    }

    /// Where the things of a kind stand.
    pub(crate) fn all(&self, kind: &str) -> Prefix {
        Prefix::new(&["ec2", self.account.as_str(), &self.region, kind])
    }

    /// Where one of them stands.
    pub(crate) fn key(&self, kind: &str, id: &str) -> Key {
        Key::new(&["ec2", self.account.as_str(), &self.region, kind, id])
    }

    /// The ARN of one of them.
    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:ec2:{}:{}:{kind}/{id}", self.region, self.account)
    }
}

/// A kind of thing.
pub(crate) struct Kind {
    /// Its name in ARNs, in tags and in the store, as `security-group`.
    pub(crate) name: &'static str,
    /// What its ids start with, as `sg`.
    pub(crate) prefix: &'static str,
    /// The code for an id that can be none of it.
    pub(crate) malformed: &'static str,
    /// The refusal of an id that nothing has.
    pub(crate) not_found: fn(&str) -> Fault,
}

impl Kind {
    /// Whether a text can be an id of this kind: 8 or 17 hexadecimal digits behind the prefix.
    pub(crate) fn may_be(&self, id: &str) -> bool {
        let digits = id.strip_prefix(self.prefix).and_then(|rest| rest.strip_prefix('-'));
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        digits.is_some_and(|d| matches!(d.len(), 8 | 17) && d.bytes().all(digit))
    }

    /// The id, if it can be one.
    pub(crate) fn check<'i>(&self, id: &'i str) -> Result<&'i str, Fault> {
        if self.may_be(id) {
            return Ok(id);
        }
        let words = format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix);
        Err(Fault::coded(self.malformed, 400, words))
    }

    /// The ARN of whatever has this id; of anything of the kind, if nothing can have it.
    pub(crate) fn arn(&self, home: &Home, id: &str) -> String {
        home.arn(self.name, if self.may_be(id) { id } else { "*" })
    }
}

/// A thing of a kind.
pub(crate) trait Resource: Record + Clone + 'static {
    /// Its kind.
    const KIND: &'static Kind;

    /// Its id, under which it is kept.
    fn id(&self) -> &str;

    /// Its tags.
    fn tags(&self) -> &[Tag];

    /// Its tags, to change.
    fn tags_mut(&mut self) -> &mut Vec<Tag>;

    /// What it is told apart by, and ordered by in a list.
    fn sort_key(&self) -> String {
        self.id().to_owned()
    }

    /// The condition keys of its kind (Service Authorization Reference, resource types of Amazon EC2).
    fn describe(&self, check: Check) -> Check {
        check
    }

    /// The thing of that id.
    fn find(tx: &impl Read, home: &Home, id: &str) -> Result<Option<Self>, StoreError> {
        tx.get(&home.key(Self::KIND.name, id))
    }

    /// All of the kind, in the order of their ids.
    fn list(tx: &impl Read, home: &Home) -> Result<Vec<Self>, StoreError> {
        tx.all(&home.all(Self::KIND.name))
    }

    /// The thing of that id, or EC2's refusal.
    fn load(tx: &impl Read, home: &Home, id: &str) -> Result<Self, Error> {
        let id = Self::KIND.check(id)?;
        Ok(Self::find(tx, home, id)?.ok_or_else(|| (Self::KIND.not_found)(id))?)
    }

    /// Those of these ids, each once; all, if no id is given.
    fn choose(tx: &impl Read, home: &Home, ids: &[String]) -> Result<Vec<Self>, Error> {
        if ids.is_empty() {
            return Ok(Self::list(tx, home)?);
        }
        let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| Self::load(tx, home, id)).collect()
    }

    /// May the caller do this to the thing of that id?
    fn ask(cx: &Cx, tx: &impl Read, action: &'static str, id: &str) -> Result<Check, StoreError> {
        let home = Home::of(cx);
        let check = ask(cx, action, Self::KIND.arn(&home, id));
        let found = match Self::find(tx, &home, id)? {
            None => default_network::find_planned(tx, &home, id)?,
            found => found,
        };
        Ok(match found {
            Some(thing) => thing.describe(check.resource_tags(thing.tags())),
            None => check,
        })
    }
}

impl<R: Resource> Listed for R {
    fn order(&self) -> String {
        self.sort_key()
    }

    fn tags(&self) -> &[Tag] {
        Resource::tags(self)
    }
}

/// A question about a thing of EC2. Every one knows its region.
pub(crate) fn ask(cx: &Cx, action: &'static str, arn: impl Into<String>) -> Check {
    Check::new(action, arn).with("ec2:Region", cx.region())
}

/// A question about an action that has no resource.
pub(crate) fn ask_all(cx: &Cx, action: &'static str) -> Check {
    ask(cx, action, "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        name: "vpc",
        prefix: "vpc",
        malformed: "InvalidVpcID.Malformed",
        not_found: |_| Fault::coded("x", 400, ""),
    };

    #[test]
    fn ids_of_both_lengths_are_ids() {
        for id in ["vpc-01234567", "vpc-0123456789abcdef0"] {
            assert!(KIND.check(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn what_can_be_no_id_is_refused_and_stands_for_all_in_a_question() {
        let home = Home { account: "123456789012".parse().unwrap(), region: "us-east-1".to_owned() };
        for id in [
            "",
            "vpc",
            "vpc-",
            "vpc-0123456",
            "vpc-0123456789ABCDEF0",
            "subnet-01234567",
            "vpc-*",
            "vpc-0123/567",
        ] {
            let refused = KIND.check(id).unwrap_err();
            assert_eq!(refused.message, format!("Invalid id: \"{id}\" (expecting \"vpc-...\")"));
            assert_eq!(KIND.arn(&home, id), "arn:aws:ec2:us-east-1:123456789012:vpc/*");
        }
    }
}
