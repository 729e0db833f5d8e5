//! A policy of a simulation: what answers call it, where its statements stand, and the context keys in it.

use std::collections::HashSet;

use daypass_core::Fault;
use daypass_core::model::iam::Position as ApiPosition;
use daypass_core::policy::{Document, DocumentKind, Position, Version};

use crate::fault::invalid_input;

/// A policy with the name that answers give it.
pub(crate) struct SimulatedPolicy {
    pub(crate) id: String,
    pub(crate) document: Document,
    text: String,
}

impl SimulatedPolicy {
    pub(crate) fn new(id: &str, text: &str, document: Document) -> Self {
        Self { id: id.to_owned(), document, text: text.to_owned() }
    }

    /// The policies of a list in a request, called `PolicyInputList.1` and so on.
    ///
    /// # Errors
    /// For the first that IAM would not store. The code is that of the API reference; the words are those of
    /// `MalformedPolicyDocument`.
    pub(crate) fn list(list: &str, kind: DocumentKind, texts: &[String]) -> Result<Vec<Self>, Fault> {
        let named =
            |(index, text): (usize, &String)| Self::read(&format!("{list}.{}", index + 1), kind, text);
        texts.iter().enumerate().map(named).collect()
    }

    /// A policy in a request.
    pub(crate) fn read(id: &str, kind: DocumentKind, text: &str) -> Result<Self, Fault> {
        let document = Document::parse(kind, text)
            .map_err(|error| invalid_input(format!("{id}: {}", error.aws_message())))?;
        Ok(Self::new(id, text, document))
    }

    /// Its length in bytes, which bounds what a decision by it costs.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Where a statement, counted from one, begins and ends. AWS says where its reader stood: a statement of a list
    /// begins just past the `[` or the statement before it, one that is not in a list just past its own `{`; each ends just
    /// past its `}` (the examples of the IAM API reference, and recorded answers).
    pub(crate) fn place(&self, number: usize) -> Option<(ApiPosition, ApiPosition)> {
        let statements = &self.document.statements;
        let span = statements.get(number.checked_sub(1)?)?.span;
        let before = number.checked_sub(2).and_then(|index| statements.get(index));
        let start = match before {
            Some(before) => before.span.end,
            None => self.past_bracket(span.start),
        };
        Some((shown(start), shown(span.end)))
    }

    /// Just past the `[` before a statement; without one, just past the `{` of the statement itself.
    fn past_bracket(&self, statement: Position) -> Position {
        let (mut at, mut last) = (Position::START, None);
        for character in self.text.chars() {
            if at >= statement {
                break;
            }
            let next = match character {
                '\n' => Position { line: at.line + 1, column: 1 },
                _ => Position { line: at.line, column: at.column + 1 },
            };
            if !character.is_ascii_whitespace() {
                last = Some((character, next));
            }
            at = next;
        }
        match last {
            Some(('[', past)) => past,
            _ => Position { line: statement.line, column: statement.column + 1 },
        }
    }

    /// Adds the condition keys and variables of the policy to those that are known, each once, as it is first written.
    pub(crate) fn collect_keys(&self, keys: &mut Keys) {
        let mut add = |key: &str| keys.add(key);
        let has_variables = self.document.effective_version() == Version::V2012;
        for statement in &self.document.statements {
            for condition in &statement.conditions {
                add(&condition.key.value);
                if has_variables {
                    condition.values.iter().for_each(|value| variables(&value.value, &mut add));
                }
            }
            if let Some(resource) = statement.resource.as_ref().filter(|_| has_variables) {
                resource.entries.iter().for_each(|entry| variables(&entry.value, &mut add));
            }
        }
    }
}

/// Context keys, each once, as it is first written.
#[derive(Default)]
pub(crate) struct Keys {
    written: Vec<String>,
    /// The same as they are compared: without regard to case.
    known: HashSet<String>,
}

impl Keys {
    fn add(&mut self, key: &str) {
        if self.known.insert(key.to_lowercase()) {
            self.written.push(key.to_owned());
        }
    }

    pub(crate) fn into_vec(self) -> Vec<String> {
        self.written
    }
}

/// The names of the variables in a text; `${*}`, `${?}` and `${$}` are none.
fn variables(text: &str, add: &mut impl FnMut(&str)) {
    for part in text.split("${").skip(1) {
        let name = part.split([',', '}']).next().unwrap_or_default().trim();
        if part.contains('}') && !name.is_empty() && !matches!(name, "*" | "?" | "$") {
            add(name);
        }
    }
}

fn shown(position: Position) -> ApiPosition {
    let number = |number: u32| Some(i32::try_from(number).unwrap_or(i32::MAX));
    ApiPosition { line: number(position.line), column: number(position.column) }
}
