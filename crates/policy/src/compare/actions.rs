//! Actions, as far as the policies can tell them apart, and which statements are about each.

use super::automaton::{Token, Universe};
use super::bits::Bits;
use super::budget::{Budget, Exhausted};
use super::class::{Matcher, classes, literal};
use super::set::Source;
use crate::compile::{ActionMatch, Certainty};
use crate::pattern::{Syntax, Token as Piece, tokens};
use crate::{Action, Statement};
use std::collections::{BTreeMap, HashMap};

/// Actions of one service that are alike.
#[derive(Clone, Debug)]
pub(super) struct ActionClass {
    /// One of them.
    pub(super) example: Box<str>,
    /// Whether it is the only one, named by some policy.
    pub(super) literal: bool,
    /// The entries of statements that cover it: statement and place in the list.
    pub(super) entries: Vec<(u32, u32)>,
}

/// Actions that the same statements are about.
#[derive(Debug)]
pub(super) struct Group {
    /// The statements whose `Action` goes on to count.
    pub(super) statements: Bits,
    pub(super) classes: Vec<ActionClass>,
}

#[derive(Debug)]
pub(super) struct Actions {
    pub(super) groups: Vec<Group>,
    /// How many classes each entry covers: an entry all of whose classes differ can be named whole.
    pub(super) covered: HashMap<(u32, u32), u32>,
}

/// The patterns of one service by their text in lower case.
#[derive(Default)]
struct Service<'s> {
    patterns: BTreeMap<String, Vec<Entry<'s>>>,
}

struct Entry<'s> {
    at: (u32, u32),
    written: &'s str,
}

impl Actions {
    pub(super) fn of(sources: &[Source], budget: &mut Budget) -> Result<Self, Exhausted> {
        let mut services: BTreeMap<String, Service<'_>> = BTreeMap::new();
        // Entries that are about every service.
        let mut everywhere: Vec<(u32, u32)> = Vec::new();
        for (number, source) in (0_u32..).zip(sources) {
            let entries = source.written().and_then(|own| own.action.as_ref()).map(|clause| &clause.entries);
            for (place, entry) in (0_u32..).zip(entries.into_iter().flatten()) {
                match entry.value.split_once(':') {
                    None if &*entry.value == "*" => everywhere.push((number, place)),
                    Some(("*", "*")) => everywhere.push((number, place)),
                    Some((service, name)) if !service.is_empty() && !service.contains(['*', '?']) => {
                        let service = services.entry(service.to_ascii_lowercase()).or_default();
                        let own = Entry { at: (number, place), written: &entry.value };
                        service.patterns.entry(name.to_ascii_lowercase()).or_default().push(own);
                    }
                    _ => (),
                }
            }
        }
        let counting = |named: bool| {
            let counting = sources.iter().enumerate().filter(|(_, source)| counts(source, named));
            Bits::collect(sources.len(), counting.map(|(number, _)| number))
        };
        let collector = Collector {
            sources,
            named: counting(true),
            unnamed: counting(false),
            everywhere,
            groups: HashMap::new(),
            order: Vec::new(),
        };
        collector.collect(services, budget)
    }
}

struct Collector<'s> {
    sources: &'s [Source],
    /// The statements that count for an action that they name, and those for one that they do not.
    named: Bits,
    unnamed: Bits,
    everywhere: Vec<(u32, u32)>,
    groups: HashMap<Bits, usize>,
    order: Vec<Group>,
}

impl Collector<'_> {
    fn collect(
        mut self,
        mut services: BTreeMap<String, Service<'_>>,
        budget: &mut Budget,
    ) -> Result<Actions, Exhausted> {
        // Needs no permission, so that no policy makes a difference to it; it must not stand for its neighbours.
        if let Some(sts) = services.get_mut("sts") {
            sts.patterns.entry("getcalleridentity".into()).or_default();
        }
        let unnamed = (0_u32..).map(|n| if n == 0 { "other".into() } else { format!("other{n}") });
        let other = unnamed.filter(|name: &String| !services.contains_key(name)).take(1).collect::<String>();
        self.class(&format!("{other}:Action"), false, self.everywhere.clone());
        for (name, service) in &services {
            self.service(name, service, budget)?;
        }
        let mut covered = HashMap::new();
        for entry in self.order.iter().flat_map(|group| &group.classes).flat_map(|class| &class.entries) {
            *covered.entry(*entry).or_insert(0) += 1;
        }
        Ok(Actions { groups: self.order, covered })
    }

    fn service(&mut self, name: &str, service: &Service<'_>, budget: &mut Budget) -> Result<(), Exhausted> {
        // Patterns of the same statements need not be told apart.
        let mut labels: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut label = |entries: &[Entry<'_>]| {
            let next = labels.len() as u32;
            let statements = entries.iter().map(|entry| entry.at.0).collect();
            *labels.entry(statements).or_insert(next)
        };
        let patterns = service.patterns.iter().map(|(text, entries)| (pattern(text), label(entries)));
        let patterns: Vec<(Vec<Token>, u32)> = patterns.collect();
        let wild: Vec<(&String, &Vec<Entry<'_>>)> =
            service.patterns.iter().filter(|(text, _)| text.contains(['*', '?'])).collect();
        let tokens: Vec<Vec<Token>> = wild.iter().map(|(text, _)| pattern(text)).collect();
        let matcher = Matcher::new(&tokens);
        for class in classes(&patterns, Universe::ActionName, budget)? {
            budget.spend(1 + self.sources.len() / 16)?;
            let matched = matcher.run(&class.example, budget)?;
            let matched = matched.iter().filter_map(|number| wild.get(*number as usize)).map(|own| own.1);
            let literal = service.patterns.get(&class.example).filter(|_| class.literal);
            let matched: Vec<&Entry<'_>> = literal.into_iter().chain(matched).flatten().collect();
            // As some policy writes it, where that is the same.
            let lower = format!("{name}:{}", class.example);
            let mut written = matched.iter().map(|entry| entry.written.replace(['*', '?'], ""));
            let example = written.find(|text| text.eq_ignore_ascii_case(&lower)).unwrap_or(lower);
            if example.eq_ignore_ascii_case("sts:GetCallerIdentity") || Action::new(&example).is_err() {
                continue;
            }
            let named = matched.iter().map(|entry| entry.at);
            let all = named.chain(self.everywhere.iter().copied()).collect();
            self.class(&example, class.literal, all);
        }
        Ok(())
    }

    /// Puts a class with those that the same statements are about.
    fn class(&mut self, example: &str, literal: bool, mut entries: Vec<(u32, u32)>) {
        entries.sort_unstable();
        entries.dedup();
        let named = Bits::collect(self.sources.len(), entries.iter().map(|(number, _)| *number as usize));
        let mut statements = self.unnamed.clone();
        statements.subtract(&named);
        let mut counting = self.named.clone();
        counting.intersect(&named);
        statements.union(&counting);
        let class = ActionClass { example: example.into(), literal, entries };
        let next = self.order.len();
        let at = *self.groups.entry(statements.clone()).or_insert(next);
        match self.order.get_mut(at) {
            Some(group) => group.classes.push(class),
            None => self.order.push(Group { statements, classes: vec![class] }),
        }
    }
}

/// Whether a statement's `Action` goes on to count for an action that its entries name or do not.
fn counts(source: &Source, named: bool) -> bool {
    let Some(statement) = source.compiled() else { return false };
    let certainty = match &statement.action {
        ActionMatch::Unclear => Certainty::Unclear,
        ActionMatch::Listed { inverted, patterns } => {
            let unclear = || patterns.iter().any(|pattern| pattern.is_unclear());
            let plain = match named {
                true => Certainty::Yes,
                false if unclear() => Certainty::Unclear,
                false => Certainty::No,
            };
            plain.invert_if(*inverted)
        }
    };
    // An `Allow` with something that is not understood never counts.
    certainty.counts_for(statement.effect) && !(statement.doubt && statement.effect == crate::Effect::Allow)
}

fn pattern(text: &str) -> Vec<Token> {
    match tokens(text, Syntax { wildcards: true, variables: false }) {
        Ok(pieces) => pieces
            .into_iter()
            .flat_map(|piece| match piece {
                Piece::Text(text) => literal(&text),
                Piece::AnyCharacter => vec![Token::AnyCharacter],
                Piece::AnySequence | Piece::Variable(_) => vec![Token::Sequence],
            })
            .collect(),
        Err(_) => literal(text),
    }
}

/// The entry as it was written.
pub(super) fn entry(statement: &Statement, place: u32) -> Option<&str> {
    Some(&statement.action.as_ref()?.entries.get(place as usize)?.value)
}
