//! Pairs in a description that cannot work, whatever the devices say. They are refused before anything is touched.

use std::collections::BTreeSet;

use crate::description::{LacpMode, Link, Switch};
use crate::finding::{End, Finding};
use crate::vlans::Carried;
use crate::wire::{BondVlans, PortMode, VlanMode};

/// All that can't work, and what is said without effect.
pub fn findings(node: &str, link: &Link) -> Vec<Finding> {
    let description = Description { node, link, at_bond: format!("{node} {}", link.bond.name) };
    let mut found: Vec<Finding> = description.switches().into_iter().collect();
    found.extend(description.twice());
    found.extend(description.members());
    found.extend(description.addresses());
    for switch in &link.switches {
        found.extend(description.lacp(switch));
        found.extend(without_effect(switch));
    }
    let contradiction = description.vlan_mode();
    if contradiction.is_none() {
        let bond = link.bond.vlans(&BondVlans::default());
        for switch in &link.switches {
            let port = &switch.vlans;
            let carried = Carried::new(link, &bond, port);
            found.extend(carried.findings(node, link, switch, &bond, port, Finding::impossible));
        }
    }
    found.extend(contradiction);
    found
}

struct Description<'a> {
    node: &'a str,
    link: &'a Link,
    at_bond: String,
}

impl Description<'_> {
    fn switches(&self) -> Option<Finding> {
        match self.link.switches.as_slice() {
            [] => Some(Finding::impossible(
                "no_switch",
                End::Switch,
                &self.at_bond,
                "no switch is at its other end",
                "describe it in `switches`",
            )),
            [_] => None,
            switches => {
                let names: Vec<&str> = switches.iter().map(|switch| switch.name.as_str()).collect();
                Some(Finding::impossible(
                    "several_switches",
                    End::Switch,
                    &self.at_bond,
                    &format!(
                        "one bond to {} takes switches that are one in LACP (MLAG), which is not supported yet",
                        names.join(" and ")
                    ),
                    "one switch in `switches`",
                ))
            }
        }
    }

    /// What stands twice and can only be there once.
    fn twice(&self) -> Vec<Finding> {
        let Self { node, link, at_bond } = self;
        let cables = || link.switches.iter().flat_map(|switch| &switch.cables);
        let mut found = Vec::new();
        let mut nics = repeated(link.bond.members.iter());
        nics.extend(repeated(cables().map(|cable| &cable.nic)));
        for nic in nics {
            let fact = format!("`{nic}` is there twice, and it has one cable");
            found.push(Finding::impossible("nic_twice", End::Node, at_bond, &fact, "list each NIC once"));
        }
        for switch in &link.switches {
            for interface in repeated(switch.cables.iter().map(|cable| &cable.interface)) {
                let place = format!("{} {interface}", switch.name);
                let fact = "is there twice, and it has one cable";
                let remedy = "list each interface once";
                found.push(Finding::impossible("interface_twice", End::Switch, &place, fact, remedy));
            }
        }
        let nics: BTreeSet<&String> =
            link.bond.members.iter().chain(cables().map(|cable| &cable.nic)).collect();
        let names = [&link.bridge, &link.bond.name].into_iter();
        let names = names.chain(link.intports.iter().map(|intport| &intport.name)).chain(nics);
        for name in repeated(names) {
            let fact = "two interfaces of the node would have this name";
            let place = format!("{node} {name}");
            found.push(Finding::impossible(
                "name_twice",
                End::Node,
                &place,
                fact,
                "give each a name of its own",
            ));
        }
        found
    }

    /// The bond's members against the NICs at the other ends of the cables.
    fn members(&self) -> Vec<Finding> {
        let Self { node: _, link, at_bond } = self;
        let members: BTreeSet<&String> = link.bond.members.iter().collect();
        let cables =
            || link.switches.iter().flat_map(|switch| switch.cables.iter().map(move |cable| (switch, cable)));
        let mut found = Vec::new();
        if link.bond.members.len() < 2 && !link.switches.is_empty() {
            found.push(Finding::impossible(
                "too_few_members",
                End::Node,
                at_bond,
                &format!(
                    "it has {}, and Open vSwitch makes no bond of fewer than two members",
                    match link.bond.members.as_slice() {
                        [] => "no member".to_owned(),
                        all => all.join(", ") + " alone",
                    }
                ),
                "two NICs, each with its interface of the switch",
            ));
        }
        for nic in members.iter().filter(|nic| !cables().any(|(_, cable)| cable.nic == ***nic)) {
            found.push(Finding::impossible(
                "nic_without_interface",
                End::Switch,
                &format!("{at_bond} {nic}"),
                "is a member, and no interface of the switch leads to it",
                "name it as `nic` of an interface, or take it out of `members`",
            ));
        }
        for (switch, cable) in cables().filter(|(_, cable)| !members.contains(&cable.nic)) {
            found.push(Finding::impossible(
                "interface_without_member",
                End::Node,
                &format!("{} {}", switch.name, cable.interface),
                &format!("leads to `{}`, which is no member of {}", cable.nic, link.bond.name),
                "add it to `members`, or take the interface out",
            ));
        }
        found
    }

    /// Addresses and gateways of the `IntPort`s, each against the others.
    fn addresses(&self) -> Vec<Finding> {
        let Self { node, link, .. } = self;
        let mut found = Vec::new();
        for intport in &link.intports {
            let place = format!("{node} {}", intport.name);
            let refuse = |code, fact: &str, hint| Finding::impossible(code, End::Node, &place, fact, hint);
            match (intport.cidr, intport.gateway) {
                (None, Some(gateway)) => found.push(refuse(
                    "gateway_without_address",
                    &format!("has the gateway {gateway} and no address"),
                    "give `cidr`",
                )),
                (Some(cidr), Some(gateway)) if cidr.address == gateway => found.push(refuse(
                    "gateway_is_itself",
                    &format!("its gateway {gateway} is its own address"),
                    "the router's address",
                )),
                (Some(cidr), Some(gateway)) if !cidr.reaches(gateway) => found.push(refuse(
                    "gateway_unreachable",
                    &format!("its gateway {gateway} is not in the network of {cidr}"),
                    "a gateway of that network",
                )),
                _ => {}
            }
        }
        let with_gateway: Vec<&str> = link
            .intports
            .iter()
            .filter(|intport| intport.gateway.is_some())
            .map(|port| port.name.as_str())
            .collect();
        if with_gateway.len() > 1 {
            found.push(Finding::impossible(
                "several_gateways",
                End::Node,
                node,
                &format!("{} have a gateway each, and a node has one", with_gateway.join(" and ")),
                "leave all but one out",
            ));
        }
        for address in repeated(link.intports.iter().filter_map(|port| port.cidr.map(|cidr| cidr.address))) {
            let fact = format!("{address} would be on two IntPorts");
            found.push(Finding::impossible("address_twice", End::Node, node, &fact, "an address for each"));
        }
        found
    }

    /// Whether both speak LACP.
    fn lacp(&self, switch: &Switch) -> Option<Finding> {
        let place = format!("{} {}", switch.name, switch.port_channel);
        let without = switch.cables.iter().filter(|cable| cable.lacp_mode == LacpMode::On).count();
        if !self.link.bond.speaks_lacp() {
            return Some(Finding::impossible(
                "bond_without_lacp",
                End::Node,
                &self.at_bond,
                &format!(
                    "`mode: {}` speaks no LACP and wants plain ports, and at the other end is {place}",
                    self.link.bond.mode
                ),
                "`mode: lacp-balance-tcp`",
            ));
        }
        if without == 0 {
            return None;
        }
        let remedy = "`lacp_mode: active` for each interface";
        Some(if without == switch.cables.len() {
            let fact = format!("`lacp_mode: on` speaks no LACP, and {} waits for it", self.at_bond);
            Finding::impossible("channel_without_lacp", End::Switch, &place, &fact, remedy)
        } else {
            let fact = "some interfaces would speak LACP and others not, which EOS does not mix";
            Finding::impossible("mixed_lacp_modes", End::Switch, &place, fact, remedy)
        })
    }

    /// `vlan_mode`, `tag` and `trunks` of the bond, which decide about each other.
    fn vlan_mode(&self) -> Option<Finding> {
        let bond = self.link.bond.vlans(&BondVlans::default());
        let mode = bond.mode();
        let (fact, remedy) = match (mode, bond.tag) {
            (VlanMode::Trunk, Some(tag)) => {
                (format!("`vlan_mode: trunk` has no `tag`, and {tag} is given"), "leave one out")
            }
            (VlanMode::Trunk, None) => return None,
            (mode, None) => (format!("`vlan_mode: {mode}` takes a `tag`, and there is none"), "give `tag`"),
            (VlanMode::Access | VlanMode::Dot1qTunnel, Some(tag)) if !bond.trunks.is_empty() => (
                format!("`tag: {tag}` makes it a port of one VLAN, and `trunks` are {}", bond.trunks),
                "leave one out, or give `vlan_mode: native-untagged`",
            ),
            _ => return None,
        };
        Some(Finding::impossible("vlan_mode_contradicted", End::Node, &self.at_bond, &fact, remedy))
    }
}

/// What the mode of a Port-Channel makes idle.
fn without_effect(switch: &Switch) -> Vec<Finding> {
    let vlans = &switch.vlans;
    let is_trunk = vlans.mode == PortMode::Trunk;
    let idle = [
        ("native_vlan", vlans.native.is_some() && !is_trunk),
        ("trunk_vlans", vlans.allowed.is_some() && !is_trunk),
        ("access_vlan", vlans.access.is_some() && is_trunk),
    ];
    let place = format!("{} {}", switch.name, switch.port_channel);
    let idle = idle.into_iter().filter(|(_, is_idle)| *is_idle);
    idle.map(|(key, _)| {
        let fact = format!("`{key}` is without effect with `mode: {}`", vlans.mode);
        Finding::note("without_effect", End::Switch, &place, &fact)
    })
    .collect()
}

/// What is there more than once, each once.
fn repeated<T: Ord + Clone>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    items.filter(|item| !seen.insert(item.clone())).collect()
}
