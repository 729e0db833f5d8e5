//! `EnableAllFeatures`: from consolidated billing alone to everything. Accounts that came by an invitation have to agree;
//! then the management account finishes it.

use daypass_core::model::organizations::{
    EnableAllFeaturesRequest, EnableAllFeaturesResponse, HandshakeState, ops,
};
use daypass_core::store::records::Organization;
use daypass_core::store::{Read as _, Tx};
use daypass_core::{Cx, Error, operation};

use crate::fault::{handshake_constraint, no_handshake};
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
    let pending = |h: &Handshake| {
        let state = h.state_at(cx.now());
        h.action == Action::EnableAllFeatures
            && matches!(state, HandshakeState::OPEN | HandshakeState::REQUESTED)
    };
    if handshake::of(tx, &organization)?.iter().any(pending) {
        let words = "The organization is already in the process of enabling all features.";
        return Err(
            handshake_constraint("ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION", words).into()
        );
    }
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

/// An account has agreed; with the last one the management account can finish it.
pub(crate) fn approved(tx: &mut Tx<'_>, handshake: &Handshake) -> Result<(), Error> {
    let all = tx.all::<Handshake>(&Handshake::all())?;
    let missing = all.iter().any(|h| h.parent == handshake.parent && h.state != State::Accepted);
    let whole = all.into_iter().find(|h| Some(&h.id) == handshake.parent.as_ref());
    if let Some(mut whole) = whole.filter(|_| !missing) {
        whole.state = State::Open;
        tx.put(&whole)?;
    }
    Ok(())
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
