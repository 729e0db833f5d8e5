//! Documents in files.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use daypass_core::policy::{Document, DocumentKind};

/// No policy comes near.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Whether a path stands for the standard input.
pub(super) fn is_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// A path as it is shown: what a file is called moves no cursor.
fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a file is called in messages, and what is in it.
pub(super) fn read(path: &Path) -> Result<(String, String)> {
    let from_input = is_input(path);
    let name = if from_input { "standard input".to_owned() } else { shown(path) };
    let mut text = String::new();
    let read = if from_input {
        std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_string(&mut text)
    } else {
        let opened = std::fs::File::open(path).with_context(|| format!("`{name}`"))?;
        opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)
    };
    read.with_context(|| format!("`{name}`"))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        bail!("`{name}` is larger than any policy");
    }
    Ok((name, text))
}

/// A document that AWS would store. One that it would not cannot be what is meant.
pub(super) fn parse(kind: DocumentKind, name: &str, text: &str) -> Result<Document> {
    Document::parse(kind, text).map_err(|error| anyhow::anyhow!("{name}:{error}"))
}
