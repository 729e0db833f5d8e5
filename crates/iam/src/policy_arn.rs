//! The ARNs of managed policies, as requests give them.

use daypass_core::delegation::PartnerBoundary;
use daypass_core::model::AccountId;
use daypass_core::store::records::ManagedPolicy;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{AwsManagedPolicy, Cx, Error, Fault};

use crate::entity::Entity as _;
use crate::fault::{invalid_input, no_attachable_policy, validation};

/// An ARN that has the form of a managed policy's.
#[derive(Clone, Copy)]
pub(crate) struct PolicyArn<'a> {
    account: &'a str,
    /// The path, as `/division/`.
    pub(crate) path: &'a str,
    /// The name.
    pub(crate) name: &'a str,
}

impl<'a> PolicyArn<'a> {
    /// Reads an ARN.
    ///
    /// # Errors
    /// AWS's refusal of what is no ARN, and of an ARN of something else.
    pub(crate) fn parse(arn: &'a str) -> Result<Self, Fault> {
        let unparsable = || validation("Invalid ARN:  Could not be parsed!");
        let rest = arn.strip_prefix("arn:").ok_or_else(unparsable)?;
        let parts: Vec<&str> = rest.splitn(5, ':').collect();
        let &[partition, service, region, account, resource] = parts.as_slice() else {
            return Err(unparsable());
        };
        if partition != "aws" {
            return Err(validation("Invalid ARN partition"));
        }
        let of_policy = resource
            .strip_prefix("policy")
            .filter(|_| service == "iam" && region.is_empty())
            .filter(|_| account == "aws" || account.parse::<AccountId>().is_ok())
            .filter(|rest| rest.starts_with('/'));
        let (path, name) = of_policy
            .and_then(|rest| rest.rsplit_once('/').map(|(path, name)| (rest.get(..=path.len()), name)))
            .and_then(|(path, name)| Some((path?, name)))
            .filter(|(_, name)| !name.is_empty())
            .ok_or_else(|| invalid_input(format!("ARN {arn} is not valid.")))?;
        Ok(Self { account, path, name })
    }

    /// The account of the policy; `aws` for AWS's own.
    pub(crate) fn account(&self) -> &'a str {
        self.account
    }
}

/// Whether there is a policy of that ARN for the account: AWS's, or its own.
fn exists(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<bool, StoreError> {
    Ok(AwsManagedPolicy::find(arn).is_some() || ManagedPolicy::find(cx, tx, arn)?.is_some())
}

/// The policy of that ARN can be attached or set as a boundary.
pub(crate) fn attachable<'a>(cx: &Cx, tx: &Tx<'_>, arn: &'a str) -> Result<PolicyArn<'a>, Error> {
    let parsed = PolicyArn::parse(arn)?;
    if exists(cx, tx, arn)? { Ok(parsed) } else { Err(no_attachable_policy(arn).into()) }
}

/// The policy of that ARN can be set as a boundary: one that can be attached, or the boundary of a partner, which is nothing
/// else.
pub(crate) fn bounding(cx: &Cx, tx: &Tx<'_>, arn: &str) -> Result<(), Error> {
    match PartnerBoundary::place_of(arn) {
        Some(place) if tx.get::<PartnerBoundary>(&place)?.is_some() => Ok(()),
        Some(_) => Err(no_attachable_policy(arn).into()),
        None => attachable(cx, tx, arn).map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::PolicyArn;

    #[test]
    fn an_arn_is_of_a_policy_or_refused_in_one_of_three_ways() {
        let parsed = PolicyArn::parse("arn:aws:iam::aws:policy/service-role/X").unwrap_or_else(|_| panic!());
        assert_eq!((parsed.account(), parsed.path, parsed.name), ("aws", "/service-role/", "X"));
        let parsed = PolicyArn::parse("arn:aws:iam::123456789012:policy/X").unwrap_or_else(|_| panic!());
        assert_eq!((parsed.account(), parsed.path, parsed.name), ("123456789012", "/", "X"));
        let unparsable = ("ValidationError", "Invalid ARN:  Could not be parsed!".to_owned());
        let invalid = |arn: &str| ("InvalidInput", format!("ARN {arn} is not valid."));
        for (arn, expected) in [
            ("AmazonS3ReadOnlyAccess", unparsable.clone()),
            ("arn:aws:iam::aws", unparsable),
            ("arn:aws-cn:iam::aws:policy/X", ("ValidationError", "Invalid ARN partition".to_owned())),
            ("arn:aws:iam::123456789012:role/X", invalid("arn:aws:iam::123456789012:role/X")),
            ("arn:aws:s3::123456789012:policy/X", invalid("arn:aws:s3::123456789012:policy/X")),
            ("arn:aws:iam:us-east-1:aws:policy/X", invalid("arn:aws:iam:us-east-1:aws:policy/X")),
            ("arn:aws:iam::12:policy/X", invalid("arn:aws:iam::12:policy/X")),
            ("arn:aws:iam::aws:policy/", invalid("arn:aws:iam::aws:policy/")),
            ("arn:aws:iam::aws:policyX", invalid("arn:aws:iam::aws:policyX")),
        ] {
            let Err(fault) = PolicyArn::parse(arn) else { panic!("{arn}") };
            assert_eq!((fault.code.as_ref(), fault.message), expected, "{arn}");
        }
    }
}
