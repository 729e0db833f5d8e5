//! Holding a state of the server still while a command copies it.
//!
//! The process that parses requests can write nowhere but in its data directory, so it copies only the two databases, and
//! there; the command, which is its owner's, copies everything from there to where it was told to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use daypass_core::objects::local::{Frozen as FrozenObjects, Local};
use daypass_core::store::{Frozen as FrozenState, StoreError};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use super::protocol::{FileReply, Reply};
use crate::server::Server;

/// Where the databases of a backup are for as long as it is copied.
pub(crate) const FOLDER: &str = "backup.tmp";

/// Freezes the state, tells what to copy, and holds it until the other end goes away.
pub(super) async fn hold(server: &Server, stream: &mut UnixStream) -> Result<()> {
    let Ok(_alone) = server.backing_up().try_lock() else {
        return super::server::say(stream, &super::server::failed("another backup is under way")).await;
    };
    let held = freeze_and_tell(server, stream).await;
    // whatever became of it
    clear(server.data())?;
    held
}

async fn freeze_and_tell(server: &Server, stream: &mut UnixStream) -> Result<()> {
    let (data, local) = (server.data().to_owned(), std::sync::Arc::clone(server.local()));
    let store = server.state().store.clone();
    let frozen = tokio::task::spawn_blocking(move || {
        store.flush_audit()?;
        freeze(&data, &local)
    });
    let frozen = frozen.await?;
    match frozen {
        Ok((_held, files)) => {
            super::server::say(stream, &Reply::Backup { files }).await?;
            // nothing more is said: it ends when the other end does
            let _ = stream.read(&mut [0]).await;
            Ok(())
        }
        Err(error) => super::server::say(stream, &super::server::failed(&format!("{error:#}"))).await,
    }
}

/// Takes away what a backup left here.
pub(crate) fn clear(data: &Path) -> Result<()> {
    match fs::remove_dir_all(data.join(FOLDER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("`{}/{FOLDER}` cannot be removed", data.display()))
        }
        _ => Ok(()),
    }
}

/// The state of both stores at one moment, and the files that hold it.
fn freeze(data: &Path, local: &Local) -> Result<(FrozenObjects, Vec<FileReply>)> {
    let (state, objects) = FrozenState::with(data, || local.freeze().map_err(StoreErrorOf::Objects))
        .map_err(anyhow::Error::from)?;
    let folder = data.join(FOLDER);
    clear(data)?;
    fs::create_dir(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    let mut files = vec![];
    let mut add = |from: PathBuf, to: &str| -> Result<()> {
        let bytes = fs::metadata(data.join(&from))?.len();
        files.push(FileReply { from, to: PathBuf::from(to), bytes });
        Ok(())
    };
    state.copy(&folder.join("state.db"))?;
    add(Path::new(FOLDER).join("state.db"), "state.db")?;
    objects.copy_index(&folder.join("index.sqlite"))?;
    add(Path::new(FOLDER).join("index.sqlite"), "objects/index.sqlite")?;
    add("server.json".into(), "server.json")?;
    add("objects/format".into(), "objects/format")?;
    for segment in objects.segments()? {
        let place = Path::new("objects/segments").join(&segment.name);
        let there = fs::metadata(data.join(&place)).with_context(|| format!("`{}`", place.display()))?;
        let bytes = there.len().min(segment.bytes);
        files.push(FileReply { from: place.clone(), to: place, bytes });
    }
    Ok((objects, files))
}

/// Either store's failure.
#[derive(Debug)]
enum StoreErrorOf {
    State(StoreError),
    Objects(daypass_core::objects::Error),
}

impl From<StoreError> for StoreErrorOf {
    fn from(error: StoreError) -> Self {
        Self::State(error)
    }
}

impl From<StoreErrorOf> for anyhow::Error {
    fn from(error: StoreErrorOf) -> Self {
        match error {
            StoreErrorOf::State(error) => error.into(),
            StoreErrorOf::Objects(error) => error.into(),
        }
    }
}
