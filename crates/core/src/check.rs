//! What an operation asks to be allowed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use daypass_model::AccountId;
use daypass_policy::{Key, PolicySet};
use daypass_store::records::Tag;

/// The most condition keys of one question: an encryption context has 4161 at most. Beyond that it is not asked, which denies
/// it: each key is looked for among all of them, for callers too who may do nothing.
const MAX_KEYS: usize = 5_000;
/// The most that the readings of one question have together: those of fifty tags, each of which is spelt in fifty ways, twice
/// over.
const MAX_KEYS_OF_READINGS: usize = 10_000;

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
    pub(crate) through: Option<Arc<Through>>,
    /// Whether it has more condition keys, or readings, than are asked about.
    pub(crate) is_unclear: bool,
}

/// A resource of its own that a request came through, as an access point of S3: it has to be allowed there too.
pub(crate) struct Through {
    resource: String,
    account: AccountId,
    guard: Guard,
    tags: Vec<Tag>,
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
    fn spellings(&self) -> Vec<Cow<'_, Self>> {
        let unclear = || vec![Cow::Owned(Self { is_unclear: true, ..self.with_keys(vec![]) })];
        if self.keys.len() > MAX_KEYS {
            return unclear();
        }
        let mut spelt: HashMap<Key<'_>, usize> = HashMap::with_capacity(self.keys.len());
        let mut places = Vec::with_capacity(self.keys.len());
        for (key, _) in &self.keys {
            let key = Key::from(key.as_ref());
            let count = spelt.entry(key.clone()).or_default();
            places.push((key, *count));
            *count += 1;
        }
        let most = spelt.values().copied().max().unwrap_or(1);
        if most <= 1 {
            return vec![Cow::Borrowed(self)];
        }
        if most.saturating_mul(self.keys.len()) > MAX_KEYS_OF_READINGS {
            return unclear();
        }
        let reading = |number: usize| {
            let keeps = |(key, place): &(Key<'_>, usize)| {
                let last = spelt.get(key).map_or(0, |count| count.saturating_sub(1));
                *place == number.min(last)
            };
            let kept = self.keys.iter().zip(&places).filter(|(_, place)| keeps(place));
            Cow::Owned(self.with_keys(kept.map(|(pair, _)| pair.clone()).collect()))
        };
        (0..most).map(reading).collect()
    }

    /// The same question with these condition keys.
    fn with_keys(&self, keys: Vec<(Cow<'static, str>, Values)>) -> Self {
        Self {
            action: self.action,
            resource: self.resource.clone(),
            account: self.account.clone(),
            owner: self.owner.clone(),
            keys,
            guard: self.guard.clone(),
            through: self.through.clone(),
            is_unclear: self.is_unclear,
        }
    }

    /// All that has to be answered with yes: the question of what the request came through, if it did, and this one.
    pub(crate) fn readings(&self) -> Vec<Cow<'_, Self>> {
        let Some(through) = &self.through else { return self.spellings() };
        let door = Self {
            action: self.action,
            resource: through.resource.clone(),
            account: Some(through.account.clone()),
            owner: None,
            // It has tags of its own.
            keys: self.keys.iter().filter(|(key, _)| !key.starts_with("aws:ResourceTag/")).cloned().collect(),
            guard: through.guard.clone(),
            through: None,
            is_unclear: false,
        };
        let door = door.resource_tags(&through.tags);
        let mut all: Vec<_> =
            door.spellings().into_iter().map(|reading| Cow::Owned(reading.into_owned())).collect();
        all.extend(self.spellings());
        all
    }

    /// The resources that are asked about.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        let through = self.through.iter().map(|through| through.resource.as_str());
        through.chain([self.resource.as_str()])
    }

    /// The request came through a resource of an account's, which has a policy and tags of its own. The same action has to be
    /// allowed there as well, under the same circumstances.
    #[must_use]
    pub fn through(
        mut self,
        resource: impl Into<String>,
        account: AccountId,
        guard: Guard,
        tags: &[Tag],
    ) -> Self {
        let (resource, tags) = (resource.into(), tags.to_vec());
        self.through = Some(Arc::new(Through { resource, account, guard, tags }));
        self
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
            through: None,
            is_unclear: false,
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

    #[test]
    fn keys_are_the_same_where_policies_take_them_for_the_same() {
        let beyond_ascii = Check::new("kms:Encrypt", "*").with("ä", "1").with("Ä", "2");
        assert_eq!(beyond_ascii.readings().len(), 1);
        let mut context = daypass_policy::Context::new();
        context.set("ä", "1");
        context.set("Ä", "2");
        assert_eq!(context.iter().count(), 2);
    }

    #[test]
    fn what_has_too_many_keys_or_readings_has_one_that_is_not_asked() {
        let named = |count: usize| (0..count).map(|number| (number, format!("k{number}")));
        let check = |spellings: usize, others: usize| {
            let check = named(spellings).fold(Check::new("kms:Encrypt", "*"), |check, (number, _)| {
                let letter = |bit: usize| if number >> bit & 1 == 1 { 'A' } else { 'a' };
                check.with((0..8).map(letter).collect::<String>(), "x")
            });
            named(others).fold(check, |check, (_, name)| check.with(name, "x"))
        };
        for (spellings, others, readings, asked) in [
            (1, 4999, 1, true),
            (1, 5000, 1, false),
            (2, 4998, 2, true),
            (2, 4999, 1, false),
            (50, 150, 50, true),
            (50, 151, 1, false),
            (101, 0, 1, false),
        ] {
            let check = check(spellings, others);
            let read = check.readings();
            assert_eq!(read.len(), readings, "{spellings} {others}");
            assert!(read.iter().all(|check| check.is_unclear != asked), "{spellings} {others}");
        }
    }
}
