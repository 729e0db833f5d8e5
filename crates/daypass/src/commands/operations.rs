//! `daypass operations`: what is built and what is not, from the tables that the gate itself works by.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use daypass_core::model::{Operation, Service, services};
use serde_json::json;

use crate::cli::{ListFormat, Operations};

pub(crate) fn run(arguments: &Operations) -> Result<()> {
    let known: Vec<&'static Service> = services().to_vec();
    if let Some(name) = &arguments.service
        && !known.iter().any(|s| s.name == name)
    {
        let names: Vec<&str> = known.iter().map(|s| s.name).collect();
        bail!("there is no service `{name}`; there are {}", names.join(", "));
    }
    let asked = |s: &&'static Service| arguments.service.as_ref().is_none_or(|name| s.name == name);
    let lists: Vec<List> = known.into_iter().filter(asked).map(List::of).collect();
    crate::say(
        match arguments.output {
            ListFormat::Text => text(&lists),
            ListFormat::Json => machine(&lists),
            ListFormat::Markdown => page(&lists),
        }
        .trim_end(),
    );
    Ok(())
}

/// The operations of a service.
struct List {
    service: &'static Service,
    built: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl List {
    fn of(service: &'static Service) -> Self {
        let implemented: BTreeSet<(&str, &str)> = crate::server::operations()
            .map(|entry| (entry.operation().service.name, entry.operation().name))
            .collect();
        let is_built = |o: &&Operation| implemented.contains(&(service.name, o.name));
        let (built, missing): (Vec<_>, Vec<_>) = service.operations.iter().copied().partition(is_built);
        let names = |list: Vec<&'static Operation>| list.into_iter().map(|o| o.name).collect();
        Self { service, built: names(built), missing: names(missing) }
    }
}

fn text(lists: &[List]) -> String {
    let mut out = String::new();
    for list in lists {
        for (names, word) in [(&list.built, "built"), (&list.missing, "not built")] {
            for name in names {
                let _ = writeln!(out, "{:<22} {name:<50} {word}", list.service.name);
            }
        }
    }
    out
}

fn machine(lists: &[List]) -> String {
    let all: Vec<_> = lists
        .iter()
        .map(|l| json!({ "service": l.service.name, "built": l.built, "notBuilt": l.missing }))
        .collect();
    format!("{:#}", serde_json::Value::from(all))
}

/// The page in `docs/`.
fn page(lists: &[List]) -> String {
    let mut out = String::from(
        "# Operations\n\nWritten by `daypass operations --output markdown`; CI fails where it is out of date, and where fewer are built \
         than before.\nAn operation that is not built is authenticated, authorised and audited like any other, and then \
         answers with an error that names it.\n\n| service | built | of |\n|---|---|---|\n",
    );
    for List { service, built, missing } in lists {
        let _ = writeln!(out, "| {} | {} | {} |", service.name, built.len(), built.len() + missing.len());
    }
    for List { service, built, missing } in lists {
        let _ = writeln!(out, "\n## {}", service.name);
        let _ = writeln!(
            out,
            "\n**Built:** {}.",
            if built.is_empty() { "none".to_owned() } else { built.join(", ") }
        );
        if !missing.is_empty() {
            let _ = writeln!(out, "\n**Not built:** {}.", missing.join(", "));
        }
    }
    out
}
