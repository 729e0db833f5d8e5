//! `ec2:UpdateSecurityGroupRuleDescriptionsIngress` and `…Egress`.

use daypass_core::model::ec2::{
    IpPermission, SecurityGroupRuleDescription, UpdateSecurityGroupRuleDescriptionsEgressRequest,
    UpdateSecurityGroupRuleDescriptionsEgressResult, UpdateSecurityGroupRuleDescriptionsIngressRequest,
    UpdateSecurityGroupRuleDescriptionsIngressResult, errors, ops,
};
use daypass_core::store::Tx;
use daypass_core::{Cx, Error, Fault, operation};

use super::rule::Asked;
use super::{Named, RULE};
use crate::resource::Home;
use crate::{default_network, fault};

operation!(
    UPDATE_SECURITY_GROUP_RULE_DESCRIPTIONS_INGRESS,
    ops::UpdateSecurityGroupRuleDescriptionsIngress,
    |cx, tx, input| {
        let named = Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() };
        named.ask(cx, tx, "ec2:UpdateSecurityGroupRuleDescriptionsIngress").map(Into::into)
    },
    run_ingress
);
operation!(
    UPDATE_SECURITY_GROUP_RULE_DESCRIPTIONS_EGRESS,
    ops::UpdateSecurityGroupRuleDescriptionsEgress,
    |cx, tx, input| {
        let named = Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() };
        named.ask(cx, tx, "ec2:UpdateSecurityGroupRuleDescriptionsEgress").map(Into::into)
    },
    run_egress
);

fn run_ingress(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UpdateSecurityGroupRuleDescriptionsIngressRequest,
) -> Result<UpdateSecurityGroupRuleDescriptionsIngressResult, Error> {
    let named = Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() };
    update(cx, tx, &named, &input.ip_permissions, &input.security_group_rule_descriptions, false)?;
    Ok(UpdateSecurityGroupRuleDescriptionsIngressResult { return_: Some(true) })
}

fn run_egress(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: UpdateSecurityGroupRuleDescriptionsEgressRequest,
) -> Result<UpdateSecurityGroupRuleDescriptionsEgressResult, Error> {
    let named = Named { id: input.group_id.as_deref(), name: input.group_name.as_deref() };
    update(cx, tx, &named, &input.ip_permissions, &input.security_group_rule_descriptions, true)?;
    Ok(UpdateSecurityGroupRuleDescriptionsEgressResult { return_: Some(true) })
}

fn update(
    cx: &Cx,
    tx: &mut Tx<'_>,
    named: &Named<'_>,
    permissions: &[IpPermission],
    descriptions: &[SecurityGroupRuleDescription],
    egress: bool,
) -> Result<(), Error> {
    default_network::ensure(cx, tx)?;
    let mut group = named.load(tx, &Home::of(cx))?;
    let asked = Asked::read(tx, &group, permissions)?;
    if asked.is_empty() && descriptions.is_empty() {
        return Err(fault::missing("ipPermissions").into());
    }
    for asked in asked {
        let rule = group.rules.iter_mut().find(|rule| rule.is(&asked, egress));
        let missing = "The specified rule does not exist in this security group.";
        let rule = rule.ok_or_else(|| Fault::new(&errors::INVALID_PERMISSION_NOT_FOUND, missing))?;
        rule.description = asked.description;
    }
    for given in descriptions {
        let id = RULE.check(given.security_group_rule_id.as_deref().unwrap_or(""))?;
        let rule = group.rules.iter_mut().find(|rule| rule.id == id && rule.egress == egress);
        let rule = rule.ok_or_else(|| (RULE.not_found)(id))?;
        rule.description = super::rule::description(given.description.as_ref())?;
    }
    tx.put(&group)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, group, server};

    #[tokio::test]
    async fn a_description_changes_and_the_rule_stays() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let rule = [
            ("GroupId", web.as_str()),
            ("IpPermissions.1.IpProtocol", "-1"),
            ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ("IpPermissions.1.IpRanges.1.Description", "everything"),
        ];
        ec2(&admin, "UpdateSecurityGroupRuleDescriptionsEgress", &rule).await.ok();
        let rules = [("Filter.1.Name", "group-id"), ("Filter.1.Value.1", web.as_str())];
        let read = ec2(&admin, "DescribeSecurityGroupRules", &rules).await.ok();
        assert_eq!(read.xml("description"), Some("everything"));
        let refused = ec2(&admin, "UpdateSecurityGroupRuleDescriptionsIngress", &rule).await.refused();
        assert_eq!(refused.0, "InvalidPermission.NotFound");
    }
}
