//! Explanations: the same decision again, this time with its reasons.

mod clause;
mod failure;
mod json;
mod layers;
mod suggestion;
mod text;

pub use clause::Audience;
pub use failure::{Actual, Failure, ObservedCondition};
pub use layers::{Decider, LayerKind, LayerReport, Named, StatementReference, Verdict};
pub use suggestion::Suggestion;

use crate::decide::{Applies, Cause, Conclusion, Decision, Exception, Findings, Policies, Request, conclude};

/// The most statements that an explanation lists as close.
const MAX_NEAR_MISSES: usize = 16;

/// Why a request is allowed or denied: which layers were asked, what each said, which statements decided, which came
/// close and by what they failed, and the least that would have to be added.
///
/// Two explanations of the same request with the same policies are the same, in text ([`Display`](std::fmt::Display)) and
/// in JSON ([`to_json`](Self::to_json)), so both can be stored and compared. Long lists and values are cut short.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Who asked.
    pub principal: Box<str>,
    /// For what.
    pub action: Box<str>,
    /// On what.
    pub resource: Box<str>,
    /// The decision's reason in a sentence.
    pub reason: Box<str>,
    /// What each layer said, in the order in which AWS asks them.
    pub layers: Vec<LayerReport>,
    /// For an implicit denial, the statements that nearly allowed it, the closest first: at most sixteen.
    pub near_misses: Vec<NearMiss>,
    /// For an implicit denial, the least that would allow it: a statement for each layer that lacks one. Empty where no
    /// policy can.
    pub suggestions: Vec<Suggestion>,
    cause: Option<Cause>,
}

/// A statement that would have allowed the request, had what failed not failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NearMiss {
    /// The layer that the statement is in.
    pub layer: LayerKind,
    /// The statement.
    pub statement: StatementReference,
    /// The elements that did not match.
    pub failures: Vec<Failure>,
}

impl Policies<'_> {
    /// Decides like [`decide`](Self::decide) and says why. For an implicit denial it looks at every statement of every layer.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let applies = Applies::to(self, request);
        let exception = Exception::of(request);
        let layers = layers::report(self, request, &applies);
        let conclusion = match exception {
            Some(Exception::AlwaysAllowed) => Some(Conclusion {
                decision: Decision::Allowed,
                cause: Cause::Exception(Exception::AlwaysAllowed),
            }),
            _ => Findings::until_denied(self, request, &applies)
                .map(|findings| conclude(self, request, &applies, exception, &findings)),
        };
        let (decision, cause) = match conclusion {
            Some(conclusion) => (conclusion.decision, Some(conclusion.cause)),
            None => (Decision::ExplicitDeny, None),
        };
        let implicit = decision == Decision::ImplicitDeny && exception.is_none();
        let suggestions = if implicit { suggestion::suggest(self, request, &layers) } else { Vec::new() };
        let near_misses = if implicit { self.near_misses(request, &suggestions) } else { Vec::new() };
        let mut explanation = Explanation {
            decision,
            principal: request.principal.arn().into(),
            action: request.action.as_str().into(),
            resource: request.resource.as_str().into(),
            reason: "".into(),
            layers,
            near_misses,
            suggestions,
            cause,
        };
        explanation.reason = explanation.sentence().into();
        explanation
    }

    /// The statements of the layers that lack an allowance which come close to one: all that are about the action, and
    /// those that fail in nothing but the action.
    fn near_misses(&self, request: &Request<'_>, suggestions: &[Suggestion]) -> Vec<NearMiss> {
        let lacking = |kind: LayerKind, level: Option<&str>| {
            suggestions
                .iter()
                .any(|suggestion| suggestion.layer == kind && suggestion.level.as_deref() == level)
        };
        let mut misses = Vec::new();
        for (layer, policy) in layers::policies(self).filter(|(layer, _)| lacking(layer.kind, layer.level)) {
            for index in 0..policy.statements().len() {
                let Some(failures) = failure::failures(policy, index, request, self.principal.has_boundary)
                else {
                    continue;
                };
                let about_action = !failures.iter().any(|failure| matches!(failure, Failure::Action { .. }));
                if about_action || failures.len() == 1 {
                    misses.push(NearMiss {
                        layer: layer.kind,
                        statement: StatementReference::new(policy, index),
                        failures,
                    });
                }
            }
        }
        // Stable: among those that fail in as many elements, the order of the layers and documents.
        misses.sort_by_key(|miss| miss.failures.len());
        misses.truncate(MAX_NEAR_MISSES);
        misses
    }
}
