//! Holds every crate to its place in the house: it uses what lies below it, never what lies beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The floors, from the ground up. (ARCHITECTURE.md draws them.)
const FLOORS: &[&[&str]] = &[
    &["daypass-model"],
    &[
        "daypass-policy",
        "daypass-wire",
        "daypass-federation",
        "daypass-store",
        "daypass-compute",
        "daypass-objects",
    ],
    &["daypass-core"],
    &[
        "daypass-imds",
        "daypass-iam",
        "daypass-sts",
        "daypass-organizations",
        "daypass-ec2",
        "daypass-s3",
        "daypass-kms",
        "daypass-cloudtrail",
        "daypass-ssm",
        "daypass-accessanalyzer",
    ],
    &["daypass"],
];

/// Edges of tests alone that may go another way; the list only shrinks.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Fails on any edge that does not go down.
pub(crate) fn check(root: &Path) -> Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .output()
        .context("`cargo metadata` could not be run")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata` answers JSON")?;
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(height, crates)| crates.iter().map(move |c| (*c, height)))
        .collect();
    let (mut edges, mut wrong) = (0, vec![]);
    for package in metadata.get("packages").and_then(Value::as_array).into_iter().flatten() {
        let name = package.get("name").and_then(Value::as_str).unwrap_or("");
        if name == "xtask" {
            continue;
        }
        let Some(height) = floor.get(name) else {
            wrong.push(format!(
                "`{name}` has no place in the house: add it to xtask/src/deps.rs and ARCHITECTURE.md"
            ));
            continue;
        };
        for dependency in package.get("dependencies").and_then(Value::as_array).into_iter().flatten() {
            let to = dependency.get("name").and_then(Value::as_str).unwrap_or("");
            let Some(below) = floor.get(to) else { continue };
            let test_only = dependency.get("kind").and_then(Value::as_str) == Some("dev");
            edges += 1;
            if below >= height && !(test_only && EXCEPTIONS.contains(&(name, to))) {
                wrong.push(format!("`{name}` uses `{to}`, which does not lie below it"));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!("{edges} edges, all of them down");
    Ok(())
}
