//! Takes the service models out of botocore: the shapes without their documentation, one shape a line, so that a
//! change of AWS's API reads as a diff.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The services that Daypass speaks, by botocore's names.
pub(crate) const SERVICES: [&str; 10] = [
    "accessanalyzer",
    "cloudtrail",
    "ec2",
    "ec2-instance-connect",
    "iam",
    "kms",
    "organizations",
    "s3",
    "ssm",
    "sts",
];

pub(crate) fn refresh(root: &Path, data: &Path, version: &str) -> Result<()> {
    for service in SERVICES {
        let folder = data.join(service);
        let mut versions: Vec<_> = fs::read_dir(&folder)
            .with_context(|| format!("no `{}`: is this botocore's data folder?", folder.display()))?
            .filter_map(|e| Some(e.ok()?.path()))
            .collect();
        versions.sort();
        let newest = versions.last().with_context(|| format!("{service} has no versions"))?;
        let mut text = String::new();
        let packed = fs::File::open(newest.join("service-2.json.gz"))?;
        flate2::read::GzDecoder::new(packed).read_to_string(&mut text)?;
        let mut model: Value = serde_json::from_str(&text)?;
        strip(&mut model);
        fs::write(root.join("models").join(format!("{service}.json")), lines(&model)?)?;
    }
    fs::write(root.join("models/VERSION"), format!("botocore {version}\n"))?;
    println!("models of botocore {version}; now run `cargo xtask codegen`");
    Ok(())
}

/// Leaves out the documentation (a member may well be *called* documentation: only texts go).
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, v| !(key == "documentation" && v.is_string()));
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// JSON with one operation or shape a line.
fn lines(model: &Value) -> Result<String> {
    let model = model.as_object().context("a model is an object")?;
    let mut out = String::from("{\n");
    for (i, (key, value)) in model.iter().enumerate() {
        if i > 0 {
            out.push_str(",\n");
        }
        write!(out, "{}:", serde_json::to_string(key)?)?;
        match value {
            Value::Object(inner) if matches!(key.as_str(), "operations" | "shapes") => {
                out.push_str("{\n");
                for (j, (name, shape)) in inner.iter().enumerate() {
                    let comma = if j + 1 == inner.len() { "" } else { "," };
                    writeln!(
                        out,
                        "{}:{}{comma}",
                        serde_json::to_string(name)?,
                        serde_json::to_string(shape)?
                    )?;
                }
                out.push('}');
            }
            _ => out.push_str(&serde_json::to_string(value)?),
        }
    }
    out.push_str("\n}\n");
    Ok(out)
}
