//! `daypass backup` and `daypass restore`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use daypass_core::Clock as _;

use crate::admin::client;
use crate::admin::protocol::{FileReply, Reply, Request};
use crate::cli::{Backup, Restore};
use crate::copy::{self, FORMAT, Listed, MANIFEST, Manifest, Shown};
use crate::data::{self, Settings};
use crate::fsck;
use crate::system::SystemClock;

const ROOT_KEY: &str = "root.key";
/// The longest answer of a server: it names every file.
const MAX_ANSWER: u64 = 256 << 20;

/// Copies a running server.
pub(crate) fn back_up(arguments: Backup) -> Result<()> {
    let data = data::directory(arguments.data.directory)?;
    let backup = std::path::absolute(&arguments.to)?;
    if backup.starts_with(&data) {
        bail!("`{}` is in the data directory itself: a backup belongs on another disk", backup.display());
    }
    copy::make_empty(&backup)?;
    // the state stays as it is for as long as this is open
    let mut held = client::connect(&data)?;
    let mut line = serde_json::to_vec(&Request::Backup)?;
    line.push(b'\n');
    held.write_all(&line).context("the server did not take the request")?;
    let files = answered(&held, MAX_ANSWER)?;
    let mut listed = copy_all(&data, &backup, &files)?;
    drop(held);
    if arguments.with_root_key {
        let bytes = fs::metadata(data.join(ROOT_KEY))?.len();
        let key = FileReply { from: ROOT_KEY.into(), to: ROOT_KEY.into(), bytes };
        listed.extend(copy_all(&data, &backup, &[key])?);
    }
    let settings = Settings::of(&backup)?;
    copy::sync_names(&backup)?;
    let manifest = Manifest {
        format: FORMAT,
        daypass: env!("CARGO_PKG_VERSION").to_owned(),
        created: SystemClock.now().to_string(),
        account: settings.account.to_string(),
        region: settings.region,
        root_key: arguments.with_root_key,
        files: listed,
    };
    manifest.write(&backup)?;
    let bytes = total(manifest.files.iter().map(|file| file.bytes));
    crate::say(&format!("{} files, {bytes} bytes, in `{}`", manifest.files.len(), backup.display()));
    if !arguments.with_root_key {
        crate::say(&format!(
            "the root key is not in it, and nothing in it can be used without: keep a copy of `{}` elsewhere",
            data.join(ROOT_KEY).display()
        ));
    }
    Ok(())
}

/// The files that the server names. It can be asked to name any, by whoever has taken it over, and this may run as another
/// user, who can do more: only what is the server's own is read, and nothing is written but into the backup.
fn answered(from: impl Read, most: u64) -> Result<Vec<FileReply>> {
    let mut answer = String::new();
    BufReader::new(from.take(most)).read_line(&mut answer).context("the server did not answer")?;
    if answer.len() as u64 == most {
        bail!("the server does not come to an end with its answer");
    }
    let files = match serde_json::from_str(&answer).context("the server is of another version")? {
        Reply::Backup { files } => files,
        Reply::Failed { why } => bail!("{why}"),
        _ => return client::unexpected(),
    };
    for file in &files {
        for path in [&file.from, &file.to] {
            if !copy::is_inside(path) || path == Path::new(ROOT_KEY) || path == Path::new(MANIFEST) {
                bail!("the server names `{}`, which is not for it to name", path.display());
            }
        }
    }
    Ok(files)
}

fn total(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}

fn copy_all(data: &Path, backup: &Path, files: &[FileReply]) -> Result<Vec<Listed>> {
    let mut shown = Shown::new("copying:", total(files.iter().map(|file| file.bytes)));
    let copy = |file: &FileReply| {
        let (from, to) = (data.join(&file.from), backup.join(&file.to));
        let source = copy::open_inside(data, &file.from)?;
        if file.from != Path::new(ROOT_KEY) && is_same(&source.metadata()?, &data.join(ROOT_KEY)) {
            bail!("`{}` is the root key by another name", from.display());
        }
        let sha256 = copy::copy(source, &from, &to, file.bytes, &mut |bytes| shown.add(bytes))?;
        Ok(Listed { path: file.to.clone(), bytes: file.bytes, sha256 })
    };
    files.iter().map(copy).collect()
}

fn is_same(meta: &fs::Metadata, other: &Path) -> bool {
    fs::metadata(other).is_ok_and(|other| (meta.dev(), meta.ino()) == (other.dev(), other.ino()))
}

/// Makes a data directory of a backup; it is there whole and checked, or not at all.
pub(crate) fn restore(arguments: Restore) -> Result<()> {
    let data = data::directory(arguments.data.directory)?;
    let backup = std::path::absolute(&arguments.from)?;
    let manifest = Manifest::of(&backup)?;
    let named: BTreeSet<&Path> = manifest.files.iter().map(|file| file.path.as_path()).collect();
    if arguments.root_key.is_some() && named.contains(Path::new(ROOT_KEY)) {
        bail!("the backup has a root key of its own: leave `--root-key` out");
    }
    if arguments.root_key.is_none() && !named.contains(Path::new(ROOT_KEY)) {
        bail!("the root key is not in the backup: give its copy with `--root-key FILE`");
    }
    if fs::read_dir(&data).is_ok_and(|mut inside| inside.next().is_some()) {
        bail!("`{}` is not empty: a backup is never restored over something", data.display());
    }
    let draft = draft_of(&data)?;
    copy::make_empty(&draft)?;
    let restored = fill(&draft, &backup, &manifest, arguments.root_key.as_deref());
    if let Err(error) = restored {
        let _ = fs::remove_dir_all(&draft);
        return Err(error);
    }
    // an empty folder may be in the place; nothing else is
    fs::rename(&draft, &data).with_context(|| format!("`{}` cannot be put in place", data.display()))?;
    if let Some(parent) = data.parent() {
        fs::File::open(parent)?.sync_all()?;
    }
    crate::say(&format!(
        "`{}` is as account {} was at {}: start it with `daypass up --data {0}`",
        data.display(),
        manifest.account,
        manifest.created
    ));
    Ok(())
}

/// Where the directory is until it is whole.
fn draft_of(data: &Path) -> Result<PathBuf> {
    let name = data.file_name().with_context(|| format!("`{}` has no name", data.display()))?;
    Ok(data.with_file_name(format!("{}.restoring", name.to_string_lossy())))
}

fn fill(draft: &Path, backup: &Path, manifest: &Manifest, root_key: Option<&Path>) -> Result<()> {
    let mut shown = Shown::new("copying:", total(manifest.files.iter().map(|file| file.bytes)));
    for file in &manifest.files {
        let from = backup.join(&file.path);
        let source = fs::File::open(&from).with_context(|| format!("`{}` cannot be read", from.display()))?;
        let found =
            copy::copy(source, &from, &draft.join(&file.path), file.bytes, &mut |bytes| shown.add(bytes))?;
        if found != file.sha256 {
            bail!("`{}` is not what was backed up: it was damaged or changed", from.display());
        }
    }
    if let Some(key) = root_key {
        let failed = || format!("`{}` cannot be read", key.display());
        let source = fs::File::open(key).with_context(failed)?;
        let bytes = source.metadata().with_context(failed)?.len();
        copy::copy(source, key, &draft.join(ROOT_KEY), bytes, &mut |_| ())?;
    }
    fs::create_dir_all(draft.join("objects/segments"))?;
    let report = fsck::look(draft, true, &mut |_| ())?;
    if let Some(finding) = report.findings.first() {
        bail!(
            "the backup is not sound, {} findings: {}. `daypass fsck --data` on a copy of it says more",
            report.findings.len(),
            finding.what
        );
    }
    copy::sync_names(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(from: &str, to: &str) -> String {
        format!(r#"{{"backup":{{"files":[{{"from":"{from}","to":"{to}","bytes":1}}]}}}}"#)
    }

    #[test]
    fn a_server_names_nothing_but_its_own_files() {
        let answered = |from: &str, to: &str| answered(format!("{}\n", named(from, to)).as_bytes(), 1000);
        assert_eq!(answered("backup.tmp/state.db", "state.db").unwrap().len(), 1);
        for (from, to) in [
            ("/etc/shadow", "state.db"),
            ("../x", "state.db"),
            ("root.key", "state.db"),
            ("./root.key", "state.db"),
            ("", "state.db"),
            ("state.db", "/etc/cron.d/x"),
            ("state.db", "objects/../../x"),
            ("state.db", "root.key"),
            ("state.db", "backup.json"),
        ] {
            let error = answered(from, to).err().unwrap().to_string();
            assert!(error.ends_with("which is not for it to name"), "{from} {to}: {error}");
        }
    }

    #[test]
    fn an_answer_without_end_is_not_waited_for() {
        let error = answered(std::io::repeat(b' '), 1000).err().unwrap().to_string();
        assert!(error.contains("does not come to an end"), "{error}");
        assert!(answered(&b"{}\n"[..], 1000).is_err() && answered(&b""[..], 1000).is_err());
    }

    #[test]
    fn what_is_copied_is_no_link_and_not_the_root_key_by_another_name() {
        let (data, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| data.path().join(name);
        fs::write(at("root.key"), "k").unwrap();
        fs::write(at("server.json"), "s").unwrap();
        std::os::unix::fs::symlink("root.key", at("link")).unwrap();
        fs::hard_link(at("root.key"), at("again")).unwrap();
        let copied = |from: &str| {
            let file = FileReply { from: from.into(), to: from.into(), bytes: 1 };
            copy_all(data.path(), backup.path(), &[file])
        };
        assert_eq!(copied("server.json").unwrap().len(), 1);
        assert!(copied("link").is_err() && copied("again").is_err());
        assert!(!backup.path().join("link").exists() && !backup.path().join("again").exists());
        assert_eq!(copied("root.key").unwrap().len(), 1, "where it was asked for");
    }
}
