//! Answers that come later.

use crate::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// An answer on its way: wait for it in a thread of your own, or `.await` it in a task.
///
/// Dropping it does not take the order back.
#[derive(Debug)]
#[must_use = "an order may fail"]
pub struct Reply<T>(Arc<Slot<T>>);

/// The other end of a [`Reply`], for whoever writes a driver. Dropped without an answer, it answers [`Error::Lost`].
pub struct Promise<T>(Arc<Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    state: Mutex<Content<T>>,
    answered: Condvar,
}

#[derive(Debug)]
enum Content<T> {
    Awaited(Option<Waker>),
    Answered(Result<T, Error>),
    Taken,
}

impl<T> Slot<T> {
    /// A panic of a thread that held the lock leaves nothing half done in it.
    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that is still to come, and the reply that waits for it.
pub fn promise<T>() -> (Promise<T>, Reply<T>) {
    let slot = Arc::new(Slot { state: Mutex::new(Content::Awaited(None)), answered: Condvar::new() });
    (Promise(Arc::clone(&slot)), Reply(slot))
}

impl<T> Promise<T> {
    /// Gives the answer.
    pub fn answer(self, answer: Result<T, Error>) {
        self.settle(answer);
    }

    fn settle(&self, answer: Result<T, Error>) {
        let mut content = self.0.lock();
        if let Content::Awaited(waker) = &mut *content {
            let waker = waker.take();
            *content = Content::Answered(answer);
            drop(content);
            self.0.answered.notify_all();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.settle(Err(Error::Lost));
    }
}

impl<T> Reply<T> {
    /// An answer that is there already.
    pub fn now(answer: Result<T, Error>) -> Self {
        let (promise, reply) = promise();
        promise.answer(answer);
        reply
    }

    /// Blocks the thread until the answer is there. Not for a thread that runs tasks: there, `.await` it.
    ///
    /// # Errors
    /// Those of the order.
    pub fn wait(self) -> Result<T, Error> {
        let mut content = self.0.lock();
        loop {
            match std::mem::replace(&mut *content, Content::Taken) {
                Content::Answered(answer) => return answer,
                Content::Taken => return Err(Error::Lost),
                Content::Awaited(waker) => *content = Content::Awaited(waker),
            }
            content = self.0.answered.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the answer is there.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        !matches!(&*self.0.lock(), Content::Awaited(_))
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut content = self.0.lock();
        match std::mem::replace(&mut *content, Content::Taken) {
            Content::Answered(answer) => Poll::Ready(answer),
            Content::Taken => Poll::Ready(Err(Error::Lost)),
            Content::Awaited(_) => {
                *content = Content::Awaited(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[test]
    fn a_thread_waits_until_another_answers() {
        let (promise, reply) = promise();
        let waiter = std::thread::spawn(move || reply.wait());
        promise.answer(Ok(7));
        assert_eq!(waiter.join().unwrap(), Ok(7));
    }

    #[test]
    fn a_promise_that_nobody_keeps_is_an_error_and_not_a_wait_for_ever() {
        let (promise, reply) = promise::<()>();
        drop(promise);
        assert_eq!(reply.wait(), Err(Error::Lost));
    }

    #[test]
    fn a_task_is_woken_by_the_answer() {
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let (promise, mut reply) = promise();
        let waker = Arc::clone(&count).into();
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut reply).poll(&mut cx).is_pending());
        promise.answer(Ok("done"));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(Pin::new(&mut reply).poll(&mut cx), Poll::Ready(Ok("done")));
    }
}
