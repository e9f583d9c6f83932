//! What an interface is set to, as far as a task looks after it: read from its lines, and the lines that change it.
//! Every other line of an interface is somebody else's.

use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize};

use crate::aggregation::Aggregation;
use crate::config::Block;
use crate::dialect::Dialect;
use crate::membership::{Membership, Speech};
use crate::names::Interface;
use crate::switchport::Switchport;

/// An interface. What EOS hides because it is the default stands here as what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// `description`; empty where there is none.
    pub description: String,
    /// The VLANs that it carries.
    pub switchport: Switchport,
    /// `spanning-tree portfast`.
    pub portfast: Portfast,
    /// Of a Port-Channel.
    #[serde(flatten)]
    pub aggregation: Option<Aggregation>,
    /// Of an Ethernet interface.
    #[serde(flatten)]
    pub speech: Option<Speech>,
    /// The Port-Channel that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
}

/// What spanning tree takes for granted of the other end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Portfast {
    /// Nothing: it waits before it forwards.
    #[default]
    None,
    /// A host: it forwards at once.
    Edge,
    /// A switch that speaks spanning tree.
    Network,
}

impl Portfast {
    fn take(&mut self, line: &str) -> bool {
        *self = match line {
            "spanning-tree portfast" | "spanning-tree portfast edge" => Self::Edge,
            "spanning-tree portfast network" => Self::Network,
            "no spanning-tree portfast" => Self::None,
            _ => return false,
        };
        true
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Edge => "edge",
            Self::Network => "network",
        }
    }

    fn line(self) -> String {
        match self {
            Self::None => "no spanning-tree portfast".to_owned(),
            kind => format!("spanning-tree portfast {}", kind.as_str()),
        }
    }
}

impl Port {
    /// An interface of which nothing is said.
    pub fn default_of(name: &Interface, dialect: Dialect) -> Self {
        let is_channel = matches!(name, Interface::PortChannel(_));
        Self {
            description: String::new(),
            switchport: Switchport::default_of(dialect.switchport),
            portfast: Portfast::None,
            aggregation: is_channel.then(Aggregation::default),
            speech: (!is_channel).then(Speech::default),
            membership: None,
        }
    }

    /// Reads its block.
    pub fn parse(name: &Interface, block: &Block, dialect: Dialect) -> Self {
        let mut port = Self::default_of(name, dialect);
        for line in &block.lines {
            port.take(line);
        }
        port
    }

    /// Whether `line` is of those that are read here of such an interface.
    pub fn is_own(name: &Interface, line: &str) -> bool {
        Self::default_of(name, Dialect::PLAIN).take(line)
    }

    /// Whether `line` was one of ours.
    fn take(&mut self, line: &str) -> bool {
        let Self { description, switchport, portfast, aggregation, speech, membership } = self;
        if let Some(text) = line.strip_prefix("description ") {
            text.trim().clone_into(description);
            return true;
        }
        if let Some(found) = Membership::parse(line).filter(|_| speech.is_some()) {
            *membership = Some(found);
            return true;
        }
        switchport.take(line)
            || portfast.take(line)
            || aggregation.as_mut().is_some_and(|aggregation| aggregation.take(line))
            || speech.as_mut().is_some_and(|speech| speech.take(line))
    }

    /// Names and values, for people.
    pub fn properties(&self) -> Properties {
        let Self { description, switchport, portfast, aggregation, speech, membership } = self;
        let one = |name: &str, value: String| (name.to_owned(), value);
        let mut properties = Properties::from([one("description", description.clone())]);
        properties.extend(switchport.properties());
        properties.extend([one("portfast", portfast.as_str().to_owned())]);
        properties.extend(aggregation.iter().flat_map(Aggregation::properties));
        properties.extend(speech.iter().flat_map(Speech::properties));
        let membership = membership.as_ref().map(Membership::words).unwrap_or_default();
        properties.extend([one("channel-group", membership)]);
        properties
    }

    /// The same for one that is new: without what it would be anyway.
    pub fn properties_if_new(&self, name: &Interface) -> Properties {
        let default = Self::default_of(name, Dialect::PLAIN).properties();
        self.properties().into_iter().filter(|property| !default.contains(property)).collect()
    }

    /// The lines that make `self` of `from`, within the block of the interface. Joining a Port-Channel is the last.
    pub fn lines(&self, from: &Self, dialect: Dialect) -> Vec<String> {
        let Self { description, switchport, portfast, aggregation, speech, membership } = self;
        let mut lines = Vec::new();
        if *description != from.description {
            lines.push(if description.is_empty() {
                "no description".to_owned()
            } else {
                format!("description {description}")
            });
        }
        lines.extend(switchport.lines(&from.switchport));
        if *portfast != from.portfast {
            lines.push(portfast.line());
        }
        if let Some((aggregation, from)) = aggregation.as_ref().zip(from.aggregation.as_ref()) {
            lines.extend(aggregation.lines(from));
        }
        if let Some((speech, from)) = speech.as_ref().zip(from.speech.as_ref()) {
            lines.extend(speech.lines(from, dialect.lacp_timer()));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::{LacpMode, LacpTimer};
    use crate::switchport::Mode;

    fn port(name: &str, lines: &[&str]) -> Port {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let name = Interface::from_config(name).unwrap();
        Port::parse(&name, &Block { head: String::new(), lines }, Dialect::PLAIN)
    }

    fn channel(lines: &[&str]) -> Port {
        port("Port-Channel7", lines)
    }

    fn ethernet(lines: &[&str]) -> Port {
        port("Ethernet7/1", lines)
    }

    #[test]
    fn lines_are_read_whether_or_not_a_default_is_spelled_out() {
        let spelled_out = [
            "no description",
            "no shutdown",
            "switchport access vlan 1",
            "switchport trunk native vlan 1",
            "switchport trunk allowed vlan 1-4094",
            "switchport mode access",
            "switchport",
            "no spanning-tree portfast",
            "no port-channel lacp fallback",
            "port-channel lacp fallback timeout 90",
            "port-channel min-links 0",
            "lacp timer normal",
            "lacp port-priority 32768",
            "load-interval 30",
        ];
        assert_eq!(channel(&spelled_out), channel(&[]));
        assert_eq!(ethernet(&spelled_out), ethernet(&[]));
        let member =
            ethernet(&["description PVE (R)", "switchport mode trunk", "channel-group 1001 mode passive"]);
        assert_eq!(member.description, "PVE (R)");
        assert_eq!(member.membership, Some(Membership { port_channel: 1001, lacp_mode: LacpMode::Passive }));
        let long = channel(&["switchport trunk allowed vlan 10", "switchport trunk allowed vlan add 20-21"]);
        assert_eq!(long.switchport.trunk_vlans.to_string(), "10,20-21");
        let phone = ethernet(&["switchport mode trunk phone"]);
        assert_eq!(phone.switchport.mode, Mode::Other("trunk phone".to_owned()));
        for line in ["lacp rate fast", "lacp timer fast"] {
            assert_eq!(ethernet(&[line]).speech.unwrap().lacp_timer, LacpTimer::Fast);
        }
        for line in ["spanning-tree portfast", "spanning-tree portfast edge"] {
            assert_eq!(channel(&[line]).portfast, Portfast::Edge);
        }
    }

    #[test]
    fn the_lines_from_one_port_to_another_lead_there() {
        let ethernets = [
            Port::default_of(&Interface::Ethernet(vec![1]), Dialect { switchport: false, ..Dialect::PLAIN }),
            ethernet(&[]),
            ethernet(&["description a", "switchport mode trunk", "switchport trunk allowed vlan 10-11"]),
            ethernet(&["switchport trunk native vlan tag", "lacp timer fast", "channel-group 7 mode on"]),
            ethernet(&["switchport access vlan 20", "channel-group 8 mode active", "lacp port-priority 5"]),
        ];
        let channels = [
            channel(&[]),
            channel(&["shutdown", "switchport mode trunk", "switchport trunk group x", "mlag 7", "mtu 9000"]),
            channel(&["switchport trunk group x", "switchport trunk group y", "port-channel min-links 2"]),
            channel(&["port-channel lacp fallback static", "port-channel lacp fallback timeout 5"]),
            channel(&[
                "port-channel lacp fallback individual",
                "l2 mtu 9000",
                "spanning-tree portfast network",
            ]),
        ];
        for (from, to) in ethernets.iter().flat_map(|from| ethernets.iter().map(move |to| (from, to))) {
            check(from, to);
        }
        for (from, to) in channels.iter().flat_map(|from| channels.iter().map(move |to| (from, to))) {
            check(from, to);
        }
    }

    fn check(from: &Port, to: &Port) {
        let lines = to.lines(from, Dialect::PLAIN);
        assert_eq!(lines.is_empty(), from == to);
        let mut found = from.clone();
        for line in &lines {
            if found.take(line) {
                continue;
            }
            let taken = line.strip_prefix("no ").unwrap();
            match taken {
                "description" => found.description.clear(),
                "channel-group" => found.membership = None,
                "spanning-tree portfast" => found.portfast = Portfast::None,
                _ => {
                    let aggregation = found.aggregation.as_mut();
                    match (taken.strip_prefix("switchport trunk group "), aggregation) {
                        (Some(group), _) => assert!(found.switchport.trunk_groups.remove(group)),
                        (None, Some(of)) if taken == "port-channel lacp fallback" => {
                            of.lacp_fallback = crate::aggregation::Fallback::None;
                        }
                        (None, Some(of)) if taken == "port-channel lacp fallback timeout" => {
                            of.lacp_fallback_timeout = 90;
                        }
                        (None, Some(of)) => assert!(of.take(&format!("{taken} 0")), "{line}"),
                        (None, None) => panic!("{line}"),
                    }
                }
            }
        }
        assert_eq!(found, *to, "{lines:?}");
    }

    #[test]
    fn other_lines_of_an_interface_are_somebody_elses() {
        let of_both = ["description x", "switchport", "no switchport", "switchport mode tap"];
        let of_channels = ["mtu 9214", "shutdown", "mlag 5", "port-channel min-links 2", "l2 mtu 9000"];
        let of_ethernets = ["lacp timer fast", "lacp rate fast", "channel-group 1 mode on"];
        let of_others = [
            "load-interval 30",
            "lacp timer multiplier 5",
            "channel-group x",
            "descriptions",
            "spanning-tree portfast auto",
            "spanning-tree bpduguard enable",
            "switchport trunk allowed vlan x",
            "lacp system-id 0000.0000.0001",
        ];
        let is_own = |name: &str, line: &str| Port::is_own(&Interface::from_config(name).unwrap(), line);
        for (lines, channel, ethernet) in [
            (&of_both[..], true, true),
            (&of_channels, true, false),
            (&of_ethernets, false, true),
            (&of_others, false, false),
        ] {
            for line in lines {
                assert_eq!(is_own("Port-Channel7", line), channel, "{line}");
                assert_eq!(is_own("Ethernet7/1", line), ethernet, "{line}");
            }
        }
    }
}
