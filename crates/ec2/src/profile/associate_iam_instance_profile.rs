//! `ec2:AssociateIamInstanceProfile`: a role for an instance that has none, running or not.

use daypass_core::model::ec2::{
    AssociateIamInstanceProfileRequest, AssociateIamInstanceProfileResult,
    IamInstanceProfileAssociationState, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{association, check_state, describe, find};
use crate::instance;
use crate::resource::Home;

operation!(ASSOCIATE_IAM_INSTANCE_PROFILE, ops::AssociateIamInstanceProfile, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &AssociateIamInstanceProfileRequest) -> Result<Checks, StoreError> {
    let action = "ec2:AssociateIamInstanceProfile";
    super::ask_to_put(cx, tx, action, &input.instance_id, &input.iam_instance_profile)
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: AssociateIamInstanceProfileRequest,
) -> Result<AssociateIamInstanceProfileResult, Error> {
    let home = Home::of(cx);
    let mut instance = instance::load(tx, &home, &input.instance_id)?;
    let (profile, _) = find(tx, &home, &input.iam_instance_profile)?;
    check_state(&instance)?;
    if instance.profile.is_some() {
        let words = format!("There is an existing association for instance {}", instance.id);
        return Err(Fault::new(&errors::INCORRECT_STATE, words).into());
    }
    let new = association(cx, &profile);
    let answer = describe(&instance.id, &new, IamInstanceProfileAssociationState::Associating);
    instance.profile = Some(new);
    tx.put(&instance)?;
    Ok(AssociateIamInstanceProfileResult { iam_instance_profile_association: Some(answer) })
}
