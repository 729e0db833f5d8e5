//! `SimulateCustomPolicy` and `SimulatePrincipalPolicy`: what the policy engine says, in the shape of IAM's simulator.
//!
//! A result is one for each action, with one for each resource in it. AWS's simulator knows of each action which resources
//! it can be about, and refuses to mix actions that it asks about differently; here each is asked as it stands.

use daypass_core::model::iam::{
    SimulateCustomPolicyRequest, SimulatePolicyResponse, SimulatePrincipalPolicyRequest, ops,
};
use daypass_core::policy::{Action, DocumentKind};
use daypass_core::store::Tx;
use daypass_core::{Check, Cx, Error, operation};

use crate::context_entry;
use crate::fault::invalid_input;
use crate::paging::Paging;
use crate::policy_source::{self, PolicySource};
use crate::simulated_policy::SimulatedPolicy;
use crate::simulation::{Caller, Simulated, Simulation};

operation!(
    SIMULATE_CUSTOM_POLICY,
    ops::SimulateCustomPolicy,
    |cx, _tx, _input| Ok(Check::on_all(cx.operation().action).into()),
    |cx, _tx, input| simulate(cx, PolicySource { user: None, policies: vec![], boundary: None }, input)
);
operation!(
    SIMULATE_PRINCIPAL_POLICY,
    ops::SimulatePrincipalPolicy,
    |cx, tx, input| Ok(policy_source::check(cx, tx, &input.policy_source_arn)?.into()),
    of_principal
);

/// The most resources of a simulation.
const MAX_RESOURCES: usize = 1000;
/// So many actions on resources are decided for one page; IAM may give fewer results than were asked for.
const MAX_DECISIONS: usize = 2000;
/// The decisions of one page cost no more than reading so many bytes of policies: what one decision costs and answers grows
/// with the policies.
const MAX_BYTES_READ: usize = 32 << 20;

fn of_principal(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: SimulatePrincipalPolicyRequest,
) -> Result<SimulatePolicyResponse, Error> {
    let source = policy_source::load(cx, tx, &input.policy_source_arn)?;
    let custom = SimulateCustomPolicyRequest {
        policy_input_list: input.policy_input_list,
        permissions_boundary_policy_input_list: input.permissions_boundary_policy_input_list,
        action_names: input.action_names,
        resource_arns: input.resource_arns,
        resource_policy: input.resource_policy,
        resource_owner: input.resource_owner,
        caller_arn: input.caller_arn,
        context_entries: input.context_entries,
        resource_handling_option: input.resource_handling_option,
        max_items: input.max_items,
        marker: input.marker,
    };
    simulate(cx, source, custom)
}

/// Simulates the policies of the source together with those of the request. A boundary in the request takes the place of
/// the source's.
fn simulate(
    cx: &Cx,
    source: PolicySource,
    input: SimulateCustomPolicyRequest,
) -> Result<SimulatePolicyResponse, Error> {
    let mut policies =
        SimulatedPolicy::list("PolicyInputList", DocumentKind::Inline, &input.policy_input_list)?;
    policies.extend(source.policies);
    let list = "PermissionsBoundaryPolicyInputList";
    let given =
        SimulatedPolicy::list(list, DocumentKind::Inline, &input.permissions_boundary_policy_input_list)?;
    if given.len() > 1 {
        return Err(invalid_input("Only one permissions boundary policy can be simulated.").into());
    }
    let boundary = given.into_iter().next().or(source.boundary);
    let resource_policy = input.resource_policy.as_deref();
    let resource_policy = resource_policy
        .map(|text| SimulatedPolicy::read("ResourcePolicy", DocumentKind::Resource, text))
        .transpose()?;
    let caller = Caller::new(&cx.account(), input.caller_arn.as_deref(), source.user)?;
    if resource_policy.is_some() && !caller.is_user {
        return Err(invalid_input("Invalid caller - Caller must be an IAM user in this context.").into());
    }
    // Only where the caller is of the own account: how another one stands is not the own account's to know.
    let standing = match caller.is_of(&cx.account()) {
        true => cx.state().organizations.standing(&cx.account())?,
        false => None,
    };
    let read = policies.iter().chain(&boundary).chain(&resource_policy).map(SimulatedPolicy::bytes);
    let read = read.sum::<usize>() + standing.as_ref().map_or(0, |standing| standing.service_control_bytes());
    let read_for_each_action = read.max(1).saturating_mul(input.resource_arns.len().max(1));
    if read_for_each_action > MAX_BYTES_READ {
        let words = "The policies are too large to be simulated for so many resources at once.";
        return Err(invalid_input(words).into());
    }
    let mut context = caller.context();
    context_entry::set_all(&mut context, &input.context_entries)?;
    let simulation = Simulation::new(
        &caller,
        Simulated { identity: policies, boundary, of_resource: resource_policy, standing },
        input.resource_owner.as_deref(),
        &input.resource_arns,
        context,
    )?;
    if input.resource_arns.len() > MAX_RESOURCES {
        return Err(invalid_input(format!("At most {MAX_RESOURCES} resources can be simulated.")).into());
    }
    for name in &input.action_names {
        if name.contains(['*', '?']) || Action::new(name).is_err() {
            return Err(invalid_input(format!("Invalid action name: {name}.")).into());
        }
    }
    let most = (MAX_DECISIONS / input.resource_arns.len().max(1)).min(MAX_BYTES_READ / read_for_each_action);
    let most = i32::try_from(most.max(1)).unwrap_or(i32::MAX);
    let asked = input.max_items.unwrap_or(100).min(most);
    let page = Paging::new(cx, input.marker.as_deref(), Some(asked))?.list(input.action_names)?;
    let page = page.try_map(|name| simulation.of_action(&name))?;
    Ok(SimulatePolicyResponse {
        evaluation_results: Some(page.items),
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}
