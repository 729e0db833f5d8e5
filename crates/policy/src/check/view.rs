//! The document as the checks look at it: every element with its way and its place, also what is wrong or empty.

use super::finding::{PathElement, Place};
use crate::document::{Effect, Operator};
use crate::json::{Json, Member, Node};
use crate::span::{Position, Span};

/// An element with the way to it.
#[derive(Clone)]
pub(super) struct Item<'d> {
    pub(super) node: &'d Node,
    path: Vec<PathElement>,
}

impl<'d> Item<'d> {
    pub(super) fn root(node: &'d Node) -> Self {
        Self { node, path: Vec::new() }
    }

    pub(super) fn place(&self) -> Place {
        Place { path: self.path.clone(), span: self.node.span }
    }

    /// The place of some characters of a string; of all of it where escapes hide which they are.
    pub(super) fn place_within(&self, start: usize, length: usize) -> Place {
        let mut place = self.place();
        place.path.push(PathElement::Substring { start, length });
        let written = place.span.end.column.saturating_sub(place.span.start.column);
        let plain = self.text().is_some_and(|text| u32::try_from(text.chars().count() + 2) == Ok(written));
        if let (true, Ok(start), Ok(length)) = (plain, u32::try_from(start), u32::try_from(length)) {
            let line = place.span.start.line;
            let first = place.span.start.column + 1 + start;
            place.span = Span {
                start: Position { line, column: first },
                end: Position { line, column: first + length },
            };
        }
        place
    }

    pub(super) fn text(&self) -> Option<&'d str> {
        match &self.node.value {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.node.value, Json::List(list) if list.is_empty())
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(&self) -> Vec<MemberItem<'d>> {
        let Json::Object(members) = &self.node.value else { return Vec::new() };
        members.iter().map(|member| MemberItem { member, parent: self.path.clone() }).collect()
    }

    /// The elements of a list, or the element itself, which stands for a list of one.
    pub(super) fn elements(&self) -> Vec<Item<'d>> {
        let Json::List(list) = &self.node.value else { return vec![self.clone()] };
        let step = |(index, node)| Item { node, path: with(&self.path, PathElement::Index(index)) };
        list.iter().enumerate().map(step).collect()
    }
}

fn with(path: &[PathElement], element: PathElement) -> Vec<PathElement> {
    let mut path = path.to_vec();
    path.push(element);
    path
}

/// A member of an object with the way to the object.
#[derive(Clone)]
pub(super) struct MemberItem<'d> {
    member: &'d Member,
    parent: Vec<PathElement>,
}

impl<'d> MemberItem<'d> {
    pub(super) fn key(&self) -> &'d str {
        &self.member.key
    }

    pub(super) fn key_place(&self) -> Place {
        let path = with(&self.parent, PathElement::Key(self.member.key.clone()));
        Place { path, span: self.member.key_span }
    }

    pub(super) fn value(&self) -> Item<'d> {
        let path = with(&self.parent, PathElement::Value(self.member.key.clone()));
        Item { node: &self.member.value, path }
    }
}

/// A text of the document with its element.
#[derive(Clone)]
pub(super) struct Entry<'d> {
    pub(super) text: &'d str,
    pub(super) item: Item<'d>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
pub(super) struct Clause<'d> {
    pub(super) inverted: bool,
    pub(super) item: Item<'d>,
    pub(super) key_place: Place,
    pub(super) entries: Vec<Entry<'d>>,
}

/// `Principal` or `NotPrincipal`.
pub(super) struct PrincipalClause<'d> {
    pub(super) inverted: bool,
    pub(super) item: Item<'d>,
    pub(super) key_place: Place,
    /// The entries with the key that they stand under.
    pub(super) entries: Vec<(&'d str, Entry<'d>)>,
}

impl PrincipalClause<'_> {
    /// Whether it is `"*"` or `{"AWS": "*"}`, and nothing else.
    pub(super) fn is_everyone(&self) -> bool {
        let named = || self.entries.iter().all(|(key, entry)| *key == "AWS" && entry.text == "*");
        !self.inverted && (self.item.text() == Some("*") || (!self.entries.is_empty() && named()))
    }
}

/// One key under one operator.
pub(super) struct Condition<'d> {
    pub(super) operator_text: &'d str,
    pub(super) operator: Option<Operator>,
    pub(super) key: &'d str,
    pub(super) key_place: Place,
    pub(super) values: Item<'d>,
    /// The values as text: `true`, `10` and `"10"` alike.
    pub(super) entries: Vec<(String, Item<'d>)>,
}

impl Condition<'_> {
    pub(super) fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// Whether the key begins so and more follows.
    pub(super) fn is_under(&self, prefix: &str) -> bool {
        self.key.split_at_checked(prefix.len()).is_some_and(|(start, _)| start.eq_ignore_ascii_case(prefix))
    }
}

/// A statement. An element of the wrong type counts as absent here; that it is wrong is noted elsewhere.
pub(super) struct Statement<'d> {
    pub(super) item: Item<'d>,
    pub(super) sid: Option<Entry<'d>>,
    pub(super) effect: Option<Effect>,
    pub(super) principal: Option<PrincipalClause<'d>>,
    pub(super) action: Option<Clause<'d>>,
    pub(super) resource: Option<Clause<'d>>,
    pub(super) conditions: Vec<Condition<'d>>,
}

impl<'d> Statement<'d> {
    pub(super) fn read(item: Item<'d>) -> Self {
        let members = item.members();
        let find = |name: &str| members.iter().find(|member| member.key() == name);
        let clause = |plain: &str, inverted: &str| {
            let found = find(plain).map(|member| (member, false));
            let (member, inverted) = found.or_else(|| find(inverted).map(|member| (member, true)))?;
            let item = member.value();
            let entries = entries(&item);
            Some(Clause { inverted, entries, item, key_place: member.key_place() })
        };
        Self {
            sid: find("Sid").and_then(|sid| entries(&sid.value()).into_iter().next()),
            effect: find("Effect").and_then(|effect| match effect.value().text() {
                Some("Allow") => Some(Effect::Allow),
                Some("Deny") => Some(Effect::Deny),
                _ => None,
            }),
            principal: principal(find("Principal"), find("NotPrincipal")),
            action: clause("Action", "NotAction"),
            resource: clause("Resource", "NotResource"),
            conditions: find("Condition").map(|block| conditions(&block.value())).unwrap_or_default(),
            item,
        }
    }

    pub(super) fn allows(&self) -> bool {
        self.effect == Some(Effect::Allow)
    }

    pub(super) fn has_key(&self, key: &str) -> bool {
        self.conditions.iter().any(|condition| condition.is(key))
    }

    /// The entries of `Action`; none of `NotAction`.
    pub(super) fn plain_actions(&self) -> &[Entry<'d>] {
        self.action.as_ref().filter(|clause| !clause.inverted).map_or(&[], |clause| &clause.entries)
    }
}

fn entries<'d>(item: &Item<'d>) -> Vec<Entry<'d>> {
    let read = |item: Item<'d>| Some(Entry { text: item.text()?, item });
    item.elements().into_iter().filter_map(read).collect()
}

fn principal<'d>(
    plain: Option<&MemberItem<'d>>,
    inverted: Option<&MemberItem<'d>>,
) -> Option<PrincipalClause<'d>> {
    let (member, is_inverted) =
        plain.map(|member| (member, false)).or_else(|| inverted.map(|member| (member, true)))?;
    let item = member.value();
    let mut found = Vec::new();
    for kind in item.members() {
        found.extend(entries(&kind.value()).into_iter().map(|entry| (kind.key(), entry)));
    }
    Some(PrincipalClause { inverted: is_inverted, item, key_place: member.key_place(), entries: found })
}

fn conditions<'d>(block: &Item<'d>) -> Vec<Condition<'d>> {
    let mut found = Vec::new();
    for operator in block.members() {
        for key in operator.value().members() {
            let values = key.value();
            let text = |item: Item<'d>| {
                let text = match &item.node.value {
                    Json::Text(text) | Json::Number(text) => text.to_string(),
                    Json::Bool(value) => value.to_string(),
                    _ => return None,
                };
                Some((text, item))
            };
            found.push(Condition {
                operator_text: operator.key(),
                operator: Operator::parse(operator.key()),
                key: key.key(),
                key_place: key.key_place(),
                entries: values.elements().into_iter().filter_map(text).collect(),
                values,
            });
        }
    }
    found
}
