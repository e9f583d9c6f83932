//! How addresses move from NICs and Linux bridges into Open vSwitch and back with hardly a packet lost: by hand, in the order
//! make before break, so that the reload after it finds nothing of it left to do.
//!
//! A reload alone cuts the traffic for as long as ifupdown2 takes from taking an address away to giving it back. A bond that
//! begins with active LACP is silent until it has given up on a partner, for three seconds; one that begins with two members
//! may choose the one of which the switch does not know that the node is there. Measured on Open vSwitch 3.1.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use ansible_module::converge::Device;
use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::change::Change;
use crate::links::{default_route, own_address};
use crate::live::Port;
use crate::node::Node;
use crate::ovsdb::{self, NewPort, PortColumn, Transaction};
use crate::provisional::falls_back;
use crate::state::{Link, State};

/// The commands that move addresses, beside the checkpoint.
const BATCH: &str = "ip";
/// How long an interface of Open vSwitch may take until the kernel has it.
const BORN: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(1);

/// Addresses that move, with the links that lose them and the new ones that get them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Move<'a> {
    losing: Vec<(&'a str, Vec<&'a str>)>,
    gaining: Vec<(&'a str, &'a Link)>,
}

impl<'a> Move<'a> {
    fn of(changes: &'a [Change]) -> Self {
        let links = || {
            changes.iter().filter_map(|change| match change {
                Change::Link { name, from, to } => Some((name.as_str(), from, to)),
                _ => None,
            })
        };
        let lost = |from: &'a Link, to: &'a Link| {
            let goes = |cidr: &String| from.addresses.get(cidr) == Some(&true);
            to.addresses.iter().filter(move |(cidr, is)| !**is && goes(cidr)).map(|(cidr, _)| cidr.as_str())
        };
        let all: BTreeSet<&str> = links().flat_map(|(_, from, to)| lost(from, to)).gather();
        let gaining: Vec<_> = links()
            .filter(|(_, from, to)| !from.present && addresses(to).any(|cidr| all.contains(cidr)))
            .map(|(name, _, to)| (name, to))
            .collect();
        let gained: BTreeSet<&str> = gaining.iter().flat_map(|(_, to)| addresses(to)).gather();
        let losing = links().filter_map(|(name, from, to)| {
            let moving: Vec<&str> = lost(from, to).filter(|cidr| gained.contains(cidr)).collect();
            (!moving.is_empty()).then_some((name, moving))
        });
        Self { losing: losing.collect(), gaining }
    }

    /// The commands of ip(8), a line each: the new links as they shall be, then each address from the old to the new.
    fn batch(&self) -> String {
        let mut lines = Vec::new();
        for (name, link) in &self.gaining {
            lines.extend(link.mac.iter().map(|mac| format!("link set dev {name} address {mac}")));
            lines.push(format!("link set dev {name} up"));
        }
        for (name, moving) in &self.losing {
            lines.extend(moving.iter().map(|cidr| own_address("del", cidr, name).join(" ")));
        }
        for (name, link) in &self.gaining {
            lines.extend(addresses(link).map(|cidr| own_address("add", cidr, name).join(" ")));
            let gateways = link.gateways.iter().filter(|(_, is)| **is);
            lines.extend(gateways.map(|(gateway, _)| default_route("replace", gateway, name).join(" ")));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

fn addresses(link: &Link) -> impl Iterator<Item = &str> {
    link.addresses.iter().filter(|(_, is)| **is).map(|(cidr, _)| cidr.as_str())
}

impl Node<'_> {
    /// Moves addresses to new `IntPort`s, with the bridges and ports that these need. Says whether there was anything to move;
    /// then the Linux bridges that go are gone.
    ///
    /// What is slow – a datapath, an interface – is made while the traffic still takes its old way, an OVSBridge beside the
    /// Linux bridge whose name it has: only its own interface has to wait for that name. The kernel takes long to delete
    /// a bridge, so that comes last.
    pub(crate) fn hand_over(&mut self, changes: &[Change]) -> Result<bool, Fault> {
        let moved = Move::of(changes);
        if moved.gaining.is_empty() {
            return Ok(false);
        }
        // Who leaves a Linux bond, or a Linux bridge that stays, has left it by now.
        Device::read(self)?;
        let carriers = carriers(changes, &moved);
        let is_first = |name: &str| moved.gaining.iter().any(|(gaining, _)| *gaining == name);
        self.send(|transaction| {
            make_bridges(transaction, changes);
            make_ports(transaction, changes, &carriers, is_first)
        })?;
        for (name, _) in &moved.gaining {
            self.wait_for_link(name)?;
        }
        Device::read(self)?;
        let released = self.released(changes);
        let rest = |transaction: &mut Transaction<'_>| {
            make_ports(transaction, changes, &carriers, |name| !is_first(name))
        };
        if released.is_empty() {
            self.send(rest)?;
            self.move_addresses(&moved, "")?;
        } else {
            self.move_addresses(&moved, &released)?;
            self.send(rest)?;
        }
        self.delete_linux_bridges(changes)?;
        self.make_passive()?;
        Ok(true)
    }

    /// Gives addresses back, by hand, to links that lost them to ports which go.
    pub(crate) fn hand_back(&mut self, before: &State) -> Result<(), Fault> {
        // Also where Open vSwitch is away: what is the kernel's does not need it.
        let left = self.left(before)?;
        let regains = |change: &&Change| match change {
            // Linux bridges are made anew with theirs.
            Change::Link { name, from, to } if before.linux_bridges.get(name).is_none_or(Option::is_none) => {
                from.present && addresses(to).any(|cidr| from.addresses.get(cidr) != Some(&true))
            }
            _ => false,
        };
        let regained: Vec<&Change> = left.iter().filter(regains).collect();
        if regained.is_empty() {
            return Ok(());
        }
        let goes = |change: &&Change| {
            matches!(
                change,
                Change::Bridge { from: Some(_), to: None, .. } | Change::Port { from: Some(_), to: None, .. }
            )
        };
        let going: Vec<Change> = left.iter().filter(goes).cloned().collect();
        // Where Open vSwitch does not answer, its links stay, and the addresses are all the more needed.
        // What is left of them is read back in the end: with the first of a network may go its others.
        for command in taken_back(&left, &regained) {
            let _ = self.run_ip(&[command]);
        }
        let gone = self.transact(&going, Port::set_all);
        for change in regained {
            if let Change::Link { name, to, .. } = change {
                self.set_addresses(name, to)?;
            }
        }
        gone
    }

    /// The bonds that begin passive get the rest of what is declared.
    fn make_passive(&mut self) -> Result<(), Fault> {
        let Some(provisional) = self.provisional_data().cloned() else { return Ok(()) };
        Device::read(self)?;
        self.send(|transaction| {
            for bond in &provisional.passive {
                let Some(Some(port)) = provisional.after.ovsdb.ports.get(bond) else { continue };
                let columns = [
                    PortColumn::BondMode(Some(port.bond_mode.clone())),
                    PortColumn::Lacp(Some("passive".to_owned())),
                    PortColumn::OtherConfig(port.other_config.clone()),
                ];
                columns.iter().try_for_each(|column| transaction.set_port(bond, column))?;
            }
            Ok(())
        })
    }

    /// The commands by which the ports of the Linux bridges that go leave them. A guest may have stopped since.
    fn released(&self, changes: &[Change]) -> String {
        let ports = changes.iter().filter_map(|change| match change {
            Change::LinuxBridge { from: Some(from), to: None, .. } => Some(from.ports.keys()),
            _ => None,
        });
        let there = ports.flatten().filter(|port| self.paths.sys_class_net.join(port).exists());
        let lines: Vec<String> = there.map(|port| format!("link set dev {port} nomaster\n")).collect();
        lines.concat()
    }

    fn wait_for_link(&self, name: &str) -> Result<(), Fault> {
        let link = self.paths.sys_class_net.join(name);
        let deadline = Instant::now() + BORN;
        while !link.exists() {
            if Instant::now() >= deadline {
                return Err(Fault::new(
                    "link_not_set",
                    format!(
                        "waiting for Open vSwitch to make `{name}`: the kernel has no such link after {BORN:?}"
                    ),
                ));
            }
            thread::sleep(INTERVAL);
        }
        Ok(())
    }

    /// Moves addresses in one process of ip(8), which does not stop halfway: with the first address of a network its others may
    /// be gone already. Whether they are where they belong is what counts.
    fn move_addresses(&mut self, moved: &Move<'_>, released: &str) -> Result<(), Fault> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let path = checkpoint.folder().join(BATCH);
        fs::write(&path, released.to_owned() + &moved.batch()).map_err(|error| {
            Fault::new("checkpoint_failed", format!("writing `{}` failed: {error}", path.display()))
        })?;
        let done = self.ip(&["-force", "-batch", &path.to_string_lossy()]);
        let Err(fault) = done else { return Ok(()) };
        let links = self.picture()?.links;
        let has = |name: &str, cidr: &str| {
            links.get(name).is_some_and(|link| link.addresses.iter().any(|has| has.to_string() == cidr))
        };
        let is_moved = moved.gaining.iter().all(|(name, link)| addresses(link).all(|cidr| has(name, cidr)))
            && moved.losing.iter().all(|(name, moving)| !moving.iter().any(|cidr| has(name, cidr)));
        if is_moved { Ok(()) } else { Err(fault) }
    }
}

/// The NICs over which the links that lose addresses reach others: themselves, and the ports of Linux bridges.
fn carriers(changes: &[Change], moved: &Move<'_>) -> BTreeSet<String> {
    let loses = |name: &str| moved.losing.iter().any(|(losing, _)| *losing == name);
    let is_carrier = |change: &Change| match change {
        Change::LinuxBridge { name, from: Some(from), .. } if loses(name) => {
            from.ports.keys().cloned().collect()
        }
        Change::Link { name, .. } if loses(name) => vec![name.clone()],
        _ => Vec::new(),
    };
    changes.iter().flat_map(is_carrier).gather()
}

/// The commands that take from links what others of them regain.
fn taken_back(left: &[Change], regained: &[&Change]) -> Vec<Vec<String>> {
    let regained: BTreeSet<&str> = regained
        .iter()
        .flat_map(|change| match change {
            Change::Link { to, .. } => addresses(to).collect(),
            _ => Vec::new(),
        })
        .gather();
    let taken = |change: &Change| match change {
        Change::Link { name, from, to } => addresses(from)
            .filter(|cidr| regained.contains(cidr) && to.addresses.get(*cidr) == Some(&false))
            .map(|cidr| own_address("del", cidr, name))
            .collect(),
        _ => Vec::new(),
    };
    left.iter().flat_map(taken).collect()
}

fn make_bridges(transaction: &mut Transaction<'_>, changes: &[Change]) {
    for change in changes {
        if let Change::Bridge { name, from: None, to: Some(bridge) } = change {
            transaction.add_bridge(name, &bridge.datapath_type);
        }
    }
}

/// The new ports among `changes` that `is_wanted`. A bond with fallback begins without LACP, and each on the NIC that carries
/// the traffic now.
fn make_ports(
    transaction: &mut Transaction<'_>,
    changes: &[Change],
    carriers: &BTreeSet<String>,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(), ovsdb::Error> {
    for change in changes {
        let Change::Port { name, from: None, to: Some(port) } = change else { continue };
        if !is_wanted(name) {
            continue;
        }
        let is_bond = port.interfaces.len() > 1;
        let mut new = NewPort {
            internal: port.internal,
            bond_mode: Some(port.bond_mode.clone()).filter(|_| is_bond && !falls_back(port)),
            lacp: Some(port.lacp.clone()).filter(|_| is_bond && !falls_back(port)),
            tag: port.tag,
            trunks: port.trunks.clone(),
            vlan_mode: port.vlan_mode.clone(),
            other_config: port.other_config.clone(),
        };
        let carrier = port.interfaces.iter().find(|name| is_bond && carriers.contains(*name));
        new.other_config.extend(carrier.map(|carrier| ("bond-primary".to_owned(), carrier.clone())));
        transaction.add_port(&port.bridge, name, &port.interfaces, &new)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(present: bool, addresses: &[(&str, bool)]) -> Link {
        let addresses = addresses.iter().map(|(cidr, is)| ((*cidr).to_owned(), *is)).collect();
        Link { present, addresses, ..Link::default() }
    }

    #[test]
    fn an_address_is_deleted_on_the_old_link_right_before_it_is_added_on_the_new_one() {
        let mut mgmt = link(true, &[("10.10.0.2/24", true), ("fd00::2/64", true)]);
        mgmt.mac = Some("3c:fd:fe:00:00:01".to_owned());
        mgmt.gateways = [("10.10.0.1".to_owned(), true), ("fe80::1".to_owned(), true)].into();
        let change = |name: &str, from, to| Change::Link { name: name.to_owned(), from, to };
        let changes = [
            change("eno1", link(true, &[("10.10.0.2/24", true)]), link(true, &[("10.10.0.2/24", false)])),
            change("mgmt", link(false, &[]), mgmt),
            // Another matter: it goes, and nobody gets it.
            change("eno9", link(true, &[("192.0.2.9/24", true)]), link(true, &[("192.0.2.9/24", false)])),
        ];
        assert_eq!(
            Move::of(&changes).batch(),
            "link set dev mgmt address 3c:fd:fe:00:00:01\nlink set dev mgmt up\naddress del 10.10.0.2/24 dev eno1\n\
             address add 10.10.0.2/24 dev mgmt\naddress add fd00::2/64 dev mgmt nodad\n\
             route replace default via 10.10.0.1 dev mgmt proto kernel onlink\n\
             route replace default via fe80::1 dev mgmt proto kernel onlink\n"
        );
        assert_eq!(Move::of(&changes[2..]), Move::default());
    }
}
