//! The kernel's links, addresses and routes, from sysfs, procfs and getifaddrs(3), and a link's MTU.
//!
//! What Open vSwitch knows of a link, such as that it is an internal port, is not known here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use ansible_module::gather::Gather as _;

use crate::interfaces::looks_like_a_nic;
use crate::paths::Paths;

mod altnames;
mod inet6;
mod routes;

pub use routes::{DefaultRoute, default_routes};

/// `ARPHRD_ETHER` and `ARPHRD_LOOPBACK` of `<linux/if_arp.h>`, as in `/sys/class/net/*/type`.
const ETHERNET: u32 = 1;
const LOOPBACK: u32 = 772;
/// `IFF_UP` of `<linux/if.h>`, as in `/sys/class/net/*/flags`.
const UP: u32 = 1;

/// What could not be read or set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the kernel could not be read or written.
    #[error("using `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file of the kernel does not say what it is known to say.
    #[error("reading `{}`: `{found}` is not understood", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// The alternative names of links could not be listed.
    #[error("listing the alternative names of all links")]
    Altnames {
        /// What the kernel said.
        source: io::Error,
    },
    /// The addresses could not be listed.
    #[error("listing the addresses of all interfaces")]
    Addresses {
        /// What the kernel said.
        source: io::Error,
    },
}

/// What a link is, as far as the kernel shows it in sysfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A NIC: Ethernet with a device behind it (PCI, USB, virtio…).
    Physical,
    /// Ethernet without a device: a veth, a dummy, an internal port of Open vSwitch's kernel datapath. Sysfs does
    /// not tell them apart.
    Virtual,
    /// A Linux bridge.
    Bridge,
    /// A bond of the kernel's bonding driver.
    Bond,
    /// A VLAN of another link.
    Vlan,
    /// A tun or tap device: a guest's, or an internal port of Open vSwitch's userspace datapath.
    Tap,
    /// The loopback interface.
    Loopback,
    /// Anything else: Infiniband, wireless, tunnels.
    Other,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Physical => "a NIC",
            Self::Virtual => "a virtual link",
            Self::Bridge => "a Linux bridge",
            Self::Bond => "a Linux bond",
            Self::Vlan => "a VLAN interface",
            Self::Tap => "a tap device",
            Self::Loopback => "the loopback interface",
            Self::Other => "a link",
        })
    }
}

/// A link's master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Master {
    /// The link is a port of a Linux bridge.
    Bridge(String),
    /// The link is a member of a bond of the kernel's bonding driver.
    Bond(String),
    /// The link belongs to something else: `ovs-system`, a VRF, a team.
    Other(String),
}

/// An address with the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network's prefix.
    pub prefix: u8,
}

impl Cidr {
    /// Whether this is an IPv6 address that the kernel made for the link alone (`fe80::/10`).
    pub fn is_link_local(&self) -> bool {
        matches!(self.address, IpAddr::V6(address) if address.is_unicast_link_local())
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A network interface of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its index, unique in its network namespace.
    pub index: u32,
    /// What it is.
    pub kind: Kind,
    /// Its MAC address as the kernel writes it, in lower case; other kinds of links have other addresses or none.
    pub mac: String,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// Whether somebody set it up. Whether it has a carrier is [`Self::operstate`].
    pub is_up: bool,
    /// RFC 2863 state: `up`, `down`, `lowerlayerdown`, `dormant`, `unknown` (as for loopback and taps)…
    pub operstate: String,
    /// What it is a part of.
    pub master: Option<Master>,
    /// Its addresses, in order.
    pub addresses: Vec<Cidr>,
}

/// Every link of this network namespace, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    links: BTreeMap<String, Link>,
    /// Names in use by alternative names.
    altnames: BTreeMap<String, String>,
}

impl Links {
    /// Reads them all. A link that goes away while it is read is left out.
    ///
    /// Addresses and alternative names are those of this process's network namespace, wherever `paths` points.
    pub fn read(paths: &Paths) -> Result<Self, Error> {
        let root = &paths.sys_class_net;
        let failed = |source| Error::File { path: root.clone(), source };
        let mut links = BTreeMap::new();
        for entry in fs::read_dir(root).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if let Some(link) = read_link(&root.join(&name))? {
                links.insert(name, link);
            }
        }
        let master = |name: &String| {
            let target = fs::read_link(root.join(name).join("master")).ok()?;
            let master = target.file_name()?.to_string_lossy().into_owned();
            Some(match links.get(&master).map(|link: &Link| link.kind) {
                Some(Kind::Bridge) => Master::Bridge(master),
                Some(Kind::Bond) => Master::Bond(master),
                _ => Master::Other(master),
            })
        };
        let masters: Vec<Option<Master>> = links.keys().map(master).collect();
        for (link, master) in links.values_mut().zip(masters) {
            link.master = master;
        }
        for (name, address) in addresses(paths)? {
            if let Some(link) = links.get_mut(&name) {
                link.addresses.push(address);
            }
        }
        for link in links.values_mut() {
            link.addresses.sort_unstable();
        }
        let altnames = altnames::read().map_err(|source| Error::Altnames { source })?;
        Ok(links.into_iter().collect::<Self>().with_altnames(altnames))
    }

    /// The link of this name.
    pub fn get(&self, name: &str) -> Option<&Link> {
        self.links.get(name)
    }

    /// All links with their names, in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Link)> {
        self.links.iter().map(|(name, link)| (name.as_str(), link))
    }

    /// The name in use of the link that `name`, its name or one of its alternative names, stands for.
    pub fn resolve<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let used = self.altnames.get(name).map_or(name, String::as_str);
        self.links.contains_key(used).then_some(used)
    }

    /// The same, or `name` itself where there is no such link.
    pub fn in_use<'a>(&'a self, name: &'a str) -> &'a str {
        self.resolve(name).unwrap_or(name)
    }

    /// All names of the link that `name` stands for, the one in use first.
    pub fn names<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let used = self.in_use(name);
        let others = self.altnames.iter().filter(|(_, of)| *of == used).map(|(other, _)| other.as_str());
        std::iter::once(used).chain(others).collect()
    }

    /// All alternative names, each with the name in use.
    pub fn altnames(&self) -> BTreeMap<String, String> {
        self.altnames.clone()
    }

    /// The same links, with alternative names: each with the name in use.
    #[must_use]
    pub fn with_altnames(mut self, names: impl IntoIterator<Item = (String, String)>) -> Self {
        self.altnames = names.into_iter().gather();
        self
    }

    /// Whether Proxmox takes the link for a NIC: one with a device behind it, or, as a veth in a lab, one with a
    /// NIC's name. By name only, because an internal port of Open vSwitch looks like a veth.
    pub fn is_nic(&self, name: &str) -> bool {
        self.get(name).is_some_and(|link| match link.kind {
            Kind::Physical => true,
            Kind::Virtual => looks_like_a_nic(name),
            _ => false,
        })
    }
}

impl Link {
    /// Whether something answers at the other end of its cable, as far as its driver can tell.
    pub fn has_carrier(&self) -> bool {
        self.is_up && matches!(self.operstate.as_str(), "up" | "unknown")
    }
}

impl FromIterator<(String, Link)> for Links {
    fn from_iter<I: IntoIterator<Item = (String, Link)>>(links: I) -> Self {
        Self { links: links.into_iter().gather(), altnames: BTreeMap::new() }
    }
}

/// `None`: no link, or one that has just gone.
fn read_link(folder: &Path) -> Result<Option<Link>, Error> {
    let read = |attribute: &str| {
        let path = folder.join(attribute);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(_) if !folder.join("ifindex").exists() => Ok(None),
            Err(source) => Err(Error::File { path, source }),
        }
    };
    let (Some(index), Some(kind), Some(flags), Some(mtu), Some(mac), Some(operstate), Some(uevent)) = (
        read("ifindex")?,
        read("type")?,
        read("flags")?,
        read("mtu")?,
        read("address")?,
        read("operstate")?,
        read("uevent")?,
    ) else {
        return Ok(None);
    };
    let number = |attribute: &str, text: &str| {
        let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u32::from_str_radix(hex, 16));
        parsed.map_err(|_| Error::Format { path: folder.join(attribute), found: text.to_owned() })
    };
    Ok(Some(Link {
        index: number("ifindex", &index)?,
        kind: kind_of(folder, number("type", &kind)?, &uevent),
        mac,
        mtu: number("mtu", &mtu)?,
        is_up: number("flags", &flags)? & UP != 0,
        operstate,
        master: None,
        addresses: Vec::new(),
    }))
}

fn kind_of(folder: &Path, hardware: u32, uevent: &str) -> Kind {
    let has = |attribute: &str| folder.join(attribute).exists();
    let device_type = uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
    match (hardware, device_type) {
        (LOOPBACK, _) => Kind::Loopback,
        (ETHERNET, _) if has("bridge") => Kind::Bridge,
        (ETHERNET, _) if has("bonding") => Kind::Bond,
        (_, _) if has("tun_flags") => Kind::Tap,
        (ETHERNET, Some("vlan")) => Kind::Vlan,
        // `DEVTYPE=dsa` is the port of a switch chip: a NIC like any other.
        (ETHERNET, None | Some("dsa")) if has("device") => Kind::Physical,
        (ETHERNET, None) => Kind::Virtual,
        _ => Kind::Other,
    }
}

/// All but those that come and go with router advertisements.
fn addresses(paths: &Paths) -> Result<Vec<(String, Cidr)>, Error> {
    let passing = inet6::passing(paths)?;
    let failed = |error: nix::Error| Error::Addresses { source: error.into() };
    let found = nix::ifaddrs::getifaddrs().map_err(failed)?.filter_map(|entry| {
        let (address, mask) = (entry.address?, entry.netmask?);
        let cidr = if let (Some(address), Some(mask)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
            Cidr { address: address.ip().into(), prefix: ones(mask.ip().to_bits().count_ones()) }
        } else {
            let (address, mask) = (address.as_sockaddr_in6()?, mask.as_sockaddr_in6()?);
            Cidr { address: address.ip().into(), prefix: ones(Ipv6Addr::to_bits(mask.ip()).count_ones()) }
        };
        // A labelled address is listed as `eth0:1`.
        let name = entry.interface_name.split(':').next().unwrap_or_default().to_owned();
        (!passing.contains(&(name.clone(), cidr.address))).then_some((name, cidr))
    });
    Ok(found.collect())
}

fn ones(count: u32) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
