//! `ec2:RevokeSecurityGroupIngress` and `…Egress`: rules by their ids or by what they say.

use daypass_core::model::ec2::{
    IpPermission, RevokeSecurityGroupEgressRequest, RevokeSecurityGroupEgressResult,
    RevokeSecurityGroupIngressRequest, RevokeSecurityGroupIngressResult, RevokedSecurityGroupRule, errors,
    ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::rule::{Asked, Rule, asked_permissions};
use super::{Named, RULE};
use crate::resource::{Home, Resource};
use crate::vpc::Vpc;
use crate::{default_network, fault};

operation!(REVOKE_SECURITY_GROUP_INGRESS, ops::RevokeSecurityGroupIngress, checks_ingress, run_ingress);
operation!(REVOKE_SECURITY_GROUP_EGRESS, ops::RevokeSecurityGroupEgress, checks_egress, run_egress);

fn checks_ingress(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &RevokeSecurityGroupIngressRequest,
) -> Result<Checks, StoreError> {
    let named = Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() };
    Ok(named.ask(cx, tx, "ec2:RevokeSecurityGroupIngress")?.into())
}

fn checks_egress(
    cx: &Cx,
    tx: &Tx<'_>,
    input: &RevokeSecurityGroupEgressRequest,
) -> Result<Checks, StoreError> {
    let named = Named { id: Some(&input.group_id), name: None };
    Ok(named.ask(cx, tx, "ec2:RevokeSecurityGroupEgress")?.into())
}

fn run_ingress(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: RevokeSecurityGroupIngressRequest,
) -> Result<RevokeSecurityGroupIngressResult, Error> {
    let permissions = asked_permissions!(input)?;
    let named = Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() };
    let revoked = revoke(cx, tx, &named, &permissions, &input.security_group_rule_ids, false)?;
    Ok(RevokeSecurityGroupIngressResult {
        return_: Some(true),
        unknown_ip_permissions: Some(revoked.unknown),
        revoked_security_group_rules: Some(revoked.rules),
    })
}

fn run_egress(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: RevokeSecurityGroupEgressRequest,
) -> Result<RevokeSecurityGroupEgressResult, Error> {
    let permissions = asked_permissions!(input)?;
    let named = Named { id: Some(&input.group_id), name: None };
    let revoked = revoke(cx, tx, &named, &permissions, &input.security_group_rule_ids, true)?;
    Ok(RevokeSecurityGroupEgressResult {
        return_: Some(true),
        unknown_ip_permissions: Some(revoked.unknown),
        revoked_security_group_rules: Some(revoked.rules),
    })
}

/// What was revoked, and what was not there.
struct Revoked {
    rules: Vec<RevokedSecurityGroupRule>,
    unknown: Vec<IpPermission>,
}

fn revoke(
    cx: &Cx,
    tx: &mut Tx<'_>,
    named: &Named<'_>,
    permissions: &[IpPermission],
    ids: &[String],
    egress: bool,
) -> Result<Revoked, Error> {
    default_network::ensure(cx, tx)?;
    let home = Home::of(cx);
    let mut group = named.load(tx, &home)?;
    if permissions.is_empty() && ids.is_empty() {
        return Err(fault::missing("ipPermissions").into());
    }
    let mut going: Vec<String> = vec![];
    for id in ids {
        let id = RULE.check(id)?;
        let known = group.rules.iter().any(|rule| rule.id == *id && rule.egress == egress);
        going.push(if known { id.to_owned() } else { return Err((RULE.not_found)(id).into()) });
    }
    let mut unknown = vec![];
    for permission in permissions {
        for asked in Asked::read(tx, &group, std::slice::from_ref(permission))? {
            match group.rules.iter().find(|rule| rule.is(&asked, egress)) {
                Some(rule) => going.push(rule.id.clone()),
                None if unknown.last() != Some(permission) => unknown.push(permission.clone()),
                None => {}
            }
        }
    }
    // In a default VPC what is not there is listed; in others, it is an error (EC2 API Reference).
    let default = Vpc::find(tx, &home, &group.vpc_id)?.is_some_and(|vpc| vpc.is_default);
    if !unknown.is_empty() && !default {
        let words = "The specified rule does not exist in this security group.";
        return Err(Fault::new(&errors::INVALID_PERMISSION_NOT_FOUND, words).into());
    }
    let (gone, kept): (Vec<Rule>, Vec<Rule>) =
        group.rules.into_iter().partition(|rule| going.contains(&rule.id));
    group.rules = kept;
    tx.put(&group)?;
    Ok(Revoked { rules: gone.iter().map(|rule| rule.describe_revoked(&group.id)).collect(), unknown })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, group, group_in, server, vpc};

    const ALL_OUT: [(&str, &str); 2] =
        [("IpPermissions.1.IpProtocol", "-1"), ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0")];

    #[tokio::test]
    async fn rules_go_by_what_they_say_and_by_their_ids() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let ask = [&ALL_OUT[..], &[("GroupId", web.as_str())]].concat();
        // Terraform adds ports and an IPv6 block to the rule that every group is made with.
        let terraform = [
            &ask[..],
            &[
                ("IpPermissions.1.FromPort", "0"),
                ("IpPermissions.1.ToPort", "0"),
                ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0"),
            ],
        ]
        .concat();
        let gone = ec2(&admin, "RevokeSecurityGroupEgress", &terraform).await.ok();
        assert_eq!(gone.xml_all("securityGroupRuleId").len(), 1);
        let made = ec2(&admin, "AuthorizeSecurityGroupEgress", &ask).await.ok();
        let id = made.xml("securityGroupRuleId").unwrap();
        let by_id = [("GroupId", web.as_str()), ("SecurityGroupRuleId.1", id)];
        // It is no ingress rule.
        assert_eq!(
            ec2(&admin, "RevokeSecurityGroupIngress", &by_id).await.refused().0,
            "InvalidSecurityGroupRuleId.NotFound"
        );
        assert_eq!(ec2(&admin, "RevokeSecurityGroupEgress", &by_id).await.ok().xml("return"), Some("true"));
        let read = ec2(&admin, "DescribeSecurityGroups", &[("GroupId.1", &web)]).await.ok();
        assert_eq!(read.xml("ipPermissionsEgress"), Some(""));
    }

    #[tokio::test]
    async fn what_is_not_there_is_listed_in_the_default_vpc_and_refused_elsewhere() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let elsewhere = group_in(&admin, "web", &vpc(&admin).await).await;
        let rule =
            [("IpPermissions.1.IpProtocol", "-1"), ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8")];
        let listed =
            ec2(&admin, "RevokeSecurityGroupIngress", &[&rule[..], &[("GroupId", &web)]].concat()).await.ok();
        assert_eq!(listed.xml("cidrIp"), Some("10.0.0.0/8"));
        let refused =
            ec2(&admin, "RevokeSecurityGroupIngress", &[&rule[..], &[("GroupId", &elsewhere)]].concat())
                .await
                .refused();
        assert_eq!(
            refused,
            (
                "InvalidPermission.NotFound".into(),
                "The specified rule does not exist in this security group.".into()
            )
        );
    }
}
