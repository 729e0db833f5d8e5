//! Resources, as far as the policies can tell them apart.

use super::automaton::Token;
use super::budget::{Budget, Exhausted};
use super::class::{Matcher, Relation, are_parted, classes_within, relation};
use super::set::Source;
use super::template::{Pattern, Symbols, any_arn, plain_arn};
use crate::compile::{Certainty, ResourceMatch};
use crate::resource::ResourcePattern;
use crate::{Context, Effect, Resource};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// What an entry of `Resource` is for the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Any,
    Unclear,
    Pattern(u32),
}

/// The `Resource` of a statement.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) effect: Effect,
    /// What it is whatever the resource: `Yes` for the resource that the policy hangs on.
    fixed: Option<Certainty>,
    pub(super) inverted: bool,
    pub(super) entries: Vec<Entry>,
}

/// Resources that match the same patterns.
#[derive(Clone, Debug)]
pub(super) struct ResourceClass {
    /// One of them; `*` for actions that have none.
    pub(super) example: Box<str>,
    /// The patterns that match, in order; those with variables as if these could be anything.
    pub(super) patterns: Vec<u32>,
}

/// How patterns stand to the resources of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct View {
    within: Option<u32>,
    /// What all of these resources match, in order.
    always: Vec<u32>,
    /// What some match and some do not.
    pub(super) varying: Vec<u32>,
    /// For each of these a label: those with the same one are listed by the same statements and stand for each other.
    labels: Vec<u32>,
}

/// How a template stands to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// One of its variables has no value.
    Unset,
}

/// Every pattern of every statement, each once.
#[derive(Debug, Default)]
pub(super) struct Resources {
    pub(super) patterns: Vec<Pattern>,
    texts: Vec<Box<str>>,
    numbers: HashMap<(Box<str>, bool), u32>,
    pub(super) clauses: Vec<Clause>,
    known: HashMap<View, Result<Rc<Vec<ResourceClass>>, Exhausted>>,
    relations: HashMap<(Option<u32>, u32), Relation>,
}

impl Resources {
    pub(super) fn of(sources: &[Source], symbols: &mut Symbols) -> Self {
        let mut resources = Self::default();
        for source in sources {
            let clause = resources.clause(source, symbols);
            resources.clauses.push(clause);
        }
        resources
    }

    fn clause(&mut self, source: &Source, symbols: &mut Symbols) -> Clause {
        let effect = source.effect();
        let fixed =
            |certainty| Clause { effect, fixed: Some(certainty), inverted: false, entries: Vec::new() };
        let written = source.written().and_then(|own| own.resource.as_ref());
        match (source.compiled().map(|own| &own.resource), written) {
            (Some(ResourceMatch::Listed { inverted, patterns }), Some(clause)) => {
                let entries = patterns.iter().zip(&clause.entries).map(|(pattern, written)| match pattern {
                    ResourcePattern::Any => Entry::Any,
                    ResourcePattern::Unclear => Entry::Unclear,
                    _ => self.number(&written.value, source.has_variables(), symbols),
                });
                Clause { effect, fixed: None, inverted: *inverted, entries: entries.collect() }
            }
            (Some(ResourceMatch::Own), _) => fixed(Certainty::Yes),
            _ => fixed(Certainty::Unclear),
        }
    }

    fn number(&mut self, text: &str, variables: bool, symbols: &mut Symbols) -> Entry {
        // Without a `$` both versions of the language read the same.
        let key = (text.into(), variables && text.contains('$'));
        if let Some(number) = self.numbers.get(&key) {
            return Entry::Pattern(*number);
        }
        let Some(pattern) = Pattern::of_resource(text, variables, symbols) else { return Entry::Unclear };
        let number = self.patterns.len() as u32;
        self.patterns.push(pattern);
        self.texts.push(text.into());
        self.numbers.insert(key, number);
        Entry::Pattern(number)
    }

    pub(super) fn is_template(&self, number: u32) -> bool {
        self.patterns.get(number as usize).is_some_and(|pattern| pattern.template.is_some())
    }

    /// Whether one template matches only what another does, whatever the variables are.
    pub(super) fn is_within(&self, one: u32, other: u32, budget: &mut Budget) -> Result<bool, Exhausted> {
        let symbolic = |number: u32| self.patterns.get(number as usize)?.template.as_ref();
        match (symbolic(one), symbolic(other)) {
            (Some(one), Some(other)) => super::class::is_within(&one.symbolic, &other.symbolic, budget),
            _ => Ok(false),
        }
    }

    /// A resource that an entry covers when nothing else is looked at.
    fn example(&self, entry: Entry) -> Option<Box<str>> {
        match entry {
            Entry::Any => Some("*".into()),
            Entry::Unclear => None,
            Entry::Pattern(number) => {
                let text = self.texts.get(number as usize)?;
                let plain = plain_arn(text).ok()?;
                let own = ResourcePattern::new(text, false);
                let resource = Resource::arn(&plain).ok()?;
                let fits = own.fit(&resource, &Context::new()) == Some(crate::pattern::Fit::Yes);
                fits.then(|| plain.into())
            }
        }
    }

    /// How the patterns of some statements stand to the resources of an entry (without one, to every ARN).
    pub(super) fn view(
        &mut self,
        entry: Option<Entry>,
        others: &[usize],
        budget: &mut Budget,
    ) -> Result<View, Exhausted> {
        let within = match entry {
            Some(Entry::Pattern(number)) => Some(number),
            _ => None,
        };
        let clauses = others.iter().filter_map(|number| self.clauses.get(*number));
        let numbers: BTreeSet<u32> = clauses.flat_map(|clause| clause.patterns()).collect();
        let mut view =
            View { within, always: within.into_iter().collect(), varying: Vec::new(), labels: Vec::new() };
        for number in numbers {
            budget.spend(1)?;
            let relation =
                if within == Some(number) { Relation::Apart } else { self.relation(within, number, budget)? };
            match relation {
                Relation::Apart => (),
                Relation::Within => view.always.push(number),
                Relation::Overlaps => view.varying.push(number),
            }
        }
        view.always.sort_unstable();
        let mut labels: HashMap<Vec<usize>, u32> = HashMap::new();
        for number in &view.varying {
            budget.spend(others.len())?;
            let lists = |one: &&usize| {
                self.clauses.get(**one).is_some_and(|clause| clause.patterns().any(|own| own == *number))
            };
            let mut users: Vec<usize> = others.iter().filter(lists).copied().collect();
            if self.is_template(*number) {
                // One that fits or not by itself.
                users.push(usize::MAX - *number as usize);
            }
            let next = labels.len() as u32;
            view.labels.push(*labels.entry(users).or_insert(next));
        }
        Ok(view)
    }

    fn relation(
        &mut self,
        within: Option<u32>,
        number: u32,
        budget: &mut Budget,
    ) -> Result<Relation, Exhausted> {
        let tokens =
            |number: u32| self.patterns.get(number as usize).map(|pattern| pattern.tokens.as_slice());
        let arn = any_arn();
        let one = within.and_then(tokens).unwrap_or(&arn);
        let other = tokens(number).unwrap_or_default();
        // Most part soon: that need not be kept.
        if are_parted(one, other) {
            return Ok(Relation::Apart);
        }
        if let Some(known) = self.relations.get(&(within, number)) {
            return Ok(*known);
        }
        let found = relation(one, other, budget)?;
        self.relations.insert((within, number), found);
        Ok(found)
    }

    /// The least of the classes of a view: a resource that matches nothing that it need not, where the example does.
    pub(super) fn least(&self, view: &View) -> ResourceClass {
        let generic = || "arn:aws:service:us-east-1:111122223333:resource".into();
        let example = match view.within {
            Some(number) => self.example(Entry::Pattern(number)),
            None => Some(generic()),
        };
        ResourceClass { example: example.unwrap_or_else(generic), patterns: view.always.clone() }
    }

    /// Every class of a view.
    pub(super) fn classes(
        &mut self,
        view: &View,
        budget: &mut Budget,
    ) -> Result<Rc<Vec<ResourceClass>>, Exhausted> {
        if let Some(known) = self.known.get(view) {
            return known.clone();
        }
        let found = self.find(view, budget).map(Rc::new);
        self.known.insert(view.clone(), found.clone());
        found
    }

    fn find(&self, view: &View, budget: &mut Budget) -> Result<Vec<ResourceClass>, Exhausted> {
        // The first pattern holds all others, and the last says which texts are ARNs.
        let own = |number: &u32| self.patterns.get(*number as usize).map(|own| own.tokens.clone());
        let first = view.within.and_then(|number| own(&number)).unwrap_or_else(any_arn);
        let labels = view.labels.iter().map(|label| label + 2);
        let varying = view.varying.iter().filter_map(own).zip(labels);
        let patterns: Vec<_> = [(first, 0), (any_arn(), 1)].into_iter().chain(varying).collect();
        let mut found = Vec::new();
        let plain = self.plain_examples(view, &patterns, budget)?;
        for class in classes_within(&patterns, budget)? {
            let [0, 1, labels @ ..] = class.labels.as_slice() else { continue };
            let matched = view.varying.iter().zip(&view.labels);
            let matched = matched.filter(|(_, label)| labels.contains(&(**label + 2))).map(|(own, _)| own);
            let mut matched: Vec<u32> = matched.chain(&view.always).copied().collect();
            matched.sort_unstable();
            let example = plain.get(&class.labels).cloned().unwrap_or(class.example);
            found.push(ResourceClass { example: example.into(), patterns: matched });
        }
        Ok(found)
    }

    /// Plain examples read better than shortest ones, where they are of the same class.
    fn plain_examples(
        &self,
        view: &View,
        patterns: &[(Vec<Token>, u32)],
        budget: &mut Budget,
    ) -> Result<HashMap<Vec<u32>, String>, Exhausted> {
        let generic = "arn:aws:service:us-east-1:111122223333:resource".to_owned();
        let texts =
            view.within.iter().chain(&view.varying).filter_map(|number| self.texts.get(*number as usize));
        let texts = texts.filter_map(|text| plain_arn(text).ok());
        let texts: Vec<String> = if view.within.is_some() {
            texts.collect()
        } else {
            [generic].into_iter().chain(texts).collect()
        };
        let matches = Matcher::labelled(patterns);
        let mut plain = HashMap::new();
        for text in texts {
            let matched = matches.run(&text, budget)?;
            if matched.first() == Some(&0) {
                plain.entry(matched).or_insert(text);
            }
        }
        Ok(plain)
    }
}

impl ResourceClass {
    /// What actions without resources ask for.
    pub(super) fn none() -> Self {
        Self { example: Resource::NONE.as_str().into(), patterns: Vec::new() }
    }
}

impl Clause {
    /// The numbers of its patterns.
    pub(super) fn patterns(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Pattern(number) => Some(*number),
            _ => None,
        })
    }

    /// Whether the statement goes on to count for a resource, where a template fits as is said.
    pub(super) fn counts(
        &self,
        class: &ResourceClass,
        is_template: impl Fn(u32) -> bool,
        fit: impl Fn(u32) -> Fit,
    ) -> bool {
        let certainty = self.fixed.unwrap_or_else(|| {
            Certainty::any(self.entries.iter().map(|entry| match *entry {
                Entry::Any => Certainty::Yes,
                Entry::Unclear => Certainty::Unclear,
                Entry::Pattern(number) if is_template(number) => match fit(number) {
                    Fit::Yes => Certainty::Yes,
                    Fit::Unset if self.inverted => Certainty::Unclear,
                    Fit::No | Fit::Unset => Certainty::No,
                },
                Entry::Pattern(number) => class.patterns.binary_search(&number).is_ok().into(),
            }))
            .invert_if(self.inverted)
        });
        certainty.counts_for(self.effect)
    }

    /// The templates that bear on a resource of the class, each with how it may stand to it.
    pub(super) fn templates(
        &self,
        class: &ResourceClass,
        is_template: impl Fn(u32) -> bool,
    ) -> impl Iterator<Item = (u32, bool)> {
        self.entries.iter().filter_map(move |entry| match *entry {
            Entry::Pattern(number) if is_template(number) => {
                let may_fit = class.patterns.binary_search(&number).is_ok();
                (may_fit || self.inverted).then_some((number, self.inverted))
            }
            _ => None,
        })
    }
}
