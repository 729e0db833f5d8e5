//! Requests of partners for temporary access, as they go from hand to hand: `CreateDelegationRequest` by the partner,
//! `AssociateDelegationRequest`, `UpdateDelegationRequest`, `AcceptDelegationRequest`, `RejectDelegationRequest` and
//! `SendDelegationToken` by the customer. Where a request may go is [`DelegationRequest`]'s to know.
//!
//! AWS's words for what is refused here could not be established, but for codes; they are ours.

use daypass_core::delegation::{
    self, Approver, Asked, DelegationRequest, Owner, Parameter, Partner, PolicyTemplate, Template, WrongState,
};
use daypass_core::model::AccountId;
use daypass_core::model::iam::{
    AcceptDelegationRequestRequest, AssociateDelegationRequestRequest, CreateDelegationRequestRequest,
    CreateDelegationRequestResponse, PolicyParameter, PolicyParameterTypeEnum,
    RejectDelegationRequestRequest, SendDelegationTokenRequest, UpdateDelegationRequestRequest, ops,
};
use daypass_core::policy::{Document, DocumentKind, Policy, PolicySet, PolicySource};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{
    CallerKind, Check, Checks, Cx, Error, Fault, Guard, Session, SessionPrincipal, Who, operation,
};
use serde_json::json;

use crate::fault::{access_denied, already_exists, invalid_input, limit_exceeded, no_such_entity};

operation!(CREATE_DELEGATION_REQUEST, ops::CreateDelegationRequest, create_checks, create);
operation!(
    ASSOCIATE_DELEGATION_REQUEST,
    ops::AssociateDelegationRequest,
    |cx, tx, input| check(cx, tx, &input.delegation_request_id),
    associate
);
operation!(
    UPDATE_DELEGATION_REQUEST,
    ops::UpdateDelegationRequest,
    |cx, tx, input| check(cx, tx, &input.delegation_request_id),
    update
);
operation!(
    ACCEPT_DELEGATION_REQUEST,
    ops::AcceptDelegationRequest,
    |cx, tx, input| check(cx, tx, &input.delegation_request_id),
    accept
);
operation!(
    REJECT_DELEGATION_REQUEST,
    ops::RejectDelegationRequest,
    |cx, tx, input| check(cx, tx, &input.delegation_request_id),
    reject
);
operation!(
    SEND_DELEGATION_TOKEN,
    ops::SendDelegationToken,
    |cx, tx, input| check(cx, tx, &input.delegation_request_id),
    send
);

/// The key that tells whose request it is (service authorization reference, IAM, condition keys).
const OWNER: &str = "iam:DelegationRequestOwner";

/// What who takes a request on may do with it without any policy: "They can associate it with their account, view request
/// details, reject a request, forward it to an administrator for approval, release the exchange token to the product provider
/// after admin approval" (IAM user guide, `access_policies-temporary-delegation`). To accept it is not among it.
const OWNERS: [&str; 4] = [
    "iam:GetDelegationRequest",
    "iam:RejectDelegationRequest",
    "iam:SendDelegationToken",
    "iam:UpdateDelegationRequest",
];
/// And what anybody of its account, or of any where it is directed to none, may do with one that nobody has taken on: who
/// knows its id was given it by the partner (IAM API reference, GetDelegationRequest and AssociateDelegationRequest).
const ANYBODYS: [&str; 2] = ["iam:AssociateDelegationRequest", "iam:GetDelegationRequest"];

/// The request of that id, if the caller's account may know of it: it is directed to nobody, or to that account.
pub(crate) fn find(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Option<DelegationRequest>, StoreError> {
    let request = tx.get::<DelegationRequest>(&DelegationRequest::key_of(id))?;
    let account = cx.account();
    Ok(request.filter(|request| request.owner_account.as_ref().is_none_or(|owner| *owner == account)))
}

pub(crate) fn load(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<DelegationRequest, Error> {
    let missing = || no_such_entity(format!("The delegation request with id {id} cannot be found."));
    Ok(find(cx, tx, id)?.ok_or_else(missing)?)
}

/// Whether the caller is who took the request on, and not somebody who came later under the same name.
pub(crate) fn is_owner(cx: &Cx, request: &DelegationRequest) -> bool {
    let caller = cx.caller();
    let is = |owner: &Owner| owner.arn == caller.arn() && owner.user_id == caller.user_id();
    request.owner.as_ref().is_some_and(is)
}

/// The question of an operation about a request; of one that is none to the caller's account, as if there were none.
pub(crate) fn check(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Checks, StoreError> {
    check_of(cx, tx, cx.operation().action, id)
}

pub(crate) fn check_of(cx: &Cx, tx: &Tx<'_>, action: &'static str, id: &str) -> Result<Checks, StoreError> {
    let check = Check::new(action, DelegationRequest::arn(&cx.account(), id));
    let Some(request) = find(cx, tx, id)? else { return Ok(check.into()) };
    let check = check.with_some(OWNER, request.owner.as_ref().map(|owner| owner.arn.clone()));
    let granted = match &request.owner {
        None => ANYBODYS.contains(&action),
        Some(_) => is_owner(cx, &request) && OWNERS.contains(&action),
    };
    Ok(if granted { check.guarded_by(granting(cx, action)).into() } else { check.into() })
}

/// As a policy of the request that names the caller, so that whatever denies it still does.
pub(crate) fn granting(cx: &Cx, action: &str) -> Guard {
    let text = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Principal": { "AWS": cx.caller().arn() },
        "Action": action,
        "Resource": "*",
    } });
    let document = Document::load(DocumentKind::Resource, &text.to_string());
    let source = PolicySource::named("what whoever has a delegation request may do with it");
    Guard::Grants(std::sync::Arc::new(PolicySet::new([Policy::compile(source, document)])))
}

fn create_checks(cx: &Cx, _: &Tx<'_>, input: &CreateDelegationRequestRequest) -> Result<Checks, StoreError> {
    let account = input.owner_account_id.as_deref().and_then(|id| id.parse::<AccountId>().ok());
    let arn = DelegationRequest::arn(&account.unwrap_or_else(|| cx.account()), "*");
    let check = Check::new("iam:CreateDelegationRequest", arn)
        .with_some("iam:TemplateArn", input.permissions.policy_template_arn.clone())
        .with("iam:NotificationChannel", input.notification_channel.clone())
        .with("iam:DelegationDuration", input.session_duration.to_string());
    Ok(check.into())
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateDelegationRequestRequest,
) -> Result<CreateDelegationRequestResponse, Error> {
    let account = cx.account();
    let partner = tx.get::<Partner>(&Partner::key_of(&account))?.ok_or_else(|| {
        access_denied(&format!(
            "Account {account} is not registered for IAM temporary delegation. The operator of this server registers it with `daypass partner add --account {account}`."
        ))
    })?;
    let template = input.permissions.policy_template_arn.unwrap_or_default();
    let kept = PolicyTemplate::find(tx, &partner, &template)?
        .ok_or_else(|| invalid_input(format!("Policy template {template} does not exist.")))?;
    channel(cx, &input.notification_channel)?;
    let owner_account = match input.owner_account_id.map(|id| id.parse::<AccountId>()) {
        Some(Err(_)) => return Err(invalid_input("OwnerAccountId is not the ID of an account.").into()),
        Some(Ok(account)) => Some(account),
        None => None,
    };
    let parameters = parameters(input.permissions.parameters.unwrap_or_default())?;
    let rendered = Template::parse(&kept.document)
        .and_then(|template| template.render(&parameters, owner_account.as_ref()));
    let policy = rendered.map_err(|error| invalid_input(capitalized(&error.to_string())))?;
    if delegation::has_workflow(tx, &account, &input.requestor_workflow_id)? {
        let words = format!(
            "A delegation request with RequestorWorkflowId {} already exists.",
            input.requestor_workflow_id
        );
        return Err(already_exists(words).into());
    }
    if !delegation::has_room(tx, &account)? {
        let most = delegation::REQUESTS_PER_PARTNER;
        return Err(
            limit_exceeded(format!("Cannot exceed quota for DelegationRequestsPerPartner: {most}")).into()
        );
    }
    let digits: String = cx.ids().id_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let asked = Asked {
        requestor: account,
        generation: partner.generation,
        requestor_name: partner.name,
        workflow: input.requestor_workflow_id,
        description: input.description,
        message: input.request_message,
        template,
        parameters,
        makes_roles: delegation::makes_roles(&policy),
        policy,
        boundaries: kept.boundaries,
        redirect_url: input.redirect_url,
        channel: input.notification_channel,
        session_seconds: input.session_duration,
        only_send_by_owner: input.only_send_by_owner.unwrap_or(false),
    };
    let request = DelegationRequest::new(format!("dr-{digits}"), asked, owner_account, cx.now());
    request.save(tx)?;
    // There is no console here for a link to lead to: who is to decide is given the id.
    Ok(CreateDelegationRequestResponse { console_deep_link: None, delegation_request_id: Some(request.id) })
}

/// "The SNS topic must be in one of your registered AWS accounts. IAM will not accept SNS topics from other accounts."
/// (`temporary-delegation-building-integration`). That IAM may publish to it, here the operator says.
fn channel(cx: &Cx, arn: &str) -> Result<(), Fault> {
    let parts: Vec<&str> = arn.split(':').collect();
    let is_own = match parts.as_slice() {
        ["arn", "aws", "sns", region, account, name] => {
            !region.is_empty() && *account == cx.account().as_str() && !name.is_empty()
        }
        _ => false,
    };
    if !is_own {
        let words = "NotificationChannel must be the ARN of an SNS topic in the account of the requestor.";
        return Err(invalid_input(words));
    }
    if !cx.state().destinations.has(arn) {
        let words = format!(
            "NotificationChannel {arn} is not one that IAM can publish to. The operator of this server gives it a place with `daypass up --event-destination {arn}=PLACE`."
        );
        return Err(invalid_input(words));
    }
    Ok(())
}

fn parameters(given: Vec<PolicyParameter>) -> Result<Vec<Parameter>, Fault> {
    let read = |given: PolicyParameter| {
        let name = given.name.unwrap_or_default();
        let is_list = match given.type_ {
            Some(PolicyParameterTypeEnum::StringList) => true,
            Some(PolicyParameterTypeEnum::String_) => false,
            // "you must specify the type for each parameter" (`temporary-delegation-policy-templates`).
            None => return Err(invalid_input(format!("Policy parameter `{name}` has no type."))),
        };
        Ok(Parameter { name, values: given.values.unwrap_or_default(), is_list })
    };
    given.into_iter().map(read).collect()
}

fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

fn associate(cx: &Cx, tx: &mut Tx<'_>, input: AssociateDelegationRequestRequest) -> Result<(), Error> {
    let owner = Owner { arn: cx.caller().arn().to_owned(), user_id: cx.caller().user_id().to_owned() };
    is_asked_for(cx, tx, &input.delegation_request_id)?;
    change(cx, tx, &input.delegation_request_id, |request| request.associate(cx.account(), owner, cx.now()))
}

fn update(cx: &Cx, tx: &mut Tx<'_>, input: UpdateDelegationRequestRequest) -> Result<(), Error> {
    is_asked_for(cx, tx, &input.delegation_request_id)?;
    change(cx, tx, &input.delegation_request_id, |request| request.forward(input.notes, cx.now()))
}

fn reject(cx: &Cx, tx: &mut Tx<'_>, input: RejectDelegationRequestRequest) -> Result<(), Error> {
    change(cx, tx, &input.delegation_request_id, |request| request.reject(input.notes, cx.now()))
}

fn accept(cx: &Cx, tx: &mut Tx<'_>, input: AcceptDelegationRequestRequest) -> Result<(), Error> {
    is_asked_for(cx, tx, &input.delegation_request_id)?;
    let approver = Approver { arn: cx.caller().arn().to_owned(), session: like_caller(cx)? };
    change(cx, tx, &input.delegation_request_id, |request| request.accept(approver, cx.now()))
}

/// "IAM records the details and the state of the identity that called this API. This is the identity that gets mapped to the
/// delegated credential" (IAM API reference, AcceptDelegationRequest): its session with its policies and tags. That it used
/// MFA does not count for the partner, who has no device.
fn like_caller(cx: &Cx) -> Result<Session, Fault> {
    let caller = cx.caller();
    // A root user, who could accept what lasts four hours, has no credentials here but those for single tasks.
    let cannot = || access_denied("The caller cannot accept delegation requests.");
    let now = cx.now().truncated();
    match (caller.kind(), caller.session()) {
        (CallerKind::User(..) | CallerKind::Role(..), Some(session)) if session.delegation.is_none() => {
            Ok(Session { mfa: None, ..session.clone() })
        }
        (CallerKind::User(identity, None), None) => match &identity.who {
            Who::User(user) => {
                let principal = SessionPrincipal::User { name: user.name.clone(), id: user.id.clone() };
                Ok(Session::plain(user.account.clone(), principal, now, now))
            }
            Who::Role(_) => Err(cannot()),
        },
        _ => Err(cannot()),
    }
}

/// What was asked for by who is no partner any more, or has become one anew, goes nowhere but to its end.
fn is_asked_for(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<(), Error> {
    let request = load(cx, tx, id)?;
    if delegation::has_partner(tx, &request)? {
        return Ok(());
    }
    let requestor = &request.asked.requestor;
    let words =
        format!("Account {requestor} is not registered any more as it was for delegation request {id}.");
    Err(invalid_input(words).into())
}

/// Takes a request a step further, and tells the partner.
fn change(
    cx: &Cx,
    tx: &mut Tx<'_>,
    id: &str,
    step: impl FnOnce(&mut DelegationRequest) -> Result<(), WrongState>,
) -> Result<(), Error> {
    let mut request = load(cx, tx, id)?;
    step(&mut request).map_err(|wrong| in_wrong_state(cx, id, wrong))?;
    request.save(tx)?;
    Ok(delegation::tell_state(tx, cx.ids(), &request, cx.now())?)
}

fn in_wrong_state(cx: &Cx, id: &str, WrongState(state): WrongState) -> Fault {
    let (name, state) = (cx.operation().name, state.as_str());
    invalid_input(format!("{name} cannot be called for delegation request {id} in state {state}."))
}

fn send(cx: &Cx, tx: &mut Tx<'_>, input: SendDelegationTokenRequest) -> Result<(), Error> {
    let id = &input.delegation_request_id;
    is_asked_for(cx, tx, id)?;
    let mut request = load(cx, tx, id)?;
    if request.asked.only_send_by_owner && !is_owner(cx, &request) {
        let words = "The token of this delegation request can only be sent by the owner of the request.";
        return Err(access_denied(words).into());
    }
    let (token, digest) = delegation::new_token(cx, &request);
    let sent = request.finalize(digest, cx.now()).map_err(|wrong| in_wrong_state(cx, id, wrong))?;
    request.save(tx)?;
    delegation::tell_state(tx, cx.ids(), &request, cx.now())?;
    let by = (cx.ids(), &cx.state().ring);
    let told = delegation::tell_token(tx, by, &request, (&token, &sent), cx.now());
    told.map_err(|error| Error::Internal(Box::new(error)))
}
