//! Tells everybody on a link where this node is, after a change may have moved it to another cable.
//!
//! A switch sends what is for a MAC address to where it heard it last, for five minutes, and a neighbour what is for an IP
//! address to the MAC address that it knows, a router for hours. A node that only answers is then sent nothing to answer: seen
//! for 18 s after a way back from a bond that had carried the traffic over its other member, and for 30 s after one from
//! an IntPort with a MAC address of its own. Open vSwitch and the kernel announce what they move, but not what comes back.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};

use crate::kernel::{Cidr, Kind, Link, Links, default_routes};
use crate::paths::Paths;

/// What listens here throws everything away (RFC 863).
const DISCARD: u16 = 9;
/// All nodes on a link (RFC 4291, 2.7.1).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Sends an empty datagram from each address to all on its link, which switches learn from, and one to each default gateway:
/// the kernel, which forgot it with the address, asks all for it, and so tells all its own MAC address (RFC 826).
///
/// Nothing depends on one of them: where an address can't be used yet, or a firewall says no, its first packet of another
/// kind does the same.
pub fn announce(paths: &Paths) {
    let Ok(links) = Links::read(paths) else { return };
    // Where there are MAC addresses to be learned.
    let is_ethernet = |link: &Link| !matches!(link.kind, Kind::Loopback | Kind::Other);
    for (_, link) in links.iter().filter(|(_, link)| link.is_up && is_ethernet(link)) {
        for cidr in &link.addresses {
            let _ = to_all(cidr, link.index);
        }
    }
    for route in default_routes(paths).unwrap_or_default() {
        if let (Some(gateway), Some(link)) = (route.gateway, links.get(&route.link)) {
            let _ = match gateway {
                IpAddr::V4(_) => send(Ipv4Addr::UNSPECIFIED.into(), gateway, 0),
                IpAddr::V6(_) => send(Ipv6Addr::UNSPECIFIED.into(), gateway, link.index),
            };
        }
    }
}

fn to_all(cidr: &Cidr, link: u32) -> io::Result<()> {
    let all = match cidr.address {
        IpAddr::V4(address) => broadcast(address, cidr.prefix).map(IpAddr::from),
        IpAddr::V6(_) => Some(ALL_NODES.into()),
    };
    all.map_or(Ok(()), |all| send(cidr.address, all, link))
}

/// `link` is the index of the link, where an address does not say which one it is on.
fn send(from: IpAddr, to: IpAddr, link: u32) -> io::Result<()> {
    let on = |address: IpAddr, port: u16| match address {
        IpAddr::V4(address) => SocketAddr::V4(SocketAddrV4::new(address, port)),
        IpAddr::V6(address) => SocketAddr::V6(SocketAddrV6::new(address, port, 0, link)),
    };
    let socket = UdpSocket::bind(on(from, 0))?;
    socket.set_nonblocking(true)?;
    if from.is_ipv4() {
        socket.set_broadcast(true)?;
    }
    socket.send_to(&[], on(to, DISCARD)).map(drop)
}

/// The address of all in a network; a network of one or two has none (RFC 3021).
fn broadcast(address: Ipv4Addr, prefix: u8) -> Option<Ipv4Addr> {
    let hosts = u32::MAX.checked_shr(prefix.into()).filter(|hosts| *hosts > 1)?;
    Some(Ipv4Addr::from_bits(address.to_bits() | hosts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_more_than_two_has_an_address_of_all() {
        for (prefix, all) in [
            (8, Some([192, 255, 255, 255])),
            (24, Some([192, 0, 2, 255])),
            (30, Some([192, 0, 2, 11])),
            (31, None),
            (32, None),
        ] {
            assert_eq!(broadcast(Ipv4Addr::new(192, 0, 2, 10), prefix), all.map(Ipv4Addr::from), "{prefix}");
        }
    }
}
