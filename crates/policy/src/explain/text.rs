//! The explanation as text, for people.

use super::{
    Actual, Explanation, Failure, LayerReport, Named, ObservedCondition, StatementReference, Verdict,
};
use std::fmt;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.decision.as_str(), self.reason)?;
        writeln!(f, "  principal: {}", self.principal)?;
        writeln!(f, "  action: {}", self.action)?;
        writeln!(f, "  resource: {}", self.resource)?;
        writeln!(f, "layers:")?;
        for layer in &self.layers {
            writeln!(f, "  {layer}")?;
            for decider in &layer.deciders {
                let named = match decider.named {
                    Some(Named::Account) => ", which names the account",
                    Some(Named::Behind) => ", which names who is behind the session",
                    Some(Named::Itself) => ", which names the principal itself",
                    None => "",
                };
                writeln!(f, "    by {}{named}", decider.statement)?;
                for condition in &decider.conditions {
                    writeln!(f, "      because {condition}")?;
                }
            }
        }
        if !self.near_misses.is_empty() {
            writeln!(f, "came close:")?;
        }
        for miss in &self.near_misses {
            writeln!(f, "  {}: {}", miss.layer, miss.statement)?;
            for failure in &miss.failures {
                writeln!(f, "    {failure}")?;
            }
        }
        if !self.suggestions.is_empty() {
            writeln!(f, "the least that would allow it:")?;
        }
        for suggestion in &self.suggestions {
            let level = suggestion.level.as_ref().map(|level| format!(" at `{level}`")).unwrap_or_default();
            writeln!(f, "  {}{level}: {}", suggestion.layer, suggestion.statement)?;
        }
        Ok(())
    }
}

impl fmt::Display for LayerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(level) = &self.level {
            write!(f, " at `{level}`")?;
        }
        match self.verdict {
            Verdict::Denies => write!(f, ": denies"),
            Verdict::Allows => write!(f, ": allows"),
            Verdict::Silent => write!(f, ": silent"),
            Verdict::NotAsked(reason) => write!(f, ": not asked, {reason}"),
        }
    }
}

impl fmt::Display for StatementReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, statement {}", self.policy, self.number)?;
        if let Some(sid) = &self.sid {
            write!(f, " `{}`", sid.escape_debug())?;
        }
        write!(f, " at {}", self.at)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, listed, inverted, at) = match self {
            Self::Action { listed, inverted, at } => ("Action", listed, inverted, at),
            Self::Resource { listed, inverted, at } => ("Resource", listed, inverted, at),
            Self::Principal { listed, inverted, at } => ("Principal", listed, inverted, at),
            Self::Condition(condition) => return condition.fmt(f),
            Self::NotUnderstood { reason, at } => return write!(f, "not understood at {at}: {reason}"),
        };
        let (not, verb) = if *inverted { ("Not", "excludes it with") } else { ("", "covers only") };
        write!(f, "`{not}{name}` at {at} {verb} {}", Listed(listed))
    }
}

impl fmt::Display for ObservedCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, key, expected, actual, at, known } = self;
        let unknown = if *known { "" } else { ", which is no operator," };
        let (operator, key) = (operator.escape_debug(), key.escape_debug());
        write!(f, "`{operator}`{unknown} on `{key}` at {at}: expected {}, {actual}", Listed(expected))
    }
}

impl fmt::Display for Actual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("the key is absent"),
            Self::Value(value) => write!(f, "found `{}`", value.escape_debug()),
            Self::Values(values) => write!(f, "found {}", Listed(values)),
        }
    }
}

struct Listed<'a>(&'a [Box<str>]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (index, entry) in self.0.iter().enumerate() {
            write!(f, "{}`{}`", if index == 0 { "" } else { ", " }, entry.escape_debug())?;
        }
        Ok(())
    }
}
