//! Network ACLs: each VPC has its default one, which lets everything through.

mod describe_network_acls;

use daypass_core::model::ec2::{self, NetworkAclAssociation, NetworkAclEntry, RuleAction, errors};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Record, StoreError, Tx};
use daypass_core::{Check, Entry, Fault};
use serde::{Deserialize, Serialize};

use crate::resource::{Home, Kind, Resource};
use crate::tag;
use crate::vpc::Vpc;

pub(crate) const OPERATIONS: &[&Entry] = &[&describe_network_acls::DESCRIBE_NETWORK_ACLS];

/// A network ACL, the default one of its VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkAcl {
    home: Home,
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    /// The subnets that it stands before.
    #[serde(default)]
    associations: Vec<Association>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// That a network ACL stands before a subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Association {
    /// `aclassoc-…`.
    id: String,
    subnet_id: String,
}

impl Record for NetworkAcl {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for NetworkAcl {
    const KIND: &'static Kind = &Kind {
        name: "network-acl",
        prefix: "acl",
        malformed: "InvalidNetworkAclId.Malformed",
        not_found: |id| {
            let words = format!("The networkAcl ID '{id}' does not exist");
            Fault::new(&errors::INVALID_NETWORK_ACL_ID_NOT_FOUND, words)
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
        check.with("ec2:NetworkAclID", self.id.clone()).with("ec2:Vpc", Vpc::arn(&self.home, &self.vpc_id))
    }
}

/// An entry of every default ACL: number, direction, action.
const ENTRIES: [(i32, bool, RuleAction); 4] = [
    (100, true, RuleAction::Allow),
    (32767, true, RuleAction::Deny),
    (100, false, RuleAction::Allow),
    (32767, false, RuleAction::Deny),
];

impl NetworkAcl {
    /// The ACL that a VPC is made with.
    pub(crate) fn default_of(home: &Home, ids: &dyn Fn(&str) -> String, vpc_id: &str) -> Self {
        let id = ids("acl");
        Self { home: home.clone(), id, vpc_id: vpc_id.to_owned(), associations: vec![], tags: vec![] }
    }

    /// Puts it before a subnet.
    pub(crate) fn associate(&mut self, id: String, subnet_id: &str) {
        self.associations.push(Association { id, subnet_id: subnet_id.to_owned() });
    }

    /// Puts the VPC's ACL before a new subnet.
    pub(crate) fn take_in(
        tx: &mut Tx<'_>,
        home: &Home,
        vpc_id: &str,
        id: String,
        subnet_id: &str,
    ) -> Result<(), StoreError> {
        if let Some(mut acl) = Self::list(tx, home)?.into_iter().find(|a| a.vpc_id == vpc_id) {
            acl.associate(id, subnet_id);
            tx.put(&acl)?;
        }
        Ok(())
    }

    /// Takes it away from a subnet that goes.
    pub(crate) fn let_go(tx: &mut Tx<'_>, home: &Home, subnet_id: &str) -> Result<(), StoreError> {
        for mut acl in Self::list(tx, home)? {
            if acl.associations.iter().any(|a| a.subnet_id == subnet_id) {
                acl.associations.retain(|a| a.subnet_id != subnet_id);
                tx.put(&acl)?;
            }
        }
        Ok(())
    }

    fn describe_as(&self) -> ec2::NetworkAcl {
        let entry = |(number, egress, action)| NetworkAclEntry {
            cidr_block: Some("0.0.0.0/0".to_owned()),
            egress: Some(egress),
            protocol: Some("-1".to_owned()),
            rule_action: Some(action),
            rule_number: Some(number),
            ..NetworkAclEntry::default()
        };
        let association = |a: &Association| NetworkAclAssociation {
            network_acl_association_id: Some(a.id.clone()),
            network_acl_id: Some(self.id.clone()),
            subnet_id: Some(a.subnet_id.clone()),
        };
        ec2::NetworkAcl {
            associations: Some(self.associations.iter().map(association).collect()),
            entries: Some(ENTRIES.map(entry).into()),
            is_default: Some(true),
            network_acl_id: Some(self.id.clone()),
            tags: Some(tag::all(&self.tags)),
            vpc_id: Some(self.vpc_id.clone()),
            owner_id: Some(self.home.account.to_string()),
        }
    }
}
