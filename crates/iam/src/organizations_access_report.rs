//! When the accounts of an organization last used the services that its service control policies let them use:
//! `GenerateOrganizationsAccessReport` and `GetOrganizationsAccessReport`.
//!
//! The uses are those of the users and roles that are there; those of root users are not noted. What cannot be reported
//! is a job that failed, which says why in words of our own: AWS documents that it does so, not what it says.

use std::collections::{BTreeMap, BTreeSet};

use daypass_core::model::iam::{
    AccessDetail, ErrorDetails, GenerateOrganizationsAccessReportRequest,
    GenerateOrganizationsAccessReportResponse, GetOrganizationsAccessReportRequest,
    GetOrganizationsAccessReportResponse, JobStatusType, SortKeyType, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::organizations::{FULL_ACCESS, way_down};
use daypass_core::policy::check;
use daypass_core::store::records::{
    ControlPolicyType, Organization, OrganizationNode, OrganizationPolicy, ServiceLastUsed,
};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};
use serde::{Deserialize, Serialize};

use crate::fault::no_such_entity;
use crate::job::{self, Job};
use crate::organizations_features::own_organization;
use crate::paging::{Page, Paging};
use crate::service_access;

operation!(
    GENERATE_ORGANIZATIONS_ACCESS_REPORT,
    ops::GenerateOrganizationsAccessReport,
    |cx, _, input| Ok(generate_checks(cx, input)),
    generate
);
operation!(
    GET_ORGANIZATIONS_ACCESS_REPORT,
    ops::GetOrganizationsAccessReport,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    get
);

/// So many uses are looked at together.
const USES_AT_A_TIME: usize = 1000;

/// What a job found, or why it found nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    account: AccountId,
    id: String,
    created: Timestamp,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// The services that may be used, by their namespaces.
    Found(Vec<Access>),
    /// Why there is no report.
    Failed(String),
}

/// A service that may be used, and its last use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    service: String,
    last: Option<Use>,
    /// How many accounts used it.
    accounts: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Use {
    time: Timestamp,
    region: String,
    /// Of the account.
    path: String,
}

impl Report {
    fn all(account: &AccountId) -> Prefix {
        Prefix::new(&["iam", account.as_str(), "access-report"])
    }

    fn key_of(account: &AccountId, id: &str) -> Key {
        Key::new(&["iam", account.as_str(), "access-report", id])
    }
}

impl Job for Report {
    fn created(&self) -> Timestamp {
        self.created
    }

    fn lines(&self) -> usize {
        match &self.outcome {
            Outcome::Found(services) => services.len(),
            Outcome::Failed(_) => 1,
        }
    }
}

impl Record for Report {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.id)
    }
}

/// Why there is no report.
enum Failure {
    Store(StoreError),
    Said(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn said(words: impl Into<String>) -> Failure {
    Failure::Said(words.into())
}

/// The report is the resource (service authorization reference, IAM).
fn generate_checks(cx: &Cx, input: &GenerateOrganizationsAccessReportRequest) -> Checks {
    let arn = format!("arn:aws:iam::{}:access-report/{}", cx.account(), input.entity_path);
    let policy = input.organizations_policy_id.clone();
    Check::new(cx.operation().action, arn).with_some("iam:OrganizationsPolicyId", policy).into()
}

fn generate(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GenerateOrganizationsAccessReportRequest,
) -> Result<GenerateOrganizationsAccessReportResponse, Error> {
    let (account, now) = (cx.account(), cx.now());
    let outcome = match find(cx, tx, &input.entity_path, input.organizations_policy_id.as_deref()) {
        Ok(found) => Outcome::Found(found),
        Err(Failure::Said(why)) => Outcome::Failed(why),
        Err(Failure::Store(error)) => return Err(error.into()),
    };
    let all = Report::all(&account);
    let report = Report { account, id: cx.ids().uuid(), created: now.truncated(), outcome };
    job::keep(tx, &all, &report, now)?;
    Ok(GenerateOrganizationsAccessReportResponse { job_id: Some(report.id) })
}

fn find(cx: &Cx, tx: &Tx<'_>, path: &str, policy: Option<&str>) -> Result<Vec<Access>, Failure> {
    let organization = own_organization(cx, tx)?.filter(|own| own.management_account == cx.account());
    let organization =
        organization.ok_or_else(|| said("The account is not the management account of an organization."))?;
    if !organization.enables(ControlPolicyType::ServiceControlPolicy) {
        return Err(said("Service control policies are not enabled in the root of the organization."));
    }
    let way = way_of(tx, &organization, path)?;
    let management = organization.management_account.as_str();
    let entity = way.last().map_or("", |node| node.id.as_str());
    // No service control policy limits the management account: none is looked at.
    let policy = policy.filter(|_| entity != management);
    let services = if entity == management {
        check::services().collect()
    } else if let Some(id) = policy {
        let policy = document(tx, &organization, id)?;
        let text = policy.ok_or_else(|| said(format!("There is no service control policy {id}.")))?;
        &service_access::of_document(&text) - &service_access::shut_by(&text)
    } else {
        allowed(tx, &organization, &way)?
    };
    let uses = uses(tx, &organization, entity, policy)?;
    let mut found = vec![];
    for service in services {
        let here = uses.iter().filter_map(|account| account.get(service));
        let last = here.clone().max_by_key(|one| one.time).cloned();
        found.push(Access { service: service.to_owned(), last, accounts: here.count() });
    }
    Ok(found)
}

/// The nodes from the root down to the one that a path ends with, if it is that one's path.
fn way_of(tx: &Tx<'_>, organization: &Organization, path: &str) -> Result<Vec<OrganizationNode>, Failure> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let id = path.rsplit('/').next().unwrap_or_default();
    let missing = || said(format!("There is no entity with the path {path} in the organization."));
    tx.get::<OrganizationNode>(&OrganizationNode::key_of(&organization.id, id))?.ok_or_else(missing)?;
    let way = way_down(tx, &organization.id, id)?;
    if path_of(organization, &way) == path { Ok(way) } else { Err(missing()) }
}

fn path_of(organization: &Organization, way: &[OrganizationNode]) -> String {
    let ids = way.iter().map(|node| node.id.as_str());
    std::iter::once(organization.id.as_str()).chain(ids).collect::<Vec<_>>().join("/")
}

/// The document of a service control policy.
fn document(tx: &Tx<'_>, organization: &Organization, id: &str) -> Result<Option<String>, StoreError> {
    let kind = ControlPolicyType::ServiceControlPolicy;
    if let Some(own) = FULL_ACCESS.iter().find(|own| own.id == id) {
        return Ok((own.kind == kind).then(|| own.document.to_owned()));
    }
    let policy = tx.get::<OrganizationPolicy>(&OrganizationPolicy::key_of(&organization.id, id))?;
    Ok(policy.filter(|policy| policy.kind == kind).map(|policy| policy.document))
}

/// What the service control policies on the way down let use: what is allowed on each level, and forbidden on none.
fn allowed(
    tx: &Tx<'_>,
    organization: &Organization,
    way: &[OrganizationNode],
) -> Result<BTreeSet<&'static str>, StoreError> {
    let mut services: BTreeSet<_> = check::services().collect();
    for node in way {
        let (mut here, mut shut) = (BTreeSet::new(), BTreeSet::new());
        for id in &node.policies {
            if let Some(text) = document(tx, organization, id)? {
                here.extend(service_access::of_document(&text));
                shut.extend(service_access::shut_by(&text));
            }
        }
        services.retain(|service| here.contains(service) && !shut.contains(service));
    }
    Ok(services)
}

/// Of each account in an entity, the last use of each service. The management account is in none but itself. Where a
/// policy is named, only the accounts count that it applies to.
fn uses(
    tx: &Tx<'_>,
    organization: &Organization,
    entity: &str,
    policy: Option<&str>,
) -> Result<Vec<BTreeMap<String, Use>>, StoreError> {
    let nodes: Vec<OrganizationNode> = tx.all(&OrganizationNode::all(&organization.id))?;
    let mut found = vec![];
    for account in nodes.into_iter().filter_map(|node| node.account) {
        let way = way_down(tx, &organization.id, account.id.as_str())?;
        let inside = if account.id == organization.management_account {
            account.id.as_str() == entity
        } else {
            way.iter().any(|node| node.id == entity)
        };
        let applies = |id: &str| way.iter().any(|node| node.policies.iter().any(|known| known == id));
        if inside && policy.is_none_or(applies) {
            found.push(uses_of(tx, &account.id, &path_of(organization, &way))?);
        }
    }
    Ok(found)
}

fn uses_of(tx: &Tx<'_>, account: &AccountId, path: &str) -> Result<BTreeMap<String, Use>, StoreError> {
    let mut found = BTreeMap::<String, Use>::new();
    let mut after: Option<Key> = None;
    loop {
        let page: Vec<ServiceLastUsed> =
            tx.list(&ServiceLastUsed::all_in(account), after.as_ref(), USES_AT_A_TIME)?;
        after = page.last().map(Record::key);
        let ended = page.len() < USES_AT_A_TIME;
        for used in page {
            let later = found.get(&used.service).is_none_or(|known| known.time < used.time);
            if later {
                let last = Use { time: used.time, region: used.region, path: path.to_owned() };
                found.insert(used.service, last);
            }
        }
        if ended {
            return Ok(found);
        }
    }
}

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetOrganizationsAccessReportRequest,
) -> Result<GetOrganizationsAccessReportResponse, Error> {
    let id = &input.job_id;
    let report = tx.get::<Report>(&Report::key_of(&cx.account(), id))?.filter(|it| it.is_kept(cx.now()));
    let report = report.ok_or_else(|| no_such_entity(format!("The job with id {id} cannot be found.")))?;
    let mut answer = GetOrganizationsAccessReportResponse {
        job_status: JobStatusType::COMPLETED,
        job_creation_date: report.created,
        job_completion_date: Some(report.created),
        number_of_services_accessible: None,
        number_of_services_not_accessed: None,
        access_details: None,
        is_truncated: None,
        marker: None,
        error_details: None,
    };
    let mut found = match report.outcome {
        Outcome::Found(found) => found,
        Outcome::Failed(message) => {
            answer.job_status = JobStatusType::FAILED;
            answer.error_details = Some(ErrorDetails { message, code: "InvalidInput".to_owned() });
            return Ok(answer);
        }
    };
    let count = |number: usize| Some(i32::try_from(number).unwrap_or(i32::MAX));
    answer.number_of_services_accessible = count(found.len());
    answer.number_of_services_not_accessed = count(found.iter().filter(|one| one.last.is_none()).count());
    sort(&mut found, input.sort_key);
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let Page { items, is_truncated, marker } = paging.list(found)?.map(shown);
    (answer.access_details, answer.is_truncated, answer.marker) = (Some(items), is_truncated, marker);
    Ok(answer)
}

/// What was never used comes before what was, as if it had been used long ago.
fn sort(found: &mut [Access], by: Option<SortKeyType>) {
    let time = |access: &Access| access.last.as_ref().map(|last| last.time);
    match by {
        None | Some(SortKeyType::SERVICENAMESPACEASCENDING) => {}
        Some(SortKeyType::SERVICENAMESPACEDESCENDING) => found.reverse(),
        Some(SortKeyType::LASTAUTHENTICATEDTIMEASCENDING) => found.sort_by_key(time),
        Some(SortKeyType::LASTAUTHENTICATEDTIMEDESCENDING) => {
            found.sort_by_key(|access| std::cmp::Reverse(time(access)));
        }
    }
}

fn shown(access: Access) -> AccessDetail {
    let (time, region, path) = match access.last {
        Some(last) => (Some(last.time.truncated()), Some(last.region), Some(last.path)),
        None => (None, None, None),
    };
    AccessDetail {
        service_name: service_access::full_name(&access.service).to_owned(),
        service_namespace: access.service,
        region,
        entity_path: path,
        last_authenticated_time: time,
        total_authenticated_entities: Some(i32::try_from(access.accounts).unwrap_or(i32::MAX)),
    }
}
