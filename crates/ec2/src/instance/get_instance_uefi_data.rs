//! `ec2:GetInstanceUefiData`. No instance has UEFI variables; Terraform asks with the id of an image, and takes that
//! nothing has it for an answer.

use daypass_core::model::ec2::{GetInstanceUefiDataRequest, GetInstanceUefiDataResult, ops};
use daypass_core::store::records::Instance;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::fault;
use crate::resource::{Home, Resource};

operation!(GET_INSTANCE_UEFI_DATA, ops::GetInstanceUefiData, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetInstanceUefiDataRequest) -> Result<Checks, StoreError> {
    Ok(Instance::ask(cx, tx, "ec2:GetInstanceUefiData", &input.instance_id)?.into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: GetInstanceUefiDataRequest,
) -> Result<GetInstanceUefiDataResult, Error> {
    let instance = super::load(tx, &Home::of(cx), &input.instance_id)?;
    let words = format!("The instance '{}' does not boot by UEFI.", instance.id);
    Err(fault::unsupported(words).into())
}
