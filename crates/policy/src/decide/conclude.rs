//! From what each layer says to the decision (`reference_policies_evaluation-logic_policy-eval-denyallow`, and the page
//! on cross-account requests).

use super::{Applies, Decision, Exception, Findings, Policies, Request, ResourcePolicy};
use crate::compile::principal_layer::{BOUNDARY, IDENTITY, SESSION};
use crate::principal::PrincipalKind;

/// A decision and what it hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) decision: Decision,
    pub(crate) cause: Cause,
}

/// What an implicit decision hangs on: the layer that should have allowed, or the rule that let the request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The policies of the principal allow it, with the resource's where those are needed.
    Identity,
    /// The resource's policy grants it by itself, or had to.
    Resource,
    /// The same, of a role.
    Trust,
    Boundary,
    Session,
    ServiceControl,
    ResourceControl,
    Endpoint,
    Exception(Exception),
}

/// Concludes where nothing denies.
pub(crate) fn conclude(
    policies: &Policies<'_>,
    request: &Request<'_>,
    applies: &Applies,
    exception: Option<Exception>,
    findings: &Findings,
) -> Conclusion {
    let denied = |cause| Conclusion { decision: Decision::ImplicitDeny, cause };
    if let Some(exception) = exception {
        let decision =
            if exception == Exception::AlwaysAllowed { Decision::Allowed } else { Decision::ImplicitDeny };
        return Conclusion { decision, cause: Cause::Exception(exception) };
    }
    let level_counts =
        [policies.resource_control, policies.service_control].map(|g| g.map_or(0, |g| g.count()));
    if findings.resource_control.is_some_and(|scan| !scan.allows_all(level_counts[0])) {
        return denied(Cause::ResourceControl);
    }
    if findings.service_control.is_some_and(|scan| !scan.allows_all(level_counts[1])) {
        return denied(Cause::ServiceControl);
    }
    if findings.endpoint.is_some_and(|scan| !scan.allows_all(1)) {
        return denied(Cause::Endpoint);
    }
    let own = Own::of(policies, request, applies, findings);
    let granted = if !request.principal.is_of_account() {
        // A service, an identity provider, nobody in particular: only the resource's policy can name them.
        let cause = of_resource(policies);
        if findings.resource.allowed != 0 { Ok(cause) } else { Err(cause) }
    } else if request.is_same_account() {
        same_account(policies, findings, &own)
    } else {
        other_account(policies, findings, &own)
    };
    match granted {
        Ok(cause) => Conclusion { decision: Decision::Allowed, cause },
        Err(cause) => denied(cause),
    }
}

fn of_resource(policies: &Policies<'_>) -> Cause {
    if matches!(policies.resource, ResourcePolicy::Trust(_)) { Cause::Trust } else { Cause::Resource }
}

/// What the principal's own policies say.
struct Own {
    /// Whether the identity-based policies allow, or need not be asked.
    identity: bool,
    /// What boundary or session policy lacks, where one of them is there and does not allow.
    limit: Result<(), Cause>,
}

impl Own {
    fn of(policies: &Policies<'_>, request: &Request<'_>, applies: &Applies, findings: &Findings) -> Self {
        // The root user has every permission of its account; what a session of it must not do, its task's policy denies
        // (`id_root-user-privileged-task`), and that was asked before.
        if applies.principal.is_err() || request.principal.kind == PrincipalKind::Root {
            return Self { identity: true, limit: Ok(()) };
        }
        let (attached, scan) = (policies.principal, &findings.principal);
        // A federated user without session policies has nothing of the one who made it; only policies of resources that
        // name it, or that one, grant it anything (`access_policies`, session policies).
        let is_federated = matches!(request.principal.kind, PrincipalKind::FederatedUser { .. });
        let limit = if attached.has_boundary && !scan.allows(BOUNDARY) {
            Err(Cause::Boundary)
        } else if attached.has_session_policies && !scan.allows(SESSION) {
            Err(Cause::Session)
        } else {
            Ok(())
        };
        let has_identity = attached.has_session_policies || !is_federated;
        Self { identity: has_identity && scan.allows(IDENTITY), limit }
    }
}

/// Within one account, what the resource's policy grants the principal itself is final; what it grants the role of a
/// session, or the user who made a federated user, is still limited by boundary and session policy. Where the resource
/// needs its policy, an account that is named there may give to its own what it likes.
fn same_account(policies: &Policies<'_>, findings: &Findings, own: &Own) -> Result<Cause, Cause> {
    let resource = &findings.resource;
    if resource.direct {
        return Ok(of_resource(policies));
    }
    if resource.behind {
        return own.limit.map(|()| of_resource(policies));
    }
    if policies.resource.is_required() && !resource.account {
        return Err(of_resource(policies));
    }
    if own.identity { own.limit.map(|()| Cause::Identity) } else { Err(Cause::Identity) }
}

/// Across accounts both sides must allow, and nothing is bypassed.
fn other_account(policies: &Policies<'_>, findings: &Findings, own: &Own) -> Result<Cause, Cause> {
    if !own.identity {
        return Err(Cause::Identity);
    }
    own.limit?;
    if findings.resource.allowed != 0 { Ok(Cause::Identity) } else { Err(of_resource(policies)) }
}
