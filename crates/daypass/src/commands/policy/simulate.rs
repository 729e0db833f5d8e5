//! `daypass policy simulate`: decisions by policies in files, without a server.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use daypass_core::policy::{Decision, DocumentKind};
use serde_json::Value;

use super::question::{Level, Question};
use crate::cli::{Output, PolicySimulate};

/// What a command comes to: 0 as hoped, 1 otherwise, 2 where the question itself is wrong.
pub(crate) fn run(arguments: &PolicySimulate) -> ExitCode {
    let outcome = match &arguments.cases {
        Some(file) => judge_cases(file, arguments.output),
        None => simulate(arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            crate::complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Decides every action on every resource; whether all are allowed.
fn simulate(arguments: &PolicySimulate) -> Result<bool> {
    let context = context(&arguments.context)?;
    let identity_policies = files(DocumentKind::Inline, &arguments.policy)?;
    let session_policies = files(DocumentKind::Session, &arguments.session_policy)?;
    let resource_policy = file_or_null(DocumentKind::Resource, arguments.resource_policy.as_deref())?;
    let boundary = file_or_null(DocumentKind::Inline, arguments.boundary.as_deref())?;
    let level = |policies: Vec<Value>| match policies.is_empty() {
        true => vec![],
        false => vec![Level { org: "account".to_owned(), policies }],
    };
    let scps = level(files(DocumentKind::ServiceControl, &arguments.scp)?);
    let rcps = level(files(DocumentKind::ResourceControl, &arguments.rcp)?);
    let (mut allowed, mut decisions) = (true, vec![]);
    for action in &arguments.action {
        for resource in &arguments.resource {
            let question = Question {
                principal: arguments.principal.clone(),
                action: action.clone(),
                resource: resource.clone(),
                resource_account: arguments.resource_account.as_ref().map(ToString::to_string),
                context: context.clone(),
                identity_policies: identity_policies.clone(),
                session_policies: session_policies.clone(),
                resource_policy: resource_policy.clone(),
                boundary: boundary.clone(),
                scps: scps.clone(),
                rcps: rcps.clone(),
                ..Question::default()
            };
            let explanation = question.explain()?;
            allowed &= explanation.decision == Decision::Allowed;
            match arguments.output {
                Output::Text => crate::say(explanation.to_string().trim_end()),
                Output::Json => decisions.push(serde_json::from_str::<Value>(&explanation.to_json())?),
            }
        }
    }
    if matches!(arguments.output, Output::Json) {
        crate::say(&format!("{:#}", Value::from(decisions)));
    }
    Ok(allowed)
}

/// Decides every case of a table; whether all came out as they say.
fn judge_cases(path: &Path, output: Output) -> Result<bool> {
    let text = fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("`{}` line {}", path.display(), index + 1);
        let question: Question = serde_json::from_str(line).with_context(place)?;
        let explanation = question.explain().with_context(place)?;
        let decided = match explanation.decision {
            Decision::Allowed => "allowed",
            Decision::ImplicitDeny => "implicit_deny",
            Decision::ExplicitDeny => "explicit_deny",
        };
        if !question.guide_silent.is_null() {
            skipped += 1;
        } else if decided == question.expected {
            passed += 1;
        } else {
            failed += 1;
            let (id, name, expected) = (&question.id, &question.name, &question.expected);
            crate::say(&format!("not ok - {id} {name}: {decided}, expected {expected}"));
            match output {
                Output::Text => crate::say(&indented(&explanation.to_string())),
                Output::Json => crate::say(&explanation.to_json()),
            }
        }
    }
    crate::say(&format!("{passed} passed, {failed} failed, {skipped} skipped"));
    Ok(failed == 0 && passed > 0)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// `KEY=VALUE`, once for a key of one value and more often for one of several.
fn context(arguments: &[String]) -> Result<BTreeMap<String, Value>> {
    let mut context: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for argument in arguments {
        let (key, value) =
            argument.split_once('=').with_context(|| format!("`{argument}` is not of the form KEY=VALUE"))?;
        context.entry(key.to_owned()).or_default().push(value.into());
    }
    let one_or_more = |mut values: Vec<Value>| match (values.len(), values.pop()) {
        (1, Some(value)) => value,
        (_, last) => Value::from(values.into_iter().chain(last).collect::<Vec<_>>()),
    };
    Ok(context.into_iter().map(|(key, values)| (key, one_or_more(values))).collect())
}

fn files(kind: DocumentKind, paths: &[impl AsRef<Path>]) -> Result<Vec<Value>> {
    paths.iter().map(|path| file(kind, path.as_ref())).collect()
}

fn file_or_null(kind: DocumentKind, path: Option<&Path>) -> Result<Value> {
    path.map_or(Ok(Value::Null), |path| file(kind, path))
}

fn file(kind: DocumentKind, path: &Path) -> Result<Value> {
    let (name, text) = super::file::read(path)?;
    super::file::parse(kind, &name, &text)?;
    Ok(Value::String(text))
}
