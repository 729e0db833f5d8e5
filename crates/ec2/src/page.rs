//! Paging, as every `Describe…` has it: `MaxResults` and `NextToken`. A token names the last thing of a page; it is
//! sealed, for the operation and the account that it was given to.

use std::ops::RangeInclusive;

use daypass_core::model::ec2::errors;
use daypass_core::{Cx, Error, Fault, KeyRingError, Purpose};

use crate::fault;
use crate::filter::Listed;

/// What a request asks of its page.
pub(crate) struct Page<'a> {
    /// The most things.
    pub(crate) max_results: Option<i32>,
    /// Where to go on.
    pub(crate) next_token: Option<&'a str>,
    /// What `MaxResults` may be.
    pub(crate) bounds: RangeInclusive<i32>,
}

/// The bounds that most operations have.
pub(crate) const USUAL: RangeInclusive<i32> = 5..=1000;

impl<'a> Page<'a> {
    /// The page of an operation with the usual bounds.
    pub(crate) fn new(max_results: Option<i32>, next_token: Option<&'a String>) -> Self {
        Self { max_results, next_token: next_token.map(String::as_str), bounds: USUAL }
    }

    /// The same, with bounds of its own.
    pub(crate) fn within(self, bounds: RangeInclusive<i32>) -> Self {
        Self { bounds, ..self }
    }

    /// The things of this page, in their order, and the token of the next.
    pub(crate) fn take<T: Listed>(
        &self,
        cx: &Cx,
        mut things: Vec<T>,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let most = self.most()?;
        things.sort_by_cached_key(Listed::order);
        if let Some(token) = self.next_token.filter(|t| !t.is_empty()) {
            let last = open(cx, token)?;
            things.retain(|thing| thing.order() > last);
        }
        let Some(most) = most.filter(|most| things.len() > *most) else { return Ok((things, None)) };
        things.truncate(most);
        let token = things.last().map(|last| seal(cx, &last.order())).transpose()?;
        Ok((things, token))
    }

    fn most(&self) -> Result<Option<usize>, Fault> {
        let Some(asked) = self.max_results else { return Ok(None) };
        let (least, most) = (*self.bounds.start(), *self.bounds.end());
        let refuse = |than: String| {
            let words =
                format!("Value ( {asked} ) for parameter maxResults is invalid. Expecting a value {than}.");
            Err(fault::invalid_value(words))
        };
        if asked < least {
            return refuse(format!("greater than {least}"));
        }
        if asked > most {
            return refuse(format!("smaller than or equal to {most}"));
        }
        Ok(usize::try_from(asked).ok())
    }
}

/// What a token is good for.
fn context(cx: &Cx) -> String {
    format!("{}/{}/{}", cx.operation().name, cx.account(), cx.region())
}

fn seal(cx: &Cx, last: &str) -> Result<String, KeyRingError> {
    cx.state().ring.seal(Purpose::Pagination, context(cx).as_bytes(), last.as_bytes())
}

fn open(cx: &Cx, token: &str) -> Result<String, Fault> {
    let opened = cx.state().ring.open(Purpose::Pagination, context(cx).as_bytes(), token).ok();
    let text = opened.and_then(|plain| String::from_utf8(plain.expose().clone()).ok());
    text.ok_or_else(|| Fault::new(&errors::INVALID_NEXT_TOKEN, format!("The token '{token}' is invalid")))
}
