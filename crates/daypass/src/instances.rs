//! What runs instances: the driver, its privileged child, and the doors that it opens.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use daypass_compute::namespaces::{Configuration, Host};
use daypass_compute::{Driver, Event, namespaces};
use tokio::sync::mpsc::UnboundedSender;

/// Where the driver keeps what it keeps, and what no instance may see.
fn configuration(data: &Path) -> Configuration {
    Configuration {
        directory: data.join("instances"),
        hidden: vec![data.to_owned()],
        images: vec![data.join("images")],
    }
}

/// This program, as the driver's child.
fn child() -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("instance-host");
    Ok(command)
}

/// Starts the driver, or says why there can be no instances here.
pub(crate) fn driver(data: &Path, events: UnboundedSender<Event>) -> Result<Arc<dyn Driver>, String> {
    let command = child().map_err(|e| format!("this program cannot be found: {e}"))?;
    let missing = missing(data).map_err(|e| format!("{e:#}"))?;
    if !missing.is_empty() {
        return Err(format!("{}; `daypass up --check` says more", missing.join("; ")));
    }
    let host = Host::spawn(command, configuration(data), move |event| {
        // Nobody listens once the server stops.
        let _ = events.send(event);
    });
    host.map(|host| Arc::new(host) as Arc<dyn Driver>).map_err(|e| e.to_string())
}

/// What instances cannot do without and is not here.
fn missing(data: &Path) -> Result<Vec<String>> {
    let findings = namespaces::check(child()?, &configuration(data))?;
    Ok(findings.into_iter().filter(|f| f.required).filter_map(|f| f.remedy).collect())
}

/// `daypass up --check`: what instances need, and what of it is missing here.
pub(crate) fn check(data: &Path) -> Result<ExitCode> {
    // The check tries things out, for which it needs a place; what it made goes again.
    let made = make(data)?;
    let findings = namespaces::check(child()?, &configuration(data));
    for folder in made.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
    let findings = findings.context("the check could not be made")?;
    for finding in &findings {
        let word = match (&finding.remedy, finding.required) {
            (None, _) => "ok     ",
            (Some(_), true) => "missing",
            (Some(_), false) => "limited",
        };
        crate::say(&format!("{word}  {}", finding.need));
        if let Some(remedy) = &finding.remedy {
            crate::say(&format!("         {remedy}"));
        }
    }
    let missing = findings.iter().any(|f| f.required && f.remedy.is_some());
    crate::say(if missing { "instances cannot run here" } else { "instances can run here" });
    Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Makes the folders that are not there; those that it made.
fn make(data: &Path) -> Result<Vec<PathBuf>> {
    let mut made: Vec<PathBuf> = data.ancestors().take_while(|p| !p.exists()).map(Path::to_owned).collect();
    made.reverse();
    for folder in &made {
        let built = fs::DirBuilder::new().mode(0o700).create(folder);
        built.with_context(|| format!("`{}` cannot be made", folder.display()))?;
    }
    Ok(made)
}
