//! `ec2:ModifySubnetAttribute`: one attribute at a time.

use daypass_core::model::ec2::{AttributeBooleanValue, HostnameType, ModifySubnetAttributeRequest, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::Subnet;
use crate::resource::{Home, Resource};
use crate::{attribute, default_network, fault};

operation!(MODIFY_SUBNET_ATTRIBUTE, ops::ModifySubnetAttribute, checks, run);

/// What the request sets: names and values.
fn given(input: &ModifySubnetAttributeRequest) -> Vec<(&'static str, String)> {
    let flag =
        |value: &Option<AttributeBooleanValue>| value.as_ref().and_then(|v| v.value).map(|v| v.to_string());
    let hostname = input.private_dns_hostname_type_on_launch.map(|kind| match kind {
        HostnameType::IpName => "ip-name".to_owned(),
        HostnameType::ResourceName => "resource-name".to_owned(),
    });
    [
        ("MapPublicIpOnLaunch", flag(&input.map_public_ip_on_launch)),
        ("EnableResourceNameDnsARecordOnLaunch", flag(&input.enable_resource_name_dns_a_record_on_launch)),
        ("AssignIpv6AddressOnCreation", flag(&input.assign_ipv6_address_on_creation)),
        ("MapCustomerOwnedIpOnLaunch", flag(&input.map_customer_owned_ip_on_launch)),
        ("EnableDns64", flag(&input.enable_dns64)),
        ("PrivateDnsHostnameTypeOnLaunch", hostname),
        (
            "EnableResourceNameDnsAAAARecordOnLaunch",
            flag(&input.enable_resource_name_dns_aaaa_record_on_launch),
        ),
        ("EnableLniAtDeviceIndex", input.enable_lni_at_device_index.map(|i| i.to_string())),
        ("DisableLniAtDeviceIndex", flag(&input.disable_lni_at_device_index)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifySubnetAttributeRequest) -> Result<Checks, StoreError> {
    let check = Subnet::ask(cx, tx, "ec2:ModifySubnetAttribute", &input.subnet_id)?;
    Ok(attribute::ask_about(check, &given(input)))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ModifySubnetAttributeRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let mut subnet = Subnet::load(tx, &Home::of(cx), &input.subnet_id)?;
    let given = given(&input);
    let (name, value) = match given.as_slice() {
        [(name, value)] => (*name, value.as_str()),
        [] => return Err(fault::invalid_combination("No attributes specified.").into()),
        _ => return Err(fault::invalid_combination("Fields for multiple attribute types specified").into()),
    };
    match (name, value) {
        ("MapPublicIpOnLaunch", value) => subnet.map_public_ip = value == "true",
        ("EnableResourceNameDnsARecordOnLaunch", value) => subnet.resource_name_a_record = value == "true",
        // What a subnet is anyway.
        (_, "false" | "ip-name") => {}
        (name, _) => return Err(fault::unsupported(format!("Daypass does not support {name}.")).into()),
    }
    tx.put(&subnet)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, subnet, vpc};

    #[tokio::test]
    async fn one_attribute_changes_and_reads_back() {
        let server = server().await;
        let admin = server.administrator().await;
        let subnet = subnet(&admin, &vpc(&admin).await).await;
        let set = [("SubnetId", subnet.as_str()), ("MapPublicIpOnLaunch.Value", "true")];
        ec2(&admin, "ModifySubnetAttribute", &set).await.ok();
        let read = ec2(&admin, "DescribeSubnets", &[("SubnetId.1", &subnet)]).await.ok();
        assert_eq!(read.xml("mapPublicIpOnLaunch"), Some("true"));
        for (more, code) in [
            (&[][..], "InvalidParameterCombination"),
            (
                &[("MapPublicIpOnLaunch.Value", "true"), ("EnableDns64.Value", "false")],
                "InvalidParameterCombination",
            ),
            (&[("AssignIpv6AddressOnCreation.Value", "true")], "UnsupportedOperation"),
        ] {
            let ask = [&[("SubnetId", subnet.as_str())][..], more].concat();
            assert_eq!(ec2(&admin, "ModifySubnetAttribute", &ask).await.refused().0, code);
        }
    }
}
