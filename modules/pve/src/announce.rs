//! Tells everybody on a link where this node is, after a change may have moved it to another cable.
//!
//! A switch sends what is for a MAC address to where it heard it last, for five minutes. A node that only answers is then
//! sent nothing to answer: seen for 18 s after a way back from a bond that had carried the traffic over its other member.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6, UdpSocket};

use crate::kernel::{Cidr, Kind, Links};
use crate::paths::Paths;

/// What listens here throws everything away (RFC 863).
const DISCARD: u16 = 9;
/// All nodes on a link (RFC 4291, 2.7.1).
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Sends an empty datagram from each address to all on its link. Nothing depends on one of them: where an address can't be used
/// yet, or a firewall says no, its first packet of another kind does the same.
pub fn announce(paths: &Paths) {
    let Ok(links) = Links::read(paths) else { return };
    for (_, link) in links.iter().filter(|(_, link)| link.is_up && link.kind != Kind::Loopback) {
        for cidr in &link.addresses {
            let _ = from(cidr, link.index);
        }
    }
}

fn from(cidr: &Cidr, link: u32) -> io::Result<()> {
    match cidr.address {
        IpAddr::V4(address) => {
            let Some(all) = broadcast(address, cidr.prefix) else { return Ok(()) };
            let socket = UdpSocket::bind(SocketAddrV4::new(address, 0))?;
            socket.set_broadcast(true)?;
            socket.send_to(&[], SocketAddrV4::new(all, DISCARD))?;
        }
        IpAddr::V6(address) => {
            let socket = UdpSocket::bind(SocketAddrV6::new(address, 0, 0, link))?;
            socket.send_to(&[], SocketAddrV6::new(ALL_NODES, DISCARD, 0, link))?;
        }
    }
    Ok(())
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
