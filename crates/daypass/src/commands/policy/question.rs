//! A request and the policies that decide it, as people write them down: by arguments, or as a line of a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use daypass_core::policy::{
    AccountId, Action, Context, Document, DocumentKind, Explanation, Guardrails, Policies, Policy, PolicySet,
    PolicySource, Principal, PrincipalPolicies, Request, Resource, ResourcePolicy,
};
use serde::Deserialize;
use serde_json::Value;

/// A question. What a table says beside this is for its readers.
#[derive(Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    /// `allowed`, `implicit_deny` or `explicit_deny`.
    #[serde(default)]
    pub(super) expected: String,
    /// The guide does not settle the case: it is decided and not judged.
    #[serde(default)]
    pub(super) guide_silent: Value,
    pub(super) principal: String,
    pub(super) action: String,
    pub(super) resource: String,
    #[serde(default)]
    pub(super) resource_account: Option<String>,
    #[serde(default)]
    pub(super) wildcard_only_action: bool,
    #[serde(default)]
    pub(super) context: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) identity_policies: Vec<Value>,
    #[serde(default)]
    pub(super) session_policies: Vec<Value>,
    #[serde(default)]
    pub(super) vpce_policies: Vec<Value>,
    #[serde(default)]
    pub(super) resource_policy: Value,
    #[serde(default)]
    pub(super) boundary: Value,
    #[serde(default)]
    pub(super) scps: Vec<Level>,
    #[serde(default)]
    pub(super) rcps: Vec<Level>,
}

/// The control policies at one level of an organization's tree.
#[derive(Clone, Deserialize)]
pub(super) struct Level {
    pub(super) org: String,
    pub(super) policies: Vec<Value>,
}

impl Question {
    /// The answer, with its reasons.
    ///
    /// # Errors
    /// If the principal, the action, the resource or the context is not one.
    pub(super) fn explain(&self) -> Result<Explanation> {
        let principal = principal(&self.principal)?;
        let action = Action::new(&self.action).with_context(|| format!("`{}` is no action", self.action))?;
        let resource = match self.resource.as_str() {
            "*" => Resource::NONE,
            _ if self.wildcard_only_action => Resource::NONE,
            arn => Resource::arn(arn).with_context(|| format!("`{arn}` is no ARN"))?,
        };
        let mut attached = PrincipalPolicies::builder()
            .identity(loaded(DocumentKind::Inline, "identity policy", &self.identity_policies))
            .session(loaded(DocumentKind::Session, "session policy", &self.session_policies));
        if !self.boundary.is_null() {
            attached = attached.boundary(load(DocumentKind::Inline, "permissions boundary", &self.boundary));
        }
        let attached = attached.build();
        let scps = guardrails(DocumentKind::ServiceControl, "service control policy", &self.scps)?;
        let rcps = guardrails(DocumentKind::ResourceControl, "resource control policy", &self.rcps)?;
        let endpoint =
            PolicySet::new(loaded(DocumentKind::VpcEndpoint, "VPC endpoint policy", &self.vpce_policies));
        let own = (!self.resource_policy.is_null())
            .then(|| PolicySet::from(load(DocumentKind::Resource, "resource policy", &self.resource_policy)));
        let mut policies = Policies::of(&attached).resource(match &own {
            own if self.needs_a_resource_policy() => ResourcePolicy::Required(own.as_ref()),
            Some(own) => ResourcePolicy::Grants(own),
            None => ResourcePolicy::None,
        });
        policies.service_control = scps.as_ref();
        policies.resource_control = rcps.as_ref();
        policies.endpoint = (!self.vpce_policies.is_empty()).then_some(&endpoint);
        let mut context = Context::new();
        for (key, value) in &self.context {
            set(&mut context, key, value)?;
        }
        let mut request = Request::new(&principal, &action, resource, &context);
        if let Some(account) = &self.resource_account {
            let account: AccountId =
                account.parse().map_err(|_| anyhow::anyhow!("`{account}` is no account id"))?;
            request = request.in_account(account);
        }
        Ok(policies.explain(&request))
    }

    /// Trust policies of roles and policies of KMS keys decide even where nothing is attached (IAM user guide,
    /// "Policy evaluation logic").
    fn needs_a_resource_policy(&self) -> bool {
        let is = |prefix: &str, part: &str| self.action.starts_with(prefix) && self.resource.contains(part);
        is("sts:AssumeRole", ":role/") || is("kms:", ":key/")
    }
}

fn loaded(kind: DocumentKind, what: &str, documents: &[Value]) -> Vec<Arc<Policy>> {
    let named = |(index, document): (usize, &Value)| load(kind, &format!("{what} {}", index + 1), document);
    documents.iter().enumerate().map(named).collect()
}

/// A document that does not read denies what it may be meant to deny.
fn load(kind: DocumentKind, name: &str, document: &Value) -> Arc<Policy> {
    let text = match document {
        // From a file: places in it are those of the file.
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    Policy::compile(PolicySource::named(name), Document::load(kind, &text))
}

fn guardrails(kind: DocumentKind, what: &str, levels: &[Level]) -> Result<Option<Guardrails>> {
    if levels.is_empty() {
        return Ok(None);
    }
    let levels = levels.iter().map(|level| (level.org.clone(), loaded(kind, what, &level.policies)));
    Guardrails::new(levels).map(Some).map_err(|error| anyhow::anyhow!("{error}"))
}

fn set<'a>(context: &mut Context<'a>, key: &'a str, value: &'a Value) -> Result<()> {
    match value {
        Value::String(text) => context.set(key, text.as_str()),
        Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            context.set_list(key, texts.with_context(|| format!("the values of `{key}` are not all text"))?);
        }
        Value::Bool(_) | Value::Number(_) => context.set(key, value.to_string()),
        _ => bail!("the value of `{key}` is neither text nor a list of texts"),
    }
    Ok(())
}

/// A principal by its ARN or name. Unique ids, which only a server knows, are made up.
fn principal(text: &str) -> Result<Principal> {
    let wrong = || {
        format!(
            "`{text}` is no principal: give the ARN of a user or of a role's session, a service or `anonymous`"
        )
    };
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let account = parts.get(4).copied().unwrap_or_default();
    let resource = parts.get(5).copied().unwrap_or(text);
    let iam = |rest: &str| format!("arn:aws:iam::{account}:{rest}").parse();
    let path: Vec<&str> = resource.split('/').collect();
    let made = match path.as_slice() {
        ["anonymous"] => Some(Principal::anonymous()),
        ["root"] => account.parse().ok().map(Principal::root),
        ["user", ..] => iam(resource).ok().and_then(|arn| Principal::user(&arn, "AIDAEXAMPLEEXAMPLE").ok()),
        ["role", ..] => iam(resource)
            .ok()
            .and_then(|arn| Principal::role_session(&arn, "AROAEXAMPLEEXAMPLE", "session").ok()),
        ["assumed-role", role, session] => iam(&format!("role/{role}"))
            .ok()
            .and_then(|arn| Principal::role_session(&arn, "AROAEXAMPLEEXAMPLE", session).ok()),
        ["federated-user", name] => iam(&format!("user/{name}"))
            .ok()
            .and_then(|arn| Principal::user(&arn, "AIDAEXAMPLEEXAMPLE").ok())
            .and_then(|user| Principal::federated_user(&user, name).ok()),
        ["oidc-provider" | "saml-provider", ..] => Some(Principal::identity_provider(text)),
        [service] if service.ends_with(".amazonaws.com") => Some(Principal::service(service)),
        _ => None,
    };
    made.with_context(wrong)
}
