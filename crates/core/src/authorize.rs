//! The decision, and AWS's words for a no.

use std::borrow::Cow;
use std::sync::Arc;

use daypass_model::{AccountId, Protocol};
use daypass_policy::{
    Action, Audience, Context, Decision, Explanation, LayerKind, LayerReport, Policies, PolicySource,
    Request, Resource, ResourcePolicy, Verdict, keys,
};
use daypass_wire::Fault;
use serde_json::{Value as Json, json};

use crate::caller::{CallerKind, time};
use crate::check::{Check, Checks, Guard, Values};
use crate::cx::Cx;
use crate::error::Error;
use crate::key_ring::Purpose;
use crate::organizations::Standing;

/// Of so many questions of one request the record says why they were answered with yes.
const MAX_TOLD: usize = 16;

pub(crate) fn authorize(cx: &Cx, checks: &Checks) -> Result<(), Error> {
    {
        let mut trail = cx.trail();
        let named = |resource: &&str| *resource != "*" && *resource != Resource::EVERY_BUCKET;
        let resources = checks.list.iter().flat_map(Check::resources).filter(named);
        trail.resources = resources.map(str::to_owned).collect();
    }
    let readings: Vec<Cow<'_, Check>> = checks.list.iter().flat_map(Check::readings).collect();
    let mut refused: Option<(&Check, Decision)> = None;
    let told = cx.trail().allowed.len();
    let (mut allowed, mut by_acl) = (vec![], false);
    for check in &readings {
        let room = told + allowed.len() < MAX_TOLD;
        let answer = |policies: &Policies<'_>, request: &Request<'_>| {
            let decision = policies.decide(request);
            let why = (room && decision.is_allowed()).then(|| policies.explain(request));
            (decision, why.map(|why| (needs_acl(&why, request), why.to_json())))
        };
        // What cannot be asked is denied.
        let (decision, why) = ask(cx, check, answer).unwrap_or((Decision::ImplicitDeny, None));
        by_acl |= why.as_ref().is_some_and(|(by_acl, _)| *by_acl);
        allowed.extend(why.map(|(_, json)| json));
        match decision {
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
        None => {
            let mut trail = cx.trail();
            trail.allowed.append(&mut allowed);
            trail.asked += readings.len();
            if by_acl {
                trail.acl_required = true;
                trail.additional.insert("aclRequired".into(), "Yes".into());
            }
            Ok(())
        }
        Some((check, _)) => Err(refuse(cx, check)),
    }
}

/// What the names of policies begin with that stand for the ACL of a bucket or an object.
pub const ACL_NAMES: &str = "ACL of ";

/// Whether what is allowed would not be without an ACL (S3 user guide, "Amazon S3 server access log format", `aclRequired`):
/// nothing else of the resource's allows it, and what the principal has would not do.
fn needs_acl(why: &Explanation, request: &Request<'_>) -> bool {
    let is_acl =
        |source: &PolicySource| matches!(source, PolicySource::Named(name) if name.starts_with(ACL_NAMES));
    let allows = |layer: &LayerReport| matches!(layer.verdict, Verdict::Allows | Verdict::NotAsked(_));
    let of = |kind: LayerKind| why.layers.iter().filter(move |layer| layer.kind == kind);
    let granted = of(LayerKind::Resource).find(|layer| layer.verdict == Verdict::Allows);
    let by_acl = granted.is_some_and(|layer| layer.deciders.iter().all(|d| is_acl(&d.statement.policy)));
    let at_home = request.principal.account().is_some()
        && request.resource_account.as_ref() == request.principal.account();
    let own = of(LayerKind::Identity).any(allows)
        && of(LayerKind::Boundary).all(allows)
        && of(LayerKind::Session).all(allows);
    by_acl && !(at_home && own)
}

pub(crate) fn may(cx: &Cx, check: &Check) -> bool {
    decision(cx, check) == Decision::Allowed
}

/// The answer to a question in all its readings: an explicit denial of one denies, and what one does not allow is not
/// allowed.
pub(crate) fn decision(cx: &Cx, check: &Check) -> Decision {
    let readings = check.readings();
    let decisions: Vec<Decision> = readings.iter().map(|check| decide(cx, check)).collect();
    let first = |wanted| decisions.iter().copied().find(|decision| *decision == wanted);
    first(Decision::ExplicitDeny).or_else(|| first(Decision::ImplicitDeny)).unwrap_or(Decision::Allowed)
}

fn decide(cx: &Cx, check: &Check) -> Decision {
    ask(cx, check, |policies, request| policies.decide(request)).unwrap_or(Decision::ImplicitDeny)
}

/// Puts the question together; `None` if the action or the resource cannot be one, or if the resource is out of reach.
fn ask<T>(cx: &Cx, check: &Check, answer: impl FnOnce(&Policies<'_>, &Request<'_>) -> T) -> Option<T> {
    if check.is_unclear {
        return None;
    }
    let action = Action::new(check.action).ok()?;
    let resource =
        if check.resource == "*" { Resource::NONE } else { Resource::arn(&check.resource).ok()? };
    let places = Places::of(cx, check)?;
    // Nobody reaches what is in an account that was closed, whoever its policies let in.
    if places.of_resource.as_deref().is_some_and(|place| place.closed) {
        return None;
    }
    let mut context = Context::with_capacity(28 + check.keys.len());
    describe(cx, check, &places, &mut context);
    let mut request = Request::new(cx.caller().principal(), &action, resource, &context);
    // What was delegated bounds whatever else would let the caller in, the policies of resources too.
    if let Some(ceiling) = cx.caller().ceiling() {
        let delegated = Policies::of(ceiling);
        if !delegated.allows(&request) {
            return Some(answer(&delegated, &request));
        }
    }
    let owner = check.owner.as_ref().or(check.account.as_ref());
    if let Some(account) = owner.and_then(|a| a.as_str().parse().ok()) {
        request = request.in_account(account);
    }
    let guard = match &check.guard {
        Guard::None => ResourcePolicy::None,
        Guard::Grants(set) => ResourcePolicy::Grants(set),
        Guard::Trust(set) => ResourcePolicy::Trust(set),
        Guard::Required(set) => ResourcePolicy::Required(Some(set)),
    };
    Some(answer(&places.limit(Policies::of(cx.caller().policies()).resource(guard)), &request))
}

/// Where the two accounts of a question stand in their organizations.
struct Places {
    of_principal: Option<Arc<Standing>>,
    of_resource: Option<Arc<Standing>>,
}

impl Places {
    fn of(cx: &Cx, check: &Check) -> Option<Self> {
        // Whom a provider vouches for is of no account, and so of no organization.
        let own = cx.caller().principal().account().and_then(|account| account.as_str().parse().ok());
        let other = check.account.clone().or_else(|| own.clone());
        Self::between(cx, own.as_ref(), other.as_ref())
    }

    /// `None` if it cannot be found out.
    fn between(cx: &Cx, principal: Option<&AccountId>, resource: Option<&AccountId>) -> Option<Self> {
        let find = |account: Option<&AccountId>| {
            account.map_or(Ok(None), |account| cx.state.organizations.standing(account))
        };
        let of_principal = find(principal);
        let of_resource = if principal == resource { None } else { Some(find(resource)) };
        match (of_principal, of_resource) {
            (Ok(own), None) => Some(Self { of_resource: own.clone(), of_principal: own }),
            (Ok(own), Some(Ok(other))) => Some(Self { of_principal: own, of_resource: other }),
            (Err(error), _) | (_, Some(Err(error))) => {
                tracing::error!(%error, "where an account stands in its organization could not be read");
                None
            }
        }
    }

    /// The policies, with those of the organizations.
    fn limit<'a>(&'a self, mut policies: Policies<'a>) -> Policies<'a> {
        policies.service_control = self.of_principal.as_deref().and_then(Standing::service_control);
        policies.resource_control = self.of_resource.as_deref().and_then(Standing::resource_control);
        policies
    }

    fn describe<'a>(&'a self, context: &mut Context<'a>) {
        if let Some(own) = self.of_principal.as_deref() {
            context.set(keys::PRINCIPAL_ORG_ID, own.organization.id.as_str());
            context.set_list(keys::PRINCIPAL_ORG_PATHS, [own.path.as_str()]);
        }
        if let Some(other) = self.of_resource.as_deref() {
            context.set(keys::RESOURCE_ORG_ID, other.organization.id.as_str());
            context.set_list(keys::RESOURCE_ORG_PATHS, [other.path.as_str()]);
        }
    }

    /// Whether both are in one organization.
    fn are_together(&self) -> bool {
        let id = |place: &Option<Arc<Standing>>| place.as_ref().map(|place| place.organization.id.clone());
        self.of_principal.is_some() && id(&self.of_principal) == id(&self.of_resource)
    }
}

/// The condition keys of a request: who asks, from where, when, and what the operation says of its resource.
fn describe<'a>(cx: &'a Cx, check: &'a Check, places: &'a Places, context: &mut Context<'a>) {
    cx.caller().describe(cx.now, context);
    places.describe(context);
    context.set(keys::CURRENT_TIME, time(cx.now));
    context.set(keys::EPOCH_TIME, cx.now.seconds());
    // What a service does by itself comes from no address that a policy could know.
    context.set(keys::SECURE_TRANSPORT, cx.peer.tls.is_some() || cx.service.is_some());
    if cx.service.is_none() {
        context.set(keys::SOURCE_IP, cx.peer.address);
    }
    // An instance's link leads here as an endpoint in its VPC would (IAM user guide, "Properties of the network").
    if let Some(instance) = &cx.peer.instance {
        context.set(keys::SOURCE_VPC, instance.vpc_id.as_str());
    }
    context.set(keys::USER_AGENT, cx.user_agent.as_str());
    context.set(keys::VIA_AWS_SERVICE, false);
    let region = if cx.operation.service.global { "us-east-1" } else { cx.region() };
    context.set(keys::REQUESTED_REGION, region);
    if let Some(referer) = &cx.referer {
        context.set(keys::REFERER, referer.as_str());
    }
    let account = check.account.as_ref().map(AccountId::as_str);
    let account = account.or_else(|| cx.caller().principal().account().map(|a| a.as_str()));
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
    let service = cx.operation.service;
    let answer = |policies: &Policies<'_>, request: &Request<'_>| {
        let explanation = policies.explain(request);
        let message = documented(&explanation, request);
        (explanation, message)
    };
    let Some((explanation, message)) = ask(cx, check, answer) else {
        cx.trail().explanation = unasked(cx, check);
        tracing::warn!(action = check.action, resource = check.resource, "a question could not be asked");
        return Fault::coded("AccessDenied", 403, "Access Denied").into();
    };
    let json = explanation.to_json();
    let abroad = check
        .account
        .as_ref()
        .is_some_and(|a| Some(a.as_str()) != cx.caller().principal().account().map(|p| p.as_str()));
    let together = || Places::of(cx, check).is_some_and(|places| places.are_together());
    let audience = if abroad && !together() { Audience::Outside } else { Audience::Organization };
    let sentence = match cx.caller().kind() {
        // Whom only a provider vouches for learns no more than that.
        CallerKind::Vouched(_) => format!("Not authorized to perform {}", check.action),
        _ => explanation.message(audience, service.protocol == Protocol::RestXml),
    };
    cx.trail().explanation = Some(json);
    match service.protocol {
        Protocol::Ec2 => {
            let words = format!("You are not authorized to perform this operation. {sentence}");
            let words = if crate::audit::is_read_only(cx.operation.name) {
                words
            } else {
                let sealed = cx.state.ring.seal(
                    Purpose::Message,
                    cx.account().as_str().as_bytes(),
                    message.to_string().as_bytes(),
                );
                format!("{words}. Encoded authorization failure message: {}", sealed.unwrap_or_default())
            };
            Fault::coded("UnauthorizedOperation", 403, words).into()
        }
        Protocol::RestXml if matches!(cx.caller().kind(), CallerKind::Anonymous) => {
            Fault::coded("AccessDenied", 403, "Access Denied").into()
        }
        Protocol::Query | Protocol::RestXml => Fault::coded("AccessDenied", 403, sentence).into(),
        Protocol::Json => Fault::coded("AccessDeniedException", 400, sentence).into(),
        Protocol::RestJson => Fault::coded("AccessDeniedException", 403, sentence).into(),
    }
}

/// The explanation of a question that was not asked, as the account of its resource is closed or as it can be read in too many
/// ways: for the record, in the form of those that policies give.
fn unasked(cx: &Cx, check: &Check) -> Option<String> {
    let reason = if check.is_unclear {
        "the request has more condition keys, or more spellings of them, than are asked about"
    } else {
        Places::of(cx, check)?.of_resource.filter(|place| place.closed)?;
        "the account of the resource is closed"
    };
    let explanation = json!({
        "decision": "implicitDeny",
        "reason": reason,
        "principal": cx.caller().arn(),
        "action": check.action,
        "resource": check.resource,
        "layers": [],
    });
    Some(explanation.to_string())
}

/// What `sts:DecodeAuthorizationMessage` tells of a refusal (STS API reference, DecodeAuthorizationMessage).
fn documented(explanation: &Explanation, request: &Request<'_>) -> Json {
    let conditions: Vec<Json> = request
        .context
        .iter()
        .map(|(key, values)| {
            let values: Vec<Json> = values.iter().map(|v| json!({ "value": v.to_string() })).collect();
            json!({ "key": key.as_str(), "values": { "items": values } })
        })
        .collect();
    let matched: Vec<Json> = explanation
        .layers
        .iter()
        .flat_map(|layer| &layer.deciders)
        .map(|decider| {
            json!({
                "statementId": decider.statement.sid.as_deref().unwrap_or(""),
                "effect": if explanation.decision == Decision::ExplicitDeny { "DENY" } else { "ALLOW" },
                "sourcePolicyId": decider.statement.policy.to_string(),
            })
        })
        .collect();
    json!({
        "allowed": false,
        "explicitDeny": explanation.decision == Decision::ExplicitDeny,
        "matchedStatements": { "items": matched },
        "failures": { "items": [] },
        "context": {
            "principal": { "id": request.principal.user_id(), "arn": request.principal.arn() },
            "action": request.action.as_str(),
            "resource": request.resource.as_str(),
            "conditions": { "items": conditions },
        },
    })
}

#[cfg(test)]
mod tests {
    use daypass_model::sts::{GetCallerIdentityRequest, GetCallerIdentityResponse, ops};
    use daypass_store::{StoreError, Tx};
    use serde_json::{Value, json};

    use super::*;
    use crate::operation;
    use crate::testing::TestServer;

    operation!(ASK, ops::GetCallerIdentity, checks, run);

    /// One question, or as many as the caller's name ends in.
    fn checks(cx: &Cx, _: &Tx<'_>, _: &GetCallerIdentityRequest) -> Result<Checks, StoreError> {
        let count = cx.caller().username().rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(1);
        let object = |number: usize| Check::new("s3:GetObject", format!("arn:aws:s3:::b/{number}"));
        Ok(Checks::authenticated_only("the questions follow").and_all((0..count).map(object)))
    }

    fn run(_: &Cx, _: &mut Tx<'_>, _: GetCallerIdentityRequest) -> Result<GetCallerIdentityResponse, Error> {
        Ok(GetCallerIdentityResponse::default())
    }

    const ALLOW: &str = "{\"Version\":\"2012-10-17\",\n\"Statement\":{\"Sid\":\"Read\",\"Effect\":\"Allow\",\
                         \"Action\":\"s3:Get*\",\"Resource\":\"*\"}}";

    async fn explained(server: &TestServer, name: &str, policies: &[(&str, &str)]) -> Option<Value> {
        server.user(name, policies).await.query("sts", "GetCallerIdentity", &[]).await;
        let record = server.audit().into_iter().find(|record| record.username == name).unwrap();
        record.explanation.map(|told| serde_json::from_str(&told).unwrap())
    }

    #[tokio::test]
    async fn the_record_of_an_allowance_names_the_statements_that_allowed() {
        let server = TestServer::new([&ASK]).await;
        let told = explained(&server, "one", &[("read", ALLOW)]).await.unwrap();
        assert_eq!(
            told,
            json!({
                "decision": "allowed",
                "reason": "an identity-based policy allows it, and every layer that must",
                "principal": "arn:aws:iam::123456789012:user/one",
                "action": "s3:GetObject",
                "resource": "arn:aws:s3:::b/0",
                "layers": [{
                    "layer": "identity",
                    "verdict": "allows",
                    "statements": [{
                        "policy": "inline policy read of user one",
                        "sid": "Read",
                        "statement": 1,
                        "line": 2,
                        "column": 13,
                    }],
                }],
            })
        );
        assert_eq!(explained(&server, "none-0", &[]).await, None);
        let denied = explained(&server, "denied-2", &[]).await.unwrap();
        assert_eq!(denied["decision"], "implicitDeny");
    }

    #[tokio::test]
    async fn of_many_questions_the_first_are_told_and_the_others_counted() {
        let server = TestServer::new([&ASK]).await;
        for (name, told, omitted) in [("few-3", 3, 0), ("many-20", MAX_TOLD, 4)] {
            let explained = explained(&server, name, &[("read", ALLOW)]).await.unwrap();
            assert_eq!(explained["decision"], "allowed");
            assert_eq!(explained["checks"].as_array().unwrap().len(), told);
            assert_eq!(explained["omitted"], omitted);
        }
    }
}
