//! What a comparison says.

use super::Certainty;
use super::witness::Witness;
use crate::StatementReference;

/// A comparison of two sets of policies: what the new one allows and the old one does not, and the other way round.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// What became allowed.
    pub added: Differences,
    /// What is no longer allowed.
    pub removed: Differences,
}

/// Requests that one side allows and the other does not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Differences {
    /// One for each statement that allows and each set of its resources, in the order of the statements.
    pub list: Vec<Difference>,
    /// How many more there are than are listed.
    pub omitted: usize,
    /// Whether this is all.
    pub certainty: Certainty,
    /// How much work it was; for those who measure.
    pub steps: u64,
}

/// What one statement allows that the other side does not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The statement that allows it.
    pub by_statement: StatementReference,
    /// The actions.
    pub actions: Vec<Covered>,
    /// The resources.
    pub resources: Vec<Covered>,
    /// Under which conditions the statement allows it; all of them must hold.
    pub conditions: Vec<StatedCondition>,
    /// To whom, where the statement says so.
    pub principals: Vec<Box<str>>,
    /// A request that shows it.
    pub witness: Witness,
    /// The statements of the other side that deny that request; none where nothing there allows it.
    pub denied_by: Vec<StatementReference>,
}

/// An entry of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Covered {
    /// The pattern as it is written, or an action.
    pub pattern: Box<str>,
    /// Whether the difference is all that it covers, as far as the policies tell apart.
    pub whole: bool,
}

/// A condition of the statement as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatedCondition {
    /// The operator.
    pub operator: Box<str>,
    /// The key.
    pub key: Box<str>,
    /// The values.
    pub values: Vec<Box<str>>,
}

impl Differences {
    /// Nothing was looked at.
    pub(super) fn given_up() -> Self {
        let certainty = Certainty::Unknown(vec![super::Reason::TooMuchWork]);
        Self { list: Vec::new(), omitted: 0, certainty, steps: super::budget::MAX_STEPS }
    }

    /// Whether it is sure that there are none.
    pub fn surely_none(&self) -> bool {
        self.list.is_empty() && self.certainty == Certainty::Exact
    }
}

impl Comparison {
    /// Whether it is sure that both sides allow the same.
    pub fn surely_equal(&self) -> bool {
        self.added.surely_none() && self.removed.surely_none()
    }
}
