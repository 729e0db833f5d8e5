#![expect(clippy::string_slice, reason = "keys are ASCII here")]

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A store in memory.
struct Store {
    keys: BTreeSet<String>,
    /// Whether it lists as directories do.
    of_directories: bool,
    /// It tells no more at once, whatever it is asked for.
    most: usize,
    asked: AtomicUsize,
}

impl Store {
    fn new(keys: impl IntoIterator<Item = String>, of_directories: bool, most: usize) -> Self {
        Self { keys: keys.into_iter().collect(), of_directories, most, asked: AtomicUsize::new(0) }
    }

    /// What it sorts a name by.
    fn place(&self, name: &str) -> (String, bool) {
        let bare = if self.of_directories { bare(name) } else { name };
        (bare.to_owned(), bare != name)
    }
}

impl Levels for Store {
    type One = String;

    async fn piece(&self, prefix: &str, from: &Place, most: usize) -> Result<Piece<String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let directory = directory_of(prefix).len();
        let names: BTreeSet<_> = self.keys.iter().filter(|key| key.starts_with(prefix)).collect();
        let names = names.into_iter().map(|key| match key[directory..].split_once('/') {
            Some((name, _)) => (format!("{}{name}/", &key[..directory]), None),
            None => (key.clone(), Some(key.clone())),
        });
        let mut names: Vec<_> = names.collect();
        names.sort_by_key(|(name, _)| self.place(name));
        names.dedup();
        let is_behind = |name: &str| match from {
            Place::Start => true,
            Place::After(marker) => self.place(name).0 > *marker,
            Place::Token(token) => self.place(name) > self.place(token),
        };
        names.retain(|(name, _)| is_behind(name));
        let cut = names.len() > most.min(self.most);
        names.truncate(most.min(self.most));
        let next = if cut { names.last().map(|(name, _)| name.clone()) } else { None };
        Ok(Piece { names, next })
    }
}

/// What S3 lists of these keys.
fn listed(keys: &BTreeSet<String>, prefix: &str, delimiter: &str, after: Option<&str>) -> Vec<String> {
    let behind =
        keys.iter().filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
    let mut listed: Vec<_> = behind
        .map(|key| match key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => format!("({})", &key[..prefix.len() + at + delimiter.len()]),
            None => key.clone(),
        })
        .collect();
    listed.dedup();
    listed
}

/// The pages together, each begun behind the last entry of the one before.
fn paged(
    store: &Store,
    prefix: &str,
    delimiter: &str,
    limit: usize,
    after: Option<&str>,
) -> (Vec<String>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut told = after.map(|after| Told::Key(after.to_owned()));
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let wanted = Wanted { prefix: prefix.to_owned(), delimiter, limit };
        let (entries, more) = runtime.block_on(entries(store, wanted, told.take())).unwrap();
        assert!(entries.len() <= limit);
        pages += 1;
        for entry in &entries {
            let (shown, last) = match entry {
                Entry::One(key) => (key.clone(), Told::Key(key.clone())),
                Entry::Prefix(prefix) => {
                    let prefix = String::from_utf8(prefix.to_vec()).unwrap();
                    (format!("({prefix})"), Told::Prefix(prefix))
                }
            };
            all.push(shown);
            told = Some(last);
        }
        if !more {
            return (all, pages);
        }
        assert!(!entries.is_empty(), "a page with nothing and no way on");
    }
}

fn text(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(vec!['a', 'b', '-', '.', '/', '0']), 0..=most)
        .prop_map(String::from_iter)
}

fn keys() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set(text(7).prop_filter("a key", |key| !key.is_empty()), 0..=24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn pages_of_any_store_are_those_of_s3(
        mut keys in keys(),
        of_directories: bool,
        most in 1..=4_usize,
        limit in 1..=5_usize,
        prefix in prop_oneof![Just(String::new()), text(3)],
        delimiter in proptest::sample::select(vec!["", "/", "-", "a/", "b"]),
        after in proptest::option::of(text(6)),
    ) {
        if of_directories {
            // No directory has an empty name.
            keys.retain(|key| key.split('/').all(|name| !name.is_empty()));
        }
        let expected = listed(&keys, &prefix, delimiter, after.as_deref());
        let store = Store::new(keys, of_directories, most);
        let (all, _) = paged(&store, &prefix, delimiter, limit, after.as_deref());
        prop_assert_eq!(all, expected);
    }
}

#[test]
fn a_page_that_takes_many_requests_is_shorter() {
    let keys: BTreeSet<_> = (0..300).map(|n| format!("{n:03}/x")).collect();
    let store = Store::new(keys.clone(), true, 1000);
    let (all, pages) = paged(&store, "", "", 1000, None);
    assert_eq!(all, Vec::from_iter(keys));
    assert!((2..=10).contains(&pages), "{pages}");
    let asked = store.asked.load(Ordering::Relaxed);
    assert!(asked < 400, "about one for each directory: {asked}");
}

#[test]
fn a_marker_with_many_beginnings_is_gone_on_behind() {
    let dashes = "-".repeat(500);
    let keys = [format!("{dashes}-"), format!("{}/z", &dashes[..1]), "a".to_owned()];
    let store = Store::new(keys.clone(), true, 1000);
    assert_eq!(paged(&store, "", "", 1, None).0, keys);
    assert_eq!(
        paged(&store, "", "/", 1, Some(&dashes)).0,
        [keys[0].clone(), "(-/)".to_owned(), "a".to_owned()]
    );
}

#[test]
fn a_store_in_no_order_is_not_believed() {
    struct Odd;
    impl Levels for Odd {
        type One = ();
        async fn piece(&self, _: &str, from: &Place, _: usize) -> Result<Piece<()>> {
            let (name, next) = if *from == Place::Start { ("b", Some("t".to_owned())) } else { ("a", None) };
            Ok(Piece { names: vec![(name.to_owned(), Some(()))], next })
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let wanted = Wanted { prefix: String::new(), delimiter: "", limit: 10 };
    assert!(runtime.block_on(entries(&Odd, wanted, None)).is_err());
}
