//! `Principal` and `NotPrincipal`, ready to match.

use super::certainty::Certainty;
use crate::arn::{AccountId, ArnParts};
use crate::document::{Clause, DocumentKind, Effect, PrincipalName, Statement};
use crate::principal::{Federator, Principal, PrincipalKind};

/// How directly a statement names who asks (`reference_policies_evaluation-logic_policy-eval-denyallow`,
/// resource-based policies).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MatchKind {
    /// By the account.
    Account,
    /// By the role of the session, or by the user who made the federated user.
    Behind,
    /// Itself: user, session, service, provider, everyone.
    Direct,
}

/// Whom a statement is about.
#[derive(Debug)]
pub(crate) enum PrincipalMatch {
    /// Nobody is named, and by the kind of policy that means everyone.
    Everyone,
    /// Nobody is named, and by the kind of policy that means nobody.
    Nobody,
    /// What is named cannot be understood.
    Unclear,
    Named {
        inverted: bool,
        names: Box<[Name]>,
    },
}

#[derive(Debug)]
pub(crate) enum Name {
    Everyone,
    Account(AccountId),
    Role {
        account: Box<str>,
        name: Box<str>,
    },
    /// Exactly this ARN, of a user or a session.
    Arn(Box<str>),
    UniqueId(Box<str>),
    Service(Box<str>),
    Provider(Box<str>),
    CanonicalUser(Box<str>),
    Unclear,
}

impl PrincipalMatch {
    pub(crate) fn new(kind: DocumentKind, statement: &Statement) -> Self {
        match &statement.principal {
            // Elsewhere a principal has no place; that the statement has one leaves it in doubt, see `statement`.
            _ if !kind.has_principals() => Self::Everyone,
            Some(clause) => Self::named(clause),
            None if statement.doubt.is_some() => Self::Unclear,
            None if kind.absent_principal_is_everyone() => Self::Everyone,
            None => Self::Nobody,
        }
    }

    fn named(clause: &Clause<PrincipalName>) -> Self {
        let names = clause.entries.iter().map(|entry| Name::new(&entry.value)).collect();
        Self::Named { inverted: clause.inverted, names }
    }

    /// How the principal is named, at best, and whether that is sure. `has_boundary` says whether the principal has a
    /// permissions boundary: a `Deny` with `NotPrincipal` then always applies (`access_policies_boundaries`).
    pub(crate) fn matches(
        &self,
        principal: &Principal,
        effect: Effect,
        has_boundary: bool,
    ) -> (Certainty, MatchKind) {
        let (inverted, names) = match self {
            Self::Everyone => return (Certainty::Yes, MatchKind::Direct),
            Self::Nobody => return (Certainty::No, MatchKind::Direct),
            Self::Unclear => return (Certainty::Unclear, MatchKind::Direct),
            Self::Named { inverted, names } => (*inverted, names),
        };
        if !inverted {
            let best = names.iter().filter_map(|name| name.matches(principal)).max();
            return match best {
                Some(kind) => (Certainty::Yes, kind),
                None => (self.doubt(names), MatchKind::Direct),
            };
        }
        if effect == Effect::Deny && has_boundary {
            return (Certainty::Yes, MatchKind::Direct);
        }
        // An account that is listed spares its root user from a denial, not everyone in it; and it takes everyone in it
        // out of an allowance. The guide does not say: this is the careful reading of both.
        let spared = |kind: MatchKind| effect == Effect::Allow || kind > MatchKind::Account;
        let listed = names.iter().filter_map(|name| name.matches(principal)).any(spared);
        let certainty = if listed { Certainty::No } else { self.doubt(names).invert_if(true) };
        (certainty, MatchKind::Direct)
    }

    fn doubt(&self, names: &[Name]) -> Certainty {
        let unclear = names.iter().any(|name| matches!(name, Name::Unclear));
        if unclear { Certainty::Unclear } else { Certainty::No }
    }
}

impl Name {
    fn new(name: &PrincipalName) -> Self {
        match name {
            PrincipalName::Everyone => Self::Everyone,
            PrincipalName::Aws(text) => Self::aws(text),
            PrincipalName::Service(text) if !text.contains(['*', '?']) => Self::Service(text.clone()),
            PrincipalName::Federated(text) if !text.contains(['*', '?']) => Self::Provider(text.clone()),
            PrincipalName::CanonicalUser(text) => Self::CanonicalUser(text.clone()),
            PrincipalName::Service(_) | PrincipalName::Federated(_) | PrincipalName::Unknown(..) => {
                Self::Unclear
            }
        }
    }

    /// An account, an ARN, or the unique id that AWS puts in the place of a user's or role's ARN when it stores the policy
    /// (`reference_policies_elements_principal`). There are no wildcards within a principal.
    fn aws(text: &str) -> Self {
        if text.is_empty() || text.contains(['*', '?']) {
            return Self::Unclear;
        }
        if let Ok(account) = text.parse() {
            return Self::Account(account);
        }
        let Some(arn) = ArnParts::split(text) else { return Self::UniqueId(text.into()) };
        match (arn.service(), arn.resource) {
            ("iam", "root") => arn.account().parse().map_or(Self::Unclear, Self::Account),
            ("iam", resource) if resource.starts_with("role/") => {
                let name = resource.rsplit('/').next().unwrap_or_default();
                Self::Role { account: arn.account().into(), name: name.into() }
            }
            _ => Self::Arn(text.into()),
        }
    }

    fn matches(&self, principal: &Principal) -> Option<MatchKind> {
        match self {
            Self::Everyone => Some(MatchKind::Direct),
            Self::Account(account) => {
                let of_account = principal.is_of_account() && principal.account() == Some(account);
                let kind = if principal.kind == PrincipalKind::Root {
                    MatchKind::Direct
                } else {
                    MatchKind::Account
                };
                of_account.then_some(kind)
            }
            Self::Role { account, name } => match &principal.kind {
                // The path is no part of a session's ARN, and a role's name is unique without it.
                PrincipalKind::RoleSession(session) => {
                    let own = principal.account().is_some_and(|own| own.as_str() == &**account);
                    (own && session.role_name == *name).then_some(MatchKind::Behind)
                }
                _ => None,
            },
            Self::Arn(arn) => match &principal.kind {
                PrincipalKind::FederatedUser { federator: Federator::User { arn: user, .. } }
                    if user == arn =>
                {
                    Some(MatchKind::Behind)
                }
                _ => (principal.is_of_account() && principal.arn() == &**arn).then_some(MatchKind::Direct),
            },
            Self::UniqueId(id) => unique_id(principal, id),
            Self::Service(service) => {
                matches!(&principal.kind, PrincipalKind::Service { name } if name == service)
                    .then_some(MatchKind::Direct)
            }
            Self::Provider(provider) => {
                matches!(&principal.kind, PrincipalKind::Provider { name } if name == provider)
                    .then_some(MatchKind::Direct)
            }
            // The id is that of an account, and names whoever belongs to it.
            Self::CanonicalUser(id) => {
                let alone = matches!(principal.kind, PrincipalKind::CanonicalUser | PrincipalKind::Root);
                let kind = if alone { MatchKind::Direct } else { MatchKind::Account };
                (principal.canonical_user_id() == Some(&**id)).then_some(kind)
            }
            Self::Unclear => None,
        }
    }
}

fn unique_id(principal: &Principal, id: &str) -> Option<MatchKind> {
    match &principal.kind {
        PrincipalKind::User { unique_id, .. } if **unique_id == *id => Some(MatchKind::Direct),
        PrincipalKind::RoleSession(session) if *session.role_id == *id => Some(MatchKind::Behind),
        PrincipalKind::FederatedUser { federator: Federator::User { unique_id, .. } }
            if **unique_id == *id =>
        {
            Some(MatchKind::Behind)
        }
        _ => None,
    }
}
