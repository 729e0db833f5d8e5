//! AWS's policy language: parse, check, compile and decide, with reasons.
//!
//! This crate answers one question, the way AWS's IAM User Guide says it must be answered: may this principal do this
//! to that resource, under these circumstances, with these policies? It is pure: no I/O, no clock, no threads, no
//! `unsafe`; everything it needs is given to it. Page names in backticks (`reference_policies_grammar`) are those of the
//! guide.
//!
//! # The way through
//!
//! ```text
//! text ── Document::parse / load ──▶ Document ── Policy::compile ──▶ Arc<Policy>
//!                                                                        │ shared
//!                         PrincipalPolicies, PolicySet, Guardrails ◀─────┘
//!                                            │
//! Principal, Action, Resource, Context ── Request ── Policies::decide ──▶ Decision
//!                                                 └─ Policies::explain ─▶ Explanation
//! ```
//!
//! 1. A **document** is text. [`Document::parse`] takes what AWS would store and refuses the rest in AWS's words, with
//!    the place; [`Document::load`] takes everything and fails closed.
//! 2. A **policy** is a compiled document with a name ([`PolicySource`]). Compile once, keep by ARN and version, share.
//! 3. Policies that are asked together go under one index: [`PrincipalPolicies`] for what is attached to a principal,
//!    [`PolicySet`] for those of a resource or VPC endpoint, [`Guardrails`] for the levels of an organization.
//! 4. A **request** is a [`Principal`], an [`Action`], a [`Resource`] and a [`Context`] of condition keys.
//! 5. [`Policies`] names the layers that apply. [`Policies::decide`] decides without allocating; [`Policies::explain`]
//!    does it again with reasons, for the record and for AWS's message.
//! 6. Two sets of policies can be [compared](compare) over all requests: what became allowed, and what stopped.
//!
//! # A first decision
//!
//! ```
//! use daypass_policy::*;
//!
//! // Stored: checked as AWS checks it.
//! let text = r#"{
//!   "Version": "2012-10-17",
//!   "Statement": [
//!     {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/*"},
//!     {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*",
//!      "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
//!   ]
//! }"#;
//! let document = Document::parse(DocumentKind::Managed, text).unwrap();
//! let arn: Arn = "arn:aws:iam::111122223333:policy/reports".parse().unwrap();
//! let policy = Policy::compile(arn, document);
//!
//! // Attached to a role, whose session asks.
//! let attached = PrincipalPolicies::builder().identity([policy]).build();
//! let role = "arn:aws:iam::111122223333:role/web".parse().unwrap();
//! let session = Principal::role_session(&role, "AROAEXAMPLE", "i-0abc").unwrap();
//! let mut context = Context::new();
//! session.describe(&mut context);
//! context.set(keys::SECURE_TRANSPORT, true);
//!
//! let resource = Resource::arn("arn:aws:s3:::reports/2026").unwrap();
//! let (get, delete) = (Action::new("s3:GetObject").unwrap(), Action::new("s3:DeleteObject").unwrap());
//! let policies = Policies::of(&attached);
//! assert!(policies.allows(&Request::new(&session, &get, resource, &context)));
//!
//! let denied = Request::new(&session, &delete, resource, &context);
//! assert_eq!(policies.decide(&denied), Decision::ExplicitDeny);
//! let explanation = policies.explain(&denied);
//! assert_eq!(
//!     explanation.clause(Audience::Organization).unwrap(),
//!     "with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/reports"
//! );
//! ```
//!
//! # The language in a page
//!
//! A document has a `Version` and statements. A **statement** has an `Effect`, and elements that must all match: who
//! (`Principal`, in policies of resources only), what (`Action` or `NotAction`), on what (`Resource` or `NotResource`),
//! under which `Condition`s. A `Deny` that matches wins over everything; otherwise some `Allow` must match, in each layer
//! that has to allow.
//!
//! * **Actions** ignore case; `*` and `?` stand in the name. **Resources** are ARNs, matched part by part with case; in the
//!   sixth part `*` crosses `/` and `:`. `Resource: "*"` alone covers actions that have no resource ([`Resource::NONE`]).
//! * **Variables**, `${aws:username}` or `${aws:username, 'nobody'}`, need version 2012-10-17, stand in the sixth part of a
//!   resource and in values of conditions, and are put in as text: a user named `*` is no wildcard. A variable without a
//!   value matches nothing.
//! * **Conditions**: all operators and all keys must hold; of the values of one key, one must match, or none for the
//!   operators with `Not`. An absent key fails an operator, passes one with `Not`, and passes `…IfExists`. Multivalued keys
//!   need `ForAllValues:` (true of an empty set) or `ForAnyValue:` (false of it).
//! * **Layers**: resource control, service control (each level), VPC endpoint, resource, identity, boundary, session; all
//!   that are there must allow, but for the resource's policy. Within an account, one that names the principal itself is
//!   final; one that names its role is still limited by boundary and session policy; one that names the account grants
//!   nothing by itself. Across accounts both sides must allow. Trust policies and key policies ([`ResourcePolicy::Trust`],
//!   [`ResourcePolicy::Required`]) are needed in any case.
//!
//! ```
//! use daypass_policy::*;
//! # fn allowed(statement: &str, context: Context<'_>) -> bool {
//! #     let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#);
//! #     let policy = Policy::compile(PolicySource::named("p"), Document::parse(DocumentKind::Inline, &text).unwrap());
//! #     let attached = PrincipalPolicies::builder().identity([policy]).build();
//! #     let user = Principal::user(&"arn:aws:iam::111122223333:user/alice".parse().unwrap(), "AIDAX").unwrap();
//! #     let action = Action::new("s3:GetObject").unwrap();
//! #     let request = Request::new(&user, &action, Resource::arn("arn:aws:s3:::b/alice/k").unwrap(), &context);
//! #     Policies::of(&attached).allows(&request)
//! # }
//! // A variable is text, never a pattern.
//! let home = r#"{"Effect": "Allow", "Action": "s3:get*", "Resource": "arn:aws:s3:::b/${aws:username}/*"}"#;
//! let mut context = Context::new();
//! assert!(!allowed(home, context.clone()));
//! context.set(keys::USERNAME, "*");
//! assert!(!allowed(home, context.clone()));
//! context.set(keys::USERNAME, "alice");
//! assert!(allowed(home, context));
//!
//! // An absent key passes an operator with `Not`, which is why denials like to say `Null` too.
//! let elsewhere = r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
//!     "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}"#;
//! assert!(allowed(elsewhere, Context::new()));
//!
//! // Sets: every value, or any.
//! let tags = r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
//!     "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}}}"#;
//! let mut context = Context::new();
//! context.set_list(keys::TAG_KEYS, ["team"]);
//! assert!(allowed(tags, context.clone()));
//! context.set_list(keys::TAG_KEYS, ["team", "owner"]);
//! assert!(!allowed(tags, context));
//! ```
//!
//! # Failing closed
//!
//! What cannot be understood (an operator that does not exist, an element of the wrong type, a principal with a wildcard, a
//! value that is no number) is neither true nor false but unclear, and spreads as in Kleene's logic: it counts only where
//! nothing clear decides. An `Allow` that is unclear does not match; a `Deny` that is unclear does. A text that is no policy
//! at all denies everything.
//!
//! # Bounds
//!
//! Documents are read up to 512 KiB and 24 levels deep. A pattern of *m* bytes against a text of *n* takes at most
//! `40·(n + m) + n·m/64` steps, whatever both hold; every other step of a decision is linear in the statements that the index
//! finds. A decision allocates nothing, save where a stretch of more than 64 bytes between two `*` holds `?` or a variable.
//!
//! # Where AWS does not say
//!
//! Decided here, in favour of the careful reading, each in one place so that it can be changed:
//!
//! | question | answer | where |
//! |---|---|---|
//! | does `?` count characters or UTF-16 units? | characters | `pattern` |
//! | how far does a `*` at the end of a part of an ARN reach? | past colons in patterns of fewer than six parts, never in whole ones | `resource` |
//! | a wildcard in the type of a resource (`*/*`) | matches, as AWS's own policies need | `resource` |
//! | an unset variable in `NotResource` | unclear: a `Deny` applies, an `Allow` does not | `compile::statement` |
//! | a variable before the fifth colon | unclear | `resource` |
//! | a multivalued key as variable | as if it were unset, also where there is a default | `pattern` |
//! | variables under `Bool` | put in | `compile::condition` |
//! | `ForAnyValue:…IfExists` of an absent key | true | `compile::condition` |
//! | a multivalued key without a set operator | false, also under `Not` | `compile::condition` |
//! | a value of a policy that is no number, date, range or ARN | unclear | `compile::condition` |
//! | a value of a request that is none | equal to nothing; under `Not` unclear | `compile::condition` |
//! | IPv4 inside IPv6 (`::ffff:10.0.0.1`) | the IPv4 address | `value::network` |
//! | a key with an empty value under `Null` | present | `compile::condition` |
//! | an account in `NotPrincipal` | spares its root user from a `Deny`; takes everyone in it out of an `Allow` | `compile::principal` |
//! | a canonical user id | names the account's members as the account does, its root user and one known by nothing else itself | `compile::principal` |
//! | a federated user without session policies | has what policies of resources grant to it or to its user, nothing else | `decide::conclude` |
//! | which layer is named where several deny | service control, resource control, endpoint, resource, identity, boundary, session | `explain::clause` |
//!
//! # Where each feature is tested
//!
//! Besides these, [`tests/corpus.rs`] decides the guide's own examples and [`tests/generated`] compares every feature of a
//! decision with a second evaluator that was written from the guide alone. That what stands here exists is itself tested.
//!
//! | feature | tests |
//! |---|---|
//! | JSON, duplicate keys, places, depth and size | `json::reader`, `errors_name_the_place`, `docs/json` |
//! | grammar and AWS's messages, by kind of policy | `document::tests`, `statements_are_refused_with_the_recorded_messages`, `trust_policies_have_their_own_rules_and_messages`, `bucket_policies_have_s3s_rules_and_messages`, `organizations_say_one_thing_whatever_is_wrong` |
//! | characters, sizes as quotas count them | `the_characters_of_iam_documents_are_limited`, `sizes_count_characters_with_and_without_white_space` |
//! | lenient loading, failing closed | `tests/decide.rs`, `what_cannot_be_understood_denies`, `doubt_about_…`, `a_value_that_cannot_be_read_is_in_doubt_…` |
//! | versions 2008 and 2012 | `docs/version`, `inline_and_session_policies_may_be_of_2008`, `tests/generated` |
//! | actions and `NotAction` | `action`, `docs/action`, `docs/notaction` |
//! | ARNs, resources, `NotResource`, short patterns | `arn`, `resource`, `docs/arn`, `docs/wildcard`, `docs/notresource` |
//! | actions that have no resource | `resource`, `tests/generated` |
//! | wildcards, their bound | `pattern::tests`, `docs/wildcard`, `a_policy_that_is_hostile_to_matchers_…` |
//! | variables, defaults, escapes | `pattern::token`, `pattern::tests`, `docs/variables` |
//! | every operator with every modifier | `document::operator`, `docs/op:…`, `docs/set-operators`, `docs/cond-and-or`, `tests/generated` |
//! | absent keys, `Null`, `…IfExists` | `docs/op:Null`, `docs/mfa`, `tests/generated` |
//! | numbers, dates, ranges of addresses, base64 | `value::decimal`, `value::timestamp`, `value::network`, `value::base64` |
//! | keys without case, tags, single and multivalued | `context`, `context::key`, `context::value`, `docs/abac` |
//! | keys of a role's delivery to an instance | `docs/ec2-role-session` |
//! | kinds of principal, unique ids | `principal`, `docs/principal`, `a_deleted_and_remade_role_is_another`, `tests/generated` |
//! | `NotPrincipal`, also with a boundary | `docs/notprincipal`, `tests/generated` |
//! | explicit and implicit denial, one account | `docs/explicit-vs-implicit`, `docs/same-account` |
//! | boundaries and session policies, what bypasses them | `docs/boundary`, `docs/session`, `docs/rp-x-boundary`, `docs/rp-x-session`, `a_boundary_only_narrows`, `session_policies_only_narrow` |
//! | across accounts | `docs/cross-account`, `tests/generated` |
//! | trust policies, keys: what needs the resource's policy | `docs/trust`, `docs/sts`, `docs/kms` |
//! | `iam:PassRole` | `docs/passrole` |
//! | service and resource control policies, endpoints | `docs/scp`, `docs/rcp`, `organizations_limit_whom_and_what_they_can`, `organizations_and_endpoints_only_narrow` |
//! | services, nobody in particular, the root user, service-linked roles, federated users | `tests/generated`, `docs/principal` |
//! | rules above policies | `temporary_credentials_of_users_cannot_do_everything`, `what_no_policy_decides_is_said_so`, `tests/generated` |
//! | calls with several resources | `a_call_is_allowed_only_if_each_of_its_requests_is` |
//! | a denial never allows, order never matters | `to_add_a_denial_never_allows`, `the_order_of_policies_statements_and_values_never_matters` |
//! | explanations of every layer, as text and JSON | `tests/explain.rs`, `a_silent_layer_says_…`, `a_layer_that_denies_names_…`, `an_allowance_names_who_allowed`, `an_explanation_says_the_same_each_time` |
//! | what is suggested is enough, and not too much | `what_an_explanation_suggests_is_enough` |
//! | AWS's clauses and messages | `every_layer_of_the_principal_has_its_clauses`, `every_other_layer_has_its_clauses`, `a_trust_policy_has_its_own_clauses`, `messages_are_aws_s` |
//! | no allocation, sharing among threads | `tests/allocations.rs`, `no_decision_allocates`, `what_is_compiled_is_shared` |
//! | findings of Access Analyzer, each with what has it and what has not | `tests/check/main.rs`, `tests/check/cases.rs` |
//! | comparison: actions, resources, conditions, variables, boundaries | `tests/compare/cases.rs` |
//! | comparison agrees with decisions; every witness holds; nothing new is confirmed by 100,000 requests | `tests/compare/random.rs`, `tests/compare/managed.rs`, `tests/compare/near.rs` |
//! | access granted, public access | `tests/compare/public.rs` |
//! | comparisons as text and JSON | `tests/compare/shown.rs` |
//! | comparison of hostile documents ends | `tests/compare/hostile.rs` |
//! | any input at all | `tests/fuzz_smoke.rs`, `fuzz/` |
//!
//! [`tests/corpus.rs`]: https://github.com/daypass/daypass/blob/main/crates/policy/tests/corpus.rs
//! [`tests/generated`]: https://github.com/daypass/daypass/tree/main/crates/policy/tests/generated

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod action;
mod arn;
pub mod check;
pub mod compare;
mod compile;
mod context;
mod decide;
mod document;
mod explain;
mod json;
mod pattern;
mod principal;
mod resource;
mod span;
mod value;

pub use action::{Action, InvalidAction};
pub use arn::{AccountId, Arn, ArnParts, InvalidAccountId, InvalidArn};
pub use compile::{
    Guardrails, Policy, PolicySet, PolicySource, PrincipalPolicies, PrincipalPoliciesBuilder, TooManyLevels,
};
pub use context::{Context, Key, Value, keys};
pub use decide::{Decision, Policies, Request, ResourcePolicy};
pub use document::{
    Clause, Comparison, Condition, Document, DocumentKind, Effect, Malformed, MalformedDocument, Operator,
    PrincipalName, Quantifier, Statement, Version, size, size_without_white_space,
};
pub use explain::{
    Actual, Audience, Decider, Explanation, Failure, LayerKind, LayerReport, Named, NearMiss,
    ObservedCondition, StatementReference, Suggestion, Verdict,
};
pub use json::Writer as JsonWriter;
pub use principal::{InvalidPrincipal, Principal};
pub use resource::Resource;
pub use span::{Located, Position, Span};
pub use value::Timestamp;
