//! What is due by itself: keys whose time to be deleted has come go, with their material; others get new material.

use daypass_core::kms::{Alias, Key};
use daypass_core::model::Timestamp;
use daypass_core::store::{Read as _, Record as _, StoreError, TransactError, Tx};
use daypass_core::{Error, Ids, KeyRing, Secret, State};

use crate::walk;

const DAY: i64 = 86_400;

/// Does what is due; to be called from time to time.
///
/// # Errors
/// If the store or the key ring fails.
pub async fn upkeep(state: &State) -> Result<(), Error> {
    let now = state.clock.now();
    let mut due = vec![];
    state.store.read(|tx| {
        walk::each(tx, &Key::everywhere(), |key| {
            due.extend(is_due(&key, now).then(|| key.key()));
            Ok(())
        })
    })?;
    for place in due {
        let ids = Ids::drawn(&*state.entropy);
        let (secret, id) = (Secret::new(ids.secret_bytes()), ids.id_bytes());
        let done = state.store.transact(|tx| match tx.get::<Key>(&place)? {
            Some(key) if key.is_gone(now) => Ok(forget(tx, &key)?),
            // What it is by now.
            Some(key) if is_due(&key, now) => rotate(tx, &state.ring, key, now, (&secret, &id)),
            _ => Ok(()),
        });
        done.await.map_err(|error: TransactError<Error>| match error {
            TransactError::Aborted(error) => error,
            TransactError::Store(error) => error.into(),
        })?;
    }
    Ok(())
}

fn is_due(key: &Key, now: Timestamp) -> bool {
    let rotates = key.usable().is_ok() && key.rotation.is_some_and(|rotation| rotation.next <= now);
    key.is_gone(now) || rotates
}

/// Takes a key away, and its aliases.
fn forget(tx: &mut Tx<'_>, key: &Key) -> Result<(), StoreError> {
    for name in &key.aliases {
        tx.delete(&Alias::key_of(&key.account, &key.region, name));
    }
    tx.delete(&Key::key_of(&key.account, &key.region, &key.id));
    Ok(())
}

fn rotate(
    tx: &mut Tx<'_>,
    ring: &KeyRing,
    mut key: Key,
    now: Timestamp,
    (secret, id): (&Secret<[u8; 32]>, &[u8; 32]),
) -> Result<(), Error> {
    key.add_material(ring, secret, id, now.truncated(), false)?;
    if let Some(rotation) = &mut key.rotation {
        let period = i64::from(rotation.period_days) * DAY;
        // However long nobody looked: once, and then at its next time.
        let late = now.seconds().saturating_sub(rotation.next.seconds()).max(0);
        let steps = late.checked_div(period).unwrap_or(0).saturating_add(1);
        rotation.next = rotation.next.plus_seconds(period.saturating_mul(steps));
    }
    Ok(tx.put(&key)?)
}
