//! From a configuration to the rows that Open vSwitch's database has to hold for it, and to how the kernel's interfaces
//! have to be. Nothing is read or written here, but for the interfaces' own switches.

use std::collections::{BTreeMap, BTreeSet};

use super::link::{Link, name_of};
use super::row::{Port, Settings};
use crate::dataplane::{self, Channel, Fallback, Intent, LacpMode, Member, Switchport};

/// A VLAN that nobody may use (IEEE 802.1Q reserves it): a trunk of this one alone carries nothing, while an empty
/// list of trunks would carry everything.
const NO_VLAN: u16 = 4095;
/// The LACP priority of a switch at its defaults.
const SYSTEM_PRIORITY: &str = "32768";

/// The end of the name of a second member without a cable, for a channel of one. Open vSwitch lets a port of one
/// interface carry traffic whether LACP is answered or not, and announces it as an individual link; a bond waits.
pub const STAND_IN: &str = "_none";

/// What the database has to hold, and how interfaces have to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The ports of the bridge.
    pub ports: BTreeMap<String, Port>,
    /// `other_config` of every interface in a port.
    pub interfaces: BTreeMap<String, String>,
    cables: BTreeMap<String, Cable>,
    members: BTreeSet<String>,
    stands_in: BTreeSet<String>,
}

/// How a kernel's interface has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cable {
    up: bool,
    mtu: u32,
}

impl Wanted {
    /// What the configuration comes to on the cables that are there. Of those that were pulled the interface stays, and is
    /// down.
    pub fn new(intent: &Intent, links: &[Link], pulled: &BTreeSet<String>) -> Self {
        let cabled: BTreeSet<&str> = links.iter().map(|link| link.name.as_str()).collect();
        let mut wanted = Self::default();
        for (name, port) in &intent.ports {
            let name = name_of(name);
            if cabled.contains(name.as_str()) {
                let cable = Cable { up: !port.shutdown, mtu: port.mtu };
                wanted.add_alone(name, cable, String::new(), vlans(port, &intent.vlans));
            }
        }
        for (number, channel) in &intent.channels {
            let members = channel.members.iter().map(|(name, member)| (name_of(name), member));
            let members: Vec<_> = members.filter(|(name, _)| cabled.contains(name.as_str())).collect();
            wanted.add_channel(*number, channel, &members, &intent.vlans);
        }
        for port in pulled {
            if let Some(cable) = wanted.cables.get_mut(&name_of(port)) {
                cable.up = false;
            }
        }
        wanted
    }

    fn add_alone(&mut self, name: String, cable: Cable, interface: String, settings: Settings) {
        self.cables.insert(name.clone(), cable);
        self.interfaces.insert(name.clone(), interface);
        self.ports.insert(name.clone(), Port { interfaces: [name].into(), settings });
    }

    fn add_channel(
        &mut self,
        number: u32,
        channel: &Channel,
        members: &[(String, &Member)],
        existing: &BTreeSet<u16>,
    ) {
        for (name, member) in members {
            let up = !member.port.shutdown && !channel.port.shutdown;
            let interface = member_settings(number, member);
            self.members.insert(name.clone());
            if channel.fallback == Some(Fallback::Individual) {
                // LACP goes on by itself there: who answers it ends the fallback.
                let mut settings = lacp_settings(channel);
                settings.extend(vlans(&member.port, existing));
                self.add_alone(name.clone(), Cable { up, mtu: member.port.mtu }, interface, settings);
            } else {
                self.cables.insert(name.clone(), Cable { up, mtu: channel.port.mtu });
                self.interfaces.insert(name.clone(), interface);
            }
        }
        let mut interfaces: BTreeSet<String> = members.iter().map(|(name, _)| name.clone()).collect();
        if interfaces.is_empty() || channel.fallback == Some(Fallback::Individual) {
            return;
        }
        let mut settings = bond_settings(channel);
        if interfaces.len() == 1 && settings.contains_key("lacp") {
            interfaces.insert(format!("Po{number}{STAND_IN}"));
        }
        if let Some(Fallback::Static(Some(first))) = &channel.fallback {
            self.stands_in.insert(name_of(first));
        }
        settings.extend(vlans(&channel.port, existing));
        self.ports.insert(format!("Po{number}"), Port { interfaces, settings });
    }

    /// Whether an interface is in a Port-Channel.
    pub fn is_member(&self, interface: &str) -> bool {
        self.members.contains(interface)
    }

    /// Whether an interface is the one that carries its Port-Channel's traffic while nobody answers LACP.
    pub fn stands_in(&self, interface: &str) -> bool {
        self.stands_in.contains(interface)
    }

    /// Of the interfaces, sets those up that have to be up, or those down that have to be down; and what they carry.
    pub fn set_links(&self, links: &[Link], up: bool) -> anyhow::Result<()> {
        for link in links {
            match self.cables.get(&link.name) {
                Some(cable) if cable.up == up => link.set(up, cable.mtu)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// LACP is Open vSwitch's matter per bond: it begins if any member begins, and is fast if any is. Nothing where no member
/// speaks it.
fn lacp_settings(channel: &Channel) -> Settings {
    let any = |mode| channel.members.values().any(|member| member.mode == mode);
    let lacp = match (any(LacpMode::Active), any(LacpMode::Passive)) {
        (true, _) => "active",
        (false, true) => "passive",
        (false, false) => return Settings::new(),
    };
    let time = if channel.members.values().any(|member| member.fast) { "fast" } else { "slow" };
    let mut other = format!("lacp-system-priority={SYSTEM_PRIORITY},lacp-time={time}");
    // In the order of letters, as `row.rs` reads them back.
    if let Some(Fallback::Static(first)) = &channel.fallback {
        let first = first.as_ref().map(|first| format!("bond-primary={},", name_of(first)));
        other = format!("{}lacp-fallback-ab=true,{other}", first.unwrap_or_default());
    }
    [("lacp", lacp.to_owned()), ("other_config", other)].into()
}

fn bond_settings(channel: &Channel) -> Settings {
    let mut settings = lacp_settings(channel);
    let mode = if settings.is_empty() { "balance-slb" } else { "balance-tcp" };
    settings.insert("bond_mode", mode.to_owned());
    settings
}

/// The key is the channel's number, as on EOS, and so does not change with the members.
fn member_settings(number: u32, member: &Member) -> String {
    let priority = member.priority;
    match (member.mode, u16::try_from(number)) {
        (LacpMode::On, _) => String::new(),
        (_, Ok(key)) => format!("lacp-aggregation-key={key},lacp-port-priority={priority}"),
        (_, Err(_)) => format!("lacp-port-priority={priority}"),
    }
}

/// A VLAN that is not in the VLAN database carries nothing, and neither does a routed port, or one that is blocked. LACP
/// passes all the same: Open vSwitch takes it before it looks at VLANs.
fn vlans(port: &dataplane::Port, existing: &BTreeSet<u16>) -> Settings {
    let trunk = |vlans: &BTreeSet<u16>| -> Settings {
        let mut numbers: Vec<String> = vlans.iter().map(u16::to_string).collect();
        if numbers.is_empty() {
            numbers.push(NO_VLAN.to_string());
        }
        [("vlan_mode", "trunk".to_owned()), ("trunks", numbers.join(","))].into()
    };
    match port.switchport.as_ref().filter(|_| !port.blocked) {
        Some(Switchport::Access(vlan)) if existing.contains(vlan) => {
            [("vlan_mode", "access".to_owned()), ("tag", vlan.to_string())].into()
        }
        Some(Switchport::Trunk { native, allowed }) => {
            let carried: BTreeSet<u16> = allowed.intersection(existing).copied().collect();
            let mut settings = trunk(&carried);
            if let Some(native) = native.filter(|native| carried.contains(native)) {
                settings.insert("vlan_mode", "native-untagged".to_owned());
                settings.insert("tag", native.to_string());
            }
            settings
        }
        Some(Switchport::Access(_)) | None => trunk(&BTreeSet::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(native: Option<u16>, allowed: &[u16]) -> Switchport {
        Switchport::Trunk { native, allowed: allowed.iter().copied().collect() }
    }

    fn port(switchport: Option<Switchport>) -> dataplane::Port {
        dataplane::Port { shutdown: false, switchport, blocked: false, mtu: 9214 }
    }

    fn shown(settings: &Settings) -> String {
        settings.iter().map(|(column, value)| format!("{column}={value} ")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn vlans_that_do_not_exist_carry_nothing_and_a_blocked_port_neither() {
        let existing: BTreeSet<u16> = [1, 10, 20].into();
        let carried = |switchport: Option<Switchport>| shown(&vlans(&port(switchport), &existing));
        assert_eq!(carried(Some(Switchport::Access(10))), "tag=10 vlan_mode=access ");
        assert_eq!(
            carried(Some(trunk(Some(1), &[1, 10, 30]))),
            "tag=1 trunks=1,10 vlan_mode=native-untagged "
        );
        assert_eq!(carried(Some(trunk(Some(30), &[10, 30]))), "trunks=10 vlan_mode=trunk ");
        assert_eq!(carried(Some(trunk(Some(1), &[10]))), "trunks=10 vlan_mode=trunk ");
        assert_eq!(carried(Some(trunk(None, &[1, 10]))), "trunks=1,10 vlan_mode=trunk ");
        let nothing = "trunks=4095 vlan_mode=trunk ";
        for none in [None, Some(Switchport::Access(30)), Some(trunk(Some(1), &[])), Some(trunk(None, &[30]))]
        {
            assert_eq!(carried(none), nothing);
        }
        let blocked = dataplane::Port { blocked: true, ..port(Some(Switchport::Access(10))) };
        assert_eq!(shown(&vlans(&blocked, &existing)), nothing);
    }

    /// Of a trunk whose members are access ports by themselves, and do not get an answer.
    fn fallen(fallback: Fallback) -> Wanted {
        let member = Member {
            mode: LacpMode::Passive,
            fast: true,
            priority: 7,
            port: port(Some(Switchport::Access(10))),
        };
        let members = ["Ethernet1", "Ethernet2"].map(|name| (name.to_owned(), member.clone())).into();
        let mut channel = Channel { port: port(Some(trunk(None, &[20]))), members, fallback: Some(fallback) };
        channel.port.mtu = 1600;
        let intent = Intent { vlans: [10, 20].into(), channels: [(5, channel)].into(), ..Intent::default() };
        Wanted::new(&intent, &["Et1", "Et2"].map(Link::named), &BTreeSet::new())
    }

    #[test]
    fn in_a_static_fallback_the_bond_uses_one_member_without_an_answer() {
        let wanted = fallen(Fallback::Static(Some("Ethernet2".to_owned())));
        assert_eq!(
            shown(&wanted.ports["Po5"].settings),
            "bond_mode=balance-tcp lacp=passive \
             other_config=bond-primary=Et2,lacp-fallback-ab=true,lacp-system-priority=32768,lacp-time=fast \
             trunks=20 vlan_mode=trunk "
        );
        assert_eq!((wanted.stands_in("Et1"), wanted.stands_in("Et2")), (false, true));
        assert!(wanted.cables.values().all(|cable| *cable == Cable { up: true, mtu: 1600 }));
    }

    #[test]
    fn in_an_individual_fallback_members_have_their_own_settings_and_go_on_with_lacp() {
        let wanted = fallen(Fallback::Individual);
        assert_eq!(wanted.ports.keys().collect::<Vec<_>>(), ["Et1", "Et2"]);
        for (name, port) in &wanted.ports {
            assert_eq!(port.interfaces, [name.clone()].into());
            assert_eq!(
                shown(&port.settings),
                "lacp=passive other_config=lacp-system-priority=32768,lacp-time=fast tag=10 vlan_mode=access "
            );
            assert_eq!(wanted.interfaces[name], "lacp-aggregation-key=5,lacp-port-priority=7");
        }
        assert!(wanted.cables.values().all(|cable| *cable == Cable { up: true, mtu: 9214 }));
    }
}
