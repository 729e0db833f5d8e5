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
        if (service, name) == (b"sts", b"getcalleridentity") && request.principal.is_of_account() {
            Some(Self::AlwaysAllowed)
        } else if is_owned_by_aws(request, service, name) {
            Some(Self::OwnedByAws)
        } else if is_closed_to_temporary(request, service, name) {
            Some(Self::TemporaryCredentials)
        } else {
            None
        }
    }

    /// What to say of a request that the exception decides.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::AlwaysAllowed => "the action needs no permission",
            Self::OwnedByAws => "the resource is owned by AWS and cannot be changed",
            Self::TemporaryCredentials => "the action cannot be called with these temporary credentials",
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

fn is_one_of(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|own| own.as_bytes() == name)
}

fn is_owned_by_aws(request: &Request<'_>, service: &[u8], name: &[u8]) -> bool {
    let Some(parts) = request.resource.parts() else { return false };
    match (service, parts.service()) {
        (b"iam", "iam") if parts.account() == "aws" && parts.resource.starts_with("policy/") => {
            !is_one_of(&MANAGED_POLICY_READS, name)
        }
        (b"iam", "iam") if parts.resource.starts_with("role/aws-reserved/") => {
            !is_one_of(&RESERVED_ROLE_READS, name)
        }
        (b"kms", "kms") if parts.resource.starts_with("alias/aws/") => {
            matches!(name, b"createalias" | b"deletealias" | b"updatealias")
        }
        _ => false,
    }
}

/// `id_credentials_temp_request`, comparison of the STS operations: the last column.
fn is_closed_to_temporary(request: &Request<'_>, service: &[u8], name: &[u8]) -> bool {
    let with_mfa = || match request.context.find(&keys::MULTI_FACTOR_AUTH_PRESENT) {
        Found::Single(value) => value.boolean() == Some(true),
        _ => false,
    };
    match (&request.principal.kind, service) {
        (PrincipalKind::FederatedUser { .. }, b"iam" | b"sts") => true,
        _ if !request.principal.session_token => false,
        (_, b"iam") => !with_mfa(),
        (_, b"sts") => name != b"assumerole",
        _ => false,
    }
}
