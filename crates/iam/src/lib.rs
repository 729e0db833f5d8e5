//! AWS Identity and Access Management. One file an operation, or one a family of operations that differ only in what
//! they are about; [`OPERATIONS`] is the service.

mod access_key;
mod account_alias;
mod add_role_to_instance_profile;
mod attachment;
mod boundary;
mod certificate;
mod context_entry;
mod context_keys;
mod create_access_key;
mod create_group;
mod create_instance_profile;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_user;
mod credential_report;
mod delegation_request;
mod delegation_view;
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
mod job;
mod last_accessed;
mod list_access_keys;
mod list_entities;
mod list_entities_for_policy;
mod list_groups_for_user;
mod list_instance_profiles_for_role;
mod list_policies;
mod list_policies_granting_service_access;
mod list_policy_versions;
mod login_profile;
mod managed_policy;
mod mfa_device;
mod oidc_provider;
mod organizations_access_report;
mod organizations_features;
mod outbound_web_identity;
mod paging;
mod password;
mod password_policy;
mod pem;
mod policy_arn;
mod policy_source;
mod qr;
mod quota;
mod remove_role_from_instance_profile;
mod role;
mod saml_encryption;
mod saml_provider;
mod server_certificate;
mod service_access;
mod service_linked_role;
mod service_specific_credential;
mod set_default_policy_version;
mod signing_certificate;
mod simulate;
mod simulated_policy;
mod simulation;
mod ssh_public_key;
mod sts_preferences;
mod tag;
mod update_access_key;
mod update_assume_role_policy;
mod update_group;
mod update_role;
mod update_user;
mod user;
mod user_credential;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &delegation_request::ACCEPT_DELEGATION_REQUEST,
    &oidc_provider::ADD_CLIENT_ID_TO_OPEN_ID_CONNECT_PROVIDER,
    &add_role_to_instance_profile::ADD_ROLE_TO_INSTANCE_PROFILE,
    &group_membership::ADD_USER_TO_GROUP,
    &delegation_request::ASSOCIATE_DELEGATION_REQUEST,
    &attachment::ATTACH_GROUP_POLICY,
    &attachment::ATTACH_ROLE_POLICY,
    &attachment::ATTACH_USER_POLICY,
    &login_profile::CHANGE_PASSWORD,
    &create_access_key::CREATE_ACCESS_KEY,
    &account_alias::CREATE_ACCOUNT_ALIAS,
    &delegation_request::CREATE_DELEGATION_REQUEST,
    &create_group::CREATE_GROUP,
    &create_instance_profile::CREATE_INSTANCE_PROFILE,
    &login_profile::CREATE_LOGIN_PROFILE,
    &oidc_provider::CREATE_OPEN_ID_CONNECT_PROVIDER,
    &create_policy::CREATE_POLICY,
    &create_policy_version::CREATE_POLICY_VERSION,
    &create_role::CREATE_ROLE,
    &saml_provider::CREATE_SAML_PROVIDER,
    &service_linked_role::CREATE_SERVICE_LINKED_ROLE,
    &service_specific_credential::CREATE_SERVICE_SPECIFIC_CREDENTIAL,
    &create_user::CREATE_USER,
    &mfa_device::CREATE_VIRTUAL_MFA_DEVICE,
    &mfa_device::DEACTIVATE_MFA_DEVICE,
    &delete_access_key::DELETE_ACCESS_KEY,
    &account_alias::DELETE_ACCOUNT_ALIAS,
    &password_policy::DELETE_ACCOUNT_PASSWORD_POLICY,
    &delete_group::DELETE_GROUP,
    &inline_policy::DELETE_GROUP_POLICY,
    &delete_instance_profile::DELETE_INSTANCE_PROFILE,
    &login_profile::DELETE_LOGIN_PROFILE,
    &oidc_provider::DELETE_OPEN_ID_CONNECT_PROVIDER,
    &delete_policy::DELETE_POLICY,
    &delete_policy_version::DELETE_POLICY_VERSION,
    &delete_role::DELETE_ROLE,
    &boundary::DELETE_ROLE_PERMISSIONS_BOUNDARY,
    &inline_policy::DELETE_ROLE_POLICY,
    &saml_provider::DELETE_SAML_PROVIDER,
    &ssh_public_key::DELETE_SSH_PUBLIC_KEY,
    &server_certificate::DELETE_SERVER_CERTIFICATE,
    &service_linked_role::DELETE_SERVICE_LINKED_ROLE,
    &service_specific_credential::DELETE_SERVICE_SPECIFIC_CREDENTIAL,
    &signing_certificate::DELETE_SIGNING_CERTIFICATE,
    &delete_user::DELETE_USER,
    &boundary::DELETE_USER_PERMISSIONS_BOUNDARY,
    &inline_policy::DELETE_USER_POLICY,
    &mfa_device::DELETE_VIRTUAL_MFA_DEVICE,
    &attachment::DETACH_GROUP_POLICY,
    &attachment::DETACH_ROLE_POLICY,
    &attachment::DETACH_USER_POLICY,
    &organizations_features::DISABLE_ORGANIZATIONS_ROOT_CREDENTIALS_MANAGEMENT,
    &organizations_features::DISABLE_ORGANIZATIONS_ROOT_SESSIONS,
    &outbound_web_identity::DISABLE_OUTBOUND_WEB_IDENTITY_FEDERATION,
    &mfa_device::ENABLE_MFA_DEVICE,
    &organizations_features::ENABLE_ORGANIZATIONS_ROOT_CREDENTIALS_MANAGEMENT,
    &organizations_features::ENABLE_ORGANIZATIONS_ROOT_SESSIONS,
    &outbound_web_identity::ENABLE_OUTBOUND_WEB_IDENTITY_FEDERATION,
    &credential_report::GENERATE_CREDENTIAL_REPORT,
    &organizations_access_report::GENERATE_ORGANIZATIONS_ACCESS_REPORT,
    &last_accessed::GENERATE_SERVICE_LAST_ACCESSED_DETAILS,
    &get_access_key_last_used::GET_ACCESS_KEY_LAST_USED,
    &get_account_authorization_details::GET_ACCOUNT_AUTHORIZATION_DETAILS,
    &password_policy::GET_ACCOUNT_PASSWORD_POLICY,
    &get_account_summary::GET_ACCOUNT_SUMMARY,
    &context_keys::GET_CONTEXT_KEYS_FOR_CUSTOM_POLICY,
    &context_keys::GET_CONTEXT_KEYS_FOR_PRINCIPAL_POLICY,
    &credential_report::GET_CREDENTIAL_REPORT,
    &delegation_view::GET_DELEGATION_REQUEST,
    &get_group::GET_GROUP,
    &inline_policy::GET_GROUP_POLICY,
    &delegation_view::GET_HUMAN_READABLE_SUMMARY,
    &get_instance_profile::GET_INSTANCE_PROFILE,
    &login_profile::GET_LOGIN_PROFILE,
    &mfa_device::GET_MFA_DEVICE,
    &oidc_provider::GET_OPEN_ID_CONNECT_PROVIDER,
    &organizations_access_report::GET_ORGANIZATIONS_ACCESS_REPORT,
    &outbound_web_identity::GET_OUTBOUND_WEB_IDENTITY_FEDERATION_INFO,
    &get_policy::GET_POLICY,
    &get_policy_version::GET_POLICY_VERSION,
    &get_role::GET_ROLE,
    &inline_policy::GET_ROLE_POLICY,
    &saml_provider::GET_SAML_PROVIDER,
    &ssh_public_key::GET_SSH_PUBLIC_KEY,
    &server_certificate::GET_SERVER_CERTIFICATE,
    &last_accessed::GET_SERVICE_LAST_ACCESSED_DETAILS,
    &last_accessed::GET_SERVICE_LAST_ACCESSED_DETAILS_WITH_ENTITIES,
    &service_linked_role::GET_SERVICE_LINKED_ROLE_DELETION_STATUS,
    &get_user::GET_USER,
    &inline_policy::GET_USER_POLICY,
    &list_access_keys::LIST_ACCESS_KEYS,
    &account_alias::LIST_ACCOUNT_ALIASES,
    &attachment::LIST_ATTACHED_GROUP_POLICIES,
    &attachment::LIST_ATTACHED_ROLE_POLICIES,
    &attachment::LIST_ATTACHED_USER_POLICIES,
    &delegation_view::LIST_DELEGATION_REQUESTS,
    &list_entities_for_policy::LIST_ENTITIES_FOR_POLICY,
    &inline_policy::LIST_GROUP_POLICIES,
    &list_entities::LIST_GROUPS,
    &list_groups_for_user::LIST_GROUPS_FOR_USER,
    &tag::LIST_INSTANCE_PROFILE_TAGS,
    &list_entities::LIST_INSTANCE_PROFILES,
    &list_instance_profiles_for_role::LIST_INSTANCE_PROFILES_FOR_ROLE,
    &tag::LIST_MFA_DEVICE_TAGS,
    &mfa_device::LIST_MFA_DEVICES,
    &tag::LIST_OPEN_ID_CONNECT_PROVIDER_TAGS,
    &oidc_provider::LIST_OPEN_ID_CONNECT_PROVIDERS,
    &organizations_features::LIST_ORGANIZATIONS_FEATURES,
    &list_policies::LIST_POLICIES,
    &list_policies_granting_service_access::LIST_POLICIES_GRANTING_SERVICE_ACCESS,
    &tag::LIST_POLICY_TAGS,
    &list_policy_versions::LIST_POLICY_VERSIONS,
    &inline_policy::LIST_ROLE_POLICIES,
    &tag::LIST_ROLE_TAGS,
    &list_entities::LIST_ROLES,
    &tag::LIST_SAML_PROVIDER_TAGS,
    &saml_provider::LIST_SAML_PROVIDERS,
    &ssh_public_key::LIST_SSH_PUBLIC_KEYS,
    &tag::LIST_SERVER_CERTIFICATE_TAGS,
    &server_certificate::LIST_SERVER_CERTIFICATES,
    &service_specific_credential::LIST_SERVICE_SPECIFIC_CREDENTIALS,
    &signing_certificate::LIST_SIGNING_CERTIFICATES,
    &inline_policy::LIST_USER_POLICIES,
    &tag::LIST_USER_TAGS,
    &list_entities::LIST_USERS,
    &mfa_device::LIST_VIRTUAL_MFA_DEVICES,
    &inline_policy::PUT_GROUP_POLICY,
    &boundary::PUT_ROLE_PERMISSIONS_BOUNDARY,
    &inline_policy::PUT_ROLE_POLICY,
    &boundary::PUT_USER_PERMISSIONS_BOUNDARY,
    &inline_policy::PUT_USER_POLICY,
    &delegation_request::REJECT_DELEGATION_REQUEST,
    &oidc_provider::REMOVE_CLIENT_ID_FROM_OPEN_ID_CONNECT_PROVIDER,
    &remove_role_from_instance_profile::REMOVE_ROLE_FROM_INSTANCE_PROFILE,
    &group_membership::REMOVE_USER_FROM_GROUP,
    &service_specific_credential::RESET_SERVICE_SPECIFIC_CREDENTIAL,
    &mfa_device::RESYNC_MFA_DEVICE,
    &delegation_request::SEND_DELEGATION_TOKEN,
    &set_default_policy_version::SET_DEFAULT_POLICY_VERSION,
    &sts_preferences::SET_SECURITY_TOKEN_SERVICE_PREFERENCES,
    &simulate::SIMULATE_CUSTOM_POLICY,
    &simulate::SIMULATE_PRINCIPAL_POLICY,
    &tag::TAG_INSTANCE_PROFILE,
    &tag::TAG_MFA_DEVICE,
    &tag::TAG_OPEN_ID_CONNECT_PROVIDER,
    &tag::TAG_POLICY,
    &tag::TAG_ROLE,
    &tag::TAG_SAML_PROVIDER,
    &tag::TAG_SERVER_CERTIFICATE,
    &tag::TAG_USER,
    &tag::UNTAG_INSTANCE_PROFILE,
    &tag::UNTAG_MFA_DEVICE,
    &tag::UNTAG_OPEN_ID_CONNECT_PROVIDER,
    &tag::UNTAG_POLICY,
    &tag::UNTAG_ROLE,
    &tag::UNTAG_SAML_PROVIDER,
    &tag::UNTAG_SERVER_CERTIFICATE,
    &tag::UNTAG_USER,
    &update_access_key::UPDATE_ACCESS_KEY,
    &password_policy::UPDATE_ACCOUNT_PASSWORD_POLICY,
    &update_assume_role_policy::UPDATE_ASSUME_ROLE_POLICY,
    &delegation_request::UPDATE_DELEGATION_REQUEST,
    &update_group::UPDATE_GROUP,
    &login_profile::UPDATE_LOGIN_PROFILE,
    &oidc_provider::UPDATE_OPEN_ID_CONNECT_PROVIDER_THUMBPRINT,
    &update_role::UPDATE_ROLE,
    &update_role::UPDATE_ROLE_DESCRIPTION,
    &saml_provider::UPDATE_SAML_PROVIDER,
    &ssh_public_key::UPDATE_SSH_PUBLIC_KEY,
    &server_certificate::UPDATE_SERVER_CERTIFICATE,
    &service_specific_credential::UPDATE_SERVICE_SPECIFIC_CREDENTIAL,
    &signing_certificate::UPDATE_SIGNING_CERTIFICATE,
    &update_user::UPDATE_USER,
    &ssh_public_key::UPLOAD_SSH_PUBLIC_KEY,
    &server_certificate::UPLOAD_SERVER_CERTIFICATE,
    &signing_certificate::UPLOAD_SIGNING_CERTIFICATE,
];
