//! What attackers bring along. Each prints what came of it; the exit status is 0 if it worked.
#![expect(unsafe_code, reason = "attacks are made with system calls")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Longest wait for an answer that may never come.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn main(words: &[&str]) -> ! {
    let done = match words {
        ["ask", address] => ask(address, None, 0),
        ["ask-as", address, source] => ask(address, Some(source.parse().unwrap()), 0),
        ["ask-from-near", address, hops] => ask(address, None, hops.parse().unwrap()),
        ["listen", port] => listen(port.parse().unwrap()),
        ["take-address", address] => take_address(address.parse().unwrap()),
        ["take-mac", mac] => take_mac(mac),
        ["announce", address, times] => announce(address.parse().unwrap(), times.parse().unwrap()),
        ["call", name] => call(name),
        ["eat", mib] => eat(mib.parse().unwrap()),
        ["fork", count] => fork(count.parse().unwrap()),
        ["rename", from, to] => std::fs::rename(from, to).map(|()| "renamed".to_owned()),
        ["knock", path] => std::os::unix::net::UnixStream::connect(path).map(|_| "connected".to_owned()),
        ["knock-pipe", path] => knock_pipe(path),
        ["setuid-root"] => setuid_root(),
        _ => Err(std::io::Error::other("unknown attack")),
    };
    match done {
        Ok(text) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            std::process::exit(0)
        }
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "{e}");
            std::process::exit(e.raw_os_error().unwrap_or(1))
        }
    }
}

type Done = std::io::Result<String>;

fn check(returned: i64) -> Done {
    if returned < 0 { Err(std::io::Error::last_os_error()) } else { Ok(returned.to_string()) }
}

fn socket(family: i32, kind: i32, protocol: i32) -> std::io::Result<OwnedFd> {
    // SAFETY: takes integers.
    let fd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
    check(fd.into())?;
    // SAFETY: just made.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Connects, also with an address that is somebody else's, and prints who it is taken for.
fn ask(address: &str, source: Option<Ipv4Addr>, hops: i32) -> Done {
    let address: SocketAddr = address.parse().map_err(std::io::Error::other)?;
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let mut connection = match source {
        None => TcpStream::connect_timeout(&address, TIMEOUT)?,
        Some(source) => connect_as(socket(family, libc::SOCK_STREAM, 0)?, address, source)?,
    };
    if hops > 0 {
        // SAFETY: the value outlives the call.
        check(unsafe {
            let size = size_of::<i32>() as u32;
            libc::setsockopt(
                connection.as_raw_fd(),
                libc::IPPROTO_IP,
                libc::IP_MINTTL,
                (&raw const hops).cast(),
                size,
            )
            .into()
        })?;
    }
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.write_all(b"?")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer.trim().to_owned())
}

fn connect_as(socket: OwnedFd, address: SocketAddr, source: Ipv4Addr) -> std::io::Result<TcpStream> {
    use nix::sys::socket::{SockaddrIn, bind, connect, setsockopt, sockopt};
    setsockopt(&socket, sockopt::SendTimeout, &nix::sys::time::TimeVal::new(2, 0))?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(std::net::SocketAddrV4::new(source, 0)))?;
    let SocketAddr::V4(address) = address else { return Err(std::io::Error::other("expected IPv4")) };
    connect(socket.as_raw_fd(), &SockaddrIn::from(address))?;
    Ok(TcpStream::from(socket))
}

/// Answers one connection with its peer's address.
fn listen(port: u16) -> Done {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    writeln!(std::io::stdout(), "listening")?;
    let (mut connection, peer) = listener.accept()?;
    connection.read_exact(&mut [0])?;
    write!(connection, "{}", peer.ip())?;
    Ok(peer.ip().to_string())
}

fn interface(name: &str) -> libc::ifreq {
    // SAFETY: plain integers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request
}

/// Opens a named pipe to write, if somebody reads it.
fn knock_pipe(path: &str) -> Done {
    use std::os::unix::fs::OpenOptionsExt;
    let mut pipe = std::fs::File::options().write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    pipe.write_all(b"x").map(|()| "written".to_owned())
}

/// Gives the interface another's address, beside its own.
fn take_address(address: Ipv4Addr) -> Done {
    set_interface(libc::SIOCSIFADDR, address)?;
    set_interface(libc::SIOCSIFNETMASK, Ipv4Addr::BROADCAST)
}

fn set_interface(what: libc::Ioctl, address: Ipv4Addr) -> Done {
    let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    let mut request = interface("eth0:1");
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from(address).to_be() },
        sin_zero: [0; 8],
    };
    // SAFETY: both are addresses of the same size.
    request.ifr_ifru.ifru_addr = unsafe { std::mem::transmute::<libc::sockaddr_in, libc::sockaddr>(address) };
    // SAFETY: the request outlives the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), what, &raw const request) }.into())
}

/// Gives the interface another's MAC address.
fn take_mac(mac: &str) -> Done {
    let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    let mut request = interface("eth0");
    let mut address = libc::sockaddr { sa_family: libc::ARPHRD_ETHER, sa_data: [0; 14] };
    for (place, octet) in address.sa_data.iter_mut().zip(mac.split(':')) {
        *place = u8::from_str_radix(octet, 16).map_err(std::io::Error::other)? as libc::c_char;
    }
    request.ifr_ifru.ifru_hwaddr = address;
    // SAFETY: the request outlives the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFHWADDR, &raw const request) }.into())
}

/// Tells everybody by ARP, in question and answer, that an address is here now.
fn announce(address: Ipv4Addr, times: u32) -> Done {
    let protocol = (libc::ETH_P_ARP as u16).to_be();
    let socket = socket(libc::AF_PACKET, libc::SOCK_RAW, protocol.into())?;
    let mac = std::fs::read_to_string("/sys/class/net/eth0/address")?;
    let mac: Vec<u8> = mac.trim().split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect();
    for _ in 0..times {
        for operation in [1, 2] {
            let mut frame = vec![0xff; 6];
            frame.extend(&mac);
            frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
            frame.extend(&mac);
            frame.extend(address.octets());
            frame.extend([0xff; 6]);
            frame.extend(address.octets());
            // SAFETY: plain integers, then a structure and a frame that outlive the call.
            check(unsafe {
                let mut to: libc::sockaddr_ll = std::mem::zeroed();
                to.sll_family = libc::AF_PACKET as u16;
                to.sll_protocol = protocol;
                to.sll_ifindex = libc::if_nametoindex(c"eth0".as_ptr()) as i32;
                let size = size_of::<libc::sockaddr_ll>() as u32;
                let fd = socket.as_raw_fd();
                libc::sendto(fd, frame.as_ptr().cast(), frame.len(), 0, (&raw const to).cast(), size) as i64
            })?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok("announced".to_owned())
}

/// Tries a system call that no instance may make.
fn call(name: &str) -> Done {
    let none = std::ptr::null::<u8>();
    // SAFETY: none of these is given a pointer that the kernel could write to; those that are carried out only give a
    // descriptor or change this process, which ends.
    let returned = unsafe {
        match name {
            "keyctl" => libc::syscall(libc::SYS_keyctl, 0, -3, 0),
            "bpf" => libc::syscall(libc::SYS_bpf, 0, none, 0),
            "perf_event_open" => libc::syscall(libc::SYS_perf_event_open, none, 0, -1, -1, 0),
            "userfaultfd" => libc::syscall(libc::SYS_userfaultfd, 1),
            "io_uring_setup" => libc::syscall(libc::SYS_io_uring_setup, 1, none),
            "kexec_load" => libc::syscall(libc::SYS_kexec_load, 0, 0, none, 0),
            "finit_module" => libc::syscall(libc::SYS_finit_module, 0, c"".as_ptr(), 0),
            "open_by_handle_at" => libc::syscall(libc::SYS_open_by_handle_at, libc::AT_FDCWD, none, 0),
            "reboot" => libc::syscall(libc::SYS_reboot, 0xfee1_dead_u32, 672_274_793, 0x1234_5678, none),
            "mount" => libc::syscall(libc::SYS_mount, none, c"/tmp".as_ptr(), c"tmpfs".as_ptr(), 0, none),
            "umount" => libc::syscall(libc::SYS_umount2, c"/proc/sys".as_ptr(), libc::MNT_DETACH),
            "fsopen" => libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 0),
            "unshare-user" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
            "unshare-mount" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWNS),
            "unshare-network" => libc::syscall(libc::SYS_unshare, libc::CLONE_NEWNET),
            "clone-user" => libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0),
            "clone3" => libc::syscall(libc::SYS_clone3, none, 0),
            "setns-first" => {
                let fd = libc::open(c"/proc/1/ns/net".as_ptr(), libc::O_RDONLY);
                if fd < 0 { -1 } else { libc::syscall(libc::SYS_setns, fd, 0) }
            }
            "chroot" => libc::syscall(libc::SYS_chroot, c"/tmp".as_ptr()),
            "ptrace-first" => libc::syscall(libc::SYS_ptrace, libc::PTRACE_ATTACH, 1, 0, 0),
            "seize-first" => libc::syscall(libc::SYS_ptrace, libc::PTRACE_SEIZE, 1, 0, 0),
            "steal-first-fd" => {
                let pidfd = libc::syscall(libc::SYS_pidfd_open, 1, 0);
                if pidfd < 0 { -1 } else { libc::syscall(libc::SYS_pidfd_getfd, pidfd, 3, 0) }
            }
            "mknod" => libc::syscall(
                libc::SYS_mknodat,
                libc::AT_FDCWD,
                c"/tmp/m".as_ptr(),
                libc::S_IFBLK | 0o600,
                0x800,
            ),
            "settime" => libc::syscall(libc::SYS_clock_settime, 0, none),
            "raise-core" => {
                let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
                libc::setrlimit(libc::RLIMIT_CORE, &raw const limit).into()
            }
            "packet" => libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0).into(),
            "raw" => libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP).into(),
            "ping" => libc::socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP).into(),
            "vsock" => libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0).into(),
            "alg" => libc::socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0).into(),
            "netfilter" => libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_NETFILTER).into(),
            "push-input" => libc::ioctl(0, libc::TIOCSTI, c"x".as_ptr()).into(),
            _ => return Err(std::io::Error::other("unknown call")),
        }
    };
    check(returned)
}

/// Uses memory.
fn eat(mib: usize) -> Done {
    let mut eaten = Vec::new();
    for _ in 0..mib {
        let mut block = vec![0_u8; 1 << 20];
        block.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
        eaten.push(block);
    }
    Ok(format!("{} MiB", eaten.len()))
}

/// Makes processes that wait, and says how many it could.
fn fork(count: u32) -> Done {
    let mut made = 0;
    for _ in 0..count {
        // SAFETY: there is one thread, and the copy only waits to be killed.
        match unsafe { libc::fork() } {
            0 => loop {
                // SAFETY: takes nothing.
                unsafe { libc::pause() };
            },
            -1 => break,
            _ => made += 1,
        }
    }
    let text = Ok(made.to_string());
    writeln!(std::io::stdout(), "{made}")?;
    // SAFETY: takes integers; ends this process with all the others of its group.
    unsafe { libc::kill(0, libc::SIGKILL) };
    text
}

/// Becomes root by a set-user-id bit on this program.
fn setuid_root() -> Done {
    // SAFETY: both take nothing.
    let (real, effective) = unsafe { (libc::getuid(), libc::geteuid()) };
    Ok(format!("{real} {effective}"))
}
