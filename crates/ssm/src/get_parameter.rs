//! `ssm:GetParameter`.

use daypass_core::model::ssm::{GetParameterRequest, GetParameterResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use crate::parameter::Asked;

operation!(GET_PARAMETER, ops::GetParameter, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &GetParameterRequest) -> Result<Checks, StoreError> {
    Ok(Asked::of(cx, &input.name).ask(cx, "ssm:GetParameter").into())
}

fn run(cx: &Cx, _: &mut Tx<'_>, input: GetParameterRequest) -> Result<GetParameterResult, Error> {
    Ok(GetParameterResult { parameter: Some(Asked::of(cx, &input.name).find(cx)?) })
}
