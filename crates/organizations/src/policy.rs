//! Service control policies and resource control policies: `CreatePolicy`, `DescribePolicy`, `UpdatePolicy`,
//! `DeletePolicy`, `ListPolicies`.

use daypass_core::model::organizations::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, DescribePolicyRequest,
    DescribePolicyResponse, ListPoliciesRequest, ListPoliciesResponse, Policy, PolicySummary, PolicyType,
    UpdatePolicyRequest, UpdatePolicyResponse, ops,
};
use daypass_core::organizations::{FULL_ACCESS, FullAccess, policy_arn};
use daypass_core::policy::{Document, DocumentKind};
use daypass_core::store::records::{ControlPolicyType, Organization, OrganizationPolicy};
use daypass_core::store::{Read as _, Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use crate::fault::{
    constraint, invalid, malformed_policy, no_policy, policy_in_use, same_policy, type_not_available,
};
use crate::paging::page;
use crate::{home, id, node, tag};

operation!(CREATE_POLICY, ops::CreatePolicy, create_checks, create);
operation!(
    DESCRIBE_POLICY,
    ops::DescribePolicy,
    |cx, tx, input| home::checks(cx, tx, &[&input.policy_id]),
    describe
);
operation!(
    UPDATE_POLICY,
    ops::UpdatePolicy,
    |cx, tx, input| home::checks(cx, tx, &[&input.policy_id]),
    update
);
operation!(
    DELETE_POLICY,
    ops::DeletePolicy,
    |cx, tx, input| home::checks(cx, tx, &[&input.policy_id]),
    delete
);
operation!(
    LIST_POLICIES,
    ops::ListPolicies,
    |cx, tx, input| home::checks_of_type(cx, tx, &[], input.filter),
    list
);

/// The most policies of one type in an organization (user guide, `orgs_reference_limits`).
const MAX_POLICIES: usize = 1000;

/// What may be known of a policy of one type.
struct Limits {
    /// All characters count (user guide, `orgs_manage_policies_scps_syntax`; since May 2026 a service control policy has
    /// 10,240 of them).
    characters: usize,
    read_as: DocumentKind,
}

fn limits(kind: ControlPolicyType) -> Limits {
    match kind {
        ControlPolicyType::ServiceControlPolicy => {
            Limits { characters: 10_240, read_as: DocumentKind::ServiceControl }
        }
        ControlPolicyType::ResourceControlPolicy => {
            Limits { characters: 5120, read_as: DocumentKind::ResourceControl }
        }
    }
}

/// The type, if it is one that limits requests; Daypass has nothing that the others would change.
///
/// # Errors
/// If it is another one.
pub(crate) fn known(kind: PolicyType) -> Result<ControlPolicyType, Fault> {
    match kind {
        PolicyType::SERVICECONTROLPOLICY => Ok(ControlPolicyType::ServiceControlPolicy),
        PolicyType::RESOURCECONTROLPOLICY => Ok(ControlPolicyType::ResourceControlPolicy),
        other => {
            let words = format!("Policies of the type {} are not implemented by Daypass.", text_of(other));
            Err(Fault { message: words, ..type_not_available() })
        }
    }
}

/// The type, as the API has it.
pub(crate) fn type_of(kind: ControlPolicyType) -> PolicyType {
    match kind {
        ControlPolicyType::ServiceControlPolicy => PolicyType::SERVICECONTROLPOLICY,
        ControlPolicyType::ResourceControlPolicy => PolicyType::RESOURCECONTROLPOLICY,
    }
}

/// `SERVICE_CONTROL_POLICY`.
pub(crate) fn text_of(kind: PolicyType) -> &'static str {
    daypass_core::model::Enumeration::as_str(kind)
}

/// The same, of a type that limits requests.
pub(crate) fn name_of(kind: ControlPolicyType) -> &'static str {
    text_of(type_of(kind))
}

/// AWS's own policies of every type that is enabled: what everything new begins with.
pub(crate) fn full_access(organization: &Organization) -> Vec<String> {
    let enabled = FULL_ACCESS.iter().filter(|full| organization.enables(full.kind));
    enabled.map(|full| full.id.to_owned()).collect()
}

/// The type of the policy of that id; none where there is no such policy.
pub(crate) fn kind_of(
    tx: &Tx<'_>,
    organization: &Organization,
    id: &str,
) -> Result<Option<ControlPolicyType>, StoreError> {
    if let Some(full) = FULL_ACCESS.iter().find(|full| full.id == id) {
        return Ok(Some(full.kind));
    }
    let policy = tx.get::<OrganizationPolicy>(&OrganizationPolicy::key_of(&organization.id, id))?;
    Ok(policy.map(|policy| policy.kind))
}

/// A policy: AWS's own, or the organization's.
pub(crate) enum Found {
    Aws(&'static FullAccess),
    Own(Box<OrganizationPolicy>),
}

impl Found {
    /// The policy of that id.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn load(tx: &Tx<'_>, organization: &Organization, id: &str) -> Result<Self, Error> {
        if let Some(full) = FULL_ACCESS.iter().find(|full| full.id == id) {
            return Ok(Self::Aws(full));
        }
        let policy = tx.get::<OrganizationPolicy>(&OrganizationPolicy::key_of(&organization.id, id))?;
        policy.map(|policy| Self::Own(Box::new(policy))).ok_or_else(|| no_policy().into())
    }

    /// The policy, if it can be changed.
    ///
    /// # Errors
    /// If it is AWS's.
    pub(crate) fn own(self) -> Result<OrganizationPolicy, Fault> {
        let words = "You can't modify a policy that is managed by AWS.";
        match self {
            Self::Own(policy) => Ok(*policy),
            Self::Aws(_) => Err(invalid("IMMUTABLE_POLICY", words)),
        }
    }

    pub(crate) fn kind(&self) -> ControlPolicyType {
        match self {
            Self::Aws(full) => full.kind,
            Self::Own(policy) => policy.kind,
        }
    }

    /// Without its document.
    pub(crate) fn summary(&self, organization: &Organization) -> PolicySummary {
        let (id, arn, name, description) = match self {
            Self::Aws(full) => (full.id, full.arn.to_owned(), full.name, full.description),
            Self::Own(own) => (&*own.id, policy_arn(organization, own), &*own.name, &*own.description),
        };
        PolicySummary {
            id: Some(id.to_owned()),
            arn: Some(arn),
            name: Some(name.to_owned()),
            description: Some(description.to_owned()),
            type_: Some(type_of(self.kind())),
            aws_managed: Some(matches!(self, Self::Aws(_))),
        }
    }

    fn shown(&self, organization: &Organization) -> Policy {
        let document = match self {
            Self::Aws(full) => full.document,
            Self::Own(own) => &own.document,
        };
        Policy { policy_summary: Some(self.summary(organization)), content: Some(document.to_owned()) }
    }
}

fn create_checks(cx: &Cx, tx: &Tx<'_>, input: &CreatePolicyRequest) -> Result<Checks, StoreError> {
    tag::creating_with(cx, tx, &[], &input.tags, |check| check.with(home::POLICY_TYPE, text_of(input.type_)))
}

fn create(cx: &Cx, tx: &mut Tx<'_>, input: CreatePolicyRequest) -> Result<CreatePolicyResponse, Error> {
    let organization = home::delegated(cx, tx, create_checks(cx, tx, &input)?)?;
    let tags = tag::read(input.tags)?;
    let kind = known(input.type_)?;
    if !organization.all_features {
        return Err(type_not_available().into());
    }
    check_document(kind, &input.content)?;
    unused(tx, &organization, kind, &input.name, None)?;
    let policy = OrganizationPolicy {
        organization: organization.id.clone(),
        id: format!("p-{}", id::letters(cx, 8)),
        kind,
        name: input.name,
        description: input.description,
        document: input.content,
        tags,
    };
    tx.put(&policy)?;
    let policy = Found::Own(Box::new(policy)).shown(&organization);
    Ok(CreatePolicyResponse { policy: Some(policy) })
}

fn check_document(kind: ControlPolicyType, text: &str) -> Result<(), Fault> {
    let Limits { characters, read_as } = limits(kind);
    if text.chars().count() > characters {
        return Err(constraint(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            "You have exceeded the maximum policy size.",
        ));
    }
    Document::parse(read_as, text).map(|_| ()).map_err(|_| malformed_policy())
}

/// Whether the organization has room for a policy of the type, and no other one has the name.
///
/// # Errors
/// If not.
fn unused(
    tx: &Tx<'_>,
    organization: &Organization,
    kind: ControlPolicyType,
    name: &str,
    but: Option<&str>,
) -> Result<(), Error> {
    let mut policies = tx.all::<OrganizationPolicy>(&OrganizationPolicy::all(&organization.id))?;
    policies.retain(|policy| policy.kind == kind && Some(policy.id.as_str()) != but);
    let own = FULL_ACCESS.iter().any(|full| full.kind == kind && full.name == name);
    if own || policies.iter().any(|policy| policy.name == name) {
        return Err(same_policy().into());
    }
    if policies.len() >= MAX_POLICIES {
        let words = "You have exceeded the number of policies that you can have in an organization.";
        return Err(constraint("POLICY_NUMBER_LIMIT_EXCEEDED", words).into());
    }
    Ok(())
}

fn describe(cx: &Cx, tx: &mut Tx<'_>, input: DescribePolicyRequest) -> Result<DescribePolicyResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.policy_id])?)?;
    let policy = Found::load(tx, &organization, &input.policy_id)?;
    Ok(DescribePolicyResponse { policy: Some(policy.shown(&organization)) })
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdatePolicyRequest) -> Result<UpdatePolicyResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.policy_id])?)?;
    let mut policy = Found::load(tx, &organization, &input.policy_id)?.own()?;
    if let Some(name) = input.name {
        unused(tx, &organization, policy.kind, &name, Some(&policy.id))?;
        policy.name = name;
    }
    if let Some(content) = input.content {
        check_document(policy.kind, &content)?;
        policy.document = content;
    }
    policy.description = input.description.unwrap_or(policy.description);
    tx.put(&policy)?;
    let policy = Found::Own(Box::new(policy)).shown(&organization);
    Ok(UpdatePolicyResponse { policy: Some(policy) })
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeletePolicyRequest) -> Result<(), Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[&input.policy_id])?)?;
    let policy = Found::load(tx, &organization, &input.policy_id)?.own()?;
    if node::all(tx, &organization)?.iter().any(|node| node.policies.contains(&policy.id)) {
        return Err(policy_in_use().into());
    }
    tx.delete(&policy.key());
    Ok(())
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListPoliciesRequest) -> Result<ListPoliciesResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks_of_type(cx, tx, &[], input.filter)?)?;
    // Of a type that is not here there are none.
    let kind = known(input.filter).ok();
    let own = tx.all::<OrganizationPolicy>(&OrganizationPolicy::all(&organization.id))?;
    let own = own.into_iter().map(|policy| Found::Own(Box::new(policy)));
    let all = FULL_ACCESS.iter().map(Found::Aws).chain(own).filter(|policy| Some(policy.kind()) == kind);
    let shown = all.map(|policy| policy.summary(&organization));
    let shown = shown.map(|summary| (summary.id.clone().unwrap_or_default(), summary)).collect();
    let (policies, next_token) = page(cx, shown, input.next_token.as_deref(), input.max_results)?;
    Ok(ListPoliciesResponse { policies: Some(policies), next_token })
}
