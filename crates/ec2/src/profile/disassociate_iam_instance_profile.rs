//! `ec2:DisassociateIamInstanceProfile`: the instance has no role any more.

use daypass_core::model::ec2::{
    DisassociateIamInstanceProfileRequest, DisassociateIamInstanceProfileResult,
    IamInstanceProfileAssociationState, ops,
};
use daypass_core::store::records::Instance;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::{describe, of_association, unknown_association};
use crate::resource::{Home, Resource as _};

operation!(DISASSOCIATE_IAM_INSTANCE_PROFILE, ops::DisassociateIamInstanceProfile, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DisassociateIamInstanceProfileRequest) -> Result<Checks, StoreError> {
    let instance = of_association(tx, &Home::of(cx), &input.association_id)?;
    let id = instance.map_or_else(|| "*".to_owned(), |i| i.id);
    Ok(Instance::ask(cx, tx, "ec2:DisassociateIamInstanceProfile", &id)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DisassociateIamInstanceProfileRequest,
) -> Result<DisassociateIamInstanceProfileResult, Error> {
    let found = of_association(tx, &Home::of(cx), &input.association_id)?;
    let mut instance = found.ok_or_else(|| unknown_association(&input.association_id))?;
    let gone = instance.profile.take();
    tx.put(&instance)?;
    let state = IamInstanceProfileAssociationState::Disassociating;
    let answer = gone.map(|association| describe(&instance.id, &association, state));
    Ok(DisassociateIamInstanceProfileResult { iam_instance_profile_association: answer })
}
