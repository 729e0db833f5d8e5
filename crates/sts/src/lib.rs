//! AWS Security Token Service. One file an operation; [`OPERATIONS`] is the service.

mod assume_role;
mod assume_role_with_saml;
mod assume_role_with_web_identity;
mod assume_root;
mod decode_authorization_message;
mod federated_role;
mod get_access_key_info;
mod get_caller_identity;
mod get_delegated_access_token;
mod get_federation_token;
mod get_session_token;
mod get_web_identity_token;
mod mfa;
mod saml_identity;
mod session_policy;
mod session_tags;
mod web_identity;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &assume_role::ASSUME_ROLE,
    &assume_role_with_saml::ASSUME_ROLE_WITH_SAML,
    &assume_role_with_web_identity::ASSUME_ROLE_WITH_WEB_IDENTITY,
    &assume_root::ASSUME_ROOT,
    &decode_authorization_message::DECODE_AUTHORIZATION_MESSAGE,
    &get_access_key_info::GET_ACCESS_KEY_INFO,
    &get_caller_identity::GET_CALLER_IDENTITY,
    &get_delegated_access_token::GET_DELEGATED_ACCESS_TOKEN,
    &get_federation_token::GET_FEDERATION_TOKEN,
    &get_session_token::GET_SESSION_TOKEN,
    &get_web_identity_token::GET_WEB_IDENTITY_TOKEN,
];
