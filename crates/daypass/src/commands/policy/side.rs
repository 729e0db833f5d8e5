//! The two sides of a comparison: policies in a file, or in the files of a directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use daypass_core::policy::{DocumentKind, Policy, PolicySource};

use super::file;

/// More files than any set of policies has.
const MAX_FILES: usize = 10_000;
/// Directories within directories.
const MAX_DEPTH: usize = 32;

/// A document on one side.
struct Found {
    name: String,
    text: String,
    policy: Arc<Policy>,
}

/// What is compared with each other: one document of each side, or all.
#[derive(Default)]
pub(super) struct Pair {
    old: Vec<Found>,
    new: Vec<Found>,
}

impl Pair {
    /// Whether both sides say the same, letter for letter.
    pub(super) fn is_same(&self) -> bool {
        let texts = |side: &'_ [Found]| side.iter().map(|own| own.text.clone()).collect::<Vec<_>>();
        texts(&self.old) == texts(&self.new)
    }

    /// The policies of both sides.
    pub(super) fn policies(&self) -> [Vec<Arc<Policy>>; 2] {
        [&self.old, &self.new].map(|side| side.iter().map(|own| Arc::clone(&own.policy)).collect())
    }

    /// What the documents of both sides are called.
    pub(super) fn names(&self) -> [Vec<&str>; 2] {
        [&self.old, &self.new].map(|side| side.iter().map(|own| own.name.as_str()).collect())
    }
}

/// Puts together what is to be compared.
///
/// # Errors
/// If a file does not read, is no policy of that kind, if a file stands against a directory, or if there is none in a
/// directory: where nothing was looked at, nothing can be said to be the same.
pub(super) fn pairs(old: &Path, new: &Path, kind: DocumentKind, together: bool) -> Result<Vec<Pair>> {
    if file::is_input(old) && file::is_input(new) {
        bail!("only one side can be the standard input");
    }
    let sides = (old.is_dir(), new.is_dir());
    if !together && sides == (false, false) {
        return Ok(vec![Pair { old: of_file(old, kind)?, new: of_file(new, kind)? }]);
    }
    if !together && sides != (true, true) {
        let (directory, one) = if sides.0 { (old, new) } else { (new, old) };
        // What comes or goes as a whole is compared with nothing.
        if !is_nothing(one) {
            let (directory, one) = (directory.display(), one.display());
            bail!(
                "`{directory}` is a directory and `{one}` is none: name two of a kind, or say `--together`"
            );
        }
    }
    let (old, new) = (of_any(old, kind)?, of_any(new, kind)?);
    if together {
        let all = |side: BTreeMap<String, Found>| side.into_values().collect();
        return Ok(vec![Pair { old: all(old), new: all(new) }]);
    }
    let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
    for (name, found) in old {
        pairs.entry(name).or_default().old.push(found);
    }
    for (name, found) in new {
        pairs.entry(name).or_default().new.push(found);
    }
    Ok(pairs.into_values().collect())
}

/// What `git` gives in the place of a file that is not there.
fn is_nothing(path: &Path) -> bool {
    path == Path::new("/dev/null")
}

fn of_file(path: &Path, kind: DocumentKind) -> Result<Vec<Found>> {
    if is_nothing(path) {
        return Ok(vec![]);
    }
    let (name, text) = file::read(path)?;
    let document = file::parse(kind, &name, &text)?;
    let policy = Policy::compile(PolicySource::named(name.clone()), document);
    Ok(vec![Found { name, text, policy }])
}

/// The documents by their names beneath the path.
fn of_any(path: &Path, kind: DocumentKind) -> Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    if path.is_dir() {
        collect(path, path, 0, kind, &mut found)?;
        if found.is_empty() {
            bail!(
                "no policy is in `{}`: of a directory the files are compared whose names end in `.json`, and `/dev/null` stands for nothing",
                path.display()
            );
        }
    } else {
        found.extend(of_file(path, kind)?.into_iter().map(|own| (String::new(), own)));
    }
    Ok(found)
}

/// Links to directories are not followed: they may lead anywhere, also back. Nor are they passed over, or any other name that
/// may have been meant for a policy: its change would then be none.
fn collect(
    root: &Path,
    directory: &Path,
    depth: usize,
    kind: DocumentKind,
    found: &mut BTreeMap<String, Found>,
) -> Result<()> {
    let shown = || format!("`{}`", directory.display());
    if depth > MAX_DEPTH {
        bail!("{} lies too deep", shown());
    }
    for entry in std::fs::read_dir(directory).with_context(shown)? {
        let entry = entry.with_context(shown)?;
        let path = entry.path();
        if entry.file_type().with_context(shown)?.is_dir() {
            collect(root, &path, depth + 1, kind, found)?;
        } else if path.is_dir() {
            bail!("`{}` is a link to a directory: name the directory itself", path.display());
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            if path.extension().is_some_and(|extension| extension != "json") {
                bail!("`{}` would not be compared: end its name in `.json`", path.display());
            }
            if !path.is_file() {
                bail!("`{}` is no file", path.display());
            }
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            found.extend(of_file(&path, kind)?.into_iter().map(|own| (name.clone(), own)));
        }
        if found.len() > MAX_FILES {
            bail!("`{}` holds more than {MAX_FILES} policies", root.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}"#;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn names(pairs: &[Pair], root: &Path) -> Vec<[Vec<String>; 2]> {
        let prefix = format!("{}/", root.display());
        let short = |names: Vec<&str>| names.into_iter().map(|name| name.replace(&prefix, "")).collect();
        pairs.iter().map(|pair| pair.names().map(short)).collect()
    }

    #[test]
    fn directories_are_compared_file_by_file_and_what_is_on_one_side_alone_with_nothing() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["old/a.json", "old/deep/b.json", "old/notes.txt", "new/a.json", "new/c.json"] {
            write(&at(name), ONE);
        }
        let pairs =
            |old: &str, new: &str, together| pairs(&at(old), &at(new), DocumentKind::Managed, together);
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let found = pairs("old", "new", false).unwrap();
        assert_eq!(
            names(&found, root.path()),
            [
                [of(&["old/a.json"]), of(&["new/a.json"])],
                [vec![], of(&["new/c.json"])],
                [of(&["old/deep/b.json"]), vec![]],
            ]
        );
        assert!(found[0].is_same() && !found[1].is_same());
        let together = pairs("old", "new/a.json", true).unwrap();
        let all = [of(&["old/a.json", "old/deep/b.json"]), of(&["new/a.json"])];
        assert_eq!(names(&together, root.path()), [all]);
        let mixed = pairs("old", "new/a.json", false).err().unwrap().to_string();
        assert!(mixed.ends_with("is none: name two of a kind, or say `--together`"), "{mixed}");
        let gone = super::pairs(&at("old"), Path::new("/dev/null"), DocumentKind::Managed, false).unwrap();
        assert_eq!(gone.len(), 2);
    }

    #[test]
    fn where_no_policy_is_looked_at_nothing_is_said_to_be_the_same() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["none/notes.txt", "also/deep/notes.txt", "some/a.json", "case/p.JSON", "case/a.json"] {
            write(&at(name), ONE);
        }
        for (of, link) in [("some", "linked/again"), ("gone", "dangling/p.json")] {
            write(&at(link).with_file_name("a.json"), ONE);
            symlink(at(of), at(link)).unwrap();
        }
        write(&at("file-linked/notes.txt"), ONE);
        symlink(at("some/a.json"), at("file-linked/b.json")).unwrap();
        let refused = |old: &Path, new: &Path, together| {
            let found = pairs(old, new, DocumentKind::Managed, together);
            found.err().map_or_else(String::new, |error| error.to_string())
        };
        let nothing = Path::new("/dev/null");
        for together in [false, true] {
            for (old, new) in [("none", "also"), ("none", "some"), ("some", "also")] {
                let why_not = refused(&at(old), &at(new), together);
                assert!(why_not.starts_with("no policy is in"), "{old} {new}: {why_not}");
            }
            assert!(refused(nothing, &at("none"), together).starts_with("no policy is in"));
            assert_eq!(refused(&at("some"), nothing, together), "");
            assert_eq!(refused(&at("file-linked"), nothing, together), "");
            for (side, why) in [
                ("linked", "again` is a link to a directory: name the directory itself"),
                ("case", "p.JSON` would not be compared: end its name in `.json`"),
                ("dangling", "p.json` is no file"),
            ] {
                for (old, new) in [(side, "some"), ("some", side)] {
                    let why_not = refused(&at(old), &at(new), together);
                    assert!(why_not.ends_with(why), "{old} {new}: {why_not}");
                }
            }
        }
    }

    #[test]
    fn a_document_that_aws_would_not_store_is_refused_with_its_place() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("p.json");
        write(&file, "{\n \"Version\": \"2012-10-17\",\n \"Statement\": {\"Effect\": \"Allow\"}\n}");
        let error = pairs(&file, &file, DocumentKind::Managed, false).err().unwrap().to_string();
        assert_eq!(
            error,
            format!("{}:3:15: the statement has neither `Action` nor `NotAction`", file.display())
        );
    }
}
