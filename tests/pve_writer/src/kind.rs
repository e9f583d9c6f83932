//! What Proxmox takes an interface for, once the whole file is read.

use crate::model::Interface;

/// A type of interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "Proxmox's own names")]
pub enum Kind {
    Loopback,
    Dummy,
    Eth,
    OvsPort,
    OvsIntPort,
    OvsBond,
    Bond,
    Bridge,
    OvsBridge,
    Vlan,
    Vxlan,
    Alias,
    Unknown,
}

impl Kind {
    /// The first rule that fits.
    pub(crate) fn of(name: &str, interface: &Interface, is_physical: bool) -> Self {
        let ovs = interface.get("ovs_type");
        let or_unknown = |fits: bool, kind: Self| if fits { kind } else { Self::Unknown };
        if interface.settings.contains_key("bridge_ports") {
            Self::Bridge
        } else if ovs == Some("OVSBridge") {
            Self::OvsBridge
        } else if numbered(name, "bond").is_some() {
            if ovs.is_none() { Self::Bond } else { or_unknown(ovs == Some("OVSBond"), Self::OvsBond) }
        } else if parent(name, ':').is_some() {
            Self::Alias
        } else if parent(name, '.').is_some() || interface.get("vlan-raw-device").is_some() {
            Self::Vlan
        } else if is_physical || is_named_like_a_nic(name) {
            if ovs.is_none() { Self::Eth } else { or_unknown(ovs == Some("OVSPort"), Self::OvsPort) }
        } else if name == "lo" {
            Self::Loopback
        } else if interface.get("vxlan-id").is_some() {
            Self::Vxlan
        } else if ovs.is_some() {
            or_unknown(ovs == Some("OVSIntPort"), Self::OvsIntPort)
        } else {
            or_unknown(interface.get("link-type") == Some("dummy"), Self::Dummy)
        }
    }

    /// Whether it is a port of an OVS bridge.
    pub(crate) fn is_ovs_port(self) -> bool {
        matches!(self, Self::OvsPort | Self::OvsIntPort | Self::OvsBond)
    }

    /// Where its like stand in the file; `None` where only the place in the file counts.
    pub(crate) fn group(self) -> Option<u32> {
        match self {
            Self::Loopback | Self::Dummy => Some(100_000),
            Self::Eth | Self::OvsPort => Some(200_000),
            Self::OvsIntPort => Some(300_000),
            Self::OvsBond | Self::Bond => Some(400_000),
            Self::Bridge | Self::OvsBridge => Some(500_000),
            Self::Vlan | Self::Vxlan => Some(600_000),
            Self::Alias | Self::Unknown => None,
        }
    }

    /// As it is named in the file and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Dummy => "dummy",
            Self::Eth => "eth",
            Self::OvsPort => "OVSPort",
            Self::OvsIntPort => "OVSIntPort",
            Self::OvsBond => "OVSBond",
            Self::Bond => "bond",
            Self::Bridge => "bridge",
            Self::OvsBridge => "OVSBridge",
            Self::Vlan => "vlan",
            Self::Vxlan => "vxlan",
            Self::Alias => "alias",
            Self::Unknown => "unknown",
        }
    }
}

/// The number after a prefix that is the whole rest of the name.
pub(crate) fn numbered<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix).filter(|rest| is_number(rest))
}

/// What stands before the mark and a number, such as `eno1` of `eno1.5`.
pub(crate) fn parent(name: &str, mark: char) -> Option<(&str, &str)> {
    name.rsplit_once(mark).filter(|(parent, number)| !parent.is_empty() && is_number(number))
}

fn is_named_like_a_nic(name: &str) -> bool {
    let followed = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && !rest.contains([':', '.']))
    };
    ["eth", "nic", "if"].iter().any(|prefix| numbered(name, prefix).is_some())
        || followed("en")
        || followed("ib")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
