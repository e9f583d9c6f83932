//! What Proxmox takes an interface for, from its name and its stanza. The kernel is asked through a closure only.

use std::fmt;

use serde::Serialize;

use super::stanza::Stanza;

/// The type of an interface by Proxmox's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `lo`.
    Loopback,
    /// A physical NIC that is no OVS port of its own.
    Eth,
    /// A physical NIC with `ovs_type OVSPort`.
    OvsPort,
    /// `ovs_type OVSIntPort` under a name that is neither a NIC's nor a bond's.
    OvsIntPort,
    /// `bondN` with `ovs_type OVSBond`.
    OvsBond,
    /// `bondN` without `ovs_type`.
    LinuxBond,
    /// Anything with `bridge_ports`, be it `none`.
    LinuxBridge,
    /// `ovs_type OVSBridge`, whatever the name.
    OvsBridge,
    /// `NAME.N`, or anything with `vlan-raw-device`.
    Vlan,
    /// Anything else with `vxlan-id`.
    Vxlan,
    /// `NAME:N`.
    Alias,
    /// `link-type dummy`.
    Dummy,
    /// Proxmox cannot place it. As a port of an OVS bridge it makes every later change in the UI fail.
    Unknown,
}

impl Kind {
    /// Whether the interface is a port of an OVSBridge, declared by its own stanza.
    pub fn is_ovs_port(self) -> bool {
        matches!(self, Self::OvsBond | Self::OvsIntPort | Self::OvsPort)
    }

    /// Whether Open vSwitch makes or carries the interface.
    pub fn is_ovs(self) -> bool {
        self == Self::OvsBridge || self.is_ovs_port()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "the loopback interface",
            Self::Eth => "a NIC",
            Self::OvsPort => "an OVSPort",
            Self::OvsIntPort => "an OVSIntPort",
            Self::OvsBond => "an OVSBond",
            Self::LinuxBond => "a Linux bond",
            Self::LinuxBridge => "a Linux bridge",
            Self::OvsBridge => "an OVSBridge",
            Self::Vlan => "a VLAN interface",
            Self::Vxlan => "a VXLAN interface",
            Self::Alias => "an alias",
            Self::Dummy => "a dummy interface",
            Self::Unknown => "an interface of a type that Proxmox does not know",
        })
    }
}

/// The type that Proxmox gives an interface; `is_physical` says whether the kernel has a physical link of a name.
pub fn classify(stanza: &Stanza, is_physical: &dyn Fn(&str) -> bool) -> Kind {
    let name = stanza.name.as_str();
    let ovs_type = stanza.get("ovs_type");
    if stanza.get("bridge_ports").is_some() {
        Kind::LinuxBridge
    } else if ovs_type == Some("OVSBridge") {
        Kind::OvsBridge
    } else if is_numbered(name, "bond") {
        match ovs_type {
            None => Kind::LinuxBond,
            Some("OVSBond") => Kind::OvsBond,
            Some(_) => Kind::Unknown,
        }
    } else if has_number_after(name, ':') {
        Kind::Alias
    } else if has_number_after(name, '.') || stanza.get("vlan-raw-device").is_some() {
        Kind::Vlan
    } else if is_physical(name) || looks_like_a_nic(name) {
        match ovs_type {
            None => Kind::Eth,
            Some("OVSPort") => Kind::OvsPort,
            Some(_) => Kind::Unknown,
        }
    } else if name == "lo" {
        Kind::Loopback
    } else if stanza.get("vxlan-id").is_some() {
        Kind::Vxlan
    } else {
        match ovs_type {
            Some("OVSIntPort") => Kind::OvsIntPort,
            None if stanza.get("link-type") == Some("dummy") => Kind::Dummy,
            _ => Kind::Unknown,
        }
    }
}

/// Whether Proxmox takes the name for a NIC's without asking the kernel: `ethN`, `en…`, `ib…`, `nicN`, `ifN`.
pub fn looks_like_a_nic(name: &str) -> bool {
    let any_tail = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|tail| !tail.is_empty() && !tail.contains([':', '.']))
    };
    any_tail("en") || any_tail("ib") || ["eth", "nic", "if"].iter().any(|prefix| is_numbered(name, prefix))
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(is_number)
}

fn has_number_after(name: &str, mark: char) -> bool {
    name.rsplit_once(mark).is_some_and(|(base, number)| !base.is_empty() && is_number(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, options: &[(&str, &str)]) -> Kind {
        let mut stanza = Stanza::new(name, "manual");
        for (key, value) in options {
            stanza.set(key, Some(value));
        }
        classify(&stanza, &|link| link == "lan1")
    }

    #[test]
    fn names_like_a_nic_are_taken_for_one() {
        for name in ["eth0", "ens20f0np0", "enp3s0", "ibp1", "nic12", "if3", "enx001b21aabbcc"] {
            assert!(looks_like_a_nic(name), "{name}");
        }
        for name in ["eth", "ethx", "en", "en0.5", "eno1:2", "nic", "nic1a", "mgmt", "xeth0", "lan1"] {
            assert!(!looks_like_a_nic(name), "{name}");
        }
    }

    #[test]
    fn kinds_follow_the_order_of_proxmox_rules() {
        assert_eq!(kind("vmbr0", &[("bridge-ports", "none"), ("ovs_type", "OVSBridge")]), Kind::LinuxBridge);
        assert_eq!(kind("anything", &[("ovs_type", "OVSBridge")]), Kind::OvsBridge);
        assert_eq!(kind("bond0", &[]), Kind::LinuxBond);
        assert_eq!(kind("bond0", &[("ovs_type", "OVSBond")]), Kind::OvsBond);
        assert_eq!(kind("bond0", &[("ovs_type", "OVSIntPort")]), Kind::Unknown);
        assert_eq!(kind("uplink", &[("ovs_type", "OVSBond")]), Kind::Unknown);
        assert_eq!(kind("eth0:1", &[]), Kind::Alias);
        assert_eq!(kind("bond0.10", &[]), Kind::Vlan);
        assert_eq!(kind("storage", &[("vlan-raw-device", "bond0")]), Kind::Vlan);
        assert_eq!(kind("lan1", &[]), Kind::Eth);
        assert_eq!(kind("lan2", &[]), Kind::Unknown);
        assert_eq!(kind("eno1", &[("ovs_type", "OVSPort")]), Kind::OvsPort);
        assert_eq!(kind("eno1", &[("ovs_type", "OVSIntPort")]), Kind::Unknown);
        assert_eq!(kind("mgmt", &[("ovs_type", "OVSIntPort")]), Kind::OvsIntPort);
        assert_eq!(kind("tunnel", &[("ovs_type", "OVSTunnel")]), Kind::Unknown);
        assert_eq!(kind("v1", &[("vxlan-id", "1")]), Kind::Vxlan);
        assert_eq!(kind("d0", &[("link-type", "dummy")]), Kind::Dummy);
        assert_eq!(kind("lo", &[]), Kind::Loopback);
    }
}
