//! What lies between the configuration and the wires: the configuration as ports understand it, and what they see.
//! How it is made real is `ovs.rs`; what the CLI shows of it is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use crate::partner::Partner;

/// The system's address where there is no port whose address it could be.
pub const SYSTEM: &str = "00:1c:73:00:00:00";

/// The running-config as the data plane understands it. Interfaces have their full names, such as `Ethernet7/1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    /// VLANs of the VLAN database. Traffic of any other is dropped.
    pub vlans: BTreeSet<u16>,
    /// Every Port-Channel, by number.
    pub channels: BTreeMap<u32, Channel>,
    /// Every Ethernet interface that is in no channel.
    pub ports: BTreeMap<String, Port>,
}

/// A Port-Channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its own settings, which count for the members too.
    pub port: Port,
    /// Its members.
    pub members: BTreeMap<String, Member>,
    /// Nobody answered LACP for long enough.
    pub fallback: Option<Fallback>,
}

/// What a Port-Channel does when nobody answers LACP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fallback {
    /// This member carries its traffic as if it were bundled; none where none has a link.
    Static(Option<String>),
    /// Its members stand alone, each with its own settings, until LACP is heard.
    Individual,
}

/// An Ethernet interface in a Port-Channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `channel-group N mode MODE`.
    pub mode: LacpMode,
    /// `lacp timer fast`.
    pub fast: bool,
    /// `lacp port-priority`.
    pub priority: u16,
    /// Its own settings. Only `shutdown` counts, unless it stands alone.
    pub port: Port,
}

/// How a member speaks LACP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LacpMode {
    /// Begins.
    Active,
    /// Answers.
    Passive,
    /// No LACP.
    On,
}

/// What an interface that carries traffic by itself is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// `shutdown`.
    pub shutdown: bool,
    /// Which VLANs it carries; none at all is a routed port.
    pub switchport: Option<Switchport>,
    /// Nothing passes but LACP, whatever it is set to.
    pub blocked: bool,
    /// The largest packet that it takes, in bytes without the frame around it.
    pub mtu: u32,
}

/// A switched interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switchport {
    /// Untagged, one VLAN.
    Access(u16),
    /// Tagged.
    Trunk {
        /// The VLAN of untagged frames; none where every frame is tagged.
        native: Option<u16>,
        /// VLANs that are let through.
        allowed: BTreeSet<u16>,
    },
}

/// What is seen on the wires, by full interface name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The system's address, which is its id in LACP, as `00:1c:73:00:00:01`; none where it is [`SYSTEM`].
    pub system: Option<String>,
    /// Every Ethernet interface that has a cable end.
    pub ports: BTreeMap<String, PortStatus>,
}

/// What is seen of an Ethernet interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortStatus {
    /// Carrier.
    pub link: bool,
    /// Mbit/s.
    pub speed: u32,
    /// Burned-in address, as `001c.7300.0001`.
    pub mac: String,
    /// Whether it carries traffic of its Port-Channel.
    pub bundled: bool,
    /// LACP, where it is spoken.
    pub lacp: Option<Lacp>,
    /// Counters of packets and bytes.
    pub counters: Counters,
}

/// The two ends of one LACP dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacp {
    /// The switch.
    pub actor: LacpEnd,
    /// The other end; none before the first answer.
    pub partner: Option<LacpEnd>,
}

/// One end of an LACP dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LacpEnd {
    /// System priority.
    pub system_priority: u16,
    /// System id, as `00:1c:73:00:00:01`.
    pub system: String,
    /// Port number.
    pub port: u16,
    /// Port priority.
    pub port_priority: u16,
    /// Key.
    pub key: u16,
    /// The eight state bits of IEEE 802.1AX, least significant first: activity, time-out, aggregation,
    /// synchronisation, collecting, distributing, defaulted, expired.
    pub state: u8,
}

/// Counters of an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Received packets.
    pub in_packets: u64,
    /// Received bytes.
    pub in_bytes: u64,
    /// Sent packets.
    pub out_packets: u64,
    /// Sent bytes.
    pub out_bytes: u64,
}

/// Makes a configuration real, and tells what comes of it.
pub trait DataPlane: Send {
    /// Brings the ports to the configuration. What cannot be done is an error to be logged: a switch takes any
    /// configuration, whatever the wires say.
    fn apply(&mut self, intent: &Intent) -> anyhow::Result<()>;
    /// What is seen now.
    fn status(&mut self) -> anyhow::Result<Status>;
    /// Imagines somebody else at the other end of a port's cable. A real cable has a real other end.
    fn set_partner(&mut self, port: &str, partner: Partner) -> anyhow::Result<()> {
        let _ = partner;
        anyhow::bail!("the cable of {port} is not imagined")
    }
}

/// Ports of which nothing is at the other end: every one that is not shut down has carrier, and nobody answers LACP.
#[derive(Debug, Default)]
pub struct NoPlane {
    intent: Intent,
}

impl DataPlane for NoPlane {
    fn apply(&mut self, intent: &Intent) -> anyhow::Result<()> {
        self.intent = intent.clone();
        Ok(())
    }

    fn status(&mut self) -> anyhow::Result<Status> {
        let mut ports = BTreeMap::new();
        for (name, port) in &self.intent.ports {
            ports.insert(name.clone(), lonely(name, !port.shutdown));
        }
        for (number, channel) in &self.intent.channels {
            for (name, member) in &channel.members {
                let mut port = lonely(name, !member.port.shutdown);
                let stands_in = channel.fallback == Some(Fallback::Static(Some(name.clone())));
                port.bundled =
                    (member.mode == LacpMode::On || stands_in) && port.link && !channel.port.shutdown;
                port.lacp = (member.mode != LacpMode::On).then(|| unanswered(name, *number, member));
                ports.insert(name.clone(), port);
            }
        }
        Ok(Status { ports, ..Status::default() })
    }
}

/// A port whose cable leads nowhere.
fn lonely(name: &str, link: bool) -> PortStatus {
    let number = port_number(name);
    let mac = format!("001c.73{:02x}.{:02x}{:02x}", number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff);
    PortStatus { link, speed: 10_000, mac, ..PortStatus::default() }
}

fn unanswered(name: &str, channel: u32, member: &Member) -> Lacp {
    // Aggregation and defaulted, and what it was told to be.
    let state = 0b0100_0100 | u8::from(member.mode == LacpMode::Active) | u8::from(member.fast) << 1;
    let actor = LacpEnd {
        system_priority: 32768,
        system: SYSTEM.to_owned(),
        port: u16::try_from(port_number(name)).unwrap_or(u16::MAX),
        port_priority: member.priority,
        key: u16::try_from(channel).unwrap_or(u16::MAX),
        state,
    };
    Lacp { actor, partner: None }
}

/// A number for `Ethernet7/1` that no other port of a switch has.
fn port_number(name: &str) -> u32 {
    let numbers = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    numbers.split('/').filter_map(|part| part.parse::<u32>().ok()).fold(0, |sum, part| sum * 16 + part)
}
