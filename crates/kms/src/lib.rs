//! AWS Key Management Service: symmetric keys, whom their policies let use them, and what they seal. The keys themselves are
//! `daypass_core::kms`, for S3 seals with them too. [`OPERATIONS`] is the service.
//!
//! What is not built says so: keys that are not symmetric (RSA, elliptic curves, HMAC), keys of several regions, imported
//! material, custom key stores, and answers that are sealed for an enclave.

mod alias;
mod create_key;
mod cryptography;
mod data_key;
mod describe;
mod fault;
mod grant;
mod key_policy;
mod list;
mod paging;
mod rotation;
mod state;
mod subject;
mod tag;
mod upkeep;

use daypass_core::Entry;

pub use upkeep::upkeep;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &state::CANCEL_KEY_DELETION,
    &alias::CREATE_ALIAS,
    &grant::CREATE_GRANT,
    &create_key::CREATE_KEY,
    &cryptography::DECRYPT,
    &alias::DELETE_ALIAS,
    &describe::DESCRIBE_KEY,
    &state::DISABLE_KEY,
    &rotation::DISABLE_KEY_ROTATION,
    &state::ENABLE_KEY,
    &rotation::ENABLE_KEY_ROTATION,
    &cryptography::ENCRYPT,
    &data_key::GENERATE_DATA_KEY,
    &data_key::GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,
    &data_key::GENERATE_RANDOM,
    &key_policy::GET_KEY_POLICY,
    &rotation::GET_KEY_ROTATION_STATUS,
    &alias::LIST_ALIASES,
    &grant::LIST_GRANTS,
    &key_policy::LIST_KEY_POLICIES,
    &rotation::LIST_KEY_ROTATIONS,
    &list::LIST_KEYS,
    &tag::LIST_RESOURCE_TAGS,
    &grant::LIST_RETIRABLE_GRANTS,
    &key_policy::PUT_KEY_POLICY,
    &cryptography::RE_ENCRYPT,
    &grant::RETIRE_GRANT,
    &grant::REVOKE_GRANT,
    &rotation::ROTATE_KEY_ON_DEMAND,
    &state::SCHEDULE_KEY_DELETION,
    &tag::TAG_RESOURCE,
    &tag::UNTAG_RESOURCE,
    &alias::UPDATE_ALIAS,
    &state::UPDATE_KEY_DESCRIPTION,
];
