//! When users, groups, roles and policies last let somebody use a service: `GenerateServiceLastAccessedDetails`,
//! `GetServiceLastAccessedDetails` and `GetServiceLastAccessedDetailsWithEntities`.
//!
//! The gate notes each user's and role's last use of each service. Uses of single actions are not noted: a job that asks
//! for them is answered without any, as AWS answers for the services that it does not track them of.

use std::collections::{BTreeMap, BTreeSet};

use daypass_core::model::iam::{
    AccessAdvisorUsageGranularityType as Granularity, EntityDetails, EntityInfo,
    GenerateServiceLastAccessedDetailsRequest, GenerateServiceLastAccessedDetailsResponse,
    GetServiceLastAccessedDetailsRequest, GetServiceLastAccessedDetailsResponse,
    GetServiceLastAccessedDetailsWithEntitiesRequest, GetServiceLastAccessedDetailsWithEntitiesResponse,
    JobStatusType, PolicyOwnerEntityType, ServiceLastAccessed, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::{
    EntityKind, ManagedPolicy, Reference, Role, ServiceLastUsed, Target, User,
};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};
use serde::{Deserialize, Serialize};

use crate::entity::Entity as _;
use crate::fault::no_such_entity;
use crate::job::Job as _;
use crate::paging::{Page, Paging};
use crate::policy_arn::PolicyArn;
use crate::policy_source::{self, SourceArn};
use crate::{job, service_access};

operation!(
    GENERATE_SERVICE_LAST_ACCESSED_DETAILS,
    ops::GenerateServiceLastAccessedDetails,
    generate_checks,
    generate
);
operation!(
    GET_SERVICE_LAST_ACCESSED_DETAILS,
    ops::GetServiceLastAccessedDetails,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    get
);
operation!(
    GET_SERVICE_LAST_ACCESSED_DETAILS_WITH_ENTITIES,
    ops::GetServiceLastAccessedDetailsWithEntities,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    get_with_entities
);

/// Of a policy or group, no more users and roles are looked at.
const MAX_ENTITIES: usize = 10_000;

/// What a job found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    account: AccountId,
    id: String,
    created: Timestamp,
    by_action: bool,
    /// The services that may be used, sorted.
    services: BTreeSet<String>,
    /// The users and roles that may use them.
    entities: Vec<Used>,
}

/// A user or role, and its last use of each service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    arn: String,
    kind: EntityKind,
    name: String,
    id: String,
    path: String,
    services: BTreeMap<String, (Timestamp, String)>,
}

impl job::Job for Job {
    fn created(&self) -> Timestamp {
        self.created
    }

    fn lines(&self) -> usize {
        self.services.len() + self.entities.iter().map(|used| 1 + used.services.len()).sum::<usize>()
    }
}

impl Job {
    fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "last-accessed-job"])
    }

    fn key_of(account: &AccountId, id: &str) -> Key {
        Key::new(&["iam", account.as_str(), "last-accessed-job", id])
    }
}

impl Record for Job {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

fn generate_checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &GenerateServiceLastAccessedDetailsRequest,
) -> Result<Checks, StoreError> {
    if PolicyArn::parse(&input.arn).is_ok() {
        return Ok(ManagedPolicy::check(cx, tx, &input.arn)?.into());
    }
    Ok(policy_source::check(cx, tx, &input.arn)?.into())
}

fn generate(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GenerateServiceLastAccessedDetailsRequest,
) -> Result<GenerateServiceLastAccessedDetailsResponse, Error> {
    let (account, now) = (cx.account(), cx.now());
    let (services, entities) = about(cx, tx, &input.arn)?;
    let job = Job {
        account: account.clone(),
        id: cx.ids().uuid(),
        created: now.truncated(),
        by_action: input.granularity == Some(Granularity::ACTIONLEVEL),
        services: services.into_iter().map(str::to_owned).collect(),
        entities,
    };
    job::keep(tx, &Job::all(&account), &job, now)?;
    Ok(GenerateServiceLastAccessedDetailsResponse { job_id: Some(job.id) })
}

/// The services that a user, group, role or policy lets use, and whom it lets.
fn about(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<(BTreeSet<&'static str>, Vec<Used>), Error> {
    if PolicyArn::parse(arn).is_ok() {
        let text = service_access::managed_document(cx, tx, arn)?;
        let text = text.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
        return Ok((
            service_access::of_document(&text),
            referring(cx, tx, &Target::Attached(arn.to_owned()))?,
        ));
    }
    let policies = service_access::of_arn(cx, tx, arn)?;
    let services = policies.into_iter().flat_map(|granting| granting.services).collect();
    let Some(source) = SourceArn::parse(arn) else { return Ok((services, vec![])) };
    let entities = match source.kind {
        "group" => referring(cx, tx, &Target::Group(source.name.to_owned()))?,
        "user" => entity(cx, tx, EntityKind::User, source.name)?.into_iter().collect(),
        _ => entity(cx, tx, EntityKind::Role, source.name)?.into_iter().collect(),
    };
    Ok((services, entities))
}

/// The users and roles that refer to a target, those in a group by the group.
fn referring(cx: &Cx, tx: &Tx<'_>, target: &Target) -> Result<Vec<Used>, StoreError> {
    let account = cx.account();
    let references: Vec<Reference> = tx.list(&Reference::all(&account, target), None, MAX_ENTITIES)?;
    let mut places = BTreeSet::new();
    for reference in references {
        if reference.kind == EntityKind::Group {
            let members = Reference::all(&account, &Target::Group(reference.name));
            let members: Vec<Reference> = tx.list(&members, None, MAX_ENTITIES)?;
            places.extend(members.into_iter().map(|member| (member.kind.as_str(), member.name)));
        } else {
            places.insert((reference.kind.as_str(), reference.name));
        }
    }
    let mut found = vec![];
    for (kind, name) in places.into_iter().take(MAX_ENTITIES) {
        let kind = if kind == "user" { EntityKind::User } else { EntityKind::Role };
        found.extend(entity(cx, tx, kind, &name)?);
    }
    Ok(found)
}

fn entity(cx: &Cx, tx: &Tx<'_>, kind: EntityKind, name: &str) -> Result<Option<Used>, StoreError> {
    let found = match kind {
        EntityKind::User => User::find(cx, tx, name)?.map(|user| (user.arn(), user.name, user.id, user.path)),
        EntityKind::Role => Role::find(cx, tx, name)?.map(|role| (role.arn(), role.name, role.id, role.path)),
        EntityKind::Group => None,
    };
    let Some((arn, name, id, path)) = found else { return Ok(None) };
    let used: Vec<ServiceLastUsed> = tx.all(&ServiceLastUsed::all_of(&cx.account(), &id))?;
    let services = used.into_iter().map(|used| (used.service, (used.time.truncated(), used.region)));
    Ok(Some(Used { arn, kind, name, id, path, services: services.collect() }))
}

fn load(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Job, Error> {
    let job = tx.get::<Job>(&Job::key_of(&cx.account(), id))?;
    let words = || no_such_entity(format!("The job with id {id} cannot be found."));
    let job = job.filter(|job| job.is_kept(cx.now()));
    job.ok_or_else(|| words().into())
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetServiceLastAccessedDetailsRequest,
) -> Result<GetServiceLastAccessedDetailsResponse, Error> {
    let job = load(cx, tx, &input.job_id)?;
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let services: Vec<String> = job.services.iter().cloned().collect();
    let Page { items, is_truncated, marker } = paging.list(services)?.map(|service| shown(&job, service));
    Ok(GetServiceLastAccessedDetailsResponse {
        job_status: JobStatusType::COMPLETED,
        job_type: Some(if job.by_action { Granularity::ACTIONLEVEL } else { Granularity::SERVICELEVEL }),
        job_creation_date: job.created,
        services_last_accessed: items,
        job_completion_date: job.created,
        is_truncated,
        marker,
        error: None,
    })
}

fn shown(job: &Job, service: String) -> ServiceLastAccessed {
    let uses = job.entities.iter().filter_map(|used| Some((used, used.services.get(&service)?)));
    let uses: Vec<_> = uses.collect();
    let last = uses.iter().max_by_key(|(_, (time, _))| *time);
    ServiceLastAccessed {
        service_name: service_access::full_name(&service).to_owned(),
        last_authenticated: last.map(|(_, (time, _))| *time),
        last_authenticated_entity: last.map(|(used, _)| used.arn.clone()),
        last_authenticated_region: last.map(|(_, (_, region))| region.clone()),
        total_authenticated_entities: Some(i32::try_from(uses.len()).unwrap_or(i32::MAX)),
        tracked_actions_last_accessed: None,
        service_namespace: service,
    }
}

fn get_with_entities(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetServiceLastAccessedDetailsWithEntitiesRequest,
) -> Result<GetServiceLastAccessedDetailsWithEntitiesResponse, Error> {
    let job = load(cx, tx, &input.job_id)?;
    let service = input.service_namespace;
    if !job.services.contains(&service) {
        return Err(no_such_entity(format!("Service namespace {service} was not found in the job.")).into());
    }
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let page = paging.list(job.entities)?;
    let Page { items, is_truncated, marker } = page.map(|used| EntityDetails {
        last_authenticated: used.services.get(&service).map(|(time, _)| *time),
        entity_info: EntityInfo {
            arn: used.arn,
            name: used.name,
            type_: match used.kind {
                EntityKind::User => PolicyOwnerEntityType::USER,
                EntityKind::Role => PolicyOwnerEntityType::ROLE,
                EntityKind::Group => PolicyOwnerEntityType::GROUP,
            },
            id: used.id,
            path: Some(used.path),
        },
    });
    Ok(GetServiceLastAccessedDetailsWithEntitiesResponse {
        job_status: JobStatusType::COMPLETED,
        job_creation_date: job.created,
        job_completion_date: job.created,
        entity_details_list: items,
        is_truncated,
        marker,
        error: None,
    })
}
