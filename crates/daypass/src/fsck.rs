//! What is wrong with a data directory, in words that say what to do about it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use daypass_core::objects::local::{self, Affected, Problem, ProblemKind};
use daypass_core::objects::{Keyring, NoKeys};
use daypass_core::store::records::{Account, KeyRing as StoredRing};
use daypass_core::store::{self, Key};
use daypass_core::{KeyRing, ObjectKeys, RootKey};
use serde::Serialize;

use crate::data::{self, Settings};
use crate::system::SystemEntropy;

/// What was found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) sound: bool,
    pub(crate) findings: Vec<Finding>,
    pub(crate) looked_at: LookedAt,
}

/// What was looked at.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LookedAt {
    pub(crate) records: u64,
    pub(crate) audit_records: u64,
    pub(crate) versions: u64,
    pub(crate) stored_blobs: u64,
    pub(crate) object_bytes: u64,
}

/// One thing that is wrong.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// Of what kind it is.
    pub(crate) kind: Kind,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: &'static str,
    /// The versions of objects that cannot be read because of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<Object>,
}

/// A version of an object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Object {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: String,
}

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A file that everything needs is missing or unreadable.
    Directory,
    /// The root key does not open what is here.
    RootKey,
    /// Records of the services, or the audit log.
    State,
    /// Commits to the state that cannot be read.
    Log,
    /// The index of objects.
    Index,
    /// Rows of the index that do not agree.
    Books,
    /// Bytes of objects.
    Bytes,
    /// A file that nothing needs.
    Leftover,
}

impl Kind {
    fn advice(self) -> &'static str {
        match self {
            Self::Directory => "restore the file from a backup",
            Self::RootKey => {
                "put the copy of `root.key` back that was kept when the server was made; nothing else opens what it sealed"
            }
            Self::State => {
                "restore a backup (`daypass restore`); the objects of this directory can be copied out while the server still starts"
            }
            Self::Log => {
                "copy the directory as it is before a server starts on it: the server goes on with what is before the break, and overwrites what is behind. Look after the disk and restore a backup (`daypass restore`)"
            }
            Self::Index => {
                "restore a backup (`daypass restore`), or copy out what still reads; what does not read is answered with an error, never with other bytes"
            }
            Self::Books => {
                "copy out what still reads and restore a backup; if no disk failed, this is a defect of Daypass: please report it with this line"
            }
            Self::Bytes => {
                "the disk lost or changed these bytes: put the objects again or delete them, and look after the disk; all other objects are not touched by it"
            }
            Self::Leftover => "nothing is lost: the file can be deleted while no server runs",
        }
    }
}

/// Looks at everything; with `deep`, at every byte of every object. Changes nothing.
pub(crate) fn look(directory: &Path, deep: bool, tell: &mut dyn FnMut(local::Progress)) -> Result<Report> {
    let mut report = Report { sound: true, findings: vec![], looked_at: LookedAt::default() };
    let mut state = StateSeen::default();
    look_at_state(directory, &mut state, &mut report)?;
    look_at_settings(directory, &state, &mut report);
    let ring = look_at_key(directory, state.ring, &mut report);
    let keys: Box<dyn Keyring> = match &ring {
        Some(ring) => Box::new(ObjectKeys::of(ring)),
        None => Box::new(NoKeys),
    };
    match local::inspect(&directory.join("objects"), &*keys, deep, tell) {
        Ok(checked) => {
            report.looked_at.versions = checked.versions;
            report.looked_at.stored_blobs = checked.blobs;
            report.looked_at.object_bytes = checked.bytes;
            checked.problems.into_iter().for_each(|problem| report.add_problem(problem, &state.buckets));
        }
        Err(error) => report.add(Kind::Index, format!("objects: {error}")),
    }
    report.sound = report.findings.is_empty();
    Ok(report)
}

impl Report {
    fn add(&mut self, kind: Kind, what: String) {
        self.findings.push(Finding { kind, what, advice: kind.advice(), objects: vec![] });
    }

    fn add_problem(&mut self, problem: Problem, buckets: &HashMap<u64, String>) {
        let kind = match problem.kind {
            ProblemKind::Index => Kind::Index,
            ProblemKind::Bytes => Kind::Bytes,
            ProblemKind::Leftover => Kind::Leftover,
            _ => Kind::Books,
        };
        let object = |one: Affected| Object {
            bucket: buckets.get(&one.bucket.0).cloned().unwrap_or_else(|| format!("number {}", one.bucket.0)),
            key: String::from_utf8_lossy(one.key.as_bytes()).into_owned(),
            version_id: one.version.to_string(),
        };
        let objects = problem.affected.into_iter().map(object).collect();
        self.findings.push(Finding { kind, what: problem.what, advice: kind.advice(), objects });
    }
}

/// What the records tell that the rest is looked at with.
#[derive(Default)]
struct StateSeen {
    ring: Option<StoredRing>,
    /// Names of buckets by their numbers.
    buckets: HashMap<u64, String>,
    /// The accounts that there are.
    accounts: HashSet<Key>,
}

fn look_at_settings(directory: &Path, seen: &StateSeen, report: &mut Report) {
    match Settings::of(directory) {
        Err(error) => report.add(Kind::Directory, format!("{error:#}")),
        Ok(settings) if !seen.accounts.contains(&Account::key_of(&settings.account)) => {
            let what = format!("`server.json` names account {}, which is not in the state", settings.account);
            report.add(Kind::Directory, what);
        }
        Ok(_) => {}
    }
}

fn look_at_state(directory: &Path, seen: &mut StateSeen, report: &mut Report) -> Result<()> {
    let inspected = store::inspect(directory, &mut |key: &Key, value| {
        if Account::all().holds(key) {
            seen.accounts.insert(key.clone());
        }
        let parts: Vec<String> = key.parts().take(3).collect();
        match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["key-ring"] => seen.ring = serde_json::from_slice(value).ok(),
            ["s3", "bucket", name] => {
                let record: Option<serde_json::Value> = serde_json::from_slice(value).ok();
                let number = record.as_ref().and_then(|r| r.get("number")?.as_u64());
                seen.buckets.extend(number.map(|number| (number, (*name).to_owned())));
            }
            _ => {}
        }
    });
    match inspected {
        Ok(inspected) => {
            report.looked_at.records = inspected.records;
            report.looked_at.audit_records = inspected.audit_records;
            if let Some(what) = inspected.log {
                report.add(Kind::Log, format!("state.db-wal: {what}"));
            }
            inspected
                .problems
                .into_iter()
                .for_each(|what| report.add(Kind::State, format!("state.db: {what}")));
        }
        Err(error) => report.add(Kind::State, format!("state.db: {:#}", anyhow::Error::new(error))),
    }
    Ok(())
}

/// The key ring, opened.
fn look_at_key(directory: &Path, stored: Option<StoredRing>, report: &mut Report) -> Option<KeyRing> {
    let place = directory.join("root.key");
    let key = match data::read_root_key(&place) {
        Ok(Some(key)) => key,
        Ok(None) => {
            report.add(Kind::RootKey, format!("`{}` is missing", place.display()));
            return None;
        }
        Err(error) => {
            report.add(Kind::RootKey, format!("{error:#}"));
            return None;
        }
    };
    match stored.map(|stored| opened(stored, &key)) {
        Some(Ok(ring)) => return Some(ring),
        Some(Err(error)) => report.add(Kind::RootKey, format!("{error:#}")),
        None => report.add(Kind::State, "state.db: the key ring is missing".to_owned()),
    }
    None
}

fn opened(stored: StoredRing, key: &RootKey) -> Result<KeyRing> {
    KeyRing::of(stored, key, Arc::new(SystemEntropy)).context("the root key does not open the key ring")
}

/// Whether the directory can be looked at by this user.
pub(crate) fn is_ours(directory: &Path) -> Result<bool> {
    let meta =
        fs::metadata(directory).with_context(|| format!("`{}` cannot be read", directory.display()))?;
    Ok(meta.uid() == nix::unistd::geteuid().as_raw())
}
