//! Patterns as one automaton, and the classes of texts that it tells apart.
//!
//! Patterns with a common beginning share it: they are put into a tree of tokens, in which a `*` is a node that stays
//! where it is. Running texts through the tree is running a nondeterministic automaton; its sets of nodes are the
//! states of the deterministic one, found breadth first, so that the first text to reach a state is a shortest one. Two
//! texts that end in states with the same accepting patterns are alike for everything that looks at them through these
//! patterns: a *class*. In each state only those characters lead to places of their own that some pattern names there;
//! all others behave as one.

use super::bits::Bits;
use super::budget::{Budget, Exhausted, MAX_AUTOMATON_PLACES, MAX_AUTOMATON_STATES};
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Token {
    Character(char),
    /// The character in any case.
    AnyCase(char),
    AnyCharacter,
    AnyButColon,
    Sequence,
    SequenceWithoutColon,
    /// A variable that stands for itself, when two templates are compared.
    Symbol(u32),
}

/// Which texts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Universe {
    /// Every text.
    Text,
    /// Names of actions in lower case: not empty, without a colon and without capital letters.
    ActionName,
}

impl Universe {
    pub(super) fn holds(self, text: &str) -> bool {
        self == Self::Text || (!text.is_empty() && text.chars().all(|c| self.has(c)))
    }

    fn has(self, character: char) -> bool {
        self == Self::Text || (character != ':' && !character.is_ascii_uppercase())
    }
}

#[derive(Debug, Default)]
pub(super) struct Node {
    edges: Vec<(Token, u32)>,
    /// For a node behind a `*`: whether it stays for a character.
    stays: Option<Token>,
    accepts: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Letter {
    Character(char),
    Symbol(u32),
}

/// Patterns that share their beginnings.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// For each node the labels that can still be reached from it; worked out when texts are looked for.
    reach: Vec<Bits>,
    labels: usize,
}

/// Texts that match patterns with the same labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) labels: Vec<u32>,
    pub(super) example: String,
}

/// The most bits that are kept of what can be reached: 32 MiB.
const MAX_REACH_BITS: usize = 1 << 28;

/// A set of nodes, in order.
type Nodes = Box<[u32]>;

/// How a state was reached: from which, by what.
struct State {
    nodes: Nodes,
    reached: Option<(usize, Letter)>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], reach: Vec::new(), labels: 0 }
    }

    fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number as usize)
    }

    /// Adds a pattern; those with the same label need not be told apart.
    pub(super) fn insert(&mut self, pattern: &[Token], label: u32) {
        self.labels = self.labels.max(label as usize + 1);
        let mut at = 0_usize;
        for token in pattern {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return };
            at = match node.edges.iter().find(|(own, _)| own == token) {
                Some((_, child)) => *child as usize,
                None => {
                    node.edges.push((*token, next as u32));
                    let stays = matches!(token, Token::Sequence | Token::SequenceWithoutColon);
                    self.nodes.push(Node { stays: stays.then_some(*token), ..Node::default() });
                    next
                }
            };
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.accepts.push(label);
        }
    }

    /// Adds a node, and those behind a `*` that may be empty.
    fn add(&self, number: u32, to: &mut Vec<u32>) {
        to.push(number);
        for (token, child) in self.node(number).into_iter().flat_map(|node| &node.edges) {
            if matches!(token, Token::Sequence | Token::SequenceWithoutColon) {
                self.add(*child, to);
            }
        }
    }

    fn start(&self) -> Nodes {
        let mut nodes = Vec::new();
        self.add(0, &mut nodes);
        finish(nodes)
    }

    fn step(&self, nodes: &[u32], letter: Letter) -> Nodes {
        let mut next = Vec::with_capacity(nodes.len());
        for (number, node) in nodes.iter().filter_map(|number| Some((*number, self.node(*number)?))) {
            if node.stays.is_some_and(|token| token.takes(letter)) {
                self.add(number, &mut next);
            }
            for (_, child) in node.edges.iter().filter(|(token, _)| token.is_single() && token.takes(letter))
            {
                self.add(*child, &mut next);
            }
        }
        finish(next)
    }

    fn accepting(&self, nodes: &[u32]) -> Vec<u32> {
        let accepts = nodes.iter().filter_map(|number| self.node(*number)).flat_map(|node| &node.accepts);
        let mut accepts: Vec<u32> = accepts.copied().collect();
        accepts.sort_unstable();
        accepts.dedup();
        accepts
    }

    /// The labels of the patterns that a text matches.
    pub(super) fn run(&self, text: &str, budget: &mut Budget) -> Result<Vec<u32>, Exhausted> {
        let mut nodes = self.start();
        for character in text.chars() {
            budget.spend(1)?;
            nodes = self.step(&nodes, Letter::Character(character));
            if nodes.is_empty() {
                return Ok(Vec::new());
            }
        }
        Ok(self.accepting(&nodes))
    }

    /// The nodes that a pattern goes through.
    pub(super) fn path(&self, pattern: &[Token]) -> Vec<bool> {
        let mut path = vec![false; self.nodes.len()];
        let mut at = 0_u32;
        for token in pattern {
            path.iter_mut().skip(at as usize).take(1).for_each(|own| *own = true);
            let edges = self.node(at).into_iter().flat_map(|node| &node.edges);
            let Some((_, child)) = edges.into_iter().find(|(own, _)| own == token) else { break };
            at = *child;
        }
        path.iter_mut().skip(at as usize).take(1).for_each(|own| *own = true);
        path
    }

    /// Works out which labels can still be reached from where: children come after their parents.
    fn prepare(&mut self) {
        // Without it nothing is left out, which costs time but no memory.
        if self.nodes.len().saturating_mul(self.labels) > MAX_REACH_BITS {
            return;
        }
        let mut reach: Vec<Bits> = Vec::new();
        for node in self.nodes.iter().rev() {
            let mut own = Bits::collect(self.labels, node.accepts.iter().map(|label| *label as usize));
            for (_, child) in &node.edges {
                // Filled from the end: the last node comes first.
                let at = (self.nodes.len() - 1).checked_sub(*child as usize);
                if let Some(child) = at.and_then(|at| reach.get(at)) {
                    own.union(child);
                }
            }
            reach.push(own);
        }
        reach.reverse();
        self.reach = reach;
    }

    /// Leaves out nodes that lead to nothing new: behind a `*` at a pattern's end its label is there to stay.
    fn reduce(&self, nodes: Nodes) -> Nodes {
        let absorbs = |number: u32| {
            self.node(number).filter(|node| node.stays == Some(Token::Sequence) && !node.accepts.is_empty())
        };
        let absorbing = || nodes.iter().filter_map(|number| absorbs(*number)).flat_map(|node| &node.accepts);
        if nodes.len() < 2 || absorbing().next().is_none() {
            return nodes;
        }
        let absorbed = Bits::collect(self.labels, absorbing().map(|label| *label as usize));
        let leads_on = |number: &u32| {
            let reach = self.reach.get(*number as usize);
            absorbs(*number).is_some() || !reach.is_some_and(|reach| reach.is_subset(&absorbed))
        };
        nodes.iter().copied().filter(leads_on).collect()
    }

    /// The classes of all texts, each with a shortest example.
    pub(super) fn explore(
        &mut self,
        universe: Universe,
        budget: &mut Budget,
    ) -> Result<Vec<Found>, Exhausted> {
        self.explore_within(universe, None, budget)
    }

    /// The classes of all texts, or of those that do not leave these nodes.
    pub(super) fn explore_within(
        &mut self,
        universe: Universe,
        within: Option<&[bool]>,
        budget: &mut Budget,
    ) -> Result<Vec<Found>, Exhausted> {
        self.prepare();
        let inside = |nodes: &Nodes| {
            within.is_none_or(|within| nodes.iter().any(|node| within.get(*node as usize) == Some(&true)))
        };
        // The start is no state that a text leads to: the empty text is told apart from those that follow.
        let start = self.start();
        let mut numbers: HashMap<Nodes, usize> = HashMap::from([(start.clone(), 0)]);
        let mut states = vec![State { nodes: start, reached: None }];
        let mut classes: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut order = Vec::new();
        let mut places = 0;
        let mut at = 0;
        while let Some(state) = states.get(at) {
            let nodes = state.nodes.clone();
            if at > 0 {
                let accepting = self.accepting(&nodes);
                classes.entry(accepting).or_insert_with_key(|accepting| {
                    order.push((accepting.clone(), at));
                    at
                });
            }
            for letter in self.letters(&nodes, universe) {
                budget.spend(1 + nodes.len() / 8)?;
                let next = self.reduce(self.step(&nodes, letter));
                if inside(&next) && !numbers.contains_key(&next) {
                    places += next.len();
                    if states.len() >= MAX_AUTOMATON_STATES || places > MAX_AUTOMATON_PLACES {
                        return Err(Exhausted);
                    }
                    numbers.insert(next.clone(), states.len());
                    states.push(State { nodes: next, reached: Some((at, letter)) });
                }
            }
            at += 1;
        }
        // The empty text comes last, since as an example any other says more.
        let empty = self.accepting(states.first().map_or(&[], |state| &state.nodes));
        if universe == Universe::Text && !classes.contains_key(&empty) {
            order.push((empty, 0));
        }
        let found = |(labels, at)| Found { labels, example: spell(&states, at) };
        Ok(order.into_iter().map(found).collect())
    }

    /// The characters that lead to places of their own, and one that stands for the rest.
    fn letters(&self, nodes: &[u32], universe: Universe) -> Vec<Letter> {
        let mut characters = Vec::new();
        let mut letters = Vec::new();
        let mut colon = false;
        for node in nodes.iter().filter_map(|number| self.node(*number)) {
            colon |= node.stays == Some(Token::SequenceWithoutColon);
            for (token, _) in &node.edges {
                match *token {
                    Token::Character(character) => characters.push(character),
                    Token::AnyCase(character) => characters.extend(cases(character)),
                    Token::AnyButColon => colon = true,
                    Token::Symbol(symbol) => letters.push(Letter::Symbol(symbol)),
                    Token::AnyCharacter | Token::Sequence | Token::SequenceWithoutColon => (),
                }
            }
        }
        if colon {
            characters.push(':');
        }
        characters.sort_unstable();
        characters.dedup();
        letters.sort_unstable();
        letters.dedup();
        let other = others().find(|other| characters.binary_search(other).is_err());
        let named = characters.into_iter().filter(|character| universe.has(*character));
        letters.extend(other.into_iter().chain(named).map(Letter::Character));
        letters
    }
}

fn finish(mut nodes: Vec<u32>) -> Nodes {
    nodes.sort_unstable();
    nodes.dedup();
    nodes.into()
}

/// Characters to stand for those that no pattern names, the plainest first; never a colon or a capital letter.
fn others() -> impl Iterator<Item = char> {
    "x0".chars().chain('a'..='z').chain('1'..='9').chain('\u{4e00}'..='\u{9fff}')
}

/// The characters that are this one but for case. Beyond ASCII there are more of them: see `values`.
fn cases(character: char) -> impl Iterator<Item = char> {
    let kelvin = character.eq_ignore_ascii_case(&'k').then_some('\u{212a}');
    character.to_lowercase().chain(character.to_uppercase()).chain([character]).chain(kelvin)
}

fn spell(states: &[State], mut at: usize) -> String {
    let mut characters = Vec::new();
    while let Some((before, letter)) = states.get(at).and_then(|state| state.reached) {
        if let Letter::Character(character) = letter {
            characters.push(character);
        }
        at = before;
    }
    characters.into_iter().rev().collect()
}

impl Token {
    fn is_single(self) -> bool {
        !matches!(self, Self::Sequence | Self::SequenceWithoutColon)
    }

    fn takes(self, letter: Letter) -> bool {
        match (self, letter) {
            (Self::Character(own), Letter::Character(character)) => own == character,
            (Self::AnyCase(own), Letter::Character(character)) => {
                own == character || own.to_lowercase().eq(character.to_lowercase())
            }
            (Self::AnyCharacter, Letter::Character(_)) => true,
            (Self::AnyButColon | Self::SequenceWithoutColon, Letter::Character(character)) => {
                character != ':'
            }
            // A variable's text may hold a colon, but where no `*` may cross one none is compared with a variable.
            (Self::Sequence | Self::SequenceWithoutColon, Letter::Symbol(_)) => self == Self::Sequence,
            (Self::Sequence, Letter::Character(_)) => true,
            (Self::Symbol(own), Letter::Symbol(symbol)) => own == symbol,
            _ => false,
        }
    }
}
