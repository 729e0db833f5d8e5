//! A look at a directory that no program has open: everything is read, nothing is changed.

use super::check::{self, Checked, Problem, ProblemKind, Sight};
use super::disk::RealDisk;
use super::index::View;
use super::index::sqlite::Sqlite;
use super::index::{view, wal};
use super::open::{LOG, all_segments, check_format, lock_file};
use super::reading::snapshot;
use super::record::StoreRecord;
use super::segment::Segments;
use super::status::Status;
use crate::{Error, Keyring, Result};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

/// How far an inspection has come, in bytes of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Read and checked.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// Goes through a store that nobody has open: the index's own structure, every row, whether rows agree, and, if `deep`, every
/// byte of every object. Nothing is changed, so that a damaged store can be looked at safely.
///
/// # Errors
/// [`Error::InUse`], [`Error::UnknownFormat`], and an index that cannot be opened at all.
pub fn inspect(
    directory: &Path,
    keyring: &dyn Keyring,
    deep: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked> {
    let lock = OpenOptions::new().read(true).open(directory.join("lock"));
    if let Ok(lock) = &lock {
        lock_file(lock, directory)?;
    }
    check_format(&directory.join("format"), false)?;
    wal::check(&RealDisk, &directory.join(LOG))?;
    let mut reader = Sqlite::existing(&directory.join("index.sqlite"))?;
    let structure = reader.integrity()?;
    snapshot(&mut reader, |view| {
        let mut checked = books(directory, view, keyring, deep, progress)?;
        let damaged = structure.into_iter().map(|what| Problem {
            kind: ProblemKind::Index,
            what: format!("index: {what}"),
            affected: Vec::new(),
        });
        checked.problems.splice(0..0, damaged);
        Ok(checked)
    })
}

fn books(
    directory: &Path,
    view: &dyn View,
    keyring: &dyn Keyring,
    deep: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Checked> {
    let store: Option<StoreRecord> = view::load(view, super::open::STORE)?;
    let store = store.ok_or_else(|| Error::Corrupt("the index does not say which store it is of".into()))?;
    let inside = directory.join("segments");
    let segments =
        Segments::new(inside.clone(), Arc::new(RealDisk), store.id, Arc::new(Status::default()), 0);
    let known = all_segments(view).unwrap_or_default();
    let mut so_far = Progress { done: 0, of: known.iter().map(|(_, record)| record.live).sum() };
    let mut sight = Sight {
        segments: &segments,
        keyring,
        progress: &mut |bytes| {
            so_far.done += bytes;
            progress(so_far);
        },
    };
    let mut checked = check::check(view, &mut sight, deep)?;
    let names = known.iter().map(|(number, _)| Segments::name(*number)).collect();
    checked.problems.extend(leftovers(&inside, &names)?);
    Ok(checked)
}

/// Files that are not in the books. A crash leaves none: the row of a segment comes before its file and goes after it.
fn leftovers(inside: &Path, known: &BTreeSet<String>) -> Result<Vec<Problem>> {
    let unreadable = |error: std::io::Error| Error::Io(format!("`{}`: {error}", inside.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(inside).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        if !known.contains(&name) {
            let what = format!("`segments/{name}` is not in the books");
            found.push(Problem { kind: ProblemKind::Leftover, what, affected: Vec::new() });
        }
    }
    Ok(found)
}
