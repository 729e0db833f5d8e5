//! `ssm:GetParameters`: those that are there, and the names of those that are not.

use daypass_core::model::ssm::{GetParametersRequest, GetParametersResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, operation};

use crate::parameter::Asked;

operation!(GET_PARAMETERS, ops::GetParameters, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &GetParametersRequest) -> Result<Checks, StoreError> {
    let action = "ssm:GetParameters";
    let mut checks = input.names.iter().map(|name| Asked::of(cx, name).ask(cx, action));
    // A request names at least one.
    let first = checks.next().unwrap_or_else(|| Check::on_all(action));
    Ok(Checks::from(first).and_all(checks))
}

fn run(cx: &Cx, _: &mut Tx<'_>, input: GetParametersRequest) -> Result<GetParametersResult, Error> {
    let (mut parameters, mut invalid) = (vec![], vec![]);
    for (at, name) in input.names.iter().enumerate() {
        if input.names.iter().take(at).any(|before| before == name) {
            continue;
        }
        match Asked::of(cx, name).find(cx) {
            Ok(parameter) => parameters.push(parameter),
            Err(_) => invalid.push(name.clone()),
        }
    }
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(GetParametersResult { parameters: Some(parameters), invalid_parameters: Some(invalid) })
}
