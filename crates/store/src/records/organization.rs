use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::{Key, Prefix, Record};

/// An organization: accounts under one root, with policies along the way down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// `o-…`.
    pub id: String,
    /// `r-…`.
    pub root_id: String,
    /// The account that made it, and that its policies never limit.
    pub management_account: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it has all features, or consolidated billing alone.
    pub all_features: bool,
    /// The types of policies that are enabled in the root.
    #[serde(default)]
    pub policy_types: Vec<ControlPolicyType>,
    /// The services that work with the organization, in the order in which they were let in.
    #[serde(default)]
    pub trusted_services: Vec<TrustedService>,
    /// What IAM does for the root users of member accounts.
    #[serde(default)]
    pub root_features: Vec<RootFeature>,
}

/// The types of policies that limit what can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlPolicyType {
    /// Limits principals.
    ServiceControlPolicy,
    /// Limits who can be let to resources.
    ResourceControlPolicy,
}

/// A service that may work with the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedService {
    /// `iam.amazonaws.com`.
    pub principal: String,
    /// Since when.
    pub since: Timestamp,
}

/// What IAM does for the root users of member accounts, once it is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootFeature {
    /// Their long-term credentials are managed from the management account.
    CredentialsManagement,
    /// Short sessions for single tasks are given from there.
    Sessions,
}

impl Organization {
    /// Where the organization stands.
    #[must_use]
    pub fn key_of(id: &str) -> Key {
        Key::new(&["organization", id])
    }

    /// Whether a type of policies is enabled.
    #[must_use]
    pub fn enables(&self, kind: ControlPolicyType) -> bool {
        self.policy_types.contains(&kind)
    }

    /// Whether a service may work with the organization.
    #[must_use]
    pub fn trusts(&self, service: &str) -> bool {
        self.trusted_services.iter().any(|trusted| trusted.principal == service)
    }
}

impl Record for Organization {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

/// A place in an organization: its root, an organizational unit, or an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationNode {
    /// The organization.
    pub organization: String,
    /// `r-…`, `ou-…`, or the account's number.
    pub id: String,
    /// What it is under; the root is under nothing.
    #[serde(default)]
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// The ids of the policies that are attached, in the order of attachment.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// What more there is to an account.
    #[serde(default)]
    pub account: Option<MemberAccount>,
}

/// An account as its organization knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberAccount {
    /// The account.
    pub id: AccountId,
    /// The address of its root user.
    pub email: String,
    /// When it joined.
    pub joined: Timestamp,
    /// Whether it was made in the organization, or came by an invitation.
    pub created_here: bool,
    /// When it was closed, if it was: from then on nobody in it is anybody.
    #[serde(default)]
    pub closed: Option<Timestamp>,
    /// The services that it administers for the whole organization.
    #[serde(default)]
    pub delegated: Vec<TrustedService>,
}

impl OrganizationNode {
    /// Where the node stands.
    #[must_use]
    pub fn key_of(organization: &str, id: &str) -> Key {
        Key::new(&["organization-node", organization, id])
    }

    /// Where all of an organization's nodes stand.
    #[must_use]
    pub fn all(organization: &str) -> Prefix {
        Prefix::new(&["organization-node", organization])
    }
}

impl Record for OrganizationNode {
    fn key(&self) -> Key {
        Self::key_of(&self.organization, &self.id)
    }
}

/// Which organization an account is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The account.
    pub account: AccountId,
    /// The organization.
    pub organization: String,
}

impl Membership {
    /// Where an account's membership stands.
    #[must_use]
    pub fn key_of(account: &AccountId) -> Key {
        Key::new(&["organization-membership", account.as_str()])
    }
}

impl Record for Membership {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}

/// A service control policy or resource control policy. (AWS's own two are data of the program, not records.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPolicy {
    /// The organization.
    pub organization: String,
    /// `p-…`.
    pub id: String,
    /// Its type.
    pub kind: ControlPolicyType,
    /// Its name.
    pub name: String,
    /// What it is for, in its owner's words.
    pub description: String,
    /// The document, as it was put.
    pub document: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl OrganizationPolicy {
    /// Where the policy stands.
    #[must_use]
    pub fn key_of(organization: &str, id: &str) -> Key {
        Key::new(&["organization-policy", organization, id])
    }

    /// Where all of an organization's policies stand.
    #[must_use]
    pub fn all(organization: &str) -> Prefix {
        Prefix::new(&["organization-policy", organization])
    }
}

impl Record for OrganizationPolicy {
    fn key(&self) -> Key {
        Self::key_of(&self.organization, &self.id)
    }
}
