//! Removes records that have had their time: terminated instances after an hour, client tokens after a day.

use daypass_core::State;
use daypass_core::store::records::Instance;
use daypass_core::store::{Key, Prefix, Read as _, StoreError, TransactError};

use crate::idempotency::{self, ClientToken};
use crate::instance::is_shown;
use crate::resource::Resource as _;

/// So many records are looked at in one transaction.
const AT_A_TIME: usize = 100;

pub(super) async fn sweep(state: &State) -> Result<(), StoreError> {
    let kind = |key: &Key| key.parts().nth(3).unwrap_or_default();
    let keys = state.store.read(|tx| tx.keys(&Prefix::new(&["ec2"]), None, usize::MAX))?;
    let (instance, token) = (Instance::KIND.name, idempotency::KIND);
    let keys: Vec<Key> =
        keys.into_iter().filter(|key| [instance, token].contains(&kind(key).as_str())).collect();
    let now = state.clock.now();
    for some in keys.chunks(AT_A_TIME) {
        let swept = state.store.transact(|tx| {
            for key in some {
                let old = if kind(key) == token {
                    tx.get::<ClientToken>(key)?.is_some_and(|token| token.is_old(now))
                } else {
                    tx.get::<Instance>(key)?.is_some_and(|instance| !is_shown(&instance, now))
                };
                if old {
                    tx.delete(key);
                }
            }
            Ok(())
        });
        swept.await.map_err(|error: TransactError<StoreError>| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })?;
    }
    Ok(())
}
