//! A file that gets a line for each event.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use daypass_core::event_queue::QueuedEvent;

use super::{Failure, Fault, Outcome};

/// A file of JSON documents, one a line.
pub(super) struct Lines(Mutex<File>);

impl Lines {
    /// Opens the file, or makes it, for its owner alone. A line that a crash tore is ended.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let named = || format!("`{}`", path.display());
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .with_context(named)?;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0)).with_context(named)? > 0 {
            file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).with_context(named)?;
        }
        if last != [b'\n'] {
            file.write_all(b"\n").with_context(named)?;
        }
        Ok(Self(Mutex::new(file)))
    }

    pub(super) async fn deliver(self: Arc<Self>, events: &[QueuedEvent]) -> Outcome {
        let text: String = events.iter().flat_map(|event| [event.body.as_str(), "\n"]).collect();
        let written = tokio::task::spawn_blocking(move || self.write(&text)).await;
        match written {
            Ok(Ok(())) => Outcome { taken: events.len(), failure: None },
            Ok(Err(error)) => failed(error.to_string()),
            Err(error) => failed(error.to_string()),
        }
    }

    /// All of it, on disk, or nothing.
    fn write(&self, text: &str) -> std::io::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = file.seek(SeekFrom::End(0))?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            file.set_len(before)?;
        }
        written
    }
}

fn failed(why: String) -> Outcome {
    Outcome { taken: 0, failure: Some(Failure { why, at: Fault::Place }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_torn_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        Lines::open(&path).unwrap().write("{\"a\":1}\n").unwrap();
        std::fs::write(&path, "{\"a\":1}\n{\"to").unwrap();
        Lines::open(&path).unwrap().write("{\"b\":2}\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"to\n{\"b\":2}\n");
    }
}
