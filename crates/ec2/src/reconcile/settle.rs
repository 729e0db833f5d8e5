//! Settles one instance: looks, takes the next step, and looks again until there is none.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_core::State;
use daypass_core::model::Timestamp;
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{Key, Read as _, StoreError, TransactError, Tx};
use thiserror::Error;

use super::step::{Charge, Step, next};
use crate::instance::{end, reason};
use crate::machines::{Launch, Machines, Order, OrderError, Presence};

/// An order that takes longer than this has failed: it holds up nothing but its own instance, and is given again.
const ORDER_TAKES: Duration = Duration::from_secs(180);
/// A start that fails for a while is given up after so many tries.
const START_TRIES: u32 = 5;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The instance is what it should be.
    Settled,
    /// It is not, and may be later.
    TryAgain,
}

/// Which machines this process has in charge, and how those ended that it had.
#[derive(Default)]
pub(super) struct Endings(Mutex<Known>);

#[derive(Default)]
struct Known {
    ours: HashSet<String>,
    /// Whether it shut itself down.
    ended: HashMap<String, bool>,
}

impl Endings {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine ended without an order. Of one that nobody had in charge here, nobody can say how it ended.
    pub(super) fn note(&self, id: &str, by_itself: bool) {
        let mut known = self.lock();
        if known.ours.remove(id) {
            known.ended.insert(id.to_owned(), by_itself);
        }
    }

    /// Who runs has to be found out again.
    pub(super) fn forget_all(&self) {
        *self.lock() = Known::default();
    }

    /// Before the order is given: a machine may end before anybody hears that it has begun.
    fn take_charge(&self, id: &str) {
        let mut known = self.lock();
        known.ended.remove(id);
        known.ours.insert(id.to_owned());
    }

    fn let_go(&self, id: &str) {
        let mut known = self.lock();
        known.ours.remove(id);
        known.ended.remove(id);
    }

    fn charge(&self, id: &str) -> Charge {
        let known = self.lock();
        match (known.ours.contains(id), known.ended.get(id)) {
            (true, _) => Charge::Ours,
            (false, Some(by_itself)) => Charge::Ended { by_itself: *by_itself },
            (false, None) => Charge::Unknown,
        }
    }
}

/// Settles instances.
pub(super) struct Settler {
    state: Arc<State>,
    machines: Arc<dyn Machines>,
    endings: Arc<Endings>,
}

/// Why an instance could not be settled.
#[derive(Debug, Error)]
enum Unsettled {
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Settler {
    pub(super) fn new(state: Arc<State>, machines: Arc<dyn Machines>, endings: Arc<Endings>) -> Self {
        Self { state, machines, endings }
    }

    /// Settles the instance of that key; `failures` says how often that has failed in a row.
    pub(super) async fn settle(&self, key: &Key, failures: u32) -> Outcome {
        match self.try_settle(key, failures).await {
            Ok(()) => Outcome::Settled,
            Err(error) => {
                tracing::warn!(%error, instance = key.last(), failures, "an instance is not what it should be");
                Outcome::TryAgain
            }
        }
    }

    async fn try_settle(&self, key: &Key, failures: u32) -> Result<(), Unsettled> {
        loop {
            let found = self.state.store.read(|tx| tx.get::<Instance>(key))?;
            let Some(instance) = found else {
                self.endings.let_go(&key.last());
                return Ok(());
            };
            let id = &instance.id;
            let charge = self.endings.charge(id);
            // A machine that is ours runs, until something else is told.
            let settled =
                instance.desired == InstanceState::Running && instance.reached == instance.generation;
            let presence = match instance.state {
                _ if settled && charge == Charge::Ours => Presence::Running,
                InstanceState::Terminated => Presence::Absent,
                _ => in_time(self.machines.inspect(id)).await?,
            };
            let step = next(&instance, presence, charge);
            if step == Step::Nothing {
                return Ok(());
            }
            tracing::info!(instance = id, ?step, "bringing an instance to what it should be");
            self.take(&instance, step, failures).await?;
        }
    }

    async fn take(&self, instance: &Instance, step: Step, failures: u32) -> Result<(), Unsettled> {
        let id = &instance.id;
        match step {
            Step::Nothing => {}
            Step::Start => {
                self.endings.take_charge(id);
                match in_time(self.machines.start(Launch::of(instance))).await {
                    Ok(()) => self.record(instance, running).await?,
                    Err(error) => {
                        self.endings.let_go(id);
                        let why = worth_another_try(error, failures)?;
                        self.record(instance, move |i, _, _| not_started(i, &why)).await?;
                    }
                }
            }
            Step::Adopt => {
                self.endings.take_charge(id);
                match in_time(self.machines.adopt(Launch::of(instance))).await {
                    Ok(()) => self.record(instance, running).await?,
                    Err(error) => {
                        self.endings.let_go(id);
                        worth_another_try(error, failures)?;
                        // What nobody can take charge of has no metadata service: it is started anew.
                        in_time(self.machines.stop(id, true)).await?;
                    }
                }
            }
            Step::Restart => {
                in_time(self.machines.stop(id, false)).await?;
                self.endings.let_go(id);
            }
            Step::Stop => {
                in_time(self.machines.stop(id, instance.stop_forced)).await?;
                self.endings.let_go(id);
                self.record(instance, stopped).await?;
            }
            Step::RecordStopped => self.record(instance, stopped).await?,
            Step::Terminate => {
                in_time(self.machines.terminate(id)).await?;
                self.endings.let_go(id);
                self.record(instance, |i, tx, now| end(tx, i, now)).await?;
            }
            Step::RecordEnded { by_itself } => {
                self.record(instance, move |i, tx, _| ended(i, tx, by_itself)).await?;
                self.endings.let_go(id);
            }
        }
        Ok(())
    }

    /// Changes the record, if it still says what the step was taken for.
    async fn record(
        &self,
        seen: &Instance,
        change: impl Fn(&mut Instance, &mut Tx<'_>, Timestamp) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let now = self.state.clock.now();
        let done = self.state.store.transact(|tx| {
            let key = Instance::key_of(&seen.account, &seen.region, &seen.id);
            let Some(mut instance) = tx.get::<Instance>(&key)? else { return Ok(()) };
            let wants = |i: &Instance| (i.desired, i.state, i.generation, i.reached);
            if wants(&instance) != wants(seen) {
                return Ok(());
            }
            change(&mut instance, tx, now)?;
            tx.put(&instance)
        });
        done.await.map_err(|error: TransactError<StoreError>| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })
    }
}

/// Why an order failed for good; or the error again, if it may succeed yet.
fn worth_another_try(error: OrderError, failures: u32) -> Result<String, OrderError> {
    match error {
        OrderError::Failed(why) if failures < START_TRIES => Err(OrderError::Failed(why)),
        OrderError::Failed(why) | OrderError::Refused(why) => Ok(why),
    }
}

/// The answer to an order, if it comes in time.
async fn in_time<T>(order: Order<'_, T>) -> Result<T, OrderError> {
    let late = |_| OrderError::Failed(format!("no answer within {} seconds", ORDER_TAKES.as_secs()));
    tokio::time::timeout(ORDER_TAKES, order).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
}

/// It runs, as it was to.
fn running(instance: &mut Instance, _: &mut Tx<'_>, _: Timestamp) -> Result<(), StoreError> {
    instance.reached = instance.generation;
    instance.state = InstanceState::Running;
    instance.state_reason = None;
    instance.transition_reason.clear();
    Ok(())
}

/// It is stopped, as it was to be.
fn stopped(instance: &mut Instance, _: &mut Tx<'_>, _: Timestamp) -> Result<(), StoreError> {
    // A start that it never got to is not to be caught up with.
    instance.reached = instance.generation;
    instance.state = InstanceState::Stopped;
    instance.stop_forced = false;
    Ok(())
}

/// It could not be started. A launch that fails ends the instance; a later start leaves it stopped, with its disk (EC2
/// User Guide, "Instance terminates immediately").
fn not_started(instance: &mut Instance, why: &str) -> Result<(), StoreError> {
    instance.state_reason = Some(reason("Server.InternalError", &format!("Internal error on launch: {why}")));
    instance.transition_reason = "Server.InternalError".to_owned();
    if instance.reached == 0 {
        instance.desired = InstanceState::Terminated;
        instance.state = InstanceState::ShuttingDown;
    } else {
        instance.desired = InstanceState::Stopped;
        instance.state = InstanceState::Stopping;
    }
    Ok(())
}

/// It ended without an order: by itself, which its shutdown behavior is for; or it was killed, and stays stopped with its
/// disk, for whatever killed it may do so again.
fn ended(instance: &mut Instance, _: &mut Tx<'_>, by_itself: bool) -> Result<(), StoreError> {
    instance.transition_reason.clear();
    if !by_itself {
        let words = "The machine behind the instance ended without being asked to";
        instance.state_reason = Some(reason("Server.InternalError", words));
        instance.desired = InstanceState::Stopped;
        instance.state = InstanceState::Stopped;
        return Ok(());
    }
    let words = "Instance initiated shutdown";
    instance.state_reason = Some(reason("Client.InstanceInitiatedShutdown", words));
    if instance.shutdown_behavior == "terminate" {
        instance.desired = InstanceState::Terminated;
        instance.state = InstanceState::ShuttingDown;
    } else {
        instance.desired = InstanceState::Stopped;
        instance.state = InstanceState::Stopped;
    }
    Ok(())
}
