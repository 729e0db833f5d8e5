//! What users, groups, roles, managed policies and instance profiles have in common: they are found, asked about and
//! tagged in the same way. What differs is said once for each kind, here.

use daypass_core::store::records::{
    Group, Indexed, InstanceProfile, ManagedPolicy, OidcProvider, Policies, Role, SamlProvider, Tag, User,
};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Cx, Error, Fault, Quota};

use crate::fault::{no_such_entity, no_such_policy, protected_role};
use crate::policy_arn::PolicyArn;
use crate::quota;

/// A kind of entity. A request names one by its handle: its name, or the ARN of a policy.
pub(crate) trait Entity: Indexed {
    /// The entity of that handle.
    fn find(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Option<Self>, StoreError>;

    /// What is said where there is none.
    fn missing(handle: &str) -> Fault;

    /// Its ARN.
    fn arn(&self) -> String;

    /// The ARN that is asked about where there is none.
    fn arn_of(cx: &Cx, handle: &str) -> String;

    /// Its tags; a group has none.
    fn tags(&self) -> &[Tag];

    /// The entity of that handle, or what is said where there is none.
    fn load(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Self, Error> {
        Self::find(cx, tx, handle)?.ok_or_else(|| Self::missing(handle).into())
    }

    /// Whether the caller may do what it asks for to the entity of that handle: by its own ARN, with its path, if it is
    /// there.
    fn check(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Check, StoreError> {
        Ok(Self::question(cx, handle, Self::find(cx, tx, handle)?.as_ref()))
    }

    /// The same question for an entity that is at hand.
    fn question(cx: &Cx, handle: &str, found: Option<&Self>) -> Check {
        let action = cx.operation().action;
        match found {
            Some(found) => Check::new(action, found.arn()).resource_tags(found.tags()),
            None => Check::new(action, Self::arn_of(cx, handle)),
        }
    }
}

/// `arn:aws:iam::123456789012:role/division/name`.
pub(crate) fn arn(cx: &Cx, kind: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{}:{kind}{path}{name}", cx.account())
}

/// Implements [`Entity`] for what is found by its name. The kind is as ARNs have it, the words are AWS's for what is not
/// there.
macro_rules! named {
    ($record:ty, $kind:literal, $words:literal, $tags:expr) => {
        impl Entity for $record {
            fn find(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Option<Self>, StoreError> {
                tx.get(&Self::key_of(&cx.account(), handle))
            }

            fn missing(handle: &str) -> Fault {
                no_such_entity(format!($words, handle))
            }

            fn arn(&self) -> String {
                self.arn()
            }

            fn arn_of(cx: &Cx, handle: &str) -> String {
                arn(cx, $kind, "/", handle)
            }

            fn tags(&self) -> &[Tag] {
                let tags: fn(&Self) -> &[Tag] = $tags;
                tags(self)
            }
        }
    };
}

named!(User, "user", "The user with name {} cannot be found.", |user| &user.tags);
named!(Group, "group", "The group with name {} cannot be found.", |_| &[]);
named!(Role, "role", "The role with name {} cannot be found.", |role| &role.tags);
named!(InstanceProfile, "instance-profile", "Instance Profile {} cannot be found.", |profile| &profile.tags);

impl Entity for ManagedPolicy {
    /// Only the caller's account's own; AWS's are no records.
    fn find(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Option<Self>, StoreError> {
        let account = cx.account();
        let Some(name) = daypass_core::customer_managed_name(handle, &account) else { return Ok(None) };
        Ok(tx.get::<Self>(&Self::key_of(&account, name))?.filter(|policy| policy.arn() == handle))
    }

    fn missing(handle: &str) -> Fault {
        no_such_policy(handle)
    }

    fn load(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Self, Error> {
        PolicyArn::parse(handle)?;
        Self::find(cx, tx, handle)?.ok_or_else(|| Self::missing(handle).into())
    }

    fn arn(&self) -> String {
        self.arn()
    }

    /// What is no ARN is a resource that only `*` covers; that it is none is for the operation to say.
    fn arn_of(_: &Cx, handle: &str) -> String {
        match PolicyArn::parse(handle) {
            Ok(_) => handle.to_owned(),
            Err(_) => "*".to_owned(),
        }
    }

    fn question(cx: &Cx, handle: &str, found: Option<&Self>) -> Check {
        let action = cx.operation().action;
        let check = match found {
            Some(found) => Check::new(action, found.arn()).resource_tags(&found.tags),
            None => Check::new(action, Self::arn_of(cx, handle)),
        };
        // A policy of another account is not the caller's to ask about, whatever its own account's policies say.
        let owner = PolicyArn::parse(handle).ok().and_then(|arn| arn.account().parse().ok());
        match owner {
            Some(owner) if owner != cx.account() => check.of_account(owner),
            _ => check,
        }
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

/// Implements [`Entity`] for an identity provider, which is found by its ARN. The kind is as ARNs have it, the words are
/// AWS's for what is not there.
macro_rules! provider {
    ($record:ty, $kind:literal, $words:literal) => {
        impl Entity for $record {
            fn find(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Option<Self>, StoreError> {
                let name = handle.strip_prefix(arn(cx, $kind, "/", "").as_str()).filter(|n| !n.is_empty());
                let Some(name) = name else { return Ok(None) };
                Ok(tx.get::<Self>(&Self::key_of(&cx.account(), name))?.filter(|found| found.arn() == handle))
            }

            fn missing(handle: &str) -> Fault {
                no_such_entity(format!($words, handle))
            }

            fn arn(&self) -> String {
                self.arn()
            }

            /// What is no ARN of a provider of the account is a resource that only `*` covers.
            fn arn_of(cx: &Cx, handle: &str) -> String {
                let own = handle.starts_with(&arn(cx, $kind, "/", ""));
                if own { handle.to_owned() } else { "*".to_owned() }
            }

            fn tags(&self) -> &[Tag] {
                &self.tags
            }
        }
    };
}

provider!(OidcProvider, "oidc-provider", "OpenIDConnect Provider not found for arn {}");
provider!(SamlProvider, "saml-provider", "SAMLProvider {} not found");

/// What has tags that callers set.
pub(crate) trait Tagged: Entity {
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
}

macro_rules! tagged {
    ($($record:ty),*) => {
        $(impl Tagged for $record {
            fn tags_mut(&mut self) -> &mut Vec<Tag> {
                &mut self.tags
            }
        })*
    };
}

tagged!(User, Role, ManagedPolicy, InstanceProfile, OidcProvider, SamlProvider);

/// What policies are attached to: a user, a group or a role.
pub(crate) trait Identity: Entity {
    /// What messages call the kind.
    const KIND: &'static str;
    /// The quota of attached policies.
    const ATTACHED_QUOTA: Quota;
    /// Characters of all its inline policies together.
    const INLINE_SIZE: usize;
    /// AWS's words for a policy that only a service-linked role can have.
    const NOT_FOR_SERVICES: &'static str;

    fn name(&self) -> &str;

    fn policies(&self) -> &Policies;

    /// To be changed, unless only AWS changes it.
    fn policies_mut(&mut self) -> Result<&mut Policies, Fault>;

    /// Its permissions boundary; a group has none.
    fn boundary(&self) -> Option<&str>;
}

impl Identity for User {
    const KIND: &'static str = "user";
    const ATTACHED_QUOTA: Quota = Quota::PoliciesPerUser;
    const INLINE_SIZE: usize = quota::USER_POLICY_SIZE;
    const NOT_FOR_SERVICES: &'static str = "Cannot attach a Service Role Policy to an IAM user";

    fn name(&self) -> &str {
        &self.name
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> Result<&mut Policies, Fault> {
        Ok(&mut self.policies)
    }

    fn boundary(&self) -> Option<&str> {
        self.permissions_boundary.as_deref()
    }
}

impl Identity for Group {
    const KIND: &'static str = "group";
    const ATTACHED_QUOTA: Quota = Quota::PoliciesPerGroup;
    const INLINE_SIZE: usize = quota::GROUP_POLICY_SIZE;
    // Not seen recorded: after the words for a user.
    const NOT_FOR_SERVICES: &'static str = "Cannot attach a Service Role Policy to an IAM group";

    fn name(&self) -> &str {
        &self.name
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> Result<&mut Policies, Fault> {
        Ok(&mut self.policies)
    }

    fn boundary(&self) -> Option<&str> {
        None
    }
}

impl Identity for Role {
    const KIND: &'static str = "role";
    const ATTACHED_QUOTA: Quota = Quota::PoliciesPerRole;
    const INLINE_SIZE: usize = quota::ROLE_POLICY_SIZE;
    const NOT_FOR_SERVICES: &'static str = "Cannot attach a Service Role Policy to a Customer Role.";

    fn name(&self) -> &str {
        &self.name
    }

    fn policies(&self) -> &Policies {
        &self.policies
    }

    fn policies_mut(&mut self) -> Result<&mut Policies, Fault> {
        modifiable(self)?;
        Ok(&mut self.policies)
    }

    fn boundary(&self) -> Option<&str> {
        self.permissions_boundary.as_deref()
    }
}

/// A role that is linked to a service is only changed by that service (IAM user guide, `using-service-linked-roles`).
pub(crate) fn modifiable(role: &Role) -> Result<(), Fault> {
    if role.path.starts_with(SERVICE_LINKED_PATH) { Err(protected_role(&role.name)) } else { Ok(()) }
}

/// Where service-linked roles are.
pub(crate) const SERVICE_LINKED_PATH: &str = "/aws-service-role/";

/// What has a permissions boundary: a user or a role.
pub(crate) trait Bounded: Identity {
    /// To be changed, unless only AWS changes it.
    fn boundary_mut(&mut self) -> Result<&mut Option<String>, Fault>;
}

impl Bounded for User {
    fn boundary_mut(&mut self) -> Result<&mut Option<String>, Fault> {
        Ok(&mut self.permissions_boundary)
    }
}

impl Bounded for Role {
    fn boundary_mut(&mut self) -> Result<&mut Option<String>, Fault> {
        modifiable(self)?;
        Ok(&mut self.permissions_boundary)
    }
}

/// The question about an identity, with its permissions boundary: the key that keeps those who may only give rights
/// below a boundary from giving them to what has none (`access_policies_boundaries`, delegating responsibility).
pub(crate) fn check_identity<I: Identity>(cx: &Cx, tx: &Tx<'_>, name: &str) -> Result<Check, StoreError> {
    let found = I::find(cx, tx, name)?;
    let boundary = found.as_ref().and_then(Identity::boundary).map(str::to_owned);
    Ok(I::question(cx, name, found.as_ref()).with_some("iam:PermissionsBoundary", boundary))
}
