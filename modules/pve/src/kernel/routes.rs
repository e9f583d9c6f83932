//! Default routes, from `/proc/net/route` and `/proc/net/ipv6_route`.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Error;
use crate::paths::Paths;

/// `RTF_UP`, `RTF_GATEWAY` and `RTF_REJECT` of `<linux/route.h>`, `RTF_ADDRCONF` of `<linux/ipv6_route.h>`.
const UP: u32 = 0x1;
const GATEWAY: u32 = 0x2;
const REJECT: u32 = 0x200;
const ADVERTISED: u32 = 0x0004_0000;

/// A default route of the main table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefaultRoute {
    /// The router. `None`: everything is reached directly, as on a point-to-point link.
    pub gateway: Option<IpAddr>,
    /// Name of the link that it leads through.
    pub link: String,
    /// The route with the lowest metric of its address family is used.
    pub metric: u32,
}

/// The default routes, IPv4 before IPv6, each in the kernel's order; without those that a router advertised, as these are
/// nobody's configuration and come and go. Of a route with several next hops the kernel
/// lists the first one only (IPv4), or each as a route (IPv6).
pub fn default_routes(paths: &Paths) -> Result<Vec<DefaultRoute>, Error> {
    let mut routes = read(paths, "route", ipv4)?;
    routes.extend(read(paths, "ipv6_route", ipv6)?);
    Ok(routes)
}

/// What a line of a routing table says: understood or not, a default route or not.
type Line = Option<Option<DefaultRoute>>;

fn read(paths: &Paths, file: &str, parse: fn(&[&str]) -> Line) -> Result<Vec<DefaultRoute>, Error> {
    let path = paths.proc_net.join(file);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        // A kernel that was booted without an address family has no table of it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::File { path, source }),
    };
    let lines = text.lines().filter(|line| !line.starts_with("Iface\t"));
    lines
        .filter_map(|line| {
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            let not_understood = || Error::Format { path: path.clone(), found: line.to_owned() };
            parse(&fields).ok_or_else(not_understood).transpose()
        })
        .collect()
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT`: addresses in hexadecimal, as a number
/// of the machine's byte order; the metric in decimal.
fn ipv4(fields: &[&str]) -> Line {
    let [link, destination, gateway, flags, _, _, metric, mask, ..] = fields else { return None };
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let flags = hex(flags)?;
    if hex(destination)? != 0 || hex(mask)? != 0 || !is_usable(flags) {
        return Some(None);
    }
    let gateway = Ipv4Addr::from(hex(gateway)?.to_ne_bytes()).into();
    Some(Some(DefaultRoute {
        gateway: (flags & GATEWAY != 0).then_some(gateway),
        link: (*link).to_owned(),
        metric: metric.parse().ok()?,
    }))
}

/// Destination, its length, source, its length, next hop, metric, references, uses, flags, link: all numbers in
/// hexadecimal, addresses in network byte order.
fn ipv6(fields: &[&str]) -> Line {
    let [destination, length, _, _, gateway, metric, _, _, flags, link] = fields else { return None };
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let address = |text: &str| u128::from_str_radix(text, 16).ok();
    let flags = hex(flags)?;
    if address(destination)? != 0 || hex(length)? != 0 || !is_usable(flags) {
        return Some(None);
    }
    let gateway = Ipv6Addr::from(address(gateway)?).into();
    Some(Some(DefaultRoute {
        gateway: (flags & GATEWAY != 0).then_some(gateway),
        link: (*link).to_owned(),
        metric: hex(metric)?,
    }))
}

fn is_usable(flags: u32) -> bool {
    flags & UP != 0 && flags & (REJECT | ADVERTISED) == 0
}
