//! Checks a document as IAM Access Analyzer's ValidatePolicy does: with AWS's codes, texts and places.
//!
//! ```
//! use daypass_policy::check::{Code, PolicyType, check};
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}}"#;
//! let findings = check(text, PolicyType::Identity);
//! assert_eq!(findings[0].code, Code::InvalidAction);
//! assert_eq!(findings[0].message, "The action s3:GetObjekt does not exist. Did you mean s3:GetObject?");
//! assert_eq!(findings[0].span().to_string(), "1:70");
//! ```
//!
//! What is checked, and every text, is from the guide's page `access-analyzer-reference-policy-checks` (as of 2026); which
//! actions, resource types and condition keys there are, from the service authorization reference (`data/README.md`).
//! A text is read once; what the reader cannot read is one finding, JSON_SYNTAX_ERROR.
//!
//! # Not checked
//!
//! | AWS's code | why |
//! |---|---|
//! | DEPRECATED_GLOBAL_CONDITION_KEY | the guide names `aws:ARN` alone, which is UNSUPPORTED_GLOBAL_CONDITION_KEY as well: one of the two is enough |
//! | CONFIRM_AUDIENCE_CLAIM_TYPE | the guide does not say which providers' claims it is about, nor what it calls them |
//! | VARIABLE_USAGE_TOO_PERMISSIVE and WILDCARD_USAGE_TOO_PERMISSIVE, their first texts | the guide does not say which keys need six characters first; sensitive keys and `aws:userid` are checked |
//!
//! # Where AWS does not say
//!
//! | question | answer |
//! |---|---|
//! | the order of findings | by first place, then by code |
//! | the names of JSON types in DATA_TYPE_MISMATCH | `String`, `Object` |
//! | a key that stands twice in an object | JSON_SYNTAX_ERROR, the text without a place |
//! | a resource's policy of no type | statements whose actions are all STS's are taken for a role's trust policy |
//! | MISSING_ARN_FIELD where `*` ends the ARN | none: such a `*` may run past colons |
//! | `*` for a Region or account that the service's ARNs do not have | none: it may stand for nothing |
//! | UNSUPPORTED_ACTION_FOR_CONDITION_KEY under `IfExists` or `Null` | none: what an absent key means is said |
//! | a sensitive key with a variable that is a sensitive key itself (`${aws:PrincipalAccount}`) | none: the caller cannot choose it, and AWS's own policies are written so |
//! | CREATE_SLR_… beside `iam:AWSServiceName` | none: AWS's own policies with it are not on the guide's list |
//! | which unknown principals a condition key may not stand beside | those keys that requests of services do not bring |
//! | sizes of policies of resources | 20 KiB for those of a known type that is no role's, the quota of S3 |

mod actions;
mod code;
mod finding;
mod glob;
mod grants;
mod keys;
mod nearest;
mod operators;
mod organization;
mod principals;
mod redundancy;
mod resources;
mod scope;
mod services;
mod structure;
mod trust;
mod values;
mod variables;
mod view;

pub use code::{Code, FindingType};
pub use finding::{Finding, Location, PathElement};

use crate::document::DocumentKind;
use crate::span::{Position, Span};
use finding::{Place, Report};

/// What a document is checked as; ValidatePolicy's `policyType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyType {
    /// A policy of a user, group or role, a boundary, a session policy.
    Identity,
    /// A policy of a resource, of a type that has checks of its own or of any other.
    Resource(Option<ResourceType>),
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

/// The types of resource that have checks of their own; ValidatePolicy's `validatePolicyResourceType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// A bucket.
    S3Bucket,
    /// An access point.
    S3AccessPoint,
    /// An access point of several Regions.
    S3MultiRegionAccessPoint,
    /// An access point of S3 Object Lambda.
    S3ObjectLambdaAccessPoint,
    /// A role, whose trust policy it is.
    RoleTrust,
    /// A table.
    DynamoDbTable,
}

impl ResourceType {
    /// Every type.
    pub const ALL: [Self; 6] = [
        Self::S3Bucket,
        Self::S3AccessPoint,
        Self::S3MultiRegionAccessPoint,
        Self::S3ObjectLambdaAccessPoint,
        Self::RoleTrust,
        Self::DynamoDbTable,
    ];

    /// AWS's name, `AWS::S3::Bucket`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3Bucket => "AWS::S3::Bucket",
            Self::S3AccessPoint => "AWS::S3::AccessPoint",
            Self::S3MultiRegionAccessPoint => "AWS::S3::MultiRegionAccessPoint",
            Self::S3ObjectLambdaAccessPoint => "AWS::S3ObjectLambda::AccessPoint",
            Self::RoleTrust => "AWS::IAM::AssumeRolePolicyDocument",
            Self::DynamoDbTable => "AWS::DynamoDB::Table",
        }
    }

    /// The type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The prefix of the service whose actions its policies are about.
    fn service(self) -> &'static str {
        match self {
            Self::S3Bucket | Self::S3AccessPoint | Self::S3MultiRegionAccessPoint => "s3",
            Self::S3ObjectLambdaAccessPoint => "s3-object-lambda",
            Self::RoleTrust => "sts",
            Self::DynamoDbTable => "dynamodb",
        }
    }

    /// The service's own names of what the policies can be about.
    fn resource_names(self) -> &'static [&'static str] {
        match self {
            Self::S3Bucket => &["bucket", "object"],
            Self::S3AccessPoint => &["accesspoint", "accesspointobject", "object", "bucket"],
            Self::S3MultiRegionAccessPoint => {
                &["multiregionaccesspoint", "accesspointobject", "object", "bucket"]
            }
            Self::S3ObjectLambdaAccessPoint => &["objectlambdaaccesspoint"],
            Self::RoleTrust => &["role"],
            Self::DynamoDbTable => &["table", "index", "stream"],
        }
    }
}

impl From<DocumentKind> for PolicyType {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Managed | DocumentKind::Inline | DocumentKind::Session => Self::Identity,
            DocumentKind::Trust => Self::Resource(Some(ResourceType::RoleTrust)),
            DocumentKind::Bucket => Self::Resource(Some(ResourceType::S3Bucket)),
            DocumentKind::Resource | DocumentKind::VpcEndpoint => Self::Resource(None),
            DocumentKind::ServiceControl => Self::ServiceControl,
            DocumentKind::ResourceControl => Self::ResourceControl,
        }
    }
}

/// The services of AWS by their prefixes in actions (`s3`), in no order: those of the service authorization reference.
pub fn services() -> impl Iterator<Item = &'static str> {
    services::prefixes()
}

/// Checks a document. The findings come in the order of their places; the same text always has the same findings.
pub fn check(text: &str, policy: PolicyType) -> Vec<Finding> {
    let mut report = Report::new();
    match crate::json::read(text) {
        Ok(node) => document(text, &view::Item::root(&node), policy, &mut report),
        Err(error) => syntax(text, error.at, &mut report),
    }
    report.finish(text)
}

fn syntax(text: &str, at: Position, report: &mut Report) {
    let (line, column) = (at.line, at.column.saturating_sub(1));
    let before = text.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    let index = before.map(|line| line.chars().count()).sum::<usize>() + column as usize;
    let place = format!(" at index {index} line {line} column {column}");
    let whole = Place { path: Vec::new(), span: Span { start: at, end: at } };
    report.find(Code::JsonSyntaxError, &[&place], whole);
}

fn document(text: &str, root: &view::Item<'_>, policy: PolicyType, report: &mut Report) {
    let statements = structure::statements(root, report);
    structure::sids(&statements, policy, report);
    structure::policy_size(text, policy, root.node.span, report);
    for statement in &statements {
        structure::statement(statement, policy, report);
        principals::check(statement, policy, report);
        trust::check(statement, policy, report);
        actions::check(statement, policy, report);
        resources::check(statement, policy, report);
        operators::check(statement, report);
        keys::check(statement, policy, report);
        values::check(statement, report);
        scope::check(statement, report);
        grants::check(statement, policy, report);
        organization::check(statement, policy, report);
    }
    let version = root.members().into_iter().find(|member| member.key() == "Version");
    let has_variables = version.is_some_and(|version| version.value().text() == Some("2012-10-17"));
    variables::check(root, &statements, has_variables, report);
    redundancy::check(&statements, report);
}
