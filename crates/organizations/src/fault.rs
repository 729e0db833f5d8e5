//! Refusals, in AWS's words. Where a text was not seen recorded, it is the one that the API reference gives the error.

use daypass_core::Fault;
use daypass_core::model::organizations::errors;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $shape:ident, $words:expr;)*) => {
        $($(#[$doc])* pub(crate) fn $name() -> Fault { Fault::new(&errors::$shape, $words) })*
    };
}

faults! {
    not_in_use = AWS_ORGANIZATIONS_NOT_IN_USE_EXCEPTION, "Your account is not a member of an organization.";
    already_in_organization = ALREADY_IN_ORGANIZATION_EXCEPTION,
        "The AWS account is already a member of an organization.";
    /// Of a member account that asks what the management account alone may (observed on AWS).
    not_permitted = ACCESS_DENIED_EXCEPTION, "You don't have permissions to access this resource.";
    no_role_for_organizations = ACCESS_DENIED_FOR_DEPENDENCY_EXCEPTION,
        "The request failed because your credentials do not have permission to create the service-linked role required by AWS Organizations.";
    no_account = ACCOUNT_NOT_FOUND_EXCEPTION, "You specified an account that doesn't exist.";
    no_child = CHILD_NOT_FOUND_EXCEPTION, "You specified a child that doesn't exist.";
    no_parent = PARENT_NOT_FOUND_EXCEPTION, "You specified a parent that doesn't exist.";
    no_source_parent = SOURCE_PARENT_NOT_FOUND_EXCEPTION, "You specified a source parent that doesn't exist.";
    no_destination_parent = DESTINATION_PARENT_NOT_FOUND_EXCEPTION,
        "You specified a destination parent that doesn't exist.";
    no_root = ROOT_NOT_FOUND_EXCEPTION, "You specified a root that doesn't exist.";
    no_target = TARGET_NOT_FOUND_EXCEPTION, "You specified a target that doesn't exist.";
    no_unit = ORGANIZATIONAL_UNIT_NOT_FOUND_EXCEPTION,
        "You specified an organizational unit that doesn't exist.";
    no_policy = POLICY_NOT_FOUND_EXCEPTION, "You specified a policy that doesn't exist.";
    no_handshake = HANDSHAKE_NOT_FOUND_EXCEPTION, "You specified a handshake that doesn't exist.";
    no_status = CREATE_ACCOUNT_STATUS_NOT_FOUND_EXCEPTION,
        "You specified a create account request that doesn't exist.";
    no_resource_policy = RESOURCE_POLICY_NOT_FOUND_EXCEPTION, "You specified a resource policy that doesn't exist.";
    no_effective_policy = EFFECTIVE_POLICY_NOT_FOUND_EXCEPTION,
        "If you ran this action on the management account, this policy type is not enabled. If you ran the action on a member account, the account doesn't have an effective policy of this type. Contact the administrator of your organization about attaching a policy of this type to the account.";
    same_unit = DUPLICATE_ORGANIZATIONAL_UNIT_EXCEPTION, "An OU with the same name already exists.";
    same_policy = DUPLICATE_POLICY_EXCEPTION, "A policy with the same name already exists.";
    already_attached = DUPLICATE_POLICY_ATTACHMENT_EXCEPTION,
        "A policy with the specified name and type is already attached to the specified target.";
    not_attached = POLICY_NOT_ATTACHED_EXCEPTION,
        "The policy isn't attached to the specified target in the specified root.";
    same_place = DUPLICATE_ACCOUNT_EXCEPTION, "That account is already present in the specified destination.";
    unit_not_empty = ORGANIZATIONAL_UNIT_NOT_EMPTY_EXCEPTION,
        "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.";
    organization_not_empty = ORGANIZATION_NOT_EMPTY_EXCEPTION,
        "To delete an organization you must first remove all member accounts (except the master).";
    policy_in_use = POLICY_IN_USE_EXCEPTION,
        "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.";
    type_already_enabled = POLICY_TYPE_ALREADY_ENABLED_EXCEPTION, "The specified policy type is already enabled.";
    type_not_enabled = POLICY_TYPE_NOT_ENABLED_EXCEPTION,
        "This operation can be performed only for enabled policy types.";
    type_not_available = POLICY_TYPE_NOT_AVAILABLE_FOR_ORGANIZATION_EXCEPTION,
        "This operation can be performed only for organizations with all features enabled.";
    malformed_policy = MALFORMED_POLICY_DOCUMENT_EXCEPTION,
        "The provided policy document does not meet the requirements of the specified policy type.";
    management_cannot_leave = MASTER_CANNOT_LEAVE_ORGANIZATION_EXCEPTION,
        "You can't remove a management account from an organization. If you want the management account to become a member account in another organization, you must first delete the current organization of the management account.";
    already_closed = ACCOUNT_ALREADY_CLOSED_EXCEPTION, "You attempted to close an account that is already closed.";
    already_registered = ACCOUNT_ALREADY_REGISTERED_EXCEPTION,
        "The provided account is already a delegated administrator for your organization.";
    not_registered = ACCOUNT_NOT_REGISTERED_EXCEPTION,
        "The provided account is not a registered delegated administrator for your organization.";
    already_in_state = HANDSHAKE_ALREADY_IN_STATE_EXCEPTION,
        "The specified handshake is already in the requested state.";
    no_transition = INVALID_HANDSHAKE_TRANSITION_EXCEPTION,
        "You can't perform the operation on the handshake in its current state.";
    same_handshake = DUPLICATE_HANDSHAKE_EXCEPTION,
        "A handshake with the same action and target already exists.";
}

/// A limit of the organization's, by the reason that the model names.
pub(crate) fn constraint(reason: &str, words: &str) -> Fault {
    Fault::new(&errors::CONSTRAINT_VIOLATION_EXCEPTION, words).with("Reason", reason)
}

/// A limit of invitations.
pub(crate) fn handshake_constraint(reason: &str, words: &str) -> Fault {
    Fault::new(&errors::HANDSHAKE_CONSTRAINT_VIOLATION_EXCEPTION, words).with("Reason", reason)
}

/// A value that is none.
pub(crate) fn invalid(reason: &str, words: &str) -> Fault {
    Fault::new(&errors::INVALID_INPUT_EXCEPTION, words).with("Reason", reason)
}
