//! One place of a comparison: actions that are alike, a kind of resource, one statement that allows; and the search there.

use super::bits::Bits;
use super::budget::{Budget, Exhausted, MAX_TEMPLATES};
use super::domain::Domain;
use super::problem::Problem;
use super::resources::{Fit, ResourceClass};
use super::solve::{Conjunction, Domains, require, search};
use super::witness::{Scene, Witness};
use crate::context::Key;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The statements that are about the actions of a group, by what they do.
#[derive(Clone, Debug, Default)]
pub(super) struct Cast {
    /// Of the side that grants: what allows, by layer.
    pub(super) allows: Vec<Vec<usize>>,
    pub(super) denies: Vec<usize>,
    /// Of the other side; empty where it cannot allow anything here.
    pub(super) other_allows: Vec<Vec<usize>>,
    pub(super) other_denies: Vec<usize>,
}

impl Cast {
    pub(super) fn of(problem: &Problem<'_>, granting: usize, statements: &Bits) -> Self {
        let layers = |side: usize| problem.sides.get(side).map_or(0, |side| side.layers());
        let mut cast = Self {
            allows: vec![Vec::new(); layers(granting)],
            other_allows: vec![Vec::new(); layers(1 - granting)],
            ..Self::default()
        };
        for statement in statements.iter() {
            let Some(source) = problem.sources.get(statement) else { continue };
            let own = problem.side_of(statement) == granting;
            let (allows, denies) = if own {
                (&mut cast.allows, &mut cast.denies)
            } else {
                (&mut cast.other_allows, &mut cast.other_denies)
            };
            match source.effect() {
                crate::Effect::Deny => denies.push(statement),
                crate::Effect::Allow => {
                    if let Some(layer) = allows.get_mut(source.layer) {
                        layer.push(statement);
                    }
                }
            }
        }
        if cast.other_allows.iter().any(Vec::is_empty) {
            cast.other_allows.clear();
            cast.other_denies.clear();
        }
        cast
    }

    /// The same for one statement of the first layer: what others of that layer allow does not matter to it.
    pub(super) fn only(&self, allow: usize) -> Self {
        let mut own = self.clone();
        if let Some(layer) = own.allows.first_mut() {
            *layer = vec![allow];
        }
        own
    }

    /// The patterns that may make a difference where there would be none without them, for a statement that allows. Of all
    /// others holds: a resource that matches them never differs where it would not if it did not match.
    pub(super) fn giving(&self, problem: &Problem<'_>) -> BTreeSet<u32> {
        let clause = |one: &usize| problem.resources.clauses.get(*one);
        let takes = self.other_allows.iter().flatten().chain(&self.denies).filter_map(clause);
        let gives = self.allows.iter().skip(1).flatten().chain(&self.other_denies).filter_map(clause);
        let turned = takes.filter(|clause| clause.inverted);
        let straight = gives.filter(|clause| !clause.inverted);
        // The statement's own patterns are of no matter: it allows, and what it leaves out only takes away.
        let found = turned.chain(straight).flat_map(|clause| clause.patterns());
        found.collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        let allows = self.allows.iter().chain(&self.other_allows).flatten();
        allows.chain(&self.denies).chain(&self.other_denies).copied()
    }
}

/// The variables of a search, and what each statement asks of them but for its resource.
pub(super) struct Variables {
    /// The keys, each with its states; the principal follows, then the templates of the resource.
    pub(super) keys: Vec<(usize, Rc<Domain>)>,
    pub(super) start: Domains,
    conjunctions: BTreeMap<usize, Conjunction>,
    /// Keys that a limit kept from being looked at.
    pub(super) given_up: Vec<Key<'static>>,
}

impl Variables {
    pub(super) fn of(
        problem: &mut Problem<'_>,
        cast: &Cast,
        public: bool,
        budget: &mut Budget,
    ) -> Result<Self, Exhausted> {
        let mut variables =
            Self { keys: Vec::new(), start: Vec::new(), conjunctions: BTreeMap::new(), given_up: Vec::new() };
        let mut numbers: Vec<usize> =
            cast.all().flat_map(|one| problem.tests_of(one)).map(|own| own.0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            match problem.domain(number, budget) {
                Ok(domain) => {
                    let all = Bits::all(domain.states.len());
                    variables.start.push(if public { domain.public.clone() } else { all });
                    variables.keys.push((number, domain));
                }
                Err(Exhausted) => variables.given_up.extend(problem.key(number).cloned()),
            }
        }
        if let Some(principals) = &problem.principals {
            let all = Bits::all(principals.list.len());
            variables.start.push(if public { principals.public.clone() } else { all });
        }
        for statement in cast.all() {
            budget.spend(1 + problem.tests_of(statement).len())?;
            let conjunction = variables.conjunction(problem, statement);
            variables.conjunctions.insert(statement, conjunction);
        }
        Ok(variables)
    }

    fn conjunction(&self, problem: &Problem<'_>, statement: usize) -> Conjunction {
        let tests = problem.tests_of(statement).iter().filter_map(|(key, test)| {
            let variable = self.keys.iter().position(|(own, _)| own == key)?;
            let (_, domain) = self.keys.get(variable)?;
            Some((variable, domain.passes.get(*test)?.clone()))
        });
        let principal = problem.named(statement).map(|named| (self.keys.len(), named.clone()));
        tests.chain(principal).collect()
    }
}

/// What comes of looking at a place.
#[derive(Debug)]
pub(super) enum Outcome {
    Nothing,
    Found(Box<Witness>),
    /// There may be something: why nobody can say.
    Unclear(Unclear),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    /// No request could be made up that shows it.
    Unconfirmed,
    /// A limit was reached.
    TooComplex,
}

/// A place: where to look for a request.
pub(super) struct Place<'a, 's> {
    pub(super) problem: &'a Problem<'s>,
    pub(super) granting: usize,
    pub(super) cast: &'a Cast,
    pub(super) variables: &'a Variables,
    pub(super) action: &'a str,
    pub(super) class: &'a ResourceClass,
    pub(super) public: bool,
}

/// The templates that bear on a resource, and the ways in which they may stand to it together.
struct Joint {
    numbers: Vec<u32>,
    ways: Vec<Vec<Fit>>,
}

impl Place<'_, '_> {
    /// Looks for a request that the statement lets through, and the other side does not.
    pub(super) fn look(&self, allow: usize, budget: &mut Budget) -> Outcome {
        match self.try_look(allow, budget) {
            Ok(outcome) => outcome,
            Err(Exhausted) => Outcome::Unclear(Unclear::TooComplex),
        }
    }

    fn try_look(&self, allow: usize, budget: &mut Budget) -> Result<Outcome, Exhausted> {
        let joint = self.joint(budget)?;
        let mut start = self.variables.start.clone();
        start.push(Bits::all(joint.ways.len()));
        let conjunctions: BTreeMap<usize, Conjunction> =
            self.cast.all().filter_map(|one| Some((one, self.conjunction(one, &joint)?))).collect();
        let Some(own) = conjunctions.get(&allow) else { return Ok(Outcome::Nothing) };
        let Some(start) = require(&start, own) else { return Ok(Outcome::Nothing) };
        let mut starts = vec![start];
        for layer in self.cast.allows.get(1..).unwrap_or_default() {
            let of_layer = || layer.iter().filter_map(|one| conjunctions.get(one));
            starts =
                starts.iter().flat_map(|start| of_layer().filter_map(|own| require(start, own))).collect();
        }
        let among = |list: &[usize]| -> Vec<&Conjunction> {
            list.iter().filter_map(|one| conjunctions.get(one)).collect()
        };
        let denies = among(&self.cast.denies);
        let scene = self.scene(&joint);
        let mut seen = Seen { scene, found: None, unconfirmed: 0 };
        for start in starts {
            budget.spend(1)?;
            // The other side fails where a layer of it does not allow, or where it denies.
            let silent: Vec<Vec<&Conjunction>> = match self.cast.other_allows.as_slice() {
                [] => vec![denies.clone()],
                layers => {
                    layers.iter().map(|layer| denies.iter().copied().chain(among(layer)).collect()).collect()
                }
            };
            for avoid in silent {
                if search(start.clone(), &avoid, budget, &mut |leaf, budget| seen.take(leaf, budget))? {
                    return Ok(seen.outcome());
                }
            }
            for deny in among(&self.cast.other_denies) {
                let Some(start) = require(&start, deny) else { continue };
                if search(start, &denies, budget, &mut |leaf, budget| seen.take(leaf, budget))? {
                    return Ok(seen.outcome());
                }
            }
        }
        Ok(seen.outcome())
    }

    fn scene<'b>(&'b self, joint: &'b Joint) -> Scene<'b> {
        Scene {
            problem: self.problem,
            granting: self.granting,
            keys: &self.variables.keys,
            templates: &joint.numbers,
            ways: &joint.ways,
            action: self.action,
            class: self.class,
            public: self.public,
        }
    }

    fn conjunction(&self, statement: usize, joint: &Joint) -> Option<Conjunction> {
        let clause = self.problem.resources.clauses.get(statement)?;
        let is_template = |number| self.problem.resources.is_template(number);
        let counts = |way: &Vec<Fit>| {
            clause.counts(self.class, is_template, |number| {
                let at = joint.numbers.iter().position(|own| *own == number);
                at.and_then(|at| way.get(at)).copied().unwrap_or(Fit::No)
            })
        };
        let ways = joint.ways.iter().enumerate().filter(|(_, way)| counts(way)).map(|(at, _)| at);
        let ways = Bits::collect(joint.ways.len(), ways);
        if ways.is_empty() {
            return None;
        }
        let mut conjunction = self.variables.conjunctions.get(&statement)?.clone();
        conjunction.push((self.variables.start.len(), ways));
        Some(conjunction)
    }

    fn joint(&self, budget: &mut Budget) -> Result<Joint, Exhausted> {
        let resources = &self.problem.resources;
        let is_template = |number| resources.is_template(number);
        // Whether being unset matters for it.
        let mut bearing: BTreeMap<u32, bool> = BTreeMap::new();
        for clause in self.cast.all().filter_map(|one| resources.clauses.get(one)) {
            for (number, inverted) in clause.templates(self.class, is_template) {
                *bearing.entry(number).or_default() |= inverted;
            }
        }
        if bearing.len() > MAX_TEMPLATES {
            return Err(Exhausted);
        }
        let numbers: Vec<u32> = bearing.keys().copied().collect();
        let mut ways: Vec<Vec<Fit>> = vec![Vec::new()];
        for (number, inverted) in &bearing {
            let mut fits = vec![Fit::No];
            if self.class.patterns.binary_search(number).is_ok() {
                fits.push(Fit::Yes);
            }
            if *inverted {
                fits.push(Fit::Unset);
            }
            let longer = |way: &Vec<Fit>| {
                let longer = fits.iter().map(|fit| way.iter().copied().chain([*fit]).collect());
                longer.collect::<Vec<Vec<Fit>>>()
            };
            ways = ways.iter().flat_map(longer).collect();
        }
        for (one, first) in numbers.iter().enumerate() {
            for (other, second) in numbers.iter().enumerate() {
                if one != other && resources.is_within(*first, *second, budget)? {
                    ways.retain(|way| way.get(one) != Some(&Fit::Yes) || way.get(other) == Some(&Fit::Yes));
                }
            }
        }
        Ok(Joint { numbers, ways })
    }
}

/// The most places of one search for which requests are made up.
const MAX_LEAVES: usize = 64;

/// What the search has offered so far.
struct Seen<'b> {
    scene: Scene<'b>,
    found: Option<Witness>,
    unconfirmed: usize,
}

impl Seen<'_> {
    fn take(&mut self, leaf: &Domains, budget: &mut Budget) -> Result<bool, Exhausted> {
        self.found = self.scene.witness(leaf, budget)?;
        self.unconfirmed += usize::from(self.found.is_none());
        Ok(self.found.is_some() || self.unconfirmed >= MAX_LEAVES)
    }

    fn outcome(self) -> Outcome {
        match self.found {
            Some(witness) => Outcome::Found(Box::new(witness)),
            None if self.unconfirmed > 0 => Outcome::Unclear(Unclear::Unconfirmed),
            None => Outcome::Nothing,
        }
    }
}
