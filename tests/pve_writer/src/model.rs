//! What Proxmox keeps in memory of an interfaces file. Reads and writes nothing.

use std::collections::BTreeMap;

use crate::kind::Kind;

/// A file as Proxmox understood it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// By name.
    pub interfaces: BTreeMap<String, Interface>,
    /// Lines that it keeps without understanding them, each with its place among the interfaces.
    pub lines: Vec<(u32, String)>,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// What it is taken for; `None` for one that only others name.
    pub kind: Option<Kind>,
    /// Whether an `auto` line or one of its like names it.
    pub autostart: bool,
    /// The place of its first stanza among all stanzas and kept lines; `None` where it has none.
    pub priority: Option<u32>,
    /// A stanza is written for each; `None` for one that names no family.
    pub families: Vec<Option<Family>>,
    /// What IPv4 has of its own, and stanzas that name no family.
    pub inet: Address,
    /// What IPv6 has of its own.
    pub inet6: Address,
    /// Known keys under the name that Proxmox has for them, such as `mtu` for `ovs_mtu`.
    pub settings: BTreeMap<String, String>,
    /// The values of `vxlan-remoteip`.
    pub remote_ips: Vec<String>,
    /// The comment, a line each.
    pub comments: Vec<String>,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

/// What an interface has by address family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// `static`, `manual`, …
    pub method: Option<String>,
    /// Without its length, if it has one.
    pub address: Option<String>,
    /// The length, or a mask that is none.
    pub netmask: Option<String>,
    /// The default gateway.
    pub gateway: Option<String>,
    /// Lines with keys that Proxmox does not know, as they stand.
    pub options: Vec<String>,
    /// While the file is read; then they are the interface's.
    pub(crate) comments: Vec<String>,
}

impl Interface {
    /// What belongs to a family. A stanza that names none counts as IPv4's.
    pub fn of(&self, family: Option<Family>) -> &Address {
        match family {
            Some(Family::Inet6) => &self.inet6,
            _ => &self.inet,
        }
    }

    pub(crate) fn of_mut(&mut self, family: Option<Family>) -> &mut Address {
        match family {
            Some(Family::Inet6) => &mut self.inet6,
            _ => &mut self.inet,
        }
    }

    /// A setting that says something: neither missing nor empty nor `0`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str).filter(|value| !matches!(*value, "" | "0"))
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.settings.insert(key.to_owned(), value.to_owned());
    }

    /// The words of a setting, between spaces.
    pub fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        self.get(key).unwrap_or_default().split_whitespace()
    }
}
