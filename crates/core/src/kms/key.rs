//! A key: its record, its policy, and whether it can be used.

use std::sync::{Arc, OnceLock};

use daypass_model::{AccountId, Timestamp};
use daypass_policy::{Document, DocumentKind, Policy, PolicySet, PolicySource};
use daypass_store::records::{Sealed, Tag};
use daypass_store::{Key as Place, Prefix, Record};
use serde::{Deserialize, Serialize};

use super::ciphertext::EncryptionContext;
use super::grant::Grant;
use crate::key_ring::{KeyRing, KeyRingError, Purpose, Unopenable};
use crate::{Check, Cx, Guard, Secret};

/// A symmetric key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Whose it is.
    pub account: AccountId,
    /// Where it is.
    pub region: String,
    /// A UUID.
    pub id: String,
    /// Who looks after it.
    pub manager: Manager,
    /// When it was made.
    pub created: Timestamp,
    /// What it is for, in its owner's words.
    pub description: String,
    /// Its policy: the document as it was put, but principals of IAM as unique ids.
    policy: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// When it will be deleted, if it was scheduled to.
    #[serde(default)]
    pub deletion: Option<Timestamp>,
    /// Its material, the oldest first: the last seals, each opens what it sealed.
    pub materials: Vec<Material>,
    /// How it is rotated by itself.
    #[serde(default)]
    pub rotation: Option<Rotation>,
    /// The names of its aliases, each `alias/…`, as their records have them.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Its grants.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Its policy and grants, compiled.
    #[serde(skip)]
    compiled: OnceLock<Arc<PolicySet>>,
}

/// Who looks after a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// Its account.
    Customer,
    /// The service of this name, in the account.
    Aws(String),
}

/// 256 bits that seal and open.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The bytes, sealed by the key ring.
    secret: Sealed,
    /// When it came.
    pub created: Timestamp,
    /// Whether somebody asked for it, and not its time had come.
    #[serde(default)]
    pub on_demand: bool,
}

/// Rotation by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How often, in days.
    pub period_days: u32,
    /// When next.
    pub next: Timestamp,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is switched off.
    Disabled,
    /// It waits to be deleted.
    PendingDeletion,
}

impl Unusable {
    /// As KMS says it of a key.
    #[must_use]
    pub fn of(self, arn: &str) -> String {
        match self {
            Self::Disabled => format!("{arn} is disabled."),
            Self::PendingDeletion => format!("{arn} is pending deletion."),
        }
    }
}

impl Key {
    /// A new key without material.
    #[must_use]
    pub fn new(
        (account, region): (AccountId, &str),
        id: String,
        manager: Manager,
        policy: String,
        created: Timestamp,
    ) -> Self {
        Self {
            account,
            region: region.to_owned(),
            id,
            manager,
            created,
            description: String::new(),
            policy,
            enabled: true,
            deletion: None,
            materials: vec![],
            rotation: None,
            aliases: vec![],
            tags: vec![],
            grants: vec![],
            compiled: OnceLock::new(),
        }
    }

    /// Where the key of that id stands.
    #[must_use]
    pub fn key_of(account: &AccountId, region: &str, id: &str) -> Place {
        Place::new(&["kms", "key", account.as_str(), region, id])
    }

    /// Where an account's keys of a region stand.
    #[must_use]
    pub fn all(account: &AccountId, region: &str) -> Prefix {
        Prefix::new(&["kms", "key", account.as_str(), region])
    }

    /// Where all keys stand.
    #[must_use]
    pub fn everywhere() -> Prefix {
        Prefix::new(&["kms", "key"])
    }

    /// `arn:aws:kms:us-east-1:123456789012:key/…`.
    #[must_use]
    pub fn arn(&self) -> String {
        arn(&self.account, &self.region, &self.id)
    }

    /// Whether it was deleted by now; from then on it is as if it had never been.
    #[must_use]
    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|at| at <= now)
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn usable(&self) -> Result<(), Unusable> {
        match (self.deletion, self.enabled) {
            (Some(_), _) => Err(Unusable::PendingDeletion),
            (None, false) => Err(Unusable::Disabled),
            (None, true) => Ok(()),
        }
    }

    /// Its policy, as it is kept.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// Puts a policy.
    pub fn set_policy(&mut self, policy: String) {
        self.policy = policy;
        self.compiled = OnceLock::new();
    }

    /// Adds a grant, or takes some away.
    pub fn change_grants(&mut self, change: impl FnOnce(&mut Vec<Grant>)) {
        change(&mut self.grants);
        self.compiled = OnceLock::new();
    }

    /// Its policy and its grants, compiled once for as long as the record is kept.
    #[must_use]
    pub fn guard(&self) -> Arc<PolicySet> {
        let compiled = self.compiled.get_or_init(|| {
            let source = PolicySource::named(format!("policy of key {}", self.id));
            let policy = Policy::compile(source, Document::load(DocumentKind::Resource, &self.policy));
            let grants = self.grants.iter().filter_map(|grant| grant.policy(&self.id));
            Arc::new(PolicySet::new([policy].into_iter().chain(grants)))
        });
        Arc::clone(compiled)
    }

    /// The same, where it is known what another copy of the record compiles to: what a transaction reads is decoded anew each
    /// time, and has up to hundreds of grants.
    pub fn compile_like(&self, kept: &Self) {
        if self.policy == kept.policy && self.grants == kept.grants && self.id == kept.id {
            self.compiled.get_or_init(|| kept.guard());
        }
    }

    /// May the caller do this with the key? By its policy, and by what the policy leaves to the account. The condition keys
    /// are those of every request about a key (service authorization reference, "Condition keys for AWS Key Management
    /// Service").
    #[must_use]
    pub fn check(&self, cx: &Cx, action: &'static str) -> Check {
        let caller = cx.caller().account();
        Check::new(action, self.arn())
            .of_account(self.account.clone())
            .guarded_by(Guard::Required(self.guard()))
            .resource_tags(&self.tags)
            .with_some("kms:CallerAccount", caller.map(|account| account.to_string()))
            .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
            .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
            .with("kms:KeyOrigin", "AWS_KMS")
            .with_flag("kms:MultiRegion", false)
            .with_list("kms:ResourceAliases", self.aliases.clone())
    }

    /// The same for what seals or opens under an encryption context.
    #[must_use]
    pub fn check_under(&self, cx: &Cx, action: &'static str, context: &EncryptionContext) -> Check {
        let check = self.check(cx, action).with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
        if context.is_empty() {
            return check;
        }
        let keys = context.keys().cloned().collect();
        context
            .iter()
            .fold(check, |check, (key, value)| {
                check.with(format!("kms:EncryptionContext:{key}"), value.clone())
            })
            .with_list("kms:EncryptionContextKeys", keys)
    }

    /// The same, asked by a service of AWS's for the caller (`kms:ViaService`).
    #[must_use]
    pub fn check_via(
        &self,
        cx: &Cx,
        service: &str,
        action: &'static str,
        context: &EncryptionContext,
    ) -> Check {
        self.check_under(cx, action, context)
            .with("kms:ViaService", format!("{service}.{}.amazonaws.com", self.region))
            .with_flag("aws:ViaAWSService", true)
    }

    /// Adds material, which seals from now on: bytes that nobody can guess.
    ///
    /// # Errors
    /// If the key ring fails.
    pub fn add_material(
        &mut self,
        ring: &KeyRing,
        material: &Secret<[u8; 32]>,
        id: &[u8; 32],
        created: Timestamp,
        on_demand: bool,
    ) -> Result<(), KeyRingError> {
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let secret =
            Sealed(ring.seal(Purpose::Record, self.seal_context(&id).as_bytes(), material.expose())?);
        self.materials.push(Material { id, secret, created, on_demand });
        Ok(())
    }

    /// The bytes of a material, by its place.
    pub(super) fn material(&self, ring: &KeyRing, at: usize) -> Result<Secret<Vec<u8>>, Unopenable> {
        let material = self.materials.get(at).ok_or(Unopenable)?;
        ring.open(Purpose::Record, self.seal_context(&material.id).as_bytes(), &material.secret.0)
    }

    /// What material is sealed with, so that it opens in its own key only.
    fn seal_context(&self, material: &str) -> String {
        format!("kms key {} {material}", self.arn())
    }
}

impl Record for Key {
    fn key(&self) -> Place {
        Self::key_of(&self.account, &self.region, &self.id)
    }
}

/// The ARN of the key of that id.
pub(super) fn arn(account: &AccountId, region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}
