//! `daypass why`: how a decision came about, from the audit log.

use anyhow::Result;
use serde_json::{Value, json};

use crate::admin::client;
use crate::admin::protocol::{Reply, Request};
use crate::cli::{Output, Why};

pub(crate) fn run(arguments: Why) -> Result<()> {
    let directory = crate::data::directory(arguments.data.directory)?;
    let Reply::Why { event, explanation } = client::ask(&directory, &Request::Why { id: arguments.id })?
    else {
        return client::unexpected();
    };
    if matches!(arguments.output, Output::Json) {
        crate::say(&format!("{:#}", json!({ "event": event, "explanation": explanation })));
        return Ok(());
    }
    for line in told(&event, explanation.as_ref()) {
        crate::say(&line);
    }
    Ok(())
}

/// The answer for people, line by line.
fn told(event: &Value, explanation: Option<&Value>) -> Vec<String> {
    let mut lines = vec![format!(
        "{}  {}:{}  {}",
        text(event, "/eventTime"),
        text(event, "/eventSource").trim_end_matches(".amazonaws.com"),
        text(event, "/eventName"),
        event.get("errorCode").and_then(Value::as_str).unwrap_or("allowed")
    )];
    let mut line = |label: &str, words: String| {
        if !words.is_empty() {
            lines.push(format!("  {label:<11} {words}"));
        }
    };
    line("request", text(event, "/requestID"));
    line("from", text(event, "/sourceIPAddress"));
    line("by", text(event, "/userIdentity/arn"));
    line("message", text(event, "/errorMessage"));
    let Some(explanation) = explanation else {
        line(
            "decision",
            "none recorded: no policy had to be asked, or it was refused before one was".to_owned(),
        );
        return lines;
    };
    let checks = list(explanation, "checks");
    for check in if checks.is_empty() { std::slice::from_ref(explanation) } else { checks } {
        decision(check, &mut line);
    }
    if explanation.get("omitted").and_then(Value::as_u64).is_some_and(|omitted| omitted > 0) {
        line("", format!("{} more were asked and allowed", text(explanation, "/omitted")));
    }
    lines
}

/// One question and its answer.
fn decision(explanation: &Value, line: &mut impl FnMut(&str, String)) {
    line("action", text(explanation, "/action"));
    line("resource", text(explanation, "/resource"));
    line("decision", format!("{}: {}", text(explanation, "/decision"), text(explanation, "/reason")));
    for layer in list(explanation, "layers") {
        let level = text(layer, "/level");
        let level = if level.is_empty() { level } else { format!(" at {level}") };
        let why = text(layer, "/why");
        let verdict = match text(layer, "/verdict").as_str() {
            "notAsked" => format!("not asked, {why}"),
            verdict => verdict.to_owned(),
        };
        line("layer", format!("{} policies{level}: {verdict}", text(layer, "/layer")));
        for statement in list(layer, "statements") {
            line("", format!("  {}", place(statement)));
        }
    }
    for miss in list(explanation, "nearMisses") {
        line("came close", place(miss));
        for failed in list(miss, "failed") {
            line("", format!("  {}", failure(failed)));
        }
    }
    for suggestion in list(explanation, "suggestions") {
        let layer = text(suggestion, "/layer");
        line("would allow", format!("in {} policies: {}", layer, text(suggestion, "/statement")));
    }
}

/// `policy, statement 1 "Sid", line 3 column 5`.
fn place(statement: &Value) -> String {
    let sid = text(statement, "/sid");
    let sid = if sid.is_empty() { sid } else { format!(" \"{sid}\"") };
    format!(
        "{}, statement {}{sid}, line {} column {}",
        text(statement, "/policy"),
        text(statement, "/statement"),
        text(statement, "/line"),
        text(statement, "/column")
    )
}

/// The element that did not match, with everything that was recorded of it.
fn failure(failed: &Value) -> String {
    let mut words = format!("{} does not match", text(failed, "/element"));
    let others = failed.as_object().into_iter().flatten();
    for (name, value) in others.filter(|(name, _)| !["element", "line", "column"].contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        words.push_str(&format!("; {name} {value}"));
    }
    words
}

/// A field as text. What a caller wrote moves no cursor.
fn text(value: &Value, pointer: &str) -> String {
    let shown = |text: &str| {
        text.chars()
            .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
            .collect()
    };
    match value.pointer(pointer) {
        Some(Value::String(text)) => shown(text),
        Some(Value::Null) | None => String::new(),
        Some(other) => shown(&other.to_string()),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_wrote_moves_no_cursor() {
        let event = json!({ "eventName": "GetObject", "errorMessage": "\u{1b}[2Jgone\nbut" });
        let told = told(&event, None);
        assert_eq!(told[1], "  message     \\u{1b}[2Jgone\\nbut");
        assert!(told[2].starts_with("  decision    none recorded"));
    }

    #[test]
    fn a_denial_is_told_with_what_came_close_and_what_would_allow_it() {
        let event = json!({
            "eventTime": "2026-11-22T02:14:00Z", "eventSource": "s3.amazonaws.com", "eventName": "PutObject",
            "errorCode": "AccessDenied", "requestID": "R1", "sourceIPAddress": "10.0.0.5",
            "userIdentity": {"arn": "arn:aws:sts::123456789012:assumed-role/app/i-1"},
        });
        let explanation = json!({
            "decision": "implicitDeny", "reason": "no identity-based policy allows it", "action": "s3:PutObject",
            "resource": "arn:aws:s3:::b/k", "layers": [{"layer": "identity", "verdict": "silent"}],
            "nearMisses": [{"layer": "identity", "policy": "P", "sid": "Read", "statement": 1, "line": 1, "column": 38,
                "failed": [{"element": "Action", "listed": ["s3:GetObject"], "line": 2, "column": 2}]}],
            "suggestions": [{"layer": "identity", "statement": "{}"}],
        });
        assert_eq!(
            told(&event, Some(&explanation)),
            [
                "2026-11-22T02:14:00Z  s3:PutObject  AccessDenied",
                "  request     R1",
                "  from        10.0.0.5",
                "  by          arn:aws:sts::123456789012:assumed-role/app/i-1",
                "  action      s3:PutObject",
                "  resource    arn:aws:s3:::b/k",
                "  decision    implicitDeny: no identity-based policy allows it",
                "  layer       identity policies: silent",
                "  came close  P, statement 1 \"Read\", line 1 column 38",
                "                Action does not match; listed [\"s3:GetObject\"]",
                "  would allow in identity policies: {}",
            ]
        );
    }

    #[test]
    fn an_allowance_is_told_with_the_statements_that_decided() {
        let event =
            json!({ "eventName": "RunInstances", "eventSource": "ec2.amazonaws.com", "requestID": "R1" });
        let check = |action: &str, resource: &str| {
            json!({
                "decision": "allowed", "reason": "the reason", "action": action, "resource": resource,
                "layers": [
                    {"layer": "serviceControl", "level": "Root", "verdict": "allows"},
                    {"layer": "identity", "verdict": "allows",
                     "statements": [{"policy": "P", "sid": "Run", "statement": 2, "line": 3, "column": 4}]},
                    {"layer": "permissionsBoundary", "verdict": "notAsked", "why": "it is the root user"},
                ],
            })
        };
        let several = [check("ec2:RunInstances", "i"), check("iam:PassRole", "r")];
        let explanation = json!({ "decision": "allowed", "checks": several, "omitted": 3 });
        let told = told(&event, Some(&explanation));
        assert_eq!(told[0], "  ec2:RunInstances  allowed");
        assert_eq!(
            told[2..9],
            [
                "  action      ec2:RunInstances",
                "  resource    i",
                "  decision    allowed: the reason",
                "  layer       serviceControl policies at Root: allows",
                "  layer       identity policies: allows",
                "                P, statement 2 \"Run\", line 3 column 4",
                "  layer       permissionsBoundary policies: not asked, it is the root user",
            ]
        );
        assert_eq!(told[9], "  action      iam:PassRole");
        assert_eq!(told.last().unwrap(), "              3 more were asked and allowed");
    }
}
