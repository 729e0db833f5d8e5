//! `ec2:ModifySecurityGroupRules`: rules say something else, and keep their ids.

use daypass_core::model::ec2::{
    ModifySecurityGroupRulesRequest, ModifySecurityGroupRulesResult, errors, ops,
};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::rule::Asked;
use super::{RULE, SecurityGroup, ask_about_rule};
use crate::resource::{Home, Resource};
use crate::{default_network, fault};

operation!(MODIFY_SECURITY_GROUP_RULES, ops::ModifySecurityGroupRules, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &ModifySecurityGroupRulesRequest) -> Result<Checks, StoreError> {
    let action = "ec2:ModifySecurityGroupRules";
    let mut checks = Checks::from(SecurityGroup::ask(cx, tx, action, &input.group_id)?);
    for update in &input.security_group_rules {
        checks = checks.and(ask_about_rule(cx, tx, action, &update.security_group_rule_id)?);
    }
    Ok(checks)
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ModifySecurityGroupRulesRequest,
) -> Result<ModifySecurityGroupRulesResult, Error> {
    default_network::ensure(cx, tx)?;
    let mut group = SecurityGroup::load(tx, &Home::of(cx), &input.group_id)?;
    for update in &input.security_group_rules {
        let id = RULE.check(&update.security_group_rule_id)?;
        let request =
            update.security_group_rule.as_ref().ok_or_else(|| fault::missing("securityGroupRule"))?;
        let asked = Asked::read_one(tx, &group, request)?;
        let known = group.rules.iter().find(|rule| rule.id == id).ok_or_else(|| (RULE.not_found)(id))?;
        let egress = known.egress;
        if group.rules.iter().any(|rule| rule.id != id && rule.is(&asked, egress)) {
            let words = format!("the specified rule \"{}\" already exists", asked.print());
            return Err(Fault::new(&errors::INVALID_PERMISSION_DUPLICATE, words).into());
        }
        for rule in group.rules.iter_mut().filter(|rule| rule.id == id) {
            rule.traffic = asked.traffic.clone();
            rule.peer = asked.peer.clone();
            rule.description.clone_from(&asked.description);
        }
    }
    tx.put(&group)?;
    Ok(ModifySecurityGroupRulesResult { return_: Some(true) })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, group, server};

    #[tokio::test]
    async fn a_rule_changes_and_keeps_its_id() {
        let server = server().await;
        let admin = server.administrator().await;
        let web = group(&admin, "web").await;
        let flat = [
            ("GroupId", web.as_str()),
            ("IpProtocol", "tcp"),
            ("FromPort", "80"),
            ("ToPort", "80"),
            ("CidrIp", "10.0.0.0/8"),
        ];
        let made = ec2(&admin, "AuthorizeSecurityGroupIngress", &flat).await.ok();
        let id = made.xml("securityGroupRuleId").unwrap();
        let update = |port: &'static str| {
            [
                ("GroupId", web.clone()),
                ("SecurityGroupRule.1.SecurityGroupRuleId", id.to_owned()),
                ("SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp".to_owned()),
                ("SecurityGroupRule.1.SecurityGroupRule.FromPort", port.to_owned()),
                ("SecurityGroupRule.1.SecurityGroupRule.ToPort", port.to_owned()),
                ("SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "10.0.0.0/8".to_owned()),
            ]
        };
        let send = async |port| {
            let update = update(port);
            let update: Vec<(&str, &str)> = update.iter().map(|(k, v)| (*k, v.as_str())).collect();
            ec2(&admin, "ModifySecurityGroupRules", &update).await
        };
        assert_eq!(send("443").await.ok().xml("return"), Some("true"));
        let read = ec2(&admin, "DescribeSecurityGroupRules", &[("SecurityGroupRuleId.1", id)]).await.ok();
        assert_eq!(read.xml("fromPort"), Some("443"));
        ec2(&admin, "AuthorizeSecurityGroupIngress", &flat).await.ok();
        assert_eq!(send("80").await.refused().0, "InvalidPermission.Duplicate");
    }
}
