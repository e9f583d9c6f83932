//! A data plane without wires, for trying playbooks: every port has a cable, and whoever is at its other end answers
//! as one would wish, unless the test that imagines it wants otherwise.

use std::collections::BTreeMap;

use crate::dataplane::{
    Channel, DataPlane, Fallback, Intent, Lacp, LacpEnd, LacpMode, Member, PortStatus, SYSTEM, Status,
};
use crate::partner::Partner;

const ACTIVITY: u8 = 1;
const TIMEOUT: u8 = 1 << 1;
const AGGREGATION: u8 = 1 << 2;
const SYNCHRONISATION: u8 = 1 << 3;
const COLLECTING: u8 = 1 << 4;
const DISTRIBUTING: u8 = 1 << 5;
const DEFAULTED: u8 = 1 << 6;
const BUNDLED: u8 = AGGREGATION | SYNCHRONISATION | COLLECTING | DISTRIBUTING;

/// Remembers the configuration, and imagines the rest.
#[derive(Debug, Default)]
pub struct Imagined {
    intent: Intent,
    partners: BTreeMap<String, Partner>,
}

/// How far a member came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody was heard.
    Alone,
    /// The other end was heard, and they did not come together.
    Apart,
    /// The other end's turn.
    Waiting,
    Bundled,
}

impl DataPlane for Imagined {
    fn apply(&mut self, intent: &Intent) -> anyhow::Result<()> {
        self.intent.clone_from(intent);
        Ok(())
    }

    fn status(&mut self) -> anyhow::Result<Status> {
        let alone = self.intent.ports.iter().map(|(name, port)| (name, (!port.shutdown, None)));
        let members = self.intent.channels.iter().flat_map(|(number, channel)| {
            channel.members.iter().map(move |(name, member)| {
                let link = !member.port.shutdown && !channel.port.shutdown;
                (name, (link, Some((*number, channel, member))))
            })
        });
        let by_name: BTreeMap<_, _> = alone.chain(members).collect();
        let seen = (1..).zip(by_name).map(|(number, (name, (link, membership)))| {
            let link = link && self.partner(name) != Partner::Down;
            let mut port = PortStatus {
                link,
                speed: 10_000,
                mac: format!("001c.7300.{number:04x}"),
                ..PortStatus::default()
            };
            if let Some((group, channel, member)) = membership.filter(|_| link) {
                let stage = self.stage(name, channel, member);
                let stands_in = channel.fallback == Some(Fallback::Static(Some(name.clone())));
                port.bundled = stage == Stage::Bundled || stands_in;
                port.lacp =
                    (member.mode != LacpMode::On).then(|| self.lacp(name, number, group, member, stage));
            }
            (name.clone(), port)
        });
        Ok(Status { ports: seen.collect(), ..Status::default() })
    }

    fn set_partner(&mut self, port: &str, partner: Partner) -> anyhow::Result<()> {
        self.partners.insert(port.to_owned(), partner);
        Ok(())
    }
}

impl Imagined {
    fn partner(&self, port: &str) -> Partner {
        self.partners.get(port).copied().unwrap_or_default()
    }

    fn stage(&self, name: &str, channel: &Channel, member: &Member) -> Stage {
        match self.partner(name) {
            _ if member.mode == LacpMode::On => Stage::Bundled,
            Partner::Silent | Partner::Down => Stage::Alone,
            Partner::Passive if member.mode == LacpMode::Passive => Stage::Alone,
            Partner::Individual => Stage::Apart,
            // An aggregate has one partner: the one that most would be bundled with.
            Partner::OtherSystem if channel.members.keys().any(|other| self.is_ordinary(other)) => {
                Stage::Apart
            }
            Partner::OutOfSync => Stage::Waiting,
            Partner::Up | Partner::Passive | Partner::OtherSystem => Stage::Bundled,
        }
    }

    fn is_ordinary(&self, port: &str) -> bool {
        matches!(self.partner(port), Partner::Up | Partner::Passive)
    }

    fn lacp(&self, name: &str, port: u16, channel: u32, member: &Member, stage: Stage) -> Lacp {
        let timeout = if member.fast { TIMEOUT } else { 0 };
        let activity = if member.mode == LacpMode::Active { ACTIVITY } else { 0 };
        let (actor, partner) = match stage {
            Stage::Alone => (AGGREGATION | DEFAULTED, None),
            Stage::Apart => (AGGREGATION, Some(AGGREGATION | SYNCHRONISATION)),
            Stage::Waiting => (AGGREGATION | SYNCHRONISATION, Some(AGGREGATION)),
            Stage::Bundled => (BUNDLED, Some(BUNDLED)),
        };
        let actor = LacpEnd {
            system_priority: 32_768,
            system: SYSTEM.to_owned(),
            port,
            port_priority: member.priority,
            key: u16::try_from(channel).unwrap_or(u16::MAX),
            state: actor | activity | timeout,
        };
        let who = self.partner(name);
        // Somebody else for each Port-Channel.
        let vendor = if who == Partner::OtherSystem { "3c:ec:f0" } else { "3c:ec:ef" };
        let partner = partner.map(|state| LacpEnd {
            system: format!("{vendor}:00:{:02x}:{:02x}", channel >> 8 & 0xff, channel & 0xff),
            port_priority: 32_768,
            key: 1,
            state: timeout
                | match who {
                    Partner::Passive => state,
                    Partner::Individual => state & !AGGREGATION | ACTIVITY,
                    _ => state | ACTIVITY,
                },
            ..actor.clone()
        });
        Lacp { actor, partner }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::Port;

    fn member(mode: LacpMode, shutdown: bool) -> Member {
        Member {
            mode,
            fast: true,
            priority: 7,
            port: Port { shutdown, switchport: None, blocked: false, mtu: 9214 },
        }
    }

    fn imagined(members: &[(&str, Member)], fallback: Option<Fallback>) -> Imagined {
        let open = Port { shutdown: false, switchport: None, blocked: false, mtu: 9214 };
        let members = members.iter().map(|(name, member)| ((*name).to_owned(), member.clone())).collect();
        let mut plane = Imagined::default();
        let intent = Intent {
            channels: [(1001, Channel { port: open.clone(), members, fallback })].into(),
            ports: [("Ethernet4/1".to_owned(), open)].into(),
            ..Intent::default()
        };
        plane.apply(&intent).unwrap();
        plane
    }

    #[test]
    fn what_is_not_shut_down_is_up_and_what_speaks_lacp_is_answered() {
        let members = [
            ("Ethernet1/1", member(LacpMode::Passive, false)),
            ("Ethernet2/1", member(LacpMode::On, false)),
            ("Ethernet3/1", member(LacpMode::Active, true)),
        ];
        let ports = imagined(&members, None).status().unwrap().ports;
        let seen = |name: &str| (ports[name].link, ports[name].bundled, ports[name].lacp.is_some());
        assert_eq!(seen("Ethernet1/1"), (true, true, true));
        assert_eq!(seen("Ethernet2/1"), (true, true, false));
        assert_eq!(seen("Ethernet3/1"), (false, false, false));
        assert_eq!(seen("Ethernet4/1"), (true, false, false));
        assert_eq!(ports["Ethernet1/1"].lacp.as_ref().unwrap().actor.state, 0x3e);
    }

    #[test]
    fn what_the_other_end_is_told_to_be_decides_who_is_bundled() {
        // The partner, how the member speaks, whether there is a link, whether it is bundled, both ends' states.
        let table = [
            ("up", LacpMode::Active, true, true, Some(0x3f), Some(0x3f)),
            ("passive", LacpMode::Active, true, true, Some(0x3f), Some(0x3e)),
            ("passive", LacpMode::Passive, true, false, Some(0x46), None),
            ("silent", LacpMode::Active, true, false, Some(0x47), None),
            ("silent", LacpMode::On, true, true, None, None),
            ("other-system", LacpMode::Active, true, false, Some(0x07), Some(0x0f)),
            ("individual", LacpMode::Active, true, false, Some(0x07), Some(0x0b)),
            ("out-of-sync", LacpMode::Active, true, false, Some(0x0f), Some(0x07)),
            ("down", LacpMode::Active, false, false, None, None),
        ];
        for (partner, mode, link, bundled, actor, theirs) in table {
            let members =
                [("Ethernet1/1", member(mode, false)), ("Ethernet2/1", member(LacpMode::Active, false))];
            let mut plane = imagined(&members, None);
            plane.set_partner("Ethernet1/1", partner.parse().unwrap()).unwrap();
            let ports = plane.status().unwrap().ports;
            let port = &ports["Ethernet1/1"];
            let states = port.lacp.as_ref();
            assert_eq!((port.link, port.bundled), (link, bundled), "{partner}");
            assert_eq!(states.map(|lacp| lacp.actor.state), actor, "{partner}");
            assert_eq!(states.and_then(|lacp| Some(lacp.partner.as_ref()?.state)), theirs, "{partner}");
            assert!(ports["Ethernet2/1"].bundled, "{partner}");
        }
        let error = "dead".parse::<Partner>().unwrap_err().to_string();
        assert!(error.starts_with("`dead` is no partner: there are up, passive"), "{error}");
    }

    #[test]
    fn another_system_is_as_good_as_any_where_it_is_the_only_one() {
        let mut plane = imagined(&[("Ethernet1/1", member(LacpMode::Active, false))], None);
        plane.set_partner("Ethernet1/1", Partner::OtherSystem).unwrap();
        assert!(plane.status().unwrap().ports["Ethernet1/1"].bundled);
    }

    #[test]
    fn one_member_stands_in_where_nobody_answers() {
        let silent = |fallback| {
            let members = [
                ("Ethernet1/1", member(LacpMode::Active, false)),
                ("Ethernet2/1", member(LacpMode::Active, false)),
            ];
            let mut plane = imagined(&members, fallback);
            for (name, _) in members {
                plane.set_partner(name, Partner::Silent).unwrap();
            }
            let ports = plane.status().unwrap().ports;
            [ports["Ethernet1/1"].bundled, ports["Ethernet2/1"].bundled]
        };
        assert_eq!(silent(None), [false, false]);
        assert_eq!(silent(Some(Fallback::Static(Some("Ethernet2/1".to_owned())))), [false, true]);
        assert_eq!(silent(Some(Fallback::Individual)), [false, false]);
    }
}
