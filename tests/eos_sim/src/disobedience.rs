//! What the ports do otherwise than the configuration says and the CLI shows: hardware that was programmed wrongly, or a
//! Port-Channel that another hand set up. What is typed and read back is right all the same.

use std::str::FromStr;

use crate::dataplane::{Fallback, Intent, LacpMode, Switchport};

/// In what the ports disobey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Disobedience {
    /// In nothing.
    #[default]
    Nothing,
    /// Port-Channels bundle without LACP.
    Static,
    /// Port-Channels do not bundle at all: their members are ports of their own, without LACP.
    Off,
    /// Port-Channels carry another VLAN than they are set to.
    Vlan,
    /// No port heeds portfast.
    Portfast,
}

/// All of them, as they are typed.
const ALL: [(&str, Disobedience); 5] = [
    ("nothing", Disobedience::Nothing),
    ("static", Disobedience::Static),
    ("off", Disobedience::Off),
    ("vlan", Disobedience::Vlan),
    ("portfast", Disobedience::Portfast),
];

/// The VLAN that is carried instead. The lab's is another one.
const OTHER_VLAN: u16 = 1;

impl Disobedience {
    /// What the ports make of what they are told. Portfast is a matter of time: `forwarding.rs`.
    pub fn made_of(self, intent: &Intent) -> Intent {
        let mut made = intent.clone();
        for channel in made.channels.values_mut() {
            match self {
                Self::Nothing | Self::Portfast => {}
                Self::Static => channel.members.values_mut().for_each(|member| member.mode = LacpMode::On),
                Self::Off => {
                    channel.members.values_mut().for_each(|member| member.mode = LacpMode::On);
                    channel.fallback = Some(Fallback::Individual);
                }
                Self::Vlan => channel.port.switchport = Some(Switchport::Access(OTHER_VLAN)),
            }
        }
        made
    }
}

impl FromStr for Disobedience {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let found = ALL.iter().find_map(|(word, kind)| (*word == text).then_some(*kind));
        found.ok_or_else(|| {
            let words = ALL.map(|(word, _)| word).join(", ");
            anyhow::anyhow!("`{text}` is nothing to disobey in: there are {words}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{Channel, Member, Port};

    #[test]
    fn only_what_is_disobeyed_in_is_otherwise_and_only_on_port_channels() {
        let port =
            Port { shutdown: false, switchport: Some(Switchport::Access(10)), blocked: false, mtu: 9214 };
        let member = Member { mode: LacpMode::Active, fast: true, priority: 1, port: port.clone() };
        let members = [("Ethernet1".to_owned(), member)].into();
        let channel = Channel { port: port.clone(), members, fallback: None };
        let intent = Intent {
            vlans: [1, 10].into(),
            channels: [(5, channel)].into(),
            ports: [("Ethernet2".to_owned(), port)].into(),
        };
        let made = |word: &str| word.parse::<Disobedience>().unwrap().made_of(&intent);
        assert_eq!((made("nothing"), made("portfast")), (intent.clone(), intent.clone()));
        let mut expected = intent.clone();
        expected.channels.get_mut(&5).unwrap().members.get_mut("Ethernet1").unwrap().mode = LacpMode::On;
        assert_eq!(made("static"), expected);
        expected.channels.get_mut(&5).unwrap().fallback = Some(Fallback::Individual);
        assert_eq!(made("off"), expected);
        let mut expected = intent.clone();
        expected.channels.get_mut(&5).unwrap().port.switchport = Some(Switchport::Access(1));
        assert_eq!(made("vlan"), expected);
    }
}
