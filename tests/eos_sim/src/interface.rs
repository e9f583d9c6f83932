//! The configuration of one interface, and its lines in the running-config: their order, and which are hidden.
//! How typed lines change it is `setting.rs`.

use std::collections::BTreeSet;

use crate::commands::Place;
use crate::dataplane::LacpMode;
use crate::names::{Kind, Name};
use crate::vlans::Vlans;

/// Seconds before a Port-Channel falls back, where nothing else is configured.
pub const FALLBACK_TIMEOUT: u32 = 90;
/// Bytes of a packet that is switched, where nothing else is configured.
pub const L2_MTU: u32 = 9214;
/// Bytes of a packet that is routed, where nothing else is configured.
pub const MTU: u32 = 1500;
/// LACP port priority, where nothing else is configured.
pub const PORT_PRIORITY: u16 = 32768;

/// The configuration of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `description`.
    pub description: Option<String>,
    /// `shutdown` or `no shutdown`; none as the switch's default is.
    pub shutdown: Option<bool>,
    /// `load-interval`, seconds.
    pub load_interval: Option<u32>,
    /// `mtu`, bytes.
    pub mtu: Option<u32>,
    /// `l2 mtu`, bytes.
    pub l2_mtu: Option<u32>,
    /// `switchport` or `no switchport`; none as the switch's default is.
    pub switchport: Option<bool>,
    /// `switchport mode`.
    pub mode: String,
    /// `switchport access vlan`.
    pub access_vlan: u16,
    /// `switchport trunk native vlan`; none is `tag`.
    pub native_vlan: Option<u16>,
    /// `switchport trunk allowed vlan`.
    pub allowed: Vlans,
    /// `switchport trunk group`.
    pub trunk_groups: BTreeSet<String>,
    /// `port-channel min-links`.
    pub min_links: u32,
    /// `port-channel lacp fallback`: `static` or `individual`.
    pub fallback: Option<String>,
    /// `port-channel lacp fallback timeout`, seconds.
    pub fallback_timeout: u32,
    /// `lacp system-id`.
    pub lacp_system_id: Option<String>,
    /// `mlag`.
    pub mlag: Option<u32>,
    /// `channel-group`.
    pub channel_group: Option<(u32, LacpMode)>,
    /// `lacp timer fast`.
    pub lacp_fast: bool,
    /// `lacp port-priority`.
    pub lacp_port_priority: u16,
    /// `spanning-tree portfast`: `edge`, `network` or `auto`.
    pub portfast: Option<String>,
    /// `spanning-tree bpduguard`: `enable` or `disable`.
    pub bpduguard: Option<String>,
    /// `spanning-tree bpdufilter`: `enable` or `disable`.
    pub bpdufilter: Option<String>,
    /// Lines that are kept as they are, in the order they were given.
    pub lines: Vec<Line>,
}

/// A line that is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub place: Place,
    /// Its keywords; empty for a line that no command is known for.
    pub key: String,
    /// The line.
    pub text: String,
    /// The lines below it, as they stand in the configuration.
    pub below: Vec<String>,
}

/// What an interface is where nothing is configured, and how the release prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// Ports and Port-Channels are routed: `switchport default mode routed`.
    pub routed: bool,
    /// Ethernet interfaces are shut down: `interface defaults`.
    pub ethernet_shutdown: bool,
    /// The release prints `lacp rate` for `lacp timer`.
    pub lacp_rate: bool,
}

impl Default for Interface {
    fn default() -> Self {
        Self {
            description: None,
            shutdown: None,
            load_interval: None,
            mtu: None,
            l2_mtu: None,
            switchport: None,
            mode: "access".to_owned(),
            access_vlan: 1,
            native_vlan: Some(1),
            allowed: Vlans::all(),
            trunk_groups: BTreeSet::new(),
            min_links: 0,
            fallback: None,
            fallback_timeout: FALLBACK_TIMEOUT,
            lacp_system_id: None,
            mlag: None,
            channel_group: None,
            lacp_fast: false,
            lacp_port_priority: PORT_PRIORITY,
            portfast: None,
            bpduguard: None,
            bpdufilter: None,
            lines: Vec::new(),
        }
    }
}

impl Interface {
    /// Whether it is shut down.
    pub fn is_shutdown(&self, name: &Name, defaults: Defaults) -> bool {
        self.shutdown.unwrap_or(name.kind == Kind::Ethernet && defaults.ethernet_shutdown)
    }

    /// Whether it switches; otherwise it routes.
    pub fn is_switched(&self, name: &Name, defaults: Defaults) -> bool {
        can_switch(name) && self.switchport.unwrap_or(!defaults.routed)
    }

    /// Its lines in the running-config, without indentation. `all` shows what is otherwise hidden because it is the
    /// default.
    pub fn text(&self, name: &Name, defaults: Defaults, all: bool) -> Vec<String> {
        let mut out = Out { lines: Vec::new(), all };
        out.option("description", self.description.as_ref());
        let down = self.is_shutdown(name, defaults);
        let down_default = name.kind == Kind::Ethernet && defaults.ethernet_shutdown;
        out.line(down != down_default, if down { "shutdown" } else { "no shutdown" });
        out.number("load-interval", self.load_interval);
        out.number("mtu", self.mtu);
        self.kept(Place::Link, &mut out);
        if name.kind == Kind::Ethernet {
            out.number("l2 mtu", self.l2_mtu);
        }
        if can_switch(name) {
            self.switchport_text(name, defaults, &mut out);
        }
        self.kept(Place::Address, &mut out);
        if name.channel().is_some() {
            self.channel_text(&mut out);
        }
        if name.is_ethernet() {
            self.member_text(defaults, &mut out);
        }
        self.kept(Place::Quality, &mut out);
        if can_switch(name) {
            let portfast = self.portfast.as_ref().map(|kind| match kind.as_str() {
                "edge" => "spanning-tree portfast".to_owned(),
                kind => format!("spanning-tree portfast {kind}"),
            });
            out.line(portfast.is_some(), &portfast.unwrap_or_else(|| "no spanning-tree portfast".to_owned()));
            out.option("spanning-tree bpduguard", self.bpduguard.as_ref());
            out.option("spanning-tree bpdufilter", self.bpdufilter.as_ref());
        }
        self.kept(Place::Last, &mut out);
        out.lines
    }

    fn switchport_text(&self, name: &Name, defaults: Defaults, out: &mut Out) {
        out.line(self.access_vlan != 1, &format!("switchport access vlan {}", self.access_vlan));
        let native = self.native_vlan.map_or_else(|| "tag".to_owned(), |vlan| vlan.to_string());
        out.line(self.native_vlan != Some(1), &format!("switchport trunk native vlan {native}"));
        out.line(!self.allowed.is_all(), &format!("switchport trunk allowed vlan {}", self.allowed));
        out.line(self.mode != "access", &format!("switchport mode {}", self.mode));
        for group in &self.trunk_groups {
            out.line(true, &format!("switchport trunk group {group}"));
        }
        let switched = self.is_switched(name, defaults);
        out.line(!switched || defaults.routed, if switched { "switchport" } else { "no switchport" });
    }

    fn channel_text(&self, out: &mut Out) {
        out.number("port-channel min-links", (self.min_links > 0).then_some(self.min_links));
        out.option("port-channel lacp fallback", self.fallback.as_ref());
        let timeout = self.fallback_timeout;
        out.line(timeout != FALLBACK_TIMEOUT, &format!("port-channel lacp fallback timeout {timeout}"));
        out.number("l2 mtu", self.l2_mtu);
        out.option("lacp system-id", self.lacp_system_id.as_ref());
        out.number("mlag", self.mlag);
    }

    fn member_text(&self, defaults: Defaults, out: &mut Out) {
        let group = self.channel_group.map(|(number, mode)| {
            let mode = match mode {
                LacpMode::Active => "active",
                LacpMode::Passive => "passive",
                LacpMode::On => "on",
            };
            format!("{number} mode {mode}")
        });
        out.option("channel-group", group.as_ref());
        let keyword = if defaults.lacp_rate { "rate" } else { "timer" };
        let speed = if self.lacp_fast { "fast" } else { "normal" };
        out.line(self.lacp_fast, &format!("lacp {keyword} {speed}"));
        let priority = self.lacp_port_priority;
        out.line(priority != PORT_PRIORITY, &format!("lacp port-priority {priority}"));
    }

    fn kept(&self, place: Place, out: &mut Out) {
        for line in self.lines.iter().filter(|line| line.place == place) {
            // What has lines of its own is set off.
            if !line.below.is_empty() {
                out.lines.push("!".to_owned());
            }
            out.lines.push(line.text.clone());
            out.lines.extend(line.below.iter().cloned());
        }
    }
}

/// Whether an interface may be a switchport.
fn can_switch(name: &Name) -> bool {
    matches!(name.kind, Kind::PortChannel | Kind::Ethernet) && name.sub.is_none()
}

struct Out {
    lines: Vec<String>,
    all: bool,
}

impl Out {
    fn line(&mut self, shown: bool, line: &str) {
        if shown || self.all {
            self.lines.push(line.to_owned());
        }
    }

    fn option(&mut self, command: &str, value: Option<&String>) {
        match value {
            Some(value) => self.line(true, &format!("{command} {value}")),
            None => self.line(false, &format!("no {command}")),
        }
    }

    fn number(&mut self, command: &str, value: Option<u32>) {
        self.option(command, value.map(|value| value.to_string()).as_ref());
    }
}
