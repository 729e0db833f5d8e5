//! AWS Security Token Service. One file an operation; [`OPERATIONS`] is the service.

mod assume_role;
mod decode_authorization_message;
mod get_access_key_info;
mod get_caller_identity;
mod get_session_token;
mod mfa;
mod session_policy;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &assume_role::ASSUME_ROLE,
    &decode_authorization_message::DECODE_AUTHORIZATION_MESSAGE,
    &get_access_key_info::GET_ACCESS_KEY_INFO,
    &get_caller_identity::GET_CALLER_IDENTITY,
    &get_session_token::GET_SESSION_TOKEN,
];
