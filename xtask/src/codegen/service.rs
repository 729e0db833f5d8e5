//! One service's model, its list of implemented operations and what we know better than the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::names::shout;

/// A shape or a reference to one: the model's own words.
pub(crate) type Object = Map<String, Value>;

/// Where the model is wrong or silent: `models/quirks.json`, reviewed like code, each entry with its source.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quirks {
    /// Operation to IAM action, where it is not `service:Operation`.
    #[serde(default)]
    pub(crate) actions: BTreeMap<String, String>,
    /// Errors that the model does not name: code to status and source.
    #[serde(default)]
    pub(crate) errors: BTreeMap<String, SourcedStatus>,
    /// Operation to the status of its success, where it is not the model's.
    #[serde(default)]
    pub(crate) statuses: BTreeMap<String, SourcedStatus>,
    /// Structure to the root element of its XML document.
    #[serde(default)]
    pub(crate) xml_names: BTreeMap<String, String>,
    /// `Shape` of a text to the constraint that AWS does not enforce as written (`pattern`, `enum`, `length`).
    #[serde(default)]
    pub(crate) unchecked: BTreeMap<String, Unchecked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourcedStatus {
    pub(crate) status: u16,
    /// Where it is documented or was recorded.
    #[serde(rename = "source")]
    pub(crate) _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unchecked {
    pub(crate) constraint: String,
    #[serde(rename = "source")]
    pub(crate) _source: String,
}

/// What AWS documents and its model does not have: `models/<service>.additions.json`, in the model's own form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Additions {
    operations: Object,
    shapes: Object,
    /// Where it is documented.
    #[serde(rename = "source")]
    _source: String,
}

fn additions(folder: &Path, name: &str) -> Result<Option<Additions>> {
    let file = format!("{name}.additions.json");
    match fs::read_to_string(folder.join(&file)) {
        Ok(text) => serde_json::from_str(&text).map(Some).with_context(|| format!("models/{file}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("models/{file}")),
    }
}

pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) metadata: Object,
    pub(crate) operations: BTreeMap<String, Object>,
    pub(crate) shapes: BTreeMap<String, Object>,
    pub(crate) quirks: Quirks,
    /// The operations whose structs are generated: `models/<service>.ops`.
    pub(crate) implemented: BTreeSet<String>,
    /// Each shape as the name of a static; `IpAddress` and `IPAddress` are two.
    statics: BTreeMap<String, String>,
}

impl Model {
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self> {
        let text = fs::read_to_string(folder.join(format!("{name}.json")))?;
        let mut model: Object = serde_json::from_str(&text).with_context(|| format!("models/{name}.json"))?;
        let mut part = |key: &str| match model.remove(key) {
            Some(Value::Object(o)) => Ok(o),
            _ => bail!("models/{name}.json has no `{key}`"),
        };
        let objects = |o: Object| -> Result<BTreeMap<String, Object>> {
            o.into_iter()
                .map(|(k, v)| if let Value::Object(o) = v { Ok((k, o)) } else { bail!("`{k}` is no object") })
                .collect()
        };
        let (metadata, mut operations, mut shapes) =
            (part("metadata")?, part("operations")?, part("shapes")?);
        if let Some(mut additions) = additions(folder, name)? {
            operations.append(&mut additions.operations);
            shapes.append(&mut additions.shapes);
        }
        let quirks = fs::read_to_string(folder.join("quirks.json"))?;
        let mut quirks: BTreeMap<String, Quirks> =
            serde_json::from_str(&quirks).context("models/quirks.json")?;
        let ops = fs::read_to_string(folder.join(format!("{name}.ops"))).unwrap_or_default();
        let lines = ops.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let shapes = objects(shapes)?;
        let model = Self {
            name: name.to_owned(),
            metadata,
            operations: objects(operations)?,
            statics: statics(shapes.keys()),
            shapes,
            quirks: quirks.remove(name).unwrap_or_default(),
            implemented: lines.map(str::to_owned).collect(),
        };
        if let Some(unknown) = model.implemented.iter().find(|o| !model.operations.contains_key(*o)) {
            bail!("models/{name}.ops names `{unknown}`, which the model does not have");
        }
        Ok(model)
    }

    pub(crate) fn protocol(&self) -> &str {
        text(&self.metadata, "protocol")
    }

    pub(crate) fn shape(&self, name: &str) -> Result<&Object> {
        self.shapes.get(name).with_context(|| format!("{}: no shape `{name}`", self.name))
    }

    /// The shape's name as the name of a static.
    pub(crate) fn ident(&self, shape: &str) -> &str {
        self.statics.get(shape).map_or("", String::as_str)
    }

    /// A list or map directly under its parent: the list says so, or the reference to it does.
    pub(crate) fn flattened(&self, reference: &Object, shape: &Object) -> bool {
        flag(shape, "flattened") || flag(reference, "flattened") || self.protocol() == "ec2"
    }

    /// The members of a structure: name, reference, shape.
    pub(crate) fn members<'a>(&'a self, shape: &'a Object) -> Result<Vec<(&'a str, &'a Object, &'a Object)>> {
        let Some(Value::Object(members)) = shape.get("members") else { return Ok(vec![]) };
        members
            .iter()
            .map(|(name, reference)| {
                let reference = reference.as_object().context("a member is an object")?;
                Ok((name.as_str(), reference, self.shape(text(reference, "shape"))?))
            })
            .collect()
    }

    /// The shapes that can be reached from the roots.
    pub(crate) fn reach<'a>(&'a self, roots: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<&'a str>> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = roots.into_iter().collect();
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            let shape = self.shape(name)?;
            for (_, reference, _) in self.members(shape)? {
                open.push(text(reference, "shape"));
            }
            for key in ["member", "key", "value"] {
                if let Some(Value::Object(reference)) = shape.get(key) {
                    open.push(text(reference, "shape"));
                }
            }
        }
        Ok(seen)
    }

    /// The input's or output's shape of an operation.
    pub(crate) fn side<'a>(&self, operation: &'a Object, side: &str) -> Option<&'a str> {
        operation.get(side)?.get("shape")?.as_str()
    }
}

/// A text of an object, or the empty one.
pub(crate) fn text<'a>(object: &'a Object, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or("")
}

/// A flag of an object, `false` if it is not there.
pub(crate) fn flag(object: &Object, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn statics<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let mut taken = BTreeSet::new();
    let mut out = BTreeMap::new();
    for name in names {
        let mut ident = shout(name);
        while !taken.insert(ident.clone()) {
            ident.push('2');
        }
        out.insert(name.clone(), ident);
    }
    out
}
