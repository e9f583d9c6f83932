//! What the ports and channels of the switch are doing, from the configuration and from what is seen on the wires.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::config::Config;
use crate::dataplane::{Counters, LacpEnd, LacpMode, PortStatus, SYSTEM, Status};
use crate::names::Name;

/// Of the state bits of LACP, the one that says whether a port may be bundled.
const AGGREGATION: u8 = 1 << 2;

/// Every port and channel.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The system's address, as `00:1c:73:00:00:01`.
    pub system: String,
    /// The ports of the switch.
    pub ports: BTreeMap<Name, Port>,
    /// The Port-Channels, by number.
    pub channels: BTreeMap<u32, Channel>,
}

/// A port.
#[derive(Debug, Clone)]
pub struct Port {
    /// What is seen of it.
    pub status: PortStatus,
    /// Its channel, and how it speaks LACP there.
    pub member: Option<(u32, LacpMode)>,
    /// Since when it is up or down, and how often that changed.
    pub history: History,
}

/// A Port-Channel.
#[derive(Debug, Clone)]
pub struct Channel {
    /// It is shut down.
    pub shutdown: bool,
    /// It carries traffic.
    pub up: bool,
    /// The members that carry it.
    pub active: Vec<Name>,
    /// The other members, and why they do not.
    pub inactive: Vec<(Name, &'static str)>,
    /// Mbit/s.
    pub speed: u32,
    /// The address of its lowest member.
    pub mac: String,
    /// Sums over the members.
    pub counters: Counters,
    /// Since when it is up or down, and how often that changed.
    pub history: History,
}

/// Since when something is up or down.
#[derive(Debug, Clone, Copy)]
pub struct History {
    up: bool,
    /// Since when, as far as anybody looked.
    pub since: SystemTime,
    /// How often it changed.
    pub changes: u32,
}

/// What was seen of each interface before.
pub type Histories = BTreeMap<Name, History>;

impl Live {
    /// Puts together what is configured and what is seen.
    pub fn new(
        config: &Config,
        ports: &BTreeSet<Name>,
        status: &Status,
        histories: &mut Histories,
        now: SystemTime,
    ) -> Self {
        let defaults = config.defaults();
        let system = status.system.clone().unwrap_or_else(|| SYSTEM.to_owned());
        let mut live = Self { system, ..Self::default() };
        for name in ports {
            let interface = config.interfaces.get(name).cloned().unwrap_or_default();
            let shutdown = interface.is_shutdown(name, defaults);
            let mut status = status.ports.get(&name.to_string()).cloned().unwrap_or_default();
            status.link &= !shutdown;
            status.bundled &= status.link;
            let history = History::note(histories, name, status.link, now);
            let member = interface.channel_group;
            live.ports.insert(name.clone(), Port { status, member, history });
        }
        for (name, interface) in &config.interfaces {
            let Some(number) = name.channel() else { continue };
            let shutdown = interface.is_shutdown(name, defaults);
            let mut channel = Channel {
                shutdown,
                up: false,
                active: Vec::new(),
                inactive: Vec::new(),
                speed: 0,
                mac: "0000.0000.0000".to_owned(),
                counters: Counters::default(),
                history: History { up: false, since: SystemTime::UNIX_EPOCH, changes: 0 },
            };
            let members =
                live.ports.iter().filter(|(_, port)| port.member.is_some_and(|(group, _)| group == number));
            let lead = members.clone().find_map(|(_, port)| port.partner().filter(|_| port.status.bundled));
            let lead = lead.map(|partner| &partner.system);
            for (at, (member, port)) in members.enumerate() {
                channel.add(member, port, lead, at == 0);
            }
            if channel.active.len() < usize::try_from(interface.min_links).unwrap_or(usize::MAX) {
                let active = std::mem::take(&mut channel.active).into_iter();
                channel.inactive.extend(active.map(|name| (name, "minimum links not met")));
                channel.inactive.sort();
                channel.speed = 0;
            }
            channel.up = !channel.active.is_empty();
            channel.history = History::note(histories, name, channel.up, now);
            live.channels.insert(number, channel);
        }
        live
    }
}

impl Channel {
    fn add(&mut self, name: &Name, port: &Port, lead: Option<&String>, is_first: bool) {
        let status = &port.status;
        if is_first {
            self.mac.clone_from(&status.mac);
        }
        self.counters.in_packets += status.counters.in_packets;
        self.counters.in_bytes += status.counters.in_bytes;
        self.counters.out_packets += status.counters.out_packets;
        self.counters.out_bytes += status.counters.out_bytes;
        if status.bundled && !self.shutdown {
            self.speed += status.speed;
            self.active.push(name.clone());
            return;
        }
        self.inactive.push((name.clone(), port.reason(lead)));
    }
}

impl Port {
    /// Who is at its other end, where LACP told.
    pub fn partner(&self) -> Option<&LacpEnd> {
        self.status.lacp.as_ref()?.partner.as_ref()
    }

    /// Why it does not carry its channel's traffic, in the words of EOS where they were recorded. `lead` is the system that
    /// those that do have at their other end.
    fn reason(&self, lead: Option<&String>) -> &'static str {
        let is_static = matches!(self.member, Some((_, LacpMode::On)));
        match self.partner() {
            _ if !self.status.link && is_static => "link down",
            _ if !self.status.link => "link down in LACP negotiation",
            _ if is_static => "not aggregated",
            Some(partner) if partner.state & AGGREGATION == 0 => "not aggregable",
            Some(partner) if lead.is_some_and(|lead| *lead != partner.system) => "incompatible with agg",
            Some(_) => "LACP negotiation",
            None => "waiting for LACP response",
        }
    }
}

impl History {
    fn note(histories: &mut Histories, name: &Name, up: bool, now: SystemTime) -> Self {
        let history = histories.entry(name.clone()).or_insert(Self { up, since: now, changes: 0 });
        if history.up != up {
            *history = Self { up, since: now, changes: history.changes + 1 };
        }
        *history
    }
}
