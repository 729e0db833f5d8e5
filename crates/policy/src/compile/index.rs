//! Which statements can be about an action on a resource: found without visiting the others.

use super::prefix_tree::PrefixTree;
use super::statement::{ActionMatch, CompiledStatement, ResourceMatch};
use crate::action::{Action, ActionPattern};
use crate::context::Context;
use crate::document::Effect;
use crate::pattern::{Fit, Glob, Syntax};
use crate::resource::Resource;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A statement in one of the layers that an index holds.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) statement: Arc<CompiledStatement>,
    pub(crate) effect: Effect,
    /// The layer's number, below 64.
    pub(crate) layer: u8,
    /// Whether the statement's action is still to be matched.
    pub(crate) check_action: bool,
}

/// Statements by the beginning of the action, then by the beginning of the resource.
#[derive(Debug, Default)]
pub(crate) struct Index {
    named: PrefixTree<Named>,
    /// What no name of an action can rule out.
    always: PrefixTree<Slot>,
}

/// One pattern for actions, and the statements that have it.
#[derive(Debug)]
struct Named {
    test: NameTest,
    slots: PrefixTree<Slot>,
}

#[derive(Debug)]
enum NameTest {
    /// The action begins as the tree says, and has this many bytes.
    Exact(usize),
    /// The action begins as the tree says.
    Prefix,
    /// The service is the tree's, and its name is like this.
    Glob(Box<Glob>),
}

impl NameTest {
    fn passes(&self, action: &Action<'_>, name: &str) -> bool {
        match self {
            Self::Exact(length) => action.as_str().len() == *length,
            Self::Prefix => true,
            Self::Glob(glob) => glob.fit(name, &Context::new()) == Fit::Yes,
        }
    }
}

/// A statement with more combinations of an action and a resource stands under what its resources begin with in common:
/// an index never grows faster than what it is of.
const MAX_COMBINATIONS: usize = 1024;

type Entries = Vec<(Box<str>, Slot)>;

impl Index {
    /// Indexes statements, each with the number of its layer.
    pub(crate) fn new<'s>(statements: impl IntoIterator<Item = (u8, &'s Arc<CompiledStatement>)>) -> Self {
        let mut always = Entries::new();
        let mut by_action: BTreeMap<(&str, &str), Entries> = BTreeMap::new();
        for (layer, statement) in statements {
            let effect = statement.effect;
            let slot = |check_action| Slot { statement: Arc::clone(statement), effect, layer, check_action };
            let prefixes = resource_prefixes(&statement.resource);
            match named_actions(&statement.action) {
                Some(named) => {
                    let prefixes = match named.len().saturating_mul(prefixes.len()) {
                        0..=MAX_COMBINATIONS => prefixes,
                        _ => vec![common_prefix(&prefixes)],
                    };
                    for action in named {
                        let entries = by_action.entry(action).or_default();
                        entries.extend(prefixes.iter().map(|prefix| (prefix.clone(), slot(false))));
                    }
                }
                None => always.extend(prefixes.iter().map(|prefix| (prefix.clone(), slot(true)))),
            }
        }
        let named = by_action.into_iter().filter_map(|(action, entries)| named(action, entries));
        Self { named: PrefixTree::new(named), always: PrefixTree::new(always) }
    }

    /// The statements that can match. One may come more than once.
    pub(crate) fn candidates<'i>(
        &'i self,
        action: &'i Action<'_>,
        resource: &'i Resource<'_>,
    ) -> impl Iterator<Item = &'i Slot> {
        let resource = resource.as_str().as_bytes();
        let name = action.name_text();
        self.named
            .beneath(action.lower())
            .filter(move |named| named.test.passes(action, name))
            .flat_map(move |named| named.slots.beneath(resource))
            .chain(self.always.beneath(resource))
    }
}

/// The patterns of a statement that lists actions by service; `None` where a name alone does not decide.
fn named_actions(action: &ActionMatch) -> Option<Vec<(&str, &str)>> {
    let ActionMatch::Listed { inverted: false, patterns } = action else { return None };
    let each = patterns.iter().map(|pattern| match pattern {
        ActionPattern::Named { service, text, .. } => Some((&**service, &**text)),
        ActionPattern::Any | ActionPattern::Unclear => None,
    });
    each.collect()
}

/// What all of them begin with; they are sorted.
fn common_prefix(prefixes: &[Box<str>]) -> Box<str> {
    let (Some(first), Some(last)) = (prefixes.first(), prefixes.last()) else { return "".into() };
    first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect::<String>().into()
}

fn named((service, name): (&str, &str), entries: Entries) -> Option<(Box<str>, Named)> {
    // The text was a pattern before, so it is one now.
    let glob = Glob::new(name, Syntax { wildcards: true, variables: false }).ok()?;
    let prefix = format!("{service}:{}", glob.literal_prefix());
    let test = if glob.literal().is_some() {
        NameTest::Exact(prefix.len())
    } else if glob.literal_then_any().is_some() {
        NameTest::Prefix
    } else {
        NameTest::Glob(Box::new(glob))
    };
    Some((prefix.into(), Named { test, slots: PrefixTree::new(entries) }))
}

/// What an ARN must begin with for one of the statement's patterns to match.
fn resource_prefixes(resource: &ResourceMatch) -> Vec<Box<str>> {
    let mut prefixes: Vec<Box<str>> = match resource {
        ResourceMatch::Listed { inverted: false, patterns } => {
            patterns.iter().map(|pattern| pattern.literal_prefix().into()).collect()
        }
        _ => vec!["".into()],
    };
    // An empty `Resource` matches nothing, but whoever explains may still ask for it.
    prefixes.sort();
    prefixes.dedup();
    prefixes
}
