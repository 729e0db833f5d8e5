//! One comparison as the search needs it: statements, the variables that they look at, the states of these.

use super::actions::Actions;
use super::bits::Bits;
use super::budget::{Budget, Exhausted};
use super::domain::Domain;
use super::principals::Principals;
use super::resources::Resources;
use super::set::{ComparedPolicies, Source};
use super::template::Symbols;
use super::values::Test;
use crate::context::Key;
use std::collections::HashMap;
use std::rc::Rc;

/// A condition key with every test of it, each once.
struct KeyTests<'s> {
    key: Key<'static>,
    tests: Vec<Test<'s>>,
    domain: Option<Result<Rc<Domain>, Exhausted>>,
}

/// Both sides of a comparison. A side is its number: 0 is the old one, 1 the new one.
pub(super) struct Problem<'s> {
    pub(super) sides: [&'s ComparedPolicies; 2],
    pub(super) sources: &'s [Source],
    /// How many of the sources are of side 0.
    first: usize,
    pub(super) actions: Actions,
    pub(super) resources: Resources,
    pub(super) principals: Option<Principals>,
    keys: Vec<KeyTests<'s>>,
    /// For each statement, its conditions: the key and the test of it.
    tests: Vec<Vec<(usize, usize)>>,
    symbols: Symbols,
    /// The steps that it took to get here.
    pub(super) built: u64,
}

impl<'s> Problem<'s> {
    pub(super) fn new(sides: [&'s ComparedPolicies; 2], sources: &'s [Source]) -> Result<Self, Exhausted> {
        let mut budget = Budget::new();
        let mut symbols = Symbols::default();
        let first = sides.first().map_or(0, |side| side.statements().count());
        let has_principals = sides.iter().any(|side| side.has_principals());
        let mut problem = Self {
            sides,
            sources,
            first,
            actions: Actions::of(sources, &mut budget)?,
            resources: Resources::of(sources, &mut symbols),
            principals: if has_principals { Some(Principals::of(sources)?) } else { None },
            keys: Vec::new(),
            tests: Vec::new(),
            symbols,
            built: 0,
        };
        problem.built = budget.used();
        problem.collect_tests();
        Ok(problem)
    }

    fn collect_tests(&mut self) {
        let mut keys: HashMap<String, usize> = HashMap::new();
        let mut known: HashMap<(usize, String), usize> = HashMap::new();
        for source in self.sources {
            let (Some(written), Some(compiled)) = (source.written(), source.compiled()) else { continue };
            let mut own = Vec::new();
            for (condition, compiled) in written.conditions.iter().zip(&compiled.conditions) {
                let next = self.keys.len();
                let key = *keys.entry(condition.key.value.to_ascii_lowercase()).or_insert(next);
                if key == next {
                    let name = Key::from(condition.key.value.to_string());
                    self.keys.push(KeyTests { key: name, tests: Vec::new(), domain: None });
                }
                let Some(tests) = self.keys.get_mut(key).map(|own| &mut own.tests) else { continue };
                let values: Vec<&str> = condition.values.iter().map(|value| &*value.value).collect();
                let variables = source.has_variables();
                let test = Test { effect: source.effect(), condition, compiled, variables };
                let same = format!("{:?} {} {values:?} {variables}", test.effect, condition.operator.value.0);
                let number = *known.entry((key, same)).or_insert_with(|| {
                    tests.push(test);
                    tests.len() - 1
                });
                own.push((key, number));
            }
            self.tests.push(own);
        }
    }

    pub(super) fn side_of(&self, statement: usize) -> usize {
        usize::from(statement >= self.first)
    }

    pub(super) fn tests_of(&self, statement: usize) -> &[(usize, usize)] {
        self.tests.get(statement).map_or(&[], Vec::as_slice)
    }

    pub(super) fn key(&self, number: usize) -> Option<&Key<'static>> {
        self.keys.get(number).map(|own| &own.key)
    }

    /// Every test of a key.
    pub(super) fn tests_on(&self, key: &Key<'static>) -> impl Iterator<Item = &Test<'s>> {
        let own = self.keys.iter().find(|own| own.key == *key);
        own.into_iter().flat_map(|own| &own.tests)
    }

    /// The states of a key, worked out when it is first asked for.
    pub(super) fn domain(&mut self, number: usize, budget: &mut Budget) -> Result<Rc<Domain>, Exhausted> {
        let Some(own) = self.keys.get_mut(number) else { return Err(Exhausted) };
        if own.domain.is_none() {
            let domain = Domain::of(&own.key, &own.tests, &mut self.symbols, budget);
            own.domain = Some(domain.map(Rc::new));
        }
        own.domain.clone().unwrap_or(Err(Exhausted))
    }

    /// For each statement, the kinds of principal that it is about; none where principals are not asked for.
    pub(super) fn named(&self, statement: usize) -> Option<&Bits> {
        self.principals.as_ref()?.named.get(statement)
    }
}
