//! The explanation as JSON, for records.

use super::{
    Actual, Explanation, Failure, LayerKind, LayerReport, Named, NearMiss, ObservedCondition,
    StatementReference, Verdict,
};
use crate::json::Writer;
use crate::span::Position;

impl Explanation {
    /// One line of JSON, its members always in the same order.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        writer.object(|o| {
            o.key("decision").text(self.decision.as_str());
            o.key("reason").text(&self.reason);
            o.key("principal").text(&self.principal);
            o.key("action").text(&self.action);
            o.key("resource").text(&self.resource);
            o.key("layers").list(&self.layers, layer);
            if !self.near_misses.is_empty() {
                o.key("nearMisses").list(&self.near_misses, near_miss);
            }
            if !self.suggestions.is_empty() {
                o.key("suggestions").list(&self.suggestions, |o, suggestion| {
                    o.object(|o| {
                        o.key("layer").text(layer_name(suggestion.layer));
                        if let Some(level) = &suggestion.level {
                            o.key("level").text(level);
                        }
                        o.key("statement").text(&suggestion.statement);
                    });
                });
            }
        });
        writer.finish()
    }
}

fn layer_name(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::ResourceControl => "resourceControl",
        LayerKind::ServiceControl => "serviceControl",
        LayerKind::Endpoint => "vpcEndpoint",
        LayerKind::Resource => "resource",
        LayerKind::Trust => "roleTrust",
        LayerKind::Identity => "identity",
        LayerKind::Boundary => "permissionsBoundary",
        LayerKind::Session => "session",
    }
}

fn layer(writer: &mut Writer, report: &LayerReport) {
    writer.object(|o| {
        o.key("layer").text(layer_name(report.kind));
        if let Some(level) = &report.level {
            o.key("level").text(level);
        }
        let (verdict, why) = match report.verdict {
            Verdict::Denies => ("denies", None),
            Verdict::Allows => ("allows", None),
            Verdict::Silent => ("silent", None),
            Verdict::NotAsked(why) => ("notAsked", Some(why)),
        };
        o.key("verdict").text(verdict);
        if let Some(why) = why {
            o.key("why").text(why);
        }
        if !report.deciders.is_empty() {
            o.key("statements").list(&report.deciders, |o, decider| {
                o.object(|o| {
                    o.statement(&decider.statement);
                    match decider.named {
                        Some(Named::Account) => o.key("names").text("account"),
                        Some(Named::Behind) => o.key("names").text("behind"),
                        Some(Named::Itself) => o.key("names").text("itself"),
                        None => (),
                    }
                    if !decider.conditions.is_empty() {
                        o.key("conditions").list(&decider.conditions, |o, condition| {
                            o.object(|o| observed(o, condition));
                        });
                    }
                });
            });
        }
    });
}

impl Writer {
    /// The members that say where a statement stands.
    pub(crate) fn statement(&mut self, reference: &StatementReference) {
        self.key("policy").text(&reference.policy.to_string());
        if let Some(sid) = &reference.sid {
            self.key("sid").text(sid);
        }
        self.key("statement").number(reference.number as u64);
        place(self, reference.at);
    }
}

fn place(writer: &mut Writer, at: Position) {
    writer.key("line").number(at.line.into());
    writer.key("column").number(at.column.into());
}

fn near_miss(writer: &mut Writer, miss: &NearMiss) {
    writer.object(|o| {
        o.key("layer").text(layer_name(miss.layer));
        o.statement(&miss.statement);
        o.key("failed").list(&miss.failures, failure);
    });
}

fn failure(writer: &mut Writer, failure: &Failure) {
    writer.object(|o| {
        let (name, list, inverted, at) = match failure {
            Failure::Action { listed, inverted, at } => ("Action", listed, *inverted, *at),
            Failure::Resource { listed, inverted, at } => ("Resource", listed, *inverted, *at),
            Failure::Principal { listed, inverted, at } => ("Principal", listed, *inverted, *at),
            Failure::Condition(condition) => {
                o.key("element").text("Condition");
                return observed(o, condition);
            }
            Failure::NotUnderstood { reason, at } => {
                o.key("element").text("unknown");
                o.key("reason").text(reason);
                return place(o, *at);
            }
        };
        o.key("element").text(&if inverted { format!("Not{name}") } else { name.to_owned() });
        o.key("listed").list(list, |o, entry| o.text(entry));
        place(o, at);
    });
}

fn observed(writer: &mut Writer, condition: &ObservedCondition) {
    writer.key("operator").text(&condition.operator);
    writer.key("key").text(&condition.key);
    writer.key("expected").list(&condition.expected, |o, value| o.text(value));
    match &condition.actual {
        Actual::Absent => writer.key("actual").list([(); 0], |_, ()| ()),
        Actual::Value(value) => writer.key("actual").text(value),
        Actual::Values(values) => writer.key("actual").list(values, |o, value| o.text(value)),
    }
    place(writer, condition.at);
}
