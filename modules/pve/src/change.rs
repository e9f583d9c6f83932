//! One difference between two states: what it is, in which store, and the sentence that tells it.

use std::fmt;

use ansible_module::sentence::{Properties, tell};

use crate::interfaces::Stanza;
use crate::linux_bridge::LinuxBridge;
use crate::live::{Bridge, Port};
use crate::state::{File, FileStore, Link, Ovsdb, State};

/// A difference. `from` is what is found, `to` what is wanted; `None` is an object that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a plan holds a handful of them")]
pub enum Change {
    /// A stanza of the interfaces file.
    Stanza {
        /// Which file.
        store: FileStore,
        /// The interface.
        name: String,
        /// As it is.
        from: Option<Stanza>,
        /// As it shall be.
        to: Option<Stanza>,
    },
    /// A port in a bridge's `ovs_ports` line.
    Listing {
        /// Which file.
        store: FileStore,
        /// The bridge.
        bridge: String,
        /// The port.
        port: String,
        /// Whether it shall be named there.
        listed: bool,
    },
    /// The file in which changes wait: it is there, and shall not be.
    Staged,
    /// A bridge of the kernel, which gives way to one in Open vSwitch of the same name.
    LinuxBridge {
        /// Its name.
        name: String,
        /// As it is.
        from: Option<LinuxBridge>,
        /// As it shall be.
        to: Option<LinuxBridge>,
    },
    /// A bridge in Open vSwitch.
    Bridge {
        /// Its name.
        name: String,
        /// As it is.
        from: Option<Bridge>,
        /// As it shall be.
        to: Option<Bridge>,
    },
    /// A port in Open vSwitch.
    Port {
        /// Its name.
        name: String,
        /// As it is.
        from: Option<Port>,
        /// As it shall be.
        to: Option<Port>,
    },
    /// A link of the kernel.
    Link {
        /// Its name.
        name: String,
        /// As it is.
        from: Link,
        /// As it shall be.
        to: Link,
    },
}

impl Change {
    /// Whether it is one of the interfaces file; all others are of what is live.
    pub fn is_in_file(&self) -> bool {
        matches!(self, Self::Stanza { .. } | Self::Listing { .. } | Self::Staged)
    }
}

/// What leads from `found` to `wanted`, which list the same objects: file first, then Linux bridges that
/// go, then Open vSwitch, then kernel.
pub fn changes(found: &State, wanted: &State) -> Vec<Change> {
    let State {
        file: File { store, waits, stanzas, ovs_ports },
        ovsdb: Ovsdb { bridges, ports },
        kernel,
        linux_bridges,
    } = wanted;
    let store = *store;
    let mut changes = Vec::new();
    if *waits == Some(false) && found.file.waits == Some(true) {
        changes.push(Change::Staged);
    }
    for (name, to) in stanzas {
        let from = found.file.stanzas.get(name).cloned().flatten();
        if from != *to {
            changes.push(Change::Stanza { store, name: name.clone(), from, to: to.clone() });
        }
    }
    for (bridge, wanted) in ovs_ports {
        for (port, listed) in wanted {
            let is =
                found.file.ovs_ports.get(bridge).and_then(|ports| ports.get(port)).copied().unwrap_or(false);
            if is != *listed {
                changes.push(Change::Listing {
                    store,
                    bridge: bridge.clone(),
                    port: port.clone(),
                    listed: *listed,
                });
            }
        }
    }
    for (name, to) in linux_bridges {
        let from = found.linux_bridges.get(name).cloned().flatten();
        let is_same = match (&from, to) {
            (Some(from), Some(to)) => from.is_like(to),
            (from, to) => from.is_none() && to.is_none(),
        };
        if !is_same {
            changes.push(Change::LinuxBridge { name: name.clone(), from, to: to.clone() });
        }
    }
    for (name, to) in bridges {
        let from = found.ovsdb.bridges.get(name).cloned().flatten();
        if from != *to {
            changes.push(Change::Bridge { name: name.clone(), from, to: to.clone() });
        }
    }
    for (name, to) in ports {
        let from = found.ovsdb.ports.get(name).cloned().flatten();
        if from != *to {
            changes.push(Change::Port { name: name.clone(), from, to: to.clone() });
        }
    }
    for (name, to) in kernel {
        let from = found.kernel.get(name).cloned().unwrap_or_default();
        if from != *to {
            changes.push(Change::Link { name: name.clone(), from, to: to.clone() });
        }
    }
    changes
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staged => {
                f.write_str("staged interfaces file: remove, none of its changes waits any longer")
            }
            Self::Stanza { store, name, from, to } => {
                let from = from.as_ref().map(stanza_properties);
                let to = to.as_ref().map(stanza_properties);
                tell(f, store.name(), name, from, to)
            }
            Self::Listing { store, bridge, port, listed: true } => {
                write!(f, "{}: name {port} in ovs_ports of {bridge}", store.name())
            }
            Self::Listing { store, bridge, port, listed: false } => {
                write!(f, "{}: take {port} out of ovs_ports of {bridge}", store.name())
            }
            Self::LinuxBridge { name, from, to } => {
                let from = from.as_ref().map(LinuxBridge::properties);
                let to = to.as_ref().map(LinuxBridge::properties);
                tell(f, "kernel", &format!("Linux bridge {name}"), from, to)
            }
            Self::Bridge { name, from, to } => {
                let from = from.as_ref().map(Bridge::properties);
                let to = to.as_ref().map(Bridge::properties);
                tell(f, "Open vSwitch", &format!("bridge {name}"), from, to)
            }
            Self::Port { name, from, to } => {
                let from = from.as_ref().map(Port::properties);
                let to = to.as_ref().map(Port::properties);
                tell(f, "Open vSwitch", &format!("port {name}"), from, to)
            }
            Self::Link { name, from, to } => {
                tell(f, "kernel", &format!("link {name}"), Some(from.properties()), Some(to.properties()))
            }
        }
    }
}

fn stanza_properties(stanza: &Stanza) -> Properties {
    let mut properties = vec![("auto".to_owned(), if stanza.auto { "yes" } else { "" }.to_owned())];
    for (index, family) in stanza.families.iter().enumerate() {
        let name = family.family.to_string();
        properties.push((name.clone(), family.method.clone()));
        for (key, _) in &family.options {
            let value = family.get_all(key).join(", ");
            let key = if index == 0 { key.clone() } else { format!("{name} {key}") };
            if !properties.iter().any(|(known, _)| *known == key) {
                properties.push((key, value));
            }
        }
    }
    properties.push(("comment".to_owned(), stanza.comments.join(" ")));
    properties
}
