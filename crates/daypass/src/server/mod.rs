//! A running server: what it stands on, and the sockets that lead to it.

pub(crate) mod http;
mod reads;
pub(crate) mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use daypass_compute::Driver;
use daypass_core::model::Timestamp;
use daypass_core::objects::local::Local;
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{Read as _, StoreError};
use daypass_core::{Clock as _, Entry, Gate, State};
use daypass_s3::{AccessLog, Attachments};

use tokio::sync::{Mutex, RwLock};

use crate::system::SystemClock;

/// Every operation of every service.
pub(crate) fn operations() -> impl Iterator<Item = &'static Entry> {
    [
        daypass_accessanalyzer::OPERATIONS,
        daypass_cloudtrail::OPERATIONS,
        daypass_ec2::OPERATIONS,
        daypass_iam::OPERATIONS,
        daypass_kms::OPERATIONS,
        daypass_organizations::OPERATIONS,
        daypass_s3::OPERATIONS,
        daypass_ssm::OPERATIONS,
        daypass_sts::OPERATIONS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A running server.
pub(crate) struct Server {
    gate: Gate,
    access_log: Arc<AccessLog>,
    endpoint: String,
    started: Timestamp,
    /// What runs instances, or why nothing does.
    driver: Result<Arc<dyn Driver>, String>,
    /// The object store, for those who copy it.
    local: Arc<Local>,
    /// Buckets in other stores.
    attachments: Attachments,
    data: PathBuf,
    /// Held while a backup is copied.
    backing_up: Mutex<()>,
    /// Shared by all who answer at a listener.
    serving: Arc<RwLock<()>>,
    connections: Arc<reads::Connections>,
}

impl Server {
    pub(crate) fn new(
        gate: Gate,
        endpoint: String,
        driver: Result<Arc<dyn Driver>, String>,
        (local, attachments): (Arc<Local>, Attachments),
        data: PathBuf,
    ) -> Self {
        let access_log = Arc::new(AccessLog::new(Arc::clone(gate.state())));
        let gate = gate.observed_by(Arc::clone(&access_log) as _);
        Self {
            gate,
            access_log,
            endpoint,
            started: SystemClock.now(),
            driver,
            local,
            attachments,
            data,
            backing_up: Mutex::new(()),
            serving: Arc::default(),
            connections: Arc::default(),
        }
    }

    /// Buckets in other stores.
    pub(crate) fn attachments(&self) -> &Attachments {
        &self.attachments
    }

    /// The object store, for those who copy it.
    pub(crate) fn local(&self) -> &Arc<Local> {
        &self.local
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Held while a backup is copied: there is one at a time.
    pub(crate) fn backing_up(&self) -> &Mutex<()> {
        &self.backing_up
    }

    /// Shared by all who answer at a listener: who has it alone knows that nobody does any more.
    pub(crate) fn serving(&self) -> Arc<RwLock<()>> {
        Arc::clone(&self.serving)
    }

    /// The open connections, which share what they take in at once.
    pub(crate) fn connections(&self) -> &Arc<reads::Connections> {
        &self.connections
    }

    /// What runs instances.
    pub(crate) fn driver(&self) -> Result<&Arc<dyn Driver>, String> {
        self.driver.as_ref().map_err(|why| format!("no instances can run here: {why}"))
    }

    /// What is logged of requests to buckets.
    pub(crate) fn access_log(&self) -> &AccessLog {
        &self.access_log
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn state(&self) -> &State {
        self.gate.state()
    }

    /// The same, for what outlives a request.
    pub(crate) fn shared_state(&self) -> Arc<State> {
        Arc::clone(self.gate.state())
    }

    /// The address that clients are told.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn uptime_seconds(&self) -> u64 {
        u64::try_from(SystemClock.now().seconds() - self.started.seconds()).unwrap_or(0)
    }

    /// Why there can be no instances here, if so.
    pub(crate) fn instances_unavailable(&self) -> Option<String> {
        self.state().instances.check().err()
    }

    /// Every account's instances that are not gone.
    pub(crate) fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        let state = self.state();
        let prefix = daypass_core::store::Prefix::new(&["ec2"]);
        let all = state.store.read(|tx| {
            let keys = tx.keys(&prefix, None, usize::MAX)?;
            keys.iter()
                .filter(|key| key.parts().nth(3).as_deref() == Some("instance"))
                .map(|key| tx.get::<Instance>(key))
                .collect::<Result<Vec<_>, StoreError>>()
        })?;
        Ok(all.into_iter().flatten().filter(|i| i.state != InstanceState::Terminated).collect())
    }
}

/// Whether nobody but this machine can reach the address.
pub(crate) fn is_loopback(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(v4) => v4.is_loopback(),
        std::net::IpAddr::V6(v6) => v6.is_loopback(),
    }
}
