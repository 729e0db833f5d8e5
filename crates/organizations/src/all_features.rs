//! `EnableAllFeatures`: from consolidated billing alone to everything. Accounts that came by an invitation have to agree;
//! then the management account finishes it.

use daypass_core::model::AccountId;
use daypass_core::model::organizations::{
    EnableAllFeaturesRequest, EnableAllFeaturesResponse, HandshakeState, ops,
};
use daypass_core::store::records::{Membership, Organization};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Cx, Error, operation};

use crate::fault::{handshake_constraint, no_handshake, no_transition};
use crate::handshake::{self, Action, Handshake, State};
use crate::{handshake_view, home, id, node, service_linked_role};

operation!(ENABLE_ALL_FEATURES, ops::EnableAllFeatures, |cx, tx, _| home::checks(cx, tx, &[]), run);

/// What is asked stands for ninety days (user guide, `orgs_manage_org_support-all-features`).
const STANDS_SECONDS: i64 = 90 * 86_400;

fn run(cx: &Cx, tx: &mut Tx<'_>, _: EnableAllFeaturesRequest) -> Result<EnableAllFeaturesResponse, Error> {
    let organization = home::managed(cx, tx)?;
    if organization.all_features {
        let words = "The organization already has all features enabled.";
        return Err(handshake_constraint("ORGANIZATION_ALREADY_HAS_ALL_FEATURES", words).into());
    }
    if pending(cx, tx, &organization)? {
        let words = "The organization is already in the process of enabling all features.";
        return Err(
            handshake_constraint("ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION", words).into()
        );
    }
    handshake::room_for_one(cx, tx, &organization)?;
    let ask = |cx: &Cx, action, account, state, parent| Handshake {
        id: format!("h-{}", id::letters(cx, 32)),
        organization: organization.id.clone(),
        management_account: organization.management_account.clone(),
        action,
        account,
        email: None,
        notes: None,
        tags: vec![],
        state,
        requested: cx.now(),
        expires: cx.now().plus_seconds(STANDS_SECONDS),
        ended: None,
        parent,
    };
    let own = organization.management_account.clone();
    let mut whole = ask(cx, Action::EnableAllFeatures, own.clone(), State::Open, None);
    for member in node::all(tx, &organization)?.into_iter().filter_map(|node| node.account) {
        if member.id != own && !member.created_here {
            whole.state = State::Requested;
            tx.put(&ask(cx, Action::ApproveAllFeatures, member.id, State::Open, Some(whole.id.clone())))?;
        }
    }
    tx.put(&whole)?;
    Ok(EnableAllFeaturesResponse { handshake: Some(handshake_view::shown(cx, tx, &whole)?) })
}

/// Whether the organization is on its way to all features.
pub(crate) fn pending(cx: &Cx, tx: &Tx<'_>, organization: &Organization) -> Result<bool, StoreError> {
    let asked = |h: &Handshake| h.action == Action::EnableAllFeatures && h.is_pending(cx.now());
    Ok(handshake::of(cx, tx, organization)?.iter().any(asked))
}

/// An account has agreed.
///
/// # Errors
/// If what it agrees to is asked no more.
pub(crate) fn approved(cx: &Cx, tx: &mut Tx<'_>, handshake: &Handshake) -> Result<(), Error> {
    if settle(cx, tx, handshake)? { Ok(()) } else { Err(no_transition().into()) }
}

/// The account has left: nobody waits for its answer, and what it declined stands in nobody's way (user guide,
/// `orgs_manage_org_support-all-features`).
pub(crate) fn left(
    cx: &Cx,
    tx: &mut Tx<'_>,
    organization: &Organization,
    account: &AccountId,
) -> Result<(), Error> {
    for mut asked in handshake::of(cx, tx, organization)? {
        if asked.action != Action::ApproveAllFeatures || asked.account != *account {
            continue;
        }
        if asked.is_pending(cx.now()) {
            asked.end(State::Canceled, cx.now());
            tx.put(&asked)?;
        }
        settle(cx, tx, &asked)?;
    }
    Ok(())
}

/// The whole is asked no more, and so none of its parts.
pub(crate) fn cancelled(cx: &Cx, tx: &mut Tx<'_>, whole: &Handshake) -> Result<(), StoreError> {
    for mut part in tx.all::<Handshake>(&Handshake::all())? {
        if part.parent.as_ref() == Some(&whole.id) && part.is_pending(cx.now()) {
            part.end(State::Canceled, cx.now());
            tx.put(&part)?;
        }
    }
    Ok(())
}

/// With the last of those who have to agree the management account can finish the whole that this is a part of. Whether
/// the whole is still asked.
fn settle(cx: &Cx, tx: &mut Tx<'_>, part: &Handshake) -> Result<bool, StoreError> {
    let all = tx.all::<Handshake>(&Handshake::all())?;
    let whole = all.iter().find(|h| Some(&h.id) == part.parent.as_ref());
    let whole = whole.filter(|whole| whole.state_at(cx.now()) == HandshakeState::REQUESTED);
    let Some(whole) = whole else { return Ok(false) };
    for other in all.iter().filter(|h| h.parent == part.parent && h.state != State::Accepted) {
        let member = tx.get::<Membership>(&Membership::key_of(&other.account))?;
        if member.is_some_and(|member| member.organization == whole.organization) {
            return Ok(true);
        }
    }
    tx.put(&Handshake { state: State::Open, ..whole.clone() })?;
    Ok(true)
}

/// The organization has all features.
pub(crate) fn enabled(cx: &Cx, tx: &mut Tx<'_>, handshake: &Handshake) -> Result<(), Error> {
    let organization = tx.get::<Organization>(&Organization::key_of(&handshake.organization))?;
    let mut organization = organization.ok_or_else(no_handshake)?;
    organization.all_features = true;
    tx.put(&organization)?;
    for member in node::all(tx, &organization)?.into_iter().filter_map(|node| node.account) {
        service_linked_role::ensure(cx, tx, &member.id)?;
    }
    Ok(())
}
