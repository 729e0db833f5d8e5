//! Makes instances what their records say, and writes back what became of them.
//!
//! An operation records what should be (`desired`, `generation`) and ends. The [`Reconciler`] follows the store's watch and
//! the machines' events; for each instance that may be other than it should, a task looks at both sides and takes the
//! next [`Step`](step::Step) until there is none. Every step can be taken again, so the process may end between any two:
//! the next one starts over from the records and from what runs.

mod settle;
mod step;
mod sweep;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daypass_core::State;
use daypass_core::store::records::Instance;
use daypass_core::store::{Key, Prefix, Read as _, StoreError, Watch};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{Id, JoinError, JoinSet};

use crate::machines::{Event, Machines};
use settle::{Endings, Outcome, Settler};

/// So many instances are worked on at a time.
const AT_A_TIME: usize = 16;
/// Records that have had their time are looked for this often.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// The longest wait before an order is given again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Follows records and machines until it is dropped.
pub struct Reconciler {
    state: Arc<State>,
    settler: Arc<Settler>,
    events: UnboundedReceiver<Event>,
    /// What is known of each instance that is or has to be looked at.
    work: HashMap<Key, Work>,
    tasks: JoinSet<Outcome>,
    /// Which instance a task is about: a task that panicked says only its own id.
    about: HashMap<Id, Key>,
    /// Taken by tasks while they work, and not while they wait to try again.
    places: Arc<Semaphore>,
    endings: Arc<Endings>,
}

/// What has to be done about an instance.
#[derive(Default)]
struct Work {
    /// The task that is about it is told by this that there is news, in case it waits to try again.
    task: Option<Arc<Notify>>,
    /// Something has happened since the task began, or there is no task yet.
    wanted: bool,
    /// How often in a row it failed.
    failures: u32,
}

impl Reconciler {
    /// A reconciler of all instances of the store, and the place where machines tell what happens without an order.
    #[must_use]
    pub fn new(state: Arc<State>, machines: Arc<dyn Machines>) -> (Self, UnboundedSender<Event>) {
        let (tell, events) = unbounded_channel();
        let endings = Arc::new(Endings::default());
        let settler = Arc::new(Settler::new(Arc::clone(&state), machines, Arc::clone(&endings)));
        let work = HashMap::new();
        let (tasks, about) = (JoinSet::new(), HashMap::new());
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        (Self { state, settler, events, work, tasks, about, places, endings }, tell)
    }

    /// Reconciles for as long as the store is open.
    ///
    /// # Errors
    /// If the store fails or is closed.
    pub async fn run(mut self) -> Result<(), StoreError> {
        // What changes from here on is told; what is there already is read after.
        let mut watch = self.state.store.watch(self.state.store.revision());
        self.want_all()?;
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        loop {
            self.begin();
            tokio::select! {
                changes = next(&mut watch) => self.changed(changes?)?,
                Some(event) = self.events.recv() => self.happened(event)?,
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                _ = sweep.tick() => {
                    if let Err(error) = sweep::sweep(&self.state).await {
                        tracing::error!(%error, "records that have had their time could not be removed");
                    }
                }
            }
        }
    }

    /// Looks at every instance.
    fn want_all(&mut self) -> Result<(), StoreError> {
        let keys = self.state.store.read(|tx| tx.keys(&Prefix::new(&["ec2"]), None, usize::MAX))?;
        for key in keys.into_iter().filter(is_instance) {
            self.want(key);
        }
        Ok(())
    }

    fn want(&mut self, key: Key) {
        let work = self.work.entry(key).or_default();
        work.wanted = true;
        if let Some(task) = &work.task {
            task.notify_one();
        }
    }

    fn changed(&mut self, changes: Option<Vec<Key>>) -> Result<(), StoreError> {
        match changes {
            Some(keys) => keys.into_iter().filter(is_instance).for_each(|key| self.want(key)),
            None => self.want_all()?,
        }
        Ok(())
    }

    fn happened(&mut self, event: Event) -> Result<(), StoreError> {
        match event {
            Event::Stopped { id, by_itself } => {
                self.endings.note(&id, by_itself);
                let keys = self.state.store.read(|tx| tx.keys(&Prefix::new(&["ec2"]), None, usize::MAX))?;
                for key in keys.into_iter().filter(|key| is_instance(key) && key.last() == id) {
                    self.want(key);
                }
                Ok(())
            }
            Event::Lost => {
                self.endings.forget_all();
                self.want_all()
            }
        }
    }

    /// Begins a task for each instance that has to be looked at and has none.
    fn begin(&mut self) {
        for (key, work) in &mut self.work {
            if !work.wanted || work.task.is_some() {
                continue;
            }
            let news = Arc::new(Notify::new());
            work.wanted = false;
            work.task = Some(Arc::clone(&news));
            let (settler, places) = (Arc::clone(&self.settler), Arc::clone(&self.places));
            let (key, failures) = (key.clone(), work.failures);
            let task = {
                let key = key.clone();
                async move {
                    tokio::select! {
                        () = tokio::time::sleep(wait_before(failures)) => {}
                        () = news.notified() => {}
                    }
                    let Ok(_place) = places.acquire().await else { return Outcome::TryAgain };
                    settler.settle(&key, failures).await
                }
            };
            let handle = self.tasks.spawn(task);
            self.about.insert(handle.id(), key);
        }
    }

    fn ended(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => {
                tracing::error!(%error, "a task of the reconciler ended early");
                (error.id(), Outcome::TryAgain)
            }
        };
        let Some(key) = self.about.remove(&id) else { return };
        let Some(work) = self.work.get_mut(&key) else { return };
        work.task = None;
        match outcome {
            Outcome::Settled => work.failures = 0,
            Outcome::TryAgain => {
                work.failures = work.failures.saturating_add(1);
                work.wanted = true;
            }
        }
        if !work.wanted {
            self.work.remove(&key);
        }
    }
}

/// How long to wait before trying for the n-th time.
fn wait_before(failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1_u64 << doublings.min(6)).min(LONGEST_WAIT),
    }
}

/// The keys that changed; `None` if some were missed.
async fn next(watch: &mut Watch) -> Result<Option<Vec<Key>>, StoreError> {
    let changes = watch.next().await?;
    Ok(changes.map(|changes| changes.into_iter().map(|change| change.key).collect()))
}

/// Whether an instance stands under a key: `ec2/account/region/instance/id`.
fn is_instance(key: &Key) -> bool {
    use crate::resource::Resource as _;
    let mut parts = key.parts();
    parts.nth(3).as_deref() == Some(Instance::KIND.name) && parts.next().is_some() && parts.next().is_none()
}
