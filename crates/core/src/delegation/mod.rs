//! Temporary delegation: a partner asks an account for access for a while; whoever the account lets decide accepts, and the
//! partner acts as them, within what it asked for (IAM user guide, `access_policies-temporary-delegation` and
//! `access_policies-temporary-delegation-partner-guide`).
//!
//! IAM has the requests, STS gives the sessions, the gate holds them to what was granted; this is what they share. A request
//! is a [`DelegationRequest`], which alone knows where it may go. What it asks for comes from a [`Template`] that the
//! operator gave the [`Partner`]. The partner's [`Session`](crate::Session) is that of whoever accepted, with a
//! [`Delegation`] in it: the gate asks the policy of the request before it asks anything else, so that nothing that names the
//! accepting principal lets the partner in beyond it.

mod access;
mod ceiling;
mod index;
mod notification;
pub mod partner;
mod request;
mod substitution;
mod template;

use daypass_model::AccountId;
use daypass_store::{Read as _, StoreError, TransactError, Tx};

pub use access::{Delegation, NotRedeemed, Redeemed, has_partner, new_token, redeem};
pub(crate) use access::{ceiling_of, stands};
pub use index::Owned;
pub use notification::{TellError, tell_state, tell_token};
pub use partner::{Partner, PartnerBoundary, PolicyTemplate};
pub use request::{Approver, Asked, DelegationRequest, Owner, RequestState, Sent, WrongState};
pub use template::{MAX_RENDERED, Parameter, Template, TemplateError, makes_roles};

use crate::ids::Ids;
use crate::state::State;
use index::{Overdue, Workflow};

/// The most requests of a partner that are not forgotten yet. AWS does not name its quota.
pub const REQUESTS_PER_PARTNER: usize = 1000;

/// Whether a partner has a request of that name.
///
/// # Errors
/// If the store fails.
pub fn has_workflow(tx: &Tx<'_>, partner: &AccountId, name: &str) -> Result<bool, StoreError> {
    Ok(tx.get::<Workflow>(&Workflow::key_of(partner, name))?.is_some())
}

/// Whether a partner may have one more request.
///
/// # Errors
/// If the store fails.
pub fn has_room(tx: &Tx<'_>, partner: &AccountId) -> Result<bool, StoreError> {
    Ok(tx.keys(&Workflow::all(partner), None, REQUESTS_PER_PARTNER)?.len() < REQUESTS_PER_PARTNER)
}

/// Has all requests expire whose time is over, tells their partners, and forgets those that expired long ago. To be called
/// from time to time: what is over is over before.
///
/// # Errors
/// If the store fails.
pub async fn end_overdue(state: &State) -> Result<usize, StoreError> {
    let mut ended = 0;
    loop {
        let (now, ids) = (state.clock.now(), Ids::drawn(&*state.entropy));
        let done = state.store.transact(|tx| {
            let overdue = index::next_overdue(tx, now)?;
            if let Overdue::Expired(request) = &overdue {
                tell_state(tx, &ids, request, now)?;
            }
            Ok(!matches!(overdue, Overdue::None))
        });
        let more = done.await.map_err(|error: TransactError<StoreError>| match error {
            TransactError::Aborted(error) | TransactError::Store(error) => error,
        })?;
        if !more {
            return Ok(ended);
        }
        ended += 1;
    }
}
