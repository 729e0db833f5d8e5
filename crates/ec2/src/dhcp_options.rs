//! DHCP options: one set for each region, which every VPC has.

mod describe_dhcp_options;

use daypass_core::model::ec2::{self, AttributeValue, DhcpConfiguration};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Record};
use daypass_core::{Check, Entry};
use serde::{Deserialize, Serialize};

use crate::resource::{Home, Kind, Resource};
use crate::{fault, tag};

pub(crate) const OPERATIONS: &[&Entry] = &[&describe_dhcp_options::DESCRIBE_DHCP_OPTIONS];

/// A set of DHCP options. What it says follows from the region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DhcpOptions {
    home: Home,
    id: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Record for DhcpOptions {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for DhcpOptions {
    const KIND: &'static Kind = &Kind {
        name: "dhcp-options",
        prefix: "dopt",
        malformed: "InvalidDhcpOptionsId.Malformed",
        not_found: |id| {
            fault::coded("InvalidDhcpOptionID.NotFound", format!("The dhcpOption ID '{id}' does not exist"))
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
        check.with("ec2:DhcpOptionsID", self.id.clone())
    }
}

impl DhcpOptions {
    /// The options that a region has from the start.
    pub(crate) fn default_of(home: &Home, id: String) -> Self {
        Self { home: home.clone(), id, tags: vec![] }
    }

    /// Keys and values (VPC User Guide, "DHCP option sets").
    fn configuration(&self) -> [(&'static str, String); 2] {
        let domain = match self.home.region.as_str() {
            "us-east-1" => "ec2.internal".to_owned(),
            region => format!("{region}.compute.internal"),
        };
        [("domain-name", domain), ("domain-name-servers", "AmazonProvidedDNS".to_owned())]
    }

    fn describe_as(&self) -> ec2::DhcpOptions {
        let configuration = self.configuration().map(|(key, value)| DhcpConfiguration {
            key: Some(key.to_owned()),
            values: Some(vec![AttributeValue { value: Some(value) }]),
        });
        ec2::DhcpOptions {
            owner_id: Some(self.home.account.to_string()),
            tags: Some(tag::all(&self.tags)),
            dhcp_options_id: Some(self.id.clone()),
            dhcp_configurations: Some(configuration.into()),
        }
    }
}
