//! AWS Organizations: accounts in a tree, and the policies that limit what can be allowed in them. What the policies say
//! is asked by the gate (`daypass_core::organizations`); here they are made, attached and looked at. [`OPERATIONS`] is the
//! service.

mod account;
mod all_features;
mod attachment;
mod create_account;
mod delegated_administrator;
mod effective_policy;
mod fault;
mod handshake;
mod handshake_view;
mod home;
mod id;
mod invitation;
mod membership;
mod node;
mod organization;
mod organizational_unit;
mod paging;
mod policy;
mod resource_policy;
mod root;
mod service_access;
mod service_linked_role;
mod tag;
mod tree;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &handshake::ACCEPT_HANDSHAKE,
    &attachment::ATTACH_POLICY,
    &handshake::CANCEL_HANDSHAKE,
    &membership::CLOSE_ACCOUNT,
    &create_account::CREATE_ACCOUNT,
    &organization::CREATE_ORGANIZATION,
    &organizational_unit::CREATE_ORGANIZATIONAL_UNIT,
    &policy::CREATE_POLICY,
    &handshake::DECLINE_HANDSHAKE,
    &organization::DELETE_ORGANIZATION,
    &organizational_unit::DELETE_ORGANIZATIONAL_UNIT,
    &policy::DELETE_POLICY,
    &resource_policy::DELETE_RESOURCE_POLICY,
    &delegated_administrator::DEREGISTER_DELEGATED_ADMINISTRATOR,
    &account::DESCRIBE_ACCOUNT,
    &create_account::DESCRIBE_CREATE_ACCOUNT_STATUS,
    &effective_policy::DESCRIBE_EFFECTIVE_POLICY,
    &handshake::DESCRIBE_HANDSHAKE,
    &organization::DESCRIBE_ORGANIZATION,
    &organizational_unit::DESCRIBE_ORGANIZATIONAL_UNIT,
    &policy::DESCRIBE_POLICY,
    &resource_policy::DESCRIBE_RESOURCE_POLICY,
    &attachment::DETACH_POLICY,
    &service_access::DISABLE_AWS_SERVICE_ACCESS,
    &root::DISABLE_POLICY_TYPE,
    &all_features::ENABLE_ALL_FEATURES,
    &service_access::ENABLE_AWS_SERVICE_ACCESS,
    &root::ENABLE_POLICY_TYPE,
    &invitation::INVITE_ACCOUNT_TO_ORGANIZATION,
    &membership::LEAVE_ORGANIZATION,
    &account::LIST_ACCOUNTS,
    &account::LIST_ACCOUNTS_FOR_PARENT,
    &effective_policy::LIST_ACCOUNTS_WITH_INVALID_EFFECTIVE_POLICY,
    &service_access::LIST_AWS_SERVICE_ACCESS_FOR_ORGANIZATION,
    &tree::LIST_CHILDREN,
    &create_account::LIST_CREATE_ACCOUNT_STATUS,
    &delegated_administrator::LIST_DELEGATED_ADMINISTRATORS,
    &delegated_administrator::LIST_DELEGATED_SERVICES_FOR_ACCOUNT,
    &effective_policy::LIST_EFFECTIVE_POLICY_VALIDATION_ERRORS,
    &handshake::LIST_HANDSHAKES_FOR_ACCOUNT,
    &handshake::LIST_HANDSHAKES_FOR_ORGANIZATION,
    &organizational_unit::LIST_ORGANIZATIONAL_UNITS_FOR_PARENT,
    &tree::LIST_PARENTS,
    &policy::LIST_POLICIES,
    &attachment::LIST_POLICIES_FOR_TARGET,
    &root::LIST_ROOTS,
    &tag::LIST_TAGS_FOR_RESOURCE,
    &attachment::LIST_TARGETS_FOR_POLICY,
    &account::MOVE_ACCOUNT,
    &resource_policy::PUT_RESOURCE_POLICY,
    &delegated_administrator::REGISTER_DELEGATED_ADMINISTRATOR,
    &membership::REMOVE_ACCOUNT_FROM_ORGANIZATION,
    &tag::TAG_RESOURCE,
    &tag::UNTAG_RESOURCE,
    &organizational_unit::UPDATE_ORGANIZATIONAL_UNIT,
    &policy::UPDATE_POLICY,
];
