//! The data directory: who may use it, who uses it now, and what is in it.
//!
//! | file | what |
//! |---|---|
//! | `lock` | held while a server runs; its process id |
//! | `root.key` | the key that opens everything else; 0600 |
//! | `server.json` | account and region, as they were at the first start |
//! | `daypass.sock` | where the owner's commands reach the server |
//! | `state.db` | all records and the audit log |
//! | `audit-0.journal`, `audit-1.journal` | audit records on their way to `state.db` |
//! | `objects/` | the bytes of S3 objects |
//! | `oidc-keys/` | key sets of issuers that cannot be reached, from the operator: JSON files, each with its `issuer` |
//! | `instances/` | root file systems and run state of instances |

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use daypass_core::model::AccountId;
use daypass_core::{Entropy as _, RootKey, Secret};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::system::SystemEntropy;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// The directory that was asked for, or the one that a server has by default.
#[expect(clippy::disallowed_methods, reason = "the default place depends on who runs the command")]
pub(crate) fn directory(asked: Option<PathBuf>) -> Result<PathBuf> {
    let default = || {
        if nix::unistd::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/daypass"));
        }
        let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        base.or_else(home).map(|p| p.join("daypass")).context("there is no home directory: give `--data DIR`")
    };
    let path = asked.map_or_else(default, Ok)?;
    // The server and its instances name it from other working directories.
    std::path::absolute(&path).with_context(|| format!("`{}` is no path", path.display()))
}

/// Where the owner's commands reach the server.
pub(crate) fn socket(directory: &Path) -> PathBuf {
    directory.join("daypass.sock")
}

/// A data directory that this process alone uses.
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: Flock<File>,
}

/// What is fixed at the first start.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) account: AccountId,
    pub(crate) region: String,
}

impl DataDirectory {
    /// Makes the directory if need be, and takes it.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let shown = path.display().to_string();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("`{shown}` cannot be made"))?;
        let meta = fs::metadata(&path).with_context(|| format!("`{shown}` cannot be read"))?;
        if meta.uid() != nix::unistd::geteuid().as_raw() {
            bail!("`{shown}` belongs to another user: run as its owner, or give `--data DIR`");
        }
        if meta.mode() & 0o022 != 0 {
            bail!("`{shown}` can be written by others: `chmod go-w {shown}` first");
        }
        let lock = path.join("lock");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let file = file.with_context(|| format!("`{}` cannot be opened", lock.display()))?;
        let mut held = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => held,
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
                let mut owner = String::new();
                let _ = file.read_to_string(&mut owner);
                bail!(
                    "a server runs on `{shown}` already (process {}): stop it first, or give another `--data DIR`",
                    owner.trim()
                );
            }
            Err((_, error)) => bail!("`{}` cannot be locked: {error}", lock.display()),
        };
        held.set_len(0)?;
        held.rewind()?;
        writeln!(held, "{}", std::process::id())?;
        Ok(Self { path, _lock: held })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The root key; made at the first start.
    pub(crate) fn root_key(&self) -> Result<RootKey> {
        let place = self.path.join("root.key");
        match read_root_key(&place)? {
            Some(key) => Ok(key),
            None => self.make_root_key(&place),
        }
    }

    fn make_root_key(&self, place: &Path) -> Result<RootKey> {
        if self.path.join("state.db").exists() {
            bail!(
                "`{}` is missing, and what `state.db` holds cannot be opened without it: restore it from a backup",
                place.display()
            );
        }
        let mut key = [0; 32];
        SystemEntropy.fill(&mut key);
        write_durably(place, &key).with_context(|| format!("`{}` cannot be written", place.display()))?;
        let secret = Secret::new(key);
        key.zeroize();
        Ok(secret)
    }

    /// Account and region: as they were at the first start, or as this one says if it is the first.
    pub(crate) fn settings(&self, account: Option<AccountId>, region: Option<String>) -> Result<Settings> {
        let place = self.path.join("server.json");
        if place.exists() {
            let known = Settings::of(&self.path)?;
            if let Some(asked) = account.filter(|a| *a != known.account) {
                bail!(
                    "this data directory is of account {}, not {asked}: leave `--account-id` out, or give another `--data DIR`",
                    known.account
                );
            }
            if let Some(asked) = region.filter(|r| *r != known.region) {
                bail!(
                    "this data directory has region {}, not {asked}: leave `--region` out, or give another `--data DIR`",
                    known.region
                );
            }
            return Ok(known);
        }
        let account = account.map_or_else(|| ACCOUNT.parse(), Ok).context("the account")?;
        let settings = Settings { account, region: region.unwrap_or_else(|| REGION.to_owned()) };
        let text = serde_json::to_vec_pretty(&settings)?;
        write_durably(&place, &text).with_context(|| format!("`{}` cannot be written", place.display()))?;
        Ok(settings)
    }
}

impl Settings {
    /// Those of a data directory that was made before.
    pub(crate) fn of(directory: &Path) -> Result<Self> {
        let place = directory.join("server.json");
        let bytes = fs::read(&place).with_context(|| format!("`{}` cannot be read", place.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("`{}` cannot be read", place.display()))
    }
}

/// The root key of this file, if there is one.
pub(crate) fn read_root_key(place: &Path) -> Result<Option<RootKey>> {
    let mut bytes = match fs::read(place) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("`{}` cannot be read", place.display())),
    };
    if fs::metadata(place)?.mode() & 0o077 != 0 {
        bail!("`{0}` can be read by others: `chmod 600 {0}` first", place.display());
    }
    let key = <[u8; 32]>::try_from(bytes.as_slice());
    bytes.zeroize();
    let key =
        key.map_err(|_| anyhow::anyhow!("`{}` is not a root key: it has not 32 bytes", place.display()))?;
    Ok(Some(Secret::new(key)))
}

/// Keeps servers from a directory while it is looked at; an error if one runs.
pub(crate) fn lock_to_look(directory: &Path) -> Result<Option<Flock<File>>> {
    // without the file no server ever ran here, or this is a copy
    let Ok(file) = File::open(directory.join("lock")) else { return Ok(None) };
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => Ok(Some(held)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            bail!("a server runs on `{}`: stop it first, or check a backup of it", directory.display())
        }
        Err((_, error)) => bail!("`{}` cannot be locked: {error}", directory.display()),
    }
}

/// Writes a file that is there whole or not at all, readable by its owner alone.
pub(crate) fn write_durably(place: &Path, bytes: &[u8]) -> Result<()> {
    let draft = place.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, place)?;
    if let Some(folder) = place.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
