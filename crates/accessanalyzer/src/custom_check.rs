//! What the custom policy checks have in common: documents in, an outcome with its reasons out
//! (`access-analyzer-custom-policy-checks`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use daypass_core::model::accessanalyzer::{AccessCheckPolicyType, ReasonSummary, errors};
use daypass_core::policy::compare::{Certainty, ComparedPolicies, Differences, Reason};
use daypass_core::policy::{Document, DocumentKind, MalformedDocument, Policy, PolicySource};
use daypass_core::{Error, Fault, at_length};

/// So many comparisons run at once. Each takes seconds of a core at worst.
const AT_ONCE: usize = 2;

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// What a check says; AWS's words for each.
pub(crate) struct Words {
    /// Of nothing that was found.
    pub(crate) pass: &'static str,
    /// Of something.
    pub(crate) fail: &'static str,
    /// Of what could not be ruled out. AWS has the words of `fail` for it, which would say more than is known.
    pub(crate) perhaps: &'static str,
    /// Of a statement, before `sid: …` or `index: …`.
    pub(crate) statement: &'static str,
}

/// What came of a check.
pub(crate) struct Outcome {
    pub(crate) passes: bool,
    pub(crate) message: Option<String>,
    pub(crate) reasons: Option<Vec<ReasonSummary>>,
}

/// The policies of a document.
///
/// # Errors
/// AWS's refusal of a document that is none. Which of its errors that is, AWS does not say.
pub(crate) fn policies(text: &str, kind: AccessCheckPolicyType) -> Result<ComparedPolicies, Fault> {
    let of = |kind| {
        let document = Document::parse(kind, text).map_err(|error| malformed(&error))?;
        Ok::<_, Fault>([Policy::compile(PolicySource::named("policy"), document)])
    };
    Ok(match kind {
        AccessCheckPolicyType::IDENTITYPOLICY => ComparedPolicies::identity(of(DocumentKind::Managed)?),
        AccessCheckPolicyType::RESOURCEPOLICY => ComparedPolicies::resource(of(DocumentKind::Resource)?),
    })
}

/// A parameter that is no policy, or no part of one.
pub(crate) fn malformed(error: &MalformedDocument) -> Fault {
    invalid(error.aws_message())
}

pub(crate) fn invalid(words: impl Into<String>) -> Fault {
    Fault::new(&errors::INVALID_PARAMETER_EXCEPTION, words.into())
}

/// Looks for differences, and says what they are. `FAIL` means that there may be some (Access Analyzer API Reference), so
/// what could not be ruled out fails.
///
/// # Errors
/// If too many are at it, if the policies are too complex, or if `look` fails.
pub(crate) fn check(
    words: &Words,
    look: impl FnOnce() -> Result<Differences, Fault>,
) -> Result<Outcome, Error> {
    let _turn = Turn::take()?;
    let differences = at_length(look)?;
    let found = !differences.list.is_empty();
    if differences.surely_none() {
        return Ok(Outcome { passes: true, message: Some(words.pass.to_owned()), reasons: None });
    }
    let reasons = if found { statements(words, &differences) } else { doubts(&differences)? };
    let message = if found { words.fail } else { words.perhaps };
    Ok(Outcome { passes: false, message: Some(message.to_owned()), reasons: Some(reasons) })
}

/// Each statement once, in their order. AWS counts from zero, and names a statement by its `Sid` where it has one.
fn statements(words: &Words, differences: &Differences) -> Vec<ReasonSummary> {
    let by_number: BTreeMap<usize, _> = differences
        .list
        .iter()
        .map(|difference| (difference.by_statement.number.saturating_sub(1), &difference.by_statement.sid))
        .collect();
    let reason = |(index, sid): (usize, &Option<Box<str>>)| {
        let which = match sid {
            Some(sid) => format!("sid: {sid}"),
            None => format!("index: {index}"),
        };
        ReasonSummary {
            description: Some(format!("{} {which}.", words.statement)),
            statement_index: i32::try_from(index).ok(),
            statement_id: sid.as_deref().map(str::to_owned),
        }
    };
    by_number.into_iter().map(reason).collect()
}

fn doubts(differences: &Differences) -> Result<Vec<ReasonSummary>, Error> {
    let Certainty::Unknown(doubts) = &differences.certainty else { return Ok(vec![]) };
    if doubts.contains(&Reason::TooMuchWork) {
        let words = "The policy is too complex to be checked.";
        return Err(Fault::new(&errors::UNPROCESSABLE_ENTITY_EXCEPTION, words).into());
    }
    let reason = |doubt: &Reason| ReasonSummary {
        description: Some(format!("It cannot be ruled out: {doubt}.")),
        ..ReasonSummary::default()
    };
    Ok(doubts.iter().map(reason).collect())
}

/// One of the comparisons that may run at once.
struct Turn;

impl Turn {
    fn take() -> Result<Self, Fault> {
        let next = |running: usize| (running < AT_ONCE).then_some(running + 1);
        match RUNNING.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) {
            Ok(_) => Ok(Self),
            Err(_) => Err(Fault::new(&errors::THROTTLING_EXCEPTION, "Rate exceeded")),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::AcqRel);
    }
}
