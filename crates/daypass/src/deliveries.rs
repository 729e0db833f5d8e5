//! Where events go: HTTP servers and files that the operator names for the ARNs of destinations, and for nobody else to
//! choose. Each destination has its turn by itself; what cannot be delivered waits, for a day at most, and is tried again
//! more and more rarely. A message may arrive twice.

mod file;
mod http;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ::http::Uri;
use anyhow::{Result, bail};
use daypass_core::Destinations;
use daypass_s3::QueuedEvent;

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
/// A message that nobody took for so long is let go (EventBridge user guide, "How EventBridge retries delivering events":
/// for up to 24 hours).
const MAX_AGE_SECONDS: i64 = 24 * 3600;
/// Messages for destinations that are none any more are looked for this often.
const LOST_EVERY: Duration = Duration::from_secs(3600);
/// A message that its receiver refuses is tried so often: it holds up those behind it.
const MAX_REFUSALS: u32 = 5;

/// A destination and its place, as the operator gives them: `ARN=https://…`, `ARN=http://…` or `ARN=file:/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventDestination {
    arn: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
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
                return Err(format!("`{place}` has no absolute path"));
            }
            return Ok(Self { arn: arn.to_owned(), place: Place::File(path.into()) });
        }
        let uri: Uri = place.parse().map_err(|_| format!("`{place}` is no address"))?;
        let known = matches!(uri.scheme_str(), Some("https" | "http"));
        if !known
            || uri.host().is_none_or(str::is_empty)
            || uri.authority().is_some_and(|a| a.as_str().contains('@'))
        {
            return Err(format!("`{place}` is not `https://…`, `http://…` or `file:/…`"));
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
    /// If a file cannot be opened, or a destination has two places.
    pub(crate) fn open(destinations: Vec<EventDestination>) -> Result<Self> {
        let mut deliveries: Vec<Delivery> = vec![];
        for EventDestination { arn, place } in destinations {
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
        if let Err(error) = daypass_s3::forget_lost_destinations(server.state()).await {
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
enum Failure {
    /// It could not be delivered now.
    Later(String),
    /// Its receiver will not have it.
    Refused(String),
}

impl Delivery {
    async fn run(self, server: Arc<Server>) {
        let (mut wait, mut refusals) = (EVERY, 0);
        loop {
            tokio::time::sleep(wait).await;
            wait = match self.round(&server, &mut refusals).await {
                Ok(None) => EVERY,
                Ok(Some(why)) => {
                    let next = if wait < AGAIN_AFTER { AGAIN_AFTER } else { (wait * 2).min(AGAIN_AT_MOST) };
                    tracing::warn!(
                        destination = self.arn,
                        "events wait, and are tried again in {next:?}: {why}"
                    );
                    next
                }
                Err(error) => {
                    tracing::error!(%error, destination = self.arn, "events that wait could not be looked at");
                    AGAIN_AFTER
                }
            };
        }
    }

    /// Delivers what waits; says why not all of it was, if so.
    async fn round(&self, server: &Server, refusals: &mut u32) -> Result<Option<String>> {
        let state = server.state();
        loop {
            let events = daypass_s3::waiting_events(state, &self.arn, AT_ONCE)?;
            if events.is_empty() {
                return Ok(None);
            }
            let oldest = state.clock.now().plus_seconds(-MAX_AGE_SECONDS);
            let (old, events): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.since < oldest);
            if !old.is_empty() {
                tracing::error!(
                    destination = self.arn,
                    number = old.len(),
                    "events that nobody took for a day are let go"
                );
                daypass_s3::forget_events(state, &old, true).await?;
            }
            let Outcome { taken, failure } = match &self.way {
                Way::Http(receiver) => receiver.deliver(&self.arn, &events).await,
                Way::File(lines) => Arc::clone(lines).deliver(&events).await,
            };
            let (taken, rest) = events.split_at(taken.min(events.len()));
            if !taken.is_empty() {
                *refusals = 0;
                daypass_s3::forget_events(state, taken, false).await?;
            }
            match failure {
                None => {}
                Some(Failure::Refused(why)) => {
                    *refusals += 1;
                    if *refusals < MAX_REFUSALS {
                        return Ok(Some(why));
                    }
                    tracing::error!(
                        destination = self.arn,
                        "an event that its receiver refuses is let go: {why}"
                    );
                    let first: Vec<QueuedEvent> = rest.first().cloned().into_iter().collect();
                    daypass_s3::forget_events(state, &first, true).await?;
                    *refusals = 0;
                }
                Some(Failure::Later(why)) => return Ok(Some(why)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_an_arn_and_a_place() {
        let arn = "arn:aws:sqs:us-east-1:123456789012:q";
        for (text, ok) in [
            (format!("{arn}=https://example.com/hook?a=b"), true),
            (format!("{arn}=http://127.0.0.1:8080/"), true),
            (format!("{arn}=file:/var/log/events.jsonl"), true),
            (format!("{arn}=file:events.jsonl"), false),
            (format!("{arn}=ftp://example.com/"), false),
            (format!("{arn}=https://user:secret@example.com/"), false),
            (format!("{arn}="), false),
            (arn.to_owned(), false),
            ("arn:aws:s3:::bucket=file:/x".to_owned(), false),
            ("arn:aws:sqs:us-east-1::q=file:/x".to_owned(), false),
            ("arn:aws:events:us-east-1:123456789012:event-bus/other=file:/x".to_owned(), false),
            ("arn:aws:events:us-east-1:123456789012:event-bus/default=file:/x".to_owned(), true),
        ] {
            assert_eq!(text.parse::<EventDestination>().is_ok(), ok, "{text}");
        }
    }
}
