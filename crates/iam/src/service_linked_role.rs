//! Roles that belong to a service: `CreateServiceLinkedRole`, `DeleteServiceLinkedRole` and
//! `GetServiceLinkedRoleDeletionStatus`. What they are called and may do is AWS's: `data/service-linked-roles.tsv`.

use daypass_core::AwsManagedPolicy;
use daypass_core::model::iam::{
    CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse, DeleteServiceLinkedRoleRequest,
    DeleteServiceLinkedRoleResponse, DeletionTaskFailureReasonType, DeletionTaskStatusType,
    GetServiceLinkedRoleDeletionStatusRequest, GetServiceLinkedRoleDeletionStatusResponse, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::{Counted, Indexed as _, Policies, Role};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};
use serde::{Deserialize, Serialize};

use crate::delete_role::forget_use;
use crate::entity::{self, Entity as _, SERVICE_LINKED_PATH};
use crate::fault::{invalid_input, no_such_entity};
use crate::job::Job;
use crate::organizations_features::own_organization;
use crate::{job, quota, role};

operation!(CREATE_SERVICE_LINKED_ROLE, ops::CreateServiceLinkedRole, create_checks, create);
operation!(
    DELETE_SERVICE_LINKED_ROLE,
    ops::DeleteServiceLinkedRole,
    |cx, tx, input| {
        let found = Role::find(cx, tx, &input.role_name)?;
        let service = found.as_ref().and_then(service_of).map(str::to_owned);
        Ok(Role::question(cx, &input.role_name, found.as_ref())
            .with_some("iam:AWSServiceName", service)
            .into())
    },
    delete
);
operation!(
    GET_SERVICE_LINKED_ROLE_DELETION_STATUS,
    ops::GetServiceLinkedRoleDeletionStatus,
    status_checks,
    status
);

/// One hour, for roles of every kind.
const SESSION_SECONDS: i32 = 3600;

/// What AWS gives a service.
#[derive(Clone, Copy)]
struct Template {
    service: &'static str,
    role_name: &'static str,
    suffix_allowed: bool,
    policy: &'static str,
}

fn templates() -> impl Iterator<Item = Template> {
    include_str!("../data/service-linked-roles.tsv").lines().filter_map(|line| {
        let mut parts = line.split('\t');
        Some(Template {
            service: parts.next()?,
            role_name: parts.next()?,
            suffix_allowed: parts.next()? == "suffix",
            policy: parts.next()?,
        })
    })
}

/// That a role was to be deleted, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletionTask {
    account: AccountId,
    /// `task/aws-service-role/service/role/uuid`.
    id: String,
    /// When it was done; of a task from before this was noted, nothing.
    #[serde(default)]
    created: Option<Timestamp>,
    /// Why it failed, if it did.
    #[serde(default)]
    failed: Option<String>,
}

impl Job for DeletionTask {
    fn created(&self) -> Timestamp {
        self.created.unwrap_or_default()
    }

    fn lines(&self) -> usize {
        1
    }
}

impl DeletionTask {
    fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "deletion-task"])
    }

    fn key_of(account: &AccountId, id: &str) -> Key {
        Key::new(&["iam", account.as_str(), "deletion-task", id])
    }
}

impl Record for DeletionTask {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

/// The role's name, whether or not there is such a service.
fn name_of(input: &CreateServiceLinkedRoleRequest) -> Option<String> {
    let template = templates().find(|template| template.service == input.aws_service_name)?;
    Some(match &input.custom_suffix {
        Some(suffix) => format!("{}_{suffix}", template.role_name),
        None => template.role_name.to_owned(),
    })
}

fn create_checks(cx: &Cx, _: &Tx<'_>, input: &CreateServiceLinkedRoleRequest) -> Result<Checks, StoreError> {
    let path = format!("{SERVICE_LINKED_PATH}{}/", input.aws_service_name);
    let name = name_of(input).unwrap_or_else(|| "*".to_owned());
    let check = Check::new(cx.operation().action, entity::arn(cx, "role", &path, &name));
    Ok(check.with("iam:AWSServiceName", input.aws_service_name.clone()).into())
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateServiceLinkedRoleRequest,
) -> Result<CreateServiceLinkedRoleResponse, Error> {
    let service = &input.aws_service_name;
    let template = templates()
        .find(|template| template.service == service)
        .ok_or_else(|| invalid_input(format!("Cannot find Service Linked Role template for {service}")))?;
    if input.custom_suffix.is_some() && !template.suffix_allowed {
        return Err(invalid_input(format!("Custom suffix is not allowed for {service}")).into());
    }
    let name = name_of(&input).ok_or_else(|| cx.internal_failure())?;
    if Role::find(cx, tx, &name)?.is_some() {
        return Err(invalid_input(format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        ))
        .into());
    }
    quota::room_for(cx, &Counted::Roles, Quota::RolesPerAccount)?;
    let arn = format!("arn:aws:iam::aws:policy{SERVICE_LINKED_PATH}{}", template.policy);
    let policy = AwsManagedPolicy::find(&arn).ok_or_else(|| cx.internal_failure())?;
    let role = Role {
        account: cx.account(),
        path: format!("{SERVICE_LINKED_PATH}{service}/"),
        name,
        id: cx.ids().unique_id("AROA"),
        created: cx.now().truncated(),
        description: input.description,
        trust_policy: format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{{"Service":["{service}"]}}}}]}}"#
        ),
        max_session_seconds: SESSION_SECONDS,
        policies: Policies { attached: vec![policy.arn.clone()], ..Policies::default() },
        permissions_boundary: None,
        tags: vec![],
        instance_profiles: vec![],
    };
    role.save(tx)?;
    Ok(CreateServiceLinkedRoleResponse { role: Some(role::brief(tx, &role)?) })
}

/// A deletion is done with the answer. No service here uses such a role but Organizations, which needs its own.
fn delete(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DeleteServiceLinkedRoleRequest,
) -> Result<DeleteServiceLinkedRoleResponse, Error> {
    let role = Role::load(cx, tx, &input.role_name)?;
    let Some(service) = service_of(&role) else {
        return Err(no_such_entity(format!("The role with name {} cannot be found.", role.name)).into());
    };
    let id = format!("task/aws-service-role/{service}/{}/{}", role.name, cx.ids().uuid());
    let failed = in_use(cx, tx, service)?;
    if failed.is_none() {
        forget_use(tx, &role)?;
        role.remove(tx)?;
    }
    let account = cx.account();
    let all = DeletionTask::all(&account);
    let task = DeletionTask { account, id: id.clone(), created: Some(cx.now().truncated()), failed };
    job::keep(tx, &all, &task, cx.now())?;
    Ok(DeleteServiceLinkedRoleResponse { deletion_task_id: id })
}

/// Why a service cannot do without its role: an account of an organization with all features keeps the role of
/// Organizations (Organizations user guide, `orgs_integrate_services-using_slrs`). The words are our own.
fn in_use(cx: &Cx, tx: &Tx<'_>, service: &str) -> Result<Option<String>, StoreError> {
    if service != "organizations.amazonaws.com" {
        return Ok(None);
    }
    let organization = own_organization(cx, tx)?.filter(|organization| organization.all_features);
    Ok(organization.map(|organization| {
        format!("The account is in organization {}, which has all features enabled.", organization.id)
    }))
}

/// Asked about by the role that was deleted.
fn status_checks(
    cx: &Cx,
    _: &Tx<'_>,
    input: &GetServiceLinkedRoleDeletionStatusRequest,
) -> Result<Checks, StoreError> {
    let named = input.deletion_task_id.strip_prefix("task").and_then(|rest| rest.rsplit_once('/'));
    let check = match named.and_then(|(role, _)| role.strip_prefix(SERVICE_LINKED_PATH)) {
        Some(role) => Check::new(cx.operation().action, entity::arn(cx, "role", SERVICE_LINKED_PATH, role)),
        None => Check::on_all(cx.operation().action),
    };
    Ok(check.into())
}

fn status(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetServiceLinkedRoleDeletionStatusRequest,
) -> Result<GetServiceLinkedRoleDeletionStatusResponse, Error> {
    let id = &input.deletion_task_id;
    let task = tx.get::<DeletionTask>(&DeletionTask::key_of(&cx.account(), id))?;
    // AWS's words were not seen recorded: after those for other entities.
    let missing = || no_such_entity(format!("The deletion task with id {id} cannot be found."));
    let task = task.filter(|task| task.is_kept(cx.now())).ok_or_else(missing)?;
    let reason = task.failed.map(|reason| DeletionTaskFailureReasonType {
        reason: Some(reason),
        ..DeletionTaskFailureReasonType::default()
    });
    let status = match reason {
        Some(_) => DeletionTaskStatusType::FAILED,
        None => DeletionTaskStatusType::SUCCEEDED,
    };
    Ok(GetServiceLinkedRoleDeletionStatusResponse { status, reason })
}

/// The service that a role belongs to, if it belongs to one.
fn service_of(role: &Role) -> Option<&str> {
    role.path.strip_prefix(SERVICE_LINKED_PATH)?.strip_suffix('/')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daypass_core::AwsManagedPolicy;

    use super::templates;

    #[test]
    fn every_template_has_a_service_a_name_and_a_policy_of_aws() {
        let mut seen = BTreeSet::new();
        for template in templates() {
            assert!(seen.insert(template.service), "{} is there twice", template.service);
            assert!(template.service.ends_with(".amazonaws.com"), "{}", template.service);
            assert!(template.role_name.starts_with("AWSServiceRoleFor"), "{}", template.role_name);
            let arn = format!("arn:aws:iam::aws:policy/aws-service-role/{}", template.policy);
            assert!(AwsManagedPolicy::find(&arn).is_some(), "{arn}");
        }
        assert!(seen.len() >= 100, "{}", seen.len());
    }
}
