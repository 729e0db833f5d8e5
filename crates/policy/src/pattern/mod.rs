//! Patterns with `*`, `?` and variables, matched in bounded time.
//!
//! A pattern is cut at its `*` into segments. The first must stand at the beginning of the text and the last at its
//! end; each one between is searched for after the one before, and the first place found is always right, since a `*`
//! can take up any distance. So nothing is ever tried twice, and what remains is the search for one segment:
//!
//! * a segment of text alone is found by a two-way search, linear in text and segment;
//! * one with `?` or variables of up to 16 bytes is tried at each place, 16 steps a place at most;
//! * a longer one runs as a bit-parallel automaton: a step a byte of text for each 64 bytes of the segment.
//!
//! For a pattern of *m* bytes (its variables filled in) and a text of *n* bytes that makes at most
//! `40·(n + m) + n·m/64` steps, whatever the two hold. The tests count them.
//!
//! `?` stands for one character (Unicode scalar value): AWS does not say whether it counts characters or UTF-16 units.

mod segment;
mod token;

use crate::context::Context;
use segment::{Atom, Segment};
pub(crate) use token::{BadVariable, Syntax, Token, Variable, tokens};

/// What came of matching a text with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No,
    /// A variable of the pattern has no value: nothing equals it and nothing is like it
    /// (`reference_policies_variables`, variables with no value).
    Unset,
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

/// Counts steps; nothing in production.
pub(crate) trait Meter {
    fn count(&mut self, steps: usize);
}

impl Meter for () {
    fn count(&mut self, _: usize) {}
}

/// A pattern ready to match.
#[derive(Debug)]
pub(crate) struct Glob {
    head: Segment,
    middle: Box<[Segment]>,
    /// The last segment, where there is a `*` at all.
    tail: Option<Segment>,
    least_bytes: usize,
    has_variables: bool,
}

impl Glob {
    pub(crate) fn new(text: &str, syntax: Syntax) -> Result<Self, BadVariable> {
        Ok(Self::from_tokens(tokens(text, syntax)?))
    }

    pub(crate) fn from_tokens(tokens: Vec<Token>) -> Self {
        let mut segments = vec![Vec::new()];
        for token in tokens {
            let atom = match token {
                Token::AnySequence => {
                    segments.push(Vec::new());
                    continue;
                }
                Token::Text(text) => Atom::Text(text.into()),
                Token::AnyCharacter => Atom::AnyCharacter,
                Token::Variable(variable) => Atom::Variable(variable),
            };
            if let Some(segment) = segments.last_mut() {
                segment.push(atom);
            }
        }
        let tail = if segments.len() > 1 { segments.pop() } else { None };
        let mut segments = segments.into_iter();
        let head = Segment::new(segments.next().unwrap_or_default(), false);
        let middle: Box<[Segment]> = segments.map(|atoms| Segment::new(atoms, true)).collect();
        let tail = tail.map(|atoms| Segment::new(atoms, false));
        let all = || std::iter::once(&head).chain(&middle).chain(&tail);
        let least_bytes = all().map(|segment| segment.least_bytes).sum();
        let has_variables = all().any(|segment| segment.variables().next().is_some());
        Self { head, middle, tail, least_bytes, has_variables }
    }

    /// The text of a pattern that is text and then one `*`.
    pub(crate) fn literal_then_any(&self) -> Option<&str> {
        let only_star_follows = self.middle.is_empty() && self.tail.as_ref()?.literal() == Some("");
        if only_star_follows { self.head.literal() } else { None }
    }

    /// The text of a pattern without any sign in it.
    pub(crate) fn literal(&self) -> Option<&str> {
        if self.tail.is_none() { self.head.literal() } else { None }
    }

    /// The text that everything matched begins with.
    pub(crate) fn literal_prefix(&self) -> &str {
        self.head.literal_prefix()
    }

    pub(crate) fn fit(&self, text: &str, context: &Context<'_>) -> Fit {
        self.fit_metered(text, context, &mut ())
    }

    pub(crate) fn fit_metered(&self, text: &str, context: &Context<'_>, meter: &mut impl Meter) -> Fit {
        if self.has_variables && !self.variables_are_set(context) {
            return Fit::Unset;
        }
        Fit::from(text.len() >= self.least_bytes && self.fits_set(text, context, meter))
    }

    fn variables_are_set(&self, context: &Context<'_>) -> bool {
        let segments = std::iter::once(&self.head).chain(&self.middle).chain(&self.tail);
        segments.flat_map(Segment::variables).all(|variable| variable.is_set(context))
    }

    fn fits_set(&self, text: &str, context: &Context<'_>, meter: &mut impl Meter) -> bool {
        let Some(rest) = self.head.strip_prefix(text, context, meter) else { return false };
        let Some(tail) = &self.tail else { return rest.is_empty() };
        let Some(mut rest) = tail.strip_suffix(rest, context, meter) else { return false };
        for segment in &self.middle {
            match segment.strip_through(rest, context, meter) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        true
    }
}

/// A text with variables and without wildcards, to be equal to.
#[derive(Debug)]
pub(crate) struct Template(Glob);

impl Template {
    pub(crate) fn new(text: &str, variables: bool) -> Result<Self, BadVariable> {
        Glob::new(text, Syntax { wildcards: false, variables }).map(Self)
    }

    pub(crate) fn fit(&self, text: &str, context: &Context<'_>) -> Fit {
        self.0.fit(text, context)
    }

    pub(crate) fn fit_ignoring_case(&self, text: &str, context: &Context<'_>) -> Fit {
        if self.0.has_variables && !self.0.variables_are_set(context) {
            return Fit::Unset;
        }
        Fit::from(self.0.head.equals_ignoring_case(text, context))
    }
}

#[cfg(test)]
mod tests;
