//! Effective policies: `DescribeEffectivePolicy`, `ListAccountsWithInvalidEffectivePolicy`,
//! `ListEffectivePolicyValidationErrors`. Policies of the types that have one (those of tags, backups and so on) cannot be
//! made here, so that no account has any; service and resource control policies are not of that kind on AWS either.

use daypass_core::model::organizations::{
    DescribeEffectivePolicyRequest, DescribeEffectivePolicyResponse, EffectivePolicyType,
    ListAccountsWithInvalidEffectivePolicyRequest, ListAccountsWithInvalidEffectivePolicyResponse,
    ListEffectivePolicyValidationErrorsRequest, ListEffectivePolicyValidationErrorsResponse, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault::{no_account, no_effective_policy, no_target};
use crate::home;
use crate::node::{self, Kind};

operation!(
    DESCRIBE_EFFECTIVE_POLICY,
    ops::DescribeEffectivePolicy,
    |cx, tx, input| checks(cx, tx, input.target_id.as_deref(), input.policy_type),
    describe
);
operation!(
    LIST_ACCOUNTS_WITH_INVALID_EFFECTIVE_POLICY,
    ops::ListAccountsWithInvalidEffectivePolicy,
    |cx, tx, input| checks(cx, tx, None, input.policy_type),
    list_accounts
);
operation!(
    LIST_EFFECTIVE_POLICY_VALIDATION_ERRORS,
    ops::ListEffectivePolicyValidationErrors,
    |cx, tx, input| checks(cx, tx, Some(&input.account_id), input.policy_type),
    list_errors
);

fn checks(
    cx: &Cx,
    tx: &Tx<'_>,
    account: Option<&str>,
    kind: EffectivePolicyType,
) -> Result<Checks, StoreError> {
    home::checks_of_type(cx, tx, account.as_slice(), kind)
}

/// Every account may look at its own.
fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeEffectivePolicyRequest,
) -> Result<DescribeEffectivePolicyResponse, Error> {
    let own = cx.account();
    let target = input.target_id.unwrap_or_else(|| own.as_str().to_owned());
    let organization = match target == own.as_str() {
        true => home::any(cx, tx)?,
        false => home::delegated(cx, tx, checks(cx, tx, Some(&target), input.policy_type)?)?,
    };
    node::load(tx, &organization, &target, &[Kind::Account], no_target)?;
    Err(no_effective_policy().into())
}

fn list_accounts(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListAccountsWithInvalidEffectivePolicyRequest,
) -> Result<ListAccountsWithInvalidEffectivePolicyResponse, Error> {
    home::delegated(cx, tx, checks(cx, tx, None, input.policy_type)?)?;
    Err(no_effective_policy().into())
}

fn list_errors(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListEffectivePolicyValidationErrorsRequest,
) -> Result<ListEffectivePolicyValidationErrorsResponse, Error> {
    let organization = home::delegated(cx, tx, checks(cx, tx, Some(&input.account_id), input.policy_type)?)?;
    node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    Err(no_effective_policy().into())
}
