//! What jobs leave behind for whoever asks later: kept for a time, and never more than so much of it.

use daypass_core::model::Timestamp;
use daypass_core::store::{Prefix, Read as _, Record, StoreError, Tx};

/// What a job found is kept for a day (IAM user guide, viewing last accessed information). How long the outcome of a
/// deletion is told AWS does not document.
const KEPT_SECONDS: i64 = 86_400;
/// The most jobs of a kind in an account; AWS documents no bound.
const MAX_JOBS: usize = 1000;
/// What the jobs of a kind in an account may hold together.
const MAX_LINES: usize = 100_000;

/// A job that is done.
pub(crate) trait Job: Record {
    /// When it was.
    fn created(&self) -> Timestamp;

    /// How many things it tells of.
    fn lines(&self) -> usize;

    /// Whether it is still told of.
    fn is_kept(&self, now: Timestamp) -> bool {
        self.created().plus_seconds(KEPT_SECONDS) > now
    }
}

/// Keeps a job; what is too old makes room for it, and then what is oldest.
pub(crate) fn keep<J: Job>(tx: &mut Tx<'_>, all: &Prefix, job: &J, now: Timestamp) -> Result<(), StoreError> {
    let mut known: Vec<J> = tx.all(all)?;
    known.sort_by_key(|known| std::cmp::Reverse(known.created()));
    let (mut jobs, mut lines) = (1, job.lines());
    for known in known {
        jobs += 1;
        lines += known.lines();
        if !known.is_kept(now) || jobs > MAX_JOBS || lines > MAX_LINES {
            tx.delete(&known.key());
        }
    }
    tx.put(job)
}

#[cfg(test)]
mod tests {
    use daypass_core::store::{Key, Store, TransactError};
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Done {
        id: usize,
        created: i64,
        lines: usize,
    }

    impl Record for Done {
        fn key(&self) -> Key {
            Key::new(&["done", &self.id.to_string()])
        }
    }

    impl Job for Done {
        fn created(&self) -> Timestamp {
            Timestamp::default().plus_seconds(self.created)
        }

        fn lines(&self) -> usize {
            self.lines
        }
    }

    /// The ids of what is left of jobs done at these times with these lines, once a last one is kept at some time.
    async fn left(known: &[(i64, usize)], now: i64, lines: usize) -> Vec<usize> {
        let store = Store::in_memory().unwrap();
        let all = Prefix::new(&["done"]);
        let done: Result<(), TransactError<StoreError>> = store
            .transact(|tx| {
                for (id, (created, lines)) in known.iter().enumerate() {
                    tx.put(&Done { id, created: *created, lines: *lines })?;
                }
                let last = Done { id: known.len(), created: now, lines };
                keep(tx, &all, &last, Timestamp::default().plus_seconds(now))
            })
            .await;
        done.unwrap();
        let mut ids: Vec<usize> =
            store.read(|tx| tx.all::<Done>(&all)).unwrap().iter().map(|job| job.id).collect();
        ids.sort_unstable();
        ids
    }

    #[tokio::test]
    async fn jobs_go_by_age_then_by_number_then_by_what_they_hold() {
        assert_eq!(left(&[(0, 1), (1, 1)], 86_400, 1).await, [1, 2]);
        let many: Vec<(i64, usize)> = (0..1001).map(|time| (time, 1)).collect();
        assert_eq!(left(&many, 1001, 1).await, (2..1002).collect::<Vec<_>>());
        assert_eq!(left(&[(0, 1), (1, 60_000), (2, 30_000)], 3, 20_000).await, [2, 3]);
        assert_eq!(left(&[(0, 1)], 1, 1_000_000).await, [1]);
    }
}
