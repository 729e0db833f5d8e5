//! What the process that parses requests gives up once it has started: privileges, the file system beyond its data
//! directory, and system calls that a server has no use for. An attacker who runs code in it finds little to run it
//! against.
//!
//! The privileged child is started before, and answers typed orders only.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// What is read outside the data directory: names of users, the C library's own files, the time zone.
const READ: [&str; 5] = ["/etc", "/lib", "/lib64", "/usr", "/proc/self"];

/// System calls that turn into more privileges, or into other programs. Each is an error from here on.
const FORBIDDEN: &[i64] = &[
    nix::libc::SYS_execve,
    nix::libc::SYS_execveat,
    nix::libc::SYS_ptrace,
    nix::libc::SYS_process_vm_readv,
    nix::libc::SYS_process_vm_writev,
    nix::libc::SYS_mount,
    nix::libc::SYS_umount2,
    nix::libc::SYS_pivot_root,
    nix::libc::SYS_chroot,
    nix::libc::SYS_setns,
    nix::libc::SYS_unshare,
    nix::libc::SYS_bpf,
    nix::libc::SYS_perf_event_open,
    nix::libc::SYS_init_module,
    nix::libc::SYS_finit_module,
    nix::libc::SYS_delete_module,
    nix::libc::SYS_kexec_load,
    nix::libc::SYS_keyctl,
    nix::libc::SYS_add_key,
    nix::libc::SYS_request_key,
    nix::libc::SYS_open_by_handle_at,
    nix::libc::SYS_userfaultfd,
];

/// Gives up what is not needed any more. Threads that start from here on inherit it; what the kernel cannot take is
/// said once, and the server runs without it.
pub(crate) fn confine(data: &Path) {
    for (what, done) in [
        ("privileges", privileges()),
        ("the file system", file_system(data)),
        ("system calls", system_calls()),
    ] {
        if let Err(error) = done {
            tracing::warn!("{what} could not be given up: {error:#}");
        }
    }
}

/// Every capability; and none comes back by running a program.
fn privileges() -> Result<()> {
    nix::sys::prctl::set_no_new_privs().context("no_new_privs")?;
    for set in [caps::CapSet::Effective, caps::CapSet::Permitted, caps::CapSet::Inheritable] {
        caps::clear(None, set).with_context(|| format!("{set:?} capabilities"))?;
    }
    Ok(())
}

/// Everything but the data directory, and reading what a C library reads.
fn file_system(data: &Path) -> Result<()> {
    let abi = ABI::V5;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new(data)?, AccessFs::from_all(abi)))?;
    for folder in READ.iter().filter(|f| Path::new(f).exists()) {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(folder)?, AccessFs::from_read(abi)))?;
    }
    rules.restrict_self()?;
    Ok(())
}

fn system_calls() -> Result<()> {
    let errno = u32::try_from(nix::libc::EPERM).unwrap_or(1);
    let rules: BTreeMap<i64, Vec<seccompiler::SeccompRule>> =
        FORBIDDEN.iter().map(|call| (*call, vec![])).collect();
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        std::env::consts::ARCH.try_into().context("this processor")?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter_all_threads(&program)?;
    Ok(())
}
