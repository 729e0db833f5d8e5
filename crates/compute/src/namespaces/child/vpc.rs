//! The network of a VPC, and the one door of each instance to what is outside.
//!
//! A VPC is a network namespace without any link to the host's. Each instance has a wire into it and nothing else: there
//! is no bridge, so no frame of one instance ever reaches another. The namespace routes between the wires and answers
//! ARP for whatever is behind another wire, and never asks: it knows the MAC address of each. It drops what comes in by a wire with a source address that it would not
//! send back by the same wire.

use super::netlink::{EVERYWHERE, End, LOOPBACK, Netlink};
use crate::{InstanceSpec, ListenerKind, MacAddress};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket, sockopt,
};
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// The metadata service (EC2 user guide, "Access instance metadata").
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const METADATA_IPV6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const METADATA_PORT: u16 = 80;
/// The VPC's end of every wire; each wire is a link of its own, so they can all have the same.
const NEAR_IPV6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// The instance's end.
const FAR_NAME: &str = "eth0";
const FAR_INDEX: u32 = 2;
/// Connections that wait to be taken.
const BACKLOG: i32 = 1024;

/// Settings of a VPC's namespace, below `/proc/sys/net`. The first resets some of the others.
const SETTINGS: &[(&str, &str)] = &[
    ("ipv4/ip_forward", "1"),
    // A packet is dropped unless an answer to its source would leave by the wire it came in by.
    ("ipv4/conf/all/rp_filter", "1"),
    ("ipv4/conf/default/rp_filter", "1"),
    // ARP is answered for what is behind other wires.
    ("ipv4/conf/default/proxy_arp", "1"),
    // Nothing that an instance sends changes a route or an address here.
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/default/accept_redirects", "0"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/conf/all/accept_source_route", "0"),
    ("ipv4/conf/default/accept_source_route", "0"),
];

/// The same for IPv6, where only the metadata service is: nothing is forwarded, nothing is learnt, nothing is asked.
const SETTINGS_IPV6: &[(&str, &str)] = &[
    ("ipv6/conf/all/forwarding", "0"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/all/accept_redirects", "0"),
    ("ipv6/conf/default/accept_redirects", "0"),
    ("ipv6/conf/default/autoconf", "0"),
    ("ipv6/conf/default/addr_gen_mode", "1"),
    ("ipv6/conf/default/accept_dad", "0"),
];

/// The network of a VPC.
pub(super) struct Vpc {
    pub(super) namespace: OwnedFd,
    netlink: Netlink,
    ipv6: bool,
}

/// A network namespace to come back to.
pub(super) struct Home(File);

impl Home {
    pub(super) fn here() -> io::Result<Self> {
        File::open("/proc/self/ns/net").map(Self)
    }

    /// Does something in another network namespace.
    pub(super) fn within<T>(
        &self,
        namespace: impl AsFd,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        let done = act();
        self.come_back();
        done
    }

    /// Does something in a network namespace of its own, and keeps that.
    fn within_new<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<(T, OwnedFd)> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let done = act().and_then(|value| Ok((value, File::open("/proc/self/ns/net")?.into())));
        self.come_back();
        done
    }

    /// Without a way back nothing that follows could be trusted to be in the right place.
    fn come_back(&self) {
        if setns(&self.0, CloneFlags::CLONE_NEWNET).is_err() {
            super::super::sys::exit(super::EXIT_UNTRUSTED);
        }
    }
}

impl Vpc {
    /// Makes the network of a VPC.
    pub(super) fn create(home: &Home, vpc: &crate::Vpc) -> io::Result<Self> {
        let ipv6 = has_ipv6();
        let (netlink, namespace) = home.within_new(|| {
            configure(SETTINGS)?;
            if ipv6 {
                configure(SETTINGS_IPV6)?;
            }
            let mut netlink = Netlink::open()?;
            netlink.set_up(LOOPBACK)?;
            for address in [METADATA, vpc.api_address()] {
                netlink.add_address(LOOPBACK, address.into(), 32)?;
            }
            if ipv6 {
                netlink.add_address(LOOPBACK, METADATA_IPV6.into(), 128)?;
            }
            Ok(netlink)
        })?;
        Ok(Self { namespace, netlink, ipv6 })
    }

    /// Takes over the network of a VPC that outlived another child.
    pub(super) fn adopt(home: &Home, namespace: OwnedFd) -> io::Result<Self> {
        let netlink = home.within(&namespace, Netlink::open)?;
        Ok(Self { namespace, netlink, ipv6: has_ipv6() })
    }

    /// Lays the wire of an instance, whose own network namespace is new, and sets up both ends.
    pub(super) fn connect(
        &mut self,
        home: &Home,
        slot: u32,
        spec: &InstanceSpec,
        instance: BorrowedFd<'_>,
        ids: std::ops::RangeInclusive<u32>,
    ) -> io::Result<()> {
        let network = spec.network;
        let gateway = network.router();
        home.within(instance, || prepare_instance(&ids, self.ipv6))?;
        let name = link_name(slot);
        self.netlink.delete_link(&name)?;
        let near = End { name: &name, index: 0, mac: None };
        let far = End { name: FAR_NAME, index: FAR_INDEX, mac: Some(network.mac.octets()) };
        self.netlink.add_pair(&near, &far, instance)?;
        let index = home.within(&self.namespace, || {
            // ARP is answered at once, not after most of a second.
            configure(&[(&format!("ipv4/neigh/{name}/proxy_delay"), "0")])?;
            Ok(nix::net::if_::if_nametoindex(name.as_str())?)
        })?;
        self.netlink.add_address(LOOPBACK, gateway.into(), 32)?;
        self.netlink.add_route((network.private_ip.into(), 32), None, index)?;
        self.netlink.add_neighbour(index, network.private_ip.into(), network.mac.octets())?;
        if self.ipv6 {
            self.netlink.add_address(index, NEAR_IPV6.into(), 64)?;
            self.netlink.add_neighbour(index, link_local(network.mac).into(), network.mac.octets())?;
        }
        let mut inside = home.within(instance, Netlink::open)?;
        inside.set_up(LOOPBACK)?;
        inside.set_up(FAR_INDEX)?;
        inside.add_address(FAR_INDEX, network.private_ip.into(), network.subnet.prefix())?;
        inside.add_route(EVERYWHERE, Some(gateway.into()), FAR_INDEX)?;
        if self.ipv6 {
            inside.add_address(FAR_INDEX, link_local(network.mac).into(), 64)?;
            inside.add_route((METADATA_IPV6.into(), 128), Some(NEAR_IPV6.into()), FAR_INDEX)?;
        }
        Ok(())
    }

    /// Takes the wire of an instance away, if it is there.
    pub(super) fn disconnect(&mut self, slot: u32) -> io::Result<()> {
        self.netlink.delete_link(&link_name(slot)).map(drop)
    }

    /// Opens the listeners of an instance on the VPC's side, bound to its wire.
    pub(super) fn listen(
        &self,
        home: &Home,
        slot: u32,
        api: SocketAddr,
    ) -> io::Result<Vec<(ListenerKind, OwnedFd)>> {
        let device = link_name(slot);
        let mut wanted = vec![
            (ListenerKind::Metadata, SocketAddr::from((METADATA, METADATA_PORT))),
            (ListenerKind::Api, api),
        ];
        if self.ipv6 {
            wanted.push((ListenerKind::MetadataIpv6, SocketAddr::from((METADATA_IPV6, METADATA_PORT))));
        }
        home.within(&self.namespace, || {
            let open = |(kind, address)| Ok((kind, open_when_free(address, &device)?));
            wanted.into_iter().map(open).collect()
        })
    }
}

/// Opens the listener at the instance's own loopback, bound to that: what comes in by its wire does not get there.
pub(super) fn listen_inside(home: &Home, instance: impl AsFd, port: u16) -> io::Result<OwnedFd> {
    home.within(instance, || open_when_free(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "lo"))
}

/// The VPC's end of an instance's wire.
fn link_name(slot: u32) -> String {
    format!("vi{slot}")
}

/// The address that an interface has by its MAC address (RFC 4291, appendix A).
fn link_local(mac: MacAddress) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.octets();
    let pair = |high, low| u16::from_be_bytes([high, low]);
    Ipv6Addr::new(0xfe80, 0, 0, 0, pair(a ^ 2, b), pair(c, 0xff), pair(0xfe, d), pair(e, f))
}

/// Settings of an instance's namespace, before it has a link. Everyone inside may `ping`, without raw sockets.
fn prepare_instance(ids: &std::ops::RangeInclusive<u32>, ipv6: bool) -> io::Result<()> {
    let everyone = format!("{}\t{}", ids.start(), ids.end());
    configure(&[("ipv4/ping_group_range", &everyone)])?;
    if ipv6 {
        configure(&[
            ("ipv6/conf/default/accept_ra", "0"),
            ("ipv6/conf/default/autoconf", "0"),
            ("ipv6/conf/default/addr_gen_mode", "1"),
        ])?;
    }
    Ok(())
}

fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

fn configure(settings: &[(&str, &str)]) -> io::Result<()> {
    for (name, value) in settings {
        let path = format!("/proc/sys/net/{name}");
        fs::write(&path, value).map_err(|e| io::Error::new(e.kind(), format!("set {path}: {e}")))?;
    }
    Ok(())
}

/// Opens a listener whose place may be held for another moment: by a process that the server is just making, which has
/// copies of everything until it becomes its program.
fn open_when_free(address: SocketAddr, device: &str) -> io::Result<OwnedFd> {
    const TRIES: u32 = 50;
    for _ in 1..TRIES {
        match open_listener(address, device) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => std::thread::sleep(Duration::from_millis(1)),
            other => return other,
        }
    }
    open_listener(address, device)
}

fn open_listener(address: SocketAddr, device: &str) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    setsockopt(&socket, sockopt::BindToDevice, &device.into())?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&socket, Backlog::new(BACKLOG)?)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_comes_from_the_mac_address() {
        let mac = "02:4f:1c:00:9a:01".parse().unwrap();
        assert_eq!(link_local(mac).to_string(), "fe80::4f:1cff:fe00:9a01");
    }

    #[test]
    fn the_name_of_the_last_slot_fits_an_interface() {
        assert!(link_name(u32::MAX).len() < libc::IFNAMSIZ);
    }
}
