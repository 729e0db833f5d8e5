//! The context that a simulation is given: `ContextEntries`.

use std::net::IpAddr;

use daypass_core::Fault;
use daypass_core::model::iam::{ContextEntry, ContextKeyTypeEnum as Type};
use daypass_core::policy::{Context, Timestamp};

use crate::fault::invalid_input;

/// Far more than AWS has keys for one request; every key is looked for among all of them.
const MAX_ENTRIES: usize = 1000;

/// Sets what a request says of the context, over what follows from the caller. The values stay text: each operator reads
/// them as it reads those of a request.
///
/// # Errors
/// For too many keys, a key without name, type or value, one that stands twice, one of several values whose type has one, and a value that
/// is not of its type. The words are not recorded from AWS.
pub(crate) fn set_all<'a>(context: &mut Context<'a>, entries: &'a [ContextEntry]) -> Result<(), Fault> {
    if entries.len() > MAX_ENTRIES {
        return Err(invalid_input(format!("At most {MAX_ENTRIES} context entries can be given.")));
    }
    let mut seen = Context::new();
    for entry in entries {
        let name = entry.context_key_name.as_deref();
        let name = name.ok_or_else(|| invalid_input("ContextKeyName cannot be null or empty."))?;
        let values = &entry.context_key_values;
        let Some(kind) = entry.context_key_type else {
            return Err(invalid_input(format!("Context key {name} has invalid type null.")));
        };
        let [first, rest @ ..] = values.as_slice() else {
            let words = format!("Context values for context key {name} cannot be null or empty.");
            return Err(invalid_input(words));
        };
        if seen.contains(name) {
            return Err(invalid_input(format!("Duplicate context key: {name}.")));
        }
        seen.set(name, true);
        if let Some(expected) = values.iter().find_map(|value| unlike(kind, value)) {
            let words = format!("Invalid context value for key {name}: expected {expected}.");
            return Err(invalid_input(words));
        }
        if is_list(kind) {
            context.set_list(name, values.iter().map(String::as_str));
        } else if rest.is_empty() {
            context.set(name, first.as_str());
        } else {
            let words = format!("Context key {name} expected a single value, but received {}.", values.len());
            return Err(invalid_input(words));
        }
    }
    Ok(())
}

fn is_list(kind: Type) -> bool {
    matches!(
        kind,
        Type::StringList
            | Type::NumericList
            | Type::BooleanList
            | Type::IpList
            | Type::BinaryList
            | Type::DateList
    )
}

/// What a value should have been, where it is not of its type.
fn unlike(kind: Type, value: &str) -> Option<&'static str> {
    let (fits, expected) = match kind {
        Type::String_ | Type::StringList => return None,
        Type::Numeric | Type::NumericList => {
            (value.parse::<f64>().is_ok_and(f64::is_finite), "numeric format")
        }
        Type::Boolean | Type::BooleanList => {
            let is = |word| value.eq_ignore_ascii_case(word);
            (is("true") || is("false"), "boolean format")
        }
        Type::Ip | Type::IpList => (value.parse::<IpAddr>().is_ok(), "IP address"),
        Type::Date | Type::DateList => (is_date(value), "DateTime format"),
        Type::Binary | Type::BinaryList => (is_base64(value), "base-64 encoded binary format"),
    };
    (!fits).then_some(expected)
}

fn is_date(value: &str) -> bool {
    Timestamp::parse(value).is_some()
}

fn is_base64(value: &str) -> bool {
    let digits = value.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    value.len().is_multiple_of(4) && value.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}
