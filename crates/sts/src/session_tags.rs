//! Session tags that an identity provider gives: in claims of a token, or in attributes of an assertion (IAM user guide,
//! `id_session-tags`).

use daypass_core::federation::Claims;
use serde_json::Value;

/// The claim with both lists, and what names begin with where each stands for itself.
const CLAIM: &str = "https://aws.amazon.com/tags";
/// Tags of a session (IAM user guide, `reference_iam-quotas`).
const MAX_TAGS: usize = 50;
/// Characters of a key.
const MAX_KEY: usize = 128;
/// Characters of a value.
const MAX_VALUE: usize = 256;

/// Tags that a provider gives, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClaimedTags {
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) transitive: Vec<String>,
}

impl ClaimedTags {
    /// Checks tags as those of a request are: none twice without regard to case, none of AWS's own, within the limits.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(self) -> Result<Self, String> {
        if self.tags.len() > MAX_TAGS {
            return Err(format!("The token has more than {MAX_TAGS} session tags"));
        }
        for (at, (key, value)) in self.tags.iter().enumerate() {
            let lower = key.to_lowercase();
            let fits = (1..=MAX_KEY).contains(&key.chars().count()) && value.chars().count() <= MAX_VALUE;
            let plain = |text: &str| text.chars().all(is_tag_character);
            if !fits || !plain(key) || !plain(value) || lower.starts_with("aws:") {
                return Err("The token has a session tag that is not valid".to_owned());
            }
            if self.tags.iter().skip(at + 1).any(|(other, _)| other.to_lowercase() == lower) {
                return Err(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned()
                );
            }
        }
        let known = |key: &String| self.tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(key));
        if !self.transitive.iter().all(known) {
            return Err("The specified transitive tag key must be included in the requested tags.".to_owned());
        }
        Ok(self)
    }
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]` of the model.
fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || (!c.is_ascii() && c.is_whitespace()) || "_.:/=+-@".contains(c)
}

/// The tags of a web identity token: in one claim with `principal_tags` and `transitive_tag_keys`, or each in a claim of its
/// own below that name.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn of_claims(claims: &Claims) -> Result<ClaimedTags, String> {
    let wrong = || "The token's session tags are not valid".to_owned();
    let mut found = ClaimedTags::default();
    if let Some(claim) = claims.get(CLAIM) {
        let claim = claim.as_object().ok_or_else(wrong)?;
        match claim.get("principal_tags") {
            None => {}
            Some(Value::Object(tags)) => {
                for (key, value) in tags {
                    found.tags.push((key.clone(), one_text(value).ok_or_else(wrong)?));
                }
            }
            Some(_) => return Err(wrong()),
        }
        if let Some(keys) = claim.get("transitive_tag_keys") {
            found.transitive.extend(texts(keys).ok_or_else(wrong)?);
        }
    }
    for (name, value) in claims.iter() {
        let Some(rest) = name.strip_prefix(CLAIM).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if let Some(key) = rest.strip_prefix("principal_tags/") {
            found.tags.push((key.to_owned(), one_text(value).ok_or_else(wrong)?));
        } else if rest == "transitive_tag_keys" {
            found.transitive.extend(texts(value).ok_or_else(wrong)?);
        }
    }
    found.check()
}

/// A text, or a list of one.
fn one_text(value: &Value) -> Option<String> {
    match texts(value)?.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|i| i.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Whether a text may be a source identity (STS API reference, `SourceIdentity`).
pub(crate) fn is_source_identity(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    (2..=64).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with("aws:")
}
