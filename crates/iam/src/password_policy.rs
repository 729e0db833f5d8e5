//! What passwords must be: `UpdateAccountPasswordPolicy`, `GetAccountPasswordPolicy` and
//! `DeleteAccountPasswordPolicy`.

use std::sync::Arc;

use daypass_core::model::iam::{
    GetAccountPasswordPolicyResponse, PasswordPolicy as ApiPasswordPolicy,
    UpdateAccountPasswordPolicyRequest, ops,
};
use daypass_core::policy::{Document, DocumentKind, Policy, PolicySet, PolicySource};
use daypass_core::store::records::PasswordPolicy;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{CallerKind, Check, Cx, Error, Fault, Guard, operation};

use crate::fault::no_such_entity;
use crate::password;

operation!(
    UPDATE_ACCOUNT_PASSWORD_POLICY,
    ops::UpdateAccountPasswordPolicy,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    update
);
operation!(
    GET_ACCOUNT_PASSWORD_POLICY,
    ops::GetAccountPasswordPolicy,
    |cx, tx, _| Ok(granted(cx, tx, Check::on_all(cx.operation().action))?.into()),
    |cx, tx, ()| get(cx, tx)
);
operation!(
    DELETE_ACCOUNT_PASSWORD_POLICY,
    ops::DeleteAccountPasswordPolicy,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    |cx, tx, ()| delete(cx, tx)
);

/// Characters of a password under a policy that does not say (IAM API reference, `MinimumPasswordLength`).
const DEFAULT_LENGTH: u32 = 6;

/// What the request leaves out gets its default again (IAM API reference, UpdateAccountPasswordPolicy).
fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateAccountPasswordPolicyRequest) -> Result<(), Error> {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    Ok(tx.put(&PasswordPolicy {
        account: cx.account(),
        minimum_length: number(input.minimum_password_length).unwrap_or(DEFAULT_LENGTH),
        require_symbols: input.require_symbols.unwrap_or(false),
        require_numbers: input.require_numbers.unwrap_or(false),
        require_uppercase: input.require_uppercase_characters.unwrap_or(false),
        require_lowercase: input.require_lowercase_characters.unwrap_or(false),
        users_may_change: input.allow_users_to_change_password.unwrap_or(false),
        max_age_days: number(input.max_password_age),
        reuse_prevention: number(input.password_reuse_prevention),
        hard_expiry: input.hard_expiry,
    })?)
}

fn get(cx: &Cx, tx: &Tx<'_>) -> Result<GetAccountPasswordPolicyResponse, Error> {
    let words = format!("The Password Policy with domain name {} cannot be found.", cx.account());
    let policy = password::policy(cx, tx)?.ok_or_else(|| no_such_entity(words))?;
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    Ok(GetAccountPasswordPolicyResponse {
        password_policy: ApiPasswordPolicy {
            minimum_password_length: Some(number(policy.minimum_length)),
            require_symbols: Some(policy.require_symbols),
            require_numbers: Some(policy.require_numbers),
            require_uppercase_characters: Some(policy.require_uppercase),
            require_lowercase_characters: Some(policy.require_lowercase),
            allow_users_to_change_password: Some(policy.users_may_change),
            expire_passwords: Some(policy.max_age_days.is_some()),
            max_password_age: policy.max_age_days.map(number),
            password_reuse_prevention: policy.reuse_prevention.map(number),
            hard_expiry: policy.hard_expiry,
        },
    })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>) -> Result<(), Error> {
    password::policy(cx, tx)?.ok_or_else(missing)?;
    tx.delete(&PasswordPolicy::key_of(&cx.account()));
    Ok(())
}

fn missing() -> Fault {
    no_such_entity("The account policy with name PasswordPolicy cannot be found.")
}

/// The question, which the account's policy answers with yes for a user if it says that users may change their own
/// passwords (IAM user guide, "Allow users to change their own password"). Who is denied it expressly, still is.
pub(crate) fn granted(cx: &Cx, tx: &Tx<'_>, check: Check) -> Result<Check, StoreError> {
    let CallerKind::User(..) = cx.caller().kind() else { return Ok(check) };
    if !password::policy(cx, tx)?.is_some_and(|policy| policy.users_may_change) {
        return Ok(check);
    }
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}}}}"#,
        cx.caller().user_id()
    );
    let source = PolicySource::named("account password policy");
    let policy = Policy::compile(source, Document::load(DocumentKind::Bucket, &text));
    Ok(check.guarded_by(Guard::Grants(Arc::new(PolicySet::new([policy])))))
}
