//! Handshakes, as answers show them.

use daypass_core::Cx;
use daypass_core::model::organizations::{
    Handshake as ApiHandshake, HandshakeParty, HandshakePartyType, HandshakeResource, HandshakeResourceType,
};
use daypass_core::store::records::{Organization, OrganizationNode};
use daypass_core::store::{Read as _, StoreError, Tx};

use crate::handshake::{Action, Handshake};

/// A handshake.
pub(crate) fn shown(cx: &Cx, tx: &Tx<'_>, handshake: &Handshake) -> Result<ApiHandshake, StoreError> {
    Ok(ApiHandshake {
        id: Some(handshake.id.clone()),
        arn: Some(handshake.arn()),
        parties: Some(parties(handshake)),
        state: Some(handshake.state_at(cx.now())),
        requested_timestamp: Some(handshake.requested),
        expiration_timestamp: Some(handshake.expires),
        action: Some(handshake.action_type()),
        resources: Some(resources(tx, handshake)?),
    })
}

/// Handshakes, by their ids.
pub(crate) fn all_shown(
    cx: &Cx,
    tx: &Tx<'_>,
    handshakes: &[Handshake],
) -> Result<Vec<(String, ApiHandshake)>, StoreError> {
    handshakes.iter().map(|handshake| Ok((handshake.id.clone(), shown(cx, tx, handshake)?))).collect()
}

fn parties(handshake: &Handshake) -> Vec<HandshakeParty> {
    let party = |id: &str, type_| HandshakeParty { id: id.to_owned(), type_ };
    // Of an organization, its id without the prefix (recorded answers; the reference's examples have it).
    let organization = handshake.organization.strip_prefix("o-").unwrap_or(&handshake.organization);
    let mut parties = vec![party(organization, HandshakePartyType::ORGANIZATION)];
    match &handshake.email {
        _ if handshake.action == Action::EnableAllFeatures => {}
        Some(email) => parties.push(party(email, HandshakePartyType::EMAIL)),
        None => parties.push(party(handshake.account.as_str(), HandshakePartyType::ACCOUNT)),
    }
    parties
}

fn resources(tx: &Tx<'_>, handshake: &Handshake) -> Result<Vec<HandshakeResource>, StoreError> {
    let resource = |type_, value: String, resources| HandshakeResource {
        value: Some(value),
        type_: Some(type_),
        resources,
    };
    let mut details = None;
    if handshake.action == Action::Invite
        && let Some(organization) = tx.get::<Organization>(&Organization::key_of(&handshake.organization))?
    {
        let key = OrganizationNode::key_of(&organization.id, organization.management_account.as_str());
        let own = tx.get::<OrganizationNode>(&key)?;
        let features = if organization.all_features { "ALL" } else { "CONSOLIDATED_BILLING" };
        let (name, email) =
            own.map(|node| (node.name, node.account.map(|account| account.email))).unwrap_or_default();
        details = Some(vec![
            resource(HandshakeResourceType::MASTEREMAIL, email.unwrap_or_default(), None),
            resource(HandshakeResourceType::MASTERNAME, name, None),
            resource(HandshakeResourceType::ORGANIZATIONFEATURESET, features.to_owned(), None),
        ]);
    }
    let organization = handshake.organization.clone();
    let mut list = vec![resource(HandshakeResourceType::ORGANIZATION, organization, details)];
    match (&handshake.email, handshake.action) {
        (_, Action::EnableAllFeatures) => {}
        (Some(email), _) => list.push(resource(HandshakeResourceType::EMAIL, email.clone(), None)),
        (None, _) => {
            list.push(resource(HandshakeResourceType::ACCOUNT, handshake.account.as_str().to_owned(), None));
        }
    }
    if let Some(parent) = &handshake.parent {
        list.push(resource(HandshakeResourceType::PARENTHANDSHAKE, parent.clone(), None));
    }
    if let Some(notes) = &handshake.notes {
        list.push(resource(HandshakeResourceType::NOTES, notes.clone(), None));
    }
    Ok(list)
}
