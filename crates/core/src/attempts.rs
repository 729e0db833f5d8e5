//! Guesses of short secrets, slowed down: codes of MFA devices, passwords.
//!
//! An attempt counts as wrong until it proves right, so that many at the same time gain nothing. The counts are kept in
//! memory: who could end the process to lose them would not have to guess.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daypass_model::Timestamp;

/// So many wrong guesses in a row cost nothing: people mistype.
const FREE: u32 = 5;
/// The wait after the first guess too many; it doubles with each one more.
const FIRST_WAIT_SECONDS: i64 = 30;
/// The longest wait.
const MAX_WAIT_SECONDS: i64 = 3600;
/// No more is counted than this; what was guessed at least lately goes first.
const MAX_COUNTED: usize = 10_000;

/// The guesses that were wrong lately.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<String, Wrong>>);

struct Wrong {
    count: u32,
    last: Timestamp,
    /// The request that guessed last: a transaction that runs again guesses once.
    request: String,
}

impl Wrong {
    fn wait_seconds(&self) -> i64 {
        match self.count.checked_sub(FREE) {
            None => 0,
            Some(over) => FIRST_WAIT_SECONDS.saturating_mul(1 << over.min(16)).min(MAX_WAIT_SECONDS),
        }
    }
}

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Wrong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may guess now. If it may, it counts as wrong until [`right`](Self::right) is told.
    #[must_use]
    pub fn may_guess(&self, what: &str, now: Timestamp, request: &str) -> bool {
        let mut counted = self.lock();
        if counted.len() >= MAX_COUNTED && !counted.contains_key(what) {
            let oldest = counted.iter().min_by_key(|(_, wrong)| wrong.last).map(|(what, _)| what.clone());
            oldest.map(|oldest| counted.remove(&oldest));
        }
        let wrong = counted.entry(what.to_owned()).or_insert_with(|| Wrong {
            count: 0,
            last: now,
            request: String::new(),
        });
        if wrong.request == request {
            return true;
        }
        // Of two requests the later to arrive may be the first to get here.
        if (now.seconds() - wrong.last.seconds()).max(0) < wrong.wait_seconds() {
            return false;
        }
        *wrong = Wrong { count: wrong.count.saturating_add(1), last: now, request: request.to_owned() };
        true
    }

    /// It was right: what was wrong before is forgotten.
    pub fn right(&self, what: &str) {
        self.lock().remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn five_wrong_guesses_are_free_and_then_each_waits_twice_as_long() {
        let attempts = Attempts::default();
        for number in 0..5 {
            assert!(attempts.may_guess("device", at(0), &format!("r{number}")));
        }
        // Whose head arrived earlier has not waited less.
        assert!(!attempts.may_guess("device", at(-100), "late"));
        assert!(attempts.may_guess("other", at(0), "one") && attempts.may_guess("other", at(-1), "two"));
        for (second, may) in [(0, false), (29, false), (30, true), (89, false), (90, true), (209, false)] {
            assert_eq!(attempts.may_guess("device", at(second), &format!("at {second}")), may, "{second}");
        }
        assert!(attempts.may_guess("another", at(209), "x"));
        attempts.right("device");
        assert!(attempts.may_guess("device", at(209), "y"));
    }

    #[test]
    fn nobody_waits_longer_than_an_hour() {
        let (attempts, mut now) = (Attempts::default(), 0);
        for number in 0..40 {
            assert!(attempts.may_guess("device", at(now), &format!("r{number}")));
            now += 3600;
        }
    }

    #[test]
    fn a_transaction_that_runs_again_guesses_once() {
        let attempts = Attempts::default();
        for _ in 0..20 {
            assert!(attempts.may_guess("device", at(0), "one"));
        }
        assert!(attempts.may_guess("device", at(0), "two"));
    }

    #[test]
    fn no_more_is_counted_than_there_is_room_for() {
        let attempts = Attempts::default();
        for number in 0..(MAX_COUNTED + 10) {
            assert!(attempts.may_guess(&number.to_string(), at(0), "r"));
        }
        assert_eq!(attempts.lock().len(), MAX_COUNTED);
    }
}
