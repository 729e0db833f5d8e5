//! What is reported: a finding with its places, in an order that only the document decides.

use super::code::Code;
use crate::json::Writer;
use crate::span::{Position, Span};

/// Something about a policy that AWS documents a finding for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was found.
    pub code: Code,
    /// AWS's text about it.
    pub message: String,
    /// Where: the element that is meant first, then those it has to do with. Never empty.
    pub locations: Vec<Location>,
    /// What could stand in the place of the first location, where there is something near.
    pub suggestion: Option<String>,
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The way from the document's root; empty for the document itself.
    pub path: Vec<PathElement>,
    /// The stretch of text.
    pub span: Span,
    /// The first character, counted from zero.
    pub start_offset: usize,
    /// The character after the last, counted from zero.
    pub end_offset: usize,
}

/// One step of a path, as ValidatePolicy writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathElement {
    /// An element of a list, counted from zero.
    Index(usize),
    /// A key of an object, itself.
    Key(Box<str>),
    /// The value of a key of an object.
    Value(Box<str>),
    /// A part of a string, in characters.
    Substring {
        /// The first character, counted from zero.
        start: usize,
        /// How many.
        length: usize,
    },
}

/// A place before its offsets are counted.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: Vec<PathElement>,
    pub(super) span: Span,
}

/// Collects findings, and bounds the work of those checks that compare everything with everything.
pub(super) struct Report {
    findings: Vec<(Code, String, Vec<Place>, Option<String>)>,
    steps_left: usize,
}

/// The steps that comparisons within one document may take: some tens of milliseconds. A policy as long as AWS takes needs
/// a hundredth of it.
const MAX_STEPS: usize = 20_000_000;

impl Report {
    pub(super) fn new() -> Self {
        Self { findings: Vec::new(), steps_left: MAX_STEPS }
    }

    /// Notes a finding at one place.
    pub(super) fn find(&mut self, code: Code, parts: &[&str], place: Place) {
        self.find_at(code, parts, vec![place]);
    }

    /// Notes a finding that has to do with several places.
    pub(super) fn find_at(&mut self, code: Code, parts: &[&str], places: Vec<Place>) {
        self.say(code, code.message(parts), places, None);
    }

    /// Notes a finding with a text or suggestion of its own.
    pub(super) fn say(
        &mut self,
        code: Code,
        message: String,
        places: Vec<Place>,
        suggestion: Option<String>,
    ) {
        self.findings.push((code, message, places, suggestion));
    }

    /// Whether so many steps may still be taken; they are then spent.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                true
            }
            None => false,
        }
    }

    /// The findings in the order of their first places, those at one place in the order of their codes.
    pub(super) fn finish(self, text: &str) -> Vec<Finding> {
        let lines = Lines::new(text);
        let mut findings: Vec<Finding> = self
            .findings
            .into_iter()
            .map(|(code, message, places, suggestion)| Finding {
                code,
                message,
                locations: places.into_iter().map(|place| lines.locate(place)).collect(),
                suggestion,
            })
            .collect();
        findings.sort_by_key(|f| (f.locations.first().map(|l| (l.start_offset, l.end_offset)), f.code));
        findings.dedup();
        findings
    }
}

/// How many characters stand before each line.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let mut before = vec![0];
        for (index, character) in text.chars().enumerate() {
            if character == '\n' {
                before.push(index + 1);
            }
        }
        Self(before)
    }

    fn offset(&self, at: Position) -> usize {
        let line = usize::try_from(at.line).unwrap_or_default().saturating_sub(1);
        let column = usize::try_from(at.column).unwrap_or_default().saturating_sub(1);
        self.0.get(line).copied().unwrap_or_default() + column
    }

    fn locate(&self, place: Place) -> Location {
        let (start_offset, end_offset) = (self.offset(place.span.start), self.offset(place.span.end));
        Location { path: place.path, span: place.span, start_offset, end_offset }
    }
}

impl Finding {
    /// The place that is meant.
    pub fn span(&self) -> Span {
        self.locations.first().map_or(Span::START, |location| location.span)
    }

    /// The finding as ValidatePolicy writes it: one line of JSON, its members always in the same order. Lines are counted
    /// from one, columns and offsets from zero.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        writer.object(|o| {
            o.key("findingDetails").text(&self.message);
            o.key("findingType").text(self.code.finding_type().as_str());
            o.key("issueCode").text(self.code.as_str());
            o.key("learnMoreLink").text(&self.code.learn_more());
            o.key("locations").list(&self.locations, location);
        });
        writer.finish()
    }
}

fn location(writer: &mut Writer, location: &Location) {
    writer.object(|o| {
        o.key("path").list(&location.path, |o, element| {
            o.object(|o| match element {
                PathElement::Index(index) => o.key("index").number(*index as u64),
                PathElement::Key(key) => o.key("key").text(key),
                PathElement::Value(key) => o.key("value").text(key),
                PathElement::Substring { start, length } => o.key("substring").object(|o| {
                    o.key("start").number(*start as u64);
                    o.key("length").number(*length as u64);
                }),
            });
        });
        o.key("span").object(|o| {
            position(o.key("start"), location.span.start, location.start_offset);
            position(o.key("end"), location.span.end, location.end_offset);
        });
    });
}

fn position(writer: &mut Writer, at: Position, offset: usize) {
    writer.object(|o| {
        o.key("line").number(at.line.into());
        o.key("column").number(u64::from(at.column.saturating_sub(1)));
        o.key("offset").number(offset as u64);
    });
}
