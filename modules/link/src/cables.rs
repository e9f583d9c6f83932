//! Each cable by what LACP says at its two ends: whether it leads where it is declared to, and carries. What the
//! configuration of an end already explains is not said again.

use crate::description::{Cable, LacpMode, Link, Switch};
use crate::finding::{End, Finding};
use crate::node_report::{self, Bond};
use crate::switch_report::{self, PortChannel, SwitchReport};

/// Both ends of a link that are there.
pub struct Ends<'a> {
    /// The name of the node.
    pub node: &'a str,
    /// The description.
    pub link: &'a Link,
    /// Its switch.
    pub switch: &'a Switch,
    /// The node's bond.
    pub bond: &'a Bond,
    /// The switch.
    pub report: &'a SwitchReport,
    /// Its Port-Channel.
    pub channel: &'a PortChannel,
}

/// A cable with what is at its ends.
struct Ended<'a> {
    cable: &'a Cable,
    nic: &'a node_report::Member,
    interface: &'a switch_report::Member,
}

impl Ends<'_> {
    /// What is wrong with the cables, one finding for each cause.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let (out, mut linked): (Vec<Ended>, Vec<Ended>) =
            self.ended().partition(|ended| !ended.nic.link || !ended.interface.link);
        found.extend(out.iter().map(|ended| self.out(ended)));
        if self.bond.lacp == "off" {
            return found;
        }
        linked.retain(|ended| ended.interface.lacp_mode != "on");
        found.extend(self.nobody_begins(&mut linked));
        found.extend(self.misplaced(&mut linked));
        found.extend(linked.iter().filter_map(|ended| self.negotiation(ended)));
        found.extend(self.rate(&linked));
        found
    }

    /// The cables whose both ends are as declared, as far as there can be a link on them.
    fn ended(&self) -> impl Iterator<Item = Ended<'_>> {
        self.switch.cables.iter().filter_map(|cable| {
            let nic = self.bond.members.get(&cable.nic).filter(|nic| nic.mtu.is_some())?;
            let interface =
                self.channel.members.get(&cable.interface).filter(|interface| !interface.shutdown)?;
            Some(Ended { cable, nic, interface })
        })
    }

    fn out(&self, ended: &Ended) -> Finding {
        let far = self.at_interface(ended);
        let fact = match (ended.nic.link, ended.interface.link) {
            (false, true) => format!("has no link, though {far} has"),
            (true, false) => format!("has link, though {far} has none"),
            _ => format!("has no link, and neither has {far}"),
        };
        let remedy = "plug it in at both ends, or exchange it or its optics";
        Finding::error("cable_out", End::Cable, &self.at_nic(ended), &fact, remedy)
    }

    /// Both wait for the other. Takes the cables out of which there is nothing more to say.
    fn nobody_begins(&self, linked: &mut Vec<Ended>) -> Option<Finding> {
        let waits = |ended: &Ended| self.bond.lacp == "passive" && ended.interface.lacp_mode == "passive";
        let first = linked.iter().find(|ended| waits(ended))?;
        let place = format!("{} {}", self.node, self.link.bond.name);
        let interface = self.at_interface(first);
        let fact = "this end and the other are both passive in LACP, so nobody begins";
        let finding = if first.cable.lacp_mode == LacpMode::Active {
            Finding::error(
                "nobody_begins",
                End::Switch,
                &interface,
                fact,
                "run the playbook, which makes it active",
            )
        } else {
            Finding::error(
                "nobody_begins",
                End::Node,
                &place,
                fact,
                "run the playbook, which makes it active",
            )
        };
        linked.retain(|ended| !waits(ended));
        Some(finding)
    }

    /// Cables that lead elsewhere. Takes them out, as what follows from that is clear.
    fn misplaced(&self, linked: &mut Vec<Ended>) -> Vec<Finding> {
        let mut crossed = Vec::new();
        let mut found = Vec::new();
        linked.retain(|ended| {
            let finding = match self.leads_to(ended) {
                Where::AsDeclared => return true,
                Where::Declared(interface) => {
                    crossed.push(format!(
                        "`{}` is in {interface} instead of {}",
                        ended.cable.nic, ended.cable.interface
                    ));
                    return false;
                }
                Where::Interface(interface) => Finding::error(
                    "cable_elsewhere",
                    End::Cable,
                    &self.at_nic(ended),
                    &format!(
                        "is in {interface} of {}, declared is {}",
                        self.switch.name, ended.cable.interface
                    ),
                    "move it, or correct the description",
                ),
                Where::Nic => Finding::error(
                    "cable_elsewhere",
                    End::Cable,
                    &self.at_interface(ended),
                    &format!("leads to another NIC of {}, declared is `{}`", self.node, ended.cable.nic),
                    "move it, or correct the description",
                ),
                Where::Switch(system) => Finding::error(
                    "wrong_switch",
                    End::Cable,
                    &self.at_nic(ended),
                    &format!(
                        "leads to the LACP system {system}, and {} is {}",
                        self.switch.name,
                        ended.interface.system_id(self.report)
                    ),
                    &format!("move it to {} of {}", ended.cable.interface, self.switch.name),
                ),
                Where::Node(system) => Finding::error(
                    "wrong_node",
                    End::Cable,
                    &self.at_interface(ended),
                    &format!(
                        "leads to the LACP system {system}, and {} {} is {}",
                        self.node,
                        self.link.bond.name,
                        self.bond.system_id().unwrap_or("unknown")
                    ),
                    &format!("move it to `{}` of {}", ended.cable.nic, self.node),
                ),
            };
            found.push(finding);
            false
        });
        if !crossed.is_empty() {
            let place = format!("{} {}", self.node, self.link.bond.name);
            let fact = format!("its cables are crossed: {}", crossed.join(", "));
            let remedy = "exchange them, or correct the description";
            found.push(Finding::error("cables_crossed", End::Cable, &place, &fact, remedy));
        }
        found
    }

    fn leads_to(&self, ended: &Ended) -> Where<'_> {
        let Ended { cable: _, nic, interface } = ended;
        let (at_nic, at_interface) = (nic.hears(), interface.hears());
        if let Some(partner) = at_nic
            && let Some(system) = &partner.system_id
            && !partner.is_of(interface.system_id(self.report))
        {
            return Where::Switch(system.clone());
        }
        let differ =
            |one: Option<u32>, other: Option<u32>| one.zip(other).is_some_and(|(one, other)| one != other);
        let heard = at_nic.and_then(|partner| partner.port_id);
        if differ(heard, interface.actor.as_ref().and_then(|actor| actor.port_id)) {
            return match heard.and_then(|port_id| self.report.interface_of(port_id)) {
                Some(name) if self.switch.cables.iter().any(|cable| cable.interface == name) => {
                    Where::Declared(name)
                }
                Some(name) => Where::Interface(name.to_owned()),
                None => Where::Interface("another interface".to_owned()),
            };
        }
        if let Some(partner) = at_interface
            && let Some(system) = &partner.system_id
            && self.bond.system_id().is_some_and(|own| !partner.is_of(own))
        {
            return Where::Node(system.clone());
        }
        let own = nic.actor.as_ref().and_then(|actor| actor.port_id);
        if differ(at_interface.and_then(|partner| partner.port_id), own) {
            return Where::Nic;
        }
        Where::AsDeclared
    }

    /// Why a cable that leads where it should does not carry.
    fn negotiation(&self, ended: &Ended) -> Option<Finding> {
        let Ended { cable: _, nic, interface } = ended;
        let (at_nic, at_interface) = (self.at_nic(ended), self.at_interface(ended));
        let reason =
            interface.reason.as_ref().map(|reason| format!(" (it says: {reason})")).unwrap_or_default();
        let silent = "see whether something between them swallows LACP, and the logs of both";
        let Some(partner) = nic.hears() else {
            let heard = if interface.hears().is_some() { ", though it is heard there" } else { "" };
            let fact = format!("has link and hears no LACP from {at_interface}{heard}{reason}");
            return Some(Finding::error("lacp_silent", End::Both, &at_nic, &fact, silent));
        };
        if interface.hears().is_none() {
            let fact = format!("has link and hears no LACP from {at_nic}, though it is heard there{reason}");
            return Some(Finding::error("lacp_silent", End::Both, &at_interface, &fact, silent));
        }
        if let (Some(said), Some(heard)) = (interface.actor.as_ref().and_then(|actor| actor.key), partner.key)
            && said != heard
        {
            let fact = format!(
                "is heard under the LACP key {heard} by the node, and has {said} in {}",
                self.switch.port_channel
            );
            let remedy = "look whether it has just changed Port-Channels, and verify again";
            return Some(Finding::error("other_aggregation", End::Switch, &at_interface, &fact, remedy));
        }
        if !interface.bundled {
            let fact = format!("is not bundled in {}{reason}", self.switch.port_channel);
            let remedy =
                "what the reason says; speed, duplex and VLANs have to be those of the other members";
            return Some(Finding::error("not_bundled", End::Switch, &at_interface, &fact, remedy));
        }
        if !nic.attached {
            let fact = "its partner is not the one of the bond's other members, so it is left out";
            let remedy = "look with `ovs-appctl lacp/show` which system and key each member hears";
            return Some(Finding::error("not_attached", End::Node, &at_nic, fact, remedy));
        }
        (!nic.enabled).then(|| {
            let fact = "LACP is negotiated, and Open vSwitch lets it carry no traffic";
            let remedy = "look with `ovs-appctl bond/show` and at the log of ovs-vswitchd";
            Finding::error("not_enabled", End::Node, &at_nic, fact, remedy)
        })
    }

    /// How often each asks the other to send. It differs where nobody set it at the switch, whose default is slow.
    fn rate(&self, linked: &[Ended]) -> Option<Finding> {
        let partner = linked.iter().find_map(|ended| ended.nic.hears())?;
        let switch = if partner.wants_fast() { "fast" } else { "slow" };
        let Bond { lacp_time: node, .. } = self.bond;
        if node == switch || *node != self.link.bond.lacp_time {
            return None;
        }
        let place = format!("{} {}", self.node, self.link.bond.name);
        let fact = format!(
            "asks for LACP at the {node} rate, and {} at the {switch} one; each end gets what it asks for",
            self.switch.name
        );
        Some(Finding::note("lacp_rate", End::Both, &place, &fact))
    }

    fn at_nic(&self, ended: &Ended) -> String {
        format!("{} {} {}", self.node, self.link.bond.name, ended.cable.nic)
    }

    fn at_interface(&self, ended: &Ended) -> String {
        format!("{} {}", self.switch.name, ended.cable.interface)
    }
}

/// Where a cable leads.
enum Where<'a> {
    AsDeclared,
    /// Into an interface that is declared for another cable of the link.
    Declared(&'a str),
    /// Into another one of the switch.
    Interface(String),
    /// Into another NIC of the bond.
    Nic,
    /// From the node to another LACP system.
    Switch(String),
    /// From the switch to another LACP system.
    Node(String),
}
