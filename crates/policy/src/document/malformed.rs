//! Why a document is not taken: for us in our words with a place, for callers in AWS's.

use super::kind::DocumentKind;
use crate::span::Span;
use std::fmt;

/// What is wrong with a document, and where.
///
/// Its `Display` is ours: place and reason, for logs and editors. [`aws_message`](Self::aws_message) is AWS's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{span}: {reason}")]
pub struct MalformedDocument {
    /// What is wrong.
    pub reason: Malformed,
    /// The element that is wrong, or the place where reading stopped.
    pub span: Span,
    kind: DocumentKind,
}

/// The ways in which a document can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// It is no JSON; what was met instead.
    NotJson(&'static str),
    /// It is larger than anything that is read.
    TooLarge,
    /// It is nested deeper than anything that is read.
    TooDeep,
    /// It holds a character that IAM does not take.
    Character(char),
    /// A key stands twice in one object.
    DuplicateKey(Box<str>),
    /// An element that the language does not have.
    UnknownElement(Box<str>),
    /// An element of the wrong JSON type; its name and what it should be.
    WrongType(Box<str>, &'static str),
    /// A version that is none.
    UnknownVersion(Box<str>),
    /// No version or that of 2008, where 2012 is needed.
    OldVersion,
    /// No statements.
    NoStatements,
    /// A statement without an effect.
    MissingEffect,
    /// An effect that is none.
    UnknownEffect(Box<str>),
    /// `allow` for `Allow`.
    EffectCase(Box<str>),
    /// Both an element and the one with `Not`.
    Both(&'static str),
    /// Neither `Action` nor `NotAction`, or an empty one.
    MissingAction,
    /// Neither `Resource` nor `NotResource`, or an empty one.
    MissingResource,
    /// No `Principal`.
    MissingPrincipal,
    /// A `Principal` with nothing in it.
    EmptyPrincipal,
    /// A principal that is none; its type and text.
    InvalidPrincipal(Box<str>, Box<str>),
    /// An element that this kind of policy must not have.
    Prohibited(&'static str),
    /// A `Sid` with other signs than letters and digits.
    SidCharacters(Box<str>),
    /// A `Sid` that another statement has.
    DuplicateSid(Box<str>),
    /// An action without a service before its colon.
    ActionWithoutService(Box<str>),
    /// An action with two colons.
    ActionWithTwoColons(Box<str>),
    /// A service in an action that cannot be one.
    ActionService(Box<str>),
    /// An action that a trust policy cannot be about.
    TrustAction(Box<str>),
    /// An action that a bucket policy cannot be about.
    BucketAction(Box<str>),
    /// A resource that is neither an ARN nor `*`.
    ResourceNotArn(Box<str>),
    /// An ARN of a partition that does not exist; the partition and the ARN as IAM completes it.
    ResourcePartition(Box<str>, Box<str>),
    /// An ARN without a service, or with a wildcard in it.
    ResourceService(Box<str>),
    /// An ARN of IAM or S3 with a region.
    ResourceRegion(Box<str>, &'static str),
    /// An ARN of IAM whose last part begins with no type of IAM's.
    ResourcePath(Box<str>),
    /// An ARN that lacks parts in a way that IAM cannot read.
    ResourceParts(Box<str>),
    /// A resource that is not the bucket or in it.
    BucketResource(Box<str>),
    /// An operator that AWS does not know.
    UnknownOperator(Box<str>),
    /// A date that IAM cannot read.
    InvalidDate(Box<str>),
    /// An effect that a customer's resource control policy cannot have.
    OnlyDeny,
}

impl MalformedDocument {
    pub(super) fn new(kind: DocumentKind, reason: Malformed, span: Span) -> Self {
        Self { reason, span, kind }
    }

    /// The order in which IAM finds things, each over the whole document: syntax, version, old rules, statement ids,
    /// actions, form of resources, services of actions, resources. As recorded in moto's `policy_validation.py`, whose
    /// cases were tried on AWS; where the principal stands among them is not known.
    pub(super) fn stage(&self) -> u8 {
        use Malformed as M;
        match self.reason {
            M::OldVersion => 1,
            M::Prohibited("Principal" | "NotPrincipal") | M::MissingPrincipal | M::EmptyPrincipal => 2,
            M::EffectCase(_) | M::InvalidDate(_) | M::ResourceParts(_) => 3,
            M::SidCharacters(_) | M::DuplicateSid(_) => 4,
            M::MissingAction => 5,
            M::ResourceNotArn(_)
            | M::ResourcePartition(..)
            | M::ResourceService(_)
            | M::ResourceRegion(..)
            | M::ResourcePath(_)
            | M::BucketResource(_) => 6,
            M::ActionWithoutService(_)
            | M::ActionWithTwoColons(_)
            | M::ActionService(_)
            | M::TrustAction(_)
            | M::BucketAction(_) => 7,
            M::MissingResource | M::Prohibited(_) | M::OnlyDeny => 8,
            M::InvalidPrincipal(..) => 9,
            _ => 0,
        }
    }

    /// The error's message in AWS's words: of `MalformedPolicyDocument` for IAM and STS, of `MalformedPolicy` for S3, of
    /// `MalformedPolicyDocumentException` for Organizations.
    ///
    /// Sources: moto's recorded cases for managed policies; messages of IAM and S3 in public issues and in versitygw's
    /// tests for the others. What was never seen recorded has the general message of its service.
    pub fn aws_message(&self) -> String {
        match self.kind {
            _ if self.kind.is_of_organization() => {
                "The provided policy document does not meet the requirements of the specified policy type."
                    .into()
            }
            DocumentKind::Bucket => self.bucket_message(),
            DocumentKind::Trust => self.trust_message(),
            _ => self.iam_message(),
        }
    }

    fn iam_message(&self) -> String {
        use Malformed as M;
        match &self.reason {
            M::OldVersion => "Policy document must be version 2012-10-17 or greater.".into(),
            M::EffectCase(_) | M::InvalidDate(_) | M::ResourceParts(_) => {
                "The policy failed legacy parsing".into()
            }
            M::SidCharacters(_) => {
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                                    regular expression [0-9A-Za-z]*"
                    .into()
            }
            M::DuplicateSid(_) => "Statement IDs (SID) in a single policy must be unique.".into(),
            M::MissingAction => "Policy statement must contain actions.".into(),
            M::MissingResource => "Policy statement must contain resources.".into(),
            M::ActionWithoutService(_) => {
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".into()
            }
            M::ActionWithTwoColons(_) => "Actions/Condition can contain only one colon.".into(),
            M::ActionService(service) => format!("Vendor {service} is not valid"),
            M::ResourceNotArn(text) => format!("Resource {text} must be in ARN format or \"*\"."),
            M::ResourcePartition(partition, arn) => {
                format!("Partition \"{partition}\" is not valid for resource \"{arn}\".")
            }
            M::ResourceService(_) => {
                "Resource vendor must be fully qualified and cannot contain regexes.".into()
            }
            M::ResourceRegion(arn, "iam") => format!("IAM resource {arn} cannot contain region information."),
            M::ResourceRegion(arn, _) => format!("Resource {arn} can not contain region information."),
            M::ResourcePath(_) => {
                let types = super::rules::IAM_RESOURCE_TYPES.join(", ");
                format!("IAM resource path must either be \"*\" or start with {types}.")
            }
            M::Prohibited("Principal" | "NotPrincipal") => {
                "Policy document should not specify a principal.".into()
            }
            M::Prohibited(element) => format!("Has prohibited field {element}"),
            M::MissingPrincipal => "Missing required field Principal".into(),
            M::EmptyPrincipal => "Missing required field Principal cannot be empty!".into(),
            M::InvalidPrincipal(kind, text) => {
                format!("Invalid principal in policy: \"{}\":\"{text}\"", kind.to_uppercase())
            }
            _ => "Syntax errors in policy.".into(),
        }
    }

    fn trust_message(&self) -> String {
        use Malformed as M;
        match &self.reason {
            M::NotJson(_) | M::TooLarge | M::TooDeep => "This policy contains invalid Json".into(),
            M::UnknownVersion(_) => "The policy must contain a valid version string".into(),
            M::NoStatements => "Could not parse the policy: Statement is empty!".into(),
            M::DuplicateSid(_) => "The Statement Ids in the policy are not unique".into(),
            M::MissingEffect => "Missing required field Effect".into(),
            M::UnknownEffect(effect) | M::EffectCase(effect) => format!("Invalid effect: {effect}"),
            M::MissingAction => "Missing required field Action".into(),
            M::Prohibited("NotPrincipal") => "AssumeRole policy must not contain NotPrincipal field.".into(),
            M::Prohibited("NotResource") => "AssumeRole policy must not contain resources.".into(),
            M::TrustAction(_) | M::ActionWithoutService(_) => {
                "AssumeRole policy may only specify STS AssumeRole actions.".into()
            }
            M::InvalidPrincipal(kind, text) if &**kind == "*" => {
                format!("AssumeRolepolicy contained an invalid principal: \"STAR\":\"{text}\".")
            }
            M::UnknownElement(_)
            | M::WrongType(..)
            | M::DuplicateKey(_)
            | M::Both(_)
            | M::UnknownOperator(_) => "Syntax error in policy.".into(),
            _ => self.iam_message(),
        }
    }

    fn bucket_message(&self) -> String {
        use Malformed as M;
        match &self.reason {
            M::NotJson(_) | M::TooLarge | M::TooDeep => {
                "Policies must be valid JSON and the first byte must be '{'".into()
            }
            M::UnknownElement(name) => format!("Unknown field {name}"),
            M::UnknownVersion(_) => "The policy must contain a valid version string".into(),
            M::NoStatements => "Missing required field Statement".into(),
            M::MissingEffect => "Missing required field Effect".into(),
            M::UnknownEffect(effect) | M::EffectCase(effect) => format!("Invalid effect: {effect}"),
            M::MissingAction => "Missing required field Action".into(),
            M::MissingResource => "Missing required field Resource".into(),
            M::MissingPrincipal => "Missing required field Principal".into(),
            M::EmptyPrincipal => "Missing required field Principal cannot be empty!".into(),
            M::InvalidPrincipal(..) => "Invalid principal in policy".into(),
            M::BucketAction(_) | M::ActionWithoutService(_) => "Policy has invalid action".into(),
            M::BucketResource(_) | M::ResourceNotArn(_) => "Policy has invalid resource".into(),
            M::DuplicateSid(_) => "The Statement Ids in the policy are not unique".into(),
            _ => "Invalid policy syntax.".into(),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Malformed as M;
        match self {
            M::NotJson(what) => write!(f, "the text is not JSON: {what}"),
            M::TooLarge => write!(f, "the document is larger than anything that is read"),
            M::TooDeep => write!(f, "the document is nested deeper than anything that is read"),
            M::Character(c) => write!(f, "the character `{}` is not taken in a policy", c.escape_unicode()),
            M::DuplicateKey(key) => write!(f, "`{key}` stands twice in one object"),
            M::UnknownElement(name) => write!(f, "the policy language has no element `{name}`"),
            M::WrongType(name, expected) => write!(f, "`{name}` must be {expected}"),
            M::UnknownVersion(text) => write!(f, "`{text}` is not a version of the policy language"),
            M::OldVersion => write!(f, "the document needs `Version` `2012-10-17`"),
            M::NoStatements => write!(f, "the document has no statements"),
            M::MissingEffect => write!(f, "the statement has no `Effect`"),
            M::UnknownEffect(text) => write!(f, "`{text}` is not an effect: `Allow` or `Deny`"),
            M::EffectCase(text) => write!(f, "`{text}` must be written `Allow` or `Deny`"),
            M::Both(name) => write!(f, "the statement has both `{name}` and `Not{name}`"),
            M::MissingAction => write!(f, "the statement has neither `Action` nor `NotAction`"),
            M::MissingResource => write!(f, "the statement has neither `Resource` nor `NotResource`"),
            M::MissingPrincipal => write!(f, "the statement has no `Principal`"),
            M::EmptyPrincipal => write!(f, "the `Principal` names nobody"),
            M::InvalidPrincipal(kind, text) => write!(f, "`{text}` is not a principal of the type `{kind}`"),
            M::Prohibited(name) => write!(f, "a policy of this kind must not have `{name}`"),
            M::SidCharacters(sid) => write!(f, "the statement id `{sid}` may hold letters and digits only"),
            M::DuplicateSid(sid) => write!(f, "two statements have the id `{sid}`"),
            M::ActionWithoutService(text) => write!(f, "the action `{text}` names no service"),
            M::ActionWithTwoColons(text) => write!(f, "the action `{text}` has more than one colon"),
            M::ActionService(text) => write!(f, "`{text}` cannot be the service of an action"),
            M::TrustAction(text) => write!(f, "a trust policy cannot be about the action `{text}`"),
            M::BucketAction(text) => write!(f, "a bucket policy cannot be about the action `{text}`"),
            M::ResourceNotArn(text) => write!(f, "the resource `{text}` is neither an ARN nor `*`"),
            M::ResourcePartition(partition, _) => write!(f, "there is no partition `{partition}`"),
            M::ResourceService(text) => {
                write!(f, "the resource `{text}` must name its service, without wildcards")
            }
            M::ResourceRegion(text, _) => write!(f, "the resource `{text}` must not name a region"),
            M::ResourcePath(text) => {
                write!(f, "the resource `{text}` begins with no type of resource that IAM has")
            }
            M::ResourceParts(text) => write!(f, "the resource `{text}` lacks parts of an ARN"),
            M::BucketResource(text) => write!(f, "the resource `{text}` is neither the bucket nor in it"),
            M::UnknownOperator(text) => write!(f, "there is no condition operator `{text}`"),
            M::InvalidDate(text) => write!(f, "`{text}` is not a date"),
            M::OnlyDeny => write!(f, "a resource control policy can only deny"),
        }
    }
}
