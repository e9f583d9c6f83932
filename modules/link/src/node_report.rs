//! What `pve_ovs_info` says of a node, as far as a link needs it. Keys that are not known here are passed over.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::fault::Fault;
use serde::Deserialize;
use serde_json::Value;
use vlan::VlanSet;

use crate::wire::{BondVlans, VlanMode};

/// A node.
#[derive(Debug, Deserialize)]
pub struct NodeReport {
    /// Its Open vSwitch bridges by name.
    pub bridges: BTreeMap<String, Bridge>,
    /// Its bonds by name.
    pub bonds: BTreeMap<String, Bond>,
    /// Its `IntPort`s by name.
    pub intports: BTreeMap<String, IntPort>,
}

/// A bridge that is live.
#[derive(Debug, Deserialize)]
pub struct Bridge {
    /// Whether the interfaces file has it too.
    pub configured: bool,
}

/// A bond that is live.
#[derive(Debug, Deserialize)]
pub struct Bond {
    /// Whether the interfaces file has it too.
    pub configured: bool,
    /// Its bridge.
    pub bridge: String,
    /// In the names of the Proxmox API.
    pub mode: String,
    /// `active`, `passive` or `off`.
    pub lacp: String,
    /// `fast` or `slow`.
    pub lacp_time: String,
    tag: Option<u16>,
    #[serde(default)]
    trunks: BTreeSet<u16>,
    vlan_mode: Option<VlanMode>,
    /// Whether every member has a current partner and may carry traffic.
    pub negotiated: bool,
    /// Its NICs by name.
    pub members: BTreeMap<String, Member>,
}

/// A NIC in a bond.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "as the node tells them, each by itself")]
pub struct Member {
    /// Whether it has a carrier.
    pub link: bool,
    /// `None` where the kernel has no such NIC.
    pub mtu: Option<u32>,
    /// Whether it may carry traffic.
    pub enabled: bool,
    current: bool,
    /// Whether its partner is the one of the whole bond.
    pub attached: bool,
    /// What the node says over it.
    pub actor: Option<LacpPort>,
    partner: Option<LacpPort>,
}

/// One end of LACP on a cable, in the terms of IEEE 802.1AX.
#[derive(Debug, Deserialize)]
pub struct LacpPort {
    /// The MAC address of its system.
    pub system_id: Option<String>,
    /// Which aggregation it takes part in.
    pub key: Option<u32>,
    /// Its number in its system.
    pub port_id: Option<u32>,
    /// The bits that are set.
    #[serde(default)]
    pub state: Vec<String>,
}

/// An interface of the node on a bridge, live.
#[derive(Debug, Deserialize)]
pub struct IntPort {
    /// Whether the interfaces file has it too.
    pub configured: bool,
    /// Its bridge.
    pub bridge: String,
    /// Its VLAN.
    pub tag: Option<u16>,
    /// `None` where the kernel does not have it.
    pub mtu: Option<u32>,
    /// Whether it is up.
    pub up: bool,
    /// Its addresses with prefix lengths.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The default gateway that is reached over it.
    pub gateway: Option<String>,
}

impl NodeReport {
    /// From the option `info`. What is in the interfaces files only is not there.
    pub fn new(mut info: Value) -> Result<Self, Fault> {
        for objects in ["bridges", "bonds", "intports"] {
            if let Some(Value::Object(objects)) = info.get_mut(objects) {
                objects.retain(|_, object| object.get("live") != Some(&Value::Bool(false)));
            }
        }
        serde_json::from_value(info).map_err(|error| {
            Fault::new(
                "malformed_report",
                format!(
                    "option `info`: {error}; hint: give what `pve_ovs_info` of the same release returned on the node, \
                     by `register`"
                ),
            )
        })
    }
}

impl Bond {
    /// What it does with VLANs.
    pub fn vlans(&self) -> BondVlans {
        let trunks: VlanSet = self.trunks.iter().copied().collect();
        BondVlans { tag: self.tag, trunks, vlan_mode: self.vlan_mode }
    }

    /// What the node calls itself in LACP.
    pub fn system_id(&self) -> Option<&str> {
        self.members.values().find_map(|member| member.actor.as_ref()?.system_id.as_deref())
    }
}

impl Member {
    /// What it hears from the other end; not what it heard once.
    pub fn hears(&self) -> Option<&LacpPort> {
        self.partner.as_ref().filter(|partner| self.current && partner.is_somebody())
    }
}

impl LacpPort {
    /// Whether it is anybody: nobody is written as a system of zeros by some.
    pub fn is_somebody(&self) -> bool {
        self.system_id.as_ref().is_none_or(|id| id.contains(|c: char| c.is_ascii_hexdigit() && c != '0'))
    }

    /// Whether its system is the one of this MAC address, however it is written.
    pub fn is_of(&self, system_id: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
        self.system_id.as_deref().is_some_and(|id| digits(id).eq_ignore_ascii_case(&digits(system_id)))
    }

    /// Whether it asks its partner to send every second.
    pub fn wants_fast(&self) -> bool {
        self.state.iter().any(|bit| bit == "timeout")
    }
}
