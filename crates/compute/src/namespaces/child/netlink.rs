//! The few things that we ask of the kernel's routing socket, written out byte by byte.

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// A routing socket. It stays in the network namespace in which it was opened.
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

/// The first interface of every network namespace.
pub(super) const LOOPBACK: u32 = 1;

/// One end of a pair of interfaces.
pub(super) struct End<'a> {
    pub(super) name: &'a str,
    /// Its number, or 0 to have one that was never used in its namespace.
    pub(super) index: u32,
    pub(super) mac: Option<[u8; 6]>,
}

// linux/if_link.h, linux/veth.h, linux/if_addr.h
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_NET_NS_FD: u16 = 28;
const VETH_INFO_PEER: u16 = 1;
const IFA_FLAGS: u16 = 8;
const IFA_F_NODAD: u32 = 0x02;

const CREATE: u16 = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;

impl Netlink {
    /// Opens a socket in the network namespace that this thread is in.
    pub(super) fn open() -> io::Result<Self> {
        let kind = (SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute);
        let socket = socket(AddressFamily::Netlink, kind.0, kind.1, kind.2)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Makes two interfaces that are the ends of one wire, `near` here and up, and `far` in another
    /// namespace, and not up yet.
    pub(super) fn add_pair(
        &mut self,
        near: &End<'_>,
        far: &End<'_>,
        far_ns: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWLINK, CREATE);
        message.interface(near.index, true);
        message.names(near);
        message.nest(libc::IFLA_LINKINFO, |info| {
            info.attribute(IFLA_INFO_KIND, b"veth");
            info.nest(IFLA_INFO_DATA, |data| data.nest(VETH_INFO_PEER, |peer| peer.far_end(far, far_ns)));
        });
        self.request(message)
    }

    /// Removes an interface, and with it the other end of its wire. Says whether it was there.
    pub(super) fn delete_link(&mut self, name: &str) -> io::Result<bool> {
        let mut message = Message::new(libc::RTM_DELLINK, 0);
        message.interface(0, false);
        message.text(libc::IFLA_IFNAME, name);
        match self.request(message) {
            Ok(()) => Ok(true),
            Err(e) if e.raw_os_error() == Some(libc::ENODEV) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Sets an interface up.
    pub(super) fn set_up(&mut self, index: u32) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWLINK, 0);
        message.interface(index, true);
        self.request(message)
    }

    /// Gives an interface an address; one that it has already is fine. Nobody is asked whether it is free.
    pub(super) fn add_address(&mut self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWADDR, CREATE);
        message.bytes(&[family(address), prefix, 0, 0]);
        message.bytes(&index.to_ne_bytes());
        message.address(libc::IFA_LOCAL, address);
        message.address(libc::IFA_ADDRESS, address);
        if address.is_ipv6() {
            message.attribute(IFA_FLAGS, &IFA_F_NODAD.to_ne_bytes());
        }
        match self.request(message) {
            Err(e) if e.raw_os_error() == Some(libc::EEXIST) => Ok(()),
            other => other,
        }
    }

    /// Says once and for all which MAC address has an address, so that nobody is asked and nobody can answer otherwise.
    pub(super) fn add_neighbour(&mut self, index: u32, address: IpAddr, mac: [u8; 6]) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWNEIGH, CREATE);
        message.bytes(&[family(address), 0, 0, 0]);
        message.bytes(&index.to_ne_bytes());
        message.bytes(&libc::NUD_PERMANENT.to_ne_bytes());
        message.bytes(&[0, 0]);
        message.address(libc::NDA_DST, address);
        message.attribute(libc::NDA_LLADDR, &mac);
        self.request(message)
    }

    /// Sends what is for `destination` out by an interface, through a gateway if there is one.
    pub(super) fn add_route(
        &mut self,
        destination: (IpAddr, u8),
        gateway: Option<IpAddr>,
        index: u32,
    ) -> io::Result<()> {
        let (address, prefix) = destination;
        let scope = if gateway.is_some() { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
        let mut message = Message::new(libc::RTM_NEWROUTE, CREATE);
        message.bytes(&[family(address), prefix, 0, 0]);
        message.bytes(&[libc::RT_TABLE_MAIN, libc::RTPROT_STATIC, scope, libc::RTN_UNICAST]);
        message.bytes(&0_u32.to_ne_bytes());
        if prefix > 0 {
            message.address(libc::RTA_DST, address);
        }
        if let Some(gateway) = gateway {
            message.address(libc::RTA_GATEWAY, gateway);
        }
        message.attribute(libc::RTA_OIF, &index.to_ne_bytes());
        self.request(message)
    }

    /// Sends a request and waits for the kernel's word on it.
    fn request(&mut self, message: Message) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = message.finish(self.sequence);
        let fd = self.socket.as_raw_fd();
        sendto(fd, &bytes, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        let mut answer = [0; 4096];
        loop {
            let length = recv(fd, &mut answer, MsgFlags::empty())?;
            let answer = answer.get(..length).unwrap_or_default();
            if read_u32(answer, 8) == Some(self.sequence) {
                return read_error(answer);
            }
        }
    }
}

/// The verdict in a message of type `NLMSG_ERROR`: after the header of 16 bytes, zero or a negative error number.
fn read_error(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    match (kind.map(i32::from), read_u32(answer, 16).map(u32::cast_signed)) {
        (Some(libc::NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(libc::NLMSG_ERROR), Some(number)) => Err(io::Error::from_raw_os_error(number.saturating_neg())),
        _ => Err(io::Error::other("the kernel's answer cannot be read")),
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes)
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    family as u8
}

/// The address that stands for all of its family.
pub(super) const EVERYWHERE: (IpAddr, u8) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A request under construction: a fixed part, then attributes.
struct Message {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Message {
    const HEADER_LENGTH: usize = 16;

    fn new(kind: u16, flags: u16) -> Self {
        let flags = flags | (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
        Self { kind, flags, body: Vec::new() }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }

    /// The fixed part of a message about an interface.
    fn interface(&mut self, index: u32, up: bool) {
        let up = if up { libc::IFF_UP as u32 } else { 0 };
        self.bytes(&[0; 4]);
        self.bytes(&index.to_ne_bytes());
        self.bytes(&up.to_ne_bytes());
        self.bytes(&up.to_ne_bytes());
    }

    fn names(&mut self, end: &End<'_>) {
        self.text(libc::IFLA_IFNAME, end.name);
        if let Some(mac) = end.mac {
            self.attribute(libc::IFLA_ADDRESS, &mac);
        }
    }

    /// The end that is made first cannot be up before the other one is there.
    fn far_end(&mut self, end: &End<'_>, namespace: BorrowedFd<'_>) {
        self.interface(end.index, false);
        self.names(end);
        self.attribute(IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
    }

    fn text(&mut self, kind: u16, text: &str) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        self.attribute(kind, &bytes);
    }

    fn address(&mut self, kind: u16, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.attribute(kind, &Ipv4Addr::octets(&address)),
            IpAddr::V6(address) => self.attribute(kind, &Ipv6Addr::octets(&address)),
        }
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nest(kind, |inner| inner.bytes(value));
    }

    /// An attribute that is built by `fill`: its length, its kind, its value, filled up to four bytes.
    fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.body.len();
        self.bytes(&[0; 2]);
        self.bytes(&kind.to_ne_bytes());
        fill(self);
        let length = (self.body.len() - start) as u16;
        for (byte, length) in self.body.iter_mut().skip(start).zip(length.to_ne_bytes()) {
            *byte = length;
        }
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    /// The whole message: length, kind, flags, sequence and port before what was built.
    fn finish(self, sequence: u32) -> Vec<u8> {
        let length = (Self::HEADER_LENGTH + self.body.len()) as u32;
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&self.kind.to_ne_bytes());
        bytes.extend_from_slice(&self.flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_its_length_its_kind_and_its_value_filled_up_to_four_bytes() {
        let mut message = Message::new(libc::RTM_DELLINK, 0);
        message.text(libc::IFLA_IFNAME, "vi7");
        message.attribute(9, &[1]);
        let bytes = message.finish(5);
        assert_eq!(read_u32(&bytes, 0), Some(32));
        assert_eq!(read_u32(&bytes, 8), Some(5));
        assert_eq!(bytes[16..24], [8, 0, 3, 0, b'v', b'i', b'7', 0]);
        assert_eq!(bytes[24..32], [5, 0, 9, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn the_length_of_a_nest_covers_what_is_in_it() {
        let mut message = Message::new(libc::RTM_NEWLINK, 0);
        message.nest(18, |outer| outer.attribute(1, b"veth"));
        assert_eq!(message.finish(1)[16..], [12, 0, 18, 0, 8, 0, 1, 0, b'v', b'e', b't', b'h']);
    }

    #[test]
    fn the_kernels_verdict_is_read() {
        let mut answer = vec![0; 36];
        answer[4] = 2;
        assert!(read_error(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-libc::EEXIST).to_ne_bytes());
        assert_eq!(read_error(&answer).unwrap_err().raw_os_error(), Some(libc::EEXIST));
        assert!(read_error(&[0; 8]).is_err());
    }
}
