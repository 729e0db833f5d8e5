//! One request through the gate: authenticate, authorise, handle, audit.
//!
//! A service is a list of [`Entry`]s. [`operation!`] makes one of two functions: what the operation asks to be allowed,
//! and what it does. The [`Gate`] verifies the signature, reads the input by the tables, asks, runs the operation in one
//! transaction together with its audit record, and writes the answer. What is not built is verified, asked and audited
//! all the same.

pub mod administrator;
pub mod assume;
mod attempts;
pub mod audit;
mod authenticate;
mod authorize;
mod aws_managed;
mod caller;
mod check;
mod cx;
pub mod delegation;
mod destinations;
mod document;
mod error;
pub mod event_queue;
mod gate;
mod identity;
mod ids;
pub mod image;
mod instances;
mod kept;
mod key_ring;
pub mod kms;
mod last_used;
mod lengthy;
pub mod mfa;
mod object_keys;
mod observer;
mod opened;
mod operation;
mod operator;
pub mod organizations;
pub mod outbox;
mod payload;
pub mod principals;
mod provider_keys;
mod quotas;
mod secret;
mod service_access;
mod service_role;
mod session;
mod state;
mod surroundings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod token_issuer;

pub use daypass_federation as federation;
pub use daypass_model as model;
pub use daypass_objects as objects;
pub use daypass_policy as policy;
pub use daypass_store as store;
pub use daypass_wire as wire;
pub use daypass_wire::Fault;

pub use attempts::Attempts;
pub use authorize::ACL_NAMES;
pub use aws_managed::AwsManagedPolicy;
pub use caller::{Caller, CallerKind, Vouched, VouchedBy};
pub use check::{Check, Checks, Guard};
pub use cx::{Cx, Peer, PeerInstance, Tls, TlsVersion, Website};
pub use destinations::Destinations;
pub use error::{Error, internal_failure};
pub use gate::Gate;
pub use identity::{Identities, Identity, Who, customer_managed_name};
pub use ids::{Ids, account_of_access_key};
pub use instances::InstanceSupport;
pub use kept::Kept;
pub use key_ring::{KeyRing, KeyRingError, Purpose, RootKey, Unopenable};
pub use lengthy::at_length;
pub use object_keys::ObjectKeys;
pub use observer::{Exchange, Observer};
pub use opened::Opened;
pub use operation::{Answered, ChecksOf, Entry, Preparing, RunOf, Running, Streamed};
#[doc(hidden)]
pub use operation::{perform, take_input};
pub use operator::Operated;
pub use organizations::Organizations;
pub use payload::{Body, BodyError, Payload, full};
pub use provider_keys::{NoKeys, ProviderKeys};
pub use quotas::{NoQuota, Quota, Quotas, SetQuota};
pub use secret::Secret;
pub use service_access::{ServiceRequest, service_may};
pub use service_role::{ServiceRole, role_of_arn};
pub use session::{
    Credentials, Federation, FederationKey, InvalidToken, NotIssued, Session, SessionPrincipal,
    SourceInstance,
};
pub use state::State;
pub use surroundings::{Clock, Entropy, Fetching, Unreachable, Web};
