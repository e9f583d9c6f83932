//! What a stanza means once ifupdown2 has applied it: the columns of Open vSwitch, the kernel's link. Also the
//! normal form of what is found there, so that the two can be compared.
//!
//! Source: ifupdown2's `openvswitch.py` and `openvswitch_port.py`, which clear the columns of a port and then run
//! `ovs-vsctl set Port NAME <ovs_options>`; ovs-vswitchd.conf.db(5).

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;
use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize};

use crate::interfaces::{OvsOptions, Stanza};
use crate::kernel::Links;
use crate::ovs_extra;
use crate::ovsdb::{self, Ovs};

/// The columns of a bridge that a stanza decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// `system` or `netdev`.
    pub datapath_type: String,
    /// Whether it runs the spanning tree protocol.
    pub stp: bool,
    /// Whether it runs the rapid spanning tree protocol.
    pub rstp: bool,
    /// Whether it forwards multicast only to who asked for it.
    pub mcast_snooping: bool,
    /// MTU asked for its own interface.
    pub mtu_request: Option<u32>,
    /// Other columns that the stanza sets, or `COLUMN:KEY` of those that are maps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}

impl Bridge {
    /// The bridge that `stanza` (an OVSBridge) declares. What it does not say is off, though ifupdown2 leaves it on.
    pub fn declared(stanza: &Stanza) -> Self {
        let is_on = |column| ovs_extra::setting(stanza, column).is_some_and(|value| is_true(&value));
        Self {
            datapath_type: ovs_extra::setting(stanza, "datapath_type").unwrap_or_else(|| "system".to_owned()),
            stp: is_on("stp_enable"),
            rstp: is_on("rstp_enable"),
            mcast_snooping: is_on("mcast_snooping_enable"),
            mtu_request: stanza.mtu(),
            others: ovs_extra::others(stanza).into_iter().gather(),
        }
    }

    /// The bridge as the database has it, where an empty type stands for `system`. Of other columns those are looked at
    /// that `like` has.
    pub fn found(ovs: &Ovs, name: &str, like: Option<&Self>) -> Option<Self> {
        let row = ovs.bridges.get(name)?;
        let datapath_type = if row.datapath_type.is_empty() { "system" } else { &row.datapath_type };
        Some(Self {
            datapath_type: datapath_type.to_owned(),
            stp: row.stp_enable,
            rstp: row.rstp_enable,
            mcast_snooping: row.mcast_snooping_enable,
            mtu_request: ovs.interfaces.get(name).and_then(|interface| interface.mtu_request),
            others: like
                .iter()
                .flat_map(|like| &like.others)
                .filter(|(path, text)| ovsdb::is_written(&row.columns, path, text))
                .map(|(path, text)| (path.clone(), text.clone()))
                .gather(),
        })
    }

    /// The columns with their values, for people.
    pub fn properties(&self) -> Properties {
        let Self { datapath_type, stp, rstp, mcast_snooping, mtu_request, others } = self;
        let on = |is_on: bool| if is_on { "on" } else { "" }.to_owned();
        [
            ("datapath_type", datapath_type.clone()),
            ("stp", on(*stp)),
            ("rstp", on(*rstp)),
            ("mcast_snooping", on(*mcast_snooping)),
            ("mtu_request", mtu_request.map(|mtu| mtu.to_string()).unwrap_or_default()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(others.clone())
        .collect()
    }
}

/// As the database reads a truth value.
pub fn is_true(text: &str) -> bool {
    matches!(text, "true" | "yes" | "on" | "1")
}

/// The columns of a port that a stanza decides. What is unset in the database stands here as what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The bridge it is a port of.
    pub bridge: String,
    /// Whether it is the node's own interface, and not one of NICs.
    pub internal: bool,
    /// The MAC address that the database asks for; it wins over the stanza's. `None` is none, or not ours.
    #[serde(default)]
    pub mac: Option<String>,
    /// Its interfaces; the members of a bond.
    pub interfaces: BTreeSet<String>,
    /// `active-backup` where unset.
    pub bond_mode: String,
    /// `off` where unset.
    pub lacp: String,
    /// Access VLAN.
    pub tag: Option<u16>,
    /// VLANs carried; empty is all.
    pub trunks: BTreeSet<u16>,
    /// As in the database; unset means access with a tag, trunk without.
    pub vlan_mode: Option<String>,
    /// Milliseconds.
    pub bond_updelay: i64,
    /// Milliseconds.
    pub bond_downdelay: i64,
    /// `lacp-time`, `lacp-fallback-ab` and their like.
    pub other_config: BTreeMap<String, String>,
    /// MTU asked for, by interface.
    pub mtu_requests: BTreeMap<String, u32>,
}

impl Port {
    fn new(bridge: &str, internal: bool, interfaces: BTreeSet<String>) -> Self {
        Self {
            bridge: bridge.to_owned(),
            internal,
            mac: None,
            interfaces,
            bond_mode: "active-backup".to_owned(),
            lacp: "off".to_owned(),
            tag: None,
            trunks: BTreeSet::new(),
            vlan_mode: None,
            bond_updelay: 0,
            bond_downdelay: 0,
            other_config: BTreeMap::new(),
            mtu_requests: BTreeMap::new(),
        }
    }

    /// A port of one interface of its own name with nothing set.
    pub fn plain(bridge: &str, name: &str) -> Self {
        Self::new(bridge, false, [name.to_owned()].into_iter().gather())
    }

    /// The same with its interfaces under their names in use.
    #[must_use]
    pub fn with_names_in_use(mut self, links: &Links) -> Self {
        self.interfaces = self.interfaces.iter().map(|name| links.in_use(name).to_owned()).gather();
        let requests = std::mem::take(&mut self.mtu_requests);
        self.mtu_requests =
            requests.into_iter().map(|(name, mtu)| (links.in_use(&name).to_owned(), mtu)).gather();
        self
    }

    /// The port that `stanza` (an OVSBond, OVSIntPort or OVSPort) declares.
    ///
    /// `live` is what is there now: a key of `other_config` that `ovs_extra` names is not ours to foresee, and stays.
    pub fn declared(stanza: &Stanza, live: Option<&Self>) -> Result<Self, Fault> {
        let text = |key: &str| stanza.get(key).unwrap_or_default().to_owned();
        let kind = text("ovs_type");
        let interfaces = match kind.as_str() {
            "OVSBond" => stanza.list("ovs_bonds").into_iter().map(str::to_owned).gather(),
            _ => [stanza.name.clone()].into_iter().gather(),
        };
        let mut port = Self::new(&text("ovs_bridge"), kind == "OVSIntPort", interfaces);
        port.mtu_requests =
            port.interfaces.iter().filter_map(|name| Some((name.clone(), stanza.mtu()?))).gather();
        if declared_mac(stanza).is_none() {
            port.mac = live.and_then(|live| live.mac.clone());
        }
        let extras = stanza.get_all("ovs_extra");
        let is_extra = |key: &str| extras.iter().any(|extra| extra.contains(&format!("{key}=")));
        let kept = live.iter().flat_map(|live| &live.other_config).filter(|(key, _)| is_extra(key));
        port.other_config.extend(kept.map(|(key, value)| (key.clone(), value.clone())));
        let options = OvsOptions::of(stanza);
        let refused = options.settings().find_map(|(key, value)| match port.set(key, value) {
            Some(()) => None,
            None => Some(format!("{key}={value}")),
        });
        if let Some(word) = refused.or_else(|| options.opaque().first().map(|word| (*word).to_owned())) {
            return Err(Fault::new(
                "unsupported_ovs_option",
                format!(
                    "reading `ovs_options` of `{}` in the interfaces file: `{word}` is not understood as a setting of \
                     a port, and where Open vSwitch does not take it, ifupdown2 silently drops the port's whole change; \
                     hint: correct it, or write it as `key=value` without quotes",
                    stanza.name
                ),
            ));
        }
        Ok(port)
    }

    /// Sets one `ovs_options` token; nothing where it is not a column with such a value.
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        let choice = |choices: &[&str]| choices.contains(&value).then(|| value.to_owned());
        let (column, key) = key.split_once(':').unwrap_or((key, ""));
        match column.replace('-', "_").as_str() {
            "bond_mode" => self.bond_mode = choice(&["active-backup", "balance-slb", "balance-tcp"])?,
            "lacp" => self.lacp = choice(&["active", "passive", "off"])?,
            "tag" => self.tag = Some(value.parse().ok().filter(|tag| *tag <= 4095)?),
            "trunks" => self.trunks = vlans(value)?,
            "vlan_mode" => {
                self.vlan_mode =
                    Some(choice(&["trunk", "access", "native-tagged", "native-untagged", "dot1q-tunnel"])?);
            }
            "bond_updelay" => self.bond_updelay = value.parse().ok()?,
            "bond_downdelay" => self.bond_downdelay = value.parse().ok()?,
            "other_config" if !key.is_empty() => {
                self.other_config.insert(key.to_owned(), value.to_owned());
            }
            // Columns that no module here speaks of: ifupdown2 sets them, and nobody compares them.
            "bond_fake_iface" | "cvlans" | "external_ids" | "mac" | "protected" | "qos" => {}
            _ => return None,
        }
        Some(())
    }

    /// The port as the database has it.
    pub fn found(ovs: &Ovs, name: &str) -> Option<Self> {
        let row = ovs.ports.get(name)?;
        let interface = ovs.interfaces.get(name).filter(|interface| interface.kind == "internal");
        let internal = interface.is_some();
        let ovsdb::Port {
            bond_mode,
            lacp,
            tag,
            trunks,
            vlan_mode,
            bond_updelay,
            bond_downdelay,
            other_config,
            ..
        } = row;
        let request = |name: &String| ovs.interfaces.get(name)?.mtu_request.map(|mtu| (name.clone(), mtu));
        Some(Self {
            bond_mode: bond_mode.clone().unwrap_or_else(|| "active-backup".to_owned()),
            lacp: lacp.clone().unwrap_or_else(|| "off".to_owned()),
            tag: *tag,
            trunks: trunks.clone(),
            vlan_mode: vlan_mode.clone(),
            bond_updelay: *bond_updelay,
            bond_downdelay: *bond_downdelay,
            other_config: other_config.clone(),
            mtu_requests: row.interfaces.iter().filter_map(request).gather(),
            mac: interface.and_then(|interface| interface.mac.clone()),
            ..Self::new(&row.bridge, internal, row.interfaces.clone())
        })
    }

    /// The columns with their values, for people: what a change of the port is told in.
    pub fn properties(&self) -> Properties {
        let Self {
            bridge,
            internal,
            mac,
            interfaces,
            bond_mode,
            lacp,
            tag,
            trunks,
            vlan_mode,
            bond_updelay,
            bond_downdelay,
            other_config,
            mtu_requests,
        } = self;
        let numbers = |set: &BTreeSet<u16>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        // The node's own interface has nothing to bond.
        let of_nics = |value: String| if *internal { String::new() } else { value };
        [
            ("bridge", bridge.clone()),
            ("type", if *internal { "internal" } else { "" }.to_owned()),
            ("mac", mac.clone().unwrap_or_default()),
            ("interfaces", interfaces.iter().cloned().collect::<Vec<_>>().join(" ")),
            ("bond_mode", of_nics(bond_mode.clone())),
            ("lacp", of_nics(lacp.clone())),
            ("tag", tag.map(|tag| tag.to_string()).unwrap_or_default()),
            ("trunks", numbers(trunks)),
            ("vlan_mode", vlan_mode.clone().unwrap_or_default()),
            ("bond_updelay", of_nics(bond_updelay.to_string())),
            ("bond_downdelay", of_nics(bond_downdelay.to_string())),
            (
                "other_config",
                other_config
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            ("mtu_request", told_once(interfaces, mtu_requests)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// `9000` where all interfaces have the same request, `eno1=9000` where they have not.
fn told_once(interfaces: &BTreeSet<String>, requests: &BTreeMap<String, u32>) -> String {
    let values: BTreeSet<&u32> = requests.values().gather();
    match values.first() {
        Some(value) if values.len() == 1 && interfaces.iter().eq(requests.keys()) => value.to_string(),
        _ => requests.iter().map(|(name, mtu)| format!("{name}={mtu}")).collect::<Vec<_>>().join(" "),
    }
}

/// The MAC address that a stanza gives its interface: `hwaddress aa:…` or, in an older spelling, `hwaddress ether aa:…`.
pub fn declared_mac(stanza: &Stanza) -> Option<String> {
    stanza.get("hwaddress")?.split_ascii_whitespace().last().map(str::to_ascii_lowercase)
}

/// `10`, `10,20`, `10-12`, `[10, 20]`.
fn vlans(text: &str) -> Option<BTreeSet<u16>> {
    let mut vlans = BTreeSet::new();
    for part in text.trim_matches(['[', ']']).split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u16, u16) =
            (first.parse().ok()?, last.parse().ok().filter(|last| *last <= 4095)?);
        vlans.extend(first..=last);
    }
    Some(vlans)
}
