//! A data plane without wires, for trying playbooks: every port has a cable, and whoever is at its other end answers
//! as one would wish.

use std::collections::BTreeMap;

use crate::dataplane::{DataPlane, Intent, Lacp, LacpEnd, LacpMode, Member, PortStatus, SYSTEM, Status};

const ACTIVITY: u8 = 1;
const TIMEOUT: u8 = 1 << 1;
/// Aggregation, synchronisation, collecting, distributing.
const BUNDLED: u8 = 0b0011_1100;

/// Remembers the configuration, and imagines the rest.
#[derive(Debug, Default)]
pub struct Imagined {
    intent: Intent,
}

impl DataPlane for Imagined {
    fn apply(&mut self, intent: &Intent) -> anyhow::Result<()> {
        self.intent.clone_from(intent);
        Ok(())
    }

    fn status(&mut self) -> anyhow::Result<Status> {
        let alone = self.intent.ports.iter().map(|(name, port)| (name, !port.shutdown, None));
        let members = self.intent.channels.iter().flat_map(|(number, channel)| {
            channel.members.iter().map(move |(name, member)| {
                (name, !member.shutdown && !channel.port.shutdown, Some((*number, member)))
            })
        });
        let by_name: BTreeMap<_, _> =
            alone.chain(members).map(|(name, link, member)| (name, (link, member))).collect();
        let ports =
            (1..).zip(by_name).map(|(port, (name, (link, member)))| (name.clone(), seen(port, link, member)));
        Ok(Status { ports: ports.collect(), ..Status::default() })
    }
}

fn seen(port: u16, link: bool, member: Option<(u32, &Member)>) -> PortStatus {
    PortStatus {
        link,
        speed: 10_000,
        mac: format!("001c.7300.{port:04x}"),
        bundled: link && member.is_some(),
        lacp: member.filter(|_| link).and_then(|(channel, member)| lacp(port, channel, member)),
        ..PortStatus::default()
    }
}

fn lacp(port: u16, channel: u32, member: &Member) -> Option<Lacp> {
    let activity = match member.mode {
        LacpMode::Active => ACTIVITY,
        LacpMode::Passive => 0,
        LacpMode::On => return None,
    };
    let timeout = if member.fast { TIMEOUT } else { 0 };
    let actor = LacpEnd {
        system_priority: 32_768,
        system: SYSTEM.to_owned(),
        port,
        port_priority: 32_768,
        key: u16::try_from(channel).unwrap_or(u16::MAX),
        state: BUNDLED | activity | timeout,
    };
    // Somebody else for each Port-Channel.
    let partner = LacpEnd {
        system: format!("3c:ec:ef:00:{:02x}:{:02x}", channel >> 8 & 0xff, channel & 0xff),
        key: 1,
        state: BUNDLED | ACTIVITY | timeout,
        ..actor.clone()
    };
    Some(Lacp { actor, partner: Some(partner) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{Channel, Port};

    fn member(mode: LacpMode, shutdown: bool) -> Member {
        Member { mode, fast: true, shutdown }
    }

    #[test]
    fn what_is_not_shut_down_is_up_and_what_speaks_lacp_is_answered() {
        let mut plane = Imagined::default();
        let open = Port { shutdown: false, switchport: None };
        let members = [
            ("Ethernet1/1".to_owned(), member(LacpMode::Passive, false)),
            ("Ethernet2/1".to_owned(), member(LacpMode::On, false)),
            ("Ethernet3/1".to_owned(), member(LacpMode::Active, true)),
        ];
        let channel = Channel { port: open.clone(), members: members.into() };
        let intent = Intent {
            channels: [(1001, channel)].into(),
            ports: [("Ethernet4/1".to_owned(), open)].into(),
            ..Intent::default()
        };
        plane.apply(&intent).unwrap();
        let ports = plane.status().unwrap().ports;
        let seen = |name: &str| (ports[name].link, ports[name].bundled, ports[name].lacp.is_some());
        assert_eq!(seen("Ethernet1/1"), (true, true, true));
        assert_eq!(seen("Ethernet2/1"), (true, true, false));
        assert_eq!(seen("Ethernet3/1"), (false, false, false));
        assert_eq!(seen("Ethernet4/1"), (true, false, false));
        assert_eq!(ports["Ethernet1/1"].lacp.as_ref().unwrap().actor.state, 0x3e);
    }
}
