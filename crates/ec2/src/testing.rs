//! What the tests of operations share.

use daypass_core::testing::{Client, TestAnswer, TestServer};

/// A server with all of EC2.
pub(crate) async fn server() -> TestServer {
    TestServer::new(crate::OPERATIONS.iter().copied()).await
}

/// Calls an operation of EC2.
pub(crate) async fn ec2(client: &Client, action: &str, parameters: &[(&str, &str)]) -> TestAnswer {
    client.query("ec2", action, parameters).await
}

/// A new VPC of 10.0.0.0/16.
pub(crate) async fn vpc(client: &Client) -> String {
    let made = ec2(client, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await.ok();
    made.xml("vpcId").unwrap_or_default().to_owned()
}

/// A new subnet of 10.0.1.0/24 in a VPC.
pub(crate) async fn subnet(client: &Client, vpc: &str) -> String {
    let made = ec2(client, "CreateSubnet", &[("VpcId", vpc), ("CidrBlock", "10.0.1.0/24")]).await.ok();
    made.xml("subnetId").unwrap_or_default().to_owned()
}

/// A new security group in the default VPC.
pub(crate) async fn group(client: &Client, name: &str) -> String {
    let ask = [("GroupName", name), ("GroupDescription", "for a test")];
    ec2(client, "CreateSecurityGroup", &ask).await.ok().xml("groupId").unwrap_or_default().to_owned()
}

/// A new security group in a VPC.
pub(crate) async fn group_in(client: &Client, name: &str, vpc: &str) -> String {
    let ask = [("GroupName", name), ("GroupDescription", "for a test"), ("VpcId", vpc)];
    ec2(client, "CreateSecurityGroup", &ask).await.ok().xml("groupId").unwrap_or_default().to_owned()
}
