//! Lists in pages, the same for every one of them: `NextToken`, `MaxResults`.
//!
//! A token says after what to go on. It is sealed for the operation and the account that it was made for, so that callers
//! learn nothing from it and cannot make one.

use daypass_core::{Cx, Error, Purpose};

use crate::fault::invalid;

/// The most items of a page, and as many as there are where the caller does not say (Organizations API reference,
/// `MaxResults`).
const PAGE: usize = 20;

/// A page of a list, by what tells its items apart, in that order; and the token of the next one.
///
/// # Errors
/// If the token was not given for this list.
pub(crate) fn page<T>(
    cx: &Cx,
    mut items: Vec<(String, T)>,
    token: Option<&str>,
    max_results: Option<i32>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let after = token.map(|token| open(cx, token)).transpose()?;
    items.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(after) = after {
        items.retain(|(key, _)| *key > after);
    }
    let most = max_results.and_then(|n| usize::try_from(n).ok()).map_or(PAGE, |n| n.clamp(1, PAGE));
    let more = items.len() > most;
    items.truncate(most);
    let next = match items.last() {
        Some((key, _)) if more => {
            Some(cx.state().ring.seal(Purpose::Pagination, context(cx).as_bytes(), key.as_bytes())?)
        }
        _ => None,
    };
    Ok((items.into_iter().map(|(_, item)| item).collect(), next))
}

fn context(cx: &Cx) -> String {
    format!("{} {}", cx.operation().name, cx.account())
}

fn open(cx: &Cx, token: &str) -> Result<String, Error> {
    let opened = cx.state().ring.open(Purpose::Pagination, context(cx).as_bytes(), token);
    let text = opened.ok().and_then(|plain| String::from_utf8(plain.expose().clone()).ok());
    let words = "You provided a value for NextToken that isn't valid.";
    text.ok_or_else(|| invalid("INVALID_NEXT_TOKEN", words).into())
}
