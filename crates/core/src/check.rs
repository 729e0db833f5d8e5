//! What an operation asks to be allowed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use daypass_model::AccountId;
use daypass_policy::PolicySet;
use daypass_store::records::Tag;

/// One or more questions that must all be answered with yes before an operation runs; or none, for a reason.
pub struct Checks {
    pub(crate) list: Vec<Check>,
}

impl Checks {
    /// No question: being somebody is enough. The reason is for the reader of the code.
    #[must_use]
    pub fn authenticated_only(_reason: &'static str) -> Self {
        Self { list: vec![] }
    }

    /// One more question.
    #[must_use]
    pub fn and(mut self, check: Check) -> Self {
        self.list.push(check);
        self
    }

    /// The questions of both.
    #[must_use]
    pub fn and_those_of(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        self
    }

    /// More questions.
    #[must_use]
    pub fn and_all(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.list.extend(checks);
        self
    }
}

impl IntoIterator for Checks {
    type Item = Check;
    type IntoIter = std::vec::IntoIter<Check>;

    /// The questions, to ask them once more with the policy of somebody else.
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl From<Check> for Checks {
    fn from(check: Check) -> Self {
        Self { list: vec![check] }
    }
}

/// May the caller do this to that, under these circumstances?
#[derive(Clone)]
pub struct Check {
    pub(crate) action: &'static str,
    pub(crate) resource: String,
    pub(crate) account: Option<AccountId>,
    pub(crate) owner: Option<AccountId>,
    pub(crate) keys: Vec<(Cow<'static, str>, Values)>,
    pub(crate) guard: Guard,
}

/// The values of a condition key.
#[derive(Clone)]
pub(crate) enum Values {
    Text(String),
    Number(i64),
    Flag(bool),
    Time(daypass_model::Timestamp),
    List(Vec<String>),
}

/// The policy of the resource itself.
#[derive(Clone, Default)]
pub enum Guard {
    /// It has none.
    #[default]
    None,
    /// It grants on its own, as a bucket's.
    Grants(Arc<PolicySet>),
    /// The trust policy of a role.
    Trust(Arc<PolicySet>),
    /// One without which nobody may, as a key's.
    Required(Arc<PolicySet>),
}

impl Check {
    /// The question as it is; or, if tags differ in case alone (`Team` and `team`), once for each that a policy may mean,
    /// for condition keys have no case. All have to be allowed: a tag that somebody adds neither gives what another
    /// would not, nor takes away what another forbids.
    pub(crate) fn readings(&self) -> Vec<Cow<'_, Self>> {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (key, _)) in self.keys.iter().enumerate() {
            places.entry(key.to_ascii_lowercase()).or_default().push(at);
        }
        let most = places.values().map(Vec::len).max().unwrap_or(1);
        if most <= 1 {
            return vec![Cow::Borrowed(self)];
        }
        let reading = |number: usize| {
            let keeps = |key: &str, at: usize| {
                let places = places.get(&key.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
                places.get(number).or(places.last()) == Some(&at)
            };
            let keys = self.keys.iter().enumerate().filter(|(at, (key, _))| keeps(key, *at));
            let keys = keys.map(|(_, pair)| pair.clone()).collect();
            Cow::Owned(Self { keys, ..self.clone() })
        };
        (0..most).map(reading).collect()
    }

    /// A question about a resource by its ARN, of the caller's account unless told otherwise.
    #[must_use]
    pub fn new(action: &'static str, resource: impl Into<String>) -> Self {
        Self {
            action,
            resource: resource.into(),
            account: None,
            owner: None,
            keys: vec![],
            guard: Guard::None,
        }
    }

    /// A question about an action that has no resource: only a policy for `*` answers it.
    #[must_use]
    pub fn on_all(action: &'static str) -> Self {
        Self::new(action, "*")
    }

    /// The action that it is about.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// Whose resource it is, where it is not of the caller's account.
    #[must_use]
    pub fn of_account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Who owns it, where that is another account than the one that it is in, as of an object that another account wrote into
    /// a bucket. To its owner's principals it is of their own account: their policies alone may let them in. Whatever else
    /// holds for a resource holds by the account that it is in.
    #[must_use]
    pub fn owned_by(mut self, owner: AccountId) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The policy of the resource.
    #[must_use]
    pub fn guarded_by(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// A condition key with a text.
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.keys.push((key.into(), Values::Text(value.into())));
        self
    }

    /// A condition key with a text, if there is one.
    #[must_use]
    pub fn with_some(self, key: impl Into<Cow<'static, str>>, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// A condition key with a number.
    #[must_use]
    pub fn with_number(mut self, key: impl Into<Cow<'static, str>>, value: i64) -> Self {
        self.keys.push((key.into(), Values::Number(value)));
        self
    }

    /// A condition key that is true or false.
    #[must_use]
    pub fn with_flag(mut self, key: impl Into<Cow<'static, str>>, value: bool) -> Self {
        self.keys.push((key.into(), Values::Flag(value)));
        self
    }

    /// A condition key with a point in time.
    #[must_use]
    pub fn with_time(mut self, key: impl Into<Cow<'static, str>>, value: daypass_model::Timestamp) -> Self {
        self.keys.push((key.into(), Values::Time(value)));
        self
    }

    /// A condition key with a set of values.
    #[must_use]
    pub fn with_list(mut self, key: impl Into<Cow<'static, str>>, values: Vec<String>) -> Self {
        self.keys.push((key.into(), Values::List(values)));
        self
    }

    /// The tags that the request sets: `aws:RequestTag/…` and `aws:TagKeys`.
    #[must_use]
    pub fn request_tags<'t>(mut self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut names = vec![];
        for (key, value) in tags {
            names.push(key.to_owned());
            self = self.with(format!("aws:RequestTag/{key}"), value);
        }
        if names.is_empty() { self } else { self.with_list("aws:TagKeys", names) }
    }

    /// The tags that the resource has: `aws:ResourceTag/…` and the service's own key of the same meaning.
    #[must_use]
    pub fn resource_tags(mut self, tags: &[Tag]) -> Self {
        let own = match self.action.split(':').next() {
            Some("iam" | "sts") => Some("iam:ResourceTag"),
            Some("ec2") => Some("ec2:ResourceTag"),
            _ => None,
        };
        for tag in tags {
            self = self.with(format!("aws:ResourceTag/{}", tag.key), tag.value.clone());
            if let Some(own) = own {
                self = self.with(format!("{own}/{}", tag.key), tag.value.clone());
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(check: &Check) -> Vec<(&str, &str)> {
        check
            .keys
            .iter()
            .filter_map(|(key, value)| match value {
                Values::Text(text) => Some((key.as_ref(), text.as_str())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn tags_that_differ_in_case_alone_are_read_both_ways() {
        let plain = Check::new("ec2:StopInstances", "*").with("a", "1").with("b", "2");
        assert_eq!(plain.readings().len(), 1);
        let check = plain.with("A", "3");
        let readings = check.readings();
        let read: Vec<_> = readings.iter().map(|check| texts(check)).collect();
        assert_eq!(read, [[("a", "1"), ("b", "2")], [("b", "2"), ("A", "3")]]);
    }
}
