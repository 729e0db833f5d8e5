//! Records that requests ask for all the time, decoded once and kept until they change.
//!
//! A commit on this node takes what it touched out of here before it is acknowledged, so the next request sees the change.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use daypass_store::{Change, Key, Read as _, Record, Store, StoreError};

/// The most records that are kept.
const MAX_RECORDS: usize = 20_000;

/// Records, kept decoded. Cheap to clone.
#[derive(Clone)]
pub struct Kept {
    store: Store,
    cache: Arc<RwLock<Cache>>,
}

#[derive(Default)]
struct Cache {
    records: HashMap<Key, Arc<dyn Any + Send + Sync>>,
    /// Counts the changes of the state: what was read while it moved is not kept.
    generation: u64,
}

impl Kept {
    /// The records of a store; what is kept follows its commits.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        let cache = Arc::new(RwLock::new(Cache::default()));
        let follower = Arc::clone(&cache);
        store.on_commit(move |changes: &[Change]| {
            let mut cache = follower.write().unwrap_or_else(PoisonError::into_inner);
            cache.generation += 1;
            for change in changes {
                cache.records.remove(&change.key);
            }
        });
        Self { store: store.clone(), cache }
    }

    /// A record, if it is there.
    ///
    /// # Errors
    /// If the store fails or the record does not read as its type.
    pub fn get<R: Record + Send + Sync + 'static>(&self, key: &Key) -> Result<Option<Arc<R>>, StoreError> {
        let before = {
            let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
            let known = cache.records.get(key).map(|known| Arc::clone(known).downcast::<R>());
            if let Some(Ok(record)) = known {
                return Ok(Some(record));
            }
            cache.generation
        };
        let Some(record) = self.store.read(|tx| tx.get::<R>(key))?.map(Arc::new) else { return Ok(None) };
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        // What changed while it was read serves this request, which began before, and no other.
        if cache.generation == before {
            if cache.records.len() >= MAX_RECORDS {
                cache.records.clear();
            }
            let known: Arc<dyn Any + Send + Sync> = record.clone();
            cache.records.insert(key.clone(), known);
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use daypass_store::records::Account;
    use daypass_store::{Store, TransactError};

    use super::*;

    async fn put(store: &Store, alias: Option<&str>) {
        let account = Account {
            id: "123456789012".parse().unwrap(),
            created: daypass_model::Timestamp::default(),
            alias: alias.map(str::to_owned),
            canonical_user_id: "0".repeat(64),
            name: None,
            email: None,
        };
        let done: Result<(), TransactError<StoreError>> = store.transact(|tx| tx.put(&account)).await;
        done.unwrap();
    }

    #[tokio::test]
    async fn a_record_is_read_once_until_it_changes() {
        let store = Store::in_memory().unwrap();
        let kept = Kept::of(&store);
        let key = Account::key_of(&"123456789012".parse().unwrap());
        let get = || kept.get::<Account>(&key).unwrap();
        assert!(get().is_none());
        put(&store, Some("one")).await;
        let first = get().unwrap();
        assert!(Arc::ptr_eq(&first, &get().unwrap()), "it was decoded again");
        put(&store, Some("two")).await;
        assert_eq!(get().unwrap().alias.as_deref(), Some("two"));
        let gone = store.transact(|tx| {
            tx.delete(&key);
            Ok::<_, StoreError>(())
        });
        gone.await.unwrap();
        assert!(get().is_none());
    }
}
