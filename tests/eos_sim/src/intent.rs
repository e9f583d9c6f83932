//! What a configuration means for the ports.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::dataplane::{Channel, Intent, Member, Port, Switchport};
use crate::interface::Interface;
use crate::names::Name;

impl Config {
    /// What the configuration means, on a switch that has these `ports`.
    pub fn intent(&self, ports: &BTreeSet<Name>) -> Intent {
        let mut channels = BTreeMap::new();
        for (name, interface) in &self.interfaces {
            let Some(number) = name.channel() else { continue };
            let members = self.members(number).filter(|(member, ..)| ports.contains(member));
            let members = members.map(|(member, interface, mode)| {
                let shutdown = interface.is_shutdown(member, self.defaults());
                (member.to_string(), Member { mode, fast: interface.lacp_fast, shutdown })
            });
            channels.insert(number, Channel { port: self.port(name, interface), members: members.collect() });
        }
        let alone = ports.iter().filter_map(|name| {
            let interface = self.interfaces.get(name).cloned().unwrap_or_default();
            interface.channel_group.is_none().then(|| (name.to_string(), self.port(name, &interface)))
        });
        let vlans = self.vlans.keys().copied().chain([1]).collect();
        Intent { vlans, channels, ports: alone.collect() }
    }

    fn port(&self, name: &Name, interface: &Interface) -> Port {
        let switchport = match interface.mode.as_str() {
            _ if !interface.is_switched(name, self.defaults()) => None,
            "trunk" | "trunk phone" => Some(Switchport::Trunk {
                native: interface.native_vlan,
                allowed: interface.allowed.0.clone(),
            }),
            // What comes in tagged on a dot1q-tunnel travels in its access VLAN too.
            _ => Some(Switchport::Access(interface.access_vlan)),
        };
        Port { shutdown: interface.is_shutdown(name, self.defaults()), switchport }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::LacpMode;

    #[test]
    fn members_follow_their_channel_and_only_ports_of_the_switch_are_meant() {
        let config = Config::parse(
            "vlan 10,20\n!\ninterface Port-Channel5\n   switchport trunk native vlan 10\n   switchport trunk allowed vlan 10,20\n   switchport mode trunk\n!\ninterface Ethernet1\n   shutdown\n   channel-group 5 mode passive\n   lacp timer fast\n!\ninterface Ethernet2\n   switchport access vlan 20\n!\ninterface Ethernet3\n   no switchport\n!\ninterface Ethernet99\n   channel-group 5 mode active\n",
        );
        let ports = ["et1", "et2", "et3"].map(|name| Name::parse(name).unwrap()).into();
        let intent = config.intent(&ports);
        assert_eq!(intent.vlans, [1, 10, 20].into());
        assert_eq!(
            intent.channels,
            [(
                5,
                Channel {
                    port: Port {
                        shutdown: false,
                        switchport: Some(Switchport::Trunk { native: Some(10), allowed: [10, 20].into() }),
                    },
                    members: [(
                        "Ethernet1".to_owned(),
                        Member { mode: LacpMode::Passive, fast: true, shutdown: true }
                    )]
                    .into(),
                }
            )]
            .into()
        );
        assert_eq!(
            intent.ports,
            [
                ("Ethernet2".to_owned(), Port { shutdown: false, switchport: Some(Switchport::Access(20)) }),
                ("Ethernet3".to_owned(), Port { shutdown: false, switchport: None }),
            ]
            .into()
        );
    }
}
