//! AWS's own managed policies: from the collection that moto keeps (Apache-2.0) to one JSON object a line.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

pub(crate) fn refresh(root: &Path, source: &Path, version: &str) -> Result<()> {
    let text = fs::read_to_string(source)?;
    let (_, rest) = text.split_once("\"\"\"").context("no text in triple quotes")?;
    let (inner, _) = rest.rsplit_once("\"\"\"").context("the quotes do not end")?;
    let policies: Map<String, Value> = serde_json::from_str(inner)?;
    let mut names: Vec<&String> = policies.keys().collect();
    names.sort();
    let mut out = String::new();
    for name in names {
        let policy = policies.get(name).context("a policy")?;
        let field = |key: &str| {
            policy.get(key).and_then(Value::as_str).with_context(|| format!("{name} has no {key}"))
        };
        let document = ordered(policy.get("Document").context("no document")?);
        let line = json!({
            "name": name,
            "path": field("Path")?,
            "version": field("DefaultVersionId")?,
            "created": field("CreateDate")?.replace("+00:00", "Z"),
            "updated": field("UpdateDate")?.replace("+00:00", "Z"),
            "document": serde_json::to_string(&document)?,
        });
        writeln!(out, "{line}")?;
    }
    fs::write(root.join("crates/core/data/aws-managed-policies.jsonl"), out)?;
    fs::write(
        root.join("crates/core/data/README.md"),
        format!(
            "`aws-managed-policies.jsonl`: AWS's own managed policies with their documents, one JSON object a line, sorted \
             by name.\nTaken from moto {version} (https://github.com/getmoto/moto, Apache-2.0), `moto/iam/aws_managed_policies.py`,\n\
             with `cargo xtask managed-policies PATH --version X`.\n"
        ),
    )?;
    println!("{} policies of moto {version}", policies.len());
    Ok(())
}

/// The elements in the order in which AWS's documents have them; the collection sorts them.
fn ordered(value: &Value) -> Value {
    const ORDER: &[&str] = &[
        "Version",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    match value {
        Value::Object(object) => {
            let known = ORDER.iter().filter_map(|key| Some(((*key).to_owned(), object.get(*key)?)));
            let others =
                object.iter().filter(|(key, _)| !ORDER.contains(&key.as_str())).map(|(k, v)| (k.clone(), v));
            Value::Object(known.chain(others).map(|(key, value)| (key, ordered(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(ordered).collect()),
        scalar => scalar.clone(),
    }
}
