//! Comparisons as text and as JSON: the same input always gives the same.

use super::difference::{Comparison, Covered, Difference, Differences, StatedCondition};
use super::witness::Witness;
use super::{Certainty, Reason};
use crate::json::Writer;
use std::fmt;

/// The most entries of a list that the text shows.
const MAX_SHOWN: usize = 12;

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, differences) in [("newly allowed", &self.added), ("no longer allowed", &self.removed)] {
            let gap = if differences.list.is_empty() { ' ' } else { '\n' };
            write!(f, "{title}:{gap}{differences}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.list.is_empty(), &self.certainty) {
            (true, Certainty::Exact) => writeln!(f, "nothing")?,
            (true, Certainty::Unknown(_)) => {
                writeln!(f, "nothing that could be shown, but that is not sure")?
            }
            (false, _) => (),
        }
        for difference in &self.list {
            difference.fmt(f)?;
        }
        if self.omitted > 0 {
            writeln!(f, "  and {} more", self.omitted)?;
        }
        if let Certainty::Unknown(reasons) = &self.certainty {
            writeln!(f, "  there may be more:")?;
            for reason in reasons {
                writeln!(f, "    {reason}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} on {}", Shown(&self.actions), Shown(&self.resources))?;
        writeln!(f, "    by {}", self.by_statement)?;
        if !self.principals.is_empty() {
            writeln!(f, "    to {}", Quoted(&self.principals))?;
        }
        for condition in &self.conditions {
            writeln!(f, "    if {condition}")?;
        }
        writeln!(f, "    for example {}", self.witness)?;
        for statement in &self.denied_by {
            writeln!(f, "    denied on the other side by {statement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StatedCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operator, key) = (self.operator.escape_debug(), self.key.escape_debug());
        write!(f, "`{operator}` on `{key}`: {}", Quoted(&self.values))
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (action, resource) = (self.action.escape_debug(), self.resource.escape_debug());
        write!(f, "{} may `{action}` on `{resource}`", self.principal.arn().escape_debug())?;
        for (at, (key, values)) in self.context.iter().enumerate() {
            let joint = if at == 0 { " with" } else { " and" };
            write!(f, "{joint} `{}` =", key.as_str().escape_debug())?;
            for value in values {
                write!(f, " `{}`", value.to_string().escape_debug())?;
            }
        }
        Ok(())
    }
}

struct Shown<'a>(&'a [Covered]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, covered) in self.0.iter().take(MAX_SHOWN).enumerate() {
            let part = if covered.whole { "" } else { " (in part)" };
            write!(f, "{}{}{part}", if at == 0 { "" } else { ", " }, covered.pattern.escape_debug())?;
        }
        more(f, self.0.len())
    }
}

struct Quoted<'a>(&'a [Box<str>]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, text) in self.0.iter().take(MAX_SHOWN).enumerate() {
            write!(f, "{}`{}`", if at == 0 { "" } else { ", " }, text.escape_debug())?;
        }
        more(f, self.0.len())
    }
}

fn more(f: &mut fmt::Formatter<'_>, length: usize) -> fmt::Result {
    match length.saturating_sub(MAX_SHOWN) {
        0 => Ok(()),
        rest => write!(f, " and {rest} more"),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unconfirmed { statement } => {
                write!(
                    f,
                    "what {statement} allows hangs on variables or on who asks in a way that is not worked out"
                )
            }
            Self::TooComplex { statement } => {
                write!(f, "what {statement} allows is too complex to work out")
            }
            Self::Key { key, why } => write!(f, "the key `{}`: {why}", key.escape_debug()),
            Self::KeyTooComplex { key } => {
                write!(f, "the key `{}` is compared in too many ways", key.escape_debug())
            }
            Self::TooMuchWork => f.write_str("the policies are too complex to compare"),
        }
    }
}

impl Comparison {
    /// One line of JSON, its members always in the same order.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        writer.object(|o| {
            o.key("added");
            differences(o, &self.added);
            o.key("removed");
            differences(o, &self.removed);
        });
        writer.finish()
    }
}

impl Differences {
    /// One line of JSON, its members always in the same order.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        differences(&mut writer, self);
        writer.finish()
    }
}

fn differences(writer: &mut Writer, differences: &Differences) {
    writer.object(|o| {
        o.key("differences").list(&differences.list, difference);
        o.key("omitted").number(differences.omitted as u64);
        match &differences.certainty {
            Certainty::Exact => o.key("certainty").text("exact"),
            Certainty::Unknown(reasons) => {
                o.key("certainty").text("unknown");
                o.key("reasons").list(reasons, |o, reason| o.text(&reason.to_string()));
            }
        }
    });
}

fn difference(writer: &mut Writer, difference: &Difference) {
    writer.object(|o| {
        o.statement(&difference.by_statement);
        o.key("actions").list(&difference.actions, covered);
        o.key("resources").list(&difference.resources, covered);
        if !difference.principals.is_empty() {
            o.key("principals").list(&difference.principals, |o, name| o.text(name));
        }
        o.key("conditions").list(&difference.conditions, |o, condition| {
            o.object(|o| {
                o.key("operator").text(&condition.operator);
                o.key("key").text(&condition.key);
                o.key("values").list(&condition.values, |o, value| o.text(value));
            });
        });
        o.key("witness");
        witness(o, &difference.witness);
        if !difference.denied_by.is_empty() {
            o.key("deniedBy").list(&difference.denied_by, |o, own| o.object(|o| o.statement(own)));
        }
    });
}

fn covered(writer: &mut Writer, covered: &Covered) {
    writer.object(|o| {
        o.key("pattern").text(&covered.pattern);
        o.key("extent").text(if covered.whole { "whole" } else { "part" });
    });
}

fn witness(writer: &mut Writer, witness: &Witness) {
    writer.object(|o| {
        o.key("principal").text(witness.principal.arn());
        o.key("action").text(&witness.action);
        o.key("resource").text(&witness.resource);
        o.key("context").object(|o| {
            for (key, values) in witness.context.iter() {
                o.key(key.as_str()).list(values, |o, value| o.text(&value.to_string()));
            }
        });
    });
}
