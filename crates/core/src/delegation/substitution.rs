//! What stands for parameters, put into the texts of a statement.

use serde_json::{Map, Value};

use super::template::{ENABLED, MAX_COMBINATIONS, MAX_RENDERED, MAX_TEMPLATE, Parameter, TemplateError};

/// A part of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'t> {
    Plain(&'t str),
    Parameter(&'t str),
}

/// The parts of a text; what is begun and not ended is plain.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (vec![], text);
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((name, after)) = after.split_once('}') else { break };
        parts.push(Part::Plain(before));
        parts.push(Part::Parameter(name));
        rest = after;
    }
    parts.push(Part::Plain(rest));
    parts
}

/// A statement with its parameters filled in.
pub(super) fn fill_statement(
    statement: &Map<String, Value>,
    values: &[Parameter],
) -> Result<Value, TemplateError> {
    let mut filled = Map::new();
    for (key, value) in statement {
        let value = match (key.as_str(), value) {
            (ENABLED, _) => continue,
            ("Resource" | "NotResource", value) => fill(value, values, true)?,
            ("Condition", Value::Object(operators)) => {
                let mut all = Map::new();
                for (operator, keys) in operators {
                    let keys = match keys {
                        Value::Object(keys) => {
                            let filled = keys
                                .iter()
                                .map(|(key, value)| Ok((key.clone(), fill(value, values, false)?)));
                            Value::Object(filled.collect::<Result<_, TemplateError>>()?)
                        }
                        other => other.clone(),
                    };
                    all.insert(operator.clone(), keys);
                }
                Value::Object(all)
            }
            (_, value) => value.clone(),
        };
        filled.insert(key.clone(), value);
    }
    Ok(Value::Object(filled))
}

/// A text becomes a list where a list is put into it: of every combination, if there are several.
fn fill(value: &Value, values: &[Parameter], is_resource: bool) -> Result<Value, TemplateError> {
    match value {
        Value::String(text) => {
            let (mut filled, is_list) = combine(text, values, is_resource)?;
            Ok(match (is_list, filled.pop()) {
                (false, Some(one)) => Value::String(one),
                (_, last) => filled.into_iter().chain(last).map(Value::String).collect(),
            })
        }
        Value::Array(list) => {
            let mut all = vec![];
            for value in list {
                match fill(value, values, is_resource)? {
                    Value::Array(several) => all.extend(several),
                    one => all.push(one),
                }
            }
            if all.len() > MAX_COMBINATIONS {
                return Err(TemplateError::RenderedTooLong);
            }
            Ok(Value::Array(all))
        }
        other => Ok(other.clone()),
    }
}

fn combine(
    text: &str,
    values: &[Parameter],
    is_resource: bool,
) -> Result<(Vec<String>, bool), TemplateError> {
    let (mut texts, mut is_list, mut colons) = (vec![String::new()], false, 0);
    for part in parts(text) {
        let name = match part {
            Part::Plain(plain) => {
                texts.iter_mut().for_each(|text| text.push_str(plain));
                colons += plain.matches(':').count();
                continue;
            }
            Part::Parameter(name) => name,
        };
        let given = values.iter().find(|given| given.name == name);
        let given = given.ok_or_else(|| TemplateError::Missing(name.to_owned()))?;
        // The first five parts of an ARN are told apart by their colons: a whole ARN may have them, a part may not.
        let is_part = is_resource && colons < 5 && text.len() != name.len() + "@{}".len();
        if is_part && given.values.iter().any(|value| value.contains([':', '/'])) {
            let what = "`:` or `/`";
            return Err(TemplateError::BadValue { name: name.to_owned(), what });
        }
        if texts.len() * given.values.len() > MAX_COMBINATIONS {
            return Err(TemplateError::RenderedTooLong);
        }
        is_list |= given.is_list;
        let each =
            texts.iter().flat_map(|text| given.values.iter().map(move |value| format!("{text}{value}")));
        texts = each.collect();
        if texts.iter().map(String::len).sum::<usize>() > MAX_TEMPLATE + MAX_RENDERED {
            return Err(TemplateError::RenderedTooLong);
        }
    }
    Ok((texts, is_list))
}
