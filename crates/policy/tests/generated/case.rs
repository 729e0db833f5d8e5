//! A case: policies as JSON, and a request. Both evaluators read it, each in its own way.

use daypass_policy::{
    Action, Context, Decision, Document, DocumentKind, Guardrails, Policies, Policy, PolicySet, PolicySource,
    Principal, PrincipalPolicies, Request, Resource, ResourcePolicy,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) const OWN: &str = "111122223333";
pub(crate) const OTHER: &str = "444455556666";

#[derive(Clone, Debug)]
pub(crate) enum Who {
    Root,
    User,
    /// The session of `role/path/app`, or of a role that is linked to its service.
    Session {
        linked: bool,
    },
    FederatedByUser,
    FederatedByRoot,
    Service,
    Provider,
    Canonical,
    Anonymous,
}

impl Who {
    pub(crate) const ALL: [Who; 10] = [
        Who::Root,
        Who::User,
        Who::Session { linked: false },
        Who::Session { linked: true },
        Who::FederatedByUser,
        Who::FederatedByRoot,
        Who::Service,
        Who::Provider,
        Who::Canonical,
        Who::Anonymous,
    ];

    pub(crate) fn principal(&self) -> Principal {
        let arn = |rest: &str| format!("arn:aws:iam::{OWN}:{rest}").parse().unwrap();
        let user = || {
            Principal::user(&arn("user/alice"), "AIDAALICEALICEALICE").unwrap().with_canonical_user("c0ffee")
        };
        let root = || Principal::root(OWN.parse().unwrap()).with_canonical_user("c0ffee");
        match self {
            Who::Root => root(),
            Who::User => user(),
            Who::Session { linked: false } => {
                Principal::role_session(&arn("role/path/app"), "AROAAPPAPPAPPAPP", "i-1").unwrap()
            }
            Who::Session { linked: true } => Principal::role_session(
                &arn("role/aws-service-role/x.amazonaws.com/app"),
                "AROAAPPAPPAPPAPP",
                "i-1",
            )
            .unwrap(),
            Who::FederatedByUser => Principal::federated_user(&user(), "fed").unwrap(),
            Who::FederatedByRoot => Principal::federated_user(&root(), "fed").unwrap(),
            Who::Service => Principal::service("ec2.amazonaws.com"),
            Who::Provider => Principal::identity_provider("accounts.google.com"),
            Who::Canonical => Principal::canonical_user("c0ffee"),
            Who::Anonymous => Principal::anonymous(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum ContextValue {
    Single(String),
    List(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) enum OfResource {
    None,
    Grants(Value),
    Required(Option<Value>),
    Trust(Value),
}

impl OfResource {
    pub(crate) fn document(&self) -> Option<&Value> {
        match self {
            OfResource::None => None,
            OfResource::Grants(document) | OfResource::Trust(document) => Some(document),
            OfResource::Required(document) => document.as_ref(),
        }
    }

    pub(crate) fn kind(&self) -> DocumentKind {
        if matches!(self, OfResource::Trust(_)) { DocumentKind::Trust } else { DocumentKind::Resource }
    }
}

/// Every layer of policies.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Vec<Value>,
    pub(crate) resource: OfResource,
    pub(crate) scps: Option<Vec<Vec<Value>>>,
    pub(crate) rcps: Option<Vec<Vec<Value>>>,
    pub(crate) endpoint: Option<Vec<Value>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) who: Who,
    pub(crate) session_token: bool,
    pub(crate) action: String,
    /// `None` for an action without resources.
    pub(crate) resource: Option<String>,
    pub(crate) other_account: bool,
    pub(crate) context: BTreeMap<String, ContextValue>,
}

/// The world, compiled.
pub(crate) struct Compiled {
    attached: PrincipalPolicies,
    resource: Option<PolicySet>,
    scps: Option<Guardrails>,
    rcps: Option<Guardrails>,
    endpoint: Option<PolicySet>,
}

fn compile(kind: DocumentKind, document: &Value) -> Arc<Policy> {
    Policy::compile(PolicySource::named("generated"), Document::load(kind, &document.to_string()))
}

fn guardrails(kind: DocumentKind, levels: &Option<Vec<Vec<Value>>>) -> Option<Guardrails> {
    let levels = levels.as_ref()?.iter().enumerate();
    let compiled = levels.map(|(number, level)| {
        (level_name(number), level.iter().map(|d| compile(kind, d)).collect::<Vec<_>>())
    });
    Some(Guardrails::new(compiled).unwrap())
}

pub(crate) fn level_name(number: usize) -> String {
    format!("level {number}")
}

impl World {
    /// Every document of every layer.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Value> {
        let levels = [&self.scps, &self.rcps].into_iter().flatten().flatten().flatten();
        let endpoint = self.endpoint.iter().flatten();
        self.identity
            .iter()
            .chain(&self.boundary)
            .chain(&self.session)
            .chain(self.resource.document())
            .chain(levels)
            .chain(endpoint)
    }

    pub(crate) fn compile(&self) -> Compiled {
        let mut attached = PrincipalPolicies::builder()
            .identity(self.identity.iter().map(|d| compile(DocumentKind::Inline, d)))
            .session(self.session.iter().map(|d| compile(DocumentKind::Session, d)));
        if let Some(boundary) = &self.boundary {
            attached = attached.boundary(compile(DocumentKind::Managed, boundary));
        }
        let set = |kind, documents: &[Value]| PolicySet::new(documents.iter().map(|d| compile(kind, d)));
        Compiled {
            attached: attached.build(),
            resource: self.resource.document().map(|d| PolicySet::from(compile(self.resource.kind(), d))),
            scps: guardrails(DocumentKind::ServiceControl, &self.scps),
            rcps: guardrails(DocumentKind::ResourceControl, &self.rcps),
            endpoint: self.endpoint.as_ref().map(|d| set(DocumentKind::VpcEndpoint, d)),
        }
    }

    /// Asks the engine; the decision of `decide`, and the explanation, whose decision must be the same.
    pub(crate) fn ask<R>(
        &self,
        compiled: &Compiled,
        asked: &Asked,
        use_it: impl FnOnce(&Policies<'_>, &Request<'_>) -> R,
    ) -> R {
        let mut policies = Policies::of(&compiled.attached);
        policies.resource = match (&self.resource, &compiled.resource) {
            (OfResource::Required(_), own) => ResourcePolicy::Required(own.as_ref()),
            (OfResource::Trust(_), Some(own)) => ResourcePolicy::Trust(own),
            (_, Some(own)) => ResourcePolicy::Grants(own),
            (_, None) => ResourcePolicy::None,
        };
        policies.service_control = compiled.scps.as_ref();
        policies.resource_control = compiled.rcps.as_ref();
        policies.endpoint = compiled.endpoint.as_ref();
        let mut principal = asked.who.principal();
        if asked.session_token {
            principal = principal.with_session_token();
        }
        let mut context = Context::new();
        for (key, value) in &asked.context {
            match value {
                ContextValue::Single(text) => context.set(key.as_str(), text.as_str()),
                ContextValue::List(list) => context.set_list(key.as_str(), list.iter().map(String::as_str)),
            }
        }
        let action = Action::new(&asked.action).unwrap();
        let resource = asked.resource.as_ref().map_or(Resource::NONE, |arn| Resource::arn(arn).unwrap());
        let account = if asked.other_account { OTHER } else { OWN };
        let request =
            Request::new(&principal, &action, resource, &context).in_account(account.parse().unwrap());
        use_it(&policies, &request)
    }

    pub(crate) fn decide(&self, asked: &Asked) -> Decision {
        self.ask(&self.compile(), asked, |policies, request| policies.decide(request))
    }
}
