//! What a server does beside answering requests.

use std::sync::Arc;
use std::time::Duration;

use daypass_compute::{Event, StopReason};
use daypass_core::model::Timestamp;
use daypass_core::store::records::Account;
use daypass_core::store::{Read as _, StoreError};
use daypass_core::{State, delegation};
use daypass_ec2::{Reconciler, machines};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::deliveries::{self, Deliveries};
use crate::machines::DriverMachines;
use crate::objects;
use crate::server::Server;
use crate::server::http::Stop;

/// When roles and keys were last used is written this often.
const LAST_USED_EVERY: Duration = Duration::from_secs(5);

/// Requests for temporary delegation whose time is over are looked for this often.
const DELEGATION_EVERY: Duration = Duration::from_secs(60);

/// Records of the audit log that have had their time are looked for this often.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// Keys that are to be deleted or rotated are looked for this often.
const KEYS_EVERY: Duration = Duration::from_secs(60);

/// The work under way.
pub(crate) struct Work {
    tasks: JoinSet<()>,
    server: Arc<Server>,
}

/// Starts it.
pub(crate) fn start(
    server: &Arc<Server>,
    events: UnboundedReceiver<Event>,
    deliveries: Deliveries,
    api_port: u16,
    audit_days: u32,
    stop: &Stop,
) -> Work {
    let mut tasks = JoinSet::new();
    tasks.spawn(write_last_used(Arc::clone(server)));
    tasks.spawn(forget_audit(Arc::clone(server), audit_days));
    tasks.spawn(objects::move_records(Arc::clone(server)));
    tasks.spawn(objects::give_back_room(Arc::clone(server)));
    tasks.spawn(objects::scrub(Arc::clone(server)));
    tasks.spawn(objects::end_lifetimes(Arc::clone(server)));
    tasks.spawn(objects::replicate(Arc::clone(server)));
    tasks.spawn(objects::deliver_access_logs(Arc::clone(server)));
    tasks.spawn(deliveries::forget_lost(Arc::clone(server)));
    for delivery in deliveries.work(server) {
        tasks.spawn(delivery);
    }
    tasks.spawn(keep_up_keys(Arc::clone(server)));
    tasks.spawn(end_delegation_requests(Arc::clone(server)));
    if let Ok(driver) = server.driver() {
        let machines = DriverMachines::new(Arc::clone(driver), Arc::clone(server), api_port, stop.clone());
        let (reconciler, tell) = Reconciler::new(server.shared_state(), Arc::new(machines));
        tasks.spawn(async move {
            if let Err(error) = reconciler.run().await {
                tracing::error!(%error, "instances are no longer made what they should be");
            }
        });
        tasks.spawn(tell_events(Arc::clone(server), events, tell));
    }
    Work { tasks, server: Arc::clone(server) }
}

impl Work {
    /// Ends it; what can still be written is.
    pub(crate) async fn end(mut self) {
        self.tasks.shutdown().await;
        // What instances ask for is answered, and seen, before the last lines of logs are delivered.
        drop(self.server.serving().write_owned().await);
        self.server.access_log().deliver().await;
        objects::move_all_records(self.server.state()).await;
        if let Err(error) = self.server.gate().write_last_used().await {
            tracing::warn!(%error, "when roles and keys were last used could not be written");
        }
    }
}

async fn write_last_used(server: Arc<Server>) {
    loop {
        tokio::time::sleep(LAST_USED_EVERY).await;
        if let Err(error) = server.gate().write_last_used().await {
            tracing::warn!(%error, "when roles and keys were last used could not be written");
        }
    }
}

/// Deletes and rotates the keys of KMS that are due.
async fn keep_up_keys(server: Arc<Server>) {
    loop {
        if let Err(error) = daypass_kms::upkeep(server.state()).await {
            tracing::error!(?error, "keys of KMS could not be deleted or rotated on time");
        }
        tokio::time::sleep(KEYS_EVERY).await;
    }
}

/// Has requests for temporary delegation expire, tells their partners, and forgets those of long ago.
async fn end_delegation_requests(server: Arc<Server>) {
    loop {
        if let Err(error) = delegation::end_overdue(server.state()).await {
            tracing::error!(%error, "requests for temporary delegation whose time is over were not looked after");
        }
        tokio::time::sleep(DELEGATION_EVERY).await;
    }
}

/// Keeps the audit log from growing for ever.
async fn forget_audit(server: Arc<Server>, days: u32) {
    loop {
        let state = server.state();
        let before = state.clock.now().plus_seconds(-i64::from(days) * 86_400);
        if let Err(error) = forget_before(state, before).await {
            tracing::warn!(%error, "old records of the audit log could not be removed");
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

async fn forget_before(state: &State, before: Timestamp) -> Result<(), StoreError> {
    let accounts = state.store.read(|tx| tx.all::<Account>(&Account::all()))?;
    for account in accounts {
        state.store.forget_audit(&account.id, before).await?;
    }
    Ok(())
}

/// Passes on what the driver tells.
async fn tell_events(
    server: Arc<Server>,
    mut events: UnboundedReceiver<Event>,
    tell: UnboundedSender<machines::Event>,
) {
    while let Some(event) = events.recv().await {
        match event {
            Event::Stopped { id, reason } => {
                let event =
                    machines::Event::Stopped { id: id.into(), by_itself: reason == StopReason::Shutdown };
                if tell.send(event).is_err() {
                    return;
                }
            }
            // Another driver cannot be started: this process gave up the right to. What runs, runs on and is served.
            Event::Lost => {
                let why = "the instance driver has ended; restart the server to have another";
                tracing::error!("{why}");
                server.state().instances.set(Err(why.to_owned()));
            }
        }
    }
}
