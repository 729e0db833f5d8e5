//! Patterns for the oracle: signs and characters, compared by the definition.

use crate::case::{Asked, ContextValue};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sign {
    Character(char),
    One,
    Any,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Bad {
    /// Not a variable, though it begins like one.
    Syntax,
    /// A variable without a value.
    Unset,
}

pub(crate) fn single<'a>(asked: &'a Asked, key: &str) -> Option<&'a str> {
    asked.context.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).and_then(|(_, value)| match value {
        ContextValue::Single(text) => Some(text.as_str()),
        ContextValue::List(_) => None,
    })
}

fn is_there(asked: &Asked, key: &str) -> bool {
    let found = asked.context.iter().find(|(own, _)| own.eq_ignore_ascii_case(key));
    found.is_some_and(|(_, value)| !matches!(value, ContextValue::List(list) if list.is_empty()))
}

/// Reads a pattern; with a request, variables are put in from it, as characters and never as signs.
pub(crate) fn parse(text: &str, wildcards: bool, variables: Option<&Asked>) -> Result<Vec<Sign>, Bad> {
    let mut signs = Vec::new();
    let mut unset = false;
    let mut rest = text;
    while !rest.is_empty() {
        if let (Some(asked), Some(inside)) = (variables, rest.strip_prefix("${")) {
            let (value, after) = variable(inside, asked).ok_or(Bad::Syntax)?;
            match value {
                Some(value) => signs.extend(value.chars().map(Sign::Character)),
                None => unset = true,
            }
            rest = after;
            continue;
        }
        let character = rest.chars().next().unwrap();
        signs.push(match character {
            '*' if wildcards => Sign::Any,
            '?' if wildcards => Sign::One,
            other => Sign::Character(other),
        });
        rest = &rest[character.len_utf8()..];
    }
    if unset { Err(Bad::Unset) } else { Ok(signs) }
}

fn variable<'t>(inside: &'t str, asked: &Asked) -> Option<(Option<String>, &'t str)> {
    for sign in ["*", "?", "$"] {
        if let Some(after) = inside.strip_prefix(sign).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Some(sign.into()), after));
        }
    }
    let end = inside.find([',', '}'])?;
    let (key, after) = inside.split_at(end);
    if key.is_empty() || key.contains(['$', '{', '\'', '"', '*', '?']) {
        return None;
    }
    let (default, after) = match after.strip_prefix(", '") {
        Some(rest) => rest.split_once("'}").map(|(default, after)| (Some(default), after))?,
        None => (None, after.strip_prefix('}')?),
    };
    let value = match single(asked, key) {
        Some(value) => Some(value.to_owned()),
        None if is_there(asked, key) => None,
        None => default.map(str::to_owned),
    };
    Some((value, after))
}

pub(crate) fn fits(signs: &[Sign], text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    go(signs, &characters)
}

fn go(signs: &[Sign], text: &[char]) -> bool {
    match signs.split_first() {
        None => text.is_empty(),
        Some((Sign::Any, rest)) => (0..=text.len()).any(|taken| go(rest, &text[taken..])),
        Some((Sign::One, rest)) => !text.is_empty() && go(rest, &text[1..]),
        Some((Sign::Character(character), rest)) => text.first() == Some(character) && go(rest, &text[1..]),
    }
}
