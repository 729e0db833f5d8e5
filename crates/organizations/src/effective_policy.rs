//! Effective policies: `DescribeEffectivePolicy`, `ListAccountsWithInvalidEffectivePolicy`,
//! `ListEffectivePolicyValidationErrors`. Policies of the types that have one (those of tags, backups and so on) cannot be
//! made here, so that no account has any; service and resource control policies are not of that kind on AWS either.

use daypass_core::model::organizations::{
    DescribeEffectivePolicyRequest, DescribeEffectivePolicyResponse,
    ListAccountsWithInvalidEffectivePolicyRequest, ListAccountsWithInvalidEffectivePolicyResponse,
    ListEffectivePolicyValidationErrorsRequest, ListEffectivePolicyValidationErrorsResponse, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, operation};

use crate::fault::{no_account, no_effective_policy, no_target};
use crate::home;
use crate::node::{self, Kind};

operation!(
    DESCRIBE_EFFECTIVE_POLICY,
    ops::DescribeEffectivePolicy,
    |cx, tx, input| home::checks(cx, tx, &input.target_id.iter().map(String::as_str).collect::<Vec<_>>()),
    describe
);
operation!(
    LIST_ACCOUNTS_WITH_INVALID_EFFECTIVE_POLICY,
    ops::ListAccountsWithInvalidEffectivePolicy,
    |cx, tx, _| home::checks(cx, tx, &[]),
    list_accounts
);
operation!(
    LIST_EFFECTIVE_POLICY_VALIDATION_ERRORS,
    ops::ListEffectivePolicyValidationErrors,
    |cx, tx, input| home::checks(cx, tx, &[&input.account_id]),
    list_errors
);

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
        false => home::delegated(cx, tx, home::checks(cx, tx, &[&target])?)?,
    };
    node::load(tx, &organization, &target, &[Kind::Account], no_target)?;
    Err(no_effective_policy().into())
}

fn list_accounts(
    cx: &Cx,
    tx: &mut Tx<'_>,
    _: ListAccountsWithInvalidEffectivePolicyRequest,
) -> Result<ListAccountsWithInvalidEffectivePolicyResponse, Error> {
    home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    Err(no_effective_policy().into())
}

fn list_errors(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListEffectivePolicyValidationErrorsRequest,
) -> Result<ListEffectivePolicyValidationErrorsResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.account_id])?)?;
    node::load(tx, &organization, &input.account_id, &[Kind::Account], no_account)?;
    Err(no_effective_policy().into())
}
