//! From the rows that are in Open vSwitch's database to those that are wanted (`wanted.rs`), in the one transaction that
//! makes the difference. Nothing is done here.

use super::link::Link;
use super::row::{Database, PORT_SETTINGS, Port};
use super::wanted::{STAND_IN, Wanted};

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
    use std::collections::BTreeMap;

    use std::collections::BTreeSet;

    use super::*;
    use crate::dataplane::{self, Channel, Fallback, Intent, LacpMode, Member, Switchport};

    fn links() -> Vec<Link> {
        ["Et1", "Et2", "Et3"].map(Link::named).into()
    }

    fn intent(members: &[(&str, LacpMode)], switchport: Option<Switchport>) -> Intent {
        let port = |switchport| dataplane::Port { shutdown: false, switchport, blocked: false, mtu: 9214 };
        let member =
            |mode| Member { mode, fast: false, priority: 32768, port: port(Some(Switchport::Access(10))) };
        let members: BTreeMap<_, _> =
            members.iter().map(|(name, mode)| ((*name).to_owned(), member(*mode))).collect();
        let alone = ["Ethernet1", "Ethernet2", "Ethernet3", "Ethernet4"].map(str::to_owned).into_iter();
        Intent {
            vlans: [1, 10, 20].into(),
            ports: alone
                .filter(|name| !members.contains_key(name))
                .map(|name| (name, port(Some(Switchport::Access(1)))))
                .collect(),
            channels: [(1001, Channel { port: port(switchport), members, fallback: None })].into(),
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
        let none = BTreeSet::new();
        let (from, to) = (Wanted::new(from, &links(), &none), Wanted::new(to, &links(), &none));
        transaction("sw", &holding(&from), &to, &links()).join(" ")
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
    fn a_fallback_puts_members_on_their_own_with_the_interfaces_that_are_there() {
        let bundled = intent(&[("Ethernet1", LacpMode::Active)], None);
        let mut alone = bundled.clone();
        alone.channels.get_mut(&1001).unwrap().fallback = Some(Fallback::Individual);
        assert_eq!(
            change(&bundled, &alone),
            "-- --id=@old_Po1001 get Port Po1001 -- remove Bridge sw ports @old_Po1001 \
             -- --id=@Et1 get Interface Et1 \
             -- --id=@new_Et1 create Port name=Et1 interfaces=@Et1 -- add Bridge sw ports @new_Et1 \
             -- set Port Et1 tag=10 -- set Port Et1 vlan_mode=access -- set Port Et1 lacp=active \
             -- set Port Et1 other_config=lacp-system-priority=32768,lacp-time=slow"
        );
        let back = change(&alone, &bundled);
        assert!(
            back.starts_with("-- --id=@old_Et1 get Port Et1 -- remove Bridge sw ports @old_Et1 "),
            "{back}"
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
        let nothing = Wanted::new(&intent(&[], None), &[], &BTreeSet::new());
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
