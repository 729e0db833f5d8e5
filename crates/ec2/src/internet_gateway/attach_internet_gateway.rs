//! `ec2:AttachInternetGateway`: one gateway to one VPC.

use daypass_core::model::ec2::{AttachInternetGatewayRequest, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::InternetGateway;
use crate::resource::{Home, Resource};
use crate::vpc::Vpc;
use crate::{default_network, fault};

operation!(ATTACH_INTERNET_GATEWAY, ops::AttachInternetGateway, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &AttachInternetGatewayRequest) -> Result<Checks, StoreError> {
    let action = "ec2:AttachInternetGateway";
    let gateway = InternetGateway::ask(cx, tx, action, &input.internet_gateway_id)?;
    Ok(Checks::from(gateway).and(Vpc::ask(cx, tx, action, &input.vpc_id)?))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: AttachInternetGatewayRequest) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let mut gateway = InternetGateway::load(tx, &home, &input.internet_gateway_id)?;
    let vpc = Vpc::load(tx, &home, &input.vpc_id)?;
    if let Some(attached) = &gateway.vpc_id {
        let words = format!("resource {} is already attached to network {attached}", gateway.id);
        return Err(Fault::new(&errors::RESOURCE_ALREADY_ASSOCIATED, words).into());
    }
    if InternetGateway::list(tx, &home)?.iter().any(|g| g.vpc_id.as_ref() == Some(&vpc.id)) {
        let words = format!("Network {} already has an internet gateway attached", vpc.id);
        return Err(fault::invalid_value(words).into());
    }
    gateway.vpc_id = Some(vpc.id);
    tx.put(&gateway)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server, vpc};

    #[tokio::test]
    async fn a_gateway_has_one_vpc_and_a_vpc_one_gateway() {
        let server = server().await;
        let admin = server.administrator().await;
        let (first, second) = (vpc(&admin).await, vpc(&admin).await);
        let made = ec2(&admin, "CreateInternetGateway", &[]).await.ok();
        assert_eq!(made.xml("attachmentSet"), Some(""));
        let gateway = made.xml("internetGatewayId").unwrap();
        let both = [("InternetGatewayId", gateway), ("VpcId", first.as_str())];
        ec2(&admin, "AttachInternetGateway", &both).await.ok();
        let read = ec2(&admin, "DescribeInternetGateways", &[("InternetGatewayId.1", gateway)]).await.ok();
        assert_eq!((read.xml("vpcId"), read.xml("state")), (Some(first.as_str()), Some("available")));
        let refused =
            ec2(&admin, "AttachInternetGateway", &[("InternetGatewayId", gateway), ("VpcId", &second)])
                .await
                .refused();
        let words = format!("resource {gateway} is already attached to network {first}");
        assert_eq!(refused, ("Resource.AlreadyAssociated".to_owned(), words));
        let other = ec2(&admin, "CreateInternetGateway", &[]).await.ok();
        let other =
            [("InternetGatewayId", other.xml("internetGatewayId").unwrap()), ("VpcId", first.as_str())];
        assert_eq!(ec2(&admin, "AttachInternetGateway", &other).await.refused().0, "InvalidParameterValue");
        assert_eq!(ec2(&admin, "DetachInternetGateway", &other).await.refused().0, "Gateway.NotAttached");
        let refused = ec2(&admin, "DeleteInternetGateway", &[("InternetGatewayId", gateway)]).await.refused();
        let words = format!("The internetGateway '{gateway}' has dependencies and cannot be deleted.");
        assert_eq!(refused, ("DependencyViolation".to_owned(), words));
        ec2(&admin, "DetachInternetGateway", &both).await.ok();
        ec2(&admin, "DeleteInternetGateway", &[("InternetGatewayId", gateway)]).await.ok();
        let refused = ec2(&admin, "DeleteInternetGateway", &[("InternetGatewayId", gateway)]).await.refused();
        let words = format!("The internetGateway ID '{gateway}' does not exist");
        assert_eq!(refused, ("InvalidInternetGatewayID.NotFound".to_owned(), words));
    }
}
