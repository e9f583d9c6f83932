//! A link as its user describes it, both ends: each value by itself. Which of them can't go together is `impossible.rs`'s.

use std::net::Ipv4Addr;

use ansible_module::fault::Fault;
use serde::Deserialize;
use vlan::{VlanSet, given};

use crate::names::{self, Cidr};
use crate::wire::{BondVlans, PortMode, PortVlans, VlanMode};

/// The option `link` as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct Params {
    pub bridge: BridgeParams,
    pub bond: BondParams,
    pub intports: Vec<IntPortParams>,
    pub switches: Vec<SwitchParams>,
    pub reach: Option<Vec<String>>,
}

/// The option `link.bridge` as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct BridgeParams {
    pub name: String,
}

/// The option `link.bond` as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct BondParams {
    pub name: String,
    pub members: Option<Vec<String>>,
    pub mode: String,
    pub lacp_time: String,
    pub tag: Option<i64>,
    pub trunks: Option<Vec<i64>>,
    pub vlan_mode: Option<String>,
    pub mtu: Option<i64>,
}

/// One of `link.intports` as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct IntPortParams {
    pub name: String,
    pub tag: Option<i64>,
    pub cidr: Option<String>,
    pub gateway: Option<String>,
}

/// One of `link.switches` as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct SwitchParams {
    pub name: String,
    pub port_channel: String,
    pub description: Option<String>,
    pub mode: PortMode,
    pub native_vlan: Option<String>,
    pub trunk_vlans: Option<Vec<String>>,
    pub access_vlan: Option<i64>,
    pub interfaces: Vec<InterfaceParams>,
}

/// One of `link.switches[].interfaces` as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct InterfaceParams {
    pub interface: String,
    pub nic: String,
    pub description: Option<String>,
    pub lacp_mode: LacpMode,
}

/// How an interface of the switch speaks LACP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LacpMode {
    /// It begins.
    Active,
    /// It answers.
    Passive,
    /// It does not: the member carries traffic unasked.
    On,
}

/// A link as meant.
#[derive(Debug)]
pub struct Link {
    /// The name of the node's bridge.
    pub bridge: String,
    /// The node's end.
    pub bond: Bond,
    /// The node's own interfaces on the bridge.
    pub intports: Vec<IntPort>,
    /// The other end.
    pub switches: Vec<Switch>,
}

/// The bond of a node.
#[derive(Debug)]
pub struct Bond {
    /// Its name.
    pub name: String,
    /// Its NICs.
    pub members: Vec<String>,
    /// Its mode, in the names of the Proxmox API.
    pub mode: String,
    /// `fast` or `slow`.
    pub lacp_time: String,
    /// The VLAN of untagged frames; `Some(None)` is none.
    pub tag: Option<Option<u16>>,
    /// The VLANs that it carries; empty is no restriction.
    pub trunks: Option<VlanSet>,
    /// How it treats tags; `Some(None)` is as Open vSwitch does by default.
    pub vlan_mode: Option<Option<VlanMode>>,
    /// The MTU of its members.
    pub mtu: Option<u32>,
}

/// An interface of the node on the bridge.
#[derive(Debug)]
pub struct IntPort {
    /// Its name.
    pub name: String,
    /// Its VLAN.
    pub tag: Option<u16>,
    /// Its address.
    pub cidr: Option<Cidr>,
    /// The node's default gateway.
    pub gateway: Option<Ipv4Addr>,
}

/// A switch at the other end.
#[derive(Debug)]
pub struct Switch {
    /// Its name in the inventory.
    pub name: String,
    /// Its Port-Channel, such as `Port-Channel1001`.
    pub port_channel: String,
    /// The Port-Channel's description.
    pub description: Option<String>,
    /// How the Port-Channel carries VLANs.
    pub vlans: PortVlans,
    /// The cables that lead to it.
    pub cables: Vec<Cable>,
}

/// A cable, and how its end at the switch is set.
#[derive(Debug)]
pub struct Cable {
    /// The NIC of the node.
    pub nic: String,
    /// The interface of the switch, such as `Ethernet7/1`.
    pub interface: String,
    /// The interface's description.
    pub description: Option<String>,
    /// How the interface speaks LACP.
    pub lacp_mode: LacpMode,
}

impl Link {
    /// Checks each value; the first that can't be one is the error.
    pub fn new(params: Params) -> Result<Self, Fault> {
        let Params { bridge, bond, intports, switches, reach } = params;
        let switches = switches.into_iter().map(Switch::new).collect::<Result<Vec<_>, _>>()?;
        for address in reach.iter().flatten() {
            names::host("link.reach", address)?;
        }
        Ok(Self {
            bridge: names::node_link("link.bridge.name", &bridge.name, "vmbr0")?,
            bond: Bond::new(bond, &switches)?,
            intports: intports.into_iter().map(IntPort::new).collect::<Result<_, _>>()?,
            switches,
        })
    }
}

impl Bond {
    fn new(params: BondParams, switches: &[Switch]) -> Result<Self, Fault> {
        let BondParams { name, members, mode, lacp_time, tag, trunks, vlan_mode, mtu } = params;
        let nics =
            || switches.iter().flat_map(|switch| &switch.cables).map(|cable| cable.nic.clone()).collect();
        let nic = |nic: String| names::node_link("link.bond.members", &nic, "ens20f0np0");
        let trunk = |number| vlan("link.bond.trunks", number);
        Ok(Self {
            name: names::bond("link.bond.name", &name)?,
            members: match members {
                Some(members) => members.into_iter().map(nic).collect::<Result<_, _>>()?,
                None => nics(),
            },
            mode,
            lacp_time,
            tag: tag.map(|number| tag_of("link.bond.tag", number)).transpose()?,
            trunks: trunks.map(|list| list.into_iter().map(trunk).collect()).transpose()?,
            vlan_mode: vlan_mode.map(|mode| VlanMode::parse(&mode)),
            mtu: mtu.map(|mtu| mtu_of("link.bond.mtu", mtu)).transpose()?,
        })
    }

    /// Whether it speaks LACP.
    pub fn speaks_lacp(&self) -> bool {
        self.mode.starts_with("lacp-")
    }

    /// What it does with VLANs, `otherwise` where it is left open.
    pub fn vlans(&self, otherwise: &BondVlans) -> BondVlans {
        BondVlans {
            tag: self.tag.unwrap_or(otherwise.tag),
            trunks: self.trunks.as_ref().unwrap_or(&otherwise.trunks).clone(),
            vlan_mode: self.vlan_mode.unwrap_or(otherwise.vlan_mode),
        }
    }
}

impl IntPort {
    fn new(params: IntPortParams) -> Result<Self, Fault> {
        let IntPortParams { name, tag, cidr, gateway } = params;
        let name = names::node_link("link.intports.name", &name, "mgmt")?;
        let option = |key: &str| format!("link.intports[{name}].{key}");
        // An empty text is how a module is told to take an address away.
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            tag: tag.map(|number| tag_of(&option("tag"), number)).transpose()?.flatten(),
            cidr: given(cidr).map(|text| Cidr::new(&option("cidr"), &text)).transpose()?,
            gateway: given(gateway).map(|text| names::host(&option("gateway"), &text)).transpose()?,
            name,
        })
    }
}

impl Switch {
    fn new(params: SwitchParams) -> Result<Self, Fault> {
        let SwitchParams {
            name,
            port_channel,
            description,
            mode,
            native_vlan,
            trunk_vlans,
            access_vlan,
            interfaces,
        } = params;
        let option = |key: &str| format!("link.switches[{name}].{key}");
        let native = |text: String| {
            given::native_vlan(&text).ok_or_else(|| {
                let what = "a VLAN from 1 to 4094, `tag`, or 0 for VLAN 1";
                invalid_vlan(&option("native_vlan"), &text, what, "10")
            })
        };
        let allowed = |list: Vec<String>| {
            given::trunk_vlans(&list).ok_or_else(|| {
                let what = "a list of VLANs, `all` or `none`";
                invalid_vlan(&option("trunk_vlans"), &list.join(","), what, "10,20-29")
            })
        };
        let access = |number: i64| {
            given::access_vlan(number).ok_or_else(|| {
                let what = "a VLAN from 1 to 4094, or 0 for VLAN 1";
                invalid_vlan(&option("access_vlan"), &number.to_string(), what, "10")
            })
        };
        let vlans = PortVlans {
            mode,
            native: native_vlan.map(native).transpose()?,
            allowed: trunk_vlans.map(allowed).transpose()?,
            access: access_vlan.map(access).transpose()?,
        };
        let port_channel = names::port_channel(&option("port_channel"), &port_channel)?;
        let cable = |cable| Cable::new(cable, &option("interfaces"));
        let cables = interfaces.into_iter().map(cable).collect::<Result<_, _>>()?;
        Ok(Self { name, port_channel, description, vlans, cables })
    }
}

impl Cable {
    fn new(params: InterfaceParams, option: &str) -> Result<Self, Fault> {
        let InterfaceParams { interface, nic, description, lacp_mode } = params;
        Ok(Self {
            nic: names::node_link(option, &nic, "ens20f0np0")?,
            interface: names::ethernet(option, &interface)?,
            description,
            lacp_mode,
        })
    }
}

/// A VLAN, or none for 0.
fn tag_of(option: &str, number: i64) -> Result<Option<u16>, Fault> {
    if number == 0 { Ok(None) } else { vlan(option, number).map(Some) }
}

fn vlan(option: &str, number: i64) -> Result<u16, Fault> {
    let parsed = u16::try_from(number).ok().filter(|vlan| (1..=4094).contains(vlan));
    parsed.ok_or_else(|| invalid_vlan(option, &number.to_string(), "a VLAN from 1 to 4094", "10"))
}

fn invalid_vlan(option: &str, text: &str, what: &str, example: &str) -> Fault {
    let text = text.escape_debug();
    Fault::new(
        "invalid_vlan",
        format!("option `{option}`: `{text}` is not {what}; hint: such as `{example}`"),
    )
}

fn mtu_of(option: &str, number: i64) -> Result<u32, Fault> {
    // What the Proxmox API takes.
    let parsed = u32::try_from(number).ok().filter(|mtu| (1280..=65520).contains(mtu));
    parsed.ok_or_else(|| {
        Fault::new("invalid_number", format!("option `{option}`: {number} is no MTU; hint: 1280 to 65520"))
    })
}
