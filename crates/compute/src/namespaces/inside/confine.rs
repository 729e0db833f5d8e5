//! What no process of an instance gets beyond.

use super::super::sys;
use super::{Doing, seccomp};
use crate::{Error, Limits, Privileges};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Capabilities by their numbers (linux/capability.h).
mod capability {
    pub(super) const CHOWN: u8 = 0;
    pub(super) const DAC_OVERRIDE: u8 = 1;
    pub(super) const FOWNER: u8 = 3;
    pub(super) const FSETID: u8 = 4;
    pub(super) const KILL: u8 = 5;
    pub(super) const SETGID: u8 = 6;
    pub(super) const SETUID: u8 = 7;
    pub(super) const SETPCAP: u8 = 8;
    pub(super) const NET_BIND_SERVICE: u8 = 10;
    pub(super) const NET_ADMIN: u8 = 12;
    pub(super) const NET_RAW: u8 = 13;
    pub(super) const SYS_CHROOT: u8 = 18;
    pub(super) const SETFCAP: u8 = 31;
}

/// What root inside has.
const ORDINARY: [u8; 11] = [
    capability::CHOWN,
    capability::DAC_OVERRIDE,
    capability::FOWNER,
    capability::FSETID,
    capability::KILL,
    capability::SETGID,
    capability::SETUID,
    capability::SETPCAP,
    capability::NET_BIND_SERVICE,
    capability::SYS_CHROOT,
    capability::SETFCAP,
];

/// Open files: what programs are used to, and what they may ask for.
const FILES_SOFT: u64 = 1024;
const FILES_HARD: u64 = 524_288;
/// Length of a core file. Not zero: a host whose cores go to a program would still run that, as the host's root, for
/// anything but one (core(5)).
const CORE: u64 = 1;

/// Confines this process and all that come from it, for good: limits, capabilities that can ever be had, system calls.
/// Its own capabilities are not touched yet.
pub(super) fn confine(privileges: Privileges, limits: Limits) -> Result<(), Error> {
    set_limits(limits).doing("limit the process")?;
    let kept = capabilities(privileges);
    for capability in 0..u64::BITS as u8 {
        if kept & (1 << capability) == 0
            && !sys::drop_from_bounding_set(capability).doing("drop a capability")?
        {
            break;
        }
    }
    sys::install_filter(&seccomp::filter(privileges)).doing("filter system calls")
}

/// The capabilities of root inside, as bits.
pub(super) fn capabilities(privileges: Privileges) -> u64 {
    let network: &[u8] =
        if privileges.network_admin { &[capability::NET_ADMIN, capability::NET_RAW] } else { &[] };
    ORDINARY.iter().chain(network).fold(0, |bits, capability| bits | 1 << capability)
}

fn set_limits(limits: Limits) -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, CORE, CORE)?;
    let lower = |resource, soft: u64, hard: u64| {
        let (_, ceiling) = getrlimit(resource)?;
        setrlimit(resource, soft.min(ceiling), hard.min(ceiling))
    };
    lower(Resource::RLIMIT_NOFILE, FILES_SOFT, FILES_HARD)?;
    // The second wall where the machine has no pids controller.
    lower(Resource::RLIMIT_NPROC, limits.processes.into(), limits.processes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_inside_never_has_what_would_reach_the_host() {
        const NEVER: [u8; 8] = [/* LINUX_IMMUTABLE */ 9, 16, 17, 19, 21, 22, 23, 27];
        for privileges in [Privileges::default(), Privileges { network_admin: true, nested_namespaces: true }]
        {
            for capability in NEVER {
                assert_eq!(capabilities(privileges) & (1 << capability), 0, "{capability}");
            }
        }
        assert_eq!(capabilities(Privileges::default()), 0x8004_05fb);
    }
}
