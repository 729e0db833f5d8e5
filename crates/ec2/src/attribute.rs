//! Attributes that an operation sets, as policies see them: `ec2:Attribute`, and `ec2:Attribute/Name` with the value
//! (Service Authorization Reference, condition keys for Amazon EC2).

use daypass_core::{Check, Checks};

/// Asks about each attribute that the request sets. Every question knows all values, and names one attribute: the key has
/// one value.
pub(crate) fn ask_about(check: Check, given: &[(&'static str, String)]) -> Checks {
    let all = given
        .iter()
        .fold(check, |check, (name, value)| check.with(format!("ec2:Attribute/{name}"), value.clone()));
    let mut names = given.iter().map(|(name, _)| *name);
    let Some(first) = names.next() else { return all.into() };
    let others: Vec<Check> = names.map(|name| all.clone().with("ec2:Attribute", name)).collect();
    Checks::from(all.with("ec2:Attribute", first)).and_all(others)
}
