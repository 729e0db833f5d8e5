//! `${…}`: where it may stand, and how it is written (`reference_policies_variables`).

use super::code::Code;
use super::finding::Report;
use super::view::{Item, Statement};
use crate::json::Json;

/// Checks every text of a document; `has_variables` says whether its version knows them.
pub(super) fn check(root: &Item<'_>, statements: &[Statement<'_>], has_variables: bool, report: &mut Report) {
    for member in root.members().iter().filter(|member| member.key() != "Statement") {
        elsewhere(&member.value(), report);
    }
    for statement in statements {
        for member in statement.item.members() {
            match member.key() {
                "Resource" | "NotResource" => texts(&member.value(), has_variables, report),
                "Condition" => {
                    for keys in member.value().members() {
                        for key in keys.value().members() {
                            texts(&key.value(), has_variables, report);
                        }
                    }
                }
                _ => elsewhere(&member.value(), report),
            }
        }
    }
}

fn texts(item: &Item<'_>, has_variables: bool, report: &mut Report) {
    for element in item.elements() {
        let Some(text) = element.text().filter(|text| text.contains("${")) else { continue };
        if has_variables {
            written(text, &element, report);
        } else {
            report.find(Code::VariableUnsupportedInVersion, &[], element.place());
        }
    }
}

/// Notes the variables of an element that has none.
fn elsewhere(item: &Item<'_>, report: &mut Report) {
    match &item.node.value {
        Json::Text(text) => {
            if let Some((start, variable)) = text.find("${").and_then(|at| text.split_at_checked(at)) {
                let variable = match variable.split_once('}') {
                    Some((inner, _)) => format!("{inner}}}"),
                    None => variable.to_owned(),
                };
                let place = item.place_within(start.chars().count(), variable.chars().count());
                report.find(Code::VariableUnsupportedInElement, &[&variable], place);
            }
        }
        Json::List(_) => item.elements().iter().for_each(|element| elsewhere(element, report)),
        Json::Object(_) => item.members().iter().for_each(|member| elsewhere(&member.value(), report)),
        _ => (),
    }
}

/// Reads the variables of a text one after the other.
fn written(text: &str, item: &Item<'_>, report: &mut Report) {
    let mut rest = text;
    while let Some((_, inner)) = rest.split_once("${") {
        let start = text.chars().count() - inner.chars().count() - 2;
        let Some((body, after)) = end(inner) else {
            let length = inner.chars().count() + 2;
            return report.find(Code::MissingBraceInVariable, &[], item.place_within(start, length));
        };
        let place = || item.place_within(start, body.chars().count() + 3);
        let (name, default) =
            body.split_once(',').map_or((body, None), |(name, default)| (name, Some(default)));
        if body.trim().is_empty() || name.trim().is_empty() {
            report.find(Code::EmptyVariable, &[], place());
        } else if name.contains(' ') {
            report.find(Code::UnsupportedSpaceInVariable, &[], place());
        } else if let Some(default) = default.map(str::trim) {
            let quoted = default.len() >= 2 && default.starts_with('\'') && default.ends_with('\'');
            if !quoted {
                report.find(Code::MissingQuoteInVariable, &[], place());
            }
        }
        rest = after;
    }
}

/// What stands before the closing brace and what follows it; a brace within quotes closes nothing.
fn end(inner: &str) -> Option<(&str, &str)> {
    let plain = inner.split_once('}')?;
    if !plain.0.contains('\'') || plain.0.matches('\'').count() >= 2 {
        return Some(plain);
    }
    inner.split_once("'}").map_or(Some(plain), |(body, after)| {
        let body = inner.get(..body.len() + 1).unwrap_or(body);
        Some((body, after))
    })
}
