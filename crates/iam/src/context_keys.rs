//! The context keys of policies: `GetContextKeysForCustomPolicy` and `GetContextKeysForPrincipalPolicy`.

use daypass_core::model::iam::{
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse,
    GetContextKeysForPrincipalPolicyRequest, ops,
};
use daypass_core::policy::DocumentKind;
use daypass_core::store::Tx;
use daypass_core::{Check, Cx, Error, operation};

use crate::policy_source;
use crate::simulated_policy::{Keys, SimulatedPolicy};

operation!(
    GET_CONTEXT_KEYS_FOR_CUSTOM_POLICY,
    ops::GetContextKeysForCustomPolicy,
    |cx, _tx, _input| Ok(Check::on_all(cx.operation().action).into()),
    of_texts
);
operation!(
    GET_CONTEXT_KEYS_FOR_PRINCIPAL_POLICY,
    ops::GetContextKeysForPrincipalPolicy,
    |cx, tx, input| Ok(policy_source::check(cx, tx, &input.policy_source_arn)?.into()),
    of_principal
);

fn of_texts(
    _: &Cx,
    _: &mut Tx<'_>,
    input: GetContextKeysForCustomPolicyRequest,
) -> Result<GetContextKeysForPolicyResponse, Error> {
    Ok(keys_of(&SimulatedPolicy::list("PolicyInputList", DocumentKind::Inline, &input.policy_input_list)?))
}

fn of_principal(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetContextKeysForPrincipalPolicyRequest,
) -> Result<GetContextKeysForPolicyResponse, Error> {
    let given = SimulatedPolicy::list("PolicyInputList", DocumentKind::Inline, &input.policy_input_list)?;
    let source = policy_source::load(cx, tx, &input.policy_source_arn)?;
    Ok(keys_of(given.iter().chain(&source.policies).chain(&source.boundary)))
}

fn keys_of<'a>(policies: impl IntoIterator<Item = &'a SimulatedPolicy>) -> GetContextKeysForPolicyResponse {
    let mut keys = Keys::default();
    policies.into_iter().for_each(|policy| policy.collect_keys(&mut keys));
    GetContextKeysForPolicyResponse { context_key_names: Some(keys.into_vec()) }
}
