//! `ec2:AuthorizeSecurityGroupIngress` and `…Egress`: new rules, all or none.

use daypass_core::model::ec2::{
    AuthorizeSecurityGroupEgressRequest, AuthorizeSecurityGroupEgressResult,
    AuthorizeSecurityGroupIngressRequest, AuthorizeSecurityGroupIngressResult, IpPermission,
    SecurityGroupRule, TagSpecification, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::rule::{Asked, Rule, asked_permissions};
use super::{Named, RULE};
use crate::resource::Home;
use crate::{default_network, fault, tag};

operation!(
    AUTHORIZE_SECURITY_GROUP_INGRESS,
    ops::AuthorizeSecurityGroupIngress,
    |cx, tx, input| {
        checks(cx, tx, "ec2:AuthorizeSecurityGroupIngress", &ingress(input), &input.tag_specifications)
    },
    run_ingress
);
operation!(
    AUTHORIZE_SECURITY_GROUP_EGRESS,
    ops::AuthorizeSecurityGroupEgress,
    |cx, tx, input| {
        let named = Named { id: Some(&input.group_id), name: None };
        checks(cx, tx, "ec2:AuthorizeSecurityGroupEgress", &named, &input.tag_specifications)
    },
    run_egress
);

/// So many rules a group may have in each direction (VPC User Guide, Amazon VPC quotas).
pub(super) const MAX_RULES: usize = 60;

fn ingress(input: &AuthorizeSecurityGroupIngressRequest) -> Named<'_> {
    Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() }
}

fn checks(
    cx: &Cx,
    tx: &Tx<'_>,
    action: &'static str,
    named: &Named<'_>,
    specifications: &[TagSpecification],
) -> Result<Checks, StoreError> {
    let checks = Checks::from(named.ask(cx, tx, action)?);
    if specifications.is_empty() {
        return Ok(checks);
    }
    Ok(checks.and_those_of(tag::ask_to_make(cx, action, &RULE, specifications, |check| check)))
}

fn run_ingress(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: AuthorizeSecurityGroupIngressRequest,
) -> Result<AuthorizeSecurityGroupIngressResult, Error> {
    let permissions = asked_permissions!(input)?;
    let rules = add(cx, tx, &ingress(&input), &permissions, &input.tag_specifications, false)?;
    Ok(AuthorizeSecurityGroupIngressResult { return_: Some(true), security_group_rules: Some(rules) })
}

fn run_egress(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: AuthorizeSecurityGroupEgressRequest,
) -> Result<AuthorizeSecurityGroupEgressResult, Error> {
    let permissions = asked_permissions!(input)?;
    let named = Named { id: Some(&input.group_id), name: None };
    let rules = add(cx, tx, &named, &permissions, &input.tag_specifications, true)?;
    Ok(AuthorizeSecurityGroupEgressResult { return_: Some(true), security_group_rules: Some(rules) })
}

fn add(
    cx: &Cx,
    tx: &mut Tx<'_>,
    named: &Named<'_>,
    permissions: &[IpPermission],
    specifications: &[TagSpecification],
    egress: bool,
) -> Result<Vec<SecurityGroupRule>, Error> {
    default_network::ensure(cx, tx)?;
    let mut group = named.load(tx, &Home::of(cx))?;
    let asked = Asked::read(tx, &group, permissions)?;
    if asked.is_empty() {
        return Err(fault::missing("ipPermissions").into());
    }
    let tags = tag::of_new(specifications, &RULE, &[&RULE])?;
    let before = group.rules.len();
    for new in asked {
        if group.rules.iter().any(|rule| rule.is(&new, egress)) {
            let words = format!("the specified rule \"{}\" already exists", new.print());
            return Err(Fault::new(&errors::INVALID_PERMISSION_DUPLICATE, words).into());
        }
        group.rules.push(Rule {
            id: cx.ids().resource_id(RULE.prefix),
            egress,
            traffic: new.traffic,
            peer: new.peer,
            description: new.description,
            tags: tags.clone(),
        });
    }
    if group.rules.iter().filter(|rule| rule.egress == egress).count() > MAX_RULES {
        let words = "The maximum number of rules per security group has been reached.";
        return Err(Fault::new(&errors::RULES_PER_SECURITY_GROUP_LIMIT_EXCEEDED, words).into());
    }
    tx.put(&group)?;
    Ok(group.rules.iter().skip(before).map(|rule| rule.describe_as(&group)).collect())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, group, server};

    const SSH: [(&str, &str); 4] = [
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "22"),
        ("IpPermissions.1.ToPort", "22"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "203.0.113.9/24"),
    ];

    #[tokio::test]
    async fn rules_read_back_as_permissions_and_as_rules() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let more = [
            ("GroupId", web.as_str()),
            ("IpPermissions.1.IpRanges.2.CidrIp", "198.51.100.0/24"),
            ("IpPermissions.1.IpRanges.2.Description", "office"),
            ("TagSpecification.1.ResourceType", "security-group-rule"),
            ("TagSpecification.1.Tag.1.Key", "k"),
            ("TagSpecification.1.Tag.1.Value", "v"),
        ];
        let made = ec2(&admin, "AuthorizeSecurityGroupIngress", &[&SSH[..], &more].concat()).await.ok();
        assert_eq!(made.xml_all("cidrIpv4"), ["203.0.113.0/24", "198.51.100.0/24"]);
        let ids = made.xml_all("securityGroupRuleId");
        let read = ec2(&admin, "DescribeSecurityGroups", &[("GroupId.1", &web)]).await.ok();
        assert_eq!(read.xml_all("cidrIp"), ["0.0.0.0/0", "203.0.113.0/24", "198.51.100.0/24"]);
        assert_eq!(read.xml_all("fromPort"), ["22"]);
        let rules =
            ec2(&admin, "DescribeSecurityGroupRules", &[("SecurityGroupRuleId.1", ids[1])]).await.ok();
        assert_eq!((rules.xml("description"), rules.xml("isEgress")), (Some("office"), Some("false")));
        let tags = ec2(
            &admin,
            "DescribeTags",
            &[("Filter.1.Name", "resource-type"), ("Filter.1.Value.1", "security-group-rule")],
        )
        .await
        .ok();
        assert_eq!(tags.xml_all("resourceId").len(), 2);
    }

    #[tokio::test]
    async fn a_rule_is_there_once_and_with_one_bad_rule_none_is_made() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let ask = [&SSH[..], &[("GroupId", web.as_str())]].concat();
        ec2(&admin, "AuthorizeSecurityGroupIngress", &ask).await.ok();
        let refused = ec2(&admin, "AuthorizeSecurityGroupIngress", &ask).await.refused();
        let words = "the specified rule \"peer: 203.0.113.0/24, TCP, from port: 22, to port: 22, ALLOW\" already exists";
        assert_eq!(refused, ("InvalidPermission.Duplicate".to_owned(), words.to_owned()));
        let bad = [
            ("GroupId", web.as_str()),
            ("IpPermissions.1.IpProtocol", "tcp"),
            ("IpPermissions.1.FromPort", "80"),
            ("IpPermissions.1.ToPort", "80"),
            ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8"),
            ("IpPermissions.1.IpRanges.2.CidrIp", "10.0.0.0/99"),
        ];
        let refused = ec2(&admin, "AuthorizeSecurityGroupIngress", &bad).await.refused();
        assert_eq!(refused, ("InvalidParameterValue".into(), "CIDR block 10.0.0.0/99 is malformed".into()));
        let read = ec2(&admin, "DescribeSecurityGroups", &[("GroupId.1", &web)]).await.ok();
        assert_eq!(read.xml_all("cidrIp"), ["0.0.0.0/0", "203.0.113.0/24"]);
    }

    #[tokio::test]
    async fn the_flat_parameters_of_old_still_work() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let flat = [("IpProtocol", "tcp"), ("FromPort", "443"), ("ToPort", "443"), ("CidrIp", "0.0.0.0/0")];
        ec2(&admin, "AuthorizeSecurityGroupIngress", &[&[("GroupName", "web")][..], &flat].concat())
            .await
            .ok();
        let read = ec2(
            &admin,
            "DescribeSecurityGroups",
            &[("GroupId.1", &web), ("Filter.1.Name", "ip-permission.to-port"), ("Filter.1.Value.1", "443")],
        )
        .await
        .ok();
        assert_eq!(read.xml("groupId"), Some(web.as_str()));
    }

    #[tokio::test]
    async fn a_group_has_as_many_rules_as_aws_allows() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let names: Vec<String> = (1..=61).map(|n| format!("IpPermissions.1.IpRanges.{n}.CidrIp")).collect();
        let blocks: Vec<String> = (1..=61).map(|n| format!("10.0.0.{n}/32")).collect();
        let ranges = names.iter().zip(&blocks).map(|(n, b)| (n.as_str(), b.as_str()));
        let mut ask: Vec<(&str, &str)> = ranges.collect();
        ask.extend([("GroupId", web.as_str()), ("IpPermissions.1.IpProtocol", "-1")]);
        let refused = ec2(&admin, "AuthorizeSecurityGroupIngress", &ask).await.refused();
        assert_eq!(refused.0, "RulesPerSecurityGroupLimitExceeded");
        ec2(&admin, "AuthorizeSecurityGroupIngress", &ask[1..]).await.ok();
    }
}
