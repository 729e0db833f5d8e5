//! `application/x-www-form-urlencoded` as a tree: `Tags.member.1.Key=a` is a path of names to a text.

use std::collections::BTreeMap;

use thiserror::Error;

/// The deepest path that is read; EC2's deepest parameter has nine names.
const MAX_DEPTH: usize = 24;
/// The most parameters that are read.
const MAX_PARAMETERS: usize = 20_000;

/// A form, or one branch of it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    value: Option<String>,
    children: BTreeMap<String, Form>,
}

/// The form cannot be read in one way only.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MalformedForm {
    /// A `%` is not followed by two hexadecimal digits, or the bytes are not UTF-8.
    #[error("a parameter is not percent-encoded UTF-8")]
    Encoding,
    /// A name stands twice; which one counts would be anybody's guess.
    #[error("the parameter `{0}` is given more than once")]
    Repeated(String),
    /// A name has too many parts.
    #[error("a parameter name has more than {MAX_DEPTH} parts")]
    Depth,
    /// There are too many parameters.
    #[error("there are more than {MAX_PARAMETERS} parameters")]
    Count,
}

impl Form {
    /// Reads a body, or a query without its question mark.
    ///
    /// # Errors
    /// If the encoding is broken, a name stands twice or a bound is passed.
    pub fn parse(text: &str) -> Result<Self, MalformedForm> {
        let mut root = Self::default();
        for (count, pair) in text.split('&').filter(|p| !p.is_empty()).enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(MalformedForm::Count);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            root.insert(&decode(name)?, decode(value)?)?;
        }
        Ok(root)
    }

    fn insert(&mut self, name: &str, value: String) -> Result<(), MalformedForm> {
        let mut node = self;
        for (depth, part) in name.split('.').enumerate() {
            if depth >= MAX_DEPTH {
                return Err(MalformedForm::Depth);
            }
            node = node.children.entry(part.to_owned()).or_default();
        }
        if node.value.is_some() {
            return Err(MalformedForm::Repeated(name.to_owned()));
        }
        node.value = Some(value);
        Ok(())
    }

    /// The branch of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.children.get(name)
    }

    /// The text of the parameter of that name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.value()
    }

    /// The text that stands here.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The branches, by their names.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.children.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// Whether nothing stands here or below.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value.is_none() && self.children.is_empty()
    }
}

/// Undoes the encoding of a form: `+` is a space, `%xx` a byte.
fn decode(text: &str) -> Result<String, MalformedForm> {
    percent_decode(text, true)
}

/// Undoes percent encoding; `+` is a space in forms and queries, itself in paths.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> Result<String, MalformedForm> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' if plus_is_space => b' ',
            b'%' => {
                let mut digit =
                    || bytes.next().and_then(|b| char::from(b).to_digit(16)).ok_or(MalformedForm::Encoding);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).map_err(|_| MalformedForm::Encoding)?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).map_err(|_| MalformedForm::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_and_values_are_decoded() {
        let form =
            Form::parse("Action=CreateRole&Tags.member.1.Key=a%2Bb&Tags.member.1.Value=c+d&Empty=").unwrap();
        let tag = form.get("Tags").and_then(|t| t.get("member")).and_then(|m| m.get("1")).unwrap();
        assert_eq!((tag.text("Key"), tag.text("Value")), (Some("a+b"), Some("c d")));
        assert_eq!(
            (form.text("Action"), form.text("Empty"), form.text("None")),
            (Some("CreateRole"), Some(""), None)
        );
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for (text, error) in [
            ("Action=A&Action=B", MalformedForm::Repeated("Action".into())),
            ("A.1=x&A%2E1=y", MalformedForm::Repeated("A.1".into())),
            ("A=%", MalformedForm::Encoding),
            ("A=%2", MalformedForm::Encoding),
            ("A=%+1", MalformedForm::Encoding),
            ("A=%ff", MalformedForm::Encoding),
        ] {
            assert_eq!(Form::parse(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(Form::parse(&"a.".repeat(30)).unwrap_err(), MalformedForm::Depth);
        let many: String = (0..=20_000).map(|i| format!("a{i}&")).collect();
        assert_eq!(Form::parse(&many).unwrap_err(), MalformedForm::Count);
    }
}
