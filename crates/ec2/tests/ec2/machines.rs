//! Machines in memory, which do and refuse what a test tells them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use daypass_ec2::Machines;
use daypass_ec2::machines::{Event, Launch, Order, OrderError, Presence};
use tokio::sync::mpsc::UnboundedSender;

/// Machines in memory.
#[derive(Default)]
pub(crate) struct Fake(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Which machines there are, and whether each runs.
    machines: BTreeMap<String, bool>,
    /// The orders that were given, as `start i-…`.
    orders: Vec<String>,
    /// What answers the next orders of a kind for a machine.
    answers: BTreeMap<String, VecDeque<OrderError>>,
    /// Machines whose orders are never answered.
    silent: Vec<String>,
    launches: Vec<Launch>,
    /// The next machine goes down as soon as it is up, and this is told before the order is answered.
    short_lived: Option<UnboundedSender<Event>>,
}

impl Fake {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap()
    }

    /// The orders so far, without those that only look.
    pub(crate) fn orders(&self) -> Vec<String> {
        self.lock().orders.clone()
    }

    /// What machines were started from, in order.
    pub(crate) fn launches(&self) -> Vec<Launch> {
        self.lock().launches.clone()
    }

    /// How often an order was given.
    pub(crate) fn count(&self, order: &str) -> usize {
        self.lock().orders.iter().filter(|o| *o == order).count()
    }

    /// The next orders of that kind for any machine fail so.
    pub(crate) fn fail(&self, kind: &str, errors: impl IntoIterator<Item = OrderError>) {
        self.lock().answers.entry(kind.to_owned()).or_default().extend(errors);
    }

    /// Orders for that machine are not answered any more.
    pub(crate) fn silence(&self, id: &str) {
        self.lock().silent.push(id.to_owned());
    }

    /// A machine goes down, and its disk stays.
    pub(crate) fn kill(&self, id: &str) {
        self.lock().machines.insert(id.to_owned(), false);
    }

    /// All machines go down.
    pub(crate) fn kill_all(&self) {
        self.lock().machines.values_mut().for_each(|runs| *runs = false);
    }

    /// The next machine shuts itself down before anybody hears that it has started.
    pub(crate) fn start_and_end(&self, tell: UnboundedSender<Event>) {
        self.lock().short_lived = Some(tell);
    }

    pub(crate) fn runs(&self, id: &str) -> bool {
        self.lock().machines.get(id) == Some(&true)
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.lock().machines.contains_key(id)
    }

    async fn order<T>(
        &self,
        kind: &str,
        id: &str,
        done: impl FnOnce(&mut Known) -> T + Send,
    ) -> Result<T, OrderError> {
        let silent = {
            let mut known = self.lock();
            known.orders.push(format!("{kind} {id}"));
            if let Some(error) = known.answers.get_mut(kind).and_then(VecDeque::pop_front) {
                return Err(error);
            }
            known.silent.iter().any(|s| s == id)
        };
        if silent {
            std::future::pending::<()>().await;
        }
        Ok(done(&mut self.lock()))
    }
}

impl Machines for Fake {
    fn start(&self, launch: Launch) -> Order<'_, ()> {
        Box::pin(async move {
            let id = launch.instance.id.clone();
            let name = id.clone();
            self.order("start", &id.clone(), |known| {
                assert_ne!(known.machines.insert(id, true), Some(true), "it is not started twice");
                known.launches.push(launch);
                if let Some(tell) = known.short_lived.take() {
                    known.machines.insert(name.clone(), false);
                    tell.send(Event::Stopped { id: name, by_itself: true }).unwrap();
                }
            })
            .await?;
            // Whoever follows the events is faster than whoever gave the order.
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        })
    }

    fn adopt(&self, launch: Launch) -> Order<'_, ()> {
        Box::pin(async move {
            let id = launch.instance.id.clone();
            let runs = self.order("adopt", &id, |known| known.machines.get(&id) == Some(&true)).await?;
            if runs { Ok(()) } else { Err(OrderError::Failed("it does not run".to_owned())) }
        })
    }

    fn stop(&self, id: &str, forced: bool) -> Order<'_, ()> {
        let (id, kind) = (id.to_owned(), if forced { "kill" } else { "stop" });
        Box::pin(async move {
            self.order(kind, &id, |known| known.machines.get_mut(&id).map(|runs| *runs = false)).await?;
            Ok(())
        })
    }

    fn terminate(&self, id: &str) -> Order<'_, ()> {
        let id = id.to_owned();
        Box::pin(async move {
            self.order("terminate", &id, |known| known.machines.remove(&id)).await?;
            Ok(())
        })
    }

    fn inspect(&self, id: &str) -> Order<'_, Presence> {
        let id = id.to_owned();
        Box::pin(async move {
            Ok(match self.lock().machines.get(&id) {
                None => Presence::Absent,
                Some(false) => Presence::Stopped,
                Some(true) => Presence::Running,
            })
        })
    }
}
