//! What every request shares.

use std::sync::Arc;
use std::time::Duration;

use daypass_model::AccountId;
use daypass_objects::Objects;
use daypass_store::Store;
use daypass_wire::Hosts;

use crate::attempts::Attempts;
use crate::destinations::Destinations;
use crate::identity::Identities;
use crate::instances::InstanceSupport;
use crate::kept::Kept;
use crate::key_ring::KeyRing;
use crate::opened::Opened;
use crate::organizations::Organizations;
use crate::outbox::Moving;
use crate::provider_keys::ProviderKeys;
use crate::quotas::Quotas;
use crate::surroundings::{Clock, Entropy};

/// What the server stands on.
pub struct State {
    /// The state of all services.
    pub store: Store,
    /// The keys that seal.
    pub ring: KeyRing,
    /// Users and roles, compiled.
    pub identities: Identities,
    /// Where accounts stand in their organizations.
    pub organizations: Organizations,
    /// Records that requests ask for all the time, decoded.
    pub kept: Kept,
    /// Secrets that were opened lately.
    pub opened: Opened,
    /// Guesses of codes and passwords.
    pub attempts: Attempts,
    /// Tries to open what others encrypted, of which the answers tell a little: whoever makes many has none of those above
    /// forgotten.
    pub decryptions: Attempts,
    /// Held while records are moved from the object store's outbox.
    pub moving: Moving,
    /// The bytes of S3's objects.
    pub objects: Arc<dyn Objects>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The keys of those who vouch for web identities.
    pub provider_keys: ProviderKeys,
    /// The address that others reach this server at.
    pub endpoint: String,
    /// The account that the server was made with.
    pub account: AccountId,
    /// The region of what has none.
    pub region: String,
    /// Whether instances can run here.
    pub instances: InstanceSupport,
    /// How much accounts may have.
    pub quotas: Quotas,
    /// How services are reached by name.
    pub hosts: Hosts,
    /// Where events can be delivered.
    pub destinations: Destinations,
    /// How long lasts what the lifecycles of buckets call a day: 24 hours, but where rules are tried out.
    pub lifecycle_day: Duration,
}
