//! From two sets of policies to their differences: place by place.

use super::actions::{self, ActionClass};
use super::bits::Bits;
use super::budget::{Budget, Exhausted, MAX_DIFFERENCES};
use super::difference::{Covered, Difference, Differences, StatedCondition};
use super::place::{Cast, Outcome, Place, Unclear, Variables};
use super::problem::Problem;
use super::resources::{Entry, Fit, ResourceClass};
use super::witness::Witness;
use super::{Certainty, Reason};
use crate::StatementReference;
use crate::document::PrincipalName;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Which requests are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    /// Those of nobody in particular.
    Public,
}

/// A statement, its resources that differ (and whether wholly), and a witness: what makes a difference of its own.
type Mark = (usize, BTreeMap<u32, bool>, String);

pub(super) struct Engine<'a, 's> {
    problem: &'a mut Problem<'s>,
    granting: usize,
    scope: Scope,
    budget: Budget,
    reasons: BTreeSet<Reason>,
    found: BTreeMap<Mark, (Witness, Vec<ActionClass>)>,
}

/// What was found of one statement among the actions of a group.
#[derive(Default)]
struct Finding {
    witness: Option<Box<Witness>>,
    /// For each entry of its `Resource` that matched somewhere, where it differed.
    resources: BTreeMap<u32, Extent>,
}

/// What was found of one statement so far, and what is known of kinds of resources that others may share.
#[derive(Default)]
struct SoFar {
    finding: Finding,
    known: HashMap<Bits, bool>,
}

/// Where to look: a statement that allows, the entry of its `Resource`, and who else has a say.
struct Look<'l> {
    allow: usize,
    place: u32,
    cast: &'l Cast,
    variables: &'l Variables,
    action: &'l str,
    /// The patterns that may make a difference.
    giving: &'l BTreeSet<u32>,
    /// How much there is to read in the `Resource` of the others.
    weight: usize,
}

struct Extent {
    some: bool,
    whole: bool,
}

impl Finding {
    /// Notes that an entry differs somewhere, and wherever it was looked at.
    fn extend(&mut self, place: u32, differs: bool, whole: bool) {
        let extent = self.resources.entry(place).or_insert(Extent { some: false, whole: true });
        extent.some |= differs;
        extent.whole &= whole;
    }
}

impl<'a, 's> Engine<'a, 's> {
    /// What the side of that number allows and the other does not.
    pub(super) fn differences(problem: &'a mut Problem<'s>, granting: usize, scope: Scope) -> Differences {
        let budget = Budget::new();
        let mut engine =
            Self { problem, granting, scope, budget, reasons: BTreeSet::new(), found: BTreeMap::new() };
        if engine.run().is_err() {
            engine.reasons.insert(Reason::TooMuchWork);
        }
        engine.finish()
    }

    fn run(&mut self) -> Result<(), Exhausted> {
        for at in 0..self.problem.actions.groups.len() {
            let Some(group) = self.problem.actions.groups.get(at) else { break };
            self.budget.spend(1 + self.problem.sources.len() / 16)?;
            let cast = Cast::of(self.problem, self.granting, &group.statements);
            let Some(example) = group.classes.first().map(|class| class.example.clone()) else { continue };
            if !cast.allows.iter().any(Vec::is_empty) {
                self.group(at, &cast, &example)?;
            }
        }
        Ok(())
    }

    fn group(&mut self, group: usize, cast: &Cast, action: &str) -> Result<(), Exhausted> {
        let public = self.scope == Scope::Public;
        let variables = Variables::of(self.problem, cast, public, &mut self.budget)?;
        let given_up =
            variables.given_up.iter().map(|key| Reason::KeyTooComplex { key: key.as_str().into() });
        self.reasons.extend(given_up);
        for (number, domain) in &variables.keys {
            if let (Some(key), Some(why)) = (self.problem.key(*number), domain.values.doubt) {
                self.reasons.insert(Reason::Key { key: key.as_str().into(), why });
            }
        }
        for allow in cast.allows.first().into_iter().flatten() {
            let own = cast.only(*allow);
            let finding = self.statement(*allow, &own, &variables, action)?;
            self.note(*allow, group, finding);
        }
        Ok(())
    }

    /// Looks at a statement, one entry of its `Resource` after the other.
    fn statement(
        &mut self,
        allow: usize,
        cast: &Cast,
        variables: &Variables,
        action: &str,
    ) -> Result<Finding, Exhausted> {
        let mut so_far = SoFar::default();
        let Some(clause) = self.problem.resources.clauses.get(allow) else { return Ok(so_far.finding) };
        let inverted = clause.inverted;
        let entries: Vec<(u32, Option<Entry>)> = if inverted || clause.entries.is_empty() {
            vec![(0, None)]
        } else {
            (0_u32..).zip(clause.entries.iter().copied().map(Some)).collect()
        };
        let others: Vec<usize> = cast.all().filter(|one| *one != allow || inverted).collect();
        let clauses = others.iter().filter_map(|one| self.problem.resources.clauses.get(*one));
        let weight = clauses.map(|clause| 1 + clause.entries.len()).sum();
        self.budget.spend(1 + weight)?;
        let giving = cast.giving(self.problem);
        for (place, entry) in entries {
            let look = Look { allow, place, cast, variables, action, giving: &giving, weight };
            match entry {
                Some(Entry::Unclear) => continue,
                Some(Entry::Any) | None => self.class(&look, &ResourceClass::none(), &mut so_far)?,
                Some(Entry::Pattern(_)) => (),
            }
            match self.entry(&look, entry, &others, &mut so_far) {
                Ok(()) => (),
                // Out of all work, or only of what this entry may take?
                Err(Exhausted) => {
                    self.budget.spend(1)?;
                    self.reasons.extend(Reason::of(self.problem, allow, Unclear::TooComplex));
                }
            }
        }
        Ok(so_far.finding)
    }

    /// Looks at the resources of an entry: at the least of them first, since what does not differ there differs nowhere as
    /// long as the patterns of the others only take away; only where that leaves a doubt at every kind.
    fn entry(
        &mut self,
        look: &Look<'_>,
        entry: Option<Entry>,
        others: &[usize],
        so_far: &mut SoFar,
    ) -> Result<(), Exhausted> {
        let view = self.problem.resources.view(entry, others, &mut self.budget)?;
        if !view.varying.iter().any(|number| look.giving.contains(number)) {
            let least = self.problem.resources.least(&view);
            match self.look(look, &least)? {
                Outcome::Nothing => {
                    so_far.finding.extend(look.place, false, false);
                    return Ok(());
                }
                Outcome::Found(witness) => {
                    so_far.finding.witness.get_or_insert(witness);
                    so_far.finding.extend(look.place, true, view.varying.is_empty());
                    return Ok(());
                }
                Outcome::Unclear(_) => (),
            }
        }
        let classes = self.problem.resources.classes(&view, &mut self.budget)?;
        for class in classes.iter() {
            self.class(look, class, so_far)?;
        }
        Ok(())
    }

    /// Looks at a kind of resource, unless one was that is the same to all statements.
    fn class(&mut self, look: &Look<'_>, class: &ResourceClass, so_far: &mut SoFar) -> Result<(), Exhausted> {
        let resources = &self.problem.resources;
        let is_template = |number| resources.is_template(number);
        let clauses = || look.cast.all().filter_map(|one| Some((one, resources.clauses.get(one)?)));
        self.budget.spend(1 + look.weight / 8)?;
        let templated = clauses().any(|(_, clause)| clause.templates(class, is_template).next().is_some());
        let counting = clauses().filter(|(_, clause)| clause.counts(class, is_template, |_| Fit::No));
        let alike = Bits::collect(self.problem.sources.len(), counting.map(|(one, _)| one));
        if !templated && !alike.contains(look.allow) {
            return Ok(());
        }
        let differs = match so_far.known.get(&alike).filter(|_| !templated) {
            Some(differs) => *differs,
            None => {
                let outcome = self.look(look, class)?;
                let differs = matches!(outcome, Outcome::Found(_));
                match outcome {
                    Outcome::Found(witness) => _ = so_far.finding.witness.get_or_insert(witness),
                    Outcome::Unclear(unclear) => {
                        self.reasons.extend(Reason::of(self.problem, look.allow, unclear));
                    }
                    Outcome::Nothing => (),
                }
                if !templated {
                    so_far.known.insert(alike, differs);
                }
                differs
            }
        };
        so_far.finding.extend(look.place, differs, differs);
        Ok(())
    }

    fn look(&mut self, look: &Look<'_>, class: &ResourceClass) -> Result<Outcome, Exhausted> {
        self.budget.spend(1)?;
        let Look { allow, cast, variables, action, .. } = *look;
        let (problem, granting) = (&*self.problem, self.granting);
        let public = self.scope == Scope::Public;
        let place = Place { problem, granting, cast, variables, action, class, public };
        Ok(place.look(allow, &mut self.budget))
    }

    fn note(&mut self, allow: usize, group: usize, finding: Finding) {
        let (Some(witness), Some(group)) = (finding.witness, self.problem.actions.groups.get(group)) else {
            return;
        };
        let differing = finding.resources.iter().filter(|(_, extent)| extent.some);
        let resources = differing.map(|(place, extent)| (*place, extent.whole)).collect();
        let alike = format!("{} {} {:?}", witness.resource, witness.principal.arn(), witness.context);
        let (_, classes) =
            self.found.entry((allow, resources, alike)).or_insert_with(|| (*witness, Vec::new()));
        classes.extend(group.classes.iter().cloned());
    }

    fn finish(self) -> Differences {
        let omitted = self.found.len().saturating_sub(MAX_DIFFERENCES);
        let other = self.problem.sides.get(1 - self.granting);
        let mut list = Vec::new();
        for ((allow, resources, _), (witness, classes)) in self.found.into_iter().take(MAX_DIFFERENCES) {
            let Some(source) = self.problem.sources.get(allow) else { continue };
            let Some(written) = source.written() else { continue };
            let conditions = written.conditions.iter().map(|own| StatedCondition {
                operator: own.operator.value.0.clone(),
                key: own.key.value.clone(),
                values: own.values.iter().map(|value| value.value.clone()).collect(),
            });
            list.push(Difference {
                by_statement: StatementReference::new(&source.policy, source.number),
                actions: covered_actions(self.problem, allow, &classes),
                resources: covered_resources(self.problem, allow, &resources),
                conditions: conditions.collect(),
                principals: stated_principals(written),
                denied_by: other.map_or_else(Vec::new, |other| witness.denials(other)),
                witness,
            });
        }
        let certainty = if self.reasons.is_empty() {
            Certainty::Exact
        } else {
            Certainty::Unknown(self.reasons.into_iter().collect())
        };
        let steps = self.budget.used() + self.problem.built;
        Differences { list, omitted, certainty, steps }
    }
}

/// The actions of the classes as the statement writes them: an entry whole where all of its classes are there, else the
/// actions that the policies name, and the entry in part for those that they do not.
fn covered_actions(problem: &Problem<'_>, allow: usize, classes: &[ActionClass]) -> Vec<Covered> {
    let own = |class: &ActionClass| {
        let entries = class.entries.iter().filter(|(statement, _)| *statement as usize == allow);
        entries.copied().collect::<Vec<_>>()
    };
    let mut counts: HashMap<(u32, u32), u32> = HashMap::new();
    for entry in classes.iter().flat_map(own) {
        *counts.entry(entry).or_default() += 1;
    }
    let is_whole = |entry: &(u32, u32)| counts.get(entry) == problem.actions.covered.get(entry);
    let written = problem.sources.get(allow).and_then(|source| source.written());
    let text =
        |entry: &(u32, u32)| written.and_then(|written| actions::entry(written, entry.1)).map(Box::from);
    let mut covered = BTreeSet::new();
    for class in classes {
        let entries = own(class);
        let mut whole = entries.iter().filter(|entry| is_whole(entry)).peekable();
        if whole.peek().is_some() {
            covered.extend(whole.filter_map(text).map(|pattern| Covered { pattern, whole: true }));
        } else if class.literal {
            covered.insert(Covered { pattern: class.example.clone(), whole: true });
        } else if entries.is_empty() {
            let service = class.example.split(':').next().unwrap_or_default();
            let every = if service.starts_with("other") { "*".into() } else { format!("{service}:*") };
            covered.insert(Covered { pattern: every.into(), whole: false });
        } else {
            covered.extend(entries.iter().filter_map(text).map(|pattern| Covered { pattern, whole: false }));
        }
    }
    covered.into_iter().collect()
}

fn covered_resources(problem: &Problem<'_>, allow: usize, places: &BTreeMap<u32, bool>) -> Vec<Covered> {
    let written = problem.sources.get(allow).and_then(|source| source.written());
    let Some(clause) = written.and_then(|written| written.resource.as_ref()) else {
        return vec![Covered { pattern: "the policy's own resource".into(), whole: true }];
    };
    if clause.inverted {
        let listed: Vec<String> = clause.entries.iter().map(|entry| format!("`{}`", entry.value)).collect();
        let whole = places.values().all(|whole| *whole);
        return vec![Covered { pattern: format!("all but {}", listed.join(", ")).into(), whole }];
    }
    let covered = places.iter().filter_map(|(place, whole)| {
        let entry = clause.entries.get(*place as usize)?;
        Some(Covered { pattern: entry.value.clone(), whole: *whole })
    });
    let covered: BTreeSet<Covered> = covered.collect();
    covered.into_iter().collect()
}

fn stated_principals(written: &crate::Statement) -> Vec<Box<str>> {
    let Some(clause) = &written.principal else { return Vec::new() };
    let name = |name: &PrincipalName| -> Box<str> {
        match name {
            PrincipalName::Everyone => "*".into(),
            PrincipalName::Aws(text)
            | PrincipalName::Service(text)
            | PrincipalName::Federated(text)
            | PrincipalName::CanonicalUser(text)
            | PrincipalName::Unknown(_, text) => text.clone(),
        }
    };
    let not = if clause.inverted { "all but " } else { "" };
    clause.entries.iter().map(|entry| format!("{not}{}", name(&entry.value)).into()).collect()
}

impl Reason {
    fn of(problem: &Problem<'_>, allow: usize, unclear: Unclear) -> Option<Self> {
        let source = problem.sources.get(allow)?;
        let statement = StatementReference::new(&source.policy, source.number).to_string().into();
        Some(match unclear {
            Unclear::Unconfirmed => Self::Unconfirmed { statement },
            Unclear::TooComplex => Self::TooComplex { statement },
        })
    }
}
