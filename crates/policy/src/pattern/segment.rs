//! What stands between two `*`: text, `?` and variables, to be found at a place or at the next place.

use super::Meter;
use super::token::Variable;
use crate::context::{Context, TextBuffer};
use memchr::memmem::Finder;

/// Up to this many bytes a segment is tried place by place.
const TRIED_BYTES: usize = 16;

#[derive(Debug)]
pub(super) enum Atom {
    Text(Box<str>),
    AnyCharacter,
    Variable(Variable),
}

#[derive(Debug)]
pub(super) struct Segment {
    atoms: Box<[Atom]>,
    /// Searches for a segment that is nothing but text.
    finder: Option<Box<Finder<'static>>>,
    /// The fewest bytes that the segment can match.
    pub(super) least_bytes: usize,
}

impl Segment {
    pub(super) fn new(atoms: Vec<Atom>, searched: bool) -> Self {
        let finder = match atoms.as_slice() {
            [Atom::Text(text)] if searched => Some(Box::new(Finder::new(text.as_bytes()).into_owned())),
            _ => None,
        };
        let least_bytes = atoms.iter().map(Atom::least_bytes).sum();
        Self { atoms: atoms.into(), finder, least_bytes }
    }

    /// The text of a segment that is nothing but text.
    pub(super) fn literal(&self) -> Option<&str> {
        match &*self.atoms {
            [] => Some(""),
            [Atom::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text that every match begins with.
    pub(super) fn literal_prefix(&self) -> &str {
        match self.atoms.first() {
            Some(Atom::Text(text)) => text,
            _ => "",
        }
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.atoms.iter().filter_map(|atom| match atom {
            Atom::Variable(variable) => Some(variable),
            _ => None,
        })
    }

    /// What is left of a text that begins with the segment.
    pub(super) fn strip_prefix<'t>(
        &self,
        text: &'t str,
        context: &Context<'_>,
        meter: &mut impl Meter,
    ) -> Option<&'t str> {
        self.atoms.iter().try_fold(text, |rest, atom| {
            let after = match atom {
                Atom::Text(prefix) => rest.strip_prefix(&**prefix),
                Atom::AnyCharacter => after_first(rest),
                Atom::Variable(variable) => variable.with_text(context, |prefix| rest.strip_prefix(prefix)),
            };
            meter.count(1 + after.map_or(0, |after| rest.len() - after.len()));
            after
        })
    }

    /// What is left of a text that ends with the segment.
    pub(super) fn strip_suffix<'t>(
        &self,
        text: &'t str,
        context: &Context<'_>,
        meter: &mut impl Meter,
    ) -> Option<&'t str> {
        self.atoms.iter().rev().try_fold(text, |rest, atom| {
            let before = match atom {
                Atom::Text(suffix) => rest.strip_suffix(&**suffix),
                Atom::AnyCharacter => {
                    let mut characters = rest.chars();
                    characters.next_back().map(|_| characters.as_str())
                }
                Atom::Variable(variable) => variable.with_text(context, |suffix| rest.strip_suffix(suffix)),
            };
            meter.count(1 + before.map_or(0, |before| rest.len() - before.len()));
            before
        })
    }

    /// What is left of a text after the first place where the segment stands.
    pub(super) fn strip_through<'t>(
        &self,
        text: &'t str,
        context: &Context<'_>,
        meter: &mut impl Meter,
    ) -> Option<&'t str> {
        if let Some(finder) = &self.finder {
            let found = finder.find(text.as_bytes());
            meter.count(finder.needle().len() + found.unwrap_or(text.len()));
            return text.get(found? + finder.needle().len()..);
        }
        match self.length(context) {
            longer if longer > text.len() => None,
            0..=TRIED_BYTES => self.try_each(text, context, meter),
            _ => self.scan(text, context, meter),
        }
    }

    /// Compares the whole text, without regard to case.
    pub(super) fn equals_ignoring_case(&self, text: &str, context: &Context<'_>) -> bool {
        let rest = self.atoms.iter().try_fold(text, |rest, atom| match atom {
            Atom::Text(prefix) => strip_prefix_ignoring_case(rest, prefix),
            Atom::AnyCharacter => after_first(rest),
            Atom::Variable(variable) => {
                variable.with_text(context, |prefix| strip_prefix_ignoring_case(rest, prefix))
            }
        });
        rest == Some("")
    }

    /// The bytes that the segment spans in this context, a `?` counted as one.
    fn length(&self, context: &Context<'_>) -> usize {
        let variable_bytes =
            |variable: &Variable| variable.with_text(context, |text| Some(text.len())).unwrap_or(0);
        self.least_bytes + self.variables().map(variable_bytes).sum::<usize>()
    }

    /// Tries the segment at each place: at most 16 steps a place, since the segment is that short.
    fn try_each<'t>(&self, text: &'t str, context: &Context<'_>, meter: &mut impl Meter) -> Option<&'t str> {
        let mut rest = text;
        loop {
            if let Some(after) = self.strip_prefix(rest, context, meter) {
                return Some(after);
            }
            rest = after_first(rest)?;
        }
    }

    /// Runs all places at once, a bit for each byte of the segment (Shift-And): one step a byte of the text for each
    /// 64 bytes of the segment, whatever either holds.
    fn scan<'t>(&self, text: &'t str, context: &Context<'_>, meter: &mut impl Meter) -> Option<&'t str> {
        let words = self.length(context).div_ceil(64);
        meter.count((text.len() + 256) * words);
        let end = if words == 1 {
            self.scan_with(&mut [0; 256], &mut [0; 1], &mut [0; 1], text, context)
        } else {
            self.scan_with(&mut vec![0; 256 * words], &mut vec![0; words], &mut vec![0; words], text, context)
        };
        text.get(end?..)
    }

    /// `masks` holds, for each byte, the places of the segment where it may stand; `wild` the places of `?`.
    fn scan_with(
        &self,
        masks: &mut [u64],
        wild: &mut [u64],
        state: &mut [u64],
        text: &str,
        context: &Context<'_>,
    ) -> Option<usize> {
        let words = state.len();
        let places = self.fill(masks, wild, context);
        let (last_word, last_bit) = ((places - 1) / 64, 1_u64 << ((places - 1) % 64));
        for (index, byte) in text.bytes().enumerate() {
            let mask = masks.get(usize::from(byte) * words..(usize::from(byte) + 1) * words)?;
            let continues = is_continuation(byte);
            let mut carry = 1;
            for ((state, mask), wild) in state.iter_mut().zip(mask).zip(wild.iter()) {
                // A `?` takes the first byte of a character and then stays for the rest of it.
                let stays = if continues { *state & wild } else { 0 };
                let next = (((*state << 1) | carry) & mask) | stays;
                carry = *state >> 63;
                *state = next;
            }
            let whole_character = text.is_char_boundary(index + 1);
            if whole_character && state.get(last_word).is_some_and(|word| word & last_bit != 0) {
                return Some(index + 1);
            }
        }
        None
    }

    /// Sets the masks and returns the number of places.
    fn fill(&self, masks: &mut [u64], wild: &mut [u64], context: &Context<'_>) -> usize {
        let words = wild.len();
        let mut place = 0;
        let mut put = |byte: u8, place: usize| {
            if let Some(word) = masks.get_mut(usize::from(byte) * words + place / 64) {
                *word |= 1 << (place % 64);
            }
        };
        for atom in &self.atoms {
            let mut text = |text: &str| {
                for byte in text.bytes() {
                    put(byte, place);
                    place += 1;
                }
                Some(())
            };
            match atom {
                Atom::Text(literal) => text(literal),
                Atom::Variable(variable) => variable.with_text(context, text),
                Atom::AnyCharacter => {
                    (0..=u8::MAX).filter(|byte| !is_continuation(*byte)).for_each(|byte| put(byte, place));
                    if let Some(word) = wild.get_mut(place / 64) {
                        *word |= 1 << (place % 64);
                    }
                    place += 1;
                    Some(())
                }
            };
        }
        place
    }
}

impl Atom {
    fn least_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::AnyCharacter => 1,
            Self::Variable(_) => 0,
        }
    }
}

impl Variable {
    /// Whether the variable has a value in this context, its own or the default. A multivalued key is no value, and
    /// its default does not stand in for it.
    pub(super) fn is_set(&self, context: &Context<'_>) -> bool {
        self.with_text(context, |_| Some(())).is_some()
    }

    fn with_text<R>(&self, context: &Context<'_>, use_text: impl FnOnce(&str) -> Option<R>) -> Option<R> {
        match (context.variable(&self.key), &self.default) {
            (Some(value), _) => use_text(value.text(&mut TextBuffer::default())?),
            (None, Some(default)) if !context.contains(self.key.as_str()) => use_text(default),
            _ => None,
        }
    }
}

/// Bytes of a character after its first.
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

fn after_first(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let mut characters = text.chars();
    for wanted in prefix.chars() {
        let found = characters.next()?;
        if found != wanted && !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(characters.as_str())
}
