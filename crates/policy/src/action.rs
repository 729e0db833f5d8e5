//! Actions (`s3:GetObject`) and the patterns of `Action` elements.

use crate::context::Context;
use crate::pattern::{Fit, Glob, Syntax};
use std::fmt;

/// The longest action that is taken, in bytes; AWS's longest has some eighty.
const MAX_ACTION_BYTES: usize = 128;

/// A text that is not an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an action: it needs a service, a colon and a name, of at most 128 bytes together")]
pub struct InvalidAction(Box<str>);

/// The action that a request asks for, `s3:GetObject`. Both parts are compared without regard to case
/// (`reference_policies_elements_action`).
#[derive(Clone, Copy)]
pub struct Action<'a> {
    text: &'a str,
    lower: [u8; MAX_ACTION_BYTES],
    colon: usize,
}

impl<'a> Action<'a> {
    /// Reads `service:Name`.
    ///
    /// # Errors
    /// Where there is not exactly one colon, where a part is empty, and where the text is longer than 128 bytes.
    pub fn new(text: &'a str) -> Result<Self, InvalidAction> {
        let invalid = || InvalidAction(text.chars().take(MAX_ACTION_BYTES).collect::<String>().into());
        let (service, name) = text.split_once(':').ok_or_else(invalid)?;
        if service.is_empty() || name.is_empty() || name.contains(':') {
            return Err(invalid());
        }
        let mut lower = [0; MAX_ACTION_BYTES];
        let room = lower.get_mut(..text.len()).ok_or_else(invalid)?;
        room.copy_from_slice(text.as_bytes());
        room.make_ascii_lowercase();
        Ok(Self { text, lower, colon: service.len() })
    }

    /// The action as it was given.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The whole action in lower case, `s3:getobject`.
    pub(crate) fn lower(&self) -> &[u8] {
        self.lower.get(..self.text.len()).unwrap_or_default()
    }

    /// The service's prefix in lower case, `s3`.
    pub(crate) fn service(&self) -> &[u8] {
        self.lower.get(..self.colon).unwrap_or_default()
    }

    /// The name in lower case, `getobject`.
    pub(crate) fn name(&self) -> &[u8] {
        self.lower.get(self.colon + 1..self.text.len()).unwrap_or_default()
    }

    /// The name as text.
    pub(crate) fn name_text(&self) -> &str {
        // The text is UTF-8, is cut beside its colon, and lowering ASCII letters keeps it UTF-8.
        std::str::from_utf8(self.name()).unwrap_or_default()
    }
}

impl fmt::Debug for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// One entry of an `Action` or `NotAction` element.
#[derive(Debug)]
pub(crate) enum ActionPattern {
    /// `*`, and `*:*`, which IAM takes for the same.
    Any,
    Named {
        /// The service's prefix in lower case.
        service: Box<str>,
        /// The pattern of the name as text, in lower case.
        text: Box<str>,
        /// The pattern of the name, in lower case.
        name: Box<Glob>,
    },
    /// What has no service, or a wildcard in it: nobody can say what it was meant to cover.
    Unclear,
}

impl ActionPattern {
    pub(crate) fn new(text: &str) -> Self {
        if text == "*" || text == "*:*" {
            return Self::Any;
        }
        let lower = text.to_ascii_lowercase();
        let Some((service, text)) = lower.split_once(':') else { return Self::Unclear };
        let syntax = Syntax { wildcards: true, variables: false };
        match Glob::new(text, syntax) {
            Ok(name) if !service.is_empty() && !service.contains(['*', '?']) => {
                Self::Named { service: service.into(), text: text.into(), name: Box::new(name) }
            }
            _ => Self::Unclear,
        }
    }

    pub(crate) fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear)
    }

    /// Whether the action matches; `None` where nobody can say.
    pub(crate) fn matches(&self, action: &Action<'_>) -> Option<bool> {
        match self {
            Self::Any => Some(true),
            Self::Named { service, name, .. } => {
                let same_service = service.as_bytes() == action.service();
                Some(same_service && name.fit(action.name_text(), &Context::new()) == Fit::Yes)
            }
            Self::Unclear => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_has_a_service_and_a_name() {
        let action = Action::new("S3:GetObject").unwrap();
        assert_eq!(
            (action.service(), action.name_text(), action.as_str()),
            (&b"s3"[..], "getobject", "S3:GetObject")
        );
        let long = format!("s3:{}", "x".repeat(126));
        for text in ["", "s3", ":", "s3:", ":Get", "s3:Get:Object", "*", &long] {
            assert!(Action::new(text).is_err(), "{text}");
        }
        assert!(Action::new(&format!("s3:{}", "x".repeat(125))).is_ok());
    }

    #[test]
    fn patterns_match_as_the_guide_says() {
        for (pattern, action, expected) in [
            ("*", "s3:GetObject", Some(true)),
            ("*:*", "s3:GetObject", Some(true)),
            ("s3:getobject", "S3:GETOBJECT", Some(true)),
            ("iam:*AccessKey*", "iam:ListAccessKeys", Some(true)),
            ("iam:*AccessKey*", "iam:CreateUser", Some(false)),
            ("s3:Get??????", "s3:GetBucket", Some(true)),
            ("s3:Get???", "s3:GetBuckets", Some(false)),
            ("ec2:*", "s3:GetObject", Some(false)),
            ("s3:", "s3:GetObject", Some(false)),
            ("s3:${aws:username}", "s3:GetObject", Some(false)),
            ("*:GetObject", "s3:GetObject", None),
            ("s*:GetObject", "s3:GetObject", None),
            ("GetObject", "s3:GetObject", None),
            ("", "s3:GetObject", None),
        ] {
            let action = Action::new(action).unwrap();
            assert_eq!(ActionPattern::new(pattern).matches(&action), expected, "{pattern}");
        }
    }
}
