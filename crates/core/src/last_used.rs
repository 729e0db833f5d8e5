//! When roles and access keys were last used, as `GetRole` and `GetAccessKeyLastUsed` tell, and when users and roles last
//! used each service, as `GetServiceLastAccessedDetails` does (IAM user guide, "Refine permissions in AWS using last
//! accessed information"). A request only notes it; the notes are written together every few
//! seconds, so that a read does not become a write. What was noted and not written is lost with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daypass_model::Timestamp;
use daypass_store::records::{AccessKey, AccessKeyLastUsed, Role, RoleLastUsed, ServiceLastUsed, UniqueId};
use daypass_store::{Read as _, Store, StoreError, TransactError, Tx};

use crate::caller::CallerKind;
use crate::cx::Cx;
use crate::identity::Who;

/// More than so many at a time are not noted.
const MAX_NOTED: usize = 10_000;

/// What was used since it was last written.
#[derive(Default)]
pub(crate) struct LastUsed(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    /// By unique id, with the role's name.
    roles: HashMap<String, (String, RoleLastUsed)>,
    keys: HashMap<String, AccessKeyLastUsed>,
    /// By unique id of the user or role, and service.
    services: HashMap<(String, &'static str), ServiceLastUsed>,
}

impl LastUsed {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes who makes this request, whatever comes of it.
    pub(crate) fn note(&self, cx: &Cx) {
        self.note_service(cx);
        let (time, region) = (cx.now, cx.region.clone());
        match cx.caller.kind() {
            CallerKind::Role(identity, _) => {
                let Who::Role(role) = &identity.who else { return };
                let mut noted = self.lock();
                if noted.roles.len() < MAX_NOTED || noted.roles.contains_key(&role.id) {
                    let used = RoleLastUsed {
                        account: role.account.clone(),
                        role_id: role.id.clone(),
                        time,
                        region,
                    };
                    noted.roles.insert(role.id.clone(), (role.name.clone(), used));
                }
            }
            CallerKind::User(_, None) => {
                let Some(id) = cx.caller.access_key_id() else { return };
                let mut noted = self.lock();
                if noted.keys.len() < MAX_NOTED || noted.keys.contains_key(id) {
                    let service = cx.operation.service.signing_name.to_owned();
                    let used = AccessKeyLastUsed { id: id.to_owned(), time, service, region };
                    noted.keys.insert(id.to_owned(), used);
                }
            }
            CallerKind::User(..)
            | CallerKind::FederatedUser(..)
            | CallerKind::Root(_)
            | CallerKind::Anonymous
            | CallerKind::Service
            | CallerKind::Vouched(_) => {}
        }
    }

    /// Notes which service is used.
    fn note_service(&self, cx: &Cx) {
        let (account, principal_id) = match cx.caller.identity().map(|identity| &identity.who) {
            Some(Who::User(user)) => (&user.account, &user.id),
            Some(Who::Role(role)) => (&role.account, &role.id),
            None => return,
        };
        let Some((service, _)) = cx.operation.action.split_once(':') else { return };
        let place = (principal_id.clone(), service);
        let mut noted = self.lock();
        if noted.services.len() < MAX_NOTED || noted.services.contains_key(&place) {
            let used = ServiceLastUsed {
                account: account.clone(),
                principal_id: principal_id.clone(),
                service: service.to_owned(),
                time: cx.now,
                region: cx.region.clone(),
            };
            noted.services.insert(place, used);
        }
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// If the store fails; what was noted is lost then.
    pub(crate) async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let Noted { roles, keys, services } = std::mem::take(&mut *self.lock());
        if roles.is_empty() && keys.is_empty() && services.is_empty() {
            return Ok(());
        }
        let written = store.transact(|tx| {
            for (name, used) in roles.values() {
                // What was deleted since takes its last use with it.
                let role: Option<Role> = tx.get(&Role::key_of(&used.account, name))?;
                let there = role.is_some_and(|role| role.id == used.role_id);
                let before: Option<RoleLastUsed> =
                    tx.get(&RoleLastUsed::key_of(&used.account, &used.role_id))?;
                if there && is_later(used.time, before.map(|b| b.time)) {
                    tx.put(used)?;
                }
            }
            for used in keys.values() {
                let there = tx.get::<AccessKey>(&AccessKey::key_of(&used.id))?.is_some();
                let before: Option<AccessKeyLastUsed> = tx.get(&AccessKeyLastUsed::key_of(&used.id))?;
                if there && is_later(used.time, before.map(|b| b.time)) {
                    tx.put(used)?;
                }
            }
            services.values().try_for_each(|used| write_service(tx, used))
        });
        written.await.map_err(|error: TransactError<StoreError>| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })
    }
}

/// Of a user or role that was deleted since, nothing is written.
fn write_service(tx: &mut Tx<'_>, used: &ServiceLastUsed) -> Result<(), StoreError> {
    let there = tx.get::<UniqueId>(&UniqueId::key_of(&used.principal_id))?.is_some();
    let place = ServiceLastUsed::key_of(&used.account, &used.principal_id, &used.service);
    let before: Option<ServiceLastUsed> = tx.get(&place)?;
    if there && is_later(used.time, before.map(|b| b.time)) {
        tx.put(used)?;
    }
    Ok(())
}

fn is_later(time: Timestamp, before: Option<Timestamp>) -> bool {
    before.is_none_or(|before| before < time)
}
