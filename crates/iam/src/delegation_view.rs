//! Requests of partners for temporary access, as customers look at them: `GetDelegationRequest`, `ListDelegationRequests` and
//! `GetHumanReadableSummary`.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use daypass_core::delegation::{Asked, DelegationRequest, Owned, Owner, RequestState};
use daypass_core::model::iam::{
    DelegationPermission, DelegationRequest as Shown, GetDelegationRequestRequest,
    GetDelegationRequestResponse, GetHumanReadableSummaryRequest, GetHumanReadableSummaryResponse,
    ListDelegationRequestsRequest, ListDelegationRequestsResponse, PermissionCheckResultType,
    PermissionCheckStatusType, PolicyParameter, PolicyParameterTypeEnum, StateType, SummaryStateType, ops,
};
use daypass_core::policy::compare::{ComparedPolicies, new_access};
use daypass_core::policy::{Document, DocumentKind, Policy, PolicySource};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, at_length, operation};
use serde_json::Value;

use crate::delegation_request::{check, check_of, granting, load};
use crate::fault::{invalid_input, no_such_entity};
use crate::paging::{Page, Paging};

operation!(
    GET_DELEGATION_REQUEST,
    ops::GetDelegationRequest,
    |cx, tx, input| check(cx, tx, &input.delegation_request_id),
    get
);
operation!(LIST_DELEGATION_REQUESTS, ops::ListDelegationRequests, list_checks, list);
operation!(GET_HUMAN_READABLE_SUMMARY, ops::GetHumanReadableSummary, summary_checks, summary);

/// So many comparisons of policies run at once. Each takes seconds of a core at worst.
const AT_ONCE: usize = 2;
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Characters of a summary (IAM API reference, GetHumanReadableSummary), with some left for its end.
const MAX_SUMMARY: usize = 9_900;

fn get(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetDelegationRequestRequest,
) -> Result<GetDelegationRequestResponse, Error> {
    let request = load(cx, tx, &input.delegation_request_id)?;
    let (status, result) = match input.delegation_permission_check {
        Some(true) => compare(cx, &request),
        _ => (None, None),
    };
    Ok(GetDelegationRequestResponse {
        delegation_request: Some(shown(cx, &request)),
        permission_check_status: status,
        permission_check_result: result,
    })
}

fn shown(cx: &Cx, request: &DelegationRequest) -> Shown {
    let kind = |is_list| {
        if is_list { PolicyParameterTypeEnum::StringList } else { PolicyParameterTypeEnum::String_ }
    };
    let parameters = request.asked.parameters.iter().map(|given| PolicyParameter {
        name: Some(given.name.clone()),
        values: Some(given.values.clone()),
        type_: Some(kind(given.is_list)),
    });
    let restricted = request.asked.makes_roles;
    Shown {
        delegation_request_id: Some(request.id.clone()),
        owner_account_id: request.owner_account.as_ref().map(ToString::to_string),
        description: Some(request.asked.description.clone()),
        request_message: request.asked.message.clone(),
        permissions: Some(DelegationPermission {
            policy_template_arn: Some(request.asked.template.clone()),
            parameters: Some(parameters.collect()),
        }),
        permission_policy: Some(request.asked.policy.clone()),
        role_permission_restriction_arns: restricted.then(|| request.asked.boundaries.clone()),
        owner_id: request.owner.as_ref().map(|owner| owner.arn.clone()),
        approver_id: request.approver().map(|approver| approver.arn.clone()),
        state: Some(match request.state(cx.now()) {
            RequestState::Unassigned => StateType::UNASSIGNED,
            RequestState::Assigned => StateType::ASSIGNED,
            RequestState::PendingApproval => StateType::PENDINGAPPROVAL,
            RequestState::Accepted => StateType::ACCEPTED,
            RequestState::Finalized => StateType::FINALIZED,
            RequestState::Rejected => StateType::REJECTED,
            RequestState::Expired => StateType::EXPIRED,
        }),
        expiration_time: Some(request.expires.truncated()),
        requestor_id: Some(request.asked.requestor.to_string()),
        requestor_name: Some(request.asked.requestor_name.clone()),
        create_date: Some(request.created.truncated()),
        session_duration: Some(request.asked.session_seconds),
        redirect_url: request.asked.redirect_url.clone(),
        notes: request.notes.clone(),
        rejection_reason: request.rejection().map(str::to_owned),
        only_send_by_owner: Some(request.asked.only_send_by_owner),
        updated_time: Some(request.updated.truncated()),
    }
}

type Comparison = (Option<PermissionCheckStatusType>, Option<PermissionCheckResultType>);

/// Whether the caller's own policies allow all that is asked for. It is AWS's "approximate result", ready at once: it knows the
/// identity-based policies and the boundary, and what it cannot rule out is unsure.
fn compare(cx: &Cx, request: &DelegationRequest) -> Comparison {
    let complete = |result| (Some(PermissionCheckStatusType::COMPLETE), Some(result));
    let Some(identity) = cx.caller().identity() else { return complete(PermissionCheckResultType::UNSURE) };
    let session = cx.caller().session();
    let narrowed = session.is_some_and(|s| s.policy.is_some() || !s.policy_arns.is_empty());
    let organized = cx.state().organizations.standing(&cx.account());
    let limited = narrowed || !matches!(organized, Ok(None));
    if RUNNING.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        return (Some(PermissionCheckStatusType::FAILED), None);
    }
    let differences = at_length(|| {
        let attached = identity.attached.iter().cloned();
        let own = match &identity.boundary {
            Some(boundary) => ComparedPolicies::identity_within(attached, boundary.clone()),
            None => ComparedPolicies::identity(attached),
        };
        let document = Document::load(DocumentKind::Session, &request.asked.policy);
        let asked = Policy::compile(PolicySource::named("permission policy"), document);
        new_access(&own, &ComparedPolicies::identity([asked]))
    });
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    complete(if !differences.list.is_empty() {
        PermissionCheckResultType::DENIED
    } else if differences.surely_none() && !limited {
        PermissionCheckResultType::ALLOWED
    } else {
        PermissionCheckResultType::UNSURE
    })
}

/// Who asks for its own needs no permission; who asks for all of the account's, or somebody else's, does.
fn list_checks(cx: &Cx, _: &Tx<'_>, input: &ListDelegationRequestsRequest) -> Result<Checks, StoreError> {
    let check = Check::on_all("iam:ListDelegationRequests")
        .with_some("iam:DelegationRequestOwner", input.owner_id.clone());
    let is_own = input.owner_id.as_deref() == Some(cx.caller().arn());
    Ok(if is_own {
        check.guarded_by(granting(cx, "iam:ListDelegationRequests")).into()
    } else {
        check.into()
    })
}

fn list(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListDelegationRequestsRequest,
) -> Result<ListDelegationRequestsResponse, Error> {
    let account = cx.account();
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    // Who comes later under an owner's name is somebody else, and is let see no more than its own.
    let is_other = |owner: &Owner| owner.arn == cx.caller().arn() && owner.user_id != cx.caller().user_id();
    let asked = input.owner_id.as_ref();
    let keep = |owned: &Owned| asked.is_none_or(|owner| *owner == owned.owner.arn && !is_other(&owned.owner));
    let key_of = |id: &str| Owned::key_of(&account, id);
    let page = paging.records::<Owned>(tx, &Owned::all(&account), key_of, keep)?;
    let Page { items, is_truncated, marker } = page.try_map(|owned| {
        let request = tx.get::<DelegationRequest>(&DelegationRequest::key_of(&owned.id))?;
        Ok::<_, StoreError>(request.map(|request| shown(cx, &request)))
    })?;
    let requests = items.into_iter().flatten().collect();
    Ok(ListDelegationRequestsResponse { delegation_requests: Some(requests), marker, is_truncated })
}

/// The id in `arn:aws:iam::111122223333:delegation-request/dr-…`, where the account is the caller's.
fn entity<'a>(cx: &Cx, arn: &'a str) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:aws:iam::")?.strip_prefix(cx.account().as_str())?;
    let id = rest.strip_prefix(":delegation-request/")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (!id.is_empty() && id.len() <= 128 && id.chars().all(plain)).then_some(id)
}

/// "These rules are identical to GetDelegationRequest API behavior" (IAM API reference, GetHumanReadableSummary): its action is
/// asked too, and alone decides where nothing else would let the caller.
fn summary_checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &GetHumanReadableSummaryRequest,
) -> Result<Checks, StoreError> {
    match entity(cx, &input.entity_arn) {
        Some(id) => check_of(cx, tx, "iam:GetDelegationRequest", id),
        None => Ok(Check::on_all("iam:GetDelegationRequest").into()),
    }
}

fn summary(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetHumanReadableSummaryRequest,
) -> Result<GetHumanReadableSummaryResponse, Error> {
    let id = match entity(cx, &input.entity_arn) {
        Some(id) => id,
        None if input.entity_arn.contains(":delegation-request/") => {
            return Err(no_such_entity(format!("{} cannot be found.", input.entity_arn)).into());
        }
        None => return Err(invalid_input("EntityArn must be the ARN of a delegation request.").into()),
    };
    let request = load(cx, tx, id)?;
    let locale = input.locale.unwrap_or_else(|| "en".to_owned());
    let is_english =
        locale.split(['-', '_']).next().is_some_and(|language| language.eq_ignore_ascii_case("en"));
    let (content, state) = if is_english {
        (summarized(&request), SummaryStateType::AVAILABLE)
    } else {
        (String::new(), SummaryStateType::NOTSUPPORTED)
    };
    Ok(GetHumanReadableSummaryResponse {
        summary_content: Some(content),
        locale: Some(locale),
        summary_state: Some(state),
    })
}

/// What the request says, statement by statement. AWS has a language model write it; nothing here does, and nothing is left
/// out of it but what does not fit.
fn summarized(request: &DelegationRequest) -> String {
    let Asked { requestor_name, requestor, session_seconds, .. } = &request.asked;
    let mut out = format!(
        "{requestor_name} (account {requestor}) asks to act in your account for {session_seconds} seconds, with the permissions of whoever accepts the request and no others than these:\n"
    );
    let policy: Value = serde_json::from_str(&request.asked.policy).unwrap_or_default();
    for statement in policy.get("Statement").and_then(Value::as_array).into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "- {}", sentence(statement));
    }
    if request.asked.makes_roles {
        let _ = writeln!(
            out,
            "Roles that it makes last on. Each of them is limited by one of these permissions boundaries: {}.",
            request.asked.boundaries.join(", ")
        );
    }
    match out.char_indices().nth(MAX_SUMMARY) {
        None => out,
        Some((end, _)) => format!("{}\n(cut: see the policy itself)", out.get(..end).unwrap_or_default()),
    }
}

fn sentence(statement: &Value) -> String {
    let texts = |name: &str| {
        let value = statement.get(name)?;
        let list = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        Some(list.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
    };
    let may =
        if statement.get("Effect").and_then(Value::as_str) == Some("Allow") { "may" } else { "may not" };
    let actions = texts("Action")
        .or_else(|| texts("NotAction").map(|list| format!("everything but {list}")))
        .unwrap_or_default();
    let resources = texts("Resource")
        .or_else(|| texts("NotResource").map(|list| format!("everything but {list}")))
        .unwrap_or_default();
    let condition = statement.get("Condition").map(|value| format!(", if {value}")).unwrap_or_default();
    format!("It {may} {actions} on {resources}{condition}")
}
