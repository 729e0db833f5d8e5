//! `iam:ListPoliciesGrantingServiceAccess`: by which policies somebody may use a service.

use daypass_core::model::iam::{
    ListPoliciesGrantingServiceAccessEntry, ListPoliciesGrantingServiceAccessRequest,
    ListPoliciesGrantingServiceAccessResponse, ops,
};
use daypass_core::policy::check;
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, operation};

use crate::fault::invalid_input;
use crate::paging::{Page, Paging};
use crate::{policy_source, service_access};

operation!(
    LIST_POLICIES_GRANTING_SERVICE_ACCESS,
    ops::ListPoliciesGrantingServiceAccess,
    |cx, tx, input| Ok(policy_source::check(cx, tx, &input.arn)?.into()),
    run
);

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListPoliciesGrantingServiceAccessRequest,
) -> Result<ListPoliciesGrantingServiceAccessResponse, Error> {
    let unknown = |service: &&String| !check::services().any(|known| known == service.as_str());
    if let Some(service) = input.service_namespaces.iter().find(unknown) {
        return Err(invalid_input(format!("Service namespace {service} is invalid.")).into());
    }
    let policies = service_access::of_arn(cx, tx, &input.arn)?;
    let entry = |service: String| ListPoliciesGrantingServiceAccessEntry {
        policies: Some(
            policies
                .iter()
                .filter(|granting| granting.services.contains(service.as_str()))
                .map(|granting| granting.policy.clone())
                .collect(),
        ),
        service_namespace: Some(service),
    };
    let paging = Paging::new(cx, input.marker.as_deref(), None)?;
    let page = paging.list(input.service_namespaces)?;
    let Page { items, is_truncated, marker } = page.map(entry);
    Ok(ListPoliciesGrantingServiceAccessResponse {
        policies_granting_service_access: items,
        is_truncated,
        marker,
    })
}
