//! EC2's refusals that more than one operation makes, in its words (EC2 API Reference, error codes; the sentences are
//! those that clients report).

use std::fmt::Display;

use daypass_core::Fault;
use daypass_core::model::ec2::errors;

/// A value that a parameter cannot have, in the operation's own words.
pub(crate) fn invalid_value(words: impl Into<String>) -> Fault {
    Fault::new(&errors::INVALID_PARAMETER_VALUE, words)
}

/// A value that a parameter cannot have: the sentence that most parameters share.
pub(crate) fn invalid_parameter(value: impl Display, parameter: &str, why: &str) -> Fault {
    invalid_value(format!("Value ({value}) for parameter {parameter} is invalid. {why}"))
}

/// Parameters that exclude each other.
pub(crate) fn invalid_combination(words: impl Into<String>) -> Fault {
    Fault::new(&errors::INVALID_PARAMETER_COMBINATION, words)
}

/// A parameter that has to be there.
pub(crate) fn missing(parameter: &str) -> Fault {
    Fault::new(&errors::MISSING_PARAMETER, format!("The request must contain the parameter {parameter}"))
}

/// Something still needs it.
pub(crate) fn in_use(words: impl Into<String>) -> Fault {
    Fault::new(&errors::DEPENDENCY_VIOLATION, words)
}

/// What is asked for is not built, or cannot be had from a machine of one's own.
pub(crate) fn unsupported(words: impl Into<String>) -> Fault {
    Fault::new(&errors::UNSUPPORTED_OPERATION, words)
}

/// A code that EC2 uses and no table names.
pub(crate) fn coded(code: &'static str, words: impl Into<String>) -> Fault {
    Fault::coded(code, 400, words)
}
