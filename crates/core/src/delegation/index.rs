//! Where requests stand: by their ids, and again by whatever they are looked for.

use daypass_model::{AccountId, Timestamp};
use daypass_store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};

use super::request::{DelegationRequest, Owner};

impl DelegationRequest {
    /// Where a request stands.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(&["delegation", "request", id])
    }

    /// The ARN, in the account that has it or that asks.
    #[must_use]
    pub fn arn(account: &AccountId, id: &str) -> String {
        format!("arn:aws:iam::{account}:delegation-request/{id}")
    }

    /// Writes it, and where else it is found.
    ///
    /// # Errors
    /// If the store fails.
    pub fn save(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if let Some(before) = tx.get::<Self>(&self.key())? {
            tx.delete(&Due::of(&before).key());
        }
        tx.put(&Due::of(self))?;
        tx.put(&Workflow {
            requestor: self.asked.requestor.clone(),
            name: self.asked.workflow.clone(),
            id: self.id.clone(),
        })?;
        if let (Some(account), Some(owner)) = (&self.owner_account, &self.owner) {
            tx.put(&Owned { account: account.clone(), id: self.id.clone(), owner: owner.clone() })?;
        }
        tx.put(self)
    }

    fn remove(&self, tx: &mut Tx<'_>) {
        tx.delete(&Due::of(self).key());
        tx.delete(&Workflow::key_of(&self.asked.requestor, &self.asked.workflow));
        if let Some(account) = &self.owner_account {
            tx.delete(&Owned::key_of(account, &self.id));
        }
        tx.delete(&self.key());
    }
}

impl Record for DelegationRequest {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// A request by what its partner calls it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workflow {
    requestor: AccountId,
    name: String,
    id: String,
}

impl Workflow {
    pub(super) fn key_of(requestor: &AccountId, name: &str) -> Key {
        Key::new(&["delegation", "workflow", requestor.as_str(), name])
    }

    pub(super) fn all(requestor: &AccountId) -> Prefix {
        Prefix::new(&["delegation", "workflow", requestor.as_str()])
    }
}

impl Record for Workflow {
    fn key(&self) -> Key {
        Self::key_of(&self.requestor, &self.name)
    }
}

/// A request of an account that took it on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    account: AccountId,
    /// The request.
    pub id: String,
    /// Who took it on.
    pub owner: Owner,
}

impl Owned {
    /// Where one stands.
    #[must_use]
    pub fn key_of(account: &AccountId, id: &str) -> Key {
        Key::new(&["delegation", "owned", account.as_str(), id])
    }

    /// Where all of an account stand.
    #[must_use]
    pub fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["delegation", "owned", account.as_str()])
    }
}

impl Record for Owned {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

/// A request by when its time is over.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Due {
    at: Timestamp,
    id: String,
}

impl Due {
    fn of(request: &DelegationRequest) -> Self {
        Self { at: request.expires, id: request.id.clone() }
    }
}

impl Record for Due {
    fn key(&self) -> Key {
        Key::new(&["delegation", "due", &format!("{:020}", self.at.millis()), &self.id])
    }
}

/// What came of looking at the request whose time is over first.
pub(super) enum Overdue {
    /// None is.
    None,
    /// It has expired.
    Expired(Box<DelegationRequest>),
    /// It was forgotten.
    Forgotten,
}

/// Looks after the request whose time is over first.
pub(super) fn next_overdue(tx: &mut Tx<'_>, now: Timestamp) -> Result<Overdue, StoreError> {
    let first = tx.list::<Due>(&Prefix::new(&["delegation", "due"]), None, 1)?.pop();
    let Some(due) = first.filter(|due| due.at <= now) else { return Ok(Overdue::None) };
    let Some(mut request) = tx.get::<DelegationRequest>(&DelegationRequest::key_of(&due.id))? else {
        tx.delete(&due.key());
        return Ok(Overdue::Forgotten);
    };
    if request.expire(now) {
        request.save(tx)?;
        Ok(Overdue::Expired(Box::new(request)))
    } else {
        request.remove(tx);
        Ok(Overdue::Forgotten)
    }
}
