//! From text to document. One reading serves both ways in: it notes everything that AWS would refuse, and keeps of each
//! element what can be understood.

use super::kind::{DocumentKind, Version};
use super::malformed::{Malformed, MalformedDocument};
use super::operator::Operator;
use super::statement::{Clause, Condition, Effect, PrincipalName, Statement};
use super::{Document, rules};
use crate::json::{Json, JsonError, JsonErrorKind, Node};
use crate::span::{Located, Position, Span};
use std::collections::HashSet;

/// Reads a document as far as it can be understood, and all that is wrong with it in the order of the text.
pub(super) fn read(kind: DocumentKind, text: &str) -> (Document, Vec<MalformedDocument>) {
    let mut reading = Reading { kind, problems: Vec::new() };
    reading.characters(text);
    let document = match crate::json::read(text) {
        Ok(node) => reading.document(&node),
        Err(error) => {
            let (reason, span) = json_problem(error);
            let doubt = reading.problem(reason, span);
            reading.document_in_doubt(doubt)
        }
    };
    rules::check(&document, &mut reading.problems);
    (document, reading.problems)
}

fn json_problem(error: JsonError) -> (Malformed, Span) {
    let reason = match error.kind {
        JsonErrorKind::TooLarge => Malformed::TooLarge,
        JsonErrorKind::TooDeep => Malformed::TooDeep,
        JsonErrorKind::UnexpectedEnd => Malformed::NotJson("it ends too early"),
        JsonErrorKind::UnexpectedCharacter => {
            Malformed::NotJson("there is a character that does not belong here")
        }
        JsonErrorKind::BadEscape => Malformed::NotJson("there is no such escape"),
        JsonErrorKind::BadNumber => Malformed::NotJson("this is not a number"),
        JsonErrorKind::ControlCharacter => Malformed::NotJson("there is a control character in a string"),
        JsonErrorKind::TrailingText => Malformed::NotJson("something follows the document"),
    };
    (reason, Span { start: error.at, end: error.at })
}

struct Reading {
    kind: DocumentKind,
    problems: Vec<MalformedDocument>,
}

impl Reading {
    fn problem(&mut self, reason: Malformed, span: Span) -> MalformedDocument {
        let problem = MalformedDocument::new(self.kind, reason, span);
        self.problems.push(problem.clone());
        problem
    }

    fn wrong_type(&mut self, name: &str, expected: &'static str, node: &Node) -> MalformedDocument {
        self.problem(Malformed::WrongType(name.into(), expected), node.span)
    }

    /// The characters of an IAM document (`reference_iam-quotas`, STS and IAM parameters).
    fn characters(&mut self, text: &str) {
        if !self.kind.is_read_by_iam() {
            return;
        }
        let mut at = Position::START;
        for character in text.chars() {
            if !matches!(character, '\t' | '\n' | '\r' | ' '..='\u{ff}') {
                self.problem(Malformed::Character(character), Span { start: at, end: at });
                return;
            }
            at = match character {
                '\n' => Position { line: at.line + 1, column: 1 },
                _ => Position { column: at.column + 1, ..at },
            };
        }
    }

    fn empty_document(&self) -> Document {
        Document { kind: self.kind, version: None, id: None, statements: Vec::new(), doubt: None }
    }

    /// What stands for a text that is no policy: one statement that denies everything.
    fn document_in_doubt(&self, doubt: MalformedDocument) -> Document {
        let span = doubt.span;
        Document {
            statements: vec![statement_in_doubt(span, doubt.clone())],
            doubt: Some(doubt),
            ..self.empty_document()
        }
    }

    /// Notes the keys that stand twice.
    fn duplicates(&mut self, node: &Node) -> Option<MalformedDocument> {
        let Json::Object(members) = &node.value else { return None };
        let mut seen = HashSet::with_capacity(members.len());
        let repeated = members.iter().find(|member| !seen.insert(&*member.key))?;
        Some(self.problem(Malformed::DuplicateKey(repeated.key.clone()), repeated.key_span))
    }

    fn document(&mut self, node: &Node) -> Document {
        let Json::Object(members) = &node.value else {
            let doubt = self.problem(Malformed::NotJson("a policy is an object"), node.span);
            return self.document_in_doubt(doubt);
        };
        // Which of two is meant cannot be known, and one of them may deny.
        if let Some(doubt) = self.duplicates(node) {
            return self.document_in_doubt(doubt);
        }
        let mut document = self.empty_document();
        let mut doubt = None;
        let mut statements = None;
        for member in members {
            let found = match &*member.key {
                "Version" => self.version(&member.value).map(|version| document.version = Some(version)),
                "Id" => self.text("Id", &member.value).map(|id| document.id = Some(id)),
                "Statement" => {
                    statements = Some(&member.value);
                    Ok(())
                }
                other => Err(self.problem(Malformed::UnknownElement(other.into()), member.key_span)),
            };
            doubt = doubt.or(found.err());
        }
        match statements {
            Some(statements) => document.statements = self.statements(statements),
            // Without a statement there is nothing that could fail closed, so one is put in.
            None => {
                let missing = self.problem(Malformed::NoStatements, node.span);
                document.statements.push(statement_in_doubt(node.span, missing.clone()));
                doubt = doubt.or(Some(missing));
            }
        }
        document.doubt = doubt;
        document
    }

    fn version(&mut self, node: &Node) -> Result<Located<Version>, MalformedDocument> {
        let text = self.text("Version", node)?;
        match Version::from_date(&text.value) {
            Some(version) => Ok(Located::new(version, node.span)),
            None => Err(self.problem(Malformed::UnknownVersion(text.value), node.span)),
        }
    }

    fn text(&mut self, name: &str, node: &Node) -> Result<Located<Box<str>>, MalformedDocument> {
        match &node.value {
            Json::Text(text) => Ok(Located::new(text.clone(), node.span)),
            _ => Err(self.wrong_type(name, "a string", node)),
        }
    }

    fn statements(&mut self, node: &Node) -> Vec<Statement> {
        match &node.value {
            // Not taken by AWS, but there is no doubt about what it says: nothing.
            Json::List(list) if list.is_empty() => {
                self.problem(Malformed::NoStatements, node.span);
                Vec::new()
            }
            Json::List(list) => list.iter().map(|node| self.statement(node)).collect(),
            _ => vec![self.statement(node)],
        }
    }

    fn statement(&mut self, node: &Node) -> Statement {
        let Json::Object(members) = &node.value else {
            let doubt = self.wrong_type("Statement", "an object or a list of objects", node);
            return statement_in_doubt(node.span, doubt);
        };
        let mut statement = Statement {
            span: node.span,
            sid: None,
            effect: Located::new(Effect::Deny, node.span),
            principal: None,
            action: None,
            resource: None,
            conditions: Vec::new(),
            doubt: self.duplicates(node),
        };
        let mut has_effect = false;
        for member in members {
            has_effect |= &*member.key == "Effect";
            let found = self.element(&mut statement, &member.key, member.key_span, &member.value);
            statement.doubt = statement.doubt.take().or(found.err());
        }
        if !has_effect {
            let doubt = self.problem(Malformed::MissingEffect, node.span);
            statement.doubt = statement.doubt.or(Some(doubt));
        }
        if members.iter().filter(|member| &*member.key == "Effect").count() > 1 {
            statement.effect.value = Effect::Deny;
        }
        statement
    }

    fn element(
        &mut self,
        statement: &mut Statement,
        name: &str,
        name_span: Span,
        node: &Node,
    ) -> Result<(), MalformedDocument> {
        match name {
            "Sid" => statement.sid = Some(self.text("Sid", node)?),
            "Effect" => statement.effect = self.effect(node, &mut statement.doubt)?,
            "Action" | "NotAction" => {
                let clause = self.text_list(name, name_span, node, false)?;
                self.put(&mut statement.action, clause, "Action")?;
            }
            "Resource" | "NotResource" => {
                // IAM passes over a null among resources (recorded in moto's cases).
                let clause = self.text_list(name, name_span, node, true)?;
                self.put(&mut statement.resource, clause, "Resource")?;
            }
            "Principal" | "NotPrincipal" => {
                let clause = self.principals(name, name_span, node)?;
                self.put(&mut statement.principal, clause, "Principal")?;
            }
            "Condition" => statement.conditions = self.conditions(node)?,
            other => return Err(self.problem(Malformed::UnknownElement(other.into()), name_span)),
        }
        Ok(())
    }

    fn put<T>(
        &mut self,
        place: &mut Option<Clause<T>>,
        clause: Clause<T>,
        name: &'static str,
    ) -> Result<(), MalformedDocument> {
        if place.is_some() {
            // Which of the two is meant cannot be known: neither is kept.
            *place = None;
            return Err(self.problem(Malformed::Both(name), clause.span));
        }
        *place = Some(clause);
        Ok(())
    }

    /// An effect in the wrong case keeps its meaning and leaves the statement in doubt; any other text might be a denial.
    fn effect(
        &mut self,
        node: &Node,
        doubt: &mut Option<MalformedDocument>,
    ) -> Result<Located<Effect>, MalformedDocument> {
        let text = self.text("Effect", node)?.value;
        let (effect, reason) = match &*text {
            "Allow" => (Effect::Allow, None),
            "Deny" => (Effect::Deny, None),
            other if other.eq_ignore_ascii_case("allow") => {
                (Effect::Allow, Some(Malformed::EffectCase(text)))
            }
            other if other.eq_ignore_ascii_case("deny") => (Effect::Deny, Some(Malformed::EffectCase(text))),
            _ => return Err(self.problem(Malformed::UnknownEffect(text), node.span)),
        };
        if let Some(reason) = reason {
            let problem = self.problem(reason, node.span);
            doubt.get_or_insert(problem);
        }
        Ok(Located::new(effect, node.span))
    }

    fn text_list(
        &mut self,
        name: &str,
        span: Span,
        node: &Node,
        skip_null: bool,
    ) -> Result<Clause<Box<str>>, MalformedDocument> {
        let nodes = match &node.value {
            Json::List(list) => list.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let in_list = matches!(node.value, Json::List(_));
        let mut entries = Vec::with_capacity(nodes.len());
        for node in nodes {
            match &node.value {
                Json::Text(text) => entries.push(Located::new(text.clone(), node.span)),
                Json::Null if in_list && skip_null => (),
                _ => return Err(self.wrong_type(name, "a string or a list of strings", node)),
            }
        }
        Ok(Clause { inverted: name.starts_with("Not"), span, entries })
    }

    fn principals(
        &mut self,
        name: &str,
        span: Span,
        node: &Node,
    ) -> Result<Clause<PrincipalName>, MalformedDocument> {
        let mut clause = Clause { inverted: name.starts_with("Not"), span, entries: Vec::new() };
        match &node.value {
            Json::Text(text) => {
                if &**text != "*" {
                    // Not taken by AWS, but there is no doubt about whom it means.
                    self.problem(Malformed::InvalidPrincipal("*".into(), text.clone()), node.span);
                } else if self.kind == DocumentKind::Trust {
                    self.problem(Malformed::InvalidPrincipal("*".into(), "*".into()), node.span);
                }
                clause.entries.push(Located::new(principal("AWS", text), node.span));
            }
            Json::Object(members) => {
                if let Some(doubt) = self.duplicates(node) {
                    return Err(doubt);
                }
                for member in members {
                    let list = self.text_list(&member.key, member.key_span, &member.value, false)?;
                    let names = list.entries.into_iter();
                    clause
                        .entries
                        .extend(names.map(|e| Located::new(principal(&member.key, &e.value), e.span)));
                }
            }
            _ => return Err(self.wrong_type(name, "`*` or an object", node)),
        }
        Ok(clause)
    }

    fn conditions(&mut self, node: &Node) -> Result<Vec<Condition>, MalformedDocument> {
        let Json::Object(operators) = &node.value else {
            return Err(self.wrong_type("Condition", "an object", node));
        };
        let mut conditions = Vec::new();
        let mut doubt = self.duplicates(node);
        for operator in operators {
            let Json::Object(keys) = &operator.value.value else {
                doubt = doubt.or(Some(self.wrong_type(&operator.key, "an object", &operator.value)));
                continue;
            };
            doubt = doubt.or(self.duplicates(&operator.value));
            let parsed = Operator::parse(&operator.key);
            // IAM takes an operator that does not exist as long as it tests nothing.
            if parsed.is_none() && !keys.is_empty() {
                self.problem(Malformed::UnknownOperator(operator.key.clone()), operator.key_span);
            }
            for key in keys {
                match self.condition_values(&key.key, &key.value) {
                    Ok(values) => conditions.push(Condition {
                        operator: Located::new((operator.key.clone(), parsed), operator.key_span),
                        key: Located::new(key.key.clone(), key.key_span),
                        values,
                    }),
                    Err(wrong) => doubt = doubt.or(Some(wrong)),
                }
            }
        }
        doubt.map_or(Ok(conditions), Err)
    }

    fn condition_values(
        &mut self,
        key: &str,
        node: &Node,
    ) -> Result<Vec<Located<Box<str>>>, MalformedDocument> {
        let nodes = match &node.value {
            Json::List(list) => list.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            let text = match &node.value {
                Json::Text(text) | Json::Number(text) => text.clone(),
                Json::Bool(value) => value.to_string().into(),
                _ => {
                    return Err(self.wrong_type(key, "a string, number or boolean, or a list of them", node));
                }
            };
            values.push(Located::new(text, node.span));
        }
        Ok(values)
    }
}

fn principal(kind: &str, text: &str) -> PrincipalName {
    match kind {
        "AWS" if text == "*" => PrincipalName::Everyone,
        "AWS" => PrincipalName::Aws(text.into()),
        "Service" => PrincipalName::Service(text.into()),
        "Federated" => PrincipalName::Federated(text.into()),
        "CanonicalUser" => PrincipalName::CanonicalUser(text.into()),
        _ => PrincipalName::Unknown(kind.into(), text.into()),
    }
}

/// A statement of which nothing is understood: it denies, whatever is asked.
fn statement_in_doubt(span: Span, doubt: MalformedDocument) -> Statement {
    Statement {
        span,
        sid: None,
        effect: Located::new(Effect::Deny, span),
        principal: None,
        action: None,
        resource: None,
        conditions: Vec::new(),
        doubt: Some(doubt),
    }
}
