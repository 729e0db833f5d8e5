//! Lists in pages, the same for every one of them: `Limit`, `Marker`, `Truncated`.
//!
//! A marker says after what to go on. It is sealed for the operation and the account that it was made for.

use daypass_core::model::kms::errors;
use daypass_core::{Cx, Error, Fault, Purpose};

/// A page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn is_truncated(&self) -> Option<bool> {
        Some(self.next.is_some())
    }
}

/// What of a list is wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) marker: Option<&'a str>,
    pub(crate) limit: Option<i32>,
    /// So many where the request does not say.
    pub(crate) default: usize,
}

/// A page of a list, in the order of what tells its items apart.
///
/// # Errors
/// `InvalidMarkerException`.
pub(crate) fn page<T>(cx: &Cx, mut items: Vec<(String, T)>, wanted: &Wanted<'_>) -> Result<Page<T>, Error> {
    items.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(after) = wanted.marker.map(|marker| open(cx, marker)).transpose()? {
        items.retain(|(key, _)| *key > after);
    }
    let limit = wanted.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(wanted.default).max(1);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = match items.last() {
        Some((key, _)) if more => {
            Some(cx.state().ring.seal(Purpose::Pagination, context(cx).as_bytes(), key.as_bytes())?)
        }
        _ => None,
    };
    Ok(Page { items: items.into_iter().map(|(_, item)| item).collect(), next })
}

fn context(cx: &Cx) -> String {
    format!("{} {} {}", cx.operation().name, cx.account(), cx.region())
}

fn open(cx: &Cx, marker: &str) -> Result<String, Error> {
    let opened = cx.state().ring.open(Purpose::Pagination, context(cx).as_bytes(), marker);
    let text = opened.ok().and_then(|plain| String::from_utf8(plain.expose().clone()).ok());
    text.ok_or_else(|| Fault::new(&errors::INVALID_MARKER_EXCEPTION, "").into())
}
