//! The states of one condition key: absent, one value, or several; and which tests each passes.

use super::bits::Bits;
use super::budget::{Budget, Exhausted, MAX_KEY_STATES};
use super::template::Symbols;
use super::trust;
use super::values::{Operand, Test, Values};
use crate::arn::ArnParts;
use crate::compile::Certainty;
use crate::context::{Context, Key, keys, parse_bool};
use crate::document::{Comparison, Quantifier};
use std::collections::{HashMap, HashSet};

/// What a request may say for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    One(Element),
    Many(Vec<Element>),
}

/// One value of the key: its class, and which of the templates it equals or is like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Element {
    pub(super) value: usize,
    /// A bit for each template that it matches.
    pub(super) templates: u32,
}

/// All that a key may be, as far as the policies can tell.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) values: Values,
    pub(super) states: Vec<State>,
    /// For each test, the states in which a statement that asks it goes on to count.
    pub(super) passes: Vec<Bits>,
    /// The states that a stranger can bring about.
    pub(super) public: Bits,
}

/// How many values a key has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cardinality {
    Single,
    Multiple,
    /// Only its service knows.
    Unknown,
}

/// AWS's own keys have one value but for these (`reference_policies_condition-single-vs-multi-valued-context-keys`, and
/// `reference_policies_condition-keys`, value type of each).
fn cardinality(key: &Key<'_>) -> Cardinality {
    const MULTIPLE: [Key<'static>; 8] = [
        keys::CALLED_VIA,
        keys::PRINCIPAL_ORG_PATHS,
        keys::PRINCIPAL_SERVICE_NAMES_LIST,
        keys::RESOURCE_ORG_PATHS,
        keys::SOURCE_ORG_PATHS,
        keys::TAG_KEYS,
        keys::VPCE_ORG_PATHS,
        Key::from_static("aws:CalledViaAWSMCP"),
    ];
    let global = key.as_str().get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    match (MULTIPLE.contains(key), global) {
        (true, _) => Cardinality::Multiple,
        (false, true) => Cardinality::Single,
        (false, false) => Cardinality::Unknown,
    }
}

/// Keys that AWS puts into every signed request: a witness with them says more.
const ALWAYS: [Key<'static>; 9] = [
    keys::CURRENT_TIME,
    keys::EPOCH_TIME,
    keys::PRINCIPAL_ACCOUNT,
    keys::PRINCIPAL_ARN,
    keys::PRINCIPAL_TYPE,
    keys::REQUESTED_REGION,
    keys::SECURE_TRANSPORT,
    keys::USER_ID,
    keys::VIA_AWS_SERVICE,
];

impl Domain {
    pub(super) fn of(
        key: &Key<'static>,
        tests: &[Test<'_>],
        symbols: &mut Symbols,
        budget: &mut Budget,
    ) -> Result<Self, Exhausted> {
        let values = Values::of(key, tests, symbols, budget)?;
        let builder = Builder { key, tests, values: &values };
        let singles = builder.singles(budget)?;
        let cardinality = cardinality(key);
        let absent: Vec<Certainty> = tests.iter().map(|test| test.compiled.test(&Context::new())).collect();
        let mut found = vec![(State::Absent, absent)];
        if cardinality != Cardinality::Multiple {
            let one = singles
                .iter()
                .map(|(element, certainties)| (State::One(element.clone()), certainties.clone()));
            found.extend(one);
        }
        if cardinality != Cardinality::Single {
            found.extend(builder.lists(&singles, budget)?);
        }
        if ALWAYS.contains(key) {
            found.rotate_left(1);
        }
        let trusted = trust::is_trusted(key);
        let strange = |element: &Element| !values.list.get(element.value).is_some_and(|value| value.fixed);
        let open = |state: &State| match state {
            State::Absent => true,
            State::One(element) => !trusted || strange(element),
            State::Many(elements) => !trusted || elements.iter().all(strange),
        };
        // States that no test tells apart are one; but a stranger's is not another's, and what a variable stands for is not
        // nothing.
        let mut met = HashSet::new();
        found.retain(|(state, certainties)| {
            let counts: Vec<bool> =
                tests.iter().zip(certainties).map(|(test, own)| own.counts_for(test.effect)).collect();
            let kind = match state {
                State::Absent => None,
                State::One(element) => Some((true, element.templates)),
                State::Many(_) => Some((false, 0)),
            };
            met.insert((counts, open(state), kind))
        });
        if found.len() > MAX_KEY_STATES {
            return Err(Exhausted);
        }
        let counting = |at: usize, test: &Test<'_>| {
            let counts = found.iter().enumerate().filter(|(_, (_, certainties))| {
                certainties.get(at).is_some_and(|own| own.counts_for(test.effect))
            });
            Bits::collect(found.len(), counts.map(|(state, _)| state))
        };
        let passes = tests.iter().enumerate().map(|(at, test)| counting(at, test)).collect();
        let public = found.iter().enumerate().filter(|(_, (state, _))| open(state)).map(|(at, _)| at);
        let public = Bits::collect(found.len(), public);
        let states = found.into_iter().map(|(state, _)| state).collect();
        Ok(Self { states, passes, public, values })
    }

    /// The text of a value.
    pub(super) fn text(&self, element: &Element) -> &str {
        self.values.list.get(element.value).map_or("", |value| &value.text)
    }
}

type Judged = (Element, Vec<Certainty>);

struct Builder<'a> {
    key: &'a Key<'static>,
    tests: &'a [Test<'a>],
    values: &'a Values,
}

impl Builder<'_> {
    /// Every value with every set of templates that it may match at once, and what the tests say of it alone.
    fn singles(&self, budget: &mut Budget) -> Result<Vec<Judged>, Exhausted> {
        let mut singles = Vec::new();
        let weight: usize = self.tests.iter().map(|test| 1 + test.condition.values.len() / 4).sum();
        for (value, own) in self.values.list.iter().enumerate() {
            budget.spend(weight)?;
            let mut context = Context::new();
            context.set(self.key.clone(), own.text.as_str());
            let plain: Vec<Certainty> = self.tests.iter().map(|test| test.compiled.test(&context)).collect();
            for templates in 0..1_u32 << self.values.templates.len() {
                let element = Element { value, templates };
                budget.spend(1)?;
                if self.is_possible(&element) {
                    let certainties =
                        plain.iter().enumerate().map(|(test, plain)| self.judge(test, *plain, &element));
                    singles.push((element.clone(), certainties.collect()));
                }
            }
        }
        Ok(singles)
    }

    fn is_possible(&self, element: &Element) -> bool {
        let has = |template: usize| element.templates & (1 << template) != 0;
        let matched = |pattern: &u32| {
            self.values.list.get(element.value).is_some_and(|value| value.matched.contains(pattern))
        };
        let fits =
            self.values.templates.iter().enumerate().all(|(at, (pattern, _))| !has(at) || matched(pattern));
        fits && self.values.implies.iter().all(|(one, other)| !has(*one) || has(*other))
    }

    /// What a test says of a value: what the evaluator says, but where that depends on variables.
    fn judge(&self, test: usize, plain: Certainty, element: &Element) -> Certainty {
        let Some(operands) = self.values.operands.get(test).and_then(Option::as_ref) else { return plain };
        let comparison = self.tests.get(test).and_then(|test| test.condition.operator.value.1);
        let (Some(operator), Some(value)) = (comparison, self.values.list.get(element.value)) else {
            return plain;
        };
        let negated = operator.comparison.is_negated();
        let readable = match operator.comparison {
            Comparison::ArnEquals
            | Comparison::ArnLike
            | Comparison::ArnNotEquals
            | Comparison::ArnNotLike => ArnParts::split(&value.text).is_some(),
            Comparison::Bool => parse_bool(&value.text).is_some(),
            _ => true,
        };
        if !readable {
            return if negated { Certainty::Unclear } else { Certainty::No };
        }
        Certainty::any(operands.iter().map(|operand| match operand {
            Operand::Plain(pattern) => value.matched.contains(pattern).into(),
            Operand::Template(template) => (element.templates & (1 << template) != 0).into(),
            Operand::Unreadable => Certainty::Unclear,
        }))
        .invert_if(negated)
    }

    /// Every set of values, as far as the tests tell sets apart: what is added to a set changes only what each test
    /// has gathered so far.
    fn lists(
        &self,
        singles: &[Judged],
        budget: &mut Budget,
    ) -> Result<Vec<(State, Vec<Certainty>)>, Exhausted> {
        let mut met: HashMap<Vec<Certainty>, ()> = HashMap::new();
        let mut found: Vec<(Vec<Element>, Vec<Certainty>)> = Vec::new();
        let start: Vec<Certainty> = self.tests.iter().map(|test| gathered(test)).collect();
        let mut at = 0;
        let mut from = (Vec::new(), start);
        loop {
            for (element, certainties) in singles {
                budget.spend(1)?;
                let next: Vec<Certainty> = self
                    .tests
                    .iter()
                    .zip(from.1.iter().zip(certainties))
                    .map(|(test, (before, own))| gather(test, *before, *own))
                    .collect();
                if met.insert(next.clone(), ()).is_none() {
                    if found.len() >= MAX_KEY_STATES {
                        return Err(Exhausted);
                    }
                    let mut elements = from.0.clone();
                    elements.push(element.clone());
                    found.push((elements, next));
                }
            }
            match found.get(at) {
                Some(next) => from = next.clone(),
                None => break,
            }
            at += 1;
        }
        Ok(found.into_iter().map(|(elements, certainties)| (State::Many(elements), certainties)).collect())
    }
}

/// What a test says of a set before any value was looked at.
fn gathered(test: &Test<'_>) -> Certainty {
    let operator = test.condition.operator.value.1;
    match operator.map(|operator| (operator.comparison, operator.quantifier)) {
        None => Certainty::Unclear,
        Some((Comparison::Null, _)) => {
            let wanted = test.condition.values.iter().map(|value| parse_bool(&value.value));
            Certainty::any(wanted.map(|wanted| wanted.map(|absent| !absent).into()))
        }
        Some((_, Some(Quantifier::ForAllValues))) => Certainty::Yes,
        Some((_, Some(Quantifier::ForAnyValue) | None)) => Certainty::No,
    }
}

fn gather(test: &Test<'_>, before: Certainty, own: Certainty) -> Certainty {
    match test.condition.operator.value.1.map(|operator| (operator.comparison, operator.quantifier)) {
        None | Some((Comparison::Null, _) | (_, None)) => before,
        Some((_, Some(Quantifier::ForAllValues))) => Certainty::all([before, own]),
        Some((_, Some(Quantifier::ForAnyValue))) => Certainty::any([before, own]),
    }
}
