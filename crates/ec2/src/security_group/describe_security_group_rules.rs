//! `ec2:DescribeSecurityGroupRules`.

use daypass_core::model::ec2::{DescribeSecurityGroupRulesRequest, DescribeSecurityGroupRulesResult, ops};
use daypass_core::store::records::Tag;
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::rule::Rule;
use super::{RULE, SecurityGroup};
use crate::default_network;
use crate::filter::{self, Field, Listed, one};
use crate::page::Page;
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_SECURITY_GROUP_RULES, ops::DescribeSecurityGroupRules, checks, run);

/// A rule, and the group whose it is.
struct Kept {
    group: SecurityGroup,
    rule: Rule,
}

impl Listed for Kept {
    fn order(&self) -> String {
        self.rule.id.clone()
    }

    fn tags(&self) -> &[Tag] {
        &self.rule.tags
    }
}

const FILTERS: &[Field<Kept>] =
    &[("group-id", |k| one(&k.group.id)), ("security-group-rule-id", |k| one(&k.rule.id))];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeSecurityGroupRulesRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeSecurityGroupRules").into())
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeSecurityGroupRulesRequest,
) -> Result<DescribeSecurityGroupRulesResult, Error> {
    default_network::ensure(cx, tx)?;
    let groups = SecurityGroup::list(tx, &Home::of(cx))?;
    let of_group = |group: SecurityGroup| {
        let rules = group.rules.clone();
        rules.into_iter().map(move |rule| Kept { group: group.clone(), rule })
    };
    let mut rules: Vec<Kept> = groups.into_iter().flat_map(of_group).collect();
    for id in &input.security_group_rule_ids {
        let id = RULE.check(id)?;
        if !rules.iter().any(|kept| kept.rule.id == id) {
            return Err((RULE.not_found)(id).into());
        }
    }
    rules.retain(|k| {
        input.security_group_rule_ids.is_empty() || input.security_group_rule_ids.contains(&k.rule.id)
    });
    let rules = filter::select(rules, &input.filters, FILTERS)?;
    let (rules, next_token) = Page::new(input.max_results, input.next_token.as_ref()).take(cx, rules)?;
    let rules = rules.iter().map(|kept| kept.rule.describe_as(&kept.group)).collect();
    Ok(DescribeSecurityGroupRulesResult { security_group_rules: Some(rules), next_token })
}
