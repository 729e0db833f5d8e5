//! The tree of metadata: what stands at which path.

use daypass_core::store::records::{Endpoint, Instance};
use serde_json::json;

use crate::credentials::{Profile, pretty};

/// What a path leads to.
pub(crate) enum Found {
    /// A text.
    Text(String),
    /// Bytes of the user (user data).
    Bytes(Vec<u8>),
    /// The credentials of the instance's role.
    Credentials {
        /// With the account's id in it (`security-credentials-extended`).
        extended: bool,
    },
}

/// One place in the tree: a leaf, or a folder with its entries.
struct Tree<'a> {
    instance: &'a Instance,
    profile: Option<&'a Profile>,
}

/// Finds what stands at a path below `/<version>/`; `None` if nothing does.
pub(crate) fn find(path: &str, instance: &Instance, profile: Option<&Profile>) -> Option<Found> {
    let tree = Tree { instance, profile };
    let (head, rest) = path.split_once('/').unwrap_or((path, ""));
    match head {
        "" => Some(Found::Text("dynamic\nmeta-data\nuser-data".to_owned()))
            .filter(|_| instance.user_data.is_some())
            .or_else(|| Some(Found::Text("dynamic\nmeta-data".to_owned()))),
        "meta-data" => tree.meta_data(rest),
        "dynamic" => tree.dynamic(rest),
        "user-data" if rest.is_empty() => user_data(instance),
        _ => None,
    }
}

fn user_data(instance: &Instance) -> Option<Found> {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.decode(instance.user_data.as_ref()?).ok()?;
    Some(data).filter(|d| !d.is_empty()).map(Found::Bytes)
}

/// A folder's entries, one a line, as the service lists them.
fn listing(entries: &[&str]) -> Option<Found> {
    Some(Found::Text(entries.join("\n")))
}

fn text(value: impl Into<String>) -> Option<Found> {
    Some(Found::Text(value.into()))
}

impl Tree<'_> {
    fn dynamic(&self, path: &str) -> Option<Found> {
        match path.trim_end_matches('/') {
            "" => listing(&["instance-identity/"]),
            "instance-identity" => listing(&["document"]),
            "instance-identity/document" => text(crate::identity_document::document(self.instance)),
            _ => None,
        }
    }

    fn meta_data(&self, path: &str) -> Option<Found> {
        let i = self.instance;
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        if matches!(
            head,
            "iam"
                | "network"
                | "placement"
                | "public-keys"
                | "tags"
                | "block-device-mapping"
                | "services"
                | "events"
        ) {
            return self.folder(head, rest);
        }
        // A leaf has nothing below it; a slash behind it is harmless.
        if !rest.is_empty() {
            return None;
        }
        match head {
            "" => {
                let mut entries = vec![
                    "ami-id",
                    "ami-launch-index",
                    "ami-manifest-path",
                    "block-device-mapping/",
                    "events/",
                    "hostname",
                ];
                if self.profile.is_some() {
                    entries.push("iam/");
                }
                entries.extend([
                    "instance-action",
                    "instance-id",
                    "instance-life-cycle",
                    "instance-type",
                    "local-hostname",
                    "local-ipv4",
                    "mac",
                    "network/",
                    "placement/",
                    "profile",
                ]);
                if i.key_name.is_some() {
                    entries.push("public-keys/");
                }
                entries.extend(["reservation-id", "security-groups", "services/", "system"]);
                if i.metadata.instance_metadata_tags == Endpoint::Enabled {
                    entries.push("tags/");
                }
                listing(&entries)
            }
            "ami-id" => text(&i.image_id),
            "ami-launch-index" => text(i.launch_index.to_string()),
            "ami-manifest-path" => text("(unknown)"),
            "hostname" | "local-hostname" => text(i.private_dns_name()),
            "instance-action" => text("none"),
            "instance-id" => text(&i.id),
            "instance-life-cycle" => text("on-demand"),
            "instance-type" => text(&i.instance_type),
            "local-ipv4" => text(i.network.private_ip.to_string()),
            "mac" => text(&i.network.mac),
            "profile" => text("default-hvm"),
            "reservation-id" => text(&i.reservation_id),
            "security-groups" => text(i.network.security_group_names.join("\n")),
            "system" => text("xen"),
            _ => None,
        }
    }

    fn folder(&self, head: &str, path: &str) -> Option<Found> {
        let i = self.instance;
        let path = path.trim_end_matches('/');
        match (head, path) {
            ("iam", path) => self.iam(path),
            ("network", path) => self.network(path),
            ("placement", "") => listing(&["availability-zone", "availability-zone-id", "region"]),
            ("placement", "availability-zone") => text(&i.network.availability_zone),
            ("placement", "availability-zone-id") => text(&i.network.availability_zone_id),
            ("placement", "region") => text(&i.region),
            ("public-keys", "") => i.key_name.as_ref().and_then(|name| text(format!("0={name}"))),
            ("public-keys", "0") => i.key_name.as_ref().and_then(|_| listing(&["openssh-key"])),
            ("public-keys", "0/openssh-key") => i.public_key.clone().and_then(text),
            ("tags", path) if i.metadata.instance_metadata_tags == Endpoint::Enabled => self.tags(path),
            ("block-device-mapping", "") => listing(&["ami", "root"]),
            ("block-device-mapping", "ami" | "root") => text("/dev/xvda"),
            ("services", "") => listing(&["domain", "partition"]),
            ("services", "domain") => text("amazonaws.com"),
            ("services", "partition") => text("aws"),
            ("events", "") => listing(&["maintenance/"]),
            ("events", "maintenance") => listing(&["history", "scheduled"]),
            ("events", "maintenance/history" | "maintenance/scheduled") => text("[]"),
            _ => None,
        }
    }

    fn iam(&self, path: &str) -> Option<Found> {
        let profile = self.profile?;
        let role = profile.role.as_ref();
        match path {
            "" => listing(&["info", "security-credentials/"]),
            "info" => text(pretty(&json!({
                "Code": "Success",
                "LastUpdated": self.instance.profile.as_ref().map(|p| p.since.to_string()),
                "InstanceProfileArn": profile.arn,
                "InstanceProfileId": profile.id,
            }))),
            "security-credentials" | "security-credentials-extended" => text(role?.name.clone()),
            path => {
                let (folder, name) = path.split_once('/')?;
                let extended = match folder {
                    "security-credentials" => false,
                    "security-credentials-extended" => true,
                    _ => return None,
                };
                (role?.name == name).then_some(Found::Credentials { extended })
            }
        }
    }

    fn network(&self, path: &str) -> Option<Found> {
        let i = self.instance;
        match path {
            "" => return listing(&["interfaces/"]),
            "interfaces" => return listing(&["macs/"]),
            "interfaces/macs" => return text(format!("{}/", i.network.mac)),
            _ => {}
        }
        let rest = path.strip_prefix("interfaces/macs/")?.strip_prefix(&i.network.mac)?;
        match rest.trim_start_matches('/') {
            "" => listing(&[
                "device-number",
                "interface-id",
                "local-hostname",
                "local-ipv4s",
                "mac",
                "owner-id",
                "security-group-ids",
                "security-groups",
                "subnet-id",
                "subnet-ipv4-cidr-block",
                "vpc-id",
                "vpc-ipv4-cidr-block",
                "vpc-ipv4-cidr-blocks",
            ]),
            "device-number" => text("0"),
            "interface-id" => text(&i.network.id),
            "local-hostname" => text(i.private_dns_name()),
            "local-ipv4s" => text(i.network.private_ip.to_string()),
            "mac" => text(&i.network.mac),
            "owner-id" => text(i.account.as_str()),
            "security-group-ids" => text(i.network.security_groups.join("\n")),
            "security-groups" => text(i.network.security_group_names.join("\n")),
            "subnet-id" => text(&i.network.subnet_id),
            "subnet-ipv4-cidr-block" => text(&i.network.subnet_cidr),
            "vpc-id" => text(&i.network.vpc_id),
            "vpc-ipv4-cidr-block" | "vpc-ipv4-cidr-blocks" => text(&i.network.vpc_cidr),
            _ => None,
        }
    }

    fn tags(&self, path: &str) -> Option<Found> {
        let tags = &self.instance.tags;
        match path {
            "" => listing(&["instance/"]),
            "instance" => text(tags.iter().map(|t| t.key.as_str()).collect::<Vec<_>>().join("\n")),
            path => {
                let key = path.strip_prefix("instance/")?;
                tags.iter().find(|t| t.key == key).and_then(|t| text(&t.value))
            }
        }
    }
}
