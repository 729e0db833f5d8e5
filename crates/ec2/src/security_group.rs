//! Security groups and their rules.

mod authorize;
mod create_security_group;
mod delete_security_group;
mod describe_security_group_rules;
mod describe_security_groups;
mod modify_security_group_rules;
mod revoke;
mod rule;
mod update_descriptions;

use daypass_core::model::ec2::{self, errors};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Read, Record, StoreError};
use daypass_core::{Check, Cx, Entry, Error, Fault};
use serde::{Deserialize, Serialize};

use crate::default_network;
use crate::resource::{Home, Kind, Resource, ask};
use crate::tag::{self, Taggable};
use crate::vpc::Vpc;
use rule::{Peer, Rule};

pub(crate) const OPERATIONS: &[&Entry] = &[
    &authorize::AUTHORIZE_SECURITY_GROUP_EGRESS,
    &authorize::AUTHORIZE_SECURITY_GROUP_INGRESS,
    &create_security_group::CREATE_SECURITY_GROUP,
    &delete_security_group::DELETE_SECURITY_GROUP,
    &describe_security_group_rules::DESCRIBE_SECURITY_GROUP_RULES,
    &describe_security_groups::DESCRIBE_SECURITY_GROUPS,
    &modify_security_group_rules::MODIFY_SECURITY_GROUP_RULES,
    &revoke::REVOKE_SECURITY_GROUP_EGRESS,
    &revoke::REVOKE_SECURITY_GROUP_INGRESS,
    &update_descriptions::UPDATE_SECURITY_GROUP_RULE_DESCRIPTIONS_EGRESS,
    &update_descriptions::UPDATE_SECURITY_GROUP_RULE_DESCRIPTIONS_INGRESS,
];

/// The name of the group that every VPC is made with.
const DEFAULT: &str = "default";

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecurityGroup {
    home: Home,
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) name: String,
    description: String,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Record for SecurityGroup {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for SecurityGroup {
    const KIND: &'static Kind = &Kind {
        name: "security-group",
        prefix: "sg",
        malformed: "InvalidGroupId.Malformed",
        not_found: |id| {
            Fault::new(&errors::INVALID_GROUP_NOT_FOUND, format!("The security group '{id}' does not exist"))
        },
    };

    fn id(&self) -> &str {
        &self.id
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }

    fn describe(&self, check: Check) -> Check {
        check.with("ec2:SecurityGroupID", self.id.clone()).with("ec2:Vpc", Vpc::arn(&self.home, &self.vpc_id))
    }
}

impl SecurityGroup {
    /// The group that a VPC is made with: its members reach each other, and everything outside.
    pub(crate) fn default_of(home: &Home, ids: &dyn Fn(&str) -> String, vpc_id: &str) -> Self {
        let id = ids("sg");
        let among = Peer::Group { account: home.account.clone(), id: id.clone() };
        let rules = vec![Rule::all(ids("sgr"), false, among), Rule::all_out(ids("sgr"))];
        Self {
            home: home.clone(),
            id,
            vpc_id: vpc_id.to_owned(),
            name: DEFAULT.to_owned(),
            description: "default VPC security group".to_owned(),
            rules,
            tags: vec![],
        }
    }

    /// Whether it is the group that its VPC was made with.
    pub(crate) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }

    /// The group of that name in a VPC.
    pub(crate) fn named(
        tx: &impl Read,
        home: &Home,
        vpc_id: &str,
        name: &str,
    ) -> Result<Option<Self>, StoreError> {
        Ok(Self::list(tx, home)?.into_iter().find(|g| g.vpc_id == vpc_id && g.name == name))
    }

    fn describe_as(&self) -> ec2::SecurityGroup {
        ec2::SecurityGroup {
            group_id: Some(self.id.clone()),
            ip_permissions_egress: Some(rule::permissions(&self.rules, true)),
            tags: tag::some(&self.tags),
            vpc_id: Some(self.vpc_id.clone()),
            security_group_arn: Some(self.home.arn(Self::KIND.name, &self.id)),
            owner_id: Some(self.home.account.to_string()),
            group_name: Some(self.name.clone()),
            description: Some(self.description.clone()),
            ip_permissions: Some(rule::permissions(&self.rules, false)),
        }
    }
}

/// How a request names a group: by its id, or by its name in the default VPC.
struct Named<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
}

impl Named<'_> {
    fn find(&self, tx: &impl Read, home: &Home) -> Result<Option<SecurityGroup>, StoreError> {
        match (self.id, self.name) {
            (Some(id), _) => SecurityGroup::find(tx, home, id),
            (None, Some(name)) => match default_network::view(tx, home)? {
                Some(view) if name == DEFAULT => Ok(Some(view.group)),
                Some(view) => SecurityGroup::named(tx, home, &view.vpc.id, name),
                None => Ok(None),
            },
            (None, None) => Ok(None),
        }
    }

    /// May the caller do this to the group?
    fn ask(&self, cx: &Cx, tx: &impl Read, action: &'static str) -> Result<Check, StoreError> {
        let home = Home::of(cx);
        Ok(match self.find(tx, &home)? {
            Some(group) => {
                let check = ask(cx, action, home.arn(SecurityGroup::KIND.name, &group.id));
                group.describe(check.resource_tags(&group.tags))
            }
            None => ask(cx, action, SecurityGroup::KIND.arn(&home, self.id.unwrap_or("*"))),
        })
    }

    fn load(&self, tx: &impl Read, home: &Home) -> Result<SecurityGroup, Error> {
        match (self.id, self.name) {
            (Some(id), _) => SecurityGroup::load(tx, home, id),
            (None, Some(name)) => {
                Ok(self.find(tx, home)?.ok_or_else(|| unknown_in_default(tx, home, name))?)
            }
            (None, None) => {
                let words = "The request must contain the parameter groupName or groupId";
                Err(Fault::new(&errors::MISSING_PARAMETER, words).into())
            }
        }
    }
}

/// The refusal of a name that no group of the default VPC has.
fn unknown_in_default(tx: &impl Read, home: &Home, name: &str) -> Fault {
    let vpc = default_network::view(tx, home).ok().flatten().map(|view| view.vpc.id);
    let words = match vpc {
        Some(vpc) => format!("The security group '{name}' does not exist in default VPC '{vpc}'"),
        None => format!("The security group '{name}' does not exist"),
    };
    Fault::new(&errors::INVALID_GROUP_NOT_FOUND, words)
}

/// Rules, which are tagged like things but are kept by their groups.
pub(crate) const RULES: Taggable = Taggable {
    kind: &RULE,
    tags: |tx, home, id| Ok(find_rule(tx, home, id)?.map(|(_, rule)| rule.tags)),
    set: |tx, home, id, tags| {
        if let Some((mut group, _)) = find_rule(tx, home, id)? {
            group.rules.iter_mut().filter(|r| r.id == id).for_each(|r| r.tags.clone_from(&tags));
            tx.put(&group)?;
        }
        Ok(())
    },
    all: |tx, home| {
        let rules = SecurityGroup::list(tx, home)?.into_iter().flat_map(|group| group.rules);
        Ok(rules.map(|rule| (rule.id, rule.tags)).collect())
    },
    ask: |cx, tx, action, id| ask_about_rule(cx, tx, action, id),
};

/// The kind that rules are.
static RULE: Kind = Kind {
    name: "security-group-rule",
    prefix: "sgr",
    malformed: "InvalidSecurityGroupRuleId.Malformed",
    not_found: |id| {
        let words = format!("The security group rule ID '{id}' does not exist");
        Fault::new(&errors::INVALID_SECURITY_GROUP_RULE_ID_NOT_FOUND, words)
    },
};

fn find_rule(tx: &impl Read, home: &Home, id: &str) -> Result<Option<(SecurityGroup, Rule)>, StoreError> {
    Ok(SecurityGroup::list(tx, home)?.into_iter().find_map(|group| {
        let rule = group.rules.iter().find(|rule| rule.id == id)?.clone();
        Some((group, rule))
    }))
}

fn ask_about_rule(cx: &Cx, tx: &impl Read, action: &'static str, id: &str) -> Result<Check, StoreError> {
    let home = Home::of(cx);
    let check = ask(cx, action, RULE.arn(&home, id));
    Ok(match find_rule(tx, &home, id)? {
        Some((_, rule)) => check.resource_tags(&rule.tags),
        None => check,
    })
}
