//! Classes of texts: what some patterns cannot tell apart.

use super::automaton::{Token, Tree, Universe};
use super::budget::{Budget, Exhausted};
use std::collections::HashMap;

/// Texts that match patterns with the same labels. Patterns with the same label need not be told apart: those of one
/// statement, say, of which any will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// The labels of the patterns that match, in order.
    pub(super) labels: Vec<u32>,
    /// A text of the class, a shortest one.
    pub(super) example: String,
    /// Whether the class was made for one literal pattern.
    pub(super) literal: bool,
}

pub(super) fn literal(text: &str) -> Vec<Token> {
    text.chars().map(Token::Character).collect()
}

/// The literal that a pattern is, where it is one.
fn as_literal(pattern: &[Token]) -> Option<String> {
    let characters = pattern.iter().map(|token| match token {
        Token::Character(character) => Some(*character),
        _ => None,
    });
    characters.collect()
}

/// Every class that has a text. Literals are not put through the automaton unless they must be: each is a class of its
/// own, and the classes of the rest only need an example that is none of them.
pub(super) fn classes(
    patterns: &[(Vec<Token>, u32)],
    universe: Universe,
    budget: &mut Budget,
) -> Result<Vec<Class>, Exhausted> {
    let mut literals: HashMap<String, Vec<u32>> = HashMap::new();
    let mut tree = Tree::new();
    for (pattern, label) in patterns {
        match as_literal(pattern) {
            Some(text) => literals.entry(text).or_default().push(*label),
            None => tree.insert(pattern, *label),
        }
    }
    let mut found = tree.explore(universe, budget)?;
    if found.iter().any(|class| literals.contains_key(&class.example)) {
        // With a mark on the literals, what is left gets an example that is none of them.
        let mark = patterns.iter().map(|(_, label)| *label + 1).max().unwrap_or_default();
        let mut whole = Tree::new();
        patterns.iter().for_each(|(pattern, label)| whole.insert(pattern, *label));
        literals.keys().for_each(|text| whole.insert(&literal(text), mark));
        found = whole.explore(universe, budget)?;
        found.retain(|class| !class.labels.contains(&mark));
    }
    let mut classes: Vec<Class> = found
        .into_iter()
        .map(|class| Class { labels: class.labels, example: class.example, literal: false })
        .collect();
    let mut literals: Vec<_> = literals.into_iter().filter(|(text, _)| universe.holds(text)).collect();
    literals.sort();
    for (text, mut own) in literals {
        own.extend(tree.run(&text, budget)?);
        own.sort_unstable();
        own.dedup();
        classes.push(Class { labels: own, example: text, literal: true });
    }
    Ok(classes)
}

/// Every class within the first pattern that has a text. The first label is that of the first pattern alone.
pub(super) fn classes_within(
    patterns: &[(Vec<Token>, u32)],
    budget: &mut Budget,
) -> Result<Vec<Class>, Exhausted> {
    let mut tree = Tree::new();
    patterns.iter().for_each(|(pattern, label)| tree.insert(pattern, *label));
    let first = patterns.first().map(|(pattern, label)| (tree.path(pattern), *label));
    let (within, label) = first.unwrap_or_default();
    let found = tree.explore_within(Universe::Text, Some(&within), budget)?;
    let inside = found.into_iter().filter(|class| class.labels.contains(&label));
    Ok(inside.map(|class| Class { labels: class.labels, example: class.example, literal: false }).collect())
}

/// How the texts of one pattern stand to those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// None of them matches the other.
    Apart,
    /// Some do, some do not.
    Overlaps,
    /// All do.
    Within,
}

/// Whether the patterns differ in a character before the first sign of either.
pub(super) fn are_parted(one: &[Token], other: &[Token]) -> bool {
    let parted = one.iter().zip(other).find_map(|pair| match pair {
        (Token::Character(own), Token::Character(another)) if own == another => None,
        (Token::Character(_), Token::Character(_)) => Some(true),
        _ => Some(false),
    });
    parted == Some(true)
}

/// How the texts of the first pattern stand to those of the second.
pub(super) fn relation(one: &[Token], other: &[Token], budget: &mut Budget) -> Result<Relation, Exhausted> {
    let classes = classes_within(&[(one.to_vec(), 0), (other.to_vec(), 1)], budget)?;
    let both = classes.iter().filter(|class| class.labels.len() > 1).count();
    Ok(match both {
        0 => Relation::Apart,
        both if both == classes.len() => Relation::Within,
        _ => Relation::Overlaps,
    })
}

/// Tells which of some patterns a text matches.
pub(super) struct Matcher(Tree);

impl Matcher {
    pub(super) fn new(patterns: &[Vec<Token>]) -> Self {
        let mut tree = Tree::new();
        (0_u32..).zip(patterns).for_each(|(number, pattern)| tree.insert(pattern, number));
        Self(tree)
    }

    /// The same with labels in the place of numbers.
    pub(super) fn labelled(patterns: &[(Vec<Token>, u32)]) -> Self {
        let mut tree = Tree::new();
        patterns.iter().for_each(|(pattern, label)| tree.insert(pattern, *label));
        Self(tree)
    }

    /// The numbers of the patterns that the text matches, in order.
    pub(super) fn run(&self, text: &str, budget: &mut Budget) -> Result<Vec<u32>, Exhausted> {
        self.0.run(text, budget)
    }
}

/// Whether every text of the first pattern is one of the second, whatever their symbols stand for.
pub(super) fn is_within(one: &[Token], other: &[Token], budget: &mut Budget) -> Result<bool, Exhausted> {
    let mut tree = Tree::new();
    tree.insert(one, 0);
    tree.insert(other, 1);
    let classes = tree.explore(Universe::Text, budget)?;
    Ok(classes.iter().all(|class| class.labels != [0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Vec<Token> {
        let token = |character| match character {
            '*' => Token::Sequence,
            '?' => Token::AnyCharacter,
            '$' => Token::Symbol(0),
            other => Token::Character(other),
        };
        text.chars().map(token).collect()
    }

    fn found(patterns: &[&str], universe: Universe) -> Vec<(Vec<u32>, String)> {
        let patterns: Vec<_> = (0..).zip(patterns).map(|(label, text)| (glob(text), label)).collect();
        let classes = classes(&patterns, universe, &mut Budget::new()).unwrap();
        let mut classes: Vec<_> = classes.into_iter().map(|class| (class.labels, class.example)).collect();
        classes.sort();
        classes
    }

    #[test]
    fn texts_fall_into_the_classes_that_patterns_tell_apart() {
        let class = |patterns: &[u32], example: &str| (patterns.to_vec(), example.to_owned());
        assert_eq!(
            found(&["get*", "getobject", "*object", "put?"], Universe::ActionName),
            [
                class(&[], "x"),
                class(&[0], "get"),
                class(&[0, 1, 2], "getobject"),
                class(&[0, 2], "getxobject"),
                class(&[2], "object"),
                class(&[3], "putx"),
            ]
        );
        assert_eq!(found(&["*"], Universe::ActionName), [class(&[0], "x")]);
        assert_eq!(found(&["a", "b"], Universe::Text), [class(&[], "x"), class(&[0], "a"), class(&[1], "b")]);
        // The only text of a class may be a literal; the class of what is left of `?` is another.
        assert_eq!(
            found(&["x", "?"], Universe::Text),
            [class(&[], "0x"), class(&[0, 1], "x"), class(&[1], "0")]
        );
    }

    #[test]
    fn every_text_is_in_one_of_the_classes() {
        let patterns = ["a*b*", "*ab", "a?", "*", "ab", ""];
        let classes = found(&patterns, Universe::Text);
        let mut tree = Tree::new();
        (0..).zip(patterns).for_each(|(number, text)| tree.insert(&glob(text), number));
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = |text: &String| ["a", "b", "c"].map(|letter| format!("{text}{letter}"));
            let more: Vec<_> = texts.iter().flat_map(longer).collect();
            texts.extend(more);
        }
        for text in texts {
            let matched = tree.run(&text, &mut Budget::new()).unwrap();
            assert!(classes.iter().any(|(patterns, _)| *patterns == matched), "{text}");
        }
    }

    #[test]
    fn a_template_is_within_another_whatever_its_variable_stands_for() {
        for (one, other, expected) in [
            ("a/$/b", "a/$/*", true),
            ("a/$/*", "a/*", true),
            ("a/$/*", "a/$/b", false),
            ("a/$", "a/?", false),
            ("a/b", "a/$", false),
        ] {
            assert_eq!(
                is_within(&glob(one), &glob(other), &mut Budget::new()),
                Ok(expected),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn patterns_of_one_label_are_one() {
        let words =
            ["endpoint", "model", "context", "artifact", "action", "job", "feature", "record", "data"];
        let one: Vec<_> = words.iter().map(|word| (glob(&format!("*{word}*")), 0)).collect();
        let mut budget = Budget::new();
        assert_eq!(classes(&one, Universe::ActionName, &mut budget).unwrap().len(), 2);
        assert!(budget.used() < 5_000);
        let apart: Vec<_> = (0..).zip(&one).map(|(label, (pattern, _))| (pattern.clone(), label)).collect();
        assert_eq!(classes(&apart, Universe::ActionName, &mut budget).unwrap().len(), 1 << words.len());
        // A literal keeps its class also beside a wildcard of the same label.
        let same = [(glob("x"), 0), (glob("?"), 0)];
        assert_eq!(classes(&same, Universe::Text, &mut budget).unwrap().len(), 3);
    }

    #[test]
    fn what_grows_without_bound_is_given_up() {
        let patterns: Vec<_> =
            (0..40).map(|n| (glob(&format!("*a{}b", "?".repeat(n as usize))), n)).collect();
        assert_eq!(classes(&patterns, Universe::Text, &mut Budget::new()), Err(Exhausted));
    }
}
