//! Internet gateways: what the caller says of them. No instance is reached from the internet by one.

mod attach_internet_gateway;
mod create_internet_gateway;
mod delete_internet_gateway;
mod describe_internet_gateways;
mod detach_internet_gateway;

use daypass_core::model::ec2::{self, InternetGatewayAttachment, errors};
use daypass_core::store::records::Tag;
use daypass_core::store::{Key, Record};
use daypass_core::{Check, Entry, Fault};
use serde::{Deserialize, Serialize};

use crate::resource::{Home, Kind, Resource};
use crate::tag;

pub(crate) const OPERATIONS: &[&Entry] = &[
    &attach_internet_gateway::ATTACH_INTERNET_GATEWAY,
    &create_internet_gateway::CREATE_INTERNET_GATEWAY,
    &delete_internet_gateway::DELETE_INTERNET_GATEWAY,
    &describe_internet_gateways::DESCRIBE_INTERNET_GATEWAYS,
    &detach_internet_gateway::DETACH_INTERNET_GATEWAY,
];

/// An internet gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InternetGateway {
    home: Home,
    pub(crate) id: String,
    /// The VPC that it is attached to.
    #[serde(default)]
    pub(crate) vpc_id: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Record for InternetGateway {
    fn key(&self) -> Key {
        self.home.key(Self::KIND.name, &self.id)
    }
}

impl Resource for InternetGateway {
    const KIND: &'static Kind = &Kind {
        name: "internet-gateway",
        prefix: "igw",
        malformed: "InvalidInternetGatewayId.Malformed",
        not_found: |id| {
            let words = format!("The internetGateway ID '{id}' does not exist");
            Fault::new(&errors::INVALID_INTERNET_GATEWAY_ID_NOT_FOUND, words)
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
        check.with("ec2:InternetGatewayID", self.id.clone())
    }
}

impl InternetGateway {
    /// The gateway of a default VPC.
    pub(crate) fn attached(home: &Home, id: String, vpc_id: &str) -> Self {
        Self { home: home.clone(), id, vpc_id: Some(vpc_id.to_owned()), tags: vec![] }
    }

    fn describe_as(&self) -> ec2::InternetGateway {
        let attachment = |vpc_id: &String| InternetGatewayAttachment {
            // "The state is available when attached to a VPC" (EC2 API Reference, InternetGatewayAttachment).
            state: Some("available".to_owned()),
            vpc_id: Some(vpc_id.clone()),
        };
        ec2::InternetGateway {
            attachments: Some(self.vpc_id.iter().map(attachment).collect()),
            internet_gateway_id: Some(self.id.clone()),
            owner_id: Some(self.home.account.to_string()),
            tags: Some(tag::all(&self.tags)),
        }
    }
}
