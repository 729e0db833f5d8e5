//! The table of features in the crate's documentation names tests that exist.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The rows of the table: a feature, and what stands between backticks beside it.
fn rows() -> Vec<(String, Vec<String>)> {
    let text = read_to_string(root().join("src/lib.rs")).unwrap();
    let (_, table) = text.split_once("| feature | tests |").unwrap();
    let lines = table.lines().skip(1).take_while(|line| line.starts_with("//! |")).skip(1);
    let row = |line: &str| {
        let mut cells = line.trim_start_matches("//! |").trim_end_matches('|').rsplitn(2, '|');
        let (tests, feature) = (cells.next().unwrap(), cells.next().unwrap());
        let named = tests.split('`').skip(1).step_by(2).map(str::to_owned);
        (feature.trim().to_owned(), named.collect())
    };
    lines.map(row).collect()
}

fn files(folder: &Path, into: &mut Vec<String>) {
    for entry in read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(read_to_string(&path).unwrap());
        }
    }
}

/// A file or folder, a case of the corpus, a module with tests, or a test; `…` stands for the rest of a name.
fn exists(name: &str, corpus: &str, sources: &[String]) -> bool {
    let root = root();
    let (start, rest) = name.split_once('…').map_or((name, ""), |(start, _)| (start, "…"));
    if name.starts_with("tests/") || name.ends_with('/') {
        return root.join(name).exists();
    }
    if name.starts_with("docs/") {
        let end = if rest.is_empty() { "/" } else { "" };
        return corpus.contains(&format!("\"id\":\"{start}{end}"));
    }
    let module = root.join("src").join(name.replace("::", "/"));
    let has_tests = |path: PathBuf| read_to_string(path).is_ok_and(|text| text.contains("#[test]"));
    if has_tests(module.with_extension("rs")) || has_tests(module.join("mod.rs")) {
        return true;
    }
    let end = if rest.is_empty() { "(" } else { "" };
    let is_test = |text: &String| {
        text.split("#[test]").skip(1).any(|after| {
            after.split_once("fn ").is_some_and(|(_, named)| named.starts_with(&format!("{start}{end}")))
        })
    };
    sources.iter().any(is_test)
}

#[test]
fn every_test_that_the_table_names_exists() {
    let corpus = read_to_string(root().join("tests/corpus/guide.jsonl")).unwrap();
    let mut sources = vec![];
    files(&root().join("src"), &mut sources);
    files(&root().join("tests"), &mut sources);
    let rows = rows();
    assert!(rows.len() > 35, "{}", rows.len());
    for (feature, named) in &rows {
        assert!(!named.is_empty(), "{feature}");
        for name in named {
            assert!(exists(name, &corpus, &sources), "{feature}: `{name}` is not there");
        }
    }
    for name in ["nothing", "docs/nothing", "tests/nothing.rs", "nothing/", "docs/not", "what_cannot"] {
        assert!(!exists(name, &corpus, &sources), "{name}");
    }
}

/// Each group of cases of the corpus is of some feature.
#[test]
fn every_group_of_the_corpus_is_in_the_table() {
    let corpus = read_to_string(root().join("tests/corpus/guide.jsonl")).unwrap();
    let rows = rows();
    let named: Vec<&str> = rows.iter().flat_map(|(_, named)| named.iter().map(String::as_str)).collect();
    for id in corpus.lines().filter_map(|line| line.strip_prefix("{\"id\":\"")?.split('"').next()) {
        let group = id.rsplit_once('/').map_or(id, |(group, _)| group);
        let is_there = named.iter().any(|name| match name.strip_suffix('…') {
            Some(start) => group.starts_with(start),
            None => *name == group,
        });
        assert!(is_there, "{group}");
    }
}
