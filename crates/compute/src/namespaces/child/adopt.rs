//! Taking over what another child left: instances that run on, and the pieces of those that do not.

use super::super::inside::init::VPC_FD;
use super::super::sys;
use super::complain;
use super::life::{FirstProcess, Instance, Phase, Sweep, kill};
use super::machine::Machine;
use super::record::{Process, Record};
use super::vpc::Vpc;
use crate::InstanceId;
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Finds the instances of the machine's directory, and sweeps up the rest.
pub(super) fn adopt(machine: &mut Machine) -> io::Result<()> {
    for directory in entries(machine.directory.join("trash"))? {
        machine.sweep(&directory, Sweep { instance: None, waiting: Vec::new() });
    }
    for directory in entries(machine.directory.join("instances"))? {
        let id = directory.file_name().and_then(|name| name.to_str()?.parse::<InstanceId>().ok());
        let Some(id) = id else { continue };
        match Record::load(&directory) {
            Ok(record) if record.id == id => take(machine, record),
            Ok(_) => complain(format_args!("`{}` holds the record of another instance", directory.display())),
            // It never ran: a record is written before anything of an instance does.
            Err(e) if e.kind() == io::ErrorKind::NotFound => machine.discard_disk(&id),
            Err(e) => complain(format_args!("read the record of `{id}`: {e}")),
        }
    }
    let running: Vec<_> = machine.instances.values().filter(|i| i.process().is_some()).collect();
    machine.cgroups.sweep(|name| running.iter().any(|instance| instance.record.id.as_str() == name))?;
    cut_stray_wires(machine);
    Ok(())
}

fn entries(directory: PathBuf) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// Takes an instance as it is: running if its first process still does.
fn take(machine: &mut Machine, mut record: Record) {
    let id = record.id.clone();
    let process = record.process.take();
    let running = process.as_ref().and_then(|process| match find(process) {
        Ok(found) => found,
        Err(e) => {
            complain(format_args!("find the first process of `{id}`: {e}"));
            None
        }
    });
    let phase = match (running, process) {
        (Some(found), Some(process)) => match take_network(machine, &record, &process) {
            Ok(()) => {
                record.process = Some(process);
                Phase::Running(found)
            }
            Err(e) => {
                complain(format_args!("find the network of `{id}`, which is stopped: {e}"));
                kill(&found);
                Phase::Stopped
            }
        },
        _ => Phase::Stopped,
    };
    let is_new = matches!(phase, Phase::Stopped);
    let saved = if is_new { record.save(&machine.instance_directory(&id)) } else { Ok(()) };
    if let Err(e) = saved {
        complain(format_args!("note that `{id}` is down: {e}"));
    }
    machine.instances.insert(id, Instance { record, phase });
}

/// A handle on the process, if it still is the one that was noted down. The handle comes first: what is looked at after
/// that cannot be about another process of the same number.
fn find(process: &Process) -> io::Result<Option<FirstProcess>> {
    let pid = Pid::from_raw(process.pid);
    let pidfd = match sys::pidfd_open(pid) {
        Err(e) if e.raw_os_error() == Some(libc::ESRCH) => return Ok(None),
        other => other?,
    };
    let found = FirstProcess { pid, pidfd, is_child: false };
    Ok((process.is_alive() && sys::pidfd_signal(&found.pidfd, 0).is_ok()).then_some(found))
}

/// Finds the network of the instance's VPC, which its first process keeps.
fn take_network(machine: &mut Machine, record: &Record, process: &Process) -> io::Result<()> {
    let namespace = File::open(format!("/proc/{}/fd/{VPC_FD}", process.pid))?;
    if namespace.metadata()?.ino() != process.vpc_namespace {
        return Err(io::Error::other("it keeps another one"));
    }
    if !machine.vpcs.contains_key(&record.vpc) {
        let vpc = Vpc::adopt(&machine.home, OwnedFd::from(namespace))?;
        machine.vpcs.insert(record.vpc.clone(), vpc);
    }
    Ok(())
}

/// Takes away wires of instances that do not run, in VPCs that are there.
fn cut_stray_wires(machine: &mut Machine) {
    for instance in machine.instances.values().filter(|instance| instance.process().is_none()) {
        let vpc = machine.vpcs.get_mut(&instance.record.vpc);
        if let Err(e) = vpc.map_or(Ok(()), |vpc| vpc.disconnect(instance.record.slot)) {
            complain(format_args!("take the wire of `{}` away: {e}", instance.record.id));
        }
    }
}
