//! The organization's own policy, by which member accounts are let to manage it: `PutResourcePolicy`,
//! `DescribeResourcePolicy`, `DeleteResourcePolicy`.

use std::sync::Arc;

use daypass_core::model::organizations::{
    DescribeResourcePolicyResponse, PutResourcePolicyRequest, PutResourcePolicyResponse,
    ResourcePolicy as ApiResourcePolicy, ResourcePolicySummary, ops,
};
use daypass_core::policy::{Document, DocumentKind, Policy, PolicySet, PolicySource};
use daypass_core::principals::{self, Unresolved};
use daypass_core::store::records::{Organization, Tag};
use daypass_core::store::{Key, Read as _, Record, Tx};
use daypass_core::{Cx, Error, operation};
use serde::{Deserialize, Serialize};

use crate::fault::{constraint, invalid, no_resource_policy};
use crate::{home, id, tag};

operation!(
    PUT_RESOURCE_POLICY,
    ops::PutResourcePolicy,
    |cx, tx, input| tag::creating(cx, tx, &[], &input.tags),
    put
);
operation!(
    DESCRIBE_RESOURCE_POLICY,
    ops::DescribeResourcePolicy,
    |cx, tx, ()| home::checks(cx, tx, &[]),
    describe
);
operation!(DELETE_RESOURCE_POLICY, ops::DeleteResourcePolicy, |cx, tx, ()| home::checks(cx, tx, &[]), delete);

/// The longest document, in characters (user guide, `orgs_reference_limits`).
const MAX_CHARACTERS: usize = 40_000;

/// The policy of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourcePolicy {
    organization: String,
    /// `rp-…`.
    pub(crate) id: String,
    /// The document, with principals of IAM as unique ids.
    document: String,
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
}

impl ResourcePolicy {
    /// Where the policy of an organization stands.
    pub(crate) fn key_of(organization: &str) -> Key {
        Key::new(&["organization-resource-policy", organization])
    }

    /// What it grants.
    pub(crate) fn compiled(&self) -> Arc<PolicySet> {
        let document = Document::load(DocumentKind::Resource, &self.document);
        let source = PolicySource::named(format!("resource policy of organization {}", self.organization));
        Arc::new(PolicySet::new([Policy::compile(source, document)]))
    }

    fn shown(&self, tx: &Tx<'_>, organization: &Organization) -> Result<ApiResourcePolicy, Error> {
        Ok(ApiResourcePolicy {
            resource_policy_summary: Some(ResourcePolicySummary {
                id: Some(self.id.clone()),
                arn: Some(home::arn(tx, organization, &self.id)?),
            }),
            content: Some(principals::to_arns(tx, DocumentKind::Resource, &self.document)?),
        })
    }
}

impl Record for ResourcePolicy {
    fn key(&self) -> Key {
        Self::key_of(&self.organization)
    }
}

fn put(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: PutResourcePolicyRequest,
) -> Result<PutResourcePolicyResponse, Error> {
    let organization = home::managed(cx, tx)?;
    let tags = tag::read(input.tags)?;
    if input.content.chars().count() > MAX_CHARACTERS {
        let words = "You have exceeded the maximum policy size.";
        return Err(constraint("POLICY_CONTENT_LIMIT_EXCEEDED", words).into());
    }
    let document = Document::parse(DocumentKind::Resource, &input.content).map_err(|_| {
        invalid("INVALID_RESOURCE_POLICY_JSON", "The provided resource policy content isn't valid.")
    })?;
    let document = principals::to_ids(tx, &document, &input.content).map_err(|error| match error {
        Unresolved::Nobody(name) => {
            let words = format!("You specified a principal in the resource policy that isn't valid: {name}");
            Error::from(invalid("INVALID_PRINCIPAL", &words))
        }
        Unresolved::Store(error) => error.into(),
    })?;
    let known = tx.get::<ResourcePolicy>(&ResourcePolicy::key_of(&organization.id))?;
    let policy = match known {
        // Tags can only be given where the policy is made (API reference, PutResourcePolicy).
        Some(known) => ResourcePolicy { document, ..known },
        None => {
            let id = format!("rp-{}", id::letters(cx, 8));
            ResourcePolicy { organization: organization.id.clone(), id, document, tags }
        }
    };
    tx.put(&policy)?;
    Ok(PutResourcePolicyResponse { resource_policy: Some(policy.shown(tx, &organization)?) })
}

fn describe(cx: &Cx, tx: &mut Tx<'_>, (): ()) -> Result<DescribeResourcePolicyResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let policy = tx.get::<ResourcePolicy>(&ResourcePolicy::key_of(&organization.id))?;
    let policy = policy.ok_or_else(no_resource_policy)?;
    Ok(DescribeResourcePolicyResponse { resource_policy: Some(policy.shown(tx, &organization)?) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, (): ()) -> Result<(), Error> {
    let organization = home::managed(cx, tx)?;
    let key = ResourcePolicy::key_of(&organization.id);
    tx.get::<ResourcePolicy>(&key)?.ok_or_else(no_resource_policy)?;
    tx.delete(&key);
    Ok(())
}
