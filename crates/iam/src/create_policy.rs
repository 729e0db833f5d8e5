//! `iam:CreatePolicy`

use daypass_core::model::iam::{CreatePolicyRequest, CreatePolicyResponse, ops};
use daypass_core::policy::{DocumentKind, size_without_white_space};
use daypass_core::store::records::{Counted, Indexed as _, ManagedPolicy, PolicyVersion};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Quota, operation};

use crate::fault::{already_exists, over_quota};
use crate::managed_policy::{Managed, Usage};
use crate::{document, entity, quota, tag};

operation!(CREATE_POLICY, ops::CreatePolicy, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreatePolicyRequest) -> Result<Checks, StoreError> {
    let arn = entity::arn(cx, "policy", input.path.as_deref().unwrap_or("/"), &input.policy_name);
    Ok(tag::creating(Check::new("iam:CreatePolicy", arn.clone()), "iam:TagPolicy", &arn, &input.tags))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: CreatePolicyRequest) -> Result<CreatePolicyResponse, Error> {
    let tags = tag::read(input.tags)?;
    let (account, name, now) = (cx.account(), input.policy_name, cx.now().truncated());
    check_document(&input.policy_document)?;
    if tx.get::<ManagedPolicy>(&ManagedPolicy::key_of(&account, &name))?.is_some() {
        let words = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(already_exists(words).into());
    }
    quota::room_for(cx, &Counted::Policies, Quota::PoliciesPerAccount)?;
    let policy = ManagedPolicy {
        account,
        path: input.path.unwrap_or_else(|| "/".to_owned()),
        name,
        id: cx.ids().unique_id("ANPA"),
        description: input.description,
        created: now,
        updated: now,
        versions: vec![PolicyVersion { number: 1, document: input.policy_document, created: now }],
        default_version: 1,
        next_version: 2,
        tags,
    };
    policy.save(tx)?;
    let tags = tag::shown_if_any(&policy.tags);
    let mut shown = Managed::Own(policy).listed(Usage { attached: 0, boundary: 0 });
    shown.tags = tags;
    Ok(CreatePolicyResponse { policy: Some(shown) })
}

/// The document of a managed policy, as AWS would take it.
pub(crate) fn check_document(text: &str) -> Result<(), Fault> {
    document::parse(DocumentKind::Managed, text)?;
    if size_without_white_space(text) > quota::POLICY_SIZE {
        return Err(over_quota("PolicySize", quota::POLICY_SIZE));
    }
    Ok(())
}
