//! `ec2:CreateDefaultVpc`: the default VPC again, after it was deleted.

use daypass_core::model::ec2::{CreateDefaultVpcRequest, CreateDefaultVpcResult, VpcState, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::Vpc;
use crate::default_network::{self, DefaultNetwork};
use crate::resource::{Home, ask_all};

operation!(CREATE_DEFAULT_VPC, ops::CreateDefaultVpc, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, _: &CreateDefaultVpcRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:CreateDefaultVpc").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, _: CreateDefaultVpcRequest) -> Result<CreateDefaultVpcResult, Error> {
    let home = Home::of(cx);
    let network = default_network::ensure(cx, tx)?;
    if Vpc::default_of(tx, &home)?.is_some() {
        let words = "A Default VPC already exists for this account in this region.";
        return Err(Fault::new(&errors::DEFAULT_VPC_ALREADY_EXISTS, words).into());
    }
    Vpc::room_for_one(tx, &home)?;
    let ids = |prefix: &str| cx.ids().resource_id(prefix);
    let made = DefaultNetwork::new(&home, &ids, &network.dhcp_options_id);
    made.put(tx)?;
    Ok(CreateDefaultVpcResult { vpc: Some(made.vpc().describe_as(VpcState::Pending)) })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn there_is_one_default_vpc_at_most() {
        let server = server().await;
        let admin = server.administrator().await;
        assert_eq!(ec2(&admin, "CreateDefaultVpc", &[]).await.refused().0, "DefaultVpcAlreadyExists");
        let vpc = ec2(&admin, "DescribeVpcs", &[]).await.ok().xml("vpcId").unwrap().to_owned();
        let by_vpc = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", vpc.as_str())];
        for subnet in ec2(&admin, "DescribeSubnets", &by_vpc).await.ok().xml_all("subnetId") {
            ec2(&admin, "DeleteSubnet", &[("SubnetId", subnet)]).await.ok();
        }
        let gateway = ec2(&admin, "DescribeInternetGateways", &[]).await.ok();
        let gateway = gateway.xml("internetGatewayId").unwrap();
        let both = [("InternetGatewayId", gateway), ("VpcId", vpc.as_str())];
        ec2(&admin, "DetachInternetGateway", &both).await.ok();
        ec2(&admin, "DeleteVpc", &[("VpcId", &vpc)]).await.ok();
        assert_eq!(ec2(&admin, "DescribeVpcs", &[]).await.ok().xml("vpcId"), None);
        let made = ec2(&admin, "CreateDefaultVpc", &[]).await.ok();
        assert_eq!((made.xml("isDefault"), made.xml("cidrBlock")), (Some("true"), Some("172.31.0.0/16")));
        assert_ne!(made.xml("vpcId"), Some(vpc.as_str()));
        assert_eq!(ec2(&admin, "DescribeSubnets", &[]).await.ok().xml_all("subnetId").len(), 6);
    }
}
