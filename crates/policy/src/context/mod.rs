//! The context of a request: the condition keys and their values.

mod key;
pub mod keys;
mod value;

pub use key::Key;
pub use value::Value;
pub(crate) use value::{TextBuffer, parse_bool};

/// The condition keys that a request carries. A key is either single-valued or multivalued (a set), as the service
/// that supplies it defines it; that decides which operators can test it.
///
/// ```
/// use daypass_policy::{Context, keys};
/// let mut context = Context::new();
/// context.set(keys::SECURE_TRANSPORT, true);
/// context.set("s3:prefix", "home/alice/");
/// context.set_list(keys::TAG_KEYS, ["team", "cost"]);
/// assert!(context.contains("AWS:TagKeys"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Clone, Debug)]
struct Entry<'a> {
    key: Key<'a>,
    values: Values<'a>,
}

#[derive(Clone, Debug)]
enum Values<'a> {
    Single(Value<'a>),
    List(Vec<Value<'a>>),
}

/// What a request says for a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found<'c, 'a> {
    Absent,
    Single(&'c Value<'a>),
    List(&'c [Value<'a>]),
}

impl<'a> Context<'a> {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// A context without keys, with room for some.
    pub fn with_capacity(keys: usize) -> Self {
        Self { entries: Vec::with_capacity(keys) }
    }

    /// Sets a single-valued key; whatever was set for that key before is gone.
    pub fn set(&mut self, key: impl Into<Key<'a>>, value: impl Into<Value<'a>>) {
        self.put(key.into(), Values::Single(value.into()));
    }

    /// Sets a multivalued key; an empty list is the same as no key.
    pub fn set_list<V: Into<Value<'a>>>(
        &mut self,
        key: impl Into<Key<'a>>,
        values: impl IntoIterator<Item = V>,
    ) {
        self.put(key.into(), Values::List(values.into_iter().map(Into::into).collect()));
    }

    /// Takes a key away.
    pub fn remove<'k>(&mut self, key: impl Into<Key<'k>>) {
        let key = key.into();
        self.entries.retain(|entry| entry.key != key);
    }

    /// Whether the request carries a value for the key.
    pub fn contains<'k>(&self, key: impl Into<Key<'k>>) -> bool {
        self.find(&key.into()) != Found::Absent
    }

    /// Every key with its values, in the order in which they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&Key<'a>, &[Value<'a>])> {
        self.entries.iter().map(|entry| match &entry.values {
            Values::Single(value) => (&entry.key, std::slice::from_ref(value)),
            Values::List(values) => (&entry.key, values.as_slice()),
        })
    }

    fn put(&mut self, key: Key<'a>, values: Values<'a>) {
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.values = values,
            None => self.entries.push(Entry { key, values }),
        }
    }

    pub(crate) fn find(&self, key: &Key<'_>) -> Found<'_, 'a> {
        match self.entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.values) {
            Some(Values::Single(value)) => Found::Single(value),
            Some(Values::List(values)) if !values.is_empty() => Found::List(values),
            _ => Found::Absent,
        }
    }

    /// The value of a key as a variable sees it: only single-valued keys may be variables
    /// (`reference_policies_variables`).
    pub(crate) fn variable(&self, key: &Key<'_>) -> Option<&Value<'a>> {
        match self.find(key) {
            Found::Single(value) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_whatever_its_case_and_set_once() {
        let mut context = Context::with_capacity(2);
        context.set("aws:RequestTag/Team", "red");
        context.set("AWS:requesttag/TEAM", "blue");
        assert_eq!(context.find(&Key::from("aws:RequestTag/team")), Found::Single(&Value::from("blue")));
        assert_eq!(context.iter().count(), 1);
        context.remove("aws:requesttag/team");
        assert!(!context.contains("aws:RequestTag/Team"));
    }

    #[test]
    fn an_empty_list_is_an_absent_key_and_a_list_is_no_variable() {
        let mut context = Context::new();
        context.set_list(keys::TAG_KEYS, Vec::<&str>::new());
        assert!(!context.contains(keys::TAG_KEYS));
        context.set_list(keys::TAG_KEYS, ["a"]);
        assert!(context.contains(keys::TAG_KEYS));
        assert_eq!(context.variable(&keys::TAG_KEYS), None);
    }
}
