//! Instance profiles on instances: which role an instance has, and who may give it one.

mod associate_iam_instance_profile;
mod describe_iam_instance_profile_associations;
mod disassociate_iam_instance_profile;
mod replace_iam_instance_profile_association;

use daypass_core::model::ec2::{
    IamInstanceProfile, IamInstanceProfileAssociation, IamInstanceProfileAssociationState,
    IamInstanceProfileSpecification, errors,
};
use daypass_core::store::records::{Instance, InstanceProfile, InstanceState, ProfileAssociation, Role};
use daypass_core::store::{Read, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Entry, Error, Fault};

use crate::fault;
use crate::instance::{incorrect_state, is_on};
use crate::resource::{Home, Resource as _};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &associate_iam_instance_profile::ASSOCIATE_IAM_INSTANCE_PROFILE,
    &describe_iam_instance_profile_associations::DESCRIBE_IAM_INSTANCE_PROFILE_ASSOCIATIONS,
    &disassociate_iam_instance_profile::DISASSOCIATE_IAM_INSTANCE_PROFILE,
    &replace_iam_instance_profile_association::REPLACE_IAM_INSTANCE_PROFILE_ASSOCIATION,
];

/// The profile that a request names, with the role in it.
pub(crate) fn find(
    tx: &impl Read,
    home: &Home,
    asked: &IamInstanceProfileSpecification,
) -> Result<(InstanceProfile, Role), Error> {
    let (name, unknown) = match (asked.name.as_deref(), asked.arn.as_deref()) {
        (Some(_), Some(_)) => {
            let words = "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'";
            return Err(fault::invalid_combination(words).into());
        }
        (Some(name), None) => {
            let why = "Invalid IAM Instance Profile name";
            (name, fault::invalid_parameter(name, "iamInstanceProfile.name", why))
        }
        (None, Some(arn)) => {
            let why = "Invalid IAM Instance Profile ARN";
            (
                arn.rsplit('/').next().unwrap_or(arn),
                fault::invalid_parameter(arn, "iamInstanceProfile.arn", why),
            )
        }
        (None, None) => return Err(fault::missing("iamInstanceProfile").into()),
    };
    let found: Option<InstanceProfile> = tx.get(&InstanceProfile::key_of(&home.account, name))?;
    // A profile is found under its own ARN alone, with account and path.
    let named = |p: &InstanceProfile| asked.arn.as_ref().is_none_or(|arn| *arn == p.arn());
    let profile = found.filter(named).ok_or(unknown)?;
    let role = match &profile.role {
        Some(name) => tx.get::<Role>(&Role::key_of(&profile.account, name))?,
        None => None,
    };
    let words = || {
        let words = format!("IAM Instance Profile \"{}\" has no associated IAM Roles", profile.arn());
        fault::invalid_value(words)
    };
    let role = role.ok_or_else(words)?;
    Ok((profile, role))
}

/// May the caller give this role to instances? The question is about the role, and says where it goes (IAM User Guide,
/// `iam:PassedToService` and `iam:AssociatedResourceArn`).
pub(crate) fn ask_to_pass(role: &Role, resource_arn: String) -> Check {
    Check::new("iam:PassRole", role.arn())
        .with("iam:PassedToService", "ec2.amazonaws.com")
        .with("iam:AssociatedResourceArn", resource_arn)
        .resource_tags(&role.tags)
}

/// May the caller put the profile that a request names on the instance of that id?
fn ask_to_put(
    cx: &Cx,
    tx: &Tx<'_>,
    action: &'static str,
    instance_id: &str,
    asked: &IamInstanceProfileSpecification,
) -> Result<Checks, StoreError> {
    let home = Home::of(cx);
    let check = Instance::ask(cx, tx, action, instance_id)?;
    // What is not there is for the operation to say, after the caller may do it to the instance.
    let Ok((profile, role)) = find(tx, &home, asked) else { return Ok(check.into()) };
    let check = check.with("ec2:NewInstanceProfile", profile.arn());
    Ok(Checks::from(check).and(ask_to_pass(&role, Instance::KIND.arn(&home, instance_id))))
}

/// A new association.
fn association(cx: &Cx, profile: &InstanceProfile) -> ProfileAssociation {
    ProfileAssociation {
        id: cx.ids().resource_id("iip-assoc"),
        profile_name: profile.name.clone(),
        profile_id: profile.id.clone(),
        profile_arn: profile.arn(),
        since: cx.now(),
    }
}

/// The instance that has an association.
fn of_association(tx: &impl Read, home: &Home, id: &str) -> Result<Option<Instance>, StoreError> {
    let has = |i: &Instance| is_on(i) && i.profile.as_ref().is_some_and(|p| p.id == id);
    Ok(Instance::list(tx, home)?.into_iter().find(has))
}

/// The refusal of an association that no instance has.
fn unknown_association(id: &str) -> Fault {
    let words = format!("An invalid association-id of '{id}' was given");
    Fault::new(&errors::INVALID_ASSOCIATION_ID_NOT_FOUND, words)
}

/// A role is put on an instance that lives.
fn check_state(instance: &Instance) -> Result<(), Fault> {
    if matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated) {
        let words = format!("The instance '{}' is not in the 'running' or 'stopped' states.", instance.id);
        return Err(incorrect_state(words));
    }
    Ok(())
}

fn describe(
    instance_id: &str,
    association: &ProfileAssociation,
    state: IamInstanceProfileAssociationState,
) -> IamInstanceProfileAssociation {
    IamInstanceProfileAssociation {
        association_id: Some(association.id.clone()),
        instance_id: Some(instance_id.to_owned()),
        iam_instance_profile: Some(IamInstanceProfile {
            arn: Some(association.profile_arn.clone()),
            id: Some(association.profile_id.clone()),
        }),
        state: Some(state),
        timestamp: None,
    }
}
