//! `iam:UpdateGroup`: another name, another path.

use daypass_core::model::iam::{UpdateGroupRequest, ops};
use daypass_core::store::records::{EntityKind, Group, Indexed as _, Reference, Target, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::entity::{self, Entity as _};
use crate::fault::already_exists;

operation!(UPDATE_GROUP, ops::UpdateGroup, checks, run);

/// The caller must be allowed to update the group as it is and as it will be (IAM API reference, UpdateGroup).
fn checks(cx: &Cx, tx: &Tx<'_>, input: &UpdateGroupRequest) -> Result<Checks, StoreError> {
    let found = Group::find(cx, tx, &input.group_name)?;
    let old_path = found.as_ref().map_or("/", |group| group.path.as_str());
    let path = input.new_path.as_deref().unwrap_or(old_path);
    let name = input.new_group_name.as_deref().unwrap_or(&input.group_name);
    let after = Check::new("iam:UpdateGroup", entity::arn(cx, "group", path, name));
    Ok(Checks::from(Group::question(cx, &input.group_name, found.as_ref())).and(after))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: UpdateGroupRequest) -> Result<(), Error> {
    let old = Group::load(cx, tx, &input.group_name)?;
    let mut group = old.clone();
    if let Some(path) = input.new_path {
        group.path = path;
    }
    if let Some(name) = input.new_group_name {
        let taken = Group::find(cx, tx, &name)?.is_some_and(|other| other.id != group.id);
        if taken {
            return Err(already_exists(format!("Group with name {name} already exists.")).into());
        }
        rename_for_members(tx, &old, &name)?;
        group.name = name;
    }
    old.remove(tx)?;
    Ok(group.save(tx)?)
}

/// A user knows its groups by name.
fn rename_for_members(tx: &mut Tx<'_>, group: &Group, name: &str) -> Result<(), StoreError> {
    let members = Target::Group(group.name.clone());
    let members: Vec<Reference> = tx.all(&Reference::all_of(&group.account, &members, EntityKind::User))?;
    for member in members {
        let Some(mut user) = tx.get::<User>(&User::key_of(&group.account, &member.name))? else { continue };
        for known in &mut user.groups {
            if known.eq_ignore_ascii_case(&group.name) {
                name.clone_into(known);
            }
        }
        user.save(tx)?;
    }
    Ok(())
}
