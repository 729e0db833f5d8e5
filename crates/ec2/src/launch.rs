//! Launching instances: what a launch would make (the [`plan`]), what it must be allowed ([`questions`]), and the records
//! that it makes ([`run_instances`]). What is recorded is made real by the [`reconcile`](crate::reconcile)r.

mod devices;
mod limits;
mod plan;
mod questions;
mod run_instances;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::image::PublicImage;
use daypass_core::model::ec2::errors;
use daypass_core::{Cx, Entry, Fault};

use crate::fault;
use crate::instance_type::InstanceType;

pub(crate) use devices::ROOT_GIB;

pub(crate) const OPERATIONS: &[&Entry] = &[&run_instances::RUN_INSTANCES];

/// User data is limited to 16 KB, before it is encoded (EC2 User Guide, "Run commands when you launch an instance").
const MAX_USER_DATA: usize = 16 * 1024;

/// Refuses what needs an instance driver where there is none. The code is one that no client tries again.
pub(crate) fn refuse_without_driver(cx: &Cx) -> Result<(), Fault> {
    let Err(reason) = cx.state().instances.check() else { return Ok(()) };
    let words = format!(
        "Daypass cannot run instances on this machine: {reason}. `daypass up --check` says what is missing."
    );
    Err(Fault::new(&errors::UNSUPPORTED, words))
}

/// The user data of a request: base64 of as much as EC2 takes.
pub(crate) fn user_data(text: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    // Clients break long lines.
    let joined: String = text.split_ascii_whitespace().collect();
    let malformed =
        || Fault::new(&errors::INVALID_USER_DATA_MALFORMED, "Invalid BASE64 encoding of user data.");
    let raw = zeroize::Zeroizing::new(STANDARD.decode(&joined).map_err(|_| malformed())?);
    if raw.len() > MAX_USER_DATA {
        return Err(fault::invalid_value(format!("User data is limited to {MAX_USER_DATA} bytes")));
    }
    Ok(Some(joined))
}

/// The instance type of a request.
pub(crate) fn instance_type(name: &str) -> Result<InstanceType, Fault> {
    let words = || fault::invalid_value(format!("Invalid value '{name}' for InstanceType."));
    InstanceType::named(name).ok_or_else(words)
}

/// Refuses an image that the type cannot run.
pub(crate) fn check_architecture(kind: InstanceType, image: &PublicImage) -> Result<(), Fault> {
    if kind.runs(image.architecture) {
        return Ok(());
    }
    let other = if image.architecture == "arm64" { "x86_64" } else { "arm64" };
    let words = format!(
        "The architecture '{other}' of the specified instance type does not match the architecture '{}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.",
        image.architecture
    );
    Err(fault::invalid_value(words))
}

/// The refusal of a group of another VPC than the subnet's.
pub(crate) fn different_networks(group_id: &str, subnet_id: &str) -> Fault {
    let words = format!("Security group {group_id} and subnet {subnet_id} belong to different networks.");
    Fault::new(&errors::INVALID_PARAMETER, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_is_base64_of_at_most_16_kib() {
        assert_eq!(user_data(None).unwrap(), None);
        assert_eq!(user_data(Some("")).unwrap(), None);
        assert_eq!(user_data(Some("aGVs\nbG8=\n")).unwrap().as_deref(), Some("aGVsbG8="));
        assert_eq!(user_data(Some("#!/bin/sh")).unwrap_err().code, "InvalidUserData.Malformed");
        assert!(user_data(Some(&STANDARD.encode(vec![0; MAX_USER_DATA]))).is_ok());
        let refused = user_data(Some(&STANDARD.encode(vec![0; MAX_USER_DATA + 1]))).unwrap_err();
        assert_eq!(refused.message, "User data is limited to 16384 bytes");
    }
}
