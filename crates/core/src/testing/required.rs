//! What an operation of IAM, STS or EC2 requires, made up from its table.

use daypass_model::{Kind, Operation, Protocol, Structure, Text};

use super::ACCOUNT;

/// What an operation requires, as a form that its table takes.
pub(super) fn form(operation: &Operation) -> Vec<(String, String)> {
    let mut form = vec![];
    require(operation.input, "", operation.service.protocol == Protocol::Ec2, &mut form);
    form
}

fn require(shape: &Structure, prefix: &str, ec2: bool, form: &mut Vec<(String, String)>) {
    for member in shape.members.iter().filter(|member| member.required) {
        let name = format!("{prefix}{}", member.wire_in);
        match member.kind {
            Kind::List(list) => {
                let item = if list.flattened || ec2 { String::new() } else { format!(".{}", list.item_name) };
                require_value(&list.item, format!("{name}{item}.1"), ec2, form);
            }
            kind => require_value(&kind, name, ec2, form),
        }
    }
}

fn require_value(kind: &Kind, name: String, ec2: bool, form: &mut Vec<(String, String)>) {
    match kind {
        Kind::Structure(shape) => {
            let (before, prefix) = (form.len(), format!("{name}."));
            require(shape, &prefix, ec2, form);
            // A form has no way to say a structure with nothing in it.
            let plain = |kind| matches!(kind, Kind::String(_) | Kind::Boolean);
            let member = shape.members.iter().find(|member| plain(member.kind));
            if let Some(member) = member.filter(|_| form.len() == before) {
                require_value(&member.kind, format!("{prefix}{}", member.wire_in), ec2, form);
            }
        }
        Kind::String(text) => form.push((name, sample(text))),
        Kind::Integer(number) | Kind::Long(number) => form.push((name, number.min.max(1).to_string())),
        Kind::Timestamp(_) => form.push((name, "2026-11-22T02:14:00Z".to_owned())),
        _ => form.push((name, "true".to_owned())),
    }
}

/// A text that its constraints take.
fn sample(text: &Text) -> String {
    let pattern = text.pattern.map_or("", |pattern| pattern.source);
    if let Some(value) = text.values.first() {
        return (*value).to_owned();
    }
    match pattern {
        p if p.starts_with("v[1-9]") => "v1".to_owned(),
        r"[\d]+" => "123456".to_owned(),
        p if p.contains(r"\u002F") || p.starts_with("((/") => "/".to_owned(),
        p if p.starts_with(r"^o-[0-9a-z]{10,32}\/r-") => "o-exampleorgid/r-root".to_owned(),
        "" if text.min == 20 => format!("arn:aws:iam::{ACCOUNT}:policy/x"),
        _ => "a".repeat(usize::try_from(text.min.max(3)).unwrap()),
    }
}
