//! What is written twice: actions, resources and statements that others cover.

use std::collections::{BTreeMap, HashMap};

use super::code::Code;
use super::finding::Report;
use super::glob::{covers, has_wildcard};
use super::view::{Clause, Entry, Statement};
use crate::json::{Json, Node, Writer};

pub(super) fn check(statements: &[Statement<'_>], report: &mut Report) {
    for statement in statements {
        if let Some(clause) = &statement.action {
            let redundant = covered(clause, |text| text.to_ascii_lowercase(), report);
            if let Some(first) = redundant.first() {
                let parts = [redundant.len().to_string(), first.text.to_owned()];
                let places = redundant.iter().map(|entry| entry.item.place()).collect();
                report.find_at(Code::RedundantAction, &[&parts[0], &parts[1]], places);
            }
        }
        if let Some(clause) = &statement.resource {
            let redundant = covered(clause, str::to_owned, report);
            if !redundant.is_empty() {
                let places = redundant.iter().map(|entry| entry.item.place()).collect();
                report.find_at(Code::RedundantResource, &[&redundant.len().to_string()], places);
            }
        }
    }
    same_statements(statements, report);
}

/// The entries that another entry covers; of those that say the same, all but the first.
fn covered<'c, 'd>(
    clause: &'c Clause<'d>,
    normal: fn(&str) -> String,
    report: &mut Report,
) -> Vec<&'c Entry<'d>> {
    let texts: Vec<String> = clause.entries.iter().map(|entry| normal(entry.text)).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, text) in texts.iter().enumerate() {
        first.entry(text).or_insert(index);
    }
    let wide: Vec<&String> = texts.iter().filter(|text| has_wildcard(text)).collect();
    let mut found = Vec::new();
    for (index, (entry, text)) in clause.entries.iter().zip(&texts).enumerate() {
        let repeated = first.get(text.as_str()) != Some(&index);
        let mut is_covered = false;
        for other in wide.iter().filter(|other| **other != text) {
            if !report.spend(text.len() + other.len()) {
                return Vec::new();
            }
            // Of two patterns that cover each other, the one that comes later is too much.
            let mutual = || covers(text, other) && first.get(other.as_str()) > Some(&index);
            is_covered |= covers(other, text) && !mutual();
        }
        if repeated || is_covered {
            found.push(entry);
        }
    }
    found
}

/// Statements that differ in nothing but their ids and the order of what they list.
fn same_statements(statements: &[Statement<'_>], report: &mut Report) {
    let mut seen: HashMap<String, &Statement<'_>> = HashMap::new();
    for statement in statements {
        let mut writer = Writer::default();
        normal(statement.item.node, true, &mut writer);
        let text = writer.finish();
        match seen.get(&text) {
            Some(first) => {
                let places = vec![statement.item.place(), first.item.place()];
                report.find_at(Code::RedundantStatement, &[], places);
            }
            None => {
                seen.insert(text, statement);
            }
        }
    }
}

/// Writes an element so that what means the same is the same: members and lists sorted, a lone value as itself.
fn normal(node: &Node, is_statement: bool, writer: &mut Writer) {
    match &node.value {
        Json::Object(members) => {
            let own = members.iter().filter(|member| !is_statement || &*member.key != "Sid");
            let sorted: BTreeMap<&str, &Node> = own.map(|member| (&*member.key, &member.value)).collect();
            writer.object(|o| {
                for (key, value) in sorted {
                    normal(value, false, o.key(key));
                }
            });
        }
        Json::List(list) => match list.as_slice() {
            [one] => normal(one, false, writer),
            list => {
                let mut texts: Vec<String> = list
                    .iter()
                    .map(|node| {
                        let mut writer = Writer::default();
                        normal(node, false, &mut writer);
                        writer.finish()
                    })
                    .collect();
                texts.sort();
                texts.dedup();
                writer.list(texts, |writer, text| writer.text(&text));
            }
        },
        Json::Text(text) | Json::Number(text) => writer.text(text),
        Json::Bool(value) => writer.text(&value.to_string()),
        Json::Null => writer.text(""),
    }
}
