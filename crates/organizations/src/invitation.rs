//! `InviteAccountToOrganization`, and what follows where the account accepts.

use daypass_core::model::AccountId;
use daypass_core::model::organizations::{
    HandshakePartyType, InviteAccountToOrganizationRequest, InviteAccountToOrganizationResponse, ops,
};
use daypass_core::store::records::{Account, Membership, Organization};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::{constraint, handshake_constraint, invalid, no_account, no_handshake, same_handshake};
use crate::handshake::{self, Action, Handshake, State};
use crate::{all_features, create_account, handshake_view, home, id, node, service_linked_role, tag};

operation!(INVITE_ACCOUNT_TO_ORGANIZATION, ops::InviteAccountToOrganization, checks, run);

/// An invitation stands for fifteen days (API reference, InviteAccountToOrganization).
const STANDS_SECONDS: i64 = 15 * 86_400;

fn checks(cx: &Cx, tx: &Tx<'_>, input: &InviteAccountToOrganizationRequest) -> Result<Checks, StoreError> {
    let by_number = input.target.type_ == HandshakePartyType::ACCOUNT;
    let ids = if by_number { vec![input.target.id.as_str()] } else { vec![] };
    tag::creating(cx, tx, &ids, &input.tags)
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: InviteAccountToOrganizationRequest,
) -> Result<InviteAccountToOrganizationResponse, Error> {
    let organization = home::managed(cx, tx)?;
    let tags = tag::read(input.tags)?;
    let (account, email) = find(tx, &input.target.id, input.target.type_)?;
    if let Some(membership) = tx.get::<Membership>(&Membership::key_of(&account))? {
        return Err(match membership.organization == organization.id {
            true => {
                let words = "The account is already a member of your organization.";
                handshake_constraint("ALREADY_IN_AN_ORGANIZATION", words)
            }
            false => {
                let words = "The account is already a member of another organization.";
                handshake_constraint("ALREADY_IN_AN_ORGANIZATION", words)
            }
        }
        .into());
    }
    let others = handshake::of(cx, tx, &organization)?;
    if others.iter().any(|h| h.action == Action::Invite && h.account == account && h.is_pending(cx.now())) {
        return Err(same_handshake().into());
    }
    settled(cx, tx, &organization)?;
    handshake::room_for_one(cx, tx, &organization)?;
    create_account::room_for_one(cx, tx, &organization)?;
    let handshake = Handshake {
        id: format!("h-{}", id::letters(cx, 32)),
        organization: organization.id,
        management_account: organization.management_account,
        action: Action::Invite,
        account,
        email,
        notes: input.notes,
        tags,
        state: State::Open,
        requested: cx.now(),
        expires: cx.now().plus_seconds(STANDS_SECONDS),
        ended: None,
        parent: None,
    };
    tx.put(&handshake)?;
    Ok(InviteAccountToOrganizationResponse { handshake: Some(handshake_view::shown(cx, tx, &handshake)?) })
}

/// Nobody joins an organization that is on its way to all features: an account that was not asked would not have agreed.
fn settled(cx: &Cx, tx: &Tx<'_>, organization: &Organization) -> Result<(), Error> {
    if !all_features::pending(cx, tx, organization)? {
        return Ok(());
    }
    let words = "You can't invite accounts while the organization is enabling all features.";
    Err(handshake_constraint("INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES", words).into())
}

/// The account that is meant, and its address where it was named by that. Only an account that is here can be asked.
fn find(tx: &Tx<'_>, target: &str, kind: HandshakePartyType) -> Result<(AccountId, Option<String>), Error> {
    match kind {
        HandshakePartyType::ACCOUNT => {
            let pattern = || {
                invalid(
                    "INVALID_PATTERN_TARGET_ID",
                    "The provided policy target ID does not match the required pattern.",
                )
            };
            let id: AccountId = target.parse().map_err(|_| pattern())?;
            let known = tx.get::<Account>(&Account::key_of(&id))?;
            known.map(|account| (account.id, None)).ok_or_else(|| no_account().into())
        }
        HandshakePartyType::EMAIL => {
            let accounts = tx.all::<Account>(&Account::all())?;
            let known = accounts.into_iter().find(|a| a.email().eq_ignore_ascii_case(target));
            let words = "You specified an email address that isn't valid.";
            let known = known.ok_or_else(|| invalid("INVALID_EMAIL_ADDRESS_TARGET", words))?;
            Ok((known.id, Some(target.to_owned())))
        }
        HandshakePartyType::ORGANIZATION => {
            let words = "You can't specify an organization as the target of an invitation.";
            Err(invalid("INVALID_PARTY_TYPE_TARGET", words).into())
        }
    }
}

/// The account joins.
pub(crate) fn join(cx: &Cx, tx: &mut Tx<'_>, handshake: &Handshake) -> Result<(), Error> {
    let organization = tx.get::<Organization>(&Organization::key_of(&handshake.organization))?;
    let organization = organization.ok_or_else(no_handshake)?;
    if home::organization_of(tx, &handshake.account)?.is_some() {
        let words = "The account is already a member of an organization.";
        return Err(handshake_constraint("ALREADY_IN_AN_ORGANIZATION", words).into());
    }
    settled(cx, tx, &organization)?;
    create_account::room_for_one(cx, tx, &organization)?;
    let account = tx.get::<Account>(&Account::key_of(&handshake.account))?.ok_or_else(no_account)?;
    let nodes = node::all(tx, &organization)?;
    if nodes.iter().any(|node| node.id == account.id.as_str()) {
        let words = "The account can't join the organization.";
        return Err(constraint("ACCOUNT_CREATION_NOT_COMPLETE", words).into());
    }
    let (name, email) = (account.name.clone(), account.email());
    let name = name.unwrap_or_else(|| account.id.as_str().to_owned());
    let mut node = node::of_account(cx, &organization, (account.id.clone(), name, email), false);
    node.tags.clone_from(&handshake.tags);
    tx.put(&node)?;
    tx.put(&Membership { account: account.id.clone(), organization: organization.id.clone() })?;
    if organization.all_features {
        service_linked_role::ensure(cx, tx, &account.id)?;
    }
    Ok(())
}
