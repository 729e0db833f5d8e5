//! `ec2:ModifyVpcAttribute`: one attribute at a time.

use daypass_core::model::ec2::{ModifyVpcAttributeRequest, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Vpc;
use crate::resource::{Home, Resource};
use crate::{attribute, default_network, fault};

operation!(MODIFY_VPC_ATTRIBUTE, ops::ModifyVpcAttribute, checks, run);

/// What the request sets: names and values.
fn given(input: &ModifyVpcAttributeRequest) -> Vec<(&'static str, bool)> {
    [
        ("EnableDnsHostnames", &input.enable_dns_hostnames),
        ("EnableDnsSupport", &input.enable_dns_support),
        ("EnableNetworkAddressUsageMetrics", &input.enable_network_address_usage_metrics),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_ref()?.value?)))
    .collect()
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifyVpcAttributeRequest) -> Result<Checks, StoreError> {
    let check = super::ask_about(cx, tx, "ec2:ModifyVpcAttribute", &input.vpc_id)?;
    let given: Vec<(&str, String)> = given(input).iter().map(|(name, on)| (*name, on.to_string())).collect();
    Ok(attribute::ask_about(check, &given))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ModifyVpcAttributeRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let mut vpc = Vpc::load(tx, &Home::of(cx), &input.vpc_id)?;
    match given(&input).as_slice() {
        [("EnableDnsHostnames", value)] => vpc.dns_hostnames = *value,
        [("EnableDnsSupport", value)] => vpc.dns_support = *value,
        [(_, value)] => vpc.usage_metrics = *value,
        [] => return Err(fault::invalid_combination("No attributes specified.").into()),
        _ => return Err(fault::invalid_combination("Fields for multiple attribute types specified").into()),
    }
    tx.put(&vpc)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn one_attribute_changes_and_reads_back() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.ok();
        let vpc = made.xml("vpcId").unwrap();
        let read = async |attribute: &str| {
            let ask = [("VpcId", vpc), ("Attribute", attribute)];
            ec2(&admin, "DescribeVpcAttribute", &ask).await.ok().xml("value").unwrap().to_owned()
        };
        assert_eq!(read("enableDnsHostnames").await, "false");
        assert_eq!(read("enableDnsSupport").await, "true");
        ec2(&admin, "ModifyVpcAttribute", &[("VpcId", vpc), ("EnableDnsHostnames.Value", "true")]).await.ok();
        assert_eq!(read("enableDnsHostnames").await, "true");
        assert_eq!(read("enableDnsSupport").await, "true");
        assert_eq!(read("enableNetworkAddressUsageMetrics").await, "false");
    }

    #[tokio::test]
    async fn a_policy_can_name_the_attribute_and_its_value() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.ok();
        let vpc = made.xml("vpcId").unwrap();
        let may = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:ModifyVpcAttribute","Resource":"*",
            "Condition":{"StringEquals":{"ec2:Attribute":"EnableDnsHostnames"},"Bool":{"ec2:Attribute/EnableDnsHostnames":"true"}}}}"#;
        let bob = server.user("bob", &[("p", may)]).await;
        ec2(&bob, "ModifyVpcAttribute", &[("VpcId", vpc), ("EnableDnsHostnames.Value", "true")]).await.ok();
        for other in [("EnableDnsHostnames.Value", "false"), ("EnableDnsSupport.Value", "true")] {
            let refused = ec2(&bob, "ModifyVpcAttribute", &[("VpcId", vpc), other]).await.refused();
            assert_eq!(refused.0, "UnauthorizedOperation", "{other:?}");
        }
    }
}
