//! `ec2:DescribeAccountAttributes`.

use daypass_core::model::ec2::{
    AccountAttribute, AccountAttributeName as Name, AccountAttributeValue, DescribeAccountAttributesRequest,
    DescribeAccountAttributesResult, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Entry, Error, operation};

use crate::default_network;
use crate::resource::{Home, ask_all};
use crate::vpc::Vpc;

pub(crate) const OPERATIONS: &[&Entry] = &[&DESCRIBE_ACCOUNT_ATTRIBUTES];

operation!(DESCRIBE_ACCOUNT_ATTRIBUTES, ops::DescribeAccountAttributes, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeAccountAttributesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeAccountAttributes").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeAccountAttributesRequest,
) -> Result<DescribeAccountAttributesResult, Error> {
    default_network::ensure(cx, tx)?;
    let default = Vpc::default_of(tx, &Home::of(cx))?.map_or_else(|| "none".to_owned(), |vpc| vpc.id);
    let attributes = [
        (Some(Name::SupportedPlatforms), "supported-platforms", "VPC".to_owned()),
        (Some(Name::DefaultVpc), "default-vpc", default),
        (None, "vpc-max-security-groups-per-interface", "5".to_owned()),
        (None, "max-elastic-ips", "0".to_owned()),
        (None, "vpc-max-elastic-ips", "0".to_owned()),
    ];
    let asked = |name: &Option<Name>| {
        input.attribute_names.is_empty() || name.is_some_and(|name| input.attribute_names.contains(&name))
    };
    let attributes = attributes.into_iter().filter(|(name, ..)| asked(name));
    let describe = |(_, name, value): (_, &str, String)| AccountAttribute {
        attribute_name: Some(name.to_owned()),
        attribute_values: Some(vec![AccountAttributeValue { attribute_value: Some(value) }]),
    };
    Ok(DescribeAccountAttributesResult { account_attributes: Some(attributes.map(describe).collect()) })
}
