//! Where records stand: paths of parts, in one order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A record's place, as `iam/123456789012/role/app`. A part may hold any text: the separator is escaped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(String);

/// The places of all records that share their first parts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Prefix(String);

impl Key {
    /// The key of these parts.
    #[must_use]
    pub fn new(parts: &[&str]) -> Self {
        Self(join(parts))
    }

    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it stands in the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, unescaped.
    pub fn parts(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').map(|part| part.replace("%2F", "/").replace("%25", "%"))
    }

    /// The last part, unescaped.
    #[must_use]
    pub fn last(&self) -> String {
        self.parts().last().unwrap_or_default()
    }
}

impl Prefix {
    /// The prefix of these parts; keys below it have at least one more.
    #[must_use]
    pub fn new(parts: &[&str]) -> Self {
        Self(join(parts) + "/")
    }

    /// Whether the key is below it.
    #[must_use]
    pub fn holds(&self, key: &Key) -> bool {
        key.0.starts_with(&self.0)
    }

    pub(crate) fn start(&self) -> &str {
        &self.0
    }

    /// The first text after everything below it: the separator counted up.
    pub(crate) fn end(&self) -> String {
        let mut end = self.0.clone();
        end.pop();
        end.push('0');
        end
    }
}

fn join(parts: &[&str]) -> String {
    let escaped: Vec<String> = parts.iter().map(|p| p.replace('%', "%25").replace('/', "%2F")).collect();
    escaped.join("/")
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_whatever_they_hold() {
        for parts in [&["a", "b/c", "%2F", ""][..], &["/", "//"], &["%", "%25"]] {
            assert_eq!(Key::new(parts).parts().collect::<Vec<_>>(), parts);
        }
    }

    #[test]
    fn a_prefix_holds_what_is_below_it_and_nothing_else() {
        let prefix = Prefix::new(&["iam", "role"]);
        for (parts, held) in [
            (&["iam", "role", "a"][..], true),
            (&["iam", "role", "a", "b"], true),
            (&["iam", "role"], false),
            (&["iam", "roles", "a"], false),
            (&["iam", "role/a"], false),
        ] {
            let key = Key::new(parts);
            assert_eq!(prefix.holds(&key), held, "{key:?}");
            let between = key.as_str() >= prefix.start() && key.as_str() < prefix.end().as_str();
            assert_eq!(between, held, "{key:?}");
        }
    }
}
