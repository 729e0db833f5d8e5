//! System calls that no library gives a safe face.
#![expect(unsafe_code, reason = "the kernel's own interface; every call is wrapped here and nowhere else")]

use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::ffi::{CStr, c_long, c_ulong};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Proof that this process has one thread. Only then may it be copied and go on running ordinary code in the copy:
/// otherwise another thread's lock could be held there for ever.
#[derive(Clone, Copy)]
pub(super) struct SingleThreaded(());

impl SingleThreaded {
    /// Looks at the process. It stays true because nothing in the child starts a thread.
    pub(super) fn verify() -> io::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:"));
        match threads.map(str::trim) {
            Some("1") => Ok(Self(())),
            _ => Err(io::Error::other("the process has more than one thread")),
        }
    }
}

/// Which of the two processes this is, after a copy.
pub(super) enum Forked {
    Child,
    Parent { pid: Pid, pidfd: OwnedFd },
}

/// Copies the process, into new namespaces as the flags say. With `CLONE_PARENT` the copy is a sibling.
pub(super) fn fork(_: SingleThreaded, flags: CloneFlags) -> io::Result<Forked> {
    let mut pidfd: RawFd = -1;
    let sibling = flags.contains(CloneFlags::CLONE_PARENT);
    // SAFETY: `clone_args` is plain integers, for which zero is a value.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = flags.bits() as u64 | libc::CLONE_PIDFD as u64;
    arguments.pidfd = (&raw mut pidfd) as u64;
    arguments.exit_signal = if sibling { 0 } else { libc::SIGCHLD as u64 };
    // SAFETY: without CLONE_VM the copy has its own memory and, with a null stack, goes on from here on a copy of this
    // stack, as after fork(2). There is no other thread (`SingleThreaded`), so no lock is held in the copy by a
    // thread that is not in it. `arguments` and `pidfd` outlive the call.
    let pid =
        check(unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) })?;
    if pid == 0 {
        return Ok(Forked::Child);
    }
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: the kernel has just put this descriptor there for us, and nobody else knows it.
    Ok(Forked::Parent { pid: Pid::from_raw(pid), pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } })
}

/// Ends the process at once, without running what was registered to run at its end.
pub(super) fn exit(status: u8) -> ! {
    // SAFETY: takes an integer and does not return.
    unsafe { libc::_exit(status.into()) }
}

/// A handle on a process that cannot come to mean another one.
pub(super) fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: takes integers only.
    let fd = check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Signals a process; 0 only asks whether it is there.
pub(super) fn pidfd_signal(process: impl AsFd, signal: i32) -> io::Result<()> {
    let fd = process.as_fd().as_raw_fd();
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks for the one that kill(2) would send.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, no_info, 0) }).map(drop)
}

/// Signals a child of this process that was not reaped yet, and its process group. That either is gone is not an error.
pub(super) fn signal_group(leader: Pid, signal: u8) {
    // SAFETY: both take integers only.
    unsafe {
        if libc::kill(-leader.as_raw(), signal.into()) != 0 {
            libc::kill(leader.as_raw(), signal.into());
        }
    }
}

/// Closes every descriptor from `first` on.
///
/// # Safety
/// No [`OwnedFd`] or the like for one of them may be used or dropped afterwards. That holds if the process replaces
/// itself, or leaves through [`exit`] without returning to the code that owns them.
pub(super) unsafe fn close_from(first: RawFd) -> io::Result<()> {
    // SAFETY: takes integers only; that nobody owns the descriptors is the caller's promise.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) }).map(drop)
}

/// Makes `target` a copy of `source`. Whatever was open under that number is replaced.
///
/// # Safety
/// `target` must not be the number of a descriptor that something else in the process owns and goes on using, the three
/// standard ones excepted; nor that of `source`.
pub(super) unsafe fn place_fd(source: impl AsFd, target: RawFd, survives_exec: bool) -> io::Result<()> {
    let flags = if survives_exec { 0 } else { libc::O_CLOEXEC };
    // SAFETY: both are numbers; that nobody owns the target is the caller's promise.
    check(unsafe { c_long::from(libc::dup3(source.as_fd().as_raw_fd(), target, flags)) }).map(drop)
}

/// A descriptor of this process, by the number under which it was inherited.
///
/// # Safety
/// It must be open, and nobody else may own it.
pub(super) unsafe fn inherited(number: RawFd) -> OwnedFd {
    // SAFETY: the caller's promise.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Takes the three capability sets of this process to `sets`, and leaves nothing to be inherited.
pub(super) fn set_capabilities(permitted: u64) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    #[derive(Default)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let half = |bits: u64| bits as u32;
    let set = |bits: u32| Data { effective: bits, permitted: bits, inheritable: 0 };
    let data = [set(half(permitted)), set(half(permitted >> 32))];
    let header = Header { version: VERSION_3, pid: 0 };
    // SAFETY: the two structures are laid out as capset(2) says, the data twice as version 3 asks, and outlive the call.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) }).map(drop)
}

/// Takes a capability away for good from this process and all that come from it. Says whether the kernel knows it.
pub(super) fn drop_from_bounding_set(capability: u8) -> io::Result<bool> {
    // SAFETY: takes integers only.
    match check(unsafe {
        c_long::from(libc::prctl(libc::PR_CAPBSET_DROP, c_ulong::from(capability), 0, 0, 0))
    }) {
        Ok(_) => Ok(true),
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Puts every system call of this process, and of all that come from it, under a filter.
pub(super) fn install_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `len` instructions, which is how many there are, and writes none.
    let done =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    check(done).map(drop)
}

/// Leaves the keys behind that the process was started with.
pub(super) fn join_empty_keyring() -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: c_long = 1;
    let anonymous = std::ptr::null::<u8>();
    // SAFETY: a null name asks for a new, nameless keyring.
    check(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, anonymous) }).map(drop)
}

/// Which mount an open file is on, by the number that `/proc/self/mountinfo` gives it.
pub(super) fn mount_id(file: impl AsFd) -> io::Result<u64> {
    // SAFETY: `statx` is plain integers, for which zero is a value.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: an empty path asks for the descriptor itself; `found` outlives the call.
    let done =
        unsafe { libc::statx(fd, c"".as_ptr(), libc::AT_EMPTY_PATH, libc::STATX_MNT_ID, &raw mut found) };
    check(c_long::from(done))?;
    Ok(found.stx_mnt_id)
}

/// A mount of the directory alone, without what is mounted below it, that is not attached anywhere yet.
pub(super) fn detached_copy(directory: impl AsFd) -> io::Result<OwnedFd> {
    const OPEN_TREE_CLONE: c_long = 1;
    let flags = OPEN_TREE_CLONE | c_long::from(libc::O_CLOEXEC | libc::AT_EMPTY_PATH);
    let fd = directory.as_fd().as_raw_fd();
    // SAFETY: an empty path asks for the descriptor itself.
    let fd = check(unsafe { libc::syscall(libc::SYS_open_tree, fd, c"".as_ptr(), flags) })?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Makes a mount that is not attached yet read-only, and shows its files as owned by the ids that the user namespace
/// maps theirs to, if there is one.
pub(super) fn restrict_mount(mount: impl AsFd, mapped_by: Option<BorrowedFd<'_>>) -> io::Result<()> {
    #[repr(C)]
    struct MountAttributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    const READ_ONLY: u64 = 0x1;
    const MAPPED: u64 = 0x0010_0000;
    let attributes = MountAttributes {
        set: READ_ONLY | mapped_by.map_or(0, |_| MAPPED),
        clear: 0,
        propagation: 0,
        user_namespace: mapped_by.map_or(0, |namespace| namespace.as_raw_fd() as u64),
    };
    let fd = mount.as_fd().as_raw_fd();
    // SAFETY: an empty path asks for the descriptor itself; the structure is laid out as mount_setattr(2) says and
    // outlives the call.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd,
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<MountAttributes>(),
        )
    })
    .map(drop)
}

/// Attaches a mount to a directory.
pub(super) fn attach_mount(mount: impl AsFd, directory: impl AsFd) -> io::Result<()> {
    const BOTH_PATHS_EMPTY: c_long = 0x04 | 0x40;
    let (mount, directory) = (mount.as_fd().as_raw_fd(), directory.as_fd().as_raw_fd());
    let here = c"".as_ptr();
    // SAFETY: the empty paths ask for the descriptors themselves.
    check(unsafe { libc::syscall(libc::SYS_move_mount, mount, here, directory, here, BOTH_PATHS_EMPTY) })
        .map(drop)
}

/// Sets an extended attribute of an open file.
pub(super) fn set_attribute(file: impl AsFd, name: &CStr, value: &[u8]) -> io::Result<()> {
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: name and value outlive the call, and the length is the value's.
    let done = unsafe { libc::fsetxattr(fd, name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    check(c_long::from(done)).map(drop)
}

/// The far end of a terminal, from its near end, without a path that somebody could put something else at.
pub(super) fn terminal_far_end(near: impl AsFd) -> io::Result<OwnedFd> {
    let near = near.as_fd().as_raw_fd();
    let unlocked: libc::c_int = 0;
    // SAFETY: reads one integer, which outlives the call.
    check(c_long::from(unsafe { libc::ioctl(near, libc::TIOCSPTLCK, &raw const unlocked) }))?;
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: takes an integer.
    let far = check(c_long::from(unsafe { libc::ioctl(near, libc::TIOCGPTPEER, flags) }))?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(far as RawFd) })
}

/// Makes the terminal that of this session.
pub(super) fn take_terminal(terminal: impl AsFd) -> io::Result<()> {
    let fd = terminal.as_fd().as_raw_fd();
    // SAFETY: takes an integer; 0 asks not to steal it from another session.
    check(c_long::from(unsafe { libc::ioctl(fd, libc::TIOCSCTTY, 0) })).map(drop)
}

/// Sets the size of a terminal.
pub(super) fn set_terminal_size(terminal: impl AsFd, rows: u16, columns: u16) -> io::Result<()> {
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let fd = terminal.as_fd().as_raw_fd();
    // SAFETY: reads one structure, which outlives the call.
    check(c_long::from(unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, &raw const size) })).map(drop)
}

/// Lets a signal do what it does by default. A child's end that is ignored, as whoever started this process may have
/// chosen, would be lost.
pub(super) fn default_action(signal: Signal) {
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(signal as i32, libc::SIG_DFL) };
}

/// Lets every signal do what it does by default, and lets all of them through.
pub(super) fn reset_signals() -> io::Result<()> {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default action runs no code of ours. Numbers that cannot be set are refused, which is well.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    nix::sys::signal::SigSet::empty().thread_set_mask().map_err(io::Error::from)
}

fn check(returned: c_long) -> io::Result<c_long> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}
