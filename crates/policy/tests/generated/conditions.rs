//! Conditions for the oracle (`reference_policies_elements_condition_operators`, and the page on sets).

use crate::case::{Asked, ContextValue};
use crate::coverage::note;
use crate::oracle::{and, or, texts};
use crate::text::{Bad, fits, parse};
use serde_json::Value;
use std::net::IpAddr;

pub(crate) fn all(conditions: &Value, asked: &Asked, new: bool) -> Option<bool> {
    let Value::Object(operators) = conditions else { return Some(true) };
    let each = operators.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().unwrap();
        keys.iter().map(move |(key, values)| {
            let outcome = one(operator, key, &texts(values), asked, new);
            note(format!(
                "operator {operator} {}",
                outcome.map_or("unclear", |o| if o { "yes" } else { "no" })
            ));
            outcome
        })
    });
    and(each.collect::<Vec<_>>())
}

const NEGATED: [&str; 8] = [
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "NumericNotEquals",
    "DateNotEquals",
    "NotIpAddress",
    "ArnNotEquals",
    "ArnNotLike",
];

fn one(operator: &str, key: &str, values: &[String], asked: &Asked, new: bool) -> Option<bool> {
    let (set, rest) = match operator.split_once(':') {
        Some((set @ ("ForAllValues" | "ForAnyValue"), rest)) => (Some(set), rest),
        _ => (None, operator),
    };
    let (name, if_exists) = match rest.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (rest, false),
    };
    let found = asked.context.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    let found = found.filter(|value| !matches!(value, ContextValue::List(list) if list.is_empty()));
    if name == "Null" && !if_exists {
        return or(values.iter().map(|value| match value.to_lowercase().as_str() {
            "true" => Some(found.is_none()),
            "false" => Some(found.is_some()),
            _ => None,
        }));
    }
    let negated = NEGATED.contains(&name);
    // An operator that does not exist.
    compare(name, "", "", asked, new)?;
    let test = |own: &str| value(name, negated, own, values, asked, new);
    match (found, set) {
        (None, _) if if_exists => Some(true),
        (None, Some("ForAllValues")) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => Some(negated),
        (Some(ContextValue::Single(own)), _) => test(own),
        (Some(ContextValue::List(own)), Some("ForAllValues")) => and(own.iter().map(|own| test(own))),
        (Some(ContextValue::List(own)), Some(_)) => or(own.iter().map(|own| test(own))),
        // A multivalued key needs a set operator.
        (Some(ContextValue::List(_)), None) => Some(false),
    }
}

fn value(name: &str, negated: bool, own: &str, values: &[String], asked: &Asked, new: bool) -> Option<bool> {
    let outcomes: Vec<Outcome> =
        values.iter().map(|value| compare(name, own, value, asked, new).unwrap()).collect();
    if !readable(name, own) {
        // Equal to nothing; whether it differs from everything nobody says.
        return if negated { None } else { Some(false) };
    }
    let matched = or(outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Match => Some(true),
        Outcome::No => Some(false),
        Outcome::Unreadable => None,
    }));
    matched.map(|matched| matched != negated)
}

enum Outcome {
    Match,
    No,
    /// The policy's value cannot be read.
    Unreadable,
}

impl From<bool> for Outcome {
    fn from(matches: bool) -> Self {
        if matches { Outcome::Match } else { Outcome::No }
    }
}

fn readable(name: &str, own: &str) -> bool {
    match family(name) {
        "Numeric" => number(own).is_some(),
        "Date" => date(own).is_some(),
        "Bool" => boolean(own).is_some(),
        "Binary" => bytes(own).is_some(),
        "Ip" => own.parse::<IpAddr>().is_ok(),
        "Arn" => own.starts_with("arn:") && own.matches(':').count() >= 5,
        _ => true,
    }
}

fn family(name: &str) -> &'static str {
    let families = ["String", "Numeric", "Date", "Bool", "Binary", "Arn"];
    if name.ends_with("IpAddress") {
        return "Ip";
    }
    families.into_iter().find(|family| name.starts_with(family)).unwrap_or("")
}

/// One value of the request with one of the policy; `None` for an operator that does not exist.
fn compare(name: &str, own: &str, wanted: &str, asked: &Asked, new: bool) -> Option<Outcome> {
    let variables = new.then_some(asked);
    let like = |wildcards: bool, fold: bool| {
        let folded = |text: &str| if fold { text.to_lowercase() } else { text.to_owned() };
        match parse(wanted, wildcards, variables) {
            Ok(signs) if fold => {
                let signs: Vec<_> = signs
                    .into_iter()
                    .flat_map(|sign| match sign {
                        crate::text::Sign::Character(c) => {
                            c.to_lowercase().map(crate::text::Sign::Character).collect()
                        }
                        other => vec![other],
                    })
                    .collect();
                fits(&signs, &folded(own)).into()
            }
            Ok(signs) => fits(&signs, own).into(),
            Err(Bad::Unset) => Outcome::No,
            Err(Bad::Syntax) => Outcome::Unreadable,
        }
    };
    let ordered = |left: Option<f64>, right: Option<f64>, name: &str| match (left, right) {
        (_, None) => Outcome::Unreadable,
        (None, _) => Outcome::No,
        (Some(left), Some(right)) => match name {
            "Equals" | "NotEquals" => left == right,
            "LessThan" => left < right,
            "LessThanEquals" => left <= right,
            "GreaterThan" => left > right,
            _ => left >= right,
        }
        .into(),
    };
    Some(match name {
        "StringEquals" | "StringNotEquals" => like(false, false),
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => like(false, true),
        "StringLike" | "StringNotLike" => like(true, false),
        "Bool" => bool_outcome(own, wanted, asked, new),
        "BinaryEquals" => match bytes(wanted) {
            Some(wanted) => (bytes(own) == Some(wanted)).into(),
            None => Outcome::Unreadable,
        },
        "IpAddress" | "NotIpAddress" => ip(own, wanted),
        "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => arn(own, wanted, variables),
        _ => match (name.strip_prefix("Numeric"), name.strip_prefix("Date")) {
            (Some(order), _) if is_order(order) => ordered(number(own), number(wanted), order),
            (_, Some(order)) if is_order(order) => ordered(date(own), date(wanted), order),
            _ => return None,
        },
    })
}

fn is_order(name: &str) -> bool {
    ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].contains(&name)
}

fn boolean(text: &str) -> Option<bool> {
    text.to_lowercase().parse().ok()
}

fn bool_outcome(own: &str, wanted: &str, asked: &Asked, new: bool) -> Outcome {
    if let Some(wanted) = boolean(wanted) {
        return (boolean(own) == Some(wanted)).into();
    }
    if !new || !wanted.contains("${") {
        return Outcome::Unreadable;
    }
    match parse(wanted, false, Some(asked)) {
        Ok(signs) => {
            let text: String = signs
                .iter()
                .map(|sign| match sign {
                    crate::text::Sign::Character(c) => *c,
                    _ => unreachable!(),
                })
                .collect();
            (boolean(&text).is_some() && boolean(&text) == boolean(own)).into()
        }
        Err(Bad::Unset) => Outcome::No,
        Err(Bad::Syntax) => Outcome::Unreadable,
    }
}

/// The numbers of the generator, all of which a float holds exactly.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let shape = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if shape { text.parse().ok() } else { None }
}

/// The dates of the generator, by hand.
fn date(text: &str) -> Option<f64> {
    Some(match text {
        "2020-01-01T00:00:00Z" | "2020-01-01" | "1577836800" | "2020-01-01T01:00:00+01:00" => 1_577_836_800.0,
        "2020-01-01T00:00:00.5Z" => 1_577_836_800.5,
        "2020-01-02T00:00:00Z" => 1_577_923_200.0,
        "2019-12-31T23:59:59Z" => 1_577_836_799.0,
        _ => return None,
    })
}

/// The base64 texts of the generator, by hand.
fn bytes(text: &str) -> Option<&'static [u8]> {
    Some(match text {
        "QQ==" => b"A",
        "Qg==" => b"B",
        "QUI=" => b"AB",
        "" => b"",
        _ => return None,
    })
}

fn ip(own: &str, wanted: &str) -> Outcome {
    let (range, prefix) =
        wanted.split_once('/').map_or((wanted, None), |(range, prefix)| (range, Some(prefix)));
    let Ok(range) = range.parse::<IpAddr>() else { return Outcome::Unreadable };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => format!("{:032b}", u32::from(address)),
        IpAddr::V6(address) => format!("{:0128b}", u128::from(address)),
    };
    let range = bits(range);
    let prefix = match prefix.map(str::parse::<usize>) {
        None => range.len(),
        Some(Ok(prefix)) if prefix <= range.len() => prefix,
        Some(_) => return Outcome::Unreadable,
    };
    let Ok(own) = own.parse::<IpAddr>().map(bits) else { return Outcome::No };
    (own.len() == range.len() && own[..prefix] == range[..prefix]).into()
}

fn arn(own: &str, wanted: &str, variables: Option<&Asked>) -> Outcome {
    // Cut at colons outside of `${…}`.
    let mut parts = vec![String::new()];
    let mut rest = wanted;
    while let Some(character) = rest.chars().next() {
        let taken = match rest.strip_prefix("${").and_then(|inside| inside.find('}')) {
            Some(end) if variables.is_some() => 2 + end + 1,
            _ => character.len_utf8(),
        };
        if character == ':' && parts.len() < 6 {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    let parsed: Vec<_> = parts.iter().map(|part| parse(part, true, variables)).collect();
    if parsed.contains(&Err(Bad::Syntax)) || parts.len() < 6 {
        return Outcome::Unreadable;
    }
    if parsed.contains(&Err(Bad::Unset)) {
        return Outcome::No;
    }
    let own: Vec<&str> = own.splitn(6, ':').collect();
    let each = parsed.iter().zip(&own).all(|(signs, text)| fits(signs.as_ref().unwrap(), text));
    (own.len() == 6 && each).into()
}
