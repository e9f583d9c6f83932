//! What an interface is set to, as far as a task looks after it: read from its lines, and the lines that change it.
//! Every other line of an interface is somebody else's.

use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize, Serializer};
use vlan::{Native, VlanSet, vlan};

use crate::config::Block;
use crate::names::Interface;

/// An interface. What EOS hides because it is the default stands here as what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// `description`; empty where there is none.
    pub description: String,
    /// The VLANs that it carries.
    pub switchport: Switchport,
    /// The Port-Channel that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
}

/// Which VLANs an interface carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Switchport {
    /// Whether it is one; otherwise it is routed, and the rest without effect.
    pub enabled: bool,
    /// `switchport mode`.
    pub mode: Mode,
    /// `switchport access vlan`.
    pub access_vlan: u16,
    /// `switchport trunk native vlan`.
    pub native_vlan: Native,
    /// `switchport trunk allowed vlan`.
    pub trunk_vlans: VlanSet,
}

/// How an interface carries VLANs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One VLAN, untagged.
    Access,
    /// Many, tagged.
    Trunk,
    /// One, whatever tags the frames have.
    Dot1qTunnel,
    /// A mode that no task sets, in the words of EOS.
    #[serde(skip)]
    Other(String),
}

/// `channel-group 1001 mode active`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The number of the Port-Channel.
    pub port_channel: u32,
    /// How the member speaks LACP.
    pub lacp_mode: LacpMode,
}

/// How a member speaks LACP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LacpMode {
    /// Begins the dialog.
    Active,
    /// Only answers.
    Passive,
    /// Does not speak it.
    On,
}

impl Mode {
    fn as_str(&self) -> &str {
        match self {
            Self::Access => "access",
            Self::Trunk => "trunk",
            Self::Dot1qTunnel => "dot1q-tunnel",
            Self::Other(words) => words,
        }
    }

    /// How it is told, of an interface that is a switchport or is not.
    pub fn word(&self, is_switchport: bool) -> &str {
        if is_switchport { self.as_str() } else { "routed" }
    }

    fn parse(words: &str) -> Self {
        match words {
            "access" => Self::Access,
            "trunk" => Self::Trunk,
            "dot1q-tunnel" => Self::Dot1qTunnel,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl LacpMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::On => "on",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::Passive, Self::On].into_iter().find(|mode| mode.as_str() == word)
    }

    /// Whether LACP is spoken at all. EOS does not mix the two kinds in one Port-Channel.
    pub fn is_lacp(self) -> bool {
        self != Self::On
    }
}

impl Switchport {
    /// What an interface has of which nothing is said.
    pub fn default_of(is_switchport_by_default: bool) -> Self {
        Self {
            enabled: is_switchport_by_default,
            mode: Mode::Access,
            access_vlan: 1,
            native_vlan: Native::DEFAULT,
            trunk_vlans: VlanSet::all(),
        }
    }
}

impl Port {
    /// An interface of which nothing is said.
    pub fn default_of(is_switchport_by_default: bool) -> Self {
        let switchport = Switchport::default_of(is_switchport_by_default);
        Self { description: String::new(), switchport, membership: None }
    }

    /// Reads its block.
    pub fn parse(block: &Block, is_switchport_by_default: bool) -> Self {
        let mut port = Self::default_of(is_switchport_by_default);
        for line in &block.lines {
            port.take(line);
        }
        port
    }

    /// Whether `line` is of those that are read here.
    pub fn is_own(line: &str) -> bool {
        Self::default_of(true).take(line)
    }

    /// Whether `line` was one of ours.
    fn take(&mut self, line: &str) -> bool {
        let Self { description, switchport, membership } = self;
        let Switchport { enabled, mode, access_vlan, native_vlan, trunk_vlans } = switchport;
        if let Some(text) = line.strip_prefix("description ") {
            text.trim().clone_into(description);
        } else if line == "switchport" {
            *enabled = true;
        } else if line == "no switchport" {
            *enabled = false;
        } else if let Some(words) = line.strip_prefix("switchport mode ") {
            *mode = Mode::parse(words);
        } else if let Some(number) = line.strip_prefix("switchport access vlan ").and_then(vlan) {
            *access_vlan = number;
        } else if let Some(native) =
            line.strip_prefix("switchport trunk native vlan ").and_then(Native::parse)
        {
            *native_vlan = native;
        } else if let Some(list) = line.strip_prefix("switchport trunk allowed vlan ") {
            // A very long list goes on in lines of its own.
            let (list, more) = list.strip_prefix("add ").map_or((list, false), |list| (list, true));
            let Some(set) = VlanSet::parse(list) else { return false };
            if more {
                trunk_vlans.extend(set.iter());
            } else {
                *trunk_vlans = set;
            }
        } else if let Some(found) = line.strip_prefix("channel-group ").and_then(parse_membership) {
            *membership = Some(found);
        } else {
            return false;
        }
        true
    }

    /// Names and values, for people.
    pub fn properties(&self) -> Properties {
        let Self { description, switchport, membership } = self;
        let Switchport { enabled, mode, access_vlan, native_vlan, trunk_vlans } = switchport;
        let mode = mode.word(*enabled);
        let membership = membership.as_ref().map(Membership::words).unwrap_or_default();
        [
            ("description", description.clone()),
            ("mode", mode.to_owned()),
            ("access VLAN", access_vlan.to_string()),
            ("native VLAN", native_vlan.to_string()),
            ("trunk VLANs", trunk_vlans.to_string()),
            ("channel-group", membership),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The same for one that is new: without what it would be anyway.
    pub fn properties_if_new(&self) -> Properties {
        let default = Self::default_of(true).properties();
        self.properties().into_iter().filter(|property| !default.contains(property)).collect()
    }

    /// The lines that make `self` of `from`, within the block of the interface. Joining a Port-Channel is the last.
    pub fn lines(&self, from: &Self) -> Vec<String> {
        let Self { description, switchport, membership } = self;
        let mut lines = Vec::new();
        if *description != from.description {
            lines.push(if description.is_empty() {
                "no description".to_owned()
            } else {
                format!("description {description}")
            });
        }
        lines.extend(switchport.lines(&from.switchport));
        match membership {
            Some(membership) if Some(membership) != from.membership.as_ref() => {
                lines.push(format!("channel-group {}", membership.words()));
            }
            None if from.membership.is_some() => lines.push(Membership::LEAVE.to_owned()),
            _ => {}
        }
        lines
    }
}

impl Switchport {
    fn lines(&self, from: &Self) -> Vec<String> {
        let Self { enabled, mode, access_vlan, native_vlan, trunk_vlans } = self;
        let mut lines = Vec::new();
        let mut add = |differs: bool, line: String| {
            if differs {
                lines.push(line);
            }
        };
        let word = if *enabled { "switchport" } else { "no switchport" };
        add(*enabled != from.enabled, word.to_owned());
        add(*access_vlan != from.access_vlan, format!("switchport access vlan {access_vlan}"));
        add(*native_vlan != from.native_vlan, format!("switchport trunk native vlan {native_vlan}"));
        add(*trunk_vlans != from.trunk_vlans, format!("switchport trunk allowed vlan {trunk_vlans}"));
        add(*mode != from.mode, format!("switchport mode {}", mode.as_str()));
        lines
    }
}

impl Membership {
    /// The line that ends one.
    pub const LEAVE: &'static str = "no channel-group";

    /// Of `channel`; none where it is no Port-Channel.
    pub fn of(channel: &Interface, lacp_mode: LacpMode) -> Option<Self> {
        match channel {
            Interface::PortChannel(port_channel) => Some(Self { port_channel: *port_channel, lacp_mode }),
            Interface::Ethernet(_) => None,
        }
    }

    /// The Port-Channel.
    pub fn channel(&self) -> Interface {
        Interface::PortChannel(self.port_channel)
    }

    /// `1001 mode active`.
    fn words(&self) -> String {
        format!("{} mode {}", self.port_channel, self.lacp_mode.as_str())
    }
}

fn parse_membership(words: &str) -> Option<Membership> {
    let (number, mode) = words.split_once(" mode ")?;
    let channel = Interface::from_config(&format!("Port-Channel{number}"))?;
    Membership::of(&channel, LacpMode::parse(mode)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(lines: &[&str]) -> Port {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Port::parse(&Block { head: String::new(), lines }, true)
    }

    #[test]
    fn lines_are_read_whether_or_not_a_default_is_spelled_out() {
        let spelled_out = port(&[
            "no description",
            "switchport access vlan 1",
            "switchport trunk native vlan 1",
            "switchport trunk allowed vlan 1-4094",
            "switchport mode access",
            "switchport",
            "mtu 9214",
        ]);
        assert_eq!(spelled_out, Port::default_of(true));
        let member =
            port(&["description PVE (R)", "switchport mode trunk", "channel-group 1001 mode passive"]);
        assert_eq!(member.description, "PVE (R)");
        assert_eq!(member.membership, Some(Membership { port_channel: 1001, lacp_mode: LacpMode::Passive }));
        let long = port(&["switchport trunk allowed vlan 10", "switchport trunk allowed vlan add 20-21"]);
        assert_eq!(long.switchport.trunk_vlans.to_string(), "10,20-21");
        assert_eq!(
            port(&["switchport mode trunk phone"]).switchport.mode,
            Mode::Other("trunk phone".to_owned())
        );
    }

    #[test]
    fn the_lines_from_one_port_to_another_lead_there() {
        let ports = [
            Port::default_of(true),
            Port::default_of(false),
            port(&["description a", "switchport mode trunk", "switchport trunk allowed vlan 10-11"]),
            port(&["switchport trunk native vlan tag", "switchport mode trunk", "channel-group 7 mode on"]),
            port(&["switchport access vlan 20", "channel-group 8 mode active"]),
        ];
        for from in &ports {
            for to in &ports {
                let lines = to.lines(from);
                assert_eq!(lines.is_empty(), from == to);
                let mut found = from.clone();
                for line in &lines {
                    match line.as_str() {
                        "no description" => found.description.clear(),
                        Membership::LEAVE => found.membership = None,
                        line => assert!(found.take(line), "{line}"),
                    }
                }
                assert_eq!(found, *to, "{lines:?}");
            }
        }
    }

    #[test]
    fn other_lines_of_an_interface_are_somebody_elses() {
        for line in [
            "mtu 9214",
            "shutdown",
            "switchport trunk group x",
            "lacp timer fast",
            "channel-group x",
            "descriptions",
        ] {
            assert!(!Port::is_own(line), "{line}");
        }
        for line in
            ["description x", "switchport", "no switchport", "switchport mode tap", "channel-group 1 mode on"]
        {
            assert!(Port::is_own(line), "{line}");
        }
    }
}
