//! `daypass policy check`: the findings of ValidatePolicy about files, with the lines that are meant.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::ops::Range;
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anyhow::Result;
use daypass_core::policy::check::{Finding, FindingType, Location, PolicyType, ResourceType, check};
use serde_json::{Value, json};

use super::{file, sarif};
use crate::cli::{FailOn, FindingFormat, PolicyCheck, PolicyKind};

/// A document and what was found in it.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) findings: Vec<Finding>,
}

pub(crate) fn run(arguments: &PolicyCheck) -> Result<ExitCode> {
    let policy = policy_type(arguments.kind);
    let mut checked = vec![];
    let mut unread = false;
    for path in &arguments.files {
        match file::read(path) {
            Ok((name, text)) => checked.push(Checked { findings: check(&text, policy), name, text }),
            Err(error) => {
                crate::complain(&format!("{error:#}"));
                unread = true;
            }
        }
    }
    let out = match arguments.output {
        FindingFormat::Text => text(&checked, colours()),
        FindingFormat::Json => machine(&checked)?,
        FindingFormat::Sarif => sarif::log(&checked),
    };
    print(out.trim_end())?;
    let fails = |finding: &Finding| fails(finding.code.finding_type(), arguments.fail_on);
    let failed = checked.iter().flat_map(|c| &c.findings).any(fails);
    Ok(match (unread, failed) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// A reader that has seen enough, as `head`, is no error.
fn print(out: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{out}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn policy_type(kind: PolicyKind) -> PolicyType {
    let of = |kind| PolicyType::Resource(Some(kind));
    match kind {
        PolicyKind::Identity => PolicyType::Identity,
        PolicyKind::Trust => of(ResourceType::RoleTrust),
        PolicyKind::Bucket => of(ResourceType::S3Bucket),
        PolicyKind::AccessPoint => of(ResourceType::S3AccessPoint),
        PolicyKind::MultiRegionAccessPoint => of(ResourceType::S3MultiRegionAccessPoint),
        PolicyKind::ObjectLambdaAccessPoint => of(ResourceType::S3ObjectLambdaAccessPoint),
        PolicyKind::Table => of(ResourceType::DynamoDbTable),
        PolicyKind::Resource => PolicyType::Resource(None),
        PolicyKind::Scp => PolicyType::ServiceControl,
        PolicyKind::Rcp => PolicyType::ResourceControl,
    }
}

/// Types are ordered from the gravest on.
fn fails(found: FindingType, fail_on: FailOn) -> bool {
    let least = match fail_on {
        FailOn::Error => FindingType::Error,
        FailOn::SecurityWarning => FindingType::SecurityWarning,
        FailOn::Warning => FindingType::Warning,
        FailOn::Suggestion => FindingType::Suggestion,
        FailOn::Never => return false,
    };
    found <= least
}

/// Colours are for people at a terminal who did not ask for none (`NO_COLOR`, no-color.org).
#[expect(clippy::disallowed_methods, reason = "the convention is a variable of the environment")]
fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn text(checked: &[Checked], colours: bool) -> String {
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for document in checked {
        for finding in &document.findings {
            out.push_str(&excerpt(document, finding, &renderer));
            out.push_str("\n\n");
        }
    }
    out.push_str(&summary(checked));
    out
}

/// A finding with the lines that it is about; the renderer shows control characters as signs.
fn excerpt(document: &Checked, finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.code.finding_type() {
        FindingType::Error => Level::ERROR,
        FindingType::SecurityWarning => Level::WARNING.with_name("security warning"),
        FindingType::Warning => Level::WARNING,
        FindingType::Suggestion => Level::NOTE.with_name("suggestion"),
    };
    let mut snippet = Snippet::source(&document.text).path(&document.name);
    for (index, location) in finding.locations.iter().enumerate() {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        snippet = snippet.annotation(kind.span(bytes(&document.text, location)));
    }
    let mut group = level.primary_title(&finding.message).id(finding.code.as_str()).element(snippet);
    let instead = finding.suggestion.as_ref().map(|suggestion| format!("perhaps `{suggestion}`"));
    if let Some(instead) = &instead {
        group = group.element(Level::HELP.message(instead));
    }
    renderer.render(&[group])
}

/// Where in the text the characters of a place are. A place that is a whole document is shown by its beginning.
fn bytes(text: &str, location: &Location) -> Range<usize> {
    let at = |offset: usize| text.char_indices().nth(offset).map_or(text.len(), |(index, _)| index);
    let start = at(location.start_offset);
    let end = if location.path.is_empty() {
        start.min(at(location.start_offset + 1))
    } else {
        at(location.end_offset)
    };
    start..end
}

fn summary(checked: &[Checked]) -> String {
    let findings = || checked.iter().flat_map(|document| &document.findings);
    let counts: Vec<String> = FindingType::ALL
        .into_iter()
        .map(|kind| (kind, findings().filter(|finding| finding.code.finding_type() == kind).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| {
            let name = kind.as_str().to_lowercase().replace('_', " ");
            format!("{count} {name}{}", if count == 1 { "" } else { "s" })
        })
        .collect();
    let documents = match checked.len() {
        0 => return "no document was checked".to_owned(),
        1 => "1 document".to_owned(),
        count => format!("{count} documents"),
    };
    if counts.is_empty() {
        format!("{documents}: no findings")
    } else {
        format!("{documents}: {}", counts.join(", "))
    }
}

fn machine(checked: &[Checked]) -> Result<String> {
    let mut all = vec![];
    for document in checked {
        let findings: Result<Vec<Value>, _> =
            document.findings.iter().map(|finding| serde_json::from_str(&finding.to_json())).collect();
        all.push(json!({ "file": document.name, "findings": findings? }));
    }
    Ok(format!("{:#}", Value::from(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Checked {
        Checked { name: "p.json".into(), text: text.into(), findings: check(text, PolicyType::Identity) }
    }

    const DOCUMENT: &str = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n    \"Effect\": \"Deny\",\n    \
                            \"Action\": \"s3:GetObjekt\",\n    \"Resource\": \"*\"\n  }\n}\n";

    #[test]
    fn the_line_that_is_meant_is_shown_and_underlined() {
        let out = text(&[checked(DOCUMENT)], false);
        assert_eq!(
            out,
            "error[INVALID_ACTION]: The action s3:GetObjekt does not exist. Did you mean s3:GetObject?\n \
             --> p.json:5:15\n  |\n5 |     \"Action\": \"s3:GetObjekt\",\n  |               ^^^^^^^^^^^^^^\n  |\n  \
             = help: perhaps `s3:GetObject`\n\n1 document: 1 error"
        );
    }

    #[test]
    fn what_a_document_says_moves_no_cursor() {
        let hostile =
            DOCUMENT.replace("s3:GetObjekt", "s3:\\u001b[2J").replace("\"Deny\"", "\"Deny\u{1b}[2J\"");
        for colours in [false, true] {
            for document in [&hostile, &hostile.replace('\u{1b}', "")] {
                let out = text(&[checked(document)], colours);
                assert!(!out.contains("\u{1b}[2J"), "{out:?}");
            }
        }
    }

    #[test]
    fn graver_findings_fail_too() {
        for (fail_on, failing) in [
            (FailOn::Error, 1),
            (FailOn::SecurityWarning, 2),
            (FailOn::Warning, 3),
            (FailOn::Suggestion, 4),
            (FailOn::Never, 0),
        ] {
            let count = FindingType::ALL.into_iter().filter(|kind| fails(*kind, fail_on)).count();
            assert_eq!(count, failing);
        }
    }

    #[test]
    fn the_forms_for_programs_hold_every_finding() {
        let documents = [checked(DOCUMENT), checked("{")];
        let machine: Value = serde_json::from_str(&machine(&documents).unwrap()).unwrap();
        assert_eq!(machine[0]["findings"][0]["issueCode"], "INVALID_ACTION");
        assert_eq!(machine[1]["findings"][0]["issueCode"], "JSON_SYNTAX_ERROR");
        let sarif: Value = serde_json::from_str(&sarif::log(&documents)).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        assert_eq!(results[0]["ruleId"], "INVALID_ACTION");
        assert_eq!(results[0]["level"], "error");
        let region = &results[0]["locations"][0]["physicalLocation"]["region"];
        assert_eq!(*region, json!({"startLine": 5, "startColumn": 15, "endLine": 5, "endColumn": 29}));
    }
}
