//! `ec2:GetConsoleOutput`. Instances have no console that is kept: there is no output.

use daypass_core::model::ec2::{GetConsoleOutputRequest, GetConsoleOutputResult, ops};
use daypass_core::store::records::Instance;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::resource::{Home, Resource};

operation!(GET_CONSOLE_OUTPUT, ops::GetConsoleOutput, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &GetConsoleOutputRequest) -> Result<Checks, StoreError> {
    Ok(Instance::ask(cx, tx, "ec2:GetConsoleOutput", &input.instance_id)?.into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: GetConsoleOutputRequest) -> Result<GetConsoleOutputResult, Error> {
    let instance = super::load(tx, &Home::of(cx), &input.instance_id)?;
    Ok(GetConsoleOutputResult {
        instance_id: Some(instance.id),
        timestamp: Some(instance.launched),
        output: None,
    })
}
