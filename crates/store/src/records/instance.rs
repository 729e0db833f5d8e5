use std::net::Ipv4Addr;

use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::{Key, Prefix, Record};

/// An EC2 instance: what it should be (`desired`), and what it was last seen to be (`state`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: String,
    /// `i-` and 17 hexadecimal digits.
    pub id: String,
    /// `r-` and 17 hexadecimal digits.
    pub reservation_id: String,
    /// Its place among those launched together.
    pub launch_index: i32,
    /// The token that makes a repeated request launch it only once.
    #[serde(default)]
    pub client_token: Option<String>,
    /// The image.
    pub image_id: String,
    /// The type, as `t3.micro`.
    pub instance_type: String,
    /// The key pair.
    #[serde(default)]
    pub key_name: Option<String>,
    /// The key pair's public key, in OpenSSH's form, as it was at launch.
    #[serde(default)]
    pub public_key: Option<String>,
    /// When it was last launched or started.
    pub launched: Timestamp,
    /// What it should be.
    pub desired: InstanceState,
    /// What it is, as far as is known.
    pub state: InstanceState,
    /// Why it is not what it was, after a stop, a termination or a failed launch.
    #[serde(default)]
    pub state_reason: Option<StateReason>,
    /// When and by whom the state last changed, as `DescribeInstances` prints it.
    #[serde(default)]
    pub transition_reason: String,
    /// Counts the starts: what was made for one start is not for the next.
    #[serde(default)]
    pub generation: u32,
    /// The start that was last carried out: one behind `generation` while it is being started.
    #[serde(default)]
    pub reached: u32,
    /// Whether it is to be stopped without asking its processes first.
    #[serde(default)]
    pub stop_forced: bool,
    /// When it was terminated: its record stays for an hour.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// Its network interface.
    pub network: NetworkInterface,
    /// How its metadata service behaves.
    pub metadata: MetadataOptions,
    /// User data, base64.
    #[serde(default)]
    pub user_data: Option<String>,
    /// The instance profile on it.
    #[serde(default)]
    pub profile: Option<ProfileAssociation>,
    /// Whether `TerminateInstances` is refused.
    #[serde(default)]
    pub disable_api_termination: bool,
    /// Whether `StopInstances` is refused.
    #[serde(default)]
    pub disable_api_stop: bool,
    /// What a shutdown from within does: `stop` or `terminate`.
    pub shutdown_behavior: String,
    /// Whether detailed monitoring is on.
    #[serde(default)]
    pub monitoring: bool,
    /// Whether it is optimised for EBS, as the request said.
    #[serde(default)]
    pub ebs_optimized: bool,
    /// Whether source and destination of its packets are checked.
    #[serde(default = "yes")]
    pub source_dest_check: bool,
    /// `standard` or `unlimited`, for burstable types.
    #[serde(default)]
    pub cpu_credits: Option<String>,
    /// The ids of the volumes on it, the root volume first.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

fn yes() -> bool {
    true
}

/// The life of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// It is being launched or started.
    Pending,
    /// It runs.
    Running,
    /// It is being stopped.
    Stopping,
    /// It is stopped, and can be started.
    Stopped,
    /// It is being terminated.
    ShuttingDown,
    /// It is gone; its record stays for an hour.
    Terminated,
}

/// Why a state changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateReason {
    /// As `Client.UserInitiatedShutdown`.
    pub code: String,
    /// For people.
    pub message: String,
}

/// The network interface of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkInterface {
    /// `eni-` and 17 hexadecimal digits.
    pub id: String,
    /// `eni-attach-` and 17 hexadecimal digits.
    pub attachment_id: String,
    /// The VPC.
    pub vpc_id: String,
    /// The subnet.
    pub subnet_id: String,
    /// The VPC's address range.
    pub vpc_cidr: String,
    /// The subnet's address range.
    pub subnet_cidr: String,
    /// The availability zone of the subnet.
    pub availability_zone: String,
    /// The zone's id, as `use1-az1`.
    pub availability_zone_id: String,
    /// Its address in the subnet.
    pub private_ip: Ipv4Addr,
    /// As `02:42:0a:00:00:05`.
    pub mac: String,
    /// The ids of its security groups.
    pub security_groups: Vec<String>,
    /// Their names.
    pub security_group_names: Vec<String>,
    /// What the launch said that it is for.
    #[serde(default)]
    pub description: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// How an instance's metadata service behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataOptions {
    /// Whether a token is needed (IMDSv2).
    pub http_tokens: HttpTokens,
    /// How many hops the answer to a token request travels: 1 to 64.
    pub hop_limit: u8,
    /// Whether the service answers at all.
    pub http_endpoint: Endpoint,
    /// Whether it answers on its IPv6 address.
    pub http_protocol_ipv6: Endpoint,
    /// Whether it tells the instance's tags.
    pub instance_metadata_tags: Endpoint,
}

/// Whether a token is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpTokens {
    /// IMDSv1 works too.
    Optional,
    /// Only IMDSv2.
    Required,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

/// An instance profile on an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileAssociation {
    /// `iip-assoc-` and 17 hexadecimal digits.
    pub id: String,
    /// The profile's name.
    pub profile_name: String,
    /// The profile's unique id: one of the same name that comes later is another.
    pub profile_id: String,
    /// The profile's ARN, as it was then.
    pub profile_arn: String,
    /// Since when.
    pub since: Timestamp,
}

impl Instance {
    /// Where the instance stands.
    #[must_use]
    pub fn key_of(account: &AccountId, region: &str, id: &str) -> Key {
        Key::new(&["ec2", account.as_str(), region, "instance", id])
    }

    /// Where the instances of an account and region stand.
    #[must_use]
    pub fn all(account: &AccountId, region: &str) -> Prefix {
        Prefix::new(&["ec2", account.as_str(), region, "instance"])
    }

    /// `arn:aws:ec2:us-east-1:123456789012:instance/i-…`.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:ec2:{}:{}:instance/{}", self.region, self.account, self.id)
    }

    /// `ip-10-0-1-5.ec2.internal`, or with the region where it is not us-east-1.
    #[must_use]
    pub fn private_dns_name(&self) -> String {
        let dashed = self.network.private_ip.to_string().replace('.', "-");
        match self.region.as_str() {
            "us-east-1" => format!("ip-{dashed}.ec2.internal"),
            region => format!("ip-{dashed}.{region}.compute.internal"),
        }
    }
}

impl Record for Instance {
    fn key(&self) -> Key {
        Self::key_of(&self.account, &self.region, &self.id)
    }
}
