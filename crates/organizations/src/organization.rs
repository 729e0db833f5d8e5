//! The organization as a whole: `CreateOrganization`, `DescribeOrganization`, `DeleteOrganization`.

use daypass_core::model::organizations::{
    CreateOrganizationRequest, CreateOrganizationResponse, DescribeOrganizationResponse,
    Organization as ApiOrganization, OrganizationFeatureSet, PolicyType, PolicyTypeStatus, PolicyTypeSummary,
    ops,
};
use daypass_core::store::records::{Account, Membership, Organization, OrganizationNode, OrganizationPolicy};
use daypass_core::store::{Key, Read as _, Record as _, Tx};
use daypass_core::{Check, Cx, Error, operation};

use crate::create_account::AccountCreation;
use crate::fault::{already_in_organization, no_role_for_organizations, organization_not_empty};
use crate::handshake::Handshake;
use crate::resource_policy::ResourcePolicy;
use crate::{home, id, node, service_linked_role};

operation!(CREATE_ORGANIZATION, ops::CreateOrganization, |cx, tx, _| home::checks(cx, tx, &[]), create);
operation!(
    DESCRIBE_ORGANIZATION,
    ops::DescribeOrganization,
    |cx, tx, ()| home::checks(cx, tx, &[]),
    describe
);
operation!(DELETE_ORGANIZATION, ops::DeleteOrganization, |cx, tx, ()| home::checks(cx, tx, &[]), delete);

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateOrganizationRequest,
) -> Result<CreateOrganizationResponse, Error> {
    let own = cx.account();
    if home::organization_of(tx, &own)?.is_some() {
        return Err(already_in_organization().into());
    }
    let all_features = input.feature_set != Some(OrganizationFeatureSet::CONSOLIDATEDBILLING);
    if all_features {
        // With its first organization an account gets the role that Organizations works by.
        let role = "arn:aws:iam::aws:policy/aws-service-role/AWSOrganizationsServiceTrustPolicy";
        let check = Check::new("iam:CreateServiceLinkedRole", service_linked_role::arn(&own))
            .with("iam:AWSServiceName", service_linked_role::SERVICE)
            .with("iam:PolicyARN", role);
        if !cx.may(&check) {
            return Err(no_role_for_organizations().into());
        }
        service_linked_role::ensure(cx, tx, &own)?;
    }
    let organization = Organization {
        id: format!("o-{}", id::letters(cx, 10)),
        root_id: format!("r-{}", id::letters(cx, 4)),
        management_account: own.clone(),
        created: cx.now(),
        all_features,
        // Not even service control policies: what the reference says of them was not observed (the root of a new
        // organization lists none, and Terraform relies on it).
        policy_types: vec![],
        trusted_services: vec![],
        root_features: vec![],
    };
    let account = tx.get::<Account>(&Account::key_of(&own))?.ok_or_else(|| cx.internal_failure())?;
    let name = account.name.clone().unwrap_or_else(|| own.as_str().to_owned());
    tx.put(&organization)?;
    tx.put(&OrganizationNode {
        organization: organization.id.clone(),
        id: organization.root_id.clone(),
        parent: None,
        name: "Root".to_owned(),
        policies: vec![],
        tags: vec![],
        account: None,
    })?;
    tx.put(&node::of_account(cx, &organization, (own.clone(), name, account.email()), false))?;
    tx.put(&Membership { account: own, organization: organization.id.clone() })?;
    Ok(CreateOrganizationResponse { organization: Some(shown(tx, &organization)?) })
}

/// The organization as answers show it.
pub(crate) fn shown(tx: &Tx<'_>, organization: &Organization) -> Result<ApiOrganization, Error> {
    let Organization { id, management_account, .. } = organization;
    let own = tx.get::<OrganizationNode>(&OrganizationNode::key_of(id, management_account.as_str()))?;
    let feature_set = match organization.all_features {
        true => OrganizationFeatureSet::ALL,
        false => OrganizationFeatureSet::CONSOLIDATEDBILLING,
    };
    // The member is deprecated, and says the same of every organization with all features (API reference).
    let available = PolicyTypeSummary {
        type_: Some(PolicyType::SERVICECONTROLPOLICY),
        status: Some(PolicyTypeStatus::ENABLED),
    };
    Ok(ApiOrganization {
        id: Some(id.clone()),
        arn: Some(format!("arn:aws:organizations::{management_account}:organization/{id}")),
        feature_set: Some(feature_set),
        master_account_arn: Some(format!(
            "arn:aws:organizations::{management_account}:account/{id}/{management_account}"
        )),
        master_account_id: Some(management_account.as_str().to_owned()),
        master_account_email: own.and_then(|node| node.account).map(|account| account.email),
        available_policy_types: Some(if organization.all_features { vec![available] } else { vec![] }),
    })
}

fn describe(cx: &Cx, tx: &mut Tx<'_>, (): ()) -> Result<DescribeOrganizationResponse, Error> {
    let organization = home::any(cx, tx)?;
    Ok(DescribeOrganizationResponse { organization: Some(shown(tx, &organization)?) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, (): ()) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    let nodes = node::all(tx, &organization)?;
    let members =
        nodes.iter().filter(|n| n.account.as_ref().is_some_and(|a| a.id != organization.management_account));
    if members.count() > 0 {
        return Err(organization_not_empty().into());
    }
    let policies = tx.all::<OrganizationPolicy>(&OrganizationPolicy::all(&organization.id))?;
    let handshakes = tx.all::<Handshake>(&Handshake::all())?;
    let creations = tx.all::<AccountCreation>(&AccountCreation::all(&organization.id))?;
    let mut gone: Vec<Key> = nodes.iter().map(daypass_core::store::Record::key).collect();
    gone.extend(policies.iter().map(daypass_core::store::Record::key));
    gone.extend(handshakes.iter().filter(|h| h.organization == organization.id).map(|h| h.key()));
    gone.extend(creations.iter().map(daypass_core::store::Record::key));
    gone.push(ResourcePolicy::key_of(&organization.id));
    gone.push(Membership::key_of(&organization.management_account));
    gone.push(organization.key());
    gone.iter().for_each(|key| tx.delete(key));
    Ok(())
}
