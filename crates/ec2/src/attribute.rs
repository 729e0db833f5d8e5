//! Attributes that an operation sets, as policies see them: `ec2:Attribute`, and `ec2:Attribute/Name` with the value
//! (Service Authorization Reference, condition keys for Amazon EC2).

use daypass_core::Check;

/// Tells a question which attributes the request sets.
pub(crate) fn tell(check: Check, given: Vec<(&'static str, impl ToString)>) -> Check {
    if given.is_empty() {
        return check;
    }
    let names = given.iter().map(|(name, _)| (*name).to_owned()).collect();
    let check = check.with_list("ec2:Attribute", names);
    given
        .into_iter()
        .fold(check, |check, (name, value)| check.with(format!("ec2:Attribute/{name}"), value.to_string()))
}
