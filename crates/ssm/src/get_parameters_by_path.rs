//! `ssm:GetParametersByPath`: what stands below a path, ten at a time at most.

use daypass_core::model::ssm::{
    GetParametersByPathRequest, GetParametersByPathResult, ParameterStringFilter, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use crate::parameter::{self, Public};

operation!(GET_PARAMETERS_BY_PATH, ops::GetParametersByPath, checks, run);

/// The most parameters of one answer, and the number where a request does not say (Systems Manager API Reference,
/// GetParametersByPath).
const PAGE: i32 = 10;

fn checks(cx: &Cx, _: &Tx<'_>, input: &GetParametersByPathRequest) -> Result<Checks, StoreError> {
    let arn = parameter::arn(cx, trimmed(&input.path));
    let check = daypass_core::Check::new("ssm:GetParametersByPath", arn);
    Ok(check.with_flag("ssm:Recursive", input.recursive == Some(true)).into())
}

/// A path without the slash at its end, which says nothing.
fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

fn run(
    cx: &Cx,
    _: &mut Tx<'_>,
    input: GetParametersByPathRequest,
) -> Result<GetParametersByPathResult, Error> {
    check_path(&input.path)?;
    let mut filters = vec![];
    for filter in &input.parameter_filters {
        filters.push(passes_all(filter)?);
    }
    let mut found = Public::all(cx.region());
    let path = trimmed(&input.path).trim_end_matches('/').to_owned();
    let recursive = input.recursive == Some(true);
    found.retain(|p| {
        let rest = p.name.strip_prefix(&path).and_then(|rest| rest.strip_prefix('/'));
        filters.iter().all(|passes| *passes) && rest.is_some_and(|rest| recursive || !rest.contains('/'))
    });
    if let Some(token) = &input.next_token {
        let start = found.iter().position(|p| p.name == *token).ok_or_else(invalid_token)?;
        found.drain(..start);
    }
    let most = usize::try_from(input.max_results.unwrap_or(PAGE)).unwrap_or_default();
    // What is public is no secret: a token is the name that comes next.
    let next_token = found.get(most).map(|p| p.name.clone());
    let page = found.iter().take(most).map(|p| p.describe(cx.region(), None)).collect();
    Ok(GetParametersByPathResult { parameters: Some(page), next_token })
}

fn invalid_token() -> Fault {
    Fault::new(&errors::INVALID_NEXT_TOKEN, "The specified token is not valid.")
}

fn check_path(path: &str) -> Result<(), Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if path.starts_with('/') && path.chars().all(fits) && !path.contains("//") {
        return Ok(());
    }
    let words = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.";
    Err(Fault::coded("ValidationException", 400, words))
}

/// Whether public parameters pass a filter: they are all plain strings, without a key and without labels.
fn passes_all(filter: &ParameterStringFilter) -> Result<bool, Fault> {
    let option = filter.option.as_deref().unwrap_or("Equals");
    if !matches!(option, "Equals" | "BeginsWith") {
        let words = format!(
            "The following filter option is not valid: {option}. Valid options include: [BeginsWith, Equals]."
        );
        return Err(Fault::new(&errors::INVALID_FILTER_OPTION, words));
    }
    match filter.key.as_str() {
        "Type" => Ok(filter.values.iter().any(|value| match option {
            "BeginsWith" => "String".starts_with(value.as_str()),
            _ => value == "String",
        })),
        "KeyId" | "Label" => Ok(false),
        other => {
            let words = format!(
                "The following filter key is not valid: {other}. Valid filter keys include: [Type, KeyId, Label]."
            );
            Err(Fault::new(&errors::INVALID_FILTER_KEY, words))
        }
    }
}
