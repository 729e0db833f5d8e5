//! The store of S3's objects: opened, and kept in order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use daypass_core::objects::Timestamp;
use daypass_core::objects::local::{Local, Options};
use daypass_core::{Entropy as _, KeyRing, ObjectKeys, State, outbox};

use crate::server::Server;
use crate::system::SystemEntropy;

/// Audit records of objects reach the log within this time.
const RECORDS_EVERY: Duration = Duration::from_secs(1);
/// What waits to be replicated is looked for this often.
const REPLICAS_EVERY: Duration = Duration::from_secs(1);
/// The room of what is gone is given back this often.
const ROOM_EVERY: Duration = Duration::from_secs(60);
/// Stored bytes are read and checked this often, so many of them: all of a terabyte within about a month.
const SCRUB_EVERY: Duration = Duration::from_secs(10);
const SCRUBBED_BYTES: u64 = 4 << 20;
/// Once all were, it begins again after this.
const SCRUB_AGAIN: Duration = Duration::from_secs(6 * 3600);
/// What a lifecycle lets go is looked for this often at least, and four times in what it calls a day. Lifetimes end at midnight
/// UTC.
const LIFETIMES_EVERY: Duration = Duration::from_secs(3600);

/// Access logs are delivered this often; whether there is so much of them that it has to be sooner is looked at this often.
const ACCESS_LOGS_EVERY: Duration = Duration::from_secs(60);
const MUCH_LOOKED_FOR_EVERY: Duration = Duration::from_secs(1);

/// Opens the store in the data directory, or makes it.
pub(crate) fn open(data: &Path, ring: &KeyRing) -> Result<Local> {
    let mut options = Options::new(Box::new(|buffer: &mut [u8]| SystemEntropy.fill(buffer)));
    options.keyring = Arc::new(ObjectKeys::of(ring));
    // The runtime has a thread for each processor; half of them at most wait for the disk.
    options.lookups_here = std::thread::available_parallelism().map_or(1, usize::from) / 2;
    let place = data.join("objects");
    Local::open(&place, options).with_context(|| format!("`{}`", place.display()))
}

/// Moves audit records to the log, for as long as the server runs.
pub(crate) async fn move_records(server: Arc<Server>) {
    loop {
        tokio::time::sleep(RECORDS_EVERY).await;
        move_all_records(server.state()).await;
    }
}

/// Moves those that wait.
pub(crate) async fn move_all_records(state: &State) {
    if let Err(error) = outbox::drain(state).await {
        tracing::error!(%error, "audit records of objects could not be moved to the log; they stay where they are");
    }
    if let Err(error) = daypass_s3::queue_events(state).await {
        tracing::error!(%error, "events could not be made ready for their delivery; they stay where they are");
    }
}

/// Replicates what the replication of buckets is about, for as long as the server runs.
pub(crate) async fn replicate(server: Arc<Server>) {
    loop {
        tokio::time::sleep(REPLICAS_EVERY).await;
        if let Err(error) = daypass_s3::replicate_due(&server.shared_state()).await {
            tracing::error!(%error, "objects could not be replicated; they wait");
        }
    }
}

/// Gives back the room of what is gone, for as long as the server runs.
pub(crate) async fn give_back_room(server: Arc<Server>) {
    loop {
        tokio::time::sleep(ROOM_EVERY).await;
        let state = server.state();
        loop {
            let now = Timestamp(u64::try_from(state.clock.now().millis()).unwrap_or(0));
            match state.objects.collect(now).await {
                Ok(collected) if collected.more => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, "the room of objects that are gone could not be given back");
                    break;
                }
            }
        }
    }
}

/// Reads and checks all stored bytes, again and again, for as long as the server runs.
pub(crate) async fn scrub(server: Arc<Server>) {
    loop {
        let more = match server.state().objects.scrub(SCRUBBED_BYTES).await {
            Ok(scrubbed) => scrubbed.more,
            Err(error) => {
                tracing::error!(%error, "stored bytes could not be checked");
                false
            }
        };
        tokio::time::sleep(if more { SCRUB_EVERY } else { SCRUB_AGAIN }).await;
    }
}

/// Delivers access logs, for as long as the server runs.
pub(crate) async fn deliver_access_logs(server: Arc<Server>) {
    let mut waited = Duration::ZERO;
    loop {
        tokio::time::sleep(MUCH_LOOKED_FOR_EVERY).await;
        waited += MUCH_LOOKED_FOR_EVERY;
        if waited >= ACCESS_LOGS_EVERY || server.access_log().has_much() {
            server.access_log().deliver().await;
            waited = Duration::ZERO;
        }
    }
}

/// Lets go what the lifecycles of buckets let go, for as long as the server runs.
pub(crate) async fn end_lifetimes(server: Arc<Server>) {
    let day = server.state().lifecycle_day;
    if day < LIFETIMES_EVERY * 24 {
        tracing::warn!(
            seconds = day.as_secs(),
            "lifecycles take this for a day: what they let go is gone that much sooner"
        );
    }
    loop {
        match daypass_s3::end_lifetimes(server.state()).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "lifecycles of buckets let go of objects"),
            Err(error) => tracing::error!(%error, "lifecycles of buckets could not be carried out"),
        }
        tokio::time::sleep(LIFETIMES_EVERY.min(day / 4)).await;
    }
}
