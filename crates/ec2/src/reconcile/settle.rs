//! Settles one instance: looks, takes the next step, and looks again until there is none.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daypass_core::State;
use daypass_core::store::records::{Instance, InstanceState};
use daypass_core::store::{Key, Read as _, StoreError, TransactError, Tx};
use thiserror::Error;

use super::step::{Step, next};
use crate::instance::{end, reason};
use crate::machines::{Launch, Machines, OrderError, Presence};

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

    /// A machine ended without an order.
    pub(super) fn note(&self, id: &str, by_itself: bool) {
        let mut known = self.lock();
        known.ours.remove(id);
        known.ended.insert(id.to_owned(), by_itself);
    }

    /// Who runs has to be found out again.
    pub(super) fn forget_all(&self) {
        *self.lock() = Known::default();
    }

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

    fn has(&self, id: &str) -> bool {
        self.lock().ours.contains(id)
    }

    fn shut_itself_down(&self, id: &str) -> bool {
        self.lock().ended.get(id).copied().unwrap_or(false)
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
            let ours = self.endings.has(id);
            // A machine that is ours runs, until something else is told.
            let settled =
                instance.desired == InstanceState::Running && instance.reached == instance.generation;
            let presence = match (ours && settled, instance.state) {
                (true, _) => Presence::Running,
                (false, InstanceState::Terminated) => Presence::Absent,
                (false, _) => self.machines.inspect(id).await?,
            };
            let step = next(&instance, presence, ours);
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
            Step::Start => match self.machines.start(Launch::of(instance)).await {
                Ok(()) => {
                    self.endings.take_charge(id);
                    self.record(instance, running).await?;
                }
                Err(OrderError::Failed(why)) if failures < START_TRIES => {
                    return Err(OrderError::Failed(why).into());
                }
                Err(OrderError::Failed(why) | OrderError::Refused(why)) => {
                    self.record(instance, move |i, _, now| not_started(i, &why, now)).await?;
                }
            },
            Step::Adopt => match self.machines.adopt(Launch::of(instance)).await {
                Ok(()) => {
                    self.endings.take_charge(id);
                    self.record(instance, running).await?;
                }
                Err(OrderError::Failed(why)) if failures < START_TRIES => {
                    return Err(OrderError::Failed(why).into());
                }
                // What nobody can take charge of has no metadata service: it is stopped rather than left alone.
                Err(OrderError::Failed(_) | OrderError::Refused(_)) => {
                    self.machines.stop(id, true).await?;
                    self.endings.let_go(id);
                }
            },
            Step::Restart => {
                self.machines.stop(id, false).await?;
                self.endings.let_go(id);
            }
            Step::Stop => {
                self.machines.stop(id, instance.stop_forced).await?;
                self.endings.let_go(id);
                self.record(instance, stopped).await?;
            }
            Step::RecordStopped => self.record(instance, stopped).await?,
            Step::Terminate => {
                self.machines.terminate(id).await?;
                self.endings.let_go(id);
                self.record(instance, |i, tx, now| end(tx, i, now)).await?;
            }
            Step::RecordEnded => {
                let by_itself = self.endings.shut_itself_down(id);
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
        change: impl Fn(&mut Instance, &mut Tx<'_>, daypass_core::model::Timestamp) -> Result<(), StoreError>,
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

/// It runs, as it was to.
fn running(
    instance: &mut Instance,
    _: &mut Tx<'_>,
    _: daypass_core::model::Timestamp,
) -> Result<(), StoreError> {
    instance.reached = instance.generation;
    instance.state = InstanceState::Running;
    instance.state_reason = None;
    instance.transition_reason.clear();
    Ok(())
}

/// It is stopped, as it was to be.
fn stopped(
    instance: &mut Instance,
    _: &mut Tx<'_>,
    _: daypass_core::model::Timestamp,
) -> Result<(), StoreError> {
    // A start that it never got to is not to be caught up with.
    instance.reached = instance.generation;
    instance.state = InstanceState::Stopped;
    instance.stop_forced = false;
    Ok(())
}

/// It could not be started. A launch that fails ends the instance; a later start leaves it stopped, with its disk (EC2
/// User Guide, "Instance terminates immediately").
fn not_started(
    instance: &mut Instance,
    why: &str,
    now: daypass_core::model::Timestamp,
) -> Result<(), StoreError> {
    let _ = now;
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

/// It ended without an order: by itself, which its shutdown behavior is for; or it was killed or lost, and stays with its
/// disk.
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
