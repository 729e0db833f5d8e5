//! Typed structs and enumerations of the operations that are implemented, and the markers that tie them together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::HEADER;
use super::names::{camel, literal, shout, snake};
use super::service::{Model, Object, flag, text};

/// An enumeration with more values than this stays a text.
const LARGEST_ENUM: usize = 60;

pub(crate) fn render(model: &Model) -> Result<String> {
    let typed = Typed::new(model)?;
    let mut out = String::from(HEADER);
    writeln!(
        out,
        "//! `{}`: its table, its errors, and the types of its implemented operations.\n",
        model.name
    )?;
    writeln!(out, "pub use super::{}_tables::SERVICE;\n", snake(&model.name))?;
    errors(model, &mut out)?;
    if model.implemented.is_empty() {
        return Ok(out);
    }
    for name in &typed.all {
        let shape = model.shape(name)?;
        match text(shape, "type") {
            "structure" => typed.structure(&mut out, name, shape)?,
            "string" if typed.is_enumeration(name, shape) => enumeration(&mut out, name, shape)?,
            _ => {}
        }
    }
    typed.operations(&mut out)?;
    Ok(out)
}

fn errors(model: &Model, out: &mut String) -> Result<()> {
    let mut codes = BTreeSet::new();
    for operation in model.operations.values() {
        for error in operation.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let name = error.get("shape").and_then(Value::as_str).unwrap_or("");
            let code = model.shape(name)?.get("error").and_then(|e| e.get("code")).and_then(Value::as_str);
            codes.insert(code.filter(|_| model.protocol() == "query").unwrap_or(name).to_owned());
        }
    }
    codes.extend(model.quirks.errors.keys().cloned());
    writeln!(out, "/// The errors of this service, by their codes.\npub mod errors {{")?;
    for code in codes {
        let name = shout(&code);
        writeln!(out, "    pub use super::super::{}_tables::E_{name} as {name};", snake(&model.name))?;
    }
    writeln!(out, "}}\n")?;
    Ok(())
}

struct Typed<'a> {
    model: &'a Model,
    /// Everything that an implemented operation takes or answers.
    all: BTreeSet<&'a str>,
    /// What is in an answer: there, an empty list and no list are two things.
    answered: BTreeSet<&'a str>,
    /// Structures that hold themselves without a list or a map between.
    recursive: BTreeSet<&'a str>,
}

impl<'a> Typed<'a> {
    fn new(model: &'a Model) -> Result<Self> {
        let chosen = || model.operations.iter().filter(|(name, _)| model.implemented.contains(*name));
        let inputs = chosen().filter_map(|(_, o)| model.side(o, "input"));
        let outputs = chosen().filter_map(|(_, o)| model.side(o, "output"));
        let answered = model.reach(outputs)?;
        let mut all = model.reach(inputs)?;
        all.extend(&answered);
        let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in &all {
            let members = model.members(model.shape(name)?)?;
            let structures = members.iter().filter(|(_, _, s)| text(s, "type") == "structure");
            edges.insert(name, structures.map(|(_, r, _)| text(r, "shape")).collect());
        }
        let recursive = all.iter().copied().filter(|name| reaches_itself(&edges, name)).collect();
        Ok(Self { model, all, answered, recursive })
    }

    fn is_enumeration(&self, name: &str, shape: &Object) -> bool {
        if self.model.quirks.unchecked.get(name).is_some_and(|u| u.constraint == "enum") {
            return false;
        }
        let values = shape.get("enum").and_then(Value::as_array);
        values.is_some_and(|v| !v.is_empty() && v.len() <= LARGEST_ENUM)
    }

    fn ty(&self, name: &str) -> Result<String> {
        let shape = self.model.shape(name)?;
        let inner = |key: &str| {
            let reference = shape.get(key).and_then(Value::as_object);
            self.ty(reference.map_or("", |r| text(r, "shape")))
        };
        Ok(match text(shape, "type") {
            "structure" if self.recursive.contains(name) => format!("Box<{}>", camel(name)),
            "structure" => camel(name),
            "list" => format!("Vec<{}>", inner("member")?),
            "map" => format!("std::collections::BTreeMap<String, {}>", inner("value")?),
            "string" if self.is_enumeration(name, shape) => camel(name),
            "string" => "String".to_owned(),
            "integer" => "i32".to_owned(),
            "long" => "i64".to_owned(),
            "boolean" => "bool".to_owned(),
            "timestamp" => "crate::Timestamp".to_owned(),
            "blob" => "crate::Blob".to_owned(),
            _ => "f64".to_owned(),
        })
    }

    fn structure(&self, out: &mut String, name: &str, shape: &Object) -> Result<()> {
        let required: BTreeSet<&str> = shape
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let ty = camel(name);
        let mut fields = vec![];
        let mut taken = BTreeSet::new();
        for (index, (member, reference, target)) in self.model.members(shape)?.into_iter().enumerate() {
            if flag(reference, "streaming") || flag(target, "streaming") || flag(target, "eventstream") {
                continue;
            }
            let mut field = snake(member);
            while !taken.insert(field.clone()) {
                field.push('_');
            }
            let mut field_ty = self.ty(text(reference, "shape"))?;
            let plural = matches!(text(target, "type"), "list" | "map");
            if !required.contains(member) && (!plural || self.answered.contains(name)) {
                field_ty = format!("Option<{field_ty}>");
            }
            fields.push((index, member, field, field_ty));
        }
        writeln!(out, "/// `{name}`.\n#[derive(Clone, Default, PartialEq)]\npub struct {ty} {{")?;
        for (_, member, field, field_ty) in &fields {
            writeln!(out, "    /// `{member}`.\n    pub {field}: {field_ty},")?;
        }
        writeln!(out, "}}")?;
        let takes: Vec<String> =
            fields.iter().map(|(i, _, f, _)| format!("{f}: fields.take({i})?")).collect();
        let binding = if fields.is_empty() { "_" } else { "mut fields" };
        writeln!(
            out,
            "impl crate::FromValue for {ty} {{ fn from_value(value: crate::Value) -> Option<Self> {{ let crate::Value::Structure({binding}) = value else {{ return None }}; Some(Self {{ {} }}) }} }}",
            takes.join(", ")
        )?;
        let puts: Vec<String> =
            fields.iter().map(|(i, _, f, _)| format!("fields.put({i}, self.{f});")).collect();
        let (binding, body) =
            if fields.is_empty() { ("fields", String::new()) } else { ("mut fields", puts.join(" ")) };
        writeln!(
            out,
            "impl crate::IntoValue for {ty} {{ fn into_value(self) -> crate::Value {{ let {binding} = crate::Fields::default(); {body} crate::Value::Structure(fields) }} }}"
        )?;
        Ok(())
    }

    fn operations(&self, out: &mut String) -> Result<()> {
        writeln!(out, "/// The implemented operations, as types.\npub mod ops {{")?;
        for (name, operation) in &self.model.operations {
            if !self.model.implemented.contains(name) {
                continue;
            }
            let side = |side| {
                self.model.side(operation, side).map_or("()".to_owned(), |s| format!("super::{}", camel(s)))
            };
            let ty = camel(name);
            writeln!(out, "    /// `{name}`.\n    pub enum {ty} {{}}")?;
            writeln!(
                out,
                "    impl crate::TypedOperation for {ty} {{ type Input = {}; type Output = {}; fn row() -> &'static crate::Operation {{ &super::super::{}_tables::{} }} }}",
                side("input"),
                side("output"),
                snake(&self.model.name),
                format_args!("O_{}", shout(name)),
            )?;
        }
        writeln!(out, "}}")?;
        Ok(())
    }
}

fn reaches_itself(edges: &BTreeMap<&str, Vec<&str>>, name: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = edges.get(name).cloned().unwrap_or_default();
    while let Some(next) = open.pop() {
        if next == name {
            return true;
        }
        if seen.insert(next) {
            open.extend(edges.get(next).into_iter().flatten());
        }
    }
    false
}

fn enumeration(out: &mut String, name: &str, shape: &Object) -> Result<()> {
    let ty = camel(name);
    let mut taken = BTreeSet::new();
    let mut variants = vec![];
    for value in shape.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let mut variant = camel(value);
        while !taken.insert(variant.clone()) {
            variant.push('_');
        }
        variants.push((variant, value));
    }
    writeln!(
        out,
        "/// `{name}`.\n#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum {ty} {{"
    )?;
    for (i, (variant, value)) in variants.iter().enumerate() {
        writeln!(out, "    /// `{value}`.\n    {}{variant},", if i == 0 { "#[default] " } else { "" })?;
    }
    writeln!(out, "}}")?;
    let pairs: Vec<String> = variants.iter().map(|(v, t)| format!("({}, Self::{v})", literal(t))).collect();
    let arms: Vec<String> = variants.iter().map(|(v, t)| format!("Self::{v} => {}", literal(t))).collect();
    writeln!(
        out,
        "impl crate::Enumeration for {ty} {{ const VALUES: &'static [(&'static str, Self)] = &[{}]; fn as_str(self) -> &'static str {{ match self {{ {} }} }} }}",
        pairs.join(", "),
        arms.join(", ")
    )?;
    writeln!(
        out,
        "impl crate::FromValue for {ty} {{ fn from_value(value: crate::Value) -> Option<Self> {{ <Self as crate::Enumeration>::parse(value.as_str()?) }} }}"
    )?;
    writeln!(
        out,
        "impl crate::IntoValue for {ty} {{ fn into_value(self) -> crate::Value {{ crate::Value::String(crate::Enumeration::as_str(self).to_owned()) }} }}"
    )?;
    Ok(())
}
