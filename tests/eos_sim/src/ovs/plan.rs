//! From a configuration to rows of Open vSwitch's database, and from the rows that are there to the one transaction
//! that makes the difference. Nothing is done here.

use std::collections::{BTreeMap, BTreeSet};

use super::link::{Link, name_of};
use super::row::{Database, PORT_SETTINGS, Port, Settings};
use crate::dataplane::{Channel, Intent, LacpMode, Switchport};

/// A VLAN that nobody may use (IEEE 802.1Q reserves it): a trunk of this one alone carries nothing, while an empty
/// list of trunks would carry everything.
const NO_VLAN: u16 = 4095;
/// The LACP priorities of a switch at its defaults.
const LACP_PRIORITY: &str = "32768";

/// The end of the name of a second member without a cable, for a channel of one. Open vSwitch lets a port of one
/// interface carry traffic whether LACP is answered or not, and announces it as an individual link; a bond waits.
const STAND_IN: &str = "_none";

/// What the database has to hold, and which interfaces have to be up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    ports: BTreeMap<String, Port>,
    /// `other_config` of every interface in a port.
    interfaces: BTreeMap<String, String>,
    up: BTreeMap<String, bool>,
    members: BTreeSet<String>,
}

impl Wanted {
    /// What the configuration comes to on the cables that are there.
    pub fn new(intent: &Intent, links: &[Link]) -> Self {
        let cabled: BTreeSet<&str> = links.iter().map(|link| link.name.as_str()).collect();
        let mut wanted = Self::default();
        for (name, port) in &intent.ports {
            let name = name_of(name);
            if cabled.contains(name.as_str()) {
                wanted.up.insert(name.clone(), !port.shutdown);
                wanted.interfaces.insert(name.clone(), String::new());
                let settings = vlans(port.switchport.as_ref(), &intent.vlans);
                wanted.ports.insert(name.clone(), Port { interfaces: [name].into(), settings });
            }
        }
        for (number, channel) in &intent.channels {
            wanted.add_channel(*number, channel, intent, &cabled);
        }
        wanted
    }

    fn add_channel(&mut self, number: u32, channel: &Channel, intent: &Intent, cabled: &BTreeSet<&str>) {
        let mut interfaces = BTreeSet::new();
        for (name, member) in &channel.members {
            let name = name_of(name);
            if cabled.contains(name.as_str()) {
                self.up.insert(name.clone(), !member.shutdown && !channel.port.shutdown);
                self.interfaces.insert(name.clone(), member_settings(number, member.mode));
                self.members.insert(name.clone());
                interfaces.insert(name);
            }
        }
        let mut settings = bond_settings(channel);
        if interfaces.len() == 1 && settings.contains_key("lacp") {
            interfaces.insert(format!("Po{number}{STAND_IN}"));
        }
        if !interfaces.is_empty() {
            settings.extend(vlans(channel.port.switchport.as_ref(), &intent.vlans));
            self.ports.insert(format!("Po{number}"), Port { interfaces, settings });
        }
    }

    /// Whether an interface is in a Port-Channel.
    pub fn is_member(&self, interface: &str) -> bool {
        self.members.contains(interface)
    }

    /// Of the interfaces, sets those up that have to be up, or those down that have to be down.
    pub fn set_links(&self, links: &[Link], up: bool) -> anyhow::Result<()> {
        for link in links.iter().filter(|link| self.up.get(&link.name) == Some(&up) && link.is_up() != up) {
            link.set_up(up)?;
        }
        Ok(())
    }
}

/// LACP is Open vSwitch's matter per bond: it begins if any member begins, and is fast if any is.
fn bond_settings(channel: &Channel) -> Settings {
    let any = |mode| channel.members.values().any(|member| member.mode == mode);
    let lacp = match (any(LacpMode::Active), any(LacpMode::Passive)) {
        (true, _) => "active",
        (false, true) => "passive",
        (false, false) => return [("bond_mode", "balance-slb".to_owned())].into(),
    };
    let time = if channel.members.values().any(|member| member.fast) { "fast" } else { "slow" };
    [
        ("bond_mode", "balance-tcp".to_owned()),
        ("lacp", lacp.to_owned()),
        ("other_config", format!("lacp-system-priority={LACP_PRIORITY},lacp-time={time}")),
    ]
    .into()
}

/// The key is the channel's number, as on EOS, and so does not change with the members.
fn member_settings(number: u32, mode: LacpMode) -> String {
    match (mode, u16::try_from(number)) {
        (LacpMode::On, _) => String::new(),
        (_, Ok(key)) => format!("lacp-aggregation-key={key},lacp-port-priority={LACP_PRIORITY}"),
        (_, Err(_)) => format!("lacp-port-priority={LACP_PRIORITY}"),
    }
}

/// A VLAN that is not in the VLAN database carries nothing, and neither does a routed port.
fn vlans(switchport: Option<&Switchport>, existing: &BTreeSet<u16>) -> Settings {
    let trunk = |vlans: &BTreeSet<u16>| -> Settings {
        let mut numbers: Vec<String> = vlans.iter().map(u16::to_string).collect();
        if numbers.is_empty() {
            numbers.push(NO_VLAN.to_string());
        }
        [("vlan_mode", "trunk".to_owned()), ("trunks", numbers.join(","))].into()
    };
    match switchport {
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

/// The arguments of one `ovs-vsctl` that brings what was found to what is wanted; none where it is so. Ports that
/// are not named as the switch names its own are somebody else's.
pub fn transaction(bridge: &str, found: &Database, wanted: &Wanted, links: &[Link]) -> Vec<String> {
    let mut commands = Commands::default();
    if !found.bridge {
        commands.add(["--may-exist", "add-br", bridge]);
        commands.add(["set", "Bridge", bridge, "datapath_type=netdev"]);
        // The switch's own address: without it the bridge's, and with it the LACP system, follows the ports it has.
        if let Some(lowest) = links.iter().map(Link::address).min() {
            commands.add(["set", "Bridge", bridge, &format!("other_config:hwaddr=\"{lowest}\"")]);
        }
    }
    for name in found.ports.keys().filter(|name| is_ours(name) && !wanted.ports.contains_key(*name)) {
        commands.add([&format!("--id=@old_{name}"), "get", "Port", name]);
        commands.add(["remove", "Bridge", bridge, "ports", &format!("@old_{name}")]);
    }
    let rewired = |name: &String, port: &Port| {
        found.ports.get(name).is_none_or(|old| old.interfaces != port.interfaces)
    };
    for name in
        wanted.ports.iter().filter(|(name, port)| rewired(name, port)).flat_map(|(_, port)| &port.interfaces)
    {
        // A row that is there already moves, so that the interface stays in use.
        let id = format!("--id=@{name}");
        if found.interfaces.contains_key(name) {
            commands.add([&id, "get", "Interface", name]);
        } else {
            let kind = if name.ends_with(STAND_IN) { "type=internal" } else { "type=system" };
            commands.add([&id, "create", "Interface", &assignment("name", name), kind]);
        }
    }
    for (name, port) in &wanted.ports {
        let interfaces: Vec<String> =
            port.interfaces.iter().map(|interface| format!("@{interface}")).collect();
        let interfaces = assignment("interfaces", &interfaces.join(","));
        let old = found.ports.get(name);
        if old.is_none() {
            commands.add([
                &format!("--id=@new_{name}"),
                "create",
                "Port",
                &assignment("name", name),
                &interfaces,
            ]);
            commands.add(["add", "Bridge", bridge, "ports", &format!("@new_{name}")]);
        } else if rewired(name, port) {
            commands.add(["set", "Port", name, &interfaces]);
        }
        for column in PORT_SETTINGS {
            commands.change(
                "Port",
                name,
                column,
                old.map_or("", |old| old.setting(column)),
                port.setting(column),
            );
        }
    }
    for (name, settings) in &wanted.interfaces {
        let old = found.interfaces.get(name).map_or("", String::as_str);
        commands.change("Interface", name, "other_config", old, settings);
    }
    commands.0
}

fn assignment(column: &str, value: &str) -> String {
    format!("{column}={value}")
}

fn is_ours(port: &str) -> bool {
    let numbered = |prefix| {
        port.strip_prefix(prefix)
            .is_some_and(|rest: &str| rest.starts_with(|digit: char| digit.is_ascii_digit()))
    };
    numbered("Et") || numbered("Po")
}

/// Commands of one `ovs-vsctl`, a `--` before each.
#[derive(Default)]
struct Commands(Vec<String>);

impl Commands {
    fn add<T: AsRef<str>>(&mut self, command: impl IntoIterator<Item = T>) {
        self.0.push("--".to_owned());
        self.0.extend(command.into_iter().map(|word| word.as_ref().to_owned()));
    }

    /// Of a value, the empty text stands for none.
    fn change(&mut self, table: &str, row: &str, column: &str, from: &str, to: &str) {
        if to.is_empty() && !from.is_empty() {
            self.add(["clear", table, row, column]);
        } else if to != from {
            self.add(["set", table, row, &assignment(column, to)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::{self, Member};

    fn links() -> Vec<Link> {
        ["Et1", "Et2", "Et3"].map(Link::named).into()
    }

    fn intent(members: &[(&str, LacpMode)], switchport: Option<Switchport>) -> Intent {
        let member = |mode| Member { mode, fast: false, shutdown: false };
        let port = |switchport| dataplane::Port { shutdown: false, switchport };
        let members: BTreeMap<_, _> =
            members.iter().map(|(name, mode)| ((*name).to_owned(), member(*mode))).collect();
        let alone = ["Ethernet1", "Ethernet2", "Ethernet3", "Ethernet4"].map(str::to_owned).into_iter();
        Intent {
            vlans: [1, 10, 20].into(),
            ports: alone
                .filter(|name| !members.contains_key(name))
                .map(|name| (name, port(Some(Switchport::Access(1)))))
                .collect(),
            channels: [(1001, Channel { port: port(switchport), members })].into(),
        }
    }

    fn trunk(native: Option<u16>, allowed: &[u16]) -> Switchport {
        Switchport::Trunk { native, allowed: allowed.iter().copied().collect() }
    }

    /// A database that holds exactly what is wanted.
    fn holding(wanted: &Wanted) -> Database {
        Database { bridge: true, ports: wanted.ports.clone(), interfaces: wanted.interfaces.clone() }
    }

    fn change(from: &Intent, to: &Intent) -> String {
        let (from, to) = (Wanted::new(from, &links()), Wanted::new(to, &links()));
        transaction("sw", &holding(&from), &to, &links()).join(" ")
    }

    #[test]
    fn vlans_that_do_not_exist_carry_nothing() {
        let existing: BTreeSet<u16> = [1, 10, 20].into();
        let shown = |switchport: Option<Switchport>| -> String {
            let settings = vlans(switchport.as_ref(), &existing);
            settings.iter().map(|(column, value)| format!("{column}={value} ")).collect::<Vec<_>>().concat()
        };
        assert_eq!(shown(Some(Switchport::Access(10))), "tag=10 vlan_mode=access ");
        assert_eq!(shown(Some(trunk(Some(1), &[1, 10, 30]))), "tag=1 trunks=1,10 vlan_mode=native-untagged ");
        assert_eq!(shown(Some(trunk(Some(30), &[10, 30]))), "trunks=10 vlan_mode=trunk ");
        assert_eq!(shown(Some(trunk(Some(1), &[10]))), "trunks=10 vlan_mode=trunk ");
        assert_eq!(shown(Some(trunk(None, &[1, 10]))), "trunks=1,10 vlan_mode=trunk ");
        for nothing in
            [None, Some(Switchport::Access(30)), Some(trunk(Some(1), &[])), Some(trunk(None, &[30]))]
        {
            assert_eq!(shown(nothing), "trunks=4095 vlan_mode=trunk ");
        }
    }

    #[test]
    fn what_is_so_is_left_alone() {
        let intent = intent(
            &[("Ethernet1", LacpMode::Active), ("Ethernet2", LacpMode::Active)],
            Some(trunk(Some(1), &[1])),
        );
        assert_eq!(change(&intent, &intent), "");
    }

    #[test]
    fn members_leave_their_own_ports_for_a_bond_in_one_transaction() {
        let to = intent(
            &[("Ethernet1", LacpMode::Active), ("Ethernet2", LacpMode::Passive)],
            Some(trunk(None, &[10])),
        );
        assert_eq!(
            change(&intent(&[], None), &to),
            "-- --id=@old_Et1 get Port Et1 -- remove Bridge sw ports @old_Et1 \
             -- --id=@old_Et2 get Port Et2 -- remove Bridge sw ports @old_Et2 \
             -- --id=@Et1 get Interface Et1 -- --id=@Et2 get Interface Et2 \
             -- --id=@new_Po1001 create Port name=Po1001 interfaces=@Et1,@Et2 -- add Bridge sw ports @new_Po1001 \
             -- set Port Po1001 trunks=10 -- set Port Po1001 vlan_mode=trunk -- set Port Po1001 lacp=active \
             -- set Port Po1001 bond_mode=balance-tcp \
             -- set Port Po1001 other_config=lacp-system-priority=32768,lacp-time=slow \
             -- set Interface Et1 other_config=lacp-aggregation-key=1001,lacp-port-priority=32768 \
             -- set Interface Et2 other_config=lacp-aggregation-key=1001,lacp-port-priority=32768"
        );
    }

    #[test]
    fn a_member_that_stays_is_not_touched_when_another_one_joins() {
        let from = intent(&[("Ethernet1", LacpMode::Active)], None);
        let to = intent(&[("Ethernet1", LacpMode::Active), ("Ethernet2", LacpMode::Active)], None);
        assert_eq!(
            change(&from, &to),
            "-- --id=@old_Et2 get Port Et2 -- remove Bridge sw ports @old_Et2 \
             -- --id=@Et1 get Interface Et1 -- --id=@Et2 get Interface Et2 \
             -- set Port Po1001 interfaces=@Et1,@Et2 \
             -- set Interface Et2 other_config=lacp-aggregation-key=1001,lacp-port-priority=32768"
        );
    }

    #[test]
    fn a_channel_of_one_waits_for_lacp_with_a_stand_in() {
        let to = intent(&[("Ethernet3", LacpMode::Active)], None);
        let made = change(&intent(&[], None), &to);
        assert!(
            made.contains("-- --id=@Po1001_none create Interface name=Po1001_none type=internal "),
            "{made}"
        );
        assert!(made.contains(" name=Po1001 interfaces=@Et3,@Po1001_none "), "{made}");
        let without_lacp = change(&intent(&[], None), &intent(&[("Ethernet3", LacpMode::On)], None));
        assert!(without_lacp.contains(" name=Po1001 interfaces=@Et3 "), "{without_lacp}");
    }

    #[test]
    fn settings_that_end_are_cleared() {
        let from = intent(&[("Ethernet1", LacpMode::Passive)], Some(trunk(Some(1), &[1])));
        let to = intent(&[("Ethernet1", LacpMode::On)], Some(trunk(None, &[1])));
        assert_eq!(
            change(&from, &to),
            "-- --id=@Et1 get Interface Et1 -- set Port Po1001 interfaces=@Et1 \
             -- clear Port Po1001 tag -- set Port Po1001 vlan_mode=trunk -- clear Port Po1001 lacp \
             -- set Port Po1001 bond_mode=balance-slb -- clear Port Po1001 other_config \
             -- clear Interface Et1 other_config"
        );
    }

    #[test]
    fn a_port_without_a_cable_is_no_port_and_a_foreign_one_stays() {
        let mut found = Database { bridge: true, ..Database::default() };
        found.ports = [("sw".to_owned(), Port::default()), ("guest".to_owned(), Port::default())].into();
        found.ports.insert("Po7".to_owned(), Port::default());
        let nothing = Wanted::new(&intent(&[], None), &[]);
        assert_eq!(
            transaction("sw", &found, &nothing, &[]).join(" "),
            "-- --id=@old_Po7 get Port Po7 -- remove Bridge sw ports @old_Po7"
        );
    }

    #[test]
    fn a_bridge_is_made_where_there_is_none() {
        let made = transaction("sw", &Database::default(), &Wanted::default(), &[]).join(" ");
        assert_eq!(made, "-- --may-exist add-br sw -- set Bridge sw datapath_type=netdev");
    }
}
