//! `daypass backup` and `daypass restore`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
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

/// Copies a running server.
pub(crate) fn back_up(arguments: Backup) -> Result<()> {
    let data = data::directory(arguments.data.directory)?;
    let backup = copy::resolved(&std::path::absolute(&arguments.to)?)?;
    if backup.starts_with(copy::resolved(&data)?) {
        bail!("`{}` is in the data directory itself: a backup belongs on another disk", backup.display());
    }
    // the state stays as it is for as long as this is open
    let held = client::connect(&data)?;
    copy::make_empty(&backup)?;
    let manifest = whole_or_gone(&backup, || write(&data, &backup, held, arguments.with_root_key))?;
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

fn write(data: &Path, backup: &Path, mut held: UnixStream, with_root_key: bool) -> Result<Manifest> {
    let mut line = serde_json::to_vec(&Request::Backup)?;
    line.push(b'\n');
    held.write_all(&line).context("the server did not take the request")?;
    let files = answered(&held, copy::MAX_LIST)?;
    let mut listed = copy_all(data, backup, &files)?;
    drop(held);
    if with_root_key {
        let bytes = fs::metadata(data.join(ROOT_KEY))?.len();
        let key = FileReply { from: ROOT_KEY.into(), to: ROOT_KEY.into(), bytes };
        listed.extend(copy_all(data, backup, &[key])?);
    }
    let settings = Settings::of(backup)?;
    copy::sync_names(backup)?;
    let manifest = Manifest {
        format: FORMAT,
        daypass: env!("CARGO_PKG_VERSION").to_owned(),
        created: SystemClock.now().to_string(),
        account: settings.account.to_string(),
        region: settings.region,
        root_key: with_root_key,
        files: listed,
    };
    manifest.write(backup)?;
    Ok(manifest)
}

/// Takes the folder away again if it does not become what it is to be.
fn whole_or_gone<T>(folder: &Path, make: impl FnOnce() -> Result<T>) -> Result<T> {
    make().map_err(|error| match fs::remove_dir_all(folder) {
        Err(left) if left.kind() != ErrorKind::NotFound => {
            error.context(format!("`{}` is left, and cannot be removed: {left}", folder.display()))
        }
        _ => error,
    })
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
    let data = place_for(&data)?;
    let draft = draft_of(&data)?;
    whole_or_gone(&draft, || {
        fill(&draft, &backup, &manifest, arguments.root_key.as_deref())?;
        // an empty folder may be in the place; nothing else is
        fs::rename(&draft, &data).with_context(|| format!("`{}` cannot be put in place", data.display()))
    })?;
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

/// Where the directory comes: at the end of a link, where there is nothing but an empty folder of whoever asks.
fn place_for(data: &Path) -> Result<PathBuf> {
    let data = copy::resolved(data)?;
    let shown = data.display();
    if !data.exists() {
        return Ok(data);
    }
    let mut inside = fs::read_dir(&data).with_context(|| format!("`{shown}` cannot be read"))?;
    if inside.next().is_some() {
        bail!("`{shown}` is not empty: a backup is never restored over something");
    }
    if !fsck::is_ours(&data)? {
        bail!("`{shown}` belongs to another user: run as its owner");
    }
    if copy::is_mount_point(&data)? {
        bail!("`{shown}` is a mount point, which nothing can take the place of: name a folder in it");
    }
    Ok(data)
}

/// Makes the folder that the directory is until it is whole.
fn draft_of(data: &Path) -> Result<PathBuf> {
    let name = data.file_name().with_context(|| format!("`{}` has no name", data.display()))?;
    let draft = data.with_file_name(format!("{}.restoring", name.to_string_lossy()));
    copy::make(draft.parent().unwrap_or(&draft))?;
    match fs::DirBuilder::new().mode(0o700).create(&draft) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "`{}` is there: if no other restore is under way, it is left of one that was ended, and has to be removed first",
            draft.display()
        ),
        made => made.with_context(|| format!("`{}` cannot be made", draft.display()))?,
    }
    Ok(draft)
}

fn fill(draft: &Path, backup: &Path, manifest: &Manifest, root_key: Option<&Path>) -> Result<()> {
    let mut shown = Shown::new("copying:", total(manifest.files.iter().map(|file| file.bytes)));
    for file in &manifest.files {
        let from = backup.join(&file.path);
        let source = copy::open_inside(backup, &file.path)?;
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
    copy::make(&draft.join("objects/segments"))?;
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

    /// A backup of nothing, that says of itself that it is whole.
    fn backup_of(files: &[(&str, &str)]) -> tempfile::TempDir {
        let backup = tempfile::tempdir().unwrap();
        let listed = |(path, sha256): &(&str, &str)| {
            fs::write(backup.path().join(path), "x").unwrap();
            Listed { path: path.into(), bytes: 1, sha256: (*sha256).to_owned() }
        };
        let manifest = Manifest {
            format: FORMAT,
            daypass: String::new(),
            created: String::new(),
            account: String::new(),
            region: String::new(),
            root_key: true,
            files: files.iter().map(listed).collect(),
        };
        manifest.write(backup.path()).unwrap();
        backup
    }

    fn restored(from: &Path, to: &Path) -> String {
        let data = crate::cli::Data { directory: Some(to.to_owned()) };
        let done = restore(Restore { data, from: from.to_owned(), root_key: None });
        done.err().map_or_else(String::new, |error| format!("{error:#}"))
    }

    #[test]
    fn nothing_is_left_of_a_restore_that_fails() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("new/data");
        let wrong = backup_of(&[(ROOT_KEY, "no sum")]);
        assert!(restored(wrong.path(), &data).ends_with("it was damaged or changed"));
        // the sum is right, and what was backed up makes no data directory
        let x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        let unsound = backup_of(&[(ROOT_KEY, x)]);
        assert!(restored(unsound.path(), &data).starts_with("the backup is not sound"));
        assert_eq!(fs::read_dir(place.path().join("new")).unwrap().count(), 0);
        fs::create_dir(place.path().join("new/data.restoring")).unwrap();
        let error = restored(unsound.path(), &data);
        assert!(error.contains("left of one that was ended"), "{error}");
        assert!(place.path().join("new/data.restoring").exists(), "it may be another's");
    }

    #[test]
    fn a_directory_is_restored_to_the_end_of_a_link_and_over_nothing() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| fs::canonicalize(place.path()).unwrap().join(name);
        for folder in ["empty", "full"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::write(at("full/file"), "x").unwrap();
        std::os::unix::fs::symlink("empty", at("link")).unwrap();
        std::os::unix::fs::symlink("none", at("dangling")).unwrap();
        for (asked, found) in
            [("new", "new"), ("new/deep", "new/deep"), ("empty", "empty"), ("link", "empty")]
        {
            assert_eq!(place_for(&at(asked)).unwrap(), at(found));
        }
        let refused = |path: &Path| format!("{:#}", place_for(path).unwrap_err());
        assert!(refused(&at("full")).contains("is not empty"));
        assert!(refused(&at("full/file")).contains("cannot be read"));
        assert!(refused(&at("dangling")).contains("leads nowhere"));
        assert!(refused(Path::new("/proc")).contains("is not empty"));
    }

    #[test]
    fn a_draft_is_for_nobody_else_to_read() {
        let place = tempfile::tempdir().unwrap();
        let draft = draft_of(&place.path().join("a/b")).unwrap();
        assert_eq!(draft, place.path().join("a/b.restoring"));
        for folder in [draft, place.path().join("a")] {
            assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700);
        }
    }
}
