//! What the child needs to be allowed.

use super::super::sys;
use std::fs;
use std::io;

/// Capabilities by number (linux/capability.h), name, and what they are for.
const NEEDED: [(u8, &str); 12] = [
    (0, "CAP_CHOWN"),             // give an instance's disk to its root
    (1, "CAP_DAC_OVERRIDE"),      // look after what instances wrote
    (3, "CAP_FOWNER"),            // the same
    (5, "CAP_KILL"),              // signal instances and commands
    (6, "CAP_SETGID"),            // map the ids of user namespaces
    (7, "CAP_SETUID"),            // the same
    (8, "CAP_SETPCAP"),           // give up what is not in this list
    (10, "CAP_NET_BIND_SERVICE"), // listen at port 80 in a VPC
    (12, "CAP_NET_ADMIN"),        // lay wires and routes
    (18, "CAP_SYS_CHROOT"),       // enter mount namespaces
    (19, "CAP_SYS_PTRACE"),       // find the namespaces of instances that outlived another child
    (21, "CAP_SYS_ADMIN"),        // namespaces and mounts
];

/// Which of them this process lacks.
pub(super) fn missing() -> io::Result<Vec<&'static str>> {
    let held = held()?;
    Ok(NEEDED.iter().filter(|(number, _)| held & (1 << number) == 0).map(|(_, name)| *name).collect())
}

/// Gives up everything else, for good.
pub(super) fn keep_needed() -> io::Result<()> {
    let missing = missing()?;
    if !missing.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("it lacks {}", missing.join(", ")),
        ));
    }
    let needed = NEEDED.iter().fold(0_u64, |bits, (number, _)| bits | 1 << number);
    for capability in 0..u64::BITS as u8 {
        if needed & (1 << capability) == 0 && !sys::drop_from_bounding_set(capability)? {
            break;
        }
    }
    sys::set_capabilities(needed)
}

/// The effective capabilities of this process.
fn held() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let bits = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.ok_or_else(|| io::Error::other("its capabilities cannot be read"))
}
