//! The records that more than one service reads: each owns its key and its invariants. What only one service knows is
//! kept by that service.
//!
//! Names in IAM are told apart without regard to case, and keep theirs; so a key holds the lower case.

mod access_key;
mod account;
mod group;
mod identity_provider;
mod indexed;
mod instance;
mod instance_profile;
mod key_ring;
mod login_profile;
mod managed_policy;
mod mfa_device;
mod organization;
mod reference;
mod role;
mod service_last_used;
mod tally;
mod unique_id;
mod user;

use serde::{Deserialize, Serialize};

pub use access_key::{AccessKey, AccessKeyLastUsed, AccessKeyStatus};
pub use account::{Account, AccountAlias};
pub use group::Group;
pub use identity_provider::{
    AssertionEncryption, OidcProvider, SamlPrivateKey, SamlProvider, TokenIssuer, TokenIssuerId, TokenKey,
    UsedAssertion,
};
pub use indexed::{Index, Indexed};
pub use instance::{
    Endpoint, HttpTokens, Instance, InstanceState, MetadataOptions, NetworkInterface, ProfileAssociation,
    StateReason,
};
pub use instance_profile::InstanceProfile;
pub use key_ring::{KeyRing, RingKey};
pub use login_profile::{LoginProfile, PasswordPolicy};
pub use managed_policy::{ManagedPolicy, PolicyVersion};
pub use mfa_device::{MfaAssignment, MfaDevice, MfaProgress, MfaUser};
pub use organization::{
    ControlPolicyType, MemberAccount, Membership, Organization, OrganizationNode, OrganizationPolicy,
    RootFeature, TrustedService,
};
pub use reference::{EntityKind, Reference, Target};
pub use role::{Role, RoleLastUsed};
pub use service_last_used::ServiceLastUsed;
pub use tally::{Counted, Tally};
pub use unique_id::UniqueId;
pub use user::User;

/// A tag. In IAM, keys are told apart without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A secret as it is kept: encrypted, and of use only with the key ring.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// What an identity may do, as far as it is attached to itself: embedded documents and attached policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// Inline policies: name and document, as it was put.
    #[serde(default)]
    pub inline: std::collections::BTreeMap<String, String>,
    /// The ARNs of the attached managed policies, in the order of attachment.
    #[serde(default)]
    pub attached: Vec<String>,
}

impl Policies {
    /// The managed policies that are referred to: those that are attached, and the boundary.
    fn targets<'p>(&'p self, boundary: Option<&'p str>) -> impl Iterator<Item = Target> + 'p {
        let attached = self.attached.iter().map(|arn| Target::Attached(arn.clone()));
        attached.chain(boundary.map(|arn| Target::Boundary(arn.to_owned())))
    }
}
