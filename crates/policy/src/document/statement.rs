//! The elements of a statement, as they were written.

use super::malformed::MalformedDocument;
use super::operator::Operator;
use crate::span::{Located, Span};

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It permits.
    Allow,
    /// It forbids, whatever else permits.
    Deny,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// The whole statement.
    pub span: Span,
    /// `Sid`, where there is one.
    pub sid: Option<Located<Box<str>>>,
    /// `Effect`.
    pub effect: Located<Effect>,
    /// `Principal` or `NotPrincipal`, where there is one.
    pub principal: Option<Clause<PrincipalName>>,
    /// `Action` or `NotAction`; what was loaded may have neither.
    pub action: Option<Clause<Box<str>>>,
    /// `Resource` or `NotResource`, where there is one.
    pub resource: Option<Clause<Box<str>>>,
    /// `Condition`: one entry for each operator and key.
    pub conditions: Vec<Condition>,
    /// What could not be understood about the statement as a whole.
    pub(crate) doubt: Option<MalformedDocument>,
}

/// An element with its list, plain (`Action`) or inverted (`NotAction`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clause<T> {
    /// Whether the element is the one with `Not`.
    pub inverted: bool,
    /// The element's name.
    pub span: Span,
    /// Its entries; a lone value is a list of one.
    pub entries: Vec<Located<T>>,
}

/// An entry of `Principal`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalName {
    /// `*`, alone or under `AWS`: everyone, also without a signature.
    Everyone,
    /// Under `AWS`: an account, user, role, session, or a unique id that was put in its place.
    Aws(Box<str>),
    /// Under `Service`: a service, `ec2.amazonaws.com`.
    Service(Box<str>),
    /// Under `Federated`: an identity provider.
    Federated(Box<str>),
    /// Under `CanonicalUser`: S3's id of an account.
    CanonicalUser(Box<str>),
    /// Under a type that AWS does not know.
    Unknown(Box<str>, Box<str>),
}

/// One test of `Condition`: an operator, a key, and the values that it may or may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// The operator as written; `None` beside it where AWS does not know it.
    pub operator: Located<(Box<str>, Option<Operator>)>,
    /// The key.
    pub key: Located<Box<str>>,
    /// The values as text: `true`, `10` and `"10"` alike.
    pub values: Vec<Located<Box<str>>>,
}
