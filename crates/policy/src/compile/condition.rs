//! Conditions, ready to test.

use super::certainty::Certainty;
use crate::context::{Context, Found, Key, TextBuffer, Value, parse_bool};
use crate::document::{Comparison, Condition, Quantifier, Version};
use crate::pattern::{Fit, Glob, Syntax, Template};
use crate::resource::ArnPattern;
use crate::value::{Decimal, Network, Timestamp, base64};
use std::cmp::Ordering;
use std::sync::Arc;

/// One operator with one key.
#[derive(Debug)]
pub(crate) struct CompiledCondition {
    key: Arc<Key<'static>>,
    quantifier: Option<Quantifier>,
    if_exists: bool,
    negated: bool,
    test: Test,
}

/// What is compared with; one entry for each value of the policy, `None` for one that cannot be read.
#[derive(Debug)]
enum Test {
    Equals(Box<[Option<Template>]>),
    EqualsIgnoreCase(Box<[Option<Template>]>),
    Like(Box<[Option<Glob>]>),
    Numeric(Order, Box<[Option<Decimal>]>),
    Date(Order, Box<[Option<Timestamp>]>),
    Bool(Box<[Option<BoolValue>]>),
    Binary(Box<[Option<Box<[u8]>>]>),
    Ip(Box<[Option<Network>]>),
    Arn(Box<[Option<ArnPattern>]>),
    /// Whether the key must be absent.
    Null(Box<[Option<bool>]>),
    Unknown,
}

#[derive(Debug)]
enum BoolValue {
    Fixed(bool),
    Variable(Box<Template>),
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl CompiledCondition {
    pub(crate) fn new(condition: &Condition, version: Version, key: Arc<Key<'static>>) -> Self {
        let operator = condition.operator.value.1;
        let texts = || condition.values.iter().map(|value| &*value.value);
        Self {
            key,
            quantifier: operator.and_then(|operator| operator.quantifier),
            if_exists: operator.is_some_and(|operator| operator.if_exists),
            negated: operator.is_some_and(|operator| operator.comparison.is_negated()),
            test: operator.map_or(Test::Unknown, |operator| Test::new(operator.comparison, texts(), version)),
        }
    }

    pub(crate) fn test(&self, context: &Context<'_>) -> Certainty {
        let found = context.find(&self.key);
        match &self.test {
            Test::Unknown => return Certainty::Unclear,
            Test::Null(wanted) => {
                let absent = found == Found::Absent;
                return Certainty::any(
                    wanted.iter().map(|wanted| wanted.map(|wanted| wanted == absent).into()),
                );
            }
            _ => (),
        }
        match (found, self.quantifier) {
            (Found::Absent, _) if self.if_exists => Certainty::Yes,
            (Found::Absent, Some(Quantifier::ForAllValues)) => Certainty::Yes,
            (Found::Absent, Some(Quantifier::ForAnyValue)) => Certainty::No,
            (Found::Absent, None) => self.negated.into(),
            (Found::Single(value), _) => self.test_value(value, context),
            (Found::List(values), Some(Quantifier::ForAllValues)) => {
                Certainty::all(values.iter().map(|value| self.test_value(value, context)))
            }
            (Found::List(values), Some(Quantifier::ForAnyValue)) => {
                Certainty::any(values.iter().map(|value| self.test_value(value, context)))
            }
            // A set without a set operator matches nothing, negated or not (re:Inforce 2025, IAM431).
            (Found::List(_), None) => Certainty::No,
        }
    }

    /// A positive operator needs one of the policy's values to match; a negated one needs none to.
    fn test_value(&self, value: &Value<'_>, context: &Context<'_>) -> Certainty {
        match self.test.matches(value, context) {
            // The request's value is not of the operator's kind. It equals nothing; that it differs from everything is
            // not said anywhere.
            None if self.negated => Certainty::Unclear,
            None => Certainty::No,
            Some(matches) => matches.invert_if(self.negated),
        }
    }
}

impl Test {
    fn new<'t>(comparison: Comparison, texts: impl Iterator<Item = &'t str>, version: Version) -> Self {
        use Comparison as C;
        let variables = version == Version::V2012;
        let template = |text: &str| Template::new(text, variables).ok();
        let order = match comparison {
            C::NumericLessThan | C::DateLessThan => Order::Less,
            C::NumericLessThanEquals | C::DateLessThanEquals => Order::LessOrEqual,
            C::NumericGreaterThan | C::DateGreaterThan => Order::Greater,
            C::NumericGreaterThanEquals | C::DateGreaterThanEquals => Order::GreaterOrEqual,
            _ => Order::Equal,
        };
        match comparison {
            C::StringEquals | C::StringNotEquals => Self::Equals(texts.map(template).collect()),
            C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => {
                Self::EqualsIgnoreCase(texts.map(template).collect())
            }
            C::StringLike | C::StringNotLike => {
                let syntax = Syntax { wildcards: true, variables };
                Self::Like(texts.map(|text| Glob::new(text, syntax).ok()).collect())
            }
            C::NumericEquals
            | C::NumericNotEquals
            | C::NumericLessThan
            | C::NumericLessThanEquals
            | C::NumericGreaterThan
            | C::NumericGreaterThanEquals => Self::Numeric(order, texts.map(Decimal::parse).collect()),
            C::DateEquals
            | C::DateNotEquals
            | C::DateLessThan
            | C::DateLessThanEquals
            | C::DateGreaterThan
            | C::DateGreaterThanEquals => Self::Date(order, texts.map(Timestamp::parse).collect()),
            C::Bool => Self::Bool(texts.map(|text| BoolValue::new(text, variables)).collect()),
            C::BinaryEquals => {
                Self::Binary(texts.map(|text| base64::decode(text).collect::<Result<_, _>>().ok()).collect())
            }
            C::IpAddress | C::NotIpAddress => Self::Ip(texts.map(Network::parse).collect()),
            C::ArnEquals | C::ArnNotEquals | C::ArnLike | C::ArnNotLike => {
                Self::Arn(texts.map(|text| ArnPattern::new(text, variables)).collect())
            }
            C::Null => Self::Null(texts.map(parse_bool).collect()),
        }
    }

    /// Whether one of the policy's values matches the request's; `None` where the request's is not of this kind.
    fn matches(&self, value: &Value<'_>, context: &Context<'_>) -> Option<Certainty> {
        let buffer = &mut TextBuffer::default();
        Some(match self {
            Self::Equals(templates) => {
                let text = value.text(buffer)?;
                any(templates, |template| is_yes(template.fit(text, context)))
            }
            Self::EqualsIgnoreCase(templates) => {
                let text = value.text(buffer)?;
                any(templates, |template| is_yes(template.fit_ignoring_case(text, context)))
            }
            Self::Like(globs) => {
                let text = value.text(buffer)?;
                any(globs, |glob| is_yes(glob.fit(text, context)))
            }
            Self::Numeric(order, numbers) => {
                let own = value.number()?;
                any(numbers, |number| order.holds(own.compare(*number)))
            }
            Self::Date(order, dates) => {
                let own = value.time()?;
                any(dates, |date| order.holds(own.cmp(date)))
            }
            Self::Bool(wanted) => {
                let own = value.boolean()?;
                any(wanted, |wanted| wanted.equals(own, context))
            }
            Self::Binary(wanted) => {
                value.equals_bytes(&[])?;
                any(wanted, |bytes| value.equals_bytes(bytes) == Some(true))
            }
            Self::Ip(networks) => {
                let own = value.address()?;
                any(networks, |network| network.contains(own))
            }
            Self::Arn(patterns) => {
                let text = value.text(buffer)?;
                crate::arn::ArnParts::split(text)?;
                any(patterns, |pattern| pattern.fit(text, context).is_some_and(is_yes))
            }
            Self::Null(_) | Self::Unknown => Certainty::Unclear,
        })
    }
}

/// Whether some value of the policy matches; one that cannot be read might.
fn any<T>(values: &[Option<T>], matches: impl Fn(&T) -> bool) -> Certainty {
    Certainty::any(values.iter().map(|value| value.as_ref().map(&matches).into()))
}

fn is_yes(fit: Fit) -> bool {
    fit == Fit::Yes
}

impl BoolValue {
    /// The guide lists variables for the String and Arn operators only, and elsewhere shows them under Bool: both are taken.
    fn new(text: &str, variables: bool) -> Option<Self> {
        if let Some(value) = parse_bool(text) {
            return Some(Self::Fixed(value));
        }
        let may_vary = variables && text.contains("${");
        if may_vary {
            Template::new(text, true).ok().map(|template| Self::Variable(Box::new(template)))
        } else {
            None
        }
    }

    fn equals(&self, own: bool, context: &Context<'_>) -> bool {
        match self {
            Self::Fixed(value) => *value == own,
            Self::Variable(template) => {
                is_yes(template.fit_ignoring_case(if own { "true" } else { "false" }, context))
            }
        }
    }
}
