//! One interface in normal form: what its stanzas say, independent of how they are written down.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::{ADDRESS, GATEWAY, NETMASK, canonical, is_per_family};

/// The keys that name an interface's ports or members. Proxmox allows one place per port over all of them.
pub const PORTS: [&str; 4] = ["bridge_ports", "ovs_ports", "slaves", "ovs_bonds"];

/// One interface, merged over its `iface` stanzas and `auto` lines.
///
/// Two are equal if they say the same: the order of families and of different keys does not count, the order of
/// lines of one key and of comments does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stanza {
    /// The interface's name.
    pub name: String,
    /// Whether the interface is brought up at boot and by `ifreload -a`.
    pub auto: bool,
    /// One entry for each address family; the first also holds what belongs to the interface as a whole.
    pub families: Vec<Family>,
    /// The comment lines inside of the stanzas without their `#`, a leading space included.
    pub comments: Vec<String>,
}

/// What an interface's stanzas say for one address family.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Family {
    /// The address family.
    pub family: AddressFamily,
    /// `manual`, `static`, `dhcp`, …; empty where the stanza names no family.
    pub method: String,
    /// Keys and values in the file's order, repeated keys kept. Keys have the names of Proxmox's API (`mtu`, not
    /// `ovs_mtu`; `slaves`, `bridge_ports`); an address has its prefix length, and `netmask` does not occur.
    #[serde(with = "super::options_map")]
    pub options: Vec<(String, String)>,
}

/// The address family of a stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    /// `inet`.
    Inet,
    /// `inet6`.
    Inet6,
    /// An `iface NAME` line that names none: good for both.
    None,
}

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
            Self::None => "",
        })
    }
}

/// As Proxmox writes a stanza, but for the order of its keys.
impl fmt::Display for Stanza {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, auto, families, comments } = self;
        if *auto {
            writeln!(f, "auto {name}")?;
        }
        for Family { family, method, options } in families {
            writeln!(f, "{}", format!("iface {name} {family} {method}").trim_end())?;
            for (key, value) in options {
                writeln!(f, "\t{key} {value}")?;
            }
        }
        comments.iter().try_for_each(|comment| writeln!(f, "#{comment}"))
    }
}

impl PartialEq for Stanza {
    fn eq(&self, other: &Self) -> bool {
        let Self { name, auto, families, comments } = self;
        *name == other.name
            && *auto == other.auto
            && *comments == other.comments
            && families.len() == other.families.len()
            && families.iter().all(|family| self.all_of(family.family).eq(other.all_of(family.family)))
    }
}

impl Eq for Stanza {}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        let Self { family, method, options } = self;
        *family == other.family
            && *method == other.method
            && options.len() == other.options.len()
            && options.iter().all(|(key, _)| self.values(key).eq(other.values(key)))
    }
}

impl Eq for Family {}

impl Family {
    /// A family without options.
    pub fn new(family: AddressFamily, method: &str) -> Self {
        Self { family, method: method.to_owned(), options: Vec::new() }
    }

    /// Every value of a key, in order.
    pub fn get_all(&self, key: &str) -> Vec<&str> {
        self.values(canonical(key)).collect()
    }

    /// Of a key in its canonical spelling.
    fn values<'a>(&'a self, key: &str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.options.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Makes these the values of a key. What stays keeps its place; more lines of a key follow its last one.
    pub fn set_all<V: AsRef<str>>(&mut self, key: &str, values: &[V]) {
        let key = canonical(key);
        let mut values = values.iter().map(|value| value.as_ref().to_owned());
        self.options.retain_mut(|(known, value)| {
            if known != key {
                return true;
            }
            let next = values.next();
            let stays = next.is_some();
            if let Some(next) = next {
                *value = next;
            }
            stays
        });
        let place =
            self.options.iter().rposition(|(known, _)| known == key).map_or(self.options.len(), |at| at + 1);
        self.options.splice(place..place, values.map(|value| (key.to_owned(), value)));
    }

    fn has(&self, key: &str) -> bool {
        self.options.iter().any(|(known, _)| known == key)
    }
}

impl Stanza {
    /// An `auto` interface with one `inet` family and no options.
    pub fn new(name: &str, method: &str) -> Self {
        Self {
            name: name.to_owned(),
            auto: true,
            families: vec![Family::new(AddressFamily::Inet, method)],
            comments: Vec::new(),
        }
    }

    /// The entry of an address family, if it has one.
    pub fn family(&self, family: AddressFamily) -> Option<&Family> {
        self.families.iter().find(|known| known.family == family)
    }

    fn all_of(&self, family: AddressFamily) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(move |known| known.family == family)
    }

    /// The entry of an address family, if it has one, to be changed.
    pub fn family_mut(&mut self, family: AddressFamily) -> Option<&mut Family> {
        self.families.iter_mut().find(|known| known.family == family)
    }

    /// The method of the first family.
    pub fn method(&self) -> &str {
        self.families.first().map_or("", |first| first.method.as_str())
    }

    /// The value of a key in any of its spellings. Of repeated ones the last counts, as for Proxmox. What belongs to
    /// one address family (address, gateway) is looked for in the first.
    pub fn get(&self, key: &str) -> Option<&str> {
        let key = canonical(key);
        self.reach(key).iter().rev().find_map(|family| family.values(key).next_back())
    }

    /// Every value of a key that may be repeated, such as `ovs_extra`, in order.
    pub fn get_all(&self, key: &str) -> Vec<&str> {
        let key = canonical(key);
        self.reach(key).iter().flat_map(|family| family.values(key)).collect()
    }

    /// The families in which a key, in its canonical spelling, is looked for.
    fn reach(&self, key: &str) -> &[Family] {
        let reach = if is_per_family(key) { 1 } else { self.families.len() };
        self.families.get(..reach).unwrap_or_default()
    }

    /// Makes this the one value of a key, or takes the key away.
    pub fn set(&mut self, key: &str, value: Option<&str>) {
        self.set_all(key, value.as_slice());
    }

    /// Makes these the values of a key: in the family that has it, and in the first where none does.
    pub fn set_all<V: AsRef<str>>(&mut self, key: &str, values: &[V]) {
        let key = canonical(key);
        let reach = if is_per_family(key) { 1 } else { self.families.len() };
        let holder = self.families.iter().take(reach).position(|family| family.has(key)).unwrap_or(0);
        for (index, family) in self.families.iter_mut().enumerate().take(reach.max(1)) {
            family.set_all(key, if index == holder { values } else { &[] });
        }
    }

    /// The words of a key's value. Ports of a Linux bridge and slaves of a Linux bond add up over repeated lines, may
    /// stand between commas, and `none` is none of them.
    pub fn list(&self, key: &str) -> Vec<&str> {
        match canonical(key) {
            "bridge_ports" | "slaves" => self
                .get_all(key)
                .into_iter()
                .flat_map(|value| value.split([' ', '\t', ',', ';']))
                .filter(|word| !word.is_empty() && *word != "none")
                .collect(),
            _ => self.get(key).map(|value| value.split_ascii_whitespace().collect()).unwrap_or_default(),
        }
    }

    /// The MTU, where it is a number.
    pub fn mtu(&self) -> Option<u32> {
        self.get("mtu")?.parse().ok()
    }

    /// Gives the interface this MTU, or takes it away.
    pub fn set_mtu(&mut self, mtu: Option<u32>) {
        self.set("mtu", mtu.map(|mtu| mtu.to_string()).as_deref());
    }

    /// Whether one of [`PORTS`] says which ports the interface takes.
    pub fn takes_ports(&self) -> bool {
        let mut options = self.families.iter().flat_map(|family| &family.options);
        options.any(|(key, _)| PORTS.contains(&key.as_str()))
    }

    /// Makes this line the comment that the web interface shows, or with an empty text takes the comment away.
    pub fn set_comment(&mut self, text: &str) {
        self.comments = if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    }

    /// The addresses of a family with their prefix lengths, in the file's order, also under `manual` and, as for
    /// ifupdown2, in a stanza of the other family; one without any length counts as a host's, `/32` or `/128`.
    pub fn addresses(&self, family: AddressFamily) -> Vec<String> {
        let longest = if family == AddressFamily::Inet6 { 128 } else { 32 };
        self.of_version(family, ADDRESS).map(|address| with_length(address, longest)).collect()
    }

    /// The default gateway of a family; of several the last counts, as for Proxmox.
    pub fn gateway(&self, family: AddressFamily) -> Option<&str> {
        self.of_version(family, GATEWAY).last()
    }

    /// Gives the interface this one address of a family, or none, as Proxmox's API does: the method is `static` with an
    /// address and `manual` without (`dhcp` and others stay then), and IPv6 has a stanza of its own only if that says
    /// something. A gateway is not touched.
    pub fn set_address(&mut self, family: AddressFamily, address: Option<&str>) {
        self.set_of_version(family, ADDRESS, address);
        if let Some(own) = self.family_mut(family) {
            match own.method.as_str() {
                _ if address.is_some() => "static".clone_into(&mut own.method),
                "static" => "manual".clone_into(&mut own.method),
                _ => {}
            }
        }
        self.drop_idle();
    }

    /// Gives the interface this default gateway of a family, or none.
    pub fn set_gateway(&mut self, family: AddressFamily, gateway: Option<&str>) {
        self.set_of_version(family, GATEWAY, gateway);
        self.drop_idle();
    }

    /// Takes every address and gateway away, and what would get one: the method is `manual`, and there is no IPv6 stanza
    /// beside another one unless it says something else.
    pub fn remove_addresses(&mut self) {
        for family in &mut self.families {
            family.options.retain(|(key, _)| !is_per_family(canonical(key)));
            if !family.method.is_empty() {
                "manual".clone_into(&mut family.method);
            }
        }
        self.drop_idle();
    }

    fn drop_idle(&mut self) {
        let only = self.families.len() == 1;
        let is_idle = |found: &Family| {
            found.family == AddressFamily::Inet6 && found.method == "manual" && found.options.is_empty()
        };
        self.families.retain(|found| only || !is_idle(found));
    }

    fn set_of_version(&mut self, family: AddressFamily, key: &str, value: Option<&str>) {
        if value.is_some() && self.family(family).is_none() {
            self.families.push(Family::new(family, "manual"));
        }
        for found in &mut self.families {
            let mut value = value.filter(|_| found.family == family);
            let mut values = Vec::new();
            for old in found.get_all(key) {
                if is_of(family, old) {
                    values.extend(value.take());
                } else {
                    values.push(old);
                }
            }
            values.extend(value);
            let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
            found.set_all(key, &values);
        }
    }

    /// The same stanza with canonical keys, folded netmasks and no white space at the ends.
    pub(super) fn normalised(&self) -> Self {
        let mut normal = self.clone();
        for family in &mut normal.families {
            for (key, value) in &mut family.options {
                *key = canonical(key).to_owned();
                *value = value.trim_ascii().to_owned();
            }
            fold_netmask(&mut family.options);
        }
        for comment in &mut normal.comments {
            comment.truncate(comment.trim_ascii_end().len());
        }
        normal
    }

    fn of_version(&self, family: AddressFamily, key: &str) -> impl Iterator<Item = &str> {
        let values = self.families.iter().flat_map(move |found| found.values(key));
        values.filter(move |value| is_of(family, value))
    }
}

/// Whether an address is one of this family: `iface NAME` without a family, and ifupdown2 in any stanza, take both.
fn is_of(family: AddressFamily, address: &str) -> bool {
    address.contains(':') == (family == AddressFamily::Inet6)
}

/// Moves the prefix length from a `netmask` option to the addresses that have none, as Proxmox's writer does, and
/// drops the option. Leaves both as they are, and says so, if there is nothing to move or the mask is no mask.
pub(super) fn fold_netmask(options: &mut Vec<(String, String)>) -> bool {
    let length = options.iter().rfind(|(key, _)| key == NETMASK).and_then(|(_, mask)| prefix_length(mask));
    let Some(length) = length else { return false };
    if !options.iter().any(|(key, _)| key == ADDRESS) {
        return false;
    }
    options.retain(|(key, _)| key != NETMASK);
    for (_, address) in options.iter_mut().filter(|(key, value)| key == ADDRESS && !value.contains('/')) {
        *address = format!("{address}/{length}");
    }
    true
}

fn prefix_length(mask: &str) -> Option<u32> {
    if let Ok(length) = mask.parse::<u32>() {
        return (length <= 128).then_some(length);
    }
    let bits = u32::from(mask.parse::<std::net::Ipv4Addr>().ok()?);
    (bits.leading_ones() + bits.trailing_zeros() == 32).then_some(bits.leading_ones())
}

/// `length` is that of an address without any; a mask behind the slash is brought to its length.
fn with_length(address: &str, length: u8) -> String {
    match address.split_once('/') {
        None => format!("{address}/{length}"),
        Some((host, mask)) => {
            prefix_length(mask).map_or_else(|| address.to_owned(), |length| format!("{host}/{length}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_makes_the_method_and_the_ipv6_stanza() {
        let mut stanza = Stanza::new("mgmt", "manual");
        stanza.set_address(AddressFamily::Inet, Some("10.0.0.2/24"));
        stanza.set_address(AddressFamily::Inet6, Some("fd00::2/64"));
        stanza.set_gateway(AddressFamily::Inet6, Some("fd00::1"));
        assert_eq!(
            (stanza.method(), stanza.addresses(AddressFamily::Inet)),
            ("static", vec!["10.0.0.2/24".to_owned()])
        );
        assert_eq!(stanza.addresses(AddressFamily::Inet6), ["fd00::2/64"]);
        assert_eq!(stanza.gateway(AddressFamily::Inet6), Some("fd00::1"));
        assert_eq!(stanza.gateway(AddressFamily::Inet), None);
        stanza.set_gateway(AddressFamily::Inet6, None);
        stanza.set_address(AddressFamily::Inet6, None);
        stanza.set_address(AddressFamily::Inet, None);
        assert_eq!(stanza, Stanza::new("mgmt", "manual"));
    }

    #[test]
    fn an_address_moves_out_of_a_stanza_for_both_families() {
        let mut stanza = Stanza::new("mgmt", "manual");
        let mut shared = Family::new(AddressFamily::None, "");
        shared.set_all("address", &["10.0.0.2/24", "fd00::2/64"]);
        stanza.families = vec![shared];
        assert_eq!(stanza.addresses(AddressFamily::Inet6), ["fd00::2/64"]);
        stanza.set_address(AddressFamily::Inet, Some("10.0.0.3/24"));
        assert_eq!(stanza.addresses(AddressFamily::Inet), ["10.0.0.3/24"]);
        assert_eq!(stanza.addresses(AddressFamily::Inet6), ["fd00::2/64"]);
    }

    #[test]
    fn one_address_takes_the_place_of_all_of_its_family_and_of_no_other() {
        let mut stanza = Stanza::new("mgmt", "static");
        stanza.set_all("address", &["10.0.0.2/24", "fd00::2/64", "10.0.0.3/24"]);
        assert_eq!(stanza.addresses(AddressFamily::Inet), ["10.0.0.2/24", "10.0.0.3/24"]);
        stanza.set_address(AddressFamily::Inet, Some("10.0.0.4/24"));
        assert_eq!(stanza.get_all("address"), ["10.0.0.4/24", "fd00::2/64"]);
        stanza.set_address(AddressFamily::Inet6, None);
        assert_eq!(stanza.addresses(AddressFamily::Inet), ["10.0.0.4/24"]);
        assert_eq!(stanza.addresses(AddressFamily::Inet6), [""; 0]);
    }

    #[test]
    fn a_netmask_becomes_the_length_of_the_address() {
        let folded = |mask: &str| {
            let mut options =
                vec![(ADDRESS.to_owned(), "10.0.0.2".to_owned()), (NETMASK.to_owned(), mask.to_owned())];
            fold_netmask(&mut options).then(|| options.remove(0).1)
        };
        assert_eq!(folded("255.255.255.128").as_deref(), Some("10.0.0.2/25"));
        assert_eq!(folded("24").as_deref(), Some("10.0.0.2/24"));
        assert_eq!(folded("255.0.255.0"), None);
        assert_eq!(folded("129"), None);
    }

    #[test]
    fn lists_are_read_as_proxmox_reads_them() {
        let mut stanza = Stanza::new("vmbr0", "manual");
        stanza.set_all("bridge-ports", &["none", "eno1,eno2", "eno3"]);
        assert_eq!(stanza.list("bridge_ports"), ["eno1", "eno2", "eno3"]);
        stanza.set_all("ovs_ports", &["bond0", " mgmt  storage"]);
        assert_eq!(stanza.list("ovs_ports"), ["mgmt", "storage"]);
    }
}
