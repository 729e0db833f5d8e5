//! Threads of our own for work that blocks.

use crate::{Error, Result};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use tokio::sync::oneshot;

type Job<C> = Box<dyn FnOnce(&mut C) + Send>;

/// A queue of work for a fixed number of threads, each with a context of its own.
pub(super) struct Pool<C> {
    queue: Arc<Queue<C>>,
}

struct Queue<C> {
    state: Mutex<State<C>>,
    ready: Condvar,
}

struct State<C> {
    jobs: VecDeque<Job<C>>,
    closed: bool,
}

impl<C: Send + 'static> Pool<C> {
    pub(super) fn start(name: &str, contexts: Vec<C>) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let state = State { jobs: VecDeque::new(), closed: false };
        let queue = Arc::new(Queue { state: Mutex::new(state), ready: Condvar::new() });
        let threads = contexts.into_iter().enumerate().map(|(number, context)| {
            let queue = Arc::clone(&queue);
            Builder::new().name(format!("{name}-{number}")).spawn(move || queue.work(context))
        });
        let threads = threads.collect::<io::Result<Vec<_>>>()?;
        Ok((Self { queue }, threads))
    }

    /// Does the work on one of the threads. If the future is dropped, work that began goes on.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> Result<T> {
        self.begin(work).await.map_err(|_| Error::Closed)
    }

    /// Queues the work at once; its result comes through the channel.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (reply, result) = oneshot::channel();
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.closed {
            state.jobs.push_back(Box::new(move |context| {
                let _ = reply.send(work(context));
            }));
            self.queue.ready.notify_one();
        }
        result
    }

    /// Lets the threads end; work that waits is dropped.
    pub(super) fn close(&self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        let dropped = std::mem::take(&mut state.jobs);
        self.queue.ready.notify_all();
        drop(state);
        drop(dropped);
    }
}

impl<C> Queue<C> {
    fn work(&self, mut context: C) {
        while let Some(job) = self.next() {
            // a job that panics answers by its dropped channel; the thread stays for the others
            if catch_unwind(AssertUnwindSafe(|| job(&mut context))).is_err() {
                tracing::error!("a job of the object store panicked");
            }
        }
    }

    fn next(&self) -> Option<Job<C>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
