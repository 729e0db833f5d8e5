//! What IAM does for the root users of an organization's member accounts: `ListOrganizationsFeatures`, and
//! `Enable…`/`DisableOrganizationsRootCredentialsManagement`, `…RootSessions`.

use daypass_core::model::iam::{
    DisableOrganizationsRootCredentialsManagementRequest,
    DisableOrganizationsRootCredentialsManagementResponse, DisableOrganizationsRootSessionsRequest,
    DisableOrganizationsRootSessionsResponse, EnableOrganizationsRootCredentialsManagementRequest,
    EnableOrganizationsRootCredentialsManagementResponse, EnableOrganizationsRootSessionsRequest,
    EnableOrganizationsRootSessionsResponse, FeatureType, ListOrganizationsFeaturesRequest,
    ListOrganizationsFeaturesResponse, errors, ops,
};
use daypass_core::store::records::{Membership, Organization, OrganizationNode, RootFeature};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

/// The service as which IAM works with organizations.
const IAM: &str = "iam.amazonaws.com";

operation!(LIST_ORGANIZATIONS_FEATURES, ops::ListOrganizationsFeatures, |cx, _, _| checks(cx), list);

/// `switch!(operation, which is turned on or off, how, its request and answer);`
macro_rules! switch {
    ($name:ident = $Operation:ident, $feature:expr, $on:expr, $Request:ident -> $Response:ident) => {
        operation!($name, ops::$Operation, |cx, _, _| checks(cx), |cx, tx, _: $Request| {
            let (id, features) = switch(cx, tx, $feature, $on)?;
            Ok($Response { organization_id: Some(id), enabled_features: Some(features) })
        });
    };
}

switch!(ENABLE_ORGANIZATIONS_ROOT_CREDENTIALS_MANAGEMENT = EnableOrganizationsRootCredentialsManagement,
    RootFeature::CredentialsManagement, true,
    EnableOrganizationsRootCredentialsManagementRequest -> EnableOrganizationsRootCredentialsManagementResponse);
switch!(DISABLE_ORGANIZATIONS_ROOT_CREDENTIALS_MANAGEMENT = DisableOrganizationsRootCredentialsManagement,
    RootFeature::CredentialsManagement, false,
    DisableOrganizationsRootCredentialsManagementRequest -> DisableOrganizationsRootCredentialsManagementResponse);
switch!(ENABLE_ORGANIZATIONS_ROOT_SESSIONS = EnableOrganizationsRootSessions,
    RootFeature::Sessions, true,
    EnableOrganizationsRootSessionsRequest -> EnableOrganizationsRootSessionsResponse);
switch!(DISABLE_ORGANIZATIONS_ROOT_SESSIONS = DisableOrganizationsRootSessions,
    RootFeature::Sessions, false,
    DisableOrganizationsRootSessionsRequest -> DisableOrganizationsRootSessionsResponse);

fn checks(cx: &Cx) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).into())
}

/// The organization that the caller's account is in.
pub(crate) fn own_organization(cx: &Cx, tx: &Tx<'_>) -> Result<Option<Organization>, StoreError> {
    match tx.get::<Membership>(&Membership::key_of(&cx.account()))? {
        Some(membership) => tx.get(&Organization::key_of(&membership.organization)),
        None => Ok(None),
    }
}

/// The caller's organization, where the caller's account may say what IAM does in it.
fn organization(cx: &Cx, tx: &Tx<'_>) -> Result<Organization, Error> {
    let own = cx.account();
    let refuse = |shape, words: &str| Error::from(Fault::new(shape, words));
    let organization = own_organization(cx, tx)?.ok_or_else(|| {
        refuse(&errors::ORGANIZATION_NOT_FOUND_EXCEPTION, "The account is not part of an organization.")
    })?;
    if !organization.all_features {
        let words = "The organization does not have all features enabled.";
        return Err(refuse(&errors::ORGANIZATION_NOT_IN_ALL_FEATURES_MODE_EXCEPTION, words));
    }
    let node = tx.get::<OrganizationNode>(&OrganizationNode::key_of(&organization.id, own.as_str()))?;
    let delegated = node
        .and_then(|node| node.account)
        .is_some_and(|account| account.delegated.iter().any(|service| service.principal == IAM));
    if organization.management_account != own && !delegated {
        let words =
            "The account is not the management account or a delegated administrator of the organization.";
        return Err(refuse(&errors::ACCOUNT_NOT_MANAGEMENT_OR_DELEGATED_ADMINISTRATOR_EXCEPTION, words));
    }
    if !organization.trusts(IAM) {
        let words = "Trusted access is not enabled for AWS Identity and Access Management.";
        return Err(refuse(&errors::SERVICE_ACCESS_NOT_ENABLED_EXCEPTION, words));
    }
    Ok(organization)
}

fn shown(organization: Organization) -> (String, Vec<FeatureType>) {
    let features = organization.root_features.into_iter().map(|feature| match feature {
        RootFeature::CredentialsManagement => FeatureType::RootCredentialsManagement,
        RootFeature::Sessions => FeatureType::RootSessions,
    });
    (organization.id, features.collect())
}

fn switch(
    cx: &Cx,
    tx: &mut Tx<'_>,
    feature: RootFeature,
    on: bool,
) -> Result<(String, Vec<FeatureType>), Error> {
    let mut organization = organization(cx, tx)?;
    organization.root_features.retain(|known| *known != feature);
    if on {
        organization.root_features.push(feature);
        organization.root_features.sort();
    }
    tx.put(&organization)?;
    Ok(shown(organization))
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    _: ListOrganizationsFeaturesRequest,
) -> Result<ListOrganizationsFeaturesResponse, Error> {
    let (id, features) = shown(organization(cx, tx)?);
    Ok(ListOrganizationsFeaturesResponse { organization_id: Some(id), enabled_features: Some(features) })
}
