//! What is known of an instance after the death of everyone who knew it.
//!
//! One file for each instance, `instances/<id>/record.json`, replaced as a whole. Only this program can read or write it.

use crate::{
    Cidr, Controller, Environment, Image, InstanceId, InstanceSpec, Limits, MacAddress, Privileges, VpcId,
};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

const VERSION: u16 = 1;
const FILE: &str = "record.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    version: u16,
    pub(super) id: InstanceId,
    /// Which range of ids owns its disk.
    pub(super) slot: u32,
    pub(super) image: Image,
    /// Whether user data had its one chance to run.
    pub(super) booted: bool,
    pub(super) vpc: VpcId,
    pub(super) cidr: Cidr,
    pub(super) private_ip: Ipv4Addr,
    pub(super) mac: MacAddress,
    pub(super) api_port: u16,
    pub(super) limits: Limits,
    pub(super) privileges: Privileges,
    pub(super) environment: Environment,
    pub(super) absent: Vec<Controller>,
    /// Its first process, if it runs.
    pub(super) process: Option<Process>,
}

/// A process, by what no other process can ever have: the boot, and the namespaces that were made for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Process {
    pub(super) pid: i32,
    boot: String,
    /// When it started, in clock ticks since the boot.
    start_ticks: u64,
    pid_namespace: u64,
    network_namespace: u64,
    /// The network namespace of its VPC.
    pub(super) vpc_namespace: u64,
}

impl Record {
    /// The record of an instance that is to run by `spec`; it keeps what belongs to its disk.
    pub(super) fn of(spec: &InstanceSpec, slot: u32, booted: bool) -> Self {
        Self {
            version: VERSION,
            id: spec.id.clone(),
            slot,
            image: spec.image.clone(),
            booted,
            vpc: spec.vpc.id.clone(),
            cidr: spec.vpc.cidr,
            private_ip: spec.network.private_ip,
            mac: spec.network.mac,
            api_port: spec.api_port,
            limits: spec.limits,
            privileges: spec.privileges,
            environment: spec.environment.clone(),
            absent: Vec::new(),
            process: None,
        }
    }

    pub(super) fn load(directory: &Path) -> io::Result<Self> {
        let record: Self = serde_json::from_slice(&fs::read(directory.join(FILE))?)?;
        if record.version == VERSION {
            Ok(record)
        } else {
            Err(io::Error::other(format!("record of version {}", record.version)))
        }
    }

    /// Puts the record in the place of the one before; when this returns it is on the disk.
    pub(super) fn save_durably(&self, directory: &Path) -> io::Result<()> {
        self.replace(directory, File::sync_data)?;
        File::open(directory)?.sync_data()
    }

    /// The same for what a loss of power makes true by itself: that something no longer runs.
    pub(super) fn save(&self, directory: &Path) -> io::Result<()> {
        self.replace(directory, |_| Ok(()))
    }

    fn replace(&self, directory: &Path, settle: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        let new = directory.join("record.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        settle(&file)?;
        fs::rename(&new, directory.join(FILE))
    }
}

impl Process {
    /// Notes down a process that runs.
    pub(super) fn note(pid: Pid, vpc_namespace: u64) -> io::Result<Self> {
        Ok(Self {
            pid: pid.as_raw(),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
            start_ticks: start_ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?)?,
            pid_namespace: namespace(pid, "pid")?,
            network_namespace: namespace(pid, "net")?,
            vpc_namespace,
        })
    }

    /// Whether the process of this number is still the one that was noted down.
    pub(super) fn is_alive(&self) -> bool {
        Self::note(Pid::from_raw(self.pid), self.vpc_namespace).is_ok_and(|now| now == *self)
    }
}

fn namespace(pid: Pid, kind: &str) -> io::Result<u64> {
    Ok(fs::metadata(format!("/proc/{pid}/ns/{kind}"))?.ino())
}

/// Field 22 of `/proc/pid/stat`. The name in field 2 may hold anything, but no `)` comes after it.
fn start_ticks(stat: &str) -> io::Result<u64> {
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest);
    let ticks =
        after_name.and_then(|rest| rest.split_ascii_whitespace().nth(19)).and_then(|t| t.parse().ok());
    ticks.ok_or_else(|| io::Error::other("the start of the process cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_another_one_of_the_same_number() {
        let own = Process::note(nix::unistd::getpid(), 1).unwrap();
        assert!(own.is_alive());
        for change in [
            |p: &mut Process| p.start_ticks += 1,
            |p: &mut Process| p.boot.push('x'),
            |p: &mut Process| p.network_namespace += 1,
            |p: &mut Process| p.pid_namespace += 1,
            |p: &mut Process| p.pid = i32::MAX,
        ] {
            let mut other = own.clone();
            change(&mut other);
            assert!(!other.is_alive());
        }
    }

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_mislead() {
        let stat = "7 (a) R 1) 2) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(start_ticks(stat).unwrap(), 4242);
        assert!(start_ticks("7 (a").is_err());
    }
}
