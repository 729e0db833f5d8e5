//! Findings as SARIF 2.1.0, which code scanning reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use daypass_core::policy::check::{Finding, FindingType, Location};
use serde_json::{Value, json};

use super::check::Checked;

/// One log with one run; the rules that something was found by are described in it.
pub(super) fn log(checked: &[Checked]) -> String {
    let codes: BTreeSet<_> = checked.iter().flat_map(|document| &document.findings).map(|f| f.code).collect();
    let rules: Vec<Value> = codes
        .into_iter()
        .map(|code| {
            json!({
                "id": code.as_str(),
                "helpUri": code.learn_more(),
                "properties": { "findingType": code.finding_type().as_str() },
            })
        })
        .collect();
    let results: Vec<Value> = checked
        .iter()
        .flat_map(|document| document.findings.iter().map(|finding| result(document, finding)))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "daypass policy check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}")
}

fn result(document: &Checked, finding: &Finding) -> Value {
    let level = match finding.code.finding_type() {
        FindingType::Error => "error",
        FindingType::SecurityWarning | FindingType::Warning => "warning",
        FindingType::Suggestion => "note",
    };
    let (first, others) = finding.locations.split_at(finding.locations.len().min(1));
    let places = |list: &[Location]| list.iter().map(|l| place(&document.name, l)).collect::<Vec<_>>();
    json!({
        "ruleId": finding.code.as_str(),
        "level": level,
        "message": { "text": finding.message },
        "locations": places(first),
        "relatedLocations": places(others),
    })
}

fn place(name: &str, location: &Location) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(name) },
        "region": {
            "startLine": location.span.start.line,
            "startColumn": location.span.start.column,
            "endLine": location.span.end.line,
            "endColumn": location.span.end.column,
        },
    } })
}

/// A path as a relative reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
