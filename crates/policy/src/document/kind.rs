//! The kinds of policy and the versions of the language.

/// What kind of policy a document is; that decides which elements it must, may and must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentKind {
    /// A managed policy, also one that serves as a permissions boundary.
    Managed,
    /// An inline policy of a user, group or role.
    Inline,
    /// A session policy given to STS.
    Session,
    /// The trust policy of a role.
    Trust,
    /// The policy of an S3 bucket.
    Bucket,
    /// The policy of another resource: a key, a queue, a secret.
    Resource,
    /// A service control policy of an organization.
    ServiceControl,
    /// A resource control policy of an organization, written by a customer.
    ResourceControl,
    /// The policy of a VPC endpoint.
    VpcEndpoint,
}

impl DocumentKind {
    /// Whether statements say whom they are about.
    pub(crate) fn has_principals(self) -> bool {
        matches!(
            self,
            Self::Trust | Self::Bucket | Self::Resource | Self::ResourceControl | Self::VpcEndpoint
        )
    }

    /// Whether a statement without `Principal` is about everyone. It can only be read so where the policy grants nothing
    /// and only limits; in a policy that grants, such a statement is about nobody.
    pub(crate) fn absent_principal_is_everyone(self) -> bool {
        matches!(self, Self::ResourceControl | Self::VpcEndpoint)
    }

    /// Whether a statement may lack `Resource`: it is then about the resource that the policy hangs on
    /// (`access_policies`, introduction).
    pub(crate) fn resource_is_optional(self) -> bool {
        matches!(self, Self::Trust | Self::Resource)
    }

    /// Whether IAM reads the document, with its own rules and messages.
    pub(crate) fn is_read_by_iam(self) -> bool {
        matches!(self, Self::Managed | Self::Inline | Self::Session | Self::Trust)
    }

    /// Whether Organizations reads it.
    pub(crate) fn is_of_organization(self) -> bool {
        matches!(self, Self::ServiceControl | Self::ResourceControl)
    }
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `2008-10-17`, also that of a document without a version.
    V2008,
    /// `2012-10-17`, the first with variables.
    V2012,
}

impl Version {
    /// Reads the version's date.
    pub fn from_date(text: &str) -> Option<Self> {
        match text {
            "2008-10-17" => Some(Self::V2008),
            "2012-10-17" => Some(Self::V2012),
            _ => None,
        }
    }
}
