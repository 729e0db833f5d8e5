//! Lists in pages, the same for every one of them: `Marker`, `MaxItems`, `IsTruncated`.
//!
//! A marker says after what to go on. It is sealed for the operation and the account that it was made for, so that
//! callers learn nothing from it and cannot make one.

use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Cx, Error, Fault, Purpose};

use crate::fault::validation;

/// So many items are on a page where the caller does not say (IAM API reference, `MaxItems`).
const DEFAULT_ITEMS: usize = 100;
/// The most items of a page.
const MAX_ITEMS: usize = 1000;
/// So many are looked at for one page. IAM may give fewer than were asked for, as long as it says that there are more.
const MAX_LOOKED_AT: usize = 10 * MAX_ITEMS;

/// What a request says of its page.
pub(crate) struct Paging<'a> {
    cx: &'a Cx,
    after: Option<(usize, String)>,
    max_items: usize,
}

/// One page.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) is_truncated: Option<bool>,
    pub(crate) marker: Option<String>,
}

/// What a list consists of: where each item stands, and the item unless a filter leaves it out.
pub(crate) type Rows<T> = Vec<(String, Option<T>)>;

impl<'a> Paging<'a> {
    pub(crate) fn new(cx: &'a Cx, marker: Option<&str>, max_items: Option<i32>) -> Result<Self, Error> {
        let after = marker.map(|marker| open(cx, marker)).transpose()?;
        let asked = max_items.and_then(|n| usize::try_from(n).ok()).unwrap_or(DEFAULT_ITEMS);
        Ok(Self { cx, after, max_items: asked.clamp(1, MAX_ITEMS) })
    }

    /// A page of a list of several sections, one after the other. `fetch` gives the rows of a section after a place, at
    /// most as many as it is told; fewer say that the section ends there.
    pub(crate) fn sections<T>(
        &self,
        count: usize,
        mut fetch: impl FnMut(usize, Option<&str>, usize) -> Result<Rows<T>, Error>,
    ) -> Result<Page<T>, Error> {
        let (first, mut after) = match &self.after {
            Some((section, place)) => (*section, Some(place.clone())),
            None => (0, None),
        };
        let (mut items, mut looked_at, mut last) = (vec![], 0, None);
        for section in first..count {
            loop {
                // What a filter leaves out must not cost a look into the store each.
                let limit = (self.max_items + 1 - items.len()).max(looked_at.min(MAX_ITEMS));
                let rows = fetch(section, after.as_deref(), limit)?;
                let (ended, seen) = (rows.len() < limit, rows.len());
                for (place, item) in rows {
                    let Some(item) = item else {
                        after = Some(place);
                        continue;
                    };
                    if items.len() == self.max_items {
                        return self.truncated(items, last);
                    }
                    items.push(item);
                    last = Some((section, place.clone()));
                    after = Some(place);
                }
                looked_at += seen;
                if ended {
                    break;
                }
                if looked_at >= MAX_LOOKED_AT {
                    return self.truncated(items, after.map(|place| (section, place)));
                }
            }
            after = None;
        }
        Ok(Page { items, is_truncated: Some(false), marker: None })
    }

    fn truncated<T>(&self, items: Vec<T>, last: Option<(usize, String)>) -> Result<Page<T>, Error> {
        let marker = last.map(|(section, place)| seal(self.cx, section, &place)).transpose()?;
        Ok(Page { items, is_truncated: Some(true), marker })
    }

    /// A page of the records below a prefix, in the order of their keys; `key_of` makes a key of its last part.
    pub(crate) fn records<R: Record>(
        &self,
        tx: &Tx<'_>,
        prefix: &Prefix,
        key_of: impl Fn(&str) -> Key,
        keep: impl Fn(&R) -> bool,
    ) -> Result<Page<R>, Error> {
        self.sections(1, |_, after, limit| Ok(rows(tx, prefix, after.map(&key_of).as_ref(), limit, &keep)?))
    }

    /// A page of a list that is there as a whole, and short.
    pub(crate) fn list<T>(&self, list: Vec<T>) -> Result<Page<T>, Error> {
        let mut list: Vec<Option<T>> = list.into_iter().map(Some).collect();
        self.sections(1, |_, after, limit| {
            let start = after.and_then(|place| place.parse::<usize>().ok()).map_or(0, |place| place + 1);
            let rows = list.iter_mut().enumerate().skip(start).take(limit);
            Ok(rows.filter_map(|(place, item)| Some((place.to_string(), Some(item.take()?)))).collect())
        })
    }
}

/// The rows of records below a prefix.
pub(crate) fn rows<R: Record>(
    tx: &Tx<'_>,
    prefix: &Prefix,
    after: Option<&Key>,
    limit: usize,
    keep: impl Fn(&R) -> bool,
) -> Result<Rows<R>, StoreError> {
    let records = tx.list::<R>(prefix, after, limit)?;
    Ok(records
        .into_iter()
        .map(|record| {
            let place = record.key().last();
            let kept = keep(&record);
            (place, kept.then_some(record))
        })
        .collect())
}

impl<T> Page<T> {
    /// The same page with other items.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        let items = self.items.into_iter().map(change).collect();
        Page { items, is_truncated: self.is_truncated, marker: self.marker }
    }

    /// The same page with other items, where making them may fail.
    pub(crate) fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(change).collect::<Result<_, _>>()?;
        Ok(Page { items, is_truncated: self.is_truncated, marker: self.marker })
    }
}

fn context(cx: &Cx) -> String {
    format!("{} {}", cx.operation().name, cx.account())
}

fn seal(cx: &Cx, section: usize, place: &str) -> Result<String, Error> {
    let plain = format!("{section} {place}");
    Ok(cx.state().ring.seal(Purpose::Pagination, context(cx).as_bytes(), plain.as_bytes())?)
}

fn open(cx: &Cx, marker: &str) -> Result<(usize, String), Fault> {
    let invalid = || validation("Invalid Marker.");
    let opened = cx.state().ring.open(Purpose::Pagination, context(cx).as_bytes(), marker);
    let text = opened.ok().and_then(|plain| String::from_utf8(plain.expose().clone()).ok());
    let text = text.ok_or_else(invalid)?;
    let (section, place) = text.split_once(' ').ok_or_else(invalid)?;
    Ok((section.parse().map_err(|_| invalid())?, place.to_owned()))
}
