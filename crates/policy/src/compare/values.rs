//! The values of one condition key, as far as the policies can tell them apart.
//!
//! For the String, Arn and Bool operators these are the classes of an automaton over all that the policies compare the key
//! with; for numbers, points in time and addresses they are the thresholds and what lies between, below and above
//! (`reference_policies_elements_condition_operators`). Two values of one class pass and fail the same tests.

use super::automaton::{Token, Universe};
use super::budget::{Budget, Exhausted, MAX_TEMPLATES};
use super::class::{Matcher, classes, is_within};
use super::scale;
use super::template::{Pattern, Style, Symbols, Template, any_arn};
use super::trust;
use crate::compile::CompiledCondition;
use crate::context::{Key, parse_bool};
use crate::document::{Comparison, Condition, Effect};
use crate::value::Network;
use std::collections::HashMap;

/// One condition of the policies that are compared, with its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Test<'p> {
    pub(super) effect: Effect,
    pub(super) condition: &'p Condition,
    pub(super) compiled: &'p CompiledCondition,
    /// Whether the document's version has variables.
    pub(super) variables: bool,
}

/// What a value of a condition is for the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// The evaluator itself can say.
    Plain(u32),
    /// It depends on a variable: the number of its template.
    Template(usize),
    Unreadable,
}

/// A value of the key, standing for all of its class.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    /// The patterns that it matches.
    pub(super) matched: Vec<u32>,
    /// Whether it equals a fixed value of the policies.
    pub(super) fixed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) list: Vec<Value>,
    /// The templates, each with the pattern that it is when its variables may be anything.
    pub(super) templates: Vec<(u32, Template)>,
    /// Pairs of templates of which the first matches only what the second does.
    pub(super) implies: Vec<(usize, usize)>,
    /// For each test with a template among its values, what each of them is.
    pub(super) operands: Vec<Option<Vec<Operand>>>,
    /// Why these may not be all.
    pub(super) doubt: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Text(Style),
    Bool,
    Number,
    Time,
    Address,
    Bytes,
    Presence,
}

fn family(comparison: Comparison) -> Family {
    use Comparison as C;
    match comparison {
        C::StringEquals | C::StringNotEquals => Family::Text(Style::Exact),
        C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => Family::Text(Style::AnyCase),
        C::StringLike | C::StringNotLike => Family::Text(Style::Wildcards),
        C::ArnEquals | C::ArnNotEquals | C::ArnLike | C::ArnNotLike => Family::Text(Style::Arn),
        C::NumericEquals
        | C::NumericNotEquals
        | C::NumericLessThan
        | C::NumericLessThanEquals
        | C::NumericGreaterThan
        | C::NumericGreaterThanEquals => Family::Number,
        C::DateEquals
        | C::DateNotEquals
        | C::DateLessThan
        | C::DateLessThanEquals
        | C::DateGreaterThan
        | C::DateGreaterThanEquals => Family::Time,
        C::Bool => Family::Bool,
        C::IpAddress | C::NotIpAddress => Family::Address,
        C::BinaryEquals => Family::Bytes,
        C::Null => Family::Presence,
    }
}

/// Collects what the key is compared with.
#[derive(Default)]
struct Collector<'p> {
    patterns: Vec<Vec<Token>>,
    numbers_of_patterns: HashMap<Vec<Token>, u32>,
    fixed: Vec<u32>,
    networks: Vec<Network>,
    numbers: Vec<&'p str>,
    times: Vec<&'p str>,
    bytes: Vec<&'p str>,
    values: Values,
}

impl Values {
    pub(super) fn of(
        key: &Key<'_>,
        tests: &[Test<'_>],
        symbols: &mut Symbols,
        budget: &mut Budget,
    ) -> Result<Self, Exhausted> {
        let mut collector = Collector::default();
        for test in tests {
            collector.take(key, test, symbols);
        }
        collector.finish(key, budget)
    }
}

impl<'p> Collector<'p> {
    fn take(&mut self, key: &Key<'_>, test: &Test<'p>, symbols: &mut Symbols) {
        let Some(operator) = test.condition.operator.value.1 else {
            self.values.operands.push(None);
            return;
        };
        let family = family(operator.comparison);
        let texts = test.condition.values.iter().map(|value| &*value.value);
        let operands: Vec<Operand> = match family {
            Family::Text(style) => {
                texts.map(|text| self.text(key, text, style, test.variables, symbols)).collect()
            }
            Family::Bool => texts.map(|text| self.boolean(text, test.variables, symbols)).collect(),
            Family::Number => return self.scaled(texts, |own| &mut own.numbers),
            Family::Time => return self.scaled(texts, |own| &mut own.times),
            Family::Bytes => return self.scaled(texts, |own| &mut own.bytes),
            Family::Address => {
                self.networks.extend(texts.filter_map(Network::parse));
                Vec::new()
            }
            Family::Presence => Vec::new(),
        };
        let templated = operands.iter().any(|operand| matches!(operand, Operand::Template(_)));
        self.values.operands.push(templated.then_some(operands));
    }

    fn scaled(
        &mut self,
        texts: impl Iterator<Item = &'p str>,
        list: impl Fn(&mut Self) -> &mut Vec<&'p str>,
    ) {
        list(self).extend(texts);
        self.values.operands.push(None);
    }

    fn text(
        &mut self,
        key: &Key<'_>,
        text: &str,
        style: Style,
        variables: bool,
        symbols: &mut Symbols,
    ) -> Operand {
        if style == Style::AnyCase && !text.is_ascii() {
            self.values.doubt = Some("it is compared without regard to case beyond ASCII");
        }
        if style == Style::Arn {
            self.pattern(any_arn());
        }
        let Some(pattern) = Pattern::of_value(text, style, variables, symbols) else {
            return Operand::Unreadable;
        };
        let fixed = pattern.template.is_none() && trust::is_fixed(key, text, style);
        let operand = self.operand(pattern);
        if let (Operand::Plain(number), true) = (operand, fixed) {
            self.fixed.push(number);
        }
        operand
    }

    fn boolean(&mut self, text: &str, variables: bool, symbols: &mut Symbols) -> Operand {
        let any_case = |text: &str| text.chars().map(Token::AnyCase).collect::<Vec<_>>();
        // Both are told apart from what is neither.
        let (yes, no) = (self.pattern(any_case("true")), self.pattern(any_case("false")));
        match parse_bool(text) {
            Some(value) => Operand::Plain(if value { yes } else { no }),
            None if variables && text.contains("${") => {
                Pattern::of_value(text, Style::AnyCase, true, symbols)
                    .map_or(Operand::Unreadable, |pattern| self.operand(pattern))
            }
            None => Operand::Unreadable,
        }
    }

    fn pattern(&mut self, tokens: Vec<Token>) -> u32 {
        let next = self.patterns.len() as u32;
        let number = *self.numbers_of_patterns.entry(tokens.clone()).or_insert(next);
        if number == next {
            self.patterns.push(tokens);
        }
        number
    }

    fn operand(&mut self, pattern: Pattern) -> Operand {
        let number = self.pattern(pattern.tokens);
        let Some(template) = pattern.template else { return Operand::Plain(number) };
        let templates = &mut self.values.templates;
        let known = templates.iter().position(|(_, own)| own.symbolic == template.symbolic);
        Operand::Template(known.unwrap_or_else(|| {
            templates.push((number, template));
            templates.len() - 1
        }))
    }

    fn finish(mut self, key: &Key<'_>, budget: &mut Budget) -> Result<Values, Exhausted> {
        if self.values.templates.len() > MAX_TEMPLATES {
            return Err(Exhausted);
        }
        let mut families = 0;
        let mut texts: Vec<String> = Vec::new();
        for scale in [
            scale::numbers(&self.numbers),
            scale::times(&self.times),
            scale::addresses(&self.networks),
            scale::bytes(&self.bytes),
        ] {
            families += usize::from(!scale.is_empty());
            texts.extend(scale);
        }
        if !self.patterns.is_empty() || families == 0 {
            let patterns: Vec<_> = self.patterns.iter().cloned().zip(0..).collect();
            let found = classes(&patterns, Universe::Text, budget)?;
            families += usize::from(!self.patterns.is_empty());
            for class in found {
                let fixed = class.labels.iter().any(|number| self.fixed.contains(number));
                self.values.list.push(Value { text: class.example, matched: class.labels, fixed });
            }
        }
        let matcher = Matcher::new(&self.patterns);
        for text in texts {
            let matched = matcher.run(&text, budget)?;
            let fixed = matched.iter().any(|number| self.fixed.contains(number))
                || trust::is_narrow(key, &self.networks, &text);
            self.values.list.push(Value { text, matched, fixed });
        }
        if families > 1 {
            self.values.doubt = Some("it is compared as values of different kinds");
        }
        self.implications(budget)?;
        Ok(self.values)
    }

    fn implications(&mut self, budget: &mut Budget) -> Result<(), Exhausted> {
        let mut implies = Vec::new();
        for (one, (_, template)) in self.values.templates.iter().enumerate() {
            for (other, (_, wider)) in self.values.templates.iter().enumerate() {
                if one != other && is_within(&template.symbolic, &wider.symbolic, budget)? {
                    implies.push((one, other));
                }
            }
        }
        self.values.implies = implies;
        Ok(())
    }
}
