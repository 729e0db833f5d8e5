//! Typed reading and writing of the index.

use super::{Changes, IndexError, Space, View, Visit};
use crate::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value of the index: its kind decides its space and the version of its encoding.
pub(crate) trait Stored: Serialize + DeserializeOwned {
    const SPACE: Space;
}

const ENCODING: u8 = 1;

/// A value as it is stored: the version of the encoding, the value in postcard's wire format, and a CRC32C over the
/// space, the key and all before, so that a value that was damaged, or stands under another key, is not believed.
pub(crate) fn encode<T: Stored>(key: &[u8], value: &T) -> Result<Vec<u8>> {
    let bytes =
        postcard::to_extend(value, vec![ENCODING]).map_err(|error| Error::Corrupt(error.to_string()))?;
    Ok(seal_value(T::SPACE, key, bytes))
}

pub(crate) fn decode<T: Stored>(key: &[u8], bytes: &[u8]) -> Result<T> {
    let corrupt = || Error::Corrupt(format!("index value of `{:?}` at `{}`", T::SPACE, key.escape_ascii()));
    let payload = open_value(T::SPACE, key, bytes).ok_or_else(corrupt)?;
    match payload.split_first() {
        Some((&ENCODING, value)) => postcard::from_bytes(value).map_err(|_| corrupt()),
        _ => Err(corrupt()),
    }
}

fn seal_value(space: Space, key: &[u8], mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = value_crc(space, key, &bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

fn open_value<'a>(space: Space, key: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (payload, crc) = bytes.split_last_chunk::<4>()?;
    (value_crc(space, key, payload) == u32::from_le_bytes(*crc)).then_some(payload)
}

fn value_crc(space: Space, key: &[u8], payload: &[u8]) -> u32 {
    let mut crc = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    crc.update(&[space as u8]);
    crc.update(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes());
    crc.update(key);
    crc.update(payload);
    u32::try_from(crc.finalize()).unwrap_or(0)
}

impl From<IndexError> for Error {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Full => Self::Full,
            IndexError::Failed(message) => Self::Io(message),
        }
    }
}

/// Whether a scan goes on.
pub(crate) enum Step {
    Next,
    Stop,
}

pub(crate) fn load<T: Stored>(view: &dyn View, key: &[u8]) -> Result<Option<T>> {
    view.get(T::SPACE, key)?.map(|bytes| decode(key, &bytes)).transpose()
}

/// Visits the decoded values of a range of keys in order.
pub(crate) fn each<T: Stored>(
    view: &dyn View,
    from: &[u8],
    to: Option<&[u8]>,
    visit: &mut dyn FnMut(&[u8], T) -> Result<Step>,
) -> Result<()> {
    let mut result = Ok(());
    view.scan(T::SPACE, from, to, &mut |key, bytes| match decode(key, bytes)
        .and_then(|value| visit(key, value))
    {
        Ok(Step::Next) => true,
        Ok(Step::Stop) => false,
        Err(error) => {
            result = Err(error);
            false
        }
    })?;
    result
}

/// The first value of a range of keys.
pub(crate) fn first<T: Stored>(
    view: &dyn View,
    from: &[u8],
    to: Option<&[u8]>,
) -> Result<Option<(Vec<u8>, T)>> {
    let mut found = None;
    each(view, from, to, &mut |key, value| {
        found = Some((key.to_vec(), value));
        Ok(Step::Stop)
    })?;
    Ok(found)
}

/// What stood among the changes for a key, if anything did.
type Undo = ((Space, Vec<u8>), Option<Option<Vec<u8>>>);

/// A state with changes on top, as the changes of one batch see it.
pub(crate) struct Overlay<'a> {
    below: &'a dyn View,
    changes: Changes,
    undo: Vec<Undo>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(below: &'a dyn View) -> Self {
        Self { below, changes: Changes::new(), undo: Vec::new() }
    }

    pub(crate) fn store<T: Stored>(&mut self, key: Vec<u8>, value: &T) -> Result<()> {
        let bytes = encode(&key, value)?;
        self.set(T::SPACE, key, Some(bytes));
        Ok(())
    }

    pub(crate) fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.set(space, key, None);
    }

    pub(crate) fn set(&mut self, space: Space, key: Vec<u8>, value: Option<Vec<u8>>) {
        let at = (space, key);
        let before = self.changes.insert(at.clone(), value);
        self.undo.push((at, before));
    }

    /// A place to come back to.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back all that was changed since the mark.
    pub(crate) fn roll_back(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some((at, Some(before))) => self.changes.insert(at, before),
                Some((at, None)) => self.changes.remove(&at).flatten().map(Some),
                None => return,
            };
        }
    }

    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}

impl View for Overlay<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        match self.changes.get(&(space, key.to_vec())) {
            Some(changed) => Ok(changed.clone()),
            None => self.below.get(space, key),
        }
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), IndexError> {
        let start = (space, from.to_vec());
        let inside = |key: &Vec<u8>| to.is_none_or(|to| key.as_slice() < to);
        let mut above = self
            .changes
            .range(start..)
            .take_while(|((changed, key), _)| *changed == space && inside(key))
            .map(|((_, key), value)| (key.as_slice(), value.as_deref()))
            .peekable();
        let mut stopped = false;
        self.below.scan(space, from, to, &mut |key, value| {
            while let Some((new, changed)) = above.next_if(|(new, _)| *new < key) {
                if changed.is_some_and(|changed| !visit(new, changed)) {
                    stopped = true;
                    return false;
                }
            }
            let go_on = match above.next_if(|(new, _)| *new == key) {
                Some((_, Some(changed))) => visit(key, changed),
                Some((_, None)) => true,
                None => visit(key, value),
            };
            stopped = !go_on;
            go_on
        })?;
        if !stopped {
            above.find(|(key, value)| value.is_some_and(|value| !visit(key, value)));
        }
        Ok(())
    }
}
