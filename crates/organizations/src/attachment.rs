//! Policies on roots, units and accounts: `AttachPolicy`, `DetachPolicy`, `ListPoliciesForTarget`, `ListTargetsForPolicy`.

use daypass_core::model::organizations::{
    AttachPolicyRequest, DetachPolicyRequest, ListPoliciesForTargetRequest, ListPoliciesForTargetResponse,
    ListTargetsForPolicyRequest, ListTargetsForPolicyResponse, PolicyTargetSummary, TargetType, ops,
};
use daypass_core::organizations::FULL_ACCESS;
use daypass_core::store::Tx;
use daypass_core::store::records::{ControlPolicyType, Organization, OrganizationNode};
use daypass_core::{Cx, Error, operation};

use crate::fault::{already_attached, constraint, invalid, no_target, not_attached, type_not_enabled};
use crate::home;
use crate::node::{self, Kind};
use crate::paging::page;
use crate::policy::{self, Found};

operation!(
    ATTACH_POLICY,
    ops::AttachPolicy,
    |cx, tx, input| home::checks(cx, tx, &[&input.policy_id, &input.target_id]),
    attach
);
operation!(
    DETACH_POLICY,
    ops::DetachPolicy,
    |cx, tx, input| home::checks(cx, tx, &[&input.policy_id, &input.target_id]),
    detach
);
operation!(
    LIST_POLICIES_FOR_TARGET,
    ops::ListPoliciesForTarget,
    |cx, tx, input| home::checks_of_type(cx, tx, &[&input.target_id], input.filter),
    list_for_target
);
operation!(
    LIST_TARGETS_FOR_POLICY,
    ops::ListTargetsForPolicy,
    |cx, tx, input| home::checks(cx, tx, &[&input.policy_id]),
    list_targets
);

const TARGETS: [Kind; 3] = [Kind::Root, Kind::Unit, Kind::Account];

/// The most policies of a type that hang on one target (user guide, `orgs_reference_limits`; ten service control policies
/// since May 2026).
fn most(kind: ControlPolicyType) -> usize {
    match kind {
        ControlPolicyType::ServiceControlPolicy => 10,
        ControlPolicyType::ResourceControlPolicy => 5,
    }
}

/// How many policies of the type hang on the target.
fn attached(
    tx: &Tx<'_>,
    organization: &Organization,
    target: &OrganizationNode,
    kind: ControlPolicyType,
) -> Result<Vec<Found>, Error> {
    let mut found = vec![];
    for id in &target.policies {
        found.push(Found::load(tx, organization, id)?);
    }
    found.retain(|policy| policy.kind() == kind);
    Ok(found)
}

fn attach(cx: &Cx, tx: &mut Tx<'_>, input: AttachPolicyRequest) -> Result<(), Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.policy_id, &input.target_id])?)?;
    let kind = Found::load(tx, &organization, &input.policy_id)?.kind();
    let mut target = node::load(tx, &organization, &input.target_id, &TARGETS, no_target)?;
    if !organization.enables(kind) {
        return Err(type_not_enabled().into());
    }
    if target.policies.contains(&input.policy_id) {
        return Err(already_attached().into());
    }
    if attached(tx, &organization, &target, kind)?.len() >= most(kind) {
        let words = "You have attached the maximum number of policies to the specified target.";
        return Err(constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", words).into());
    }
    target.policies.push(input.policy_id);
    Ok(tx.put(&target)?)
}

fn detach(cx: &Cx, tx: &mut Tx<'_>, input: DetachPolicyRequest) -> Result<(), Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.policy_id, &input.target_id])?)?;
    let kind = Found::load(tx, &organization, &input.policy_id)?.kind();
    let mut target = node::load(tx, &organization, &input.target_id, &TARGETS, no_target)?;
    if !target.policies.contains(&input.policy_id) {
        return Err(not_attached().into());
    }
    let of_aws = FULL_ACCESS.iter().any(|full| full.id == input.policy_id);
    if of_aws && kind == ControlPolicyType::ResourceControlPolicy {
        let words = "You can't detach the RCPFullAWSAccess policy.";
        return Err(invalid("NON_DETACHABLE_POLICY", words).into());
    }
    if attached(tx, &organization, &target, kind)?.len() < 2 {
        let words = "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.";
        return Err(constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", words).into());
    }
    target.policies.retain(|id| *id != input.policy_id);
    Ok(tx.put(&target)?)
}

fn list_for_target(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListPoliciesForTargetRequest,
) -> Result<ListPoliciesForTargetResponse, Error> {
    let organization =
        home::delegated(cx, tx, home::checks_of_type(cx, tx, &[&input.target_id], input.filter)?)?;
    let target = node::load(tx, &organization, &input.target_id, &TARGETS, no_target)?;
    let found = match policy::known(input.filter) {
        Ok(kind) => attached(tx, &organization, &target, kind)?,
        Err(_) => vec![],
    };
    let shown = found.iter().map(|policy| policy.summary(&organization));
    let shown = shown.map(|summary| (summary.id.clone().unwrap_or_default(), summary)).collect();
    let (policies, next_token) = page(cx, shown, input.next_token.as_deref(), input.max_results)?;
    Ok(ListPoliciesForTargetResponse { policies: Some(policies), next_token })
}

fn list_targets(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListTargetsForPolicyRequest,
) -> Result<ListTargetsForPolicyResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.policy_id])?)?;
    Found::load(tx, &organization, &input.policy_id)?;
    let mut nodes = node::all(tx, &organization)?;
    nodes.retain(|node| node.policies.contains(&input.policy_id));
    let shown = nodes.into_iter().map(|node| {
        let kind = match node::kind_of(&node.id) {
            Kind::Root => TargetType::ROOT,
            Kind::Unit => TargetType::ORGANIZATIONALUNIT,
            Kind::Account => TargetType::ACCOUNT,
        };
        let arn = node::arn_of(&organization, &node);
        let summary = PolicyTargetSummary {
            target_id: Some(node.id.clone()),
            arn: Some(arn),
            name: Some(node.name),
            type_: Some(kind),
        };
        (node.id, summary)
    });
    let (targets, next_token) = page(cx, shown.collect(), input.next_token.as_deref(), input.max_results)?;
    Ok(ListTargetsForPolicyResponse { targets: Some(targets), next_token })
}
