//! The services that may work with the organization: `EnableAWSServiceAccess`, `DisableAWSServiceAccess`,
//! `ListAWSServiceAccessForOrganization`.

use daypass_core::model::organizations::{
    DisableAWSServiceAccessRequest, EnableAWSServiceAccessRequest, EnabledServicePrincipal,
    ListAWSServiceAccessForOrganizationRequest, ListAWSServiceAccessForOrganizationResponse, ops,
};
use daypass_core::store::records::TrustedService;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, operation};

use crate::fault::{constraint, invalid};
use crate::paging::page;
use crate::{home, node};

operation!(
    ENABLE_AWS_SERVICE_ACCESS,
    ops::EnableAWSServiceAccess,
    |cx, _, input| checks(cx, &input.service_principal),
    enable
);
operation!(
    DISABLE_AWS_SERVICE_ACCESS,
    ops::DisableAWSServiceAccess,
    |cx, _, input| checks(cx, &input.service_principal),
    disable
);
operation!(
    LIST_AWS_SERVICE_ACCESS_FOR_ORGANIZATION,
    ops::ListAWSServiceAccessForOrganization,
    |cx, tx, _| home::checks(cx, tx, &[]),
    list
);

/// The service that a request is about (Service Authorization Reference, AWS Organizations, condition keys).
pub(crate) const SERVICE_PRINCIPAL: &str = "organizations:ServicePrincipal";

/// The services that work with organizations (user guide, `orgs_integrate_services_list`).
const SERVICES: [&str; 57] = [
    "access-analyzer.amazonaws.com",
    "account.amazonaws.com",
    "agentless.inspector2.amazonaws.com",
    "appstream.amazonaws.com",
    "auditmanager.amazonaws.com",
    "aws-artifact-account-sync.amazonaws.com",
    "backup.amazonaws.com",
    "bcm-dashboards.amazonaws.com",
    "bedrock.amazonaws.com",
    "billing-cost-management.amazonaws.com",
    "billingconductor.amazonaws.com",
    "chatbot.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "compute-optimizer.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "config.amazonaws.com",
    "controltower.amazonaws.com",
    "cost-optimization-hub.bcm.amazonaws.com",
    "detective.amazonaws.com",
    "devops-guru.amazonaws.com",
    "ds.amazonaws.com",
    "ec2.amazonaws.com",
    "events.amazonaws.com",
    "fms.amazonaws.com",
    "guardduty.amazonaws.com",
    "health.amazonaws.com",
    "iam.amazonaws.com",
    "inspector2.amazonaws.com",
    "ipam.amazonaws.com",
    "license-management.marketplace.amazonaws.com",
    "license-manager-linux-subscriptions.amazonaws.com",
    "license-manager.amazonaws.com",
    "license-manager.member-account.amazonaws.com",
    "macie.amazonaws.com",
    "malware-protection.guardduty.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
    "networkmanager.amazonaws.com",
    "notifications.amazon.com",
    "observabilityadmin.amazonaws.com",
    "opsdatasync.ssm.amazonaws.com",
    "ram.amazonaws.com",
    "reachabilityanalyzer.networkinsights.amazonaws.com",
    "reporting.trustedadvisor.amazonaws.com",
    "resource-explorer-2.amazonaws.com",
    "resource-management.amazonaws.com",
    "route53.amazonaws.com",
    "securityhub.amazonaws.com",
    "securitylake.amazonaws.com",
    "servicecatalog.amazonaws.com",
    "servicequotas.amazonaws.com",
    "ssm-quicksetup.amazonaws.com",
    "ssm.amazonaws.com",
    "sso.amazonaws.com",
    "storage-lens.s3.amazonaws.com",
    "tagpolicies.tag.amazonaws.com",
    "vpce.amazonaws.com",
    "wellarchitected.amazonaws.com",
];

/// The question with the service that it is about.
pub(crate) fn checks(cx: &Cx, service: &str) -> Result<Checks, StoreError> {
    Ok(Check::on_all(cx.operation().action).with(SERVICE_PRINCIPAL, service).into())
}

/// Whether it is a service that works with organizations.
///
/// # Errors
/// If not.
pub(crate) fn recognized(service: &str) -> Result<(), Fault> {
    if SERVICES.contains(&service) {
        return Ok(());
    }
    Err(invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal."))
}

fn enable(cx: &Cx, tx: &mut Tx<'_>, input: EnableAWSServiceAccessRequest) -> Result<(), Error> {
    let mut organization = home::managed(cx, tx)?;
    recognized(&input.service_principal)?;
    if !organization.all_features {
        let words = "This operation can be performed only for organizations with all features enabled.";
        return Err(constraint("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", words).into());
    }
    if !organization.trusts(&input.service_principal) {
        let trusted = TrustedService { principal: input.service_principal, since: cx.now() };
        organization.trusted_services.push(trusted);
    }
    Ok(tx.put(&organization)?)
}

fn disable(cx: &Cx, tx: &mut Tx<'_>, input: DisableAWSServiceAccessRequest) -> Result<(), Error> {
    let mut organization = home::managed(cx, tx)?;
    recognized(&input.service_principal)?;
    let administers = |node: &daypass_core::store::records::OrganizationNode| {
        let delegated = node.account.iter().flat_map(|account| &account.delegated);
        delegated.into_iter().any(|service| service.principal == input.service_principal)
    };
    if node::all(tx, &organization)?.iter().any(administers) {
        let words = "You must deregister all delegated administrators for this service before you can disable service access.";
        return Err(constraint("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", words).into());
    }
    organization.trusted_services.retain(|trusted| trusted.principal != input.service_principal);
    if input.service_principal == "iam.amazonaws.com" {
        // What IAM does for root users it does as a trusted service.
        organization.root_features.clear();
    }
    Ok(tx.put(&organization)?)
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListAWSServiceAccessForOrganizationRequest,
) -> Result<ListAWSServiceAccessForOrganizationResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let shown = organization.trusted_services.into_iter().map(|trusted| {
        let shown = EnabledServicePrincipal {
            service_principal: Some(trusted.principal.clone()),
            date_enabled: Some(trusted.since),
        };
        (trusted.principal, shown)
    });
    let (services, next_token) = page(cx, shown.collect(), input.next_token.as_deref(), input.max_results)?;
    Ok(ListAWSServiceAccessForOrganizationResponse { enabled_service_principals: Some(services), next_token })
}
