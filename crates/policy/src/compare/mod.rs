//! What two sets of policies allow, compared: what one lets through that the other does not, with a request that shows it.
//!
//! The question is asked over *all* requests: every action, every resource, every circumstance. It is what IAM Access
//! Analyzer's custom policy checks ask (`access-analyzer-custom-policy-checks`), and what a reviewer of a pull request wants
//! to know: what became allowed, and what stopped.
//!
//! ```
//! use daypass_policy::compare::{ComparedPolicies, compare};
//! use daypass_policy::{Document, DocumentKind, Policy, PolicySource};
//! # let of = |resource: &str| {
//! #     let text = format!(
//! #         r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "s3:Get*", "Resource": "{resource}"}}}}"#);
//! #     let document = Document::parse(DocumentKind::Managed, &text).unwrap();
//! #     ComparedPolicies::identity([Policy::compile(PolicySource::named("p"), document)])
//! # };
//! // Each allows `s3:Get*` on the resource.
//! let (old, new) = (of("arn:aws:s3:::b/in/*"), of("arn:aws:s3:::b/*"));
//! let compared = compare(&old, &new);
//! assert!(compared.removed.surely_none());
//! let witness = &compared.added.list[0].witness;
//! assert_eq!((&*witness.action, &*witness.resource), ("s3:Get", "arn:aws:s3:::b/x"));
//! ```
//!
//! | question | function | AWS's check |
//! |---|---|---|
//! | what became allowed, what stopped? | [`compare`] | |
//! | is anything new allowed? | [`new_access`] | `CheckNoNewAccess` |
//! | is some of this access granted? | [`grants`] | `CheckAccessNotGranted` |
//! | is a resource open to the public? | [`public_access`] | `CheckNoPublicAccess` |
//!
//! A program that gates a change asks [`Differences::surely_none`]: an empty list alone is not enough.
//!
//! # How it works
//!
//! There are infinitely many requests, but policies can only tell finitely many kinds of them apart.
//!
//! 1. **Actions** (`actions`). The patterns of a service become an automaton; names that end in states which accept for
//!    the same statements are one class (`class`, `automaton`), and each class has a shortest example. Case is ignored
//!    (`reference_policies_elements_action`). Classes that the same statements are about are looked at together.
//! 2. **Resources** (`resources`). The same, for one entry of a statement that allows after the other: what else is
//!    listed there is put into one automaton, part by part of the ARN, with `*` crossing colons only where it may
//!    (`reference_policies_elements_resource`). Mostly that is not needed: if nothing differs where only what *always*
//!    matches does, nothing differs at all. `*` as the resource also stands for actions that have none.
//! 3. **Condition keys** (`domain`, `values`, `scale`). All that the policies compare a key with cuts its values into
//!    classes: by an automaton for texts and ARNs, by thresholds for numbers, dates and addresses
//!    (`reference_policies_elements_condition_operators`). With absent, and with sets of values as far as tests tell them
//!    apart, those are the states of the key.
//! 4. **Principals** (`principals`), for policies of resources: everyone that is named, in each way in which they may be,
//!    and strangers (`reference_policies_elements_principal`).
//! 5. **The search** (`solve`, `place`). A statement counts where each of its elements does; each looks at one key. So
//!    what is asked is a small problem of choosing a state for each key: some `Allow` of one side must count, no `Deny` of
//!    it may, and of the other side nothing may that allows, or something must that denies.
//! 6. **The witness** (`witness`). What the search finds is made into a request, and [`Policies::decide`](crate::Policies::decide) is asked on
//!    both sides. Only what it confirms is listed.
//!
//! # What is certain
//!
//! Every difference that is listed is one: the evaluator said so. That there are no others is said
//! ([`Certainty::Exact`]) only where the search went through everything. Where it met more than it can work out it leaves
//! out nothing silently: the kinds it searches are always at least those that exist, so what is left is a place at which
//! it suspects a difference and cannot make up a request. That is [`Certainty::Unknown`], with its [`Reason`]s:
//!
//! * **variables**: a template may match or not, and that is searched like a key with two states. Templates of which one
//!   lies within the other are known to; other ties between variables, values and resources are tried out in requests
//!   that are made up, a few hundred at a place. A place where none shows the difference stays in doubt.
//! * **keys that follow from who asks** (`aws:PrincipalArn` and its kin) under a policy that also names principals: the same.
//! * **values compared in two ways**, as text and as number, say; and case beyond ASCII.
//! * **limits** (`budget`): the size of automata, the states of a key, 4,096 kinds of principal, six templates on one
//!   resource, and ten million steps for each direction, some seconds at worst. No document makes a comparison explode.
//!
//! # What is compared
//!
//! * Condition keys are independent: of each other, of the action, of the resource. A witness may hold keys that AWS never
//!   sends with that action; no difference is missed that way. AWS's own keys have one value or several as AWS says, keys of services may
//!   have either (`reference_policies_condition-single-vs-multi-valued-context-keys`). Values are texts.
//! * Actions are all names, also those that no service has: `s3:Get*` covers more than the list of today's names.
//! * Policies of principals are compared as if asked alone; with a boundary, both must allow
//!   ([`ComparedPolicies::identity_within`]). Policies of resources are compared for principals of other accounts whose own
//!   policies allow everything; that a policy grants to a user directly what it granted to the account before, which
//!   within one account is more, is not a difference here.
//! * What AWS decides above all policies is no difference: `sts:GetCallerIdentity` needs no permission; a place where
//!   only resources that AWS owns would differ is in doubt.
//! * What cannot be understood counts as it does in a decision: an `Allow` never, a `Deny` always.
//!
//! # The meaning of public
//!
//! [`public_access`] takes the definition of the S3 User Guide (`access-control-block-public-access`, the meaning of
//! "public"): access is public unless it is limited to fixed values, without wildcard or variable, of a principal, or of
//! one of the keys that a stranger cannot choose: `aws:SourceIp` (ranges from /8, or /32 of IPv6), `aws:SourceArn`,
//! `aws:SourceVpc`, `aws:SourceVpce`, `aws:SourceOwner`, `aws:SourceAccount`, `aws:userid`, `s3:DataAccessPointArn` (its
//! account fixed), `s3:DataAccessPointAccount`, and those that follow from the principal (`aws:PrincipalOrgID` …). Here it is a
//! search like any other, over requests of nobody in particular: anonymous ones, those of an account that is not
//! mentioned, and those of identity providers that are open to all; with no fixed value in those keys, and any value in all
//! others. So a `Deny` counts for what it keeps out, which the guide does not spell out.

mod actions;
mod automaton;
mod bits;
mod budget;
mod class;
mod difference;
mod domain;
mod engine;
mod place;
mod principals;
mod problem;
mod resources;
mod scale;
mod set;
mod show;
mod solve;
mod template;
mod trust;
mod values;
mod witness;

pub use difference::{Comparison, Covered, Difference, Differences, StatedCondition};
pub use set::{Access, ComparedPolicies};
pub use witness::Witness;

use crate::MalformedDocument;
use engine::{Engine, Scope};
use problem::Problem;
use set::Source;

/// Whether a list of differences is all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It is.
    Exact,
    /// There may be more, for these reasons.
    Unknown(Vec<Reason>),
}

/// Why a comparison cannot say that there is no more than it lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// A statement may allow something, but no request could be made up that shows it: what a variable stands for, or
    /// how the keys that follow from who asks go together, is not worked out.
    Unconfirmed {
        /// The statement.
        statement: Box<str>,
    },
    /// A limit was reached for a statement.
    TooComplex {
        /// The statement.
        statement: Box<str>,
    },
    /// The values of a key could not all be told apart.
    Key {
        /// The key.
        key: Box<str>,
        /// Why not.
        why: &'static str,
    },
    /// A limit was reached for a key.
    KeyTooComplex {
        /// The key.
        key: Box<str>,
    },
    /// The limit of all work was reached.
    TooMuchWork,
}

/// What the new policies allow and the old ones do not, and the other way round.
pub fn compare(old: &ComparedPolicies, new: &ComparedPolicies) -> Comparison {
    let sources: Vec<Source> = old.statements().chain(new.statements()).collect();
    match Problem::new([old, new], &sources) {
        Ok(mut problem) => Comparison {
            added: Engine::differences(&mut problem, 1, Scope::All),
            removed: Engine::differences(&mut problem, 0, Scope::All),
        },
        Err(_) => Comparison { added: Differences::given_up(), removed: Differences::given_up() },
    }
}

/// Which of the access the policies grant (`CheckAccessNotGranted`): a difference for each statement that allows some of
/// it. An action that needs no permission, `sts:GetCallerIdentity`, is not granted by any.
///
/// # Errors
/// If no access is asked for, or if an action or a resource is none that a policy could hold.
pub fn grants<'t>(
    policies: ComparedPolicies,
    access: impl IntoIterator<Item = Access<'t>>,
) -> Result<Differences, MalformedDocument> {
    let within = policies.limited(set::limit(access)?);
    Ok(against_nothing(&within, Scope::All))
}

/// What the policies of a resource let the public do (`CheckNoPublicAccess`): see [the meaning of
/// public](self#the-meaning-of-public).
pub fn public_access(policies: &ComparedPolicies) -> Differences {
    against_nothing(policies, Scope::Public)
}

fn against_nothing(policies: &ComparedPolicies, scope: Scope) -> Differences {
    let nothing = policies.nothing();
    let sources: Vec<Source> = policies.statements().collect();
    match Problem::new([&nothing, policies], &sources) {
        Ok(mut problem) => Engine::differences(&mut problem, 1, scope),
        Err(_) => Differences::given_up(),
    }
}

/// What the new policies allow and the old ones do not: half of [`compare`], for who asks only whether there is new
/// access (`CheckNoNewAccess`).
pub fn new_access(old: &ComparedPolicies, new: &ComparedPolicies) -> Differences {
    let sources: Vec<Source> = old.statements().chain(new.statements()).collect();
    match Problem::new([old, new], &sources) {
        Ok(mut problem) => Engine::differences(&mut problem, 1, Scope::All),
        Err(_) => Differences::given_up(),
    }
}
