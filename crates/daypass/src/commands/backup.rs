//! `daypass backup` and `daypass restore`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use daypass_core::Clock as _;

use crate::admin::client;
use crate::admin::protocol::{FileReply, Reply, Request};
use crate::cli::{Backup, Restore};
use crate::copy::{self, FORMAT, Listed, Manifest, Shown};
use crate::data::{self, Settings};
use crate::fsck;
use crate::system::SystemClock;

const ROOT_KEY: &str = "root.key";

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
    let mut answer = String::new();
    BufReader::new(&held).read_line(&mut answer).context("the server did not answer")?;
    let files = match serde_json::from_str(&answer).context("the server is of another version")? {
        Reply::Backup { files } => files,
        Reply::Failed { why } => bail!("{why}"),
        _ => return client::unexpected(),
    };
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
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    crate::say(&format!("{} files, {bytes} bytes, in `{}`", manifest.files.len(), backup.display()));
    if !arguments.with_root_key {
        crate::say(&format!(
            "the root key is not in it, and nothing in it can be used without: keep a copy of `{}` elsewhere",
            data.join(ROOT_KEY).display()
        ));
    }
    Ok(())
}

fn copy_all(data: &Path, backup: &Path, files: &[FileReply]) -> Result<Vec<Listed>> {
    let mut shown = Shown::new("copying:", files.iter().map(|file| file.bytes).sum());
    let copy = |file: &FileReply| {
        let (from, to) = (data.join(&file.from), backup.join(&file.to));
        let sha256 = copy::copy(&from, &to, file.bytes, &mut |bytes| shown.add(bytes))?;
        Ok(Listed { path: file.to.clone(), bytes: file.bytes, sha256 })
    };
    files.iter().map(copy).collect()
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
    let mut shown = Shown::new("copying:", manifest.files.iter().map(|file| file.bytes).sum());
    for file in &manifest.files {
        let from = backup.join(&file.path);
        let found = copy::copy(&from, &draft.join(&file.path), file.bytes, &mut |bytes| shown.add(bytes))?;
        if found != file.sha256 {
            bail!("`{}` is not what was backed up: it was damaged or changed", from.display());
        }
    }
    if let Some(key) = root_key {
        let meta = fs::metadata(key).with_context(|| format!("`{}` cannot be read", key.display()))?;
        copy::copy(key, &draft.join(ROOT_KEY), meta.size(), &mut |_| ())?;
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
