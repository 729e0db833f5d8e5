//! What users and roles may do, compiled, and kept until something that it came from changes.
//!
//! A decision never reads the store: it takes a principal's compiled policies from here. A commit on this node takes
//! what it touches out of here before it is acknowledged, so the next request sees the change.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use daypass_model::AccountId;
use daypass_policy::{Document, DocumentKind, Policy, PolicySet, PolicySource, PrincipalPolicies};
use daypass_store::records::{Group, ManagedPolicy, Policies, Role, Tag, User};
use daypass_store::{Change, Key, Read as _, Store, StoreError, Tx};

use crate::aws_managed::{self, AwsManagedPolicy};
use crate::delegation::PartnerBoundary;

/// The most principals that are kept compiled.
const MAX_PRINCIPALS: usize = 50_000;
/// The most documents that are kept compiled.
const MAX_DOCUMENTS: usize = 50_000;
/// So many changed keys are remembered for principals that are being compiled meanwhile.
const RECENT: usize = 4096;

/// A user or role with what it may do.
pub struct Identity {
    /// Whose policies these are.
    pub who: Who,
    /// The policies of the user or role and, of a user, its groups.
    pub attached: Vec<Arc<Policy>>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Policy>>,
    /// Both compiled, without session policies.
    pub policies: Arc<PrincipalPolicies>,
    /// The records that it came from.
    sources: Vec<Key>,
}

/// A user or a role.
pub enum Who {
    /// A user.
    User(Box<User>),
    /// A role.
    Role(Box<Role>),
}

impl Who {
    /// The account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        match self {
            Self::User(user) => &user.account,
            Self::Role(role) => &role.account,
        }
    }

    /// The tags that become `aws:PrincipalTag`.
    #[must_use]
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::User(user) => &user.tags,
            Self::Role(role) => &role.tags,
        }
    }
}

impl Identity {
    /// The same with session policies.
    pub(crate) fn with_session(&self, session: Vec<Arc<Policy>>) -> PrincipalPolicies {
        let mut builder =
            PrincipalPolicies::builder().identity(self.attached.iter().cloned()).session(session);
        if let Some(boundary) = &self.boundary {
            builder = builder.boundary(Arc::clone(boundary));
        }
        builder.build()
    }
}

/// Every identity that was asked for lately. Cheap to clone.
#[derive(Clone)]
pub struct Identities {
    store: Store,
    cache: Arc<RwLock<Cache>>,
}

#[derive(Default)]
struct Cache {
    /// By the key of the user or role.
    principals: HashMap<Key, Arc<Identity>>,
    /// Which principals came from a record.
    dependents: HashMap<Key, HashSet<Key>>,
    /// Compiled documents by what they are called; the text tells whether it is still the one.
    documents: HashMap<String, (String, Arc<Policy>)>,
    /// Counts the changes of the state.
    generation: u64,
    /// The last changes, each with the generation that it began.
    recent: VecDeque<(u64, Key)>,
}

impl Cache {
    fn changed(&mut self, key: &Key) {
        self.generation += 1;
        self.recent.push_back((self.generation, key.clone()));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        for principal in self.dependents.remove(key).unwrap_or_default() {
            self.principals.remove(&principal);
        }
    }

    /// Whether none of the records changed since a generation, as far as is remembered.
    fn unchanged(&self, since: u64, sources: &[Key]) -> bool {
        let remembered = self.recent.front().is_none_or(|(first, _)| *first <= since + 1);
        let touched = |(generation, key): &(u64, Key)| *generation > since && sources.contains(key);
        (remembered || self.generation == since) && !self.recent.iter().any(touched)
    }

    fn keep(&mut self, place: &Key, identity: &Arc<Identity>) {
        if self.principals.len() >= MAX_PRINCIPALS {
            self.principals.clear();
            self.dependents.clear();
        }
        for source in &identity.sources {
            self.dependents.entry(source.clone()).or_default().insert(place.clone());
        }
        self.principals.insert(place.clone(), Arc::clone(identity));
    }
}

impl Identities {
    /// The identities of a store; they follow its commits.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        let cache = Arc::new(RwLock::new(Cache::default()));
        let follower = Arc::clone(&cache);
        store.on_commit(move |changes: &[Change]| {
            let mut cache = follower.write().unwrap_or_else(PoisonError::into_inner);
            for change in changes {
                cache.changed(&change.key);
            }
        });
        Self { store: store.clone(), cache }
    }

    /// The user of that name.
    ///
    /// # Errors
    /// If the store fails.
    pub fn user(&self, account: &AccountId, name: &str) -> Result<Option<Arc<Identity>>, StoreError> {
        self.get(&User::key_of(account, name), |place, tx| {
            Ok(tx.get::<User>(place)?.map(|user| Who::User(Box::new(user))))
        })
    }

    /// The role of that name.
    ///
    /// # Errors
    /// If the store fails.
    pub fn role(&self, account: &AccountId, name: &str) -> Result<Option<Arc<Identity>>, StoreError> {
        self.get(&Role::key_of(account, name), |place, tx| {
            Ok(tx.get::<Role>(place)?.map(|role| Who::Role(Box::new(role))))
        })
    }

    fn get(
        &self,
        place: &Key,
        find: impl FnOnce(&Key, &Tx<'_>) -> Result<Option<Who>, StoreError>,
    ) -> Result<Option<Arc<Identity>>, StoreError> {
        let before = {
            let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = cache.principals.get(place) {
                return Ok(Some(Arc::clone(found)));
            }
            cache.generation
        };
        let built = self.store.read(|tx| {
            let Some(who) = find(place, tx)? else { return Ok(None) };
            self.build(place, who, tx).map(Some)
        })?;
        let Some(identity) = built else { return Ok(None) };
        let identity = Arc::new(identity);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        // What changed while it was compiled is not in it; then it serves this request, which began before, and no other.
        if cache.unchanged(before, &identity.sources) {
            cache.keep(place, &identity);
        }
        Ok(Some(identity))
    }

    fn build(&self, place: &Key, who: Who, tx: &Tx<'_>) -> Result<Identity, StoreError> {
        let account = who.account().clone();
        let mut found =
            Gathering { identities: self, tx, account, sources: vec![place.clone()], attached: vec![] };
        let boundary = match &who {
            Who::User(user) => {
                found.collect(&user.policies, &format!("user {}", user.name))?;
                for name in &user.groups {
                    found.group(name)?;
                }
                &user.permissions_boundary
            }
            Who::Role(role) => {
                found.collect(&role.policies, &format!("role {}", role.name))?;
                &role.permissions_boundary
            }
        };
        let boundary = match boundary {
            // A boundary that is not there bounds everything.
            Some(arn) => Some(found.managed(arn)?.unwrap_or_else(|| nothing(arn))),
            None => None,
        };
        let Gathering { sources, attached, .. } = found;
        let mut builder = PrincipalPolicies::builder().identity(attached.iter().cloned());
        if let Some(boundary) = &boundary {
            builder = builder.boundary(Arc::clone(boundary));
        }
        Ok(Identity { who, policies: Arc::new(builder.build()), attached, boundary, sources })
    }

    /// The managed policies of these ARNs, as session policies.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn session_policies(
        &self,
        account: &AccountId,
        inline: Option<&str>,
        arns: &[String],
    ) -> Result<Vec<Arc<Policy>>, StoreError> {
        let mut out = vec![];
        if let Some(document) = inline {
            let document = Document::load(DocumentKind::Session, document);
            out.push(Policy::compile(PolicySource::named("session policy"), document));
        }
        self.store.read(|tx| {
            let mut found = Gathering {
                identities: self,
                tx,
                account: account.clone(),
                sources: vec![],
                attached: vec![],
            };
            for arn in arns {
                out.extend(found.managed(arn)?);
            }
            // Policies were asked for and none is left: nothing is what they allow together.
            if out.is_empty() {
                out.push(nothing("session policy"));
            }
            Ok(out)
        })
    }

    /// A role's trust policy, compiled.
    #[must_use]
    pub fn trust_policy(&self, role: &Role) -> Arc<PolicySet> {
        let called = format!("{}/trust policy of role {}", role.account, role.name);
        let source = || PolicySource::named(format!("trust policy of role {}", role.name));
        Arc::new(PolicySet::new([self.compile(&called, &role.trust_policy, DocumentKind::Trust, source)]))
    }

    /// A bucket's policy, compiled.
    #[must_use]
    pub fn bucket_policy(&self, bucket: &str, document: &str) -> Arc<PolicySet> {
        let called = format!("bucket policy of {bucket}");
        let source = || PolicySource::named(called.clone());
        Arc::new(PolicySet::new([self.compile(&called, document, DocumentKind::Bucket, source)]))
    }

    /// Compiles a document, or takes it from the ones that were.
    fn compile(
        &self,
        called: &str,
        text: &str,
        kind: DocumentKind,
        source: impl FnOnce() -> PolicySource,
    ) -> Arc<Policy> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, policy)) = cache.documents.get(called)
            && known == text
        {
            return Arc::clone(policy);
        }
        drop(cache);
        let policy = Policy::compile(source(), Document::load(kind, text));
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.documents.len() >= MAX_DOCUMENTS {
            cache.documents.clear();
        }
        cache.documents.insert(called.to_owned(), (text.to_owned(), Arc::clone(&policy)));
        policy
    }
}

/// The policies of an identity, as they are found, and the records that they come from.
struct Gathering<'a> {
    identities: &'a Identities,
    tx: &'a Tx<'a>,
    account: AccountId,
    sources: Vec<Key>,
    attached: Vec<Arc<Policy>>,
}

impl Gathering<'_> {
    fn collect(&mut self, policies: &Policies, owner: &str) -> Result<(), StoreError> {
        for (name, document) in &policies.inline {
            let called = format!("inline policy {name} of {owner}");
            let place = format!("{}/{called}", self.account);
            let source = || PolicySource::named(called.clone());
            self.attached.push(self.identities.compile(&place, document, DocumentKind::Inline, source));
        }
        for arn in &policies.attached {
            let policy = self.managed(arn)?;
            self.attached.extend(policy);
        }
        Ok(())
    }

    fn group(&mut self, name: &str) -> Result<(), StoreError> {
        let key = Group::key_of(&self.account, name);
        let group = self.tx.get::<Group>(&key)?;
        self.sources.push(key);
        match group {
            Some(group) => self.collect(&group.policies, &format!("group {}", group.name)),
            None => Ok(()),
        }
    }

    /// The managed policy of that ARN: AWS's, a boundary of a partner's, or the account's own.
    fn managed(&mut self, arn: &str) -> Result<Option<Arc<Policy>>, StoreError> {
        if let Some(policy) = AwsManagedPolicy::find(arn) {
            return Ok(Some(policy.compiled()));
        }
        if let Some(place) = PartnerBoundary::place_of(arn) {
            let boundary = self.tx.get::<PartnerBoundary>(&place)?;
            self.sources.push(place);
            let source = || aws_managed::source(arn);
            let compile = |boundary: PartnerBoundary| {
                self.identities.compile(arn, &boundary.document, DocumentKind::Managed, source)
            };
            return Ok(boundary.map(compile));
        }
        let Some(name) = customer_managed_name(arn, &self.account) else { return Ok(None) };
        let key = ManagedPolicy::key_of(&self.account, name);
        let policy = self.tx.get::<ManagedPolicy>(&key)?.filter(|p| p.arn() == arn);
        self.sources.push(key);
        let Some(version) = policy.as_ref().and_then(ManagedPolicy::default_document) else {
            return Ok(None);
        };
        let source = || aws_managed::source(arn);
        Ok(Some(self.identities.compile(arn, &version.document, DocumentKind::Managed, source)))
    }
}

/// The name in `arn:aws:iam::123456789012:policy/path/name`, if it is a policy of that account.
#[must_use]
pub fn customer_managed_name<'a>(arn: &'a str, account: &AccountId) -> Option<&'a str> {
    let rest = arn.strip_prefix("arn:aws:iam::")?.strip_prefix(account.as_str())?.strip_prefix(":policy/")?;
    rest.rsplit('/').next().filter(|name| !name.is_empty())
}

/// A policy that allows nothing.
fn nothing(called: &str) -> Arc<Policy> {
    let document = Document::load(DocumentKind::Managed, r#"{"Version":"2012-10-17","Statement":[]}"#);
    Policy::compile(aws_managed::source(called), document)
}
