//! Where events go: HTTP servers and files that the operator names for the ARNs of destinations, and for nobody else to
//! choose. Each destination has its turn by itself; what cannot be delivered waits, for a day at most, and is tried again
//! more and more rarely. One message that is never taken does not hold up the others. A message may arrive twice.

mod file;
mod http;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ::http::Uri;
use anyhow::{Result, anyhow, bail};
use daypass_core::event_queue::QueuedEvent;
use daypass_core::{Destinations, State};

use crate::server::Server;
use file::Lines;
use http::Receiver;

/// What waits is looked for this often.
const EVERY: Duration = Duration::from_millis(500);
/// After a failure it is tried again after this, and after each further one twice as late, up to the most.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(300);
/// So many are delivered before they are forgotten together.
const AT_ONCE: usize = 50;
/// A message that its receiver does not take is tried so often before those behind it are. If the receiver refuses it for good,
/// or takes one of them and not this one right after, it is let go.
const MAX_REFUSALS: u32 = 5;
/// Those behind are tried for about so long, at most.
const MAX_LOOK_SECONDS: i64 = 30;
/// Messages for destinations that are none any more are looked for this often.
const LOST_EVERY: Duration = Duration::from_secs(3600);

/// A destination and its place, as the operator gives them: `ARN=https://…`, `ARN=http://…` or `ARN=file:/…`.
#[derive(Clone)]
pub(crate) struct EventDestination {
    arn: String,
    place: Place,
}

/// It may hold what lets in there, so it is told nobody.
#[derive(Clone)]
enum Place {
    Server(Uri),
    File(std::path::PathBuf),
}

impl FromStr for EventDestination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (arn, place) = text.split_once('=').ok_or("it is an ARN, `=` and a place")?;
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", "aws", service @ ("sqs" | "sns" | "lambda" | "events"), region, account, name] =
            parts.as_slice()
        else {
            return Err(format!("`{arn}` is not the ARN of a queue, topic, function or event bus"));
        };
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if region.is_empty() || !is_account || name.is_empty() {
            return Err(format!("`{arn}` lacks a region, an account or a name"));
        }
        if *service == "events" && *name != "event-bus/default" {
            return Err("S3 tells only the event bus `event-bus/default`".to_owned());
        }
        if let Some(path) = place.strip_prefix("file:") {
            if !path.starts_with('/') {
                return Err(format!("the file of `{arn}` has no absolute path"));
            }
            return Ok(Self { arn: arn.to_owned(), place: Place::File(path.into()) });
        }
        let uri: Uri = place.parse().map_err(|_| format!("the place of `{arn}` is no address"))?;
        let known = matches!(uri.scheme_str(), Some("https" | "http"));
        if !known
            || uri.host().is_none_or(str::is_empty)
            || uri.authority().is_some_and(|a| a.as_str().contains('@'))
        {
            return Err(format!("the place of `{arn}` is not `https://…`, `http://…` or `file:/…`"));
        }
        Ok(Self { arn: arn.to_owned(), place: Place::Server(uri) })
    }
}

/// The destinations that are delivered to, with what has to be opened for them open.
pub(crate) struct Deliveries(Vec<Delivery>);

struct Delivery {
    arn: String,
    way: Way,
}

enum Way {
    Http(Receiver),
    File(Arc<Lines>),
}

impl Deliveries {
    /// Opens files and reads what certificates are trusted.
    ///
    /// # Errors
    /// If one is none, a file cannot be opened, or a destination has two places.
    pub(crate) fn open(destinations: &[String]) -> Result<Self> {
        let mut deliveries: Vec<Delivery> = vec![];
        for text in destinations {
            // Read here and not with the command line, for whatever is wrong there is shown.
            let destination = text.parse();
            let EventDestination { arn, place } =
                destination.map_err(|why: String| anyhow!("`--event-destination`: {why}"))?;
            if deliveries.iter().any(|known| known.arn == arn) {
                bail!("`{arn}` has two places");
            }
            let way = match place {
                Place::File(path) => Way::File(Arc::new(Lines::open(&path)?)),
                Place::Server(uri) => Way::Http(Receiver::new(uri)?),
            };
            deliveries.push(Delivery { arn, way });
        }
        Ok(Self(deliveries))
    }

    /// What requests may name.
    pub(crate) fn destinations(&self) -> Destinations {
        Destinations::new(self.0.iter().map(|delivery| delivery.arn.as_str()))
    }

    /// The work of each, for as long as the server runs.
    pub(crate) fn work(self, server: &Arc<Server>) -> impl Iterator<Item = impl Future<Output = ()> + use<>> {
        let server = Arc::clone(server);
        self.0.into_iter().map(move |delivery| delivery.run(Arc::clone(&server)))
    }
}

/// Forgets what waits for destinations that are none any more, for as long as the server runs.
pub(crate) async fn forget_lost(server: Arc<Server>) {
    loop {
        if let Err(error) = daypass_core::event_queue::forget_lost_destinations(server.state()).await {
            tracing::error!(%error, "events for destinations without a place could not be let go");
        }
        tokio::time::sleep(LOST_EVERY).await;
    }
}

/// What became of some messages.
struct Outcome {
    /// So many of the first were taken.
    taken: usize,
    failure: Option<Failure>,
}

/// Why the next one was not.
struct Failure {
    why: String,
    at: Fault,
}

/// Whose fault it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing could have been delivered now.
    Place,
    /// The receiver was reached and did not take it: it may be ill, or choke on this message.
    Unknown,
    /// The receiver says that it will never have this message.
    Message,
}

/// The deliveries to one destination, as they go on.
struct Turn {
    delivery: Delivery,
    /// The numbers of messages that were not taken, and how often.
    refused: BTreeMap<u64, u32>,
}

impl Delivery {
    async fn run(self, server: Arc<Server>) {
        let mut turn = Turn::new(self);
        let mut wait = EVERY;
        loop {
            tokio::time::sleep(wait).await;
            wait = match turn.round(server.state()).await {
                Ok(Round { failure: None, .. }) => EVERY,
                Ok(Round { failure: Some(why), moved }) => {
                    let first = moved || wait < AGAIN_AFTER;
                    let next = if first { AGAIN_AFTER } else { (wait * 2).min(AGAIN_AT_MOST) };
                    let destination = &turn.delivery.arn;
                    tracing::warn!(destination, "events wait, and are tried again in {next:?}: {why}");
                    next
                }
                Err(error) => {
                    let destination = &turn.delivery.arn;
                    tracing::error!(%error, destination, "events that wait could not be looked at");
                    AGAIN_AFTER
                }
            };
        }
    }

    async fn deliver(&self, events: &[QueuedEvent]) -> Outcome {
        match &self.way {
            Way::Http(receiver) => receiver.deliver(&self.arn, events).await,
            Way::File(lines) => Arc::clone(lines).deliver(events).await,
        }
    }
}

/// How far it went.
struct Round {
    /// Whether some do not wait any more.
    moved: bool,
    /// Why the others do.
    failure: Option<String>,
}

impl Turn {
    fn new(delivery: Delivery) -> Self {
        Self { delivery, refused: BTreeMap::new() }
    }

    /// Delivers what waits, in its order: behind a message that is not taken the others wait, until it was tried
    /// [`MAX_REFUSALS`] times.
    async fn round(&mut self, state: &State) -> Result<Round> {
        let mut moved = false;
        loop {
            let events = daypass_core::event_queue::waiting_events(state, &self.delivery.arn, AT_ONCE)?;
            let found = events.len();
            let events = daypass_core::event_queue::without_old(state, events).await?;
            moved |= events.len() < found;
            self.refused.retain(|number, _| events.iter().any(|event| event.number == *number));
            if found == 0 {
                return Ok(Round { moved, failure: None });
            }
            if events.is_empty() {
                continue;
            }
            let Outcome { taken, failure } = self.delivery.deliver(&events).await;
            let (taken, rest) = events.split_at(taken.min(events.len()));
            daypass_core::event_queue::forget_events(state, taken, false).await?;
            moved |= !taken.is_empty();
            let (Some(failure), Some((first, behind))) = (failure, rest.split_first()) else { continue };
            if self.count(first, failure.at) < MAX_REFUSALS
                || (failure.at != Fault::Message && !self.look_behind(state, behind).await?)
            {
                return Ok(Round { moved, failure: Some(failure.why) });
            }
            moved = true;
            if failure.at == Fault::Message {
                self.let_go(state, std::slice::from_ref(first), &failure.why).await?;
            } else if self.deliver_alone(state, first).await?.is_some_and(|at| at != Fault::Place) {
                self.let_go(state, rest, &failure.why).await?;
            }
        }
    }

    /// Delivers one message out of its turn, and says whose fault it was if it was not taken.
    async fn deliver_alone(&mut self, state: &State, event: &QueuedEvent) -> Result<Option<Fault>> {
        let alone = std::slice::from_ref(event);
        if let Some(Failure { at, .. }) = self.delivery.deliver(alone).await.failure {
            return Ok(Some(at));
        }
        self.refused.remove(&event.number);
        daypass_core::event_queue::forget_events(state, alone, false).await?;
        Ok(None)
    }

    /// How often the message was not taken.
    fn count(&mut self, event: &QueuedEvent, at: Fault) -> u32 {
        let tried = self.refused.entry(event.number).or_default();
        *tried += u32::from(at != Fault::Place);
        *tried
    }

    /// Whether the receiver takes any that wait behind one that it does not take. Those are delivered then.
    async fn look_behind(&mut self, state: &State, behind: &[QueuedEvent]) -> Result<bool> {
        let begun = state.clock.now();
        let (mut any, mut failed) = (false, vec![]);
        for event in behind {
            match self.deliver_alone(state, event).await? {
                None => any = true,
                Some(Fault::Place) => break,
                Some(at) => failed.push((event, at)),
            }
            if state.clock.now() > begun.plus_seconds(MAX_LOOK_SECONDS) {
                break;
            }
        }
        // Of a receiver that takes nothing it is not known whose fault that is.
        for (event, at) in failed.into_iter().filter(|_| any) {
            self.count(event, at);
        }
        Ok(any)
    }

    /// Lets go of those that were tried often enough.
    async fn let_go(&mut self, state: &State, events: &[QueuedEvent], why: &str) -> Result<()> {
        let often =
            |event: &&QueuedEvent| self.refused.get(&event.number).is_some_and(|n| *n >= MAX_REFUSALS);
        let events: Vec<QueuedEvent> = events.iter().filter(often).cloned().collect();
        let (number, destination) = (events.len(), &self.delivery.arn);
        tracing::error!(number, destination, "events that their receiver does not take are let go: {why}");
        Ok(daypass_core::event_queue::forget_events(state, &events, true).await?)
    }
}

#[cfg(test)]
mod tests;
