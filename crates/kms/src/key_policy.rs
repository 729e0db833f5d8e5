//! The policy of a key: `kms:PutKeyPolicy`, `kms:GetKeyPolicy`, `kms:ListKeyPolicies`. There is one, called `default`.

use daypass_core::kms::Key;
use daypass_core::model::AccountId;
use daypass_core::model::kms::{
    GetKeyPolicyRequest, GetKeyPolicyResponse, ListKeyPoliciesRequest, ListKeyPoliciesResponse,
    PutKeyPolicyRequest, errors, ops,
};
use daypass_core::policy::{
    Action, Context, Document, DocumentKind, Policies, Principal, PrincipalPolicies, Request, Resource,
    ResourcePolicy,
};
use daypass_core::principals::{self, Unresolved};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use crate::fault::{invalid, limit_exceeded};
use crate::subject::{self, Reach, own};

operation!(PUT_KEY_POLICY, ops::PutKeyPolicy, put_checks, put);
operation!(GET_KEY_POLICY, ops::GetKeyPolicy, |cx, tx, input| own(cx, tx, &input.key_id), get);
operation!(LIST_KEY_POLICIES, ops::ListKeyPolicies, |cx, tx, input| own(cx, tx, &input.key_id), list);

const NAME: &str = "default";
/// The longest policy, in bytes (KMS developer guide, "Resource quotas": key policy document size).
const MAX_BYTES: usize = 32 << 10;

/// The policy of a key that was made without one: it leaves everything to the account (KMS developer guide, "Default key
/// policy").
pub(crate) fn default(account: &AccountId) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// A policy as it is kept.
///
/// # Errors
/// `MalformedPolicyDocumentException`, or `LimitExceededException` for one that is too long.
pub(crate) fn read(tx: &Tx<'_>, text: &str) -> Result<String, Error> {
    if text.len() > MAX_BYTES {
        return Err(limit_exceeded(format!("The policy is longer than {MAX_BYTES} bytes.")).into());
    }
    let malformed = |words: String| Fault::new(&errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION, words);
    let document = Document::parse(DocumentKind::Resource, text)
        .map_err(|error| malformed(error.aws_message().to_string()))?;
    principals::to_ids(tx, &document, text).map_err(|error| match error {
        Unresolved::Nobody(_) => {
            malformed("Policy contains a statement with one or more invalid principals.".to_owned()).into()
        }
        Unresolved::Store(error) => error.into(),
    })
}

/// Refuses a policy after which the caller could not put another, nor the account leave it to somebody (KMS developer guide,
/// "Default key policy", "key policy lockout safety check").
///
/// # Errors
/// `MalformedPolicyDocumentException`.
pub(crate) fn keep_open(cx: &Cx, key: &Key) -> Result<(), Fault> {
    if cx.may(&key.check(cx, "kms:PutKeyPolicy")) || account_may(key) {
        return Ok(());
    }
    let words = "The new key policy will not allow you to update the key policy in the future.";
    Err(Fault::new(&errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION, words))
}

/// Whether the policy leaves it to the key's account to put another.
fn account_may(key: &Key) -> bool {
    let (Ok(account), Ok(action)) = (key.account.as_str().parse(), Action::new("kms:PutKeyPolicy")) else {
        return false;
    };
    let arn = key.arn();
    let Ok(resource) = Resource::arn(&arn) else { return false };
    let (root, context, guard) = (Principal::root(account), Context::with_capacity(0), key.guard());
    let request = Request::new(&root, &action, resource, &context);
    let nothing = PrincipalPolicies::builder().build();
    Policies::of(&nothing).resource(ResourcePolicy::Required(Some(&guard))).decide(&request).is_allowed()
}

fn put_checks(cx: &Cx, tx: &Tx<'_>, input: &PutKeyPolicyRequest) -> Result<Checks, StoreError> {
    let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
    let check = subject::check(cx, tx, &input.key_id, Reach::Own)?;
    Ok(check.with_flag("kms:BypassPolicyLockoutSafetyCheck", bypass).into())
}

fn put(cx: &Cx, tx: &mut Tx<'_>, input: PutKeyPolicyRequest) -> Result<(), Error> {
    the_only(input.policy_name.as_deref())?;
    let mut key = subject::staying(cx, tx, &input.key_id)?;
    key.set_policy(read(tx, &input.policy)?);
    if input.bypass_policy_lockout_safety_check != Some(true) {
        keep_open(cx, &key)?;
    }
    Ok(tx.put(&key)?)
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetKeyPolicyRequest) -> Result<GetKeyPolicyResponse, Error> {
    the_only(input.policy_name.as_deref())?;
    let key = subject::load_by_id(cx, tx, &input.key_id)?;
    let policy = principals::to_arns(tx, DocumentKind::Resource, key.policy())?;
    Ok(GetKeyPolicyResponse { policy: Some(policy), policy_name: Some(NAME.to_owned()) })
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListKeyPoliciesRequest) -> Result<ListKeyPoliciesResponse, Error> {
    subject::load_by_id(cx, tx, &input.key_id)?;
    Ok(ListKeyPoliciesResponse {
        policy_names: Some(vec![NAME.to_owned()]),
        next_marker: None,
        truncated: Some(false),
    })
}

fn the_only(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(other) => Err(invalid(format!("No such policy exists: {other}"))),
    }
}
