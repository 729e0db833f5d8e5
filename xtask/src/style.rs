//! The rules of style that neither rustfmt nor clippy knows: how long a file may be, and that a silenced check has a
//! reason.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// About what can be read in one sitting; tests below the code count with it.
const MAX_LINES: usize = 600;

/// Fails on files that are too long, but for those on the list, which only shrinks.
pub(crate) fn check(root: &Path) -> Result<()> {
    let list = fs::read_to_string(root.join("xtask/long-files.txt")).context("xtask/long-files.txt")?;
    let known: Vec<&str> =
        list.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    let mut files = vec![];
    for folder in ["crates", "xtask"] {
        collect(&root.join(folder), &mut files)?;
    }
    let mut wrong = vec![];
    let mut long = vec![];
    for file in &files {
        let name = file.strip_prefix(root)?.display().to_string();
        let lines = fs::read_to_string(file)?.lines().count();
        if lines > MAX_LINES {
            long.push(name.clone());
            if !known.contains(&name.as_str()) {
                wrong.push(format!(
                    "{name} has {lines} lines, and a file has at most {MAX_LINES}: split it by reason"
                ));
            }
        }
    }
    for name in known {
        if !long.iter().any(|l| l == name) {
            wrong.push(format!("{name} is on xtask/long-files.txt and is not long any more: take it off"));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!("{} files, {} of them long", files.len(), long.len());
    Ok(())
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if path.is_dir() {
            // Tables of test cases are as long as they are.
            if !matches!(name, "generated" | "target" | "tests") {
                collect(&path, into)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
    Ok(())
}
