//! AWS Systems Manager, as far as its public parameters go: the names under `/aws/service` by which everybody finds the
//! newest image of a kind. [`OPERATIONS`] is the service.

mod get_parameter;
mod get_parameters;
mod get_parameters_by_path;
mod parameter;

use daypass_core::Entry;

/// Every operation that is implemented.
pub static OPERATIONS: &[&Entry] = &[
    &get_parameter::GET_PARAMETER,
    &get_parameters::GET_PARAMETERS,
    &get_parameters_by_path::GET_PARAMETERS_BY_PATH,
];
