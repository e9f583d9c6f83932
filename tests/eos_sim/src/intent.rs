//! What a configuration means for the ports.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::dataplane::{Channel, Intent, Member, Port, Switchport};
use crate::forwarding::Verdict;
use crate::interface::{Interface, L2_MTU, MTU};
use crate::names::Name;

impl Config {
    /// What the configuration means, on a switch that has these `ports` and judged its interfaces so.
    pub fn intent(&self, ports: &BTreeSet<Name>, verdict: &Verdict) -> Intent {
        let mut channels = BTreeMap::new();
        for (name, interface) in &self.interfaces {
            let Some(number) = name.channel() else { continue };
            let members = self.members(number).filter(|(member, ..)| ports.contains(member));
            let members = members.map(|(member, interface, mode)| {
                let port = self.port(member, interface, verdict);
                let (fast, priority) = (interface.lacp_fast, interface.lacp_port_priority);
                (member.to_string(), Member { mode, fast, priority, port })
            });
            let (port, fallback) = (self.port(name, interface, verdict), verdict.fallbacks.get(&number));
            channels
                .insert(number, Channel { port, members: members.collect(), fallback: fallback.cloned() });
        }
        let alone = ports.iter().filter_map(|name| {
            let interface = self.interfaces.get(name).cloned().unwrap_or_default();
            interface
                .channel_group
                .is_none()
                .then(|| (name.to_string(), self.port(name, &interface, verdict)))
        });
        let vlans = self.vlans.keys().copied().chain([1]).collect();
        Intent { vlans, channels, ports: alone.collect() }
    }

    fn port(&self, name: &Name, interface: &Interface, verdict: &Verdict) -> Port {
        let switchport = match interface.mode.as_str() {
            _ if !interface.is_switched(name, self.defaults()) => None,
            "trunk" | "trunk phone" => Some(Switchport::Trunk {
                native: interface.native_vlan,
                allowed: interface.allowed.0.clone(),
            }),
            // What comes in tagged on a dot1q-tunnel travels in its access VLAN too.
            _ => Some(Switchport::Access(interface.access_vlan)),
        };
        // `mtu` is of routed packets alone.
        let mtu = match switchport {
            Some(_) => interface.l2_mtu.unwrap_or(L2_MTU),
            None => interface.mtu.unwrap_or(MTU),
        };
        let blocked = verdict.blocked.contains(name);
        Port { shutdown: interface.is_shutdown(name, self.defaults()), switchport, blocked, mtu }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::LacpMode;

    fn access(vlan: u16, shutdown: bool, blocked: bool) -> Port {
        Port { shutdown, switchport: Some(Switchport::Access(vlan)), blocked, mtu: 9214 }
    }

    #[test]
    fn members_follow_their_channel_and_only_ports_of_the_switch_are_meant() {
        let config = Config::parse(
            "vlan 10,20\n!\ninterface Port-Channel5\n   l2 mtu 1600\n   mtu 9000\n   switchport trunk native vlan 10\n   switchport trunk allowed vlan 10,20\n   switchport mode trunk\n!\ninterface Ethernet1\n   shutdown\n   channel-group 5 mode passive\n   lacp timer fast\n   lacp port-priority 7\n!\ninterface Ethernet2\n   switchport access vlan 20\n!\ninterface Ethernet3\n   no switchport\n!\ninterface Ethernet99\n   channel-group 5 mode active\n",
        );
        let ports = ["et1", "et2", "et3"].map(|name| Name::parse(name).unwrap()).into();
        let blocked = [Name::parse("et2").unwrap()].into();
        let intent = config.intent(&ports, &Verdict { blocked, ..Verdict::default() });
        assert_eq!(intent.vlans, [1, 10, 20].into());
        assert_eq!(
            intent.channels,
            [(
                5,
                Channel {
                    port: Port {
                        shutdown: false,
                        switchport: Some(Switchport::Trunk { native: Some(10), allowed: [10, 20].into() }),
                        blocked: false,
                        mtu: 1600,
                    },
                    members: [(
                        "Ethernet1".to_owned(),
                        Member {
                            mode: LacpMode::Passive,
                            fast: true,
                            priority: 7,
                            port: access(1, true, false)
                        }
                    )]
                    .into(),
                    fallback: None,
                }
            )]
            .into()
        );
        assert_eq!(
            intent.ports,
            [
                ("Ethernet2".to_owned(), access(20, false, true)),
                (
                    "Ethernet3".to_owned(),
                    Port { shutdown: false, switchport: None, blocked: false, mtu: 1500 }
                ),
            ]
            .into()
        );
    }
}
