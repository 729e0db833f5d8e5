//! The decision, and AWS's words for a no.

use daypass_model::Protocol;
use daypass_policy::{Action, Context, Decision, Policies, Request, Resource, ResourcePolicy, keys};
use daypass_wire::Fault;

use crate::caller::time;
use crate::check::{Check, Checks, Guard, Values};
use crate::cx::Cx;
use crate::error::Error;
use crate::key_ring::Purpose;

pub(crate) fn authorize(cx: &Cx, checks: &Checks) -> Result<(), Error> {
    {
        let mut trail = cx.trail();
        trail.resources = checks.list.iter().map(|c| c.resource.clone()).filter(|r| r != "*").collect();
    }
    let mut refused: Option<(&Check, Decision)> = None;
    for check in &checks.list {
        match decide(cx, check) {
            Decision::Allowed => {}
            // An explicit denial of a later resource is told before an implicit one of an earlier.
            Decision::ExplicitDeny => {
                if refused.is_none_or(|(_, decision)| decision == Decision::ImplicitDeny) {
                    refused = Some((check, Decision::ExplicitDeny));
                }
            }
            Decision::ImplicitDeny => refused = refused.or(Some((check, Decision::ImplicitDeny))),
        }
    }
    match refused {
        None => Ok(()),
        Some((check, _)) => Err(refuse(cx, check)),
    }
}

pub(crate) fn may(cx: &Cx, check: &Check) -> bool {
    decide(cx, check) == Decision::Allowed
}

fn decide(cx: &Cx, check: &Check) -> Decision {
    ask(cx, check, |policies, request| policies.decide(request))
}

/// Puts the question together. What cannot be put is denied.
fn ask<T: From<Decision>>(
    cx: &Cx,
    check: &Check,
    answer: impl FnOnce(&Policies<'_>, &Request<'_>) -> T,
) -> T {
    let Ok(action) = Action::new(check.action) else { return Decision::ImplicitDeny.into() };
    let resource = if check.resource == "*" { Ok(Resource::NONE) } else { Resource::arn(&check.resource) };
    let Ok(resource) = resource else { return Decision::ImplicitDeny.into() };
    let mut context = Context::with_capacity(24 + check.keys.len());
    describe(cx, check, &mut context);
    let mut request = Request::new(cx.caller.principal(), &action, resource, &context);
    let account = check.account.as_ref().and_then(|a| a.as_str().parse().ok());
    if let Some(account) = account {
        request = request.in_account(account);
    }
    let guard = match &check.guard {
        Guard::None => ResourcePolicy::None,
        Guard::Grants(set) => ResourcePolicy::Grants(set),
        Guard::Trust(set) => ResourcePolicy::Trust(set),
    };
    answer(&Policies::of(cx.caller.policies()).resource(guard), &request)
}

/// The condition keys of a request: who asks, from where, when, and what the operation says of its resource.
fn describe<'a>(cx: &'a Cx, check: &'a Check, context: &mut Context<'a>) {
    cx.caller.describe(cx.now, context);
    context.set(keys::CURRENT_TIME, time(cx.now));
    context.set(keys::EPOCH_TIME, cx.now.seconds());
    context.set(keys::SECURE_TRANSPORT, cx.peer.secure);
    context.set(keys::SOURCE_IP, cx.peer.address);
    context.set(keys::USER_AGENT, cx.user_agent.as_str());
    context.set(keys::VIA_AWS_SERVICE, false);
    let region = if cx.operation.service.global { "us-east-1" } else { cx.region.as_str() };
    context.set(keys::REQUESTED_REGION, region);
    if let Some(referer) = &cx.referer {
        context.set(keys::REFERER, referer.as_str());
    }
    let account = check.account.as_ref().map(daypass_model::AccountId::as_str);
    let account = account.or_else(|| cx.caller.principal().account().map(|a| a.as_str()));
    if let Some(account) = account {
        context.set(keys::RESOURCE_ACCOUNT, account);
    }
    for (key, values) in &check.keys {
        let key = key.as_ref();
        match values {
            Values::Text(text) => context.set(key, text.as_str()),
            Values::Number(number) => context.set(key, *number),
            Values::Flag(flag) => context.set(key, *flag),
            Values::Time(t) => context.set(key, time(*t)),
            Values::List(list) => context.set_list(key, list.iter().map(String::as_str)),
        }
    }
}

/// AWS's refusal. The whole explanation goes into the audit log; the caller sees what AWS would show.
fn refuse(cx: &Cx, check: &Check) -> Error {
    let clause = clause(cx, check);
    let protocol = cx.operation.service.protocol;
    let sentence = sentence(cx, check, &clause);
    match protocol {
        Protocol::Ec2 => {
            let encoded = encoded_message(cx, check);
            let message = format!(
                "You are not authorized to perform this operation. {sentence}. Encoded authorization failure message: {encoded}"
            );
            Fault::coded("UnauthorizedOperation", 403, message).into()
        }
        Protocol::Query => Fault::coded("AccessDenied", 403, sentence).into(),
        Protocol::RestXml => {
            let anonymous = matches!(cx.caller.kind(), crate::CallerKind::Anonymous);
            Fault::coded("AccessDenied", 403, if anonymous { "Access Denied".to_owned() } else { sentence })
                .into()
        }
        Protocol::Json => Fault::coded("AccessDeniedException", 400, sentence).into(),
        Protocol::RestJson => Fault::coded("AccessDeniedException", 403, sentence).into(),
    }
}

/// `User: … is not authorized to perform: … on resource: … because …`
fn sentence(cx: &Cx, check: &Check, clause: &str) -> String {
    let resource = match check.resource.as_str() {
        "*" => String::new(),
        arn if cx.operation.service.name == "s3" => format!(" on resource: \"{arn}\""),
        arn => format!(" on resource: {arn}"),
    };
    format!("User: {} is not authorized to perform: {}{resource} {clause}", cx.caller.arn(), check.action)
        .trim_end()
        .to_owned()
}

fn clause(_cx: &Cx, check: &Check) -> String {
    format!("because no identity-based policy allows the {} action", check.action)
}

/// The message that `sts:DecodeAuthorizationMessage` reads.
fn encoded_message(cx: &Cx, check: &Check) -> String {
    let plain = serde_json::json!({ "allowed": false, "action": check.action, "resource": check.resource });
    cx.state.ring.seal(Purpose::Message, b"", plain.to_string().as_bytes()).unwrap_or_default()
}
