//! Who asks: the principal of a request.

use crate::arn::{AccountId, Arn};
use crate::context::{Context, keys};

/// Who asks. Made by those who authenticated the request; nothing in it comes from what the request says of itself.
///
/// ```
/// use daypass_policy::Principal;
/// let role = "arn:aws:iam::111122223333:role/web".parse()?;
/// let session = Principal::role_session(&role, "AROAEXAMPLE", "i-0abc").unwrap();
/// assert_eq!(session.arn(), "arn:aws:sts::111122223333:assumed-role/web/i-0abc");
/// assert_eq!(session.user_id(), "AROAEXAMPLE:i-0abc");
/// # Ok::<(), daypass_policy::InvalidArn>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub(crate) kind: PrincipalKind,
    arn: Box<str>,
    account: Option<AccountId>,
    user_id: Box<str>,
    canonical_user: Option<Box<str>>,
    /// Whether the credentials came from GetSessionToken.
    pub(crate) session_token: bool,
}

/// An ARN that does not name what it was given as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{arn}` does not name {expected}")]
pub struct InvalidPrincipal {
    arn: Box<str>,
    expected: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    Root,
    User { name: Box<str>, unique_id: Box<str> },
    RoleSession(RoleSession),
    FederatedUser { federator: Federator },
    Service { name: Box<str> },
    Provider { name: Box<str> },
    CanonicalUser,
    Anonymous,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleSession {
    pub(crate) role: Arn,
    pub(crate) role_name: Box<str>,
    pub(crate) role_id: Box<str>,
    pub(crate) service_linked: bool,
}

/// Who called GetFederationToken for a federated user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Federator {
    Root,
    User { arn: Box<str>, unique_id: Box<str> },
}

impl Principal {
    fn new(
        kind: PrincipalKind,
        arn: impl Into<Box<str>>,
        account: Option<AccountId>,
        user_id: impl Into<Box<str>>,
    ) -> Self {
        let (arn, user_id) = (arn.into(), user_id.into());
        Self { kind, arn, account, user_id, canonical_user: None, session_token: false }
    }

    /// The root user of an account.
    pub fn root(account: AccountId) -> Self {
        Self::new(
            PrincipalKind::Root,
            format!("arn:aws:iam::{account}:root"),
            Some(account),
            account.as_str(),
        )
    }

    /// An IAM user, by its ARN and its unique id (`AIDA…`).
    ///
    /// # Errors
    /// Where the ARN names no user.
    pub fn user(arn: &Arn, unique_id: &str) -> Result<Self, InvalidPrincipal> {
        let (account, name) = named(arn, "iam", "user/").ok_or_else(|| invalid(arn, "an IAM user"))?;
        let kind = PrincipalKind::User { name: name.into(), unique_id: unique_id.into() };
        Ok(Self::new(kind, arn.as_str(), Some(account), unique_id))
    }

    /// A session of a role, by the role's ARN and unique id (`AROA…`) and the session's name. A role whose path begins
    /// with `/aws-service-role/` is linked to its service.
    ///
    /// # Errors
    /// Where the ARN names no role.
    pub fn role_session(role: &Arn, role_id: &str, session_name: &str) -> Result<Self, InvalidPrincipal> {
        let (account, role_name) = named(role, "iam", "role/").ok_or_else(|| invalid(role, "an IAM role"))?;
        let kind = PrincipalKind::RoleSession(RoleSession {
            role: role.clone(),
            role_name: role_name.into(),
            role_id: role_id.into(),
            service_linked: role.parts().resource.starts_with("role/aws-service-role/"),
        });
        let arn = format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}");
        Ok(Self::new(kind, arn, Some(account), format!("{role_id}:{session_name}")))
    }

    /// The federated user that an IAM user or a root user made with GetFederationToken.
    ///
    /// # Errors
    /// Where the one who made it is neither.
    pub fn federated_user(federator: &Principal, name: &str) -> Result<Self, InvalidPrincipal> {
        let (account, federator) = match (&federator.kind, federator.account) {
            (PrincipalKind::Root, Some(account)) => (account, Federator::Root),
            (PrincipalKind::User { unique_id, .. }, Some(account)) => {
                (account, Federator::User { arn: federator.arn.clone(), unique_id: unique_id.clone() })
            }
            _ => {
                return Err(InvalidPrincipal {
                    arn: federator.arn.clone(),
                    expected: "an IAM user or a root user",
                });
            }
        };
        let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
        Ok(Self::new(
            PrincipalKind::FederatedUser { federator },
            arn,
            Some(account),
            format!("{account}:{name}"),
        ))
    }

    /// An AWS service that acts for itself, `ec2.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::new(PrincipalKind::Service { name: name.into() }, name, None, name)
    }

    /// Someone whom an identity provider vouches for, as AssumeRoleWithWebIdentity and AssumeRoleWithSAML see them: by the
    /// ARN of the provider, or by its host where AWS knows it (`accounts.google.com`).
    pub fn identity_provider(name: &str) -> Self {
        Self::new(PrincipalKind::Provider { name: name.into() }, name, None, name)
    }

    /// Someone known by an S3 canonical user id alone.
    pub fn canonical_user(id: &str) -> Self {
        Self::new(PrincipalKind::CanonicalUser, id, None, id).with_canonical_user(id)
    }

    /// Nobody in particular: a request without a signature.
    pub fn anonymous() -> Self {
        Self::new(PrincipalKind::Anonymous, "anonymous", None, "anonymous")
    }

    /// The same with the canonical user id of its account, by which S3's policies may name it.
    #[must_use]
    pub fn with_canonical_user(mut self, id: &str) -> Self {
        self.canonical_user = Some(id.into());
        self
    }

    /// The same with credentials from GetSessionToken, which cannot do all that the user can: no IAM operation without
    /// MFA, and of STS only AssumeRole and GetCallerIdentity (`id_credentials_temp_request`).
    #[must_use]
    pub fn with_session_token(mut self) -> Self {
        self.session_token = true;
        self
    }

    /// What messages call the principal: its ARN, the name of the service, `anonymous`.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The account that the principal belongs to.
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// `aws:userid`.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    pub(crate) fn canonical_user_id(&self) -> Option<&str> {
        self.canonical_user.as_deref()
    }

    /// Whether the principal is one of an account: root, user, role session, federated user.
    pub(crate) fn is_of_account(&self) -> bool {
        use PrincipalKind as K;
        matches!(self.kind, K::Root | K::User { .. } | K::RoleSession(_) | K::FederatedUser { .. })
    }

    pub(crate) fn is_service_linked(&self) -> bool {
        matches!(&self.kind, PrincipalKind::RoleSession(session) if session.service_linked)
    }

    /// Sets the keys that follow from who asks: `aws:PrincipalArn` (of a session: that of its role), `aws:PrincipalAccount`,
    /// `aws:PrincipalType`, `aws:userid`, `aws:username`, `aws:PrincipalIsAWSService`, `aws:PrincipalServiceName`.
    pub fn describe<'a>(&'a self, context: &mut Context<'a>) {
        use PrincipalKind as K;
        let (kind, arn) = match &self.kind {
            K::Root => ("Account", Some(self.arn())),
            K::User { .. } => ("User", Some(self.arn())),
            K::RoleSession(session) => ("AssumedRole", Some(session.role.as_str())),
            K::FederatedUser { .. } => ("FederatedUser", Some(self.arn())),
            K::Service { .. } => ("AWSService", None),
            K::Provider { .. } | K::CanonicalUser | K::Anonymous => ("Anonymous", None),
        };
        context.set(keys::PRINCIPAL_TYPE, kind);
        context.set(keys::USER_ID, self.user_id());
        context.set(keys::PRINCIPAL_IS_AWS_SERVICE, matches!(self.kind, K::Service { .. }));
        if let Some(arn) = arn {
            context.set(keys::PRINCIPAL_ARN, arn);
        }
        match (&self.account, &self.kind) {
            (Some(account), _) => context.set(keys::PRINCIPAL_ACCOUNT, account.as_str()),
            (None, K::Anonymous) => context.set(keys::PRINCIPAL_ACCOUNT, "anonymous"),
            (None, K::Service { name }) => context.set(keys::PRINCIPAL_SERVICE_NAME, &**name),
            _ => (),
        }
        if let K::User { name, .. } = &self.kind {
            context.set(keys::USERNAME, &**name);
        }
    }
}

fn invalid(arn: &Arn, expected: &'static str) -> InvalidPrincipal {
    InvalidPrincipal { arn: arn.as_str().into(), expected }
}

/// Account and last name of an ARN like `arn:aws:iam::111122223333:user/path/alice`.
fn named<'a>(arn: &'a Arn, service: &str, prefix: &str) -> Option<(AccountId, &'a str)> {
    let parts = arn.parts();
    let path = parts.resource.strip_prefix(prefix).filter(|_| parts.service() == service)?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some((parts.account().parse().ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(text: &str) -> Arn {
        text.parse().unwrap()
    }

    #[test]
    fn a_principal_knows_its_account_and_ids() {
        let user = Principal::user(&arn("arn:aws:iam::111122223333:user/dev/alice"), "AIDAX").unwrap();
        assert_eq!((user.account().unwrap().as_str(), user.user_id()), ("111122223333", "AIDAX"));
        let federated = Principal::federated_user(&user, "app").unwrap();
        assert_eq!(federated.arn(), "arn:aws:sts::111122223333:federated-user/app");
        assert_eq!(federated.user_id(), "111122223333:app");
        let root = Principal::root("111122223333".parse().unwrap());
        assert_eq!((root.arn(), root.user_id()), ("arn:aws:iam::111122223333:root", "111122223333"));
        assert!(Principal::federated_user(&root, "app").is_ok());
    }

    #[test]
    fn an_arn_of_something_else_is_refused() {
        assert!(Principal::user(&arn("arn:aws:iam::111122223333:role/alice"), "AIDAX").is_err());
        assert!(Principal::user(&arn("arn:aws:iam::aws:user/alice"), "AIDAX").is_err());
        assert!(Principal::role_session(&arn("arn:aws:iam::111122223333:user/x"), "AROAX", "s").is_err());
        assert!(Principal::federated_user(&Principal::anonymous(), "x").is_err());
    }

    #[test]
    fn the_context_says_who_asks() {
        let role = arn("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/web");
        let session = Principal::role_session(&role, "AROAX", "i-0abc").unwrap();
        assert!(session.is_service_linked());
        let mut context = Context::new();
        session.describe(&mut context);
        let shown: Vec<String> =
            context.iter().map(|(key, values)| format!("{key:?}={}", values[0])).collect();
        assert_eq!(
            shown,
            [
                "aws:PrincipalType=AssumedRole",
                "aws:userid=AROAX:i-0abc",
                "aws:PrincipalIsAWSService=false",
                "aws:PrincipalArn=arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/web",
                "aws:PrincipalAccount=111122223333",
            ]
        );
    }
}
