//! S3's order from a store that lists as directories do: there `x/` stands where the name `x` would, though it belongs behind
//! every sibling that goes on from `x` with a character below `/`. Each level is listed by itself, and a directory is held
//! back until the next name is behind it. Those that are held at once are beginnings of one another. Where a store lists
//! in order nevertheless, the same comes of it.

use super::describe::odd;
use crate::{Entry, MAX_KEY_BYTES, Result};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// The last character that there is.
const LAST: char = '\u{10ffff}';
/// Requests after which a page ends, if it has anything.
const ENOUGH: usize = 64;
/// Requests for a page at most: more than a marker has beginnings.
const MOST: usize = 2048;

/// A store's listings with `/` for a delimiter.
pub(super) trait Levels: Sync {
    /// What is listed for a key; there may be several.
    type One: Send;

    /// Lists what has this prefix and no `/` behind it, and the directories; about so many.
    fn piece(
        &self,
        prefix: &str,
        from: &Place,
        most: usize,
    ) -> impl Future<Output = Result<Piece<Self::One>>> + Send;
}

/// Where in a level a piece begins.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    Start,
    /// Behind this in the store's own order.
    After(String),
    /// Where the store says that its last piece ended.
    Token(String),
}

/// Some of a level.
pub(super) struct Piece<T> {
    /// A directory has nothing to it but its name, which ends with `/`.
    pub(super) names: Vec<(String, Option<T>)>,
    pub(super) next: Option<String>,
}

/// What was told before, in S3's order.
#[derive(Clone)]
pub(super) enum Told {
    /// All up to this key.
    Key(String),
    /// All before this key.
    Before(String),
    /// All up to the last with this prefix.
    Prefix(String),
}

impl Told {
    fn text(&self) -> &str {
        let (Self::Key(text) | Self::Before(text) | Self::Prefix(text)) = self;
        text
    }

    fn has(&self, name: &str, is_directory: bool) -> bool {
        match self {
            Self::Before(key) if !is_directory => name < key.as_str(),
            Self::Key(key) | Self::Before(key) => name <= key.as_str(),
            Self::Prefix(prefix) => name <= prefix.as_str() || name.starts_with(prefix.as_str()),
        }
    }

    /// Whether no key with this prefix is left.
    fn has_all(&self, prefix: &str) -> bool {
        match self {
            Self::Key(told) | Self::Before(told) => !told.starts_with(prefix) && told.as_str() > prefix,
            Self::Prefix(told) => {
                prefix.starts_with(told.as_str()) || (!told.starts_with(prefix) && told.as_str() > prefix)
            }
        }
    }
}

/// What is asked for at once.
pub(super) struct Wanted<'a> {
    pub(super) prefix: String,
    pub(super) delimiter: &'a str,
    pub(super) limit: usize,
}

/// So many entries in S3's order, those after what was told; and whether there may be more. There are fewer than were asked for
/// where that took too many requests, but never none if there are any.
pub(super) async fn entries<L: Levels>(
    levels: &L,
    wanted: Wanted<'_>,
    told: Option<Told>,
) -> Result<(Vec<Entry<L::One>>, bool)> {
    let Wanted { prefix, delimiter, limit } = wanted;
    let mut walk = Walk::new(levels, prefix.clone(), delimiter == "/", told);
    let mut entries = Vec::new();
    let group = |name: &str| Entry::Prefix(Bytes::copy_from_slice(name.as_bytes()));
    // One more than is told says whether there is more.
    while entries.len() <= limit {
        match walk.next(limit + 1 - entries.len()).await? {
            Step::End => return Ok((entries, false)),
            Step::Enough => return Ok((entries, true)),
            Step::Directory(name) => entries.push(group(&name)),
            Step::Key(name, one) => match folded(&name, &prefix, delimiter) {
                None => entries.push(Entry::One(one)),
                Some(of) => {
                    entries.push(group(of));
                    walk.go_on(Some(Told::Prefix(of.to_owned())));
                }
            },
        }
    }
    entries.truncate(limit);
    Ok((entries, true))
}

/// What a key is folded into.
pub(super) fn folded<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let at = key.strip_prefix(prefix)?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// What comes next.
enum Step<T> {
    Key(String, T),
    Directory(String),
    End,
    /// There may be more, but too much was asked for it.
    Enough,
}

/// A walk over the keys with a prefix.
struct Walk<'a, L: Levels> {
    levels: &'a L,
    prefix: String,
    /// Whether directories are told, instead of what is in them.
    folds: bool,
    told: Option<Told>,
    open: Vec<Level<L::One>>,
    asked: usize,
    last: Option<String>,
}

struct Level<T> {
    prefix: String,
    /// Absent behind the last piece.
    from: Option<Place>,
    names: VecDeque<(String, Option<T>)>,
    /// Directories whose time has not come, and whether they are known to be there.
    held: BTreeMap<String, bool>,
}

impl<T> Level<T> {
    fn new(prefix: String, from: Place) -> Self {
        Self { prefix, from: Some(from), names: VecDeque::new(), held: BTreeMap::new() }
    }

    /// The directory that is next, and whether it is known to be there.
    fn due(&mut self) -> Option<(String, bool)> {
        let first = self.held.first_entry()?;
        let waits = self.names.front().is_some_and(|(name, _)| bare(name) < first.key().as_str());
        if waits { None } else { Some(first.remove_entry()) }
    }
}

impl<'a, L: Levels> Walk<'a, L> {
    fn new(levels: &'a L, prefix: String, folds: bool, told: Option<Told>) -> Self {
        let mut walk = Self { levels, prefix, folds, told: None, open: Vec::new(), asked: 0, last: None };
        walk.go_on(told);
        walk
    }

    /// Goes on behind what was told.
    fn go_on(&mut self, told: Option<Told>) {
        self.open.clear();
        let started = told.filter(|told| told.text() >= self.prefix.as_str() || told.has_all(&self.prefix));
        self.told = started;
        match self.told.clone() {
            None => self.open.push(Level::new(self.prefix.clone(), Place::Start)),
            Some(told) if told.has_all(&self.prefix) => {}
            Some(told) => self.open_at(&told),
        }
    }

    /// Opens each level on the way to where it goes on.
    fn open_at(&mut self, told: &Told) {
        let is_prefix = matches!(told, Told::Prefix(_));
        let mut prefix = self.prefix.clone();
        loop {
            let directory = directory_of(&prefix).to_owned();
            let Some(rest) = told.text().strip_prefix(&directory) else { return };
            let (name, below) = match rest.split_once('/') {
                Some((name, below)) => (name, Some(below)),
                None => (rest, None),
            };
            let here = format!("{directory}{name}");
            let from = match below {
                // What goes on from the name with a character below `/` is before all that is in it.
                Some(_) => Place::After(past(&here, ".")),
                None if name.is_empty() => Place::Start,
                None if is_prefix => Place::After(past(&here, "")),
                None => Place::After(here.clone()),
            };
            let mut level = Level::new(prefix.clone(), from);
            // The store lists these before, and they belong behind.
            let mut held = late(name).map(|late| format!("{directory}{late}/")).collect::<Vec<_>>();
            if below.is_none() && !is_prefix && !name.is_empty() {
                held.push(format!("{here}/"));
            }
            held.retain(|held| held.starts_with(&prefix));
            level.held.extend(held.into_iter().map(|held| (held, false)));
            self.open.push(level);
            match below {
                Some(below) if !(is_prefix && below.is_empty()) => prefix = format!("{here}/"),
                _ => return,
            }
        }
    }

    /// The next in S3's order; about so many more are wanted.
    async fn next(&mut self, wanted: usize) -> Result<Step<L::One>> {
        loop {
            let depth = self.open.len();
            let Some(level) = self.open.last_mut() else { return Ok(Step::End) };
            if level.names.is_empty()
                && let Some(from) = level.from.take()
            {
                if self.asked >= ENOUGH && self.last.is_some() {
                    return Ok(Step::Enough);
                }
                self.ask(from, wanted).await?;
                continue;
            }
            if let Some((directory, is_known)) = level.due() {
                if !(self.folds && is_known) {
                    self.open.push(Level::new(directory, Place::Start));
                    continue;
                }
                return self.fold(directory).map(Step::Directory);
            }
            match level.names.pop_front() {
                None => {
                    self.open.pop();
                }
                Some((directory, None)) => {
                    level.held.insert(directory, true);
                }
                Some((key, Some(_))) if self.folds && depth > 1 => {
                    return self.fold(key).map(Step::Directory);
                }
                Some((key, Some(one))) => {
                    self.keep_order(&key)?;
                    return Ok(Step::Key(key, one));
                }
            }
        }
    }

    /// The directory of the first level that something is in, or that it is.
    fn fold(&mut self, name: String) -> Result<String> {
        let directory = self.open.get(1).map_or(name, |level| level.prefix.clone());
        self.open.truncate(1);
        self.keep_order(&directory)?;
        Ok(directory)
    }

    fn keep_order(&mut self, name: &str) -> Result<()> {
        if self.last.as_deref().is_some_and(|last| last > name) {
            return Err(odd("a listing in no order that is known"));
        }
        self.last = Some(name.to_owned());
        Ok(())
    }

    /// Asks for the next piece of the innermost level.
    async fn ask(&mut self, from: Place, wanted: usize) -> Result<()> {
        self.asked += 1;
        let Some(level) = self.open.last_mut().filter(|_| self.asked <= MOST) else {
            return Err(odd("a listing that takes too many requests"));
        };
        let piece = self.levels.piece(&level.prefix, &from, wanted).await?;
        let directory = directory_of(&level.prefix);
        let mut names = Vec::new();
        for (name, one) in piece.names {
            let rest = name.strip_prefix(directory).filter(|_| name.starts_with(&level.prefix));
            let rest = rest.ok_or_else(|| odd("a key that was not asked for"))?;
            let (name, one) = match (rest.split_once('/'), one) {
                (Some((child, _)), _) => (format!("{directory}{child}/"), None),
                (None, None) => return Err(odd("a prefix without its delimiter")),
                (None, one) => (name, one),
            };
            if !self.told.as_ref().is_some_and(|told| told.has(&name, one.is_none())) {
                names.push((name, one));
            }
        }
        names.sort_by(|left, right| bare(&left.0).cmp(bare(&right.0)));
        level.names = names.into();
        level.from = piece.next.map(Place::Token);
        if level.from.as_ref() == Some(&from) {
            return Err(odd("a listing that is cut off and does not go on"));
        }
        Ok(())
    }
}

/// A directory's name as the store sorts it.
fn bare(name: &str) -> &str {
    name.strip_suffix('/').unwrap_or(name)
}

/// The directory that what begins with this is in, with its `/`; empty at the top.
fn directory_of(prefix: &str) -> &str {
    prefix.rfind('/').and_then(|at| prefix.get(..=at)).unwrap_or_default()
}

/// The names that, as directories, belong behind this one though they are listed before it.
fn late(name: &str) -> impl Iterator<Item = &str> {
    name.char_indices().filter(|(at, next)| *at > 0 && *next < '/').filter_map(|(at, _)| name.get(..at))
}

/// Behind all that begins with this and that, if it is not too long to say.
fn past(name: &str, further: &str) -> String {
    let long = name.len() + further.len() + LAST.len_utf8() > MAX_KEY_BYTES;
    if long { name.to_owned() } else { format!("{name}{further}{LAST}") }
}

#[cfg(test)]
mod tests;
