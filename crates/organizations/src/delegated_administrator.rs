//! Member accounts that administer a service for the whole organization: `RegisterDelegatedAdministrator`,
//! `DeregisterDelegatedAdministrator`, `ListDelegatedAdministrators`, `ListDelegatedServicesForAccount`.

use daypass_core::model::organizations::{
    DelegatedAdministrator, DelegatedService, DeregisterDelegatedAdministratorRequest,
    ListDelegatedAdministratorsRequest, ListDelegatedAdministratorsResponse,
    ListDelegatedServicesForAccountRequest, ListDelegatedServicesForAccountResponse,
    RegisterDelegatedAdministratorRequest, ops,
};
use daypass_core::store::records::TrustedService;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::{already_registered, constraint, no_account, not_registered};
use crate::home;
use crate::node::{self, Kind};
use crate::paging::page;
use crate::service_access::{self, SERVICE_PRINCIPAL};

operation!(
    REGISTER_DELEGATED_ADMINISTRATOR,
    ops::RegisterDelegatedAdministrator,
    |cx, tx, input| checks(cx, tx, &input.account_id, &input.service_principal),
    register
);
operation!(
    DEREGISTER_DELEGATED_ADMINISTRATOR,
    ops::DeregisterDelegatedAdministrator,
    |cx, tx, input| checks(cx, tx, &input.account_id, &input.service_principal),
    deregister
);
operation!(LIST_DELEGATED_ADMINISTRATORS, ops::ListDelegatedAdministrators, list_checks, list);
operation!(
    LIST_DELEGATED_SERVICES_FOR_ACCOUNT,
    ops::ListDelegatedServicesForAccount,
    |cx, tx, input| home::checks(cx, tx, &[&input.account_id]),
    list_services
);

fn checks(cx: &Cx, tx: &Tx<'_>, account: &str, service: &str) -> Result<Checks, StoreError> {
    home::checks_with(cx, tx, &[account], |check| check.with(SERVICE_PRINCIPAL, service))
}

fn register(cx: &Cx, tx: &mut Tx<'_>, input: RegisterDelegatedAdministratorRequest) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    service_access::recognized(&input.service_principal)?;
    let mut node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    let Some(account) = &mut node.account else { return Err(no_account().into()) };
    if account.id == organization.management_account {
        let words =
            "You cannot register master account/yourself as delegated administrator for your organization.";
        return Err(constraint("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", words).into());
    }
    if account.closed.is_some() {
        let words = "You can't register a suspended account as a delegated administrator.";
        return Err(constraint("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", words).into());
    }
    if !organization.trusts(&input.service_principal) {
        let words = "You attempted to register a delegated administrator before you enabled service access. Call the EnableAWSServiceAccess API first.";
        return Err(constraint("SERVICE_ACCESS_NOT_ENABLED", words).into());
    }
    if account.delegated.iter().any(|service| service.principal == input.service_principal) {
        return Err(already_registered().into());
    }
    account.delegated.push(TrustedService { principal: input.service_principal, since: cx.now() });
    Ok(tx.put(&node)?)
}

fn deregister(cx: &Cx, tx: &mut Tx<'_>, input: DeregisterDelegatedAdministratorRequest) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    service_access::recognized(&input.service_principal)?;
    let mut node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    let Some(account) = &mut node.account else { return Err(no_account().into()) };
    let before = account.delegated.len();
    account.delegated.retain(|service| service.principal != input.service_principal);
    if account.delegated.len() == before {
        return Err(not_registered().into());
    }
    Ok(tx.put(&node)?)
}

fn list_checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &ListDelegatedAdministratorsRequest,
) -> Result<Checks, StoreError> {
    home::checks_with(cx, tx, &[], |check| {
        check.with_some(SERVICE_PRINCIPAL, input.service_principal.clone())
    })
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListDelegatedAdministratorsRequest,
) -> Result<ListDelegatedAdministratorsResponse, Error> {
    let organization = home::delegated(cx, tx, list_checks(cx, tx, &input)?)?;
    if let Some(service) = &input.service_principal {
        service_access::recognized(service)?;
    }
    let wanted = |service: &&TrustedService| {
        input.service_principal.as_ref().is_none_or(|wanted| *wanted == service.principal)
    };
    let mut shown = vec![];
    for node in node::all(tx, &organization)? {
        let delegated = node.account.iter().flat_map(|account| &account.delegated).filter(wanted);
        let Some(since) = delegated.map(|service| service.since).min() else { continue };
        let Some(account) = node::account(tx, &organization, &node)? else { continue };
        let administrator = DelegatedAdministrator {
            id: account.id,
            arn: account.arn,
            email: account.email,
            name: account.name,
            status: account.status,
            state: account.state,
            joined_method: account.joined_method,
            joined_timestamp: account.joined_timestamp,
            delegation_enabled_date: Some(since),
        };
        shown.push((node.id, administrator));
    }
    let (administrators, next_token) = page(cx, shown, input.next_token.as_deref(), input.max_results)?;
    Ok(ListDelegatedAdministratorsResponse { delegated_administrators: Some(administrators), next_token })
}

fn list_services(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListDelegatedServicesForAccountRequest,
) -> Result<ListDelegatedServicesForAccountResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.account_id])?)?;
    let node = node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    let delegated = node.account.map(|account| account.delegated).unwrap_or_default();
    if delegated.is_empty() {
        return Err(not_registered().into());
    }
    let shown = delegated.into_iter().map(|service| {
        let shown = DelegatedService {
            service_principal: Some(service.principal.clone()),
            delegation_enabled_date: Some(service.since),
        };
        (service.principal, shown)
    });
    let (services, next_token) = page(cx, shown.collect(), input.next_token.as_deref(), input.max_results)?;
    Ok(ListDelegatedServicesForAccountResponse { delegated_services: Some(services), next_token })
}
