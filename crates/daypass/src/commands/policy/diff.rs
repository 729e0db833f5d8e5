//! `daypass policy diff`: what a change of policies allows and stops, over all requests.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use daypass_core::policy::compare::{ComparedPolicies, Comparison, Differences, compare};
use daypass_core::policy::{Document, DocumentKind, Effect, Policy, PolicySource};
use serde_json::{Value, json};

use super::side::{self, Pair};
use crate::cli::{FailOnDifference, Output, PolicyDiff, PolicyKind};

/// What the policy is called that stands for everything else that allows.
const EVERYTHING: &str = "a policy beside them that allows everything";

/// What came of one comparison.
struct Compared {
    names: [Vec<String>; 2],
    /// What the policies allow by themselves.
    allowed: Comparison,
    /// What they do not deny: what they allow where something else allows everything. Without a denial on either side
    /// there is nothing to say.
    undenied: Option<Comparison>,
}

/// What a command comes to; the number is its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Nothing = 0,
    Found = 1,
    Unsure = 2,
}

pub(crate) fn run(arguments: &PolicyDiff) -> ExitCode {
    let kind = document_kind(arguments.kind);
    let pairs = match side::pairs(&arguments.old, &arguments.new, kind, arguments.together) {
        Ok(pairs) => pairs,
        Err(error) => {
            crate::complain(&format!("{error:#}"));
            return ExitCode::from(2);
        }
    };
    let count = pairs.len();
    let changed: Vec<Compared> =
        pairs.iter().filter(|pair| !pair.is_same()).map(|pair| Compared::of(pair, kind)).collect();
    let outcome = outcome(&changed, arguments.fail_on);
    let out = match arguments.output {
        Output::Text => Ok(text(&changed, count, arguments.fail_on, outcome)),
        Output::Json => machine(&changed, outcome),
    };
    match out {
        Ok(out) => crate::say(out.trim_end()),
        Err(error) => {
            crate::complain(&format!("{error:#}"));
            return ExitCode::from(2);
        }
    }
    ExitCode::from(outcome as u8)
}

fn document_kind(kind: PolicyKind) -> DocumentKind {
    match kind {
        PolicyKind::Identity => DocumentKind::Managed,
        PolicyKind::Trust => DocumentKind::Trust,
        PolicyKind::Bucket => DocumentKind::Bucket,
        PolicyKind::Scp => DocumentKind::ServiceControl,
        PolicyKind::Rcp => DocumentKind::ResourceControl,
        PolicyKind::AccessPoint
        | PolicyKind::MultiRegionAccessPoint
        | PolicyKind::ObjectLambdaAccessPoint
        | PolicyKind::Table
        | PolicyKind::Resource => DocumentKind::Resource,
    }
}

impl Compared {
    fn of(pair: &Pair, kind: DocumentKind) -> Self {
        let names = pair.names().map(|side| side.into_iter().map(str::to_owned).collect());
        let sides = pair.policies();
        let of = |policies: Vec<Arc<Policy>>| match kind {
            DocumentKind::Managed | DocumentKind::ServiceControl => ComparedPolicies::identity(policies),
            _ => ComparedPolicies::resource(policies),
        };
        let denies = |policy: &Arc<Policy>| {
            policy.document().statements.iter().any(|statement| statement.effect.value == Effect::Deny)
        };
        let has_denials = sides.iter().flatten().any(denies);
        let beside = |policies: &Vec<Arc<Policy>>| {
            let everything = [everything(kind)].into_iter();
            of(everything.chain(policies.iter().cloned()).collect())
        };
        let undenied = has_denials.then(|| {
            let [old, new] = sides.each_ref().map(beside);
            let mut compared = compare(&old, &new);
            // What other statements allow, that policy allows too.
            for differences in [&mut compared.added, &mut compared.removed] {
                differences.list.retain(|own| own.by_statement.policy.to_string() == EVERYTHING);
            }
            compared
        });
        let [old, new] = sides.map(of);
        Self { names, allowed: compare(&old, &new), undenied }
    }

    /// What counts by `--fail-on`.
    fn counted(&self, which: FailOnDifference) -> Vec<&Differences> {
        let undenied = self.undenied.iter();
        match which {
            FailOnDifference::Allowed => vec![&self.allowed.added],
            FailOnDifference::New => {
                [&self.allowed.added].into_iter().chain(undenied.map(|own| &own.added)).collect()
            }
            FailOnDifference::Any => {
                let all = [&self.allowed].into_iter().chain(undenied);
                all.flat_map(|own| [&own.added, &own.removed]).collect()
            }
        }
    }
}

/// A policy that allows everything to everyone, in the form of that kind.
fn everything(kind: DocumentKind) -> Arc<Policy> {
    let principal = match kind {
        DocumentKind::Managed | DocumentKind::ServiceControl => "",
        _ => r#""Principal":"*","#,
    };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{principal}"Action":"*","Resource":"*"}}}}"#
    );
    Policy::compile(PolicySource::named(EVERYTHING), Document::load(as_granting(kind), &text))
}

/// Kinds of documents that may not allow have others beside them that do.
fn as_granting(kind: DocumentKind) -> DocumentKind {
    match kind {
        DocumentKind::Managed | DocumentKind::ServiceControl => DocumentKind::Managed,
        _ => DocumentKind::Resource,
    }
}

fn outcome(compared: &[Compared], which: FailOnDifference) -> Outcome {
    let counted: Vec<&Differences> = compared.iter().flat_map(|own| own.counted(which)).collect();
    if counted.iter().any(|differences| !differences.list.is_empty()) {
        Outcome::Found
    } else if counted.iter().all(|differences| differences.surely_none()) {
        Outcome::Nothing
    } else {
        Outcome::Unsure
    }
}

fn text(changed: &[Compared], count: usize, which: FailOnDifference, outcome: Outcome) -> String {
    let mut out = String::new();
    for compared in changed {
        if count > 1 {
            let [old, new] = compared.names.each_ref().map(|side| side.join(", "));
            let title = match (old.is_empty(), new.is_empty()) {
                (true, _) => format!("{new} (new)"),
                (_, true) => format!("{old} (gone)"),
                _ => format!("{old} -> {new}"),
            };
            out.push_str(&format!("{title}\n"));
        }
        out.push_str(&compared.allowed.to_string());
        let undenied = compared.undenied.as_ref();
        for (title, side) in [
            ("no longer denied, if something else allows it", undenied.map(|own| &own.added)),
            ("newly denied, if something else allows it", undenied.map(|own| &own.removed)),
        ] {
            if let Some(differences) = side.filter(|differences| !differences.surely_none()) {
                out.push_str(&format!("{title}:\n{differences}"));
            }
        }
        out.push('\n');
    }
    let documents = if count > 1 { format!("{} of {count} differ: ", changed.len()) } else { String::new() };
    out.push_str(&documents);
    out.push_str(match (which, outcome) {
        (_, Outcome::Nothing) if changed.is_empty() => "the policies are the same",
        (FailOnDifference::Any, Outcome::Nothing) => "nothing differs",
        (FailOnDifference::Any, Outcome::Found) => "something differs",
        (FailOnDifference::Any, Outcome::Unsure) => "it is not sure that nothing differs",
        (_, Outcome::Nothing) => "nothing new is allowed",
        (_, Outcome::Found) => "something new is allowed",
        (_, Outcome::Unsure) => "it is not sure that nothing new is allowed",
    });
    out
}

fn machine(changed: &[Compared], outcome: Outcome) -> Result<String> {
    let read = |differences: &Differences| serde_json::from_str::<Value>(&differences.to_json());
    let comparisons = changed.iter().map(|compared| {
        let [old, new] = &compared.names;
        let mut one = json!({
            "old": old,
            "new": new,
            "newlyAllowed": read(&compared.allowed.added)?,
            "noLongerAllowed": read(&compared.allowed.removed)?,
        });
        if let (Some(undenied), Some(one)) = (&compared.undenied, one.as_object_mut()) {
            one.insert("noLongerDenied".to_owned(), read(&undenied.added)?);
            one.insert("newlyDenied".to_owned(), read(&undenied.removed)?);
        }
        Ok(one)
    });
    let comparisons: Vec<Value> = comparisons.collect::<Result<_, serde_json::Error>>()?;
    let outcome = match outcome {
        Outcome::Nothing => "nothing",
        Outcome::Found => "difference",
        Outcome::Unsure => "unsure",
    };
    Ok(format!("{:#}", json!({ "outcome": outcome, "comparisons": comparisons })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(action: &str) -> String {
        format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#)
    }

    const DENY: &str = r#"{"Sid":"NoPut","Effect":"Deny","Action":"s3:Put*","Resource":"*"}"#;

    /// Compares two files with these statements beside one that stays; an empty side is no file.
    fn compared(old: &str, new: &str) -> Vec<Compared> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, statements: &str| {
            let place = folder.path().join(name);
            std::fs::create_dir_all(&place).unwrap();
            let text =
                |statements: &str| format!("{{\"Version\":\"2012-10-17\",\n\"Statement\":[{statements}]}}");
            std::fs::write(place.join("other.json"), text(DENY)).unwrap();
            if !statements.is_empty() {
                std::fs::write(place.join("p.json"), text(statements)).unwrap();
            }
            place
        };
        let pairs = side::pairs(&path("old", old), &path("new", new), DocumentKind::Managed, false).unwrap();
        let changed = pairs.iter().filter(|pair| !pair.is_same());
        changed.map(|pair| Compared::of(pair, DocumentKind::Managed)).collect()
    }

    #[test]
    fn the_exit_status_says_whether_something_new_is_allowed() {
        use FailOnDifference::{Allowed, Any, New};
        let variable = |value: &str| {
            format!(
                r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"s3:prefix":{value}}},"NumericLessThan":{{"s3:prefix":"5"}}}}}}"#
            )
        };
        let (read, all) = (allow("s3:Get*"), allow("s3:*"));
        let guarded = format!("{all},{DENY}");
        let read_guarded = format!("{read},{DENY}");
        for (old, new, which, expected) in [
            (&*read, &*read, Any, Outcome::Nothing),
            (&all, &read, New, Outcome::Nothing),
            (&all, &read, Any, Outcome::Found),
            (&read, &all, New, Outcome::Found),
            ("", &read, New, Outcome::Found),
            (&read, "", New, Outcome::Nothing),
            (&guarded, &all, Allowed, Outcome::Found),
            // A denial that goes lets through what other policies allow.
            (&read_guarded, &read, Allowed, Outcome::Nothing),
            (&read_guarded, &read, New, Outcome::Found),
            (DENY, "", New, Outcome::Found),
            ("", DENY, New, Outcome::Nothing),
            ("", DENY, Any, Outcome::Found),
            // Where it cannot be worked out, that is no `nothing`.
            (
                &variable(r#""${aws:username}""#),
                &variable(r#"["x","${aws:username}"]"#),
                New,
                Outcome::Unsure,
            ),
        ] {
            let compared = compared(old, new);
            assert_eq!(
                outcome(&compared, which),
                expected,
                "{old}\n{new}\n{}",
                text(&compared, 1, which, expected)
            );
        }
    }

    #[test]
    fn a_denial_that_goes_is_named_with_what_it_kept_out() {
        let compared = compared(&format!("{},{DENY}", allow("s3:Get*")), &allow("s3:Get*"));
        let text = text(&compared, 2, FailOnDifference::New, Outcome::Found);
        let mut lines = text.lines().skip(1);
        assert_eq!(lines.next(), Some("newly allowed: nothing"));
        assert_eq!(lines.next(), Some("no longer allowed: nothing"));
        assert_eq!(lines.next(), Some("no longer denied, if something else allows it:"));
        let denial = lines.find(|line| line.contains("denied on the other side")).unwrap();
        assert!(denial.ends_with("old/p.json, statement 2 `NoPut` at 2:67"), "{denial}");
        assert!(text.ends_with("1 of 2 differ: something new is allowed"), "{text}");
        let json: Value = serde_json::from_str(&machine(&compared, Outcome::Found).unwrap()).unwrap();
        let found = &json["comparisons"][0];
        assert_eq!(json["outcome"], "difference");
        assert_eq!(found["newlyAllowed"]["certainty"], "exact");
        assert_eq!(found["noLongerDenied"]["differences"].as_array().unwrap().len(), 1);
        assert_eq!(found["noLongerDenied"]["differences"][0]["deniedBy"][0]["sid"], "NoPut");
    }

    #[test]
    fn every_kind_of_policy_can_be_compared() {
        let statement = |kind: DocumentKind, effect: &str, action: &str| {
            let (principal, resource) = match kind {
                DocumentKind::Managed | DocumentKind::ServiceControl => ("", r#","Resource":"*""#),
                DocumentKind::Trust => (r#","Principal":{"AWS":"111122223333"}"#, ""),
                DocumentKind::Bucket => (r#","Principal":"*""#, r#","Resource":"arn:aws:s3:::b/*""#),
                _ => (r#","Principal":"*""#, r#","Resource":"*""#),
            };
            format!(r#"{{"Effect":"{effect}","Action":"{action}"{principal}{resource}}}"#)
        };
        for (kind, effect, few, many) in [
            (DocumentKind::Managed, "Allow", "s3:GetObject", "s3:Get*"),
            (DocumentKind::Trust, "Allow", "sts:AssumeRole", "sts:*"),
            (DocumentKind::Bucket, "Allow", "s3:GetObject", "s3:Get*"),
            (DocumentKind::Resource, "Allow", "sqs:SendMessage", "sqs:*"),
            (DocumentKind::ServiceControl, "Deny", "s3:Get*", "s3:GetObject"),
            (DocumentKind::ResourceControl, "Deny", "s3:Get*", "s3:GetObject"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file = |name: &str, action: &str| {
                let path = folder.path().join(name);
                let text =
                    format!(r#"{{"Version":"2012-10-17","Statement":{}}}"#, statement(kind, effect, action));
                std::fs::write(&path, text).unwrap();
                path
            };
            let pairs = side::pairs(&file("few", few), &file("many", many), kind, false).unwrap();
            let compared = [Compared::of(&pairs[0], kind)];
            assert_eq!(outcome(&compared, FailOnDifference::New), Outcome::Found, "{kind:?}");
            let turned = side::pairs(&file("many", many), &file("few", few), kind, false).unwrap();
            let turned = [Compared::of(&turned[0], kind)];
            assert_eq!(outcome(&turned, FailOnDifference::New), Outcome::Nothing, "{kind:?}");
        }
    }
}
