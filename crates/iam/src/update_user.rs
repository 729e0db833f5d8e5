//! `iam:UpdateUser`: another name, another path.

use daypass_core::model::iam::{UpdateUserRequest, ops};
use daypass_core::store::records::{AccessKey, Indexed as _, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::entity::{self, Entity as _};
use crate::fault::already_exists;

operation!(UPDATE_USER, ops::UpdateUser, checks, run);

/// The caller must be allowed to update the user as it is and as it will be (IAM API reference, UpdateUser).
fn checks(cx: &Cx, tx: &Tx<'_>, input: &UpdateUserRequest) -> Result<Checks, StoreError> {
    let found = User::find(cx, tx, &input.user_name)?;
    let old_path = found.as_ref().map_or("/", |user| user.path.as_str());
    let path = input.new_path.as_deref().unwrap_or(old_path);
    let name = input.new_user_name.as_deref().unwrap_or(&input.user_name);
    let after = Check::new("iam:UpdateUser", entity::arn(cx, "user", path, name));
    Ok(Checks::from(User::question(cx, &input.user_name, found.as_ref())).and(after))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: UpdateUserRequest) -> Result<(), Error> {
    let old = User::load(cx, tx, &input.user_name)?;
    let mut user = old.clone();
    if let Some(path) = input.new_path {
        user.path = path;
    }
    if let Some(name) = input.new_user_name {
        let taken = User::find(cx, tx, &name)?.is_some_and(|other| other.id != user.id);
        if taken {
            return Err(already_exists(format!("User with name {name} already exists.")).into());
        }
        user.name = name;
        rename_keys(tx, &user)?;
    }
    old.remove(tx)?;
    Ok(user.save(tx)?)
}

/// An access key knows its user by name.
fn rename_keys(tx: &mut Tx<'_>, user: &User) -> Result<(), StoreError> {
    for id in &user.access_keys {
        if let Some(mut key) = tx.get::<AccessKey>(&AccessKey::key_of(id))? {
            key.user_name = user.name.clone();
            tx.put(&key)?;
        }
    }
    Ok(())
}
