//! What no policy decides.

use super::Request;
use crate::context::{Found, keys};
use crate::principal::PrincipalKind;

/// A rule of AWS's that stands above the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exception {
    /// `sts:GetCallerIdentity` needs no permission, and nothing can deny it (its API reference).
    AlwaysAllowed,
    /// A managed policy, role or key alias of AWS's own, which customers only look at.
    OwnedByAws,
    /// Credentials from GetSessionToken or GetFederationToken, which some calls do not take.
    TemporaryCredentials,
}

impl Exception {
    pub(crate) fn of(request: &Request<'_>) -> Option<Self> {
        let (service, name) = (request.action.service(), request.action.name());
        if (service, name) == ("sts", "getcalleridentity") && request.principal.is_of_account() {
            Some(Self::AlwaysAllowed)
        } else if is_owned_by_aws(request, service, name) {
            Some(Self::OwnedByAws)
        } else if is_closed_to_temporary(request, service, name) {
            Some(Self::TemporaryCredentials)
        } else {
            None
        }
    }
}

/// What may be asked of a managed policy of AWS's.
const MANAGED_POLICY_READS: [&str; 6] = [
    "generateservicelastaccesseddetails",
    "getpolicy",
    "getpolicyversion",
    "listentitiesforpolicy",
    "listpolicytags",
    "listpolicyversions",
];

/// What may be asked of a role that AWS reserves for itself.
const RESERVED_ROLE_READS: [&str; 11] = [
    "generateservicelastaccesseddetails",
    "getcontextkeysforprincipalpolicy",
    "getrole",
    "getrolepolicy",
    "getservicelinkedroledeletionstatus",
    "listattachedrolepolicies",
    "listinstanceprofilesforrole",
    "listpoliciesgrantingserviceaccess",
    "listrolepolicies",
    "listroletags",
    "simulateprincipalpolicy",
];

fn is_owned_by_aws(request: &Request<'_>, service: &str, name: &str) -> bool {
    let Some(parts) = request.resource.parts() else { return false };
    match (service, parts.service()) {
        ("iam", "iam") if parts.account() == "aws" && parts.resource.starts_with("policy/") => {
            !MANAGED_POLICY_READS.contains(&name)
        }
        ("iam", "iam") if parts.resource.starts_with("role/aws-reserved/") => {
            !RESERVED_ROLE_READS.contains(&name)
        }
        ("kms", "kms") if parts.resource.starts_with("alias/aws/") => {
            matches!(name, "createalias" | "deletealias" | "updatealias")
        }
        _ => false,
    }
}

/// `id_credentials_temp_request`, comparison of the STS operations: the last column.
fn is_closed_to_temporary(request: &Request<'_>, service: &str, name: &str) -> bool {
    let with_mfa = || match request.context.find(&keys::MULTI_FACTOR_AUTH_PRESENT) {
        Found::Single(value) => value.boolean() == Some(true),
        _ => false,
    };
    match (&request.principal.kind, service) {
        (PrincipalKind::FederatedUser { .. }, "iam" | "sts") => true,
        _ if !request.principal.session_token => false,
        (_, "iam") => !with_mfa(),
        (_, "sts") => name != "assumerole",
        _ => false,
    }
}
