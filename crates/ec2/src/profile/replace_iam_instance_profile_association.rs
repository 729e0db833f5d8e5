//! `ec2:ReplaceIamInstanceProfileAssociation`: another role for an instance that has one.

use daypass_core::model::ec2::{
    IamInstanceProfileAssociationState, ReplaceIamInstanceProfileAssociationRequest,
    ReplaceIamInstanceProfileAssociationResult, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{association, check_state, describe, find, of_association, unknown_association};
use crate::resource::Home;

operation!(REPLACE_IAM_INSTANCE_PROFILE_ASSOCIATION, ops::ReplaceIamInstanceProfileAssociation, checks, run);

fn checks(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &ReplaceIamInstanceProfileAssociationRequest,
) -> Result<Checks, StoreError> {
    let action = "ec2:ReplaceIamInstanceProfileAssociation";
    let instance = of_association(tx, &Home::of(cx), &input.association_id)?;
    let id = instance.map_or_else(|| "*".to_owned(), |i| i.id);
    super::ask_to_put(cx, tx, action, &id, &input.iam_instance_profile)
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ReplaceIamInstanceProfileAssociationRequest,
) -> Result<ReplaceIamInstanceProfileAssociationResult, Error> {
    let home = Home::of(cx);
    let found = of_association(tx, &home, &input.association_id)?;
    let mut instance = found.ok_or_else(|| unknown_association(&input.association_id))?;
    let (profile, _) = find(tx, &home, &input.iam_instance_profile)?;
    check_state(&instance)?;
    let new = association(cx, &profile);
    let answer = describe(&instance.id, &new, IamInstanceProfileAssociationState::Associating);
    instance.profile = Some(new);
    tx.put(&instance)?;
    Ok(ReplaceIamInstanceProfileAssociationResult { iam_instance_profile_association: Some(answer) })
}
