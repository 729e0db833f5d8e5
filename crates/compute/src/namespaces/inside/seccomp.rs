//! The filter on system calls.
//!
//! It is a list of what is refused: what has no use in an instance and a history of holes, or what would be refused for
//! want of a capability anyway, so that no hole there can be tried. Calls that the kernel learnt after this list was
//! written do not exist for an instance.

use crate::Privileges;
use libc::sock_filter;

/// What a call gets instead of being carried out.
const fn error(number: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | (number as u32 & libc::SECCOMP_RET_DATA)
}

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = error(libc::EPERM);
/// For calls that programs try and do without.
const UNKNOWN: u32 = error(libc::ENOSYS);

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The newest call that this list was written for.
const NEWEST: i64 = libc::SYS_mseal;

// Places in `struct seccomp_data`. The machines that we build for are little-endian: the low half comes first.
const AT_NUMBER: u32 = 0;
const AT_ARCHITECTURE: u32 = 4;
const fn at_argument(index: u32) -> u32 {
    16 + 8 * index
}

/// Refused to everyone.
const REFUSED: &[i64] = &[
    // The kernel itself: modules, another kernel, programs in it, its clock, its log, its swap, its accounting.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_bpf,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_syslog,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
    libc::SYS_lookup_dcookie,
    // Keys are not kept apart by namespaces as other things are.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Ways to look at or hold up the kernel that attacks on it are built from.
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_kcmp,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    // Files by handle, past the directories that lead to them.
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
];

/// The same, of one architecture.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS__sysctl,
    libc::SYS_sysfs,
    libc::SYS_ustat,
];
#[cfg(target_arch = "aarch64")]
const REFUSED_HERE: &[i64] = &[];

/// Refused unless an instance may have namespaces of its own.
const NESTING: &[i64] = &[
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
];

/// Not there for anyone: programs fall back to what there was before.
const ABSENT: &[i64] = &[libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

const NEW_NAMESPACES: u32 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP) as u32
    | 0x80; // CLONE_NEWTIME, which clone(2) takes as part of a signal number and unshare(2) as a flag

/// Pushing characters into a terminal as if they were typed, the console's own commands, and other line disciplines.
const TERMINAL_TRICKS: [u32; 3] = [libc::TIOCSTI as u32, libc::TIOCLINUX as u32, 0x5423];

/// Kinds of addresses that an instance can have sockets of. Not among them: the host's own hypervisor (vsock), the
/// kernel's ciphers, and protocols that nobody misses.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
/// Protocols over IP.
const PROTOCOLS: [i32; 6] =
    [0, libc::IPPROTO_TCP, libc::IPPROTO_UDP, libc::IPPROTO_ICMP, libc::IPPROTO_ICMPV6, libc::IPPROTO_MPTCP];
/// What can be asked of the kernel over a socket: addresses and routes, sockets, devices.
const KERNEL_PROTOCOLS: [i32; 3] =
    [libc::NETLINK_ROUTE, libc::NETLINK_SOCK_DIAG, libc::NETLINK_KOBJECT_UEVENT];

/// Ways to run old programs that do no harm: Linux as it is, and with memory where it always was.
const PERSONALITIES: [u32; 5] = [0, 0x0008, 0x0002_0000, 0x0002_0008, 0xffff_ffff];

/// The filter for an instance's processes.
pub(super) fn filter(privileges: Privileges) -> Vec<sock_filter> {
    let mut program = Program::default();
    program.load(AT_ARCHITECTURE);
    program.unless_equal(ARCHITECTURE, libc::SECCOMP_RET_KILL_PROCESS);
    program.load(AT_NUMBER);
    // Also refuses the calls of the x32 interface, which have a bit set above all others.
    program.if_greater(NEWEST as u32, UNKNOWN);
    program.if_any(ABSENT, UNKNOWN);
    program.if_any(REFUSED, REFUSE);
    program.if_any(REFUSED_HERE, REFUSE);
    if !privileges.nested_namespaces {
        program.if_any(NESTING, REFUSE);
        // Its flags are in memory, where a filter cannot look; programs fall back to clone.
        program.if_any(&[libc::SYS_clone3], UNKNOWN);
        for call in [libc::SYS_clone, libc::SYS_unshare] {
            program.on(call, |on| {
                on.load(at_argument(0));
                let flags = if call == libc::SYS_clone { NEW_NAMESPACES & !0x80 } else { NEW_NAMESPACES };
                on.if_any_bit(flags, REFUSE);
            });
        }
    }
    program.on(libc::SYS_ioctl, |on| {
        on.load(at_argument(1));
        TERMINAL_TRICKS.into_iter().for_each(|trick| on.if_equal(trick, REFUSE));
    });
    program.on(libc::SYS_personality, |on| {
        on.load(at_argument(0));
        on.unless_among(&PERSONALITIES, REFUSE);
    });
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        program.on(call, |on| sockets(on, privileges));
    }
    program.give(ALLOW);
    program.0
}

fn sockets(on: &mut Program, privileges: Privileges) {
    let words = |numbers: &[i32]| numbers.iter().map(|number| number.cast_unsigned()).collect::<Vec<_>>();
    let mut families = words(&FAMILIES);
    let mut kernel = words(&KERNEL_PROTOCOLS);
    if privileges.network_admin {
        families.push(libc::AF_PACKET as u32);
        kernel.extend([libc::NETLINK_NETFILTER as u32, libc::NETLINK_GENERIC as u32]);
    }
    on.load(at_argument(0));
    on.unless_among(&families, error(libc::EAFNOSUPPORT));
    on.if_equal_then(libc::AF_NETLINK as u32, |on| {
        on.load(at_argument(2));
        on.unless_among(&kernel, error(libc::EPROTONOSUPPORT));
        on.give(ALLOW);
    });
    if !privileges.network_admin {
        for family in [libc::AF_INET, libc::AF_INET6] {
            on.if_equal_then(family as u32, |on| {
                on.load(at_argument(2));
                on.unless_among(&words(&PROTOCOLS), error(libc::EPROTONOSUPPORT));
                on.give(ALLOW);
            });
        }
    }
}

/// A filter under construction. What each step compares is what was loaded last.
#[derive(Default)]
struct Program(Vec<sock_filter>);

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const GIVE: u32 = libc::BPF_RET | libc::BPF_K;
const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const GREATER: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
const ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
const ALWAYS: u32 = libc::BPF_JMP | libc::BPF_JA;

impl Program {
    fn step(&mut self, code: u32, value: u32, if_so: u8, if_not: u8) {
        self.0.push(sock_filter { code: code as u16, jt: if_so, jf: if_not, k: value });
    }

    fn load(&mut self, place: u32) {
        self.step(LOAD, place, 0, 0);
    }

    fn give(&mut self, verdict: u32) {
        self.step(GIVE, verdict, 0, 0);
    }

    fn if_equal(&mut self, value: u32, verdict: u32) {
        self.step(EQUAL, value, 0, 1);
        self.give(verdict);
    }

    fn unless_equal(&mut self, value: u32, verdict: u32) {
        self.step(EQUAL, value, 1, 0);
        self.give(verdict);
    }

    fn if_greater(&mut self, value: u32, verdict: u32) {
        self.step(GREATER, value, 0, 1);
        self.give(verdict);
    }

    fn if_any_bit(&mut self, bits: u32, verdict: u32) {
        self.step(ANY_BIT, bits, 0, 1);
        self.give(verdict);
    }

    fn if_any(&mut self, calls: &[i64], verdict: u32) {
        calls.iter().for_each(|call| self.if_equal(*call as u32, verdict));
    }

    fn unless_among(&mut self, values: &[u32], verdict: u32) {
        for (place, value) in values.iter().enumerate() {
            // Over the comparisons that follow, and the verdict.
            self.step(EQUAL, *value, (values.len() - place) as u8, 0);
        }
        self.give(verdict);
    }

    /// Goes on with `then` if the value is this one; what `then` leaves undecided falls through to what follows.
    fn if_equal_then(&mut self, value: u32, then: impl FnOnce(&mut Self)) {
        self.step(EQUAL, value, 1, 0);
        let jump = self.0.len();
        self.step(ALWAYS, 0, 0, 0);
        then(self);
        let distance = (self.0.len() - jump - 1) as u32;
        if let Some(step) = self.0.get_mut(jump) {
            step.k = distance;
        }
    }

    /// Decides about one call: what `then` does not refuse is allowed.
    fn on(&mut self, call: i64, then: impl FnOnce(&mut Self)) {
        self.if_equal_then(call as u32, |on| {
            then(on);
            on.give(ALLOW);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a filter as the kernel does.
    fn verdict(filter: &[sock_filter], call: i64, arguments: [u32; 3]) -> u32 {
        let mut data = [0_u8; 64];
        data[0..4].copy_from_slice(&(call as u32).to_ne_bytes());
        data[4..8].copy_from_slice(&ARCHITECTURE.to_ne_bytes());
        for (index, argument) in arguments.iter().enumerate() {
            let place = at_argument(index as u32) as usize;
            data[place..place + 4].copy_from_slice(&argument.to_ne_bytes());
        }
        let (mut at, mut loaded) = (0, 0);
        loop {
            let step = filter[at];
            at += 1;
            let holds = match u32::from(step.code) {
                LOAD => {
                    let place = step.k as usize;
                    loaded = u32::from_ne_bytes(data[place..place + 4].try_into().unwrap());
                    continue;
                }
                GIVE => return step.k,
                ALWAYS => {
                    at += step.k as usize;
                    continue;
                }
                EQUAL => loaded == step.k,
                GREATER => loaded > step.k,
                ANY_BIT => loaded & step.k != 0,
                other => panic!("unknown step {other}"),
            };
            at += usize::from(if holds { step.jt } else { step.jf });
        }
    }

    const PLAIN: Privileges = Privileges { network_admin: false, nested_namespaces: false };
    const ALL: Privileges = Privileges { network_admin: true, nested_namespaces: true };

    #[test]
    fn what_programs_do_all_day_is_allowed() {
        let filter = filter(PLAIN);
        for (call, arguments) in [
            (libc::SYS_read, [0; 3]),
            (libc::SYS_clone, [libc::CLONE_VM as u32 | libc::SIGCHLD as u32, 0, 0]),
            (libc::SYS_clone, [0x003d_0f00, 0, 0]),
            (libc::SYS_unshare, [libc::CLONE_FS as u32, 0, 0]),
            (libc::SYS_socket, [libc::AF_INET as u32, 1, 0]),
            (libc::SYS_socket, [libc::AF_INET6 as u32, 2, libc::IPPROTO_UDP as u32]),
            (libc::SYS_socket, [libc::AF_NETLINK as u32, 3, 0]),
            (libc::SYS_socketpair, [libc::AF_UNIX as u32, 1, 0]),
            (libc::SYS_ioctl, [1, libc::TCGETS as u32, 0]),
            (libc::SYS_personality, [0xffff_ffff, 0, 0]),
            (libc::SYS_ptrace, [0; 3]),
            (libc::SYS_execve, [0; 3]),
        ] {
            assert_eq!(verdict(&filter, call, arguments), ALLOW, "{call} {arguments:x?}");
        }
    }

    #[test]
    fn what_has_no_place_in_an_instance_is_refused() {
        let filter = filter(PLAIN);
        let no_protocol = error(libc::EPROTONOSUPPORT);
        for (call, arguments, expected) in [
            (libc::SYS_bpf, [0; 3], REFUSE),
            (libc::SYS_keyctl, [0; 3], REFUSE),
            (libc::SYS_open_by_handle_at, [0; 3], REFUSE),
            (libc::SYS_userfaultfd, [0; 3], REFUSE),
            (libc::SYS_kexec_load, [0; 3], REFUSE),
            (libc::SYS_mount, [0; 3], REFUSE),
            (libc::SYS_setns, [0; 3], REFUSE),
            (libc::SYS_clone, [libc::CLONE_NEWUSER as u32 | libc::SIGCHLD as u32, 0, 0], REFUSE),
            (libc::SYS_unshare, [libc::CLONE_NEWUSER as u32, 0, 0], REFUSE),
            (libc::SYS_unshare, [0x80, 0, 0], REFUSE),
            (libc::SYS_clone3, [0; 3], UNKNOWN),
            (libc::SYS_io_uring_setup, [0; 3], UNKNOWN),
            (NEWEST + 1, [0; 3], UNKNOWN),
            (0x4000_0000 + libc::SYS_read, [0; 3], UNKNOWN),
            (libc::SYS_ioctl, [0, libc::TIOCSTI as u32, 0], REFUSE),
            (libc::SYS_personality, [0x0040_0000, 0, 0], REFUSE),
            (libc::SYS_socket, [libc::AF_ALG as u32, 5, 0], error(libc::EAFNOSUPPORT)),
            (libc::SYS_socket, [libc::AF_VSOCK as u32, 1, 0], error(libc::EAFNOSUPPORT)),
            (libc::SYS_socket, [libc::AF_PACKET as u32, 3, 0], error(libc::EAFNOSUPPORT)),
            (libc::SYS_socket, [libc::AF_INET as u32, 1, libc::IPPROTO_SCTP as u32], no_protocol),
            (libc::SYS_socket, [libc::AF_INET6 as u32, 3, libc::IPPROTO_RAW as u32], no_protocol),
            (libc::SYS_socket, [libc::AF_NETLINK as u32, 3, libc::NETLINK_NETFILTER as u32], no_protocol),
        ] {
            assert_eq!(verdict(&filter, call, arguments), expected, "{call} {arguments:x?}");
        }
    }

    #[test]
    fn more_privileges_open_only_what_they_are_for() {
        let filter = filter(ALL);
        for (call, arguments) in [
            (libc::SYS_mount, [0; 3]),
            (libc::SYS_clone3, [0; 3]),
            (libc::SYS_unshare, [libc::CLONE_NEWUSER as u32, 0, 0]),
            (libc::SYS_socket, [libc::AF_PACKET as u32, 3, 0]),
            (libc::SYS_socket, [libc::AF_INET as u32, 3, libc::IPPROTO_RAW as u32]),
            (libc::SYS_socket, [libc::AF_NETLINK as u32, 3, libc::NETLINK_NETFILTER as u32]),
        ] {
            assert_eq!(verdict(&filter, call, arguments), ALLOW, "{call} {arguments:x?}");
        }
        for call in [libc::SYS_bpf, libc::SYS_keyctl, libc::SYS_init_module, libc::SYS_perf_event_open] {
            assert_eq!(verdict(&filter, call, [0; 3]), REFUSE, "{call}");
        }
        assert_ne!(verdict(&filter, libc::SYS_socket, [libc::AF_VSOCK as u32, 1, 0]), ALLOW);
    }

    #[test]
    fn calls_of_another_architecture_end_the_process() {
        let filter = filter(PLAIN);
        assert_eq!(u32::from(filter[0].code), LOAD);
        assert_eq!(filter[2].k, libc::SECCOMP_RET_KILL_PROCESS);
    }
}
