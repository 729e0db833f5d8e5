//! Policies, a caller and a context, ready to be asked about actions and resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_core::model::AccountId;
use daypass_core::model::iam::{
    EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType as Outcome, ResourceSpecificResult, Statement,
};
use daypass_core::organizations::Standing;
use daypass_core::policy::{
    AccountId as PolicyAccount, Action, Arn, Context, Decision, Explanation, LayerKind, LayerReport,
    Policies, Policy, PolicySet, PolicySource, Principal, PrincipalPolicies, Request, Resource,
    ResourcePolicy, Verdict, keys,
};
use daypass_core::{Error, Fault};

use crate::fault::invalid_input;
use crate::policy_source::unclear;
use crate::simulated_policy::{Keys, SimulatedPolicy};

/// `aws:userid` of a caller that is not named (observed on AWS).
const NOBODY: &str = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR";

/// Who is simulated to call.
pub(crate) struct Caller {
    principal: Principal,
    pub(crate) is_user: bool,
}

impl Caller {
    /// The user that a request names, else the one whose policies are simulated, else nobody in particular of the account.
    ///
    /// # Errors
    /// If the request names what is no user.
    pub(crate) fn new(
        account: &AccountId,
        named: Option<&str>,
        source: Option<(String, String)>,
    ) -> Result<Self, Fault> {
        let invalid = || invalid_input("Invalid caller - Caller must be an IAM user in this context.");
        let user = |arn: &str, id: &str| {
            let arn: Arn = arn.parse().map_err(|_| invalid())?;
            Principal::user(&arn, id).map_err(|_| invalid())
        };
        let (principal, is_user) = match (named, source) {
            (Some(arn), Some((own, id))) if arn == own => (user(arn, &id)?, true),
            // Of any other user the simulator knows nothing but the ARN, which is its id then (observed on AWS).
            (Some(arn), _) => (user(arn, arn)?, true),
            (None, Some((arn, id))) => (user(&arn, &id)?, true),
            (None, None) => (user(&format!("arn:aws:iam::{account}:user/{NOBODY}"), NOBODY)?, false),
        };
        Ok(Self { principal, is_user })
    }

    /// Whether it is of that account.
    pub(crate) fn is_of(&self, account: &AccountId) -> bool {
        self.principal.account().is_some_and(|own| own.as_str() == account.as_str())
    }

    /// The keys that follow from who calls.
    pub(crate) fn context(&self) -> Context<'_> {
        let mut context = Context::new();
        if self.is_user {
            self.principal.describe(&mut context);
        } else {
            context.set(keys::USER_ID, NOBODY);
            if let Some(account) = self.principal.account() {
                context.set(keys::PRINCIPAL_ACCOUNT, account.as_str());
            }
        }
        context
    }
}

/// The policies of a simulation, by what they are for.
pub(crate) struct Simulated {
    pub(crate) identity: Vec<SimulatedPolicy>,
    pub(crate) boundary: Option<SimulatedPolicy>,
    pub(crate) of_resource: Option<SimulatedPolicy>,
    /// Where the caller's account stands in its organization.
    pub(crate) standing: Option<Arc<Standing>>,
}

/// A simulation, for any action.
pub(crate) struct Simulation<'a> {
    caller: &'a Caller,
    /// By the number that the engine knows them by.
    policies: Vec<SimulatedPolicy>,
    attached: PrincipalPolicies,
    resource_policy: Option<PolicySet>,
    standing: Option<Arc<Standing>>,
    owner: Option<PolicyAccount>,
    resources: Vec<Asked<'a>>,
    context: Context<'a>,
    missing: Vec<String>,
}

/// A resource that is asked about.
struct Asked<'a> {
    name: &'a str,
    resource: Resource<'a>,
}

/// What came of an action on a resource.
struct Answer {
    decision: Decision,
    matched: Vec<Statement>,
    missing: Vec<String>,
    boundary: Option<PermissionsBoundaryDecisionDetail>,
    /// Whether the service control policies of the organization allow it; of an account in none, nothing.
    by_organization: Option<bool>,
    details: Option<BTreeMap<String, Outcome>>,
}

impl Answer {
    /// A denial by the organization: with it the simulation ends, and tells nothing else (IAM API reference,
    /// EvaluationResult).
    fn of_organization(explanation: &Explanation) -> Self {
        let denied = of_levels(explanation) == Some(Outcome::ExplicitDeny);
        Self {
            decision: if denied { Decision::ExplicitDeny } else { Decision::ImplicitDeny },
            matched: vec![],
            missing: vec![],
            boundary: None,
            by_organization: Some(false),
            details: None,
        }
    }
}

impl<'a> Simulation<'a> {
    /// Puts a simulation together.
    ///
    /// # Errors
    /// If a resource is no ARN, the owner is no ARN of an account, or the policy of a resource goes with none.
    pub(crate) fn new(
        caller: &'a Caller,
        simulated: Simulated,
        owner: Option<&str>,
        resources: &'a [String],
        context: Context<'a>,
    ) -> Result<Self, Fault> {
        let Simulated { identity, boundary, of_resource, standing } = simulated;
        let has_policy = of_resource.is_some();
        let resources = asked(resources, has_policy)?;
        let owner = owner.map(account_of).transpose()?;
        let identity_count = identity.len();
        let has_boundary = boundary.is_some();
        let policies: Vec<SimulatedPolicy> =
            identity.into_iter().chain(boundary).chain(of_resource).collect();
        let compile = |(number, policy): (usize, &SimulatedPolicy)| {
            Policy::compile(PolicySource::named(number.to_string()), policy.document.clone())
        };
        let mut compiled = policies.iter().enumerate().map(compile);
        let identity: Vec<Arc<Policy>> = compiled.by_ref().take(identity_count).collect();
        let mut attached = PrincipalPolicies::builder().identity(identity);
        if has_boundary && let Some(boundary) = compiled.next() {
            attached = attached.boundary(boundary);
        }
        let resource_policy = compiled.next().map(PolicySet::from);
        let mut keys = Keys::default();
        policies.iter().for_each(|policy| policy.collect_keys(&mut keys));
        let mut missing = keys.into_vec();
        missing.retain(|key| !context.contains(key.as_str()));
        Ok(Self {
            caller,
            policies,
            attached: attached.build(),
            resource_policy,
            standing,
            owner,
            resources,
            context,
            missing,
        })
    }

    /// The result for an action: that of its resources together, and of each.
    pub(crate) fn of_action(&self, name: &str) -> Result<EvaluationResult, Error> {
        let action = Action::new(name).map_err(|error| Error::Internal(Box::new(error)))?;
        let ask = |asked: &Asked<'a>| (asked.name, self.ask(&action, asked));
        let answers: Vec<(&str, Answer)> = self.resources.iter().map(ask).collect();
        let worst = answers.iter().map(|(_, answer)| answer.decision).max_by_key(|d| severity(*d));
        let decision = worst.unwrap_or(Decision::ImplicitDeny);
        let (mut matched, mut missing, mut details) = (vec![], vec![], BTreeMap::new());
        for (_, answer) in &answers {
            if answer.decision == decision && decision != Decision::ImplicitDeny {
                let new = answer.matched.iter().filter(|statement| !matched.contains(*statement)).cloned();
                let new: Vec<Statement> = new.collect();
                matched.extend(new);
            }
            if !answer.missing.is_empty() {
                missing.clone_from(&answer.missing);
            }
            for (kind, outcome) in answer.details.iter().flatten() {
                let known = details.entry(kind.clone()).or_insert(*outcome);
                if rank(*outcome) > rank(*known) {
                    *known = *outcome;
                }
            }
        }
        let allowed = answers.iter().filter_map(|(_, answer)| answer.boundary.as_ref());
        let allowed = allowed.map(|detail| detail.allowed_by_permissions_boundary == Some(true));
        let boundary = allowed.reduce(|all, one| all && one).map(bounded);
        let by_organization = answers.iter().filter_map(|(_, answer)| answer.by_organization);
        let by_organization = by_organization.reduce(|all, one| all && one);
        let named = self.resources.iter().any(|asked| asked.name != "*");
        Ok(EvaluationResult {
            eval_action_name: name.to_owned(),
            eval_resource_name: Some(match answers.as_slice() {
                [(only, _)] => (*only).to_owned(),
                _ => "*".to_owned(),
            }),
            eval_decision: outcome(decision),
            matched_statements: Some(matched),
            missing_context_values: Some(missing),
            organizations_decision_detail: by_organization
                .map(|allowed| OrganizationsDecisionDetail { allowed_by_organizations: Some(allowed) }),
            permissions_boundary_decision_detail: boundary,
            eval_decision_details: (named && by_organization != Some(false)).then_some(details),
            resource_specific_results: named.then(|| answers.into_iter().map(specific).collect()),
        })
    }

    fn ask(&self, action: &Action<'_>, asked: &Asked<'a>) -> Answer {
        let mut policies = Policies::of(&self.attached);
        let mut request = Request::new(&self.caller.principal, action, asked.resource, &self.context);
        if let Some(set) = &self.resource_policy {
            policies = policies.resource(ResourcePolicy::Grants(set));
            // An ARN says whose it is; where it does not, the request may; and else it is the caller's own.
            let own = asked.name.split(':').nth(4).and_then(|account| account.parse().ok());
            if let Some(owner) = own.or(self.owner) {
                request = request.in_account(owner);
            }
        }
        let crosses = request.resource_account.as_ref() != self.caller.principal.account();
        if let Some(standing) = &self.standing {
            policies.service_control = standing.service_control();
        }
        let explanation = policies.explain(&request);
        let by_organization = self.by_organization(&explanation);
        if by_organization == Some(false) {
            return Answer::of_organization(&explanation);
        }
        let decision = explanation.decision;
        let denied = decision == Decision::ImplicitDeny;
        let boundary = verdict(&explanation, LayerKind::Boundary);
        Answer {
            decision,
            matched: if denied && !crosses { vec![] } else { self.matched(&explanation) },
            missing: if denied { self.missing.clone() } else { vec![] },
            boundary: boundary.map(|outcome| bounded(outcome == Outcome::Allowed)),
            by_organization,
            details: crosses.then(|| details(&explanation)),
        }
    }

    /// Whether the service control policies allow it, for an account in an organization; its management account is never
    /// limited, and no account where they are not enabled.
    fn by_organization(&self, explanation: &Explanation) -> Option<bool> {
        let standing = self.standing.as_ref()?;
        let asked = standing.service_control().and(of_levels(explanation));
        Some(asked.is_none_or(|outcome| outcome == Outcome::Allowed))
    }

    /// The statements that decided: those that deny, or else those that allow. A boundary allows nothing by itself.
    fn matched(&self, explanation: &Explanation) -> Vec<Statement> {
        let denied = explanation.decision == Decision::ExplicitDeny;
        let verdict = if denied { Verdict::Denies } else { Verdict::Allows };
        let layers = explanation.layers.iter().filter(|layer| layer.verdict == verdict);
        let layers = layers.filter(|layer| denied || layer.kind != LayerKind::Boundary);
        let deciders = layers.flat_map(|layer| layer.deciders.iter().map(|decider| (layer.kind, decider)));
        deciders
            .filter_map(|(kind, decider)| {
                let number: usize = decider.statement.policy.to_string().parse().ok()?;
                let policy = self.policies.get(number)?;
                let (start, end) = policy.place(decider.statement.number).unzip();
                Some(Statement {
                    source_policy_id: Some(policy.id.clone()),
                    source_policy_type: called(kind).map(str::to_owned),
                    start_position: start,
                    end_position: end,
                })
            })
            .collect()
    }
}

/// The resources of a request; without any, all.
fn asked(names: &[String], has_policy: bool) -> Result<Vec<Asked<'_>>, Fault> {
    let any = Asked { name: "*", resource: Resource::NONE };
    let invalid = |name: &str| invalid_input(format!("ResourceNames are not in a valid ARN format: {name}."));
    let is_any = names.is_empty() || names == ["*"];
    match names {
        _ if is_any && has_policy => Err(unclear("*")),
        _ if is_any => Ok(vec![any]),
        names => {
            let read = |name: &'_ String| Resource::arn(name).map(|_| ()).map_err(|_| invalid(name));
            names.iter().try_for_each(read)?;
            let arn = |name| Some(Asked { name, resource: Resource::arn(name).ok()? });
            Ok(names.iter().filter_map(|name| arn(name.as_str())).collect())
        }
    }
}

/// The account of `arn:aws:iam::123456789012:root`.
fn account_of(arn: &str) -> Result<PolicyAccount, Fault> {
    let account = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    account
        .and_then(|account| account.parse().ok())
        .ok_or_else(|| invalid_input(format!("'{arn}' is not a valid as a Resource Owner.")))
}

fn specific((name, answer): (&str, Answer)) -> ResourceSpecificResult {
    ResourceSpecificResult {
        eval_resource_name: name.to_owned(),
        eval_resource_decision: outcome(answer.decision),
        matched_statements: Some(answer.matched),
        missing_context_values: Some(answer.missing),
        eval_decision_details: answer.details,
        permissions_boundary_decision_detail: answer.boundary,
    }
}

fn bounded(allowed: bool) -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: Some(allowed) }
}

/// What the kinds of policy are called in answers (IAM API reference, examples of SimulatePrincipalPolicy).
fn called(kind: LayerKind) -> Option<&'static str> {
    match kind {
        LayerKind::Identity => Some("IAM Policy"),
        LayerKind::Resource => Some("Resource Policy"),
        LayerKind::Boundary => Some("Permissions Boundary Policy"),
        _ => None,
    }
}

/// What each kind of policy says.
fn details(explanation: &Explanation) -> BTreeMap<String, Outcome> {
    let kinds = explanation.layers.iter().map(|layer| layer.kind);
    let said = |kind| Some((called(kind)?.to_owned(), verdict(explanation, kind)?));
    kinds.filter_map(said).collect()
}

fn verdict(explanation: &Explanation, kind: LayerKind) -> Option<Outcome> {
    explanation.layers.iter().find(|layer| layer.kind == kind).and_then(said)
}

/// What the service control policies say of all levels together: each has to allow.
fn of_levels(explanation: &Explanation) -> Option<Outcome> {
    let levels = explanation.layers.iter().filter(|layer| layer.kind == LayerKind::ServiceControl);
    levels.filter_map(said).max_by_key(|outcome| rank(*outcome))
}

fn said(layer: &LayerReport) -> Option<Outcome> {
    Some(match layer.verdict {
        Verdict::Denies => Outcome::ExplicitDeny,
        Verdict::Allows => Outcome::Allowed,
        Verdict::Silent => Outcome::ImplicitDeny,
        Verdict::NotAsked(_) => return None,
    })
}

fn outcome(decision: Decision) -> Outcome {
    match decision {
        Decision::Allowed => Outcome::Allowed,
        Decision::ImplicitDeny => Outcome::ImplicitDeny,
        Decision::ExplicitDeny => Outcome::ExplicitDeny,
    }
}

fn severity(decision: Decision) -> u8 {
    rank(outcome(decision))
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Allowed => 0,
        Outcome::ImplicitDeny => 1,
        Outcome::ExplicitDeny => 2,
    }
}
