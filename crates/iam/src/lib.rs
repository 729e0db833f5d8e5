//! AWS Identity and Access Management. One file an operation, or one a family of operations that differ only in what
//! they are about; [`OPERATIONS`] is the service.

mod access_key;
mod account_alias;
mod add_role_to_instance_profile;
mod attachment;
mod boundary;
mod context_entry;
mod context_keys;
mod create_access_key;
mod create_group;
mod create_instance_profile;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_user;
mod delete_access_key;
mod delete_group;
mod delete_instance_profile;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_user;
mod document;
mod entity;
mod fault;
mod get_access_key_last_used;
mod get_account_authorization_details;
mod get_account_summary;
mod get_group;
mod get_instance_profile;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_user;
mod group;
mod group_membership;
mod inline_policy;
mod instance_profile;
mod list_access_keys;
mod list_entities;
mod list_entities_for_policy;
mod list_groups_for_user;
mod list_instance_profiles_for_role;
mod list_policies;
mod list_policy_versions;
mod managed_policy;
mod oidc_provider;
mod organizations_features;
mod outbound_web_identity;
mod paging;
mod policy_arn;
mod policy_source;
mod quota;
mod remove_role_from_instance_profile;
mod role;
mod set_default_policy_version;
mod simulate;
mod simulated_policy;
mod simulation;
mod tag;
mod update_access_key;
mod update_assume_role_policy;
mod update_group;
mod update_role;
mod update_user;
mod user;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &oidc_provider::ADD_CLIENT_ID_TO_OPEN_ID_CONNECT_PROVIDER,
    &add_role_to_instance_profile::ADD_ROLE_TO_INSTANCE_PROFILE,
    &group_membership::ADD_USER_TO_GROUP,
    &attachment::ATTACH_GROUP_POLICY,
    &attachment::ATTACH_ROLE_POLICY,
    &attachment::ATTACH_USER_POLICY,
    &create_access_key::CREATE_ACCESS_KEY,
    &account_alias::CREATE_ACCOUNT_ALIAS,
    &create_group::CREATE_GROUP,
    &create_instance_profile::CREATE_INSTANCE_PROFILE,
    &oidc_provider::CREATE_OPEN_ID_CONNECT_PROVIDER,
    &create_policy::CREATE_POLICY,
    &create_policy_version::CREATE_POLICY_VERSION,
    &create_role::CREATE_ROLE,
    &create_user::CREATE_USER,
    &delete_access_key::DELETE_ACCESS_KEY,
    &account_alias::DELETE_ACCOUNT_ALIAS,
    &delete_group::DELETE_GROUP,
    &inline_policy::DELETE_GROUP_POLICY,
    &delete_instance_profile::DELETE_INSTANCE_PROFILE,
    &oidc_provider::DELETE_OPEN_ID_CONNECT_PROVIDER,
    &delete_policy::DELETE_POLICY,
    &delete_policy_version::DELETE_POLICY_VERSION,
    &delete_role::DELETE_ROLE,
    &boundary::DELETE_ROLE_PERMISSIONS_BOUNDARY,
    &inline_policy::DELETE_ROLE_POLICY,
    &delete_user::DELETE_USER,
    &boundary::DELETE_USER_PERMISSIONS_BOUNDARY,
    &inline_policy::DELETE_USER_POLICY,
    &attachment::DETACH_GROUP_POLICY,
    &attachment::DETACH_ROLE_POLICY,
    &attachment::DETACH_USER_POLICY,
    &outbound_web_identity::DISABLE_OUTBOUND_WEB_IDENTITY_FEDERATION,
    &outbound_web_identity::ENABLE_OUTBOUND_WEB_IDENTITY_FEDERATION,
    &get_access_key_last_used::GET_ACCESS_KEY_LAST_USED,
    &get_account_authorization_details::GET_ACCOUNT_AUTHORIZATION_DETAILS,
    &get_account_summary::GET_ACCOUNT_SUMMARY,
    &context_keys::GET_CONTEXT_KEYS_FOR_CUSTOM_POLICY,
    &context_keys::GET_CONTEXT_KEYS_FOR_PRINCIPAL_POLICY,
    &get_group::GET_GROUP,
    &inline_policy::GET_GROUP_POLICY,
    &get_instance_profile::GET_INSTANCE_PROFILE,
    &oidc_provider::GET_OPEN_ID_CONNECT_PROVIDER,
    &outbound_web_identity::GET_OUTBOUND_WEB_IDENTITY_FEDERATION_INFO,
    &get_policy::GET_POLICY,
    &get_policy_version::GET_POLICY_VERSION,
    &get_role::GET_ROLE,
    &inline_policy::GET_ROLE_POLICY,
    &get_user::GET_USER,
    &inline_policy::GET_USER_POLICY,
    &list_access_keys::LIST_ACCESS_KEYS,
    &account_alias::LIST_ACCOUNT_ALIASES,
    &attachment::LIST_ATTACHED_GROUP_POLICIES,
    &attachment::LIST_ATTACHED_ROLE_POLICIES,
    &attachment::LIST_ATTACHED_USER_POLICIES,
    &list_entities_for_policy::LIST_ENTITIES_FOR_POLICY,
    &inline_policy::LIST_GROUP_POLICIES,
    &list_entities::LIST_GROUPS,
    &list_groups_for_user::LIST_GROUPS_FOR_USER,
    &tag::LIST_INSTANCE_PROFILE_TAGS,
    &list_entities::LIST_INSTANCE_PROFILES,
    &list_instance_profiles_for_role::LIST_INSTANCE_PROFILES_FOR_ROLE,
    &tag::LIST_OPEN_ID_CONNECT_PROVIDER_TAGS,
    &oidc_provider::LIST_OPEN_ID_CONNECT_PROVIDERS,
    &list_policies::LIST_POLICIES,
    &tag::LIST_POLICY_TAGS,
    &list_policy_versions::LIST_POLICY_VERSIONS,
    &inline_policy::LIST_ROLE_POLICIES,
    &tag::LIST_ROLE_TAGS,
    &list_entities::LIST_ROLES,
    &inline_policy::LIST_USER_POLICIES,
    &tag::LIST_USER_TAGS,
    &list_entities::LIST_USERS,
    &inline_policy::PUT_GROUP_POLICY,
    &boundary::PUT_ROLE_PERMISSIONS_BOUNDARY,
    &inline_policy::PUT_ROLE_POLICY,
    &boundary::PUT_USER_PERMISSIONS_BOUNDARY,
    &inline_policy::PUT_USER_POLICY,
    &oidc_provider::REMOVE_CLIENT_ID_FROM_OPEN_ID_CONNECT_PROVIDER,
    &remove_role_from_instance_profile::REMOVE_ROLE_FROM_INSTANCE_PROFILE,
    &group_membership::REMOVE_USER_FROM_GROUP,
    &set_default_policy_version::SET_DEFAULT_POLICY_VERSION,
    &simulate::SIMULATE_CUSTOM_POLICY,
    &simulate::SIMULATE_PRINCIPAL_POLICY,
    &tag::TAG_INSTANCE_PROFILE,
    &tag::TAG_OPEN_ID_CONNECT_PROVIDER,
    &tag::TAG_POLICY,
    &tag::TAG_ROLE,
    &tag::TAG_USER,
    &tag::UNTAG_INSTANCE_PROFILE,
    &tag::UNTAG_OPEN_ID_CONNECT_PROVIDER,
    &tag::UNTAG_POLICY,
    &tag::UNTAG_ROLE,
    &tag::UNTAG_USER,
    &update_access_key::UPDATE_ACCESS_KEY,
    &update_assume_role_policy::UPDATE_ASSUME_ROLE_POLICY,
    &update_group::UPDATE_GROUP,
    &oidc_provider::UPDATE_OPEN_ID_CONNECT_PROVIDER_THUMBPRINT,
    &update_role::UPDATE_ROLE,
    &update_role::UPDATE_ROLE_DESCRIPTION,
    &update_user::UPDATE_USER,
    &organizations_features::DISABLE_ORGANIZATIONS_ROOT_CREDENTIALS_MANAGEMENT,
    &organizations_features::DISABLE_ORGANIZATIONS_ROOT_SESSIONS,
    &organizations_features::ENABLE_ORGANIZATIONS_ROOT_CREDENTIALS_MANAGEMENT,
    &organizations_features::ENABLE_ORGANIZATIONS_ROOT_SESSIONS,
    &organizations_features::LIST_ORGANIZATIONS_FEATURES,
];
