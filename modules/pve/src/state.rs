//! The normal form of what a task looks after, in its three stores: the interfaces file, Open vSwitch, the kernel.
//! Only what is listed is compared; everything else belongs to others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use ansible_module::converge;
use ansible_module::diff::Described;
use ansible_module::gather::Gather as _;
use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize};

use crate::interfaces::{Interfaces, Stanza};
use crate::kernel::{self, Master};
use crate::linux_bridge::{LinuxBridge, is_guest_port};
use crate::live::{Bridge, Port};
use crate::picture::{self, Picture};

/// The objects of a task, as they are or as they shall be. `None` is an object that does not exist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What the interfaces file says.
    pub file: File,
    /// What Open vSwitch does.
    pub ovsdb: Ovsdb,
    /// What the kernel has, by link.
    pub kernel: BTreeMap<String, Link>,
    /// The kernel's bridges by name, where one gives way to an OVSBridge.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub linux_bridges: BTreeMap<String, Option<LinuxBridge>>,
}

/// The part of the interfaces file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Which of the two it is.
    pub store: FileStore,
    /// Whether staged changes wait beside the file; `None` where they are no matter of the task.
    pub waits: Option<bool>,
    /// Stanzas by interface.
    pub stanzas: BTreeMap<String, Option<Stanza>>,
    /// By bridge and port: whether the bridge's `ovs_ports` line names the port.
    pub ovs_ports: BTreeMap<String, BTreeMap<String, bool>>,
}

/// Which of the two interfaces files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileStore {
    /// The one that ifupdown2 reads.
    #[default]
    Running,
    /// The one in which changes wait.
    Staged,
}

impl FileStore {
    /// As people are told of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "interfaces file",
            Self::Staged => "staged interfaces file",
        }
    }
}

/// The part of the Open vSwitch database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ovsdb {
    /// Bridges by name.
    pub bridges: BTreeMap<String, Option<Bridge>>,
    /// Ports by name.
    pub ports: BTreeMap<String, Option<Port>>,
}

/// A link of the kernel. Addresses and gateways that are not named here are not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whether it exists.
    pub present: bool,
    /// Whether it is administratively up; `None` where that is not ours.
    pub up: Option<bool>,
    /// The Linux bridge or bond that has it, empty for none; `None` where that is not ours.
    #[serde(default)]
    pub master: Option<String>,
    /// Its MAC address in lower case; `None` where that is not ours.
    #[serde(default)]
    pub mac: Option<String>,
    /// Addresses with prefix length: whether the link has them.
    pub addresses: BTreeMap<String, bool>,
    /// Gateways: whether a default route leads to them through the link.
    pub gateways: BTreeMap<String, bool>,
    /// MTU; `None` where that is not ours.
    pub mtu: Option<u32>,
}

impl State {
    /// The same objects as in `like`, as they are in `picture`.
    pub fn found(picture: &Picture, like: &Self) -> Self {
        let Self {
            file: File { store, waits, stanzas, ovs_ports },
            ovsdb: Ovsdb { bridges, ports },
            kernel,
            linux_bridges,
        } = like;
        let mut found = Self::default();
        found.file.store = *store;
        found.file.waits = waits.map(|_| picture.staged.is_some());
        let file = picture.written();
        for name in stanzas.keys() {
            found.file.stanzas.insert(name.clone(), picture::declared(file, name));
        }
        for (bridge, wanted) in ovs_ports {
            found.file.ovs_ports.insert(bridge.clone(), listing(file, bridge, wanted.keys()));
        }
        for (name, like) in bridges {
            found.ovsdb.bridges.insert(name.clone(), Bridge::found(&picture.ovs, name, like.as_ref()));
        }
        for name in ports.keys() {
            let port = Port::found(&picture.ovs, name).map(|port| port.with_names_in_use(&picture.links));
            found.ovsdb.ports.insert(name.clone(), port);
        }
        for (name, like) in kernel {
            found.kernel.insert(name.clone(), Link::found(picture, name, like));
        }
        for name in linux_bridges.keys() {
            found.linux_bridges.insert(name.clone(), picture.linux_bridges.get(name).cloned());
        }
        found
    }
}

impl State {
    /// The same without guests' ports of which `exists` says that there is no such link any more: who started a guest may
    /// have stopped it since.
    #[must_use]
    pub fn without_gone_guests(mut self, exists: impl Fn(&str) -> bool) -> Self {
        let is_gone = |name: &str| is_guest_port(name) && !exists(name);
        self.ovsdb.ports.retain(|name, port| port.is_none() || !is_gone(name));
        for bridge in self.linux_bridges.values_mut().flatten() {
            bridge.ports.retain(|name, _| !is_gone(name));
        }
        self
    }
}

impl Link {
    fn found(picture: &Picture, name: &str, like: &Self) -> Self {
        let link = picture.links.get(name);
        let addresses: BTreeSet<String> =
            link.map(|link| link.addresses.iter().map(ToString::to_string).gather()).unwrap_or_default();
        let has_gateway = |gateway: &str| {
            picture.routes.iter().any(|route| {
                route.link == name && route.gateway.is_some_and(|found| found.to_string() == gateway)
            })
        };
        Self {
            present: link.is_some(),
            up: like.up.map(|_| link.is_some_and(|link| link.is_up)),
            master: like.master.as_ref().map(|_| link.and_then(linux_master).unwrap_or_default().to_owned()),
            mac: like.mac.as_ref().map(|_| link.map(|link| link.mac.clone()).unwrap_or_default()),
            addresses: like.addresses.keys().map(|cidr| (cidr.clone(), addresses.contains(cidr))).gather(),
            gateways: like.gateways.keys().map(|gateway| (gateway.clone(), has_gateway(gateway))).gather(),
            mtu: like.mtu.and(link.map(|link| link.mtu)),
        }
    }
}

impl Link {
    /// What it is told in; empty where it does not exist.
    pub fn properties(&self) -> Properties {
        let Self { present, up, master, mac, addresses, gateways, mtu } = self;
        let those = |map: &BTreeMap<String, bool>| {
            map.iter().filter(|(_, is)| **is).map(|(value, _)| value.as_str()).collect::<Vec<_>>().join(" ")
        };
        let state = match (present, up) {
            (false, _) => "",
            (true, None) => "present",
            (true, Some(false)) => "down",
            (true, Some(true)) => "up",
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        [
            ("state", state.to_owned()),
            ("master", text(master)),
            ("mac", text(mac)),
            ("address", those(addresses)),
            ("default route via", those(gateways)),
            ("mtu", mtu.map(|mtu| mtu.to_string()).unwrap_or_default()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The Linux bridge or bond that has the link.
fn linux_master(link: &kernel::Link) -> Option<&str> {
    match link.master.as_ref()? {
        Master::Bridge(name) | Master::Bond(name) => Some(name),
        Master::Other(_) => None,
    }
}

impl converge::State for State {
    fn describe(&self) -> Vec<Described> {
        let Self {
            file: File { store, waits: _, stanzas, ovs_ports },
            ovsdb: Ovsdb { bridges, ports },
            kernel,
            linux_bridges,
        } = self;
        let file = store.name();
        let mut objects = Vec::new();
        let mut object = |name: String, text: String| objects.push(Described { name, text });
        for (name, stanza) in stanzas {
            object(
                format!("{name} in the {file}"),
                stanza.as_ref().map(ToString::to_string).unwrap_or_default(),
            );
        }
        for (bridge, ports) in ovs_ports {
            let listed = ports.iter().filter(|(_, listed)| **listed);
            object(
                format!("ovs_ports of {bridge} in the {file}"),
                lines(listed.map(|(port, _)| port.clone())),
            );
        }
        for (name, bridge) in bridges {
            object(
                format!("bridge {name} in Open vSwitch"),
                bridge.as_ref().map(|bridge| properties(&bridge.properties())).unwrap_or_default(),
            );
        }
        for (name, port) in ports {
            object(
                format!("port {name} in Open vSwitch"),
                port.as_ref().map(|port| properties(&port.properties())).unwrap_or_default(),
            );
        }
        for (name, bridge) in linux_bridges {
            object(
                format!("Linux bridge {name}"),
                bridge.as_ref().map(|bridge| properties(&bridge.properties())).unwrap_or_default(),
            );
        }
        for (name, link) in kernel {
            object(format!("link {name}"), properties(&link.properties()));
        }
        objects
    }
}

/// Which of `ports` the bridge's `ovs_ports` line names.
pub(crate) fn listing<'a>(
    file: &Interfaces,
    bridge: &str,
    ports: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, bool> {
    let listed = file.get(bridge).map(|stanza| stanza.list("ovs_ports")).unwrap_or_default();
    ports.map(|port| (port.clone(), listed.contains(&port.as_str()))).gather()
}

fn lines(items: impl Iterator<Item = String>) -> String {
    items.fold(String::new(), |mut text, item| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{item}");
        text
    })
}

fn properties(properties: &Properties) -> String {
    lines(
        properties
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name} {value}")),
    )
}
