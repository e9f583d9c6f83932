//! The node against the description: what is not there, not so, or not in the interfaces file.

use std::collections::BTreeSet;

use vlan::VlanSet;

use crate::description::{IntPort, Link};
use crate::finding::{End, Finding};
use crate::node_report::{self, Bond, NodeReport};

/// What differs, and the bond where it is there.
pub fn findings<'a>(node: &str, link: &Link, report: &'a NodeReport) -> (Vec<Finding>, Option<&'a Bond>) {
    let Link { bridge, bond: declared, .. } = link;
    if !report.bridges.contains_key(bridge) {
        let have: Vec<&str> = report.bridges.keys().map(String::as_str).collect();
        let have = if have.is_empty() { "none".to_owned() } else { have.join(", ") };
        return (
            vec![Finding::error(
                "bridge_missing",
                End::Node,
                &format!("{node} {bridge}"),
                &format!("Open vSwitch has no such bridge (it has {have}), so nothing of the link is there"),
                "run the playbook",
            )],
            None,
        );
    }
    let mut found: Vec<Finding> = unconfigured(node, link, report).into_iter().collect();
    let bond = report.bonds.get(&declared.name);
    found.extend(match bond {
        None => vec![Finding::error(
            "bond_missing",
            End::Node,
            &format!("{node} {}", declared.name),
            "Open vSwitch has no such bond",
            "run the playbook",
        )],
        Some(bond) => bond_findings(node, link, bond),
    });
    for intport in &link.intports {
        found.extend(intport_findings(node, bridge, intport, report.intports.get(&intport.name)));
    }
    (found, bond)
}

/// What is live and in no stanza, in one finding: it went together and comes together.
fn unconfigured(node: &str, link: &Link, report: &NodeReport) -> Option<Finding> {
    let bridge = report.bridges.get(&link.bridge).map(|bridge| (&link.bridge, bridge.configured));
    let bond = report.bonds.get(&link.bond.name).map(|bond| (&link.bond.name, bond.configured));
    let intports = link
        .intports
        .iter()
        .filter_map(|port| Some((&port.name, report.intports.get(&port.name)?.configured)));
    let names: Vec<&str> = bridge
        .into_iter()
        .chain(bond)
        .chain(intports)
        .filter(|(_, configured)| !configured)
        .map(|(name, _)| name.as_str())
        .collect();
    let first = names.first()?;
    Some(Finding::error(
        "not_configured",
        End::Node,
        &format!("{node} {first}"),
        &format!(
            "live and not in /etc/network/interfaces: {}, which the next restart takes away",
            names.join(", ")
        ),
        "run the playbook",
    ))
}

fn bond_findings(node: &str, link: &Link, bond: &Bond) -> Vec<Finding> {
    let declared = &link.bond;
    let place = format!("{node} {}", declared.name);
    let differs = |code, what: &str, is: &str, wanted: &str| {
        let fact = format!("{what} is {is}, declared is {wanted}");
        Finding::error(code, End::Node, &place, &fact, "run the playbook")
    };
    let mut found = Vec::new();
    if bond.bridge != link.bridge {
        found.push(differs("bond_bridge", "its bridge", &bond.bridge, &link.bridge));
    }
    if bond.mode != declared.mode {
        found.push(differs("bond_mode", "its mode", &bond.mode, &declared.mode));
    } else if bond.lacp == "off" {
        found.push(differs("lacp_off", "its LACP", "off", "active"));
    }
    if bond.lacp_time != declared.lacp_time {
        let fact = format!("`lacp_time` is {}, declared is {}", bond.lacp_time, declared.lacp_time);
        found.push(Finding::note("lacp_time", End::Node, &place, &fact));
    }
    let vlans = bond.vlans();
    let tag = |tag: Option<u16>| tag.map_or("none".to_owned(), |tag| tag.to_string());
    if let Some(wanted) = declared.tag.filter(|wanted| *wanted != vlans.tag) {
        found.push(differs("bond_tag", "its tag", &tag(vlans.tag), &tag(wanted)));
    }
    if let Some(wanted) = declared.trunks.as_ref().filter(|wanted| **wanted != vlans.trunks) {
        let all = |trunks: &VlanSet| {
            if trunks.is_empty() { "all VLANs".to_owned() } else { trunks.to_string() }
        };
        found.push(differs("bond_trunks", "what it carries", &all(&vlans.trunks), &all(wanted)));
    }
    if let Some(wanted) = declared.vlan_mode.filter(|wanted| *wanted != vlans.vlan_mode) {
        let name =
            |mode: Option<crate::wire::VlanMode>| mode.map_or("default".to_owned(), |mode| mode.to_string());
        found.push(differs("bond_vlan_mode", "its vlan_mode", &name(vlans.vlan_mode), &name(wanted)));
    }
    found.extend(members(&place, &declared.members, bond));
    found
}

fn members(place: &str, declared: &[String], bond: &Bond) -> Vec<Finding> {
    let declared: BTreeSet<&String> = declared.iter().collect();
    let mut found = Vec::new();
    for nic in &declared {
        let place = format!("{place} {nic}");
        match bond.members.get(*nic) {
            None => found.push(Finding::error(
                "member_missing",
                End::Node,
                &place,
                "is declared a member of the bond, and is none",
                "run the playbook",
            )),
            Some(member) if member.mtu.is_none() => found.push(Finding::error(
                "nic_missing",
                End::Node,
                &place,
                "is a member of the bond, and the node has no such NIC",
                "see whether it was taken out or has another name since (`ip link`)",
            )),
            Some(_) => {}
        }
    }
    for nic in bond.members.keys().filter(|nic| !declared.contains(nic)) {
        found.push(Finding::error(
            "member_undeclared",
            End::Node,
            &format!("{place} {nic}"),
            "is a member of the bond, and not declared",
            "run the playbook, or declare it with its interface of the switch",
        ));
    }
    found
}

fn intport_findings(
    node: &str,
    bridge: &str,
    declared: &IntPort,
    found: Option<&node_report::IntPort>,
) -> Vec<Finding> {
    let place = format!("{node} {}", declared.name);
    let error = |code, fact: &str| Finding::error(code, End::Node, &place, fact, "run the playbook");
    let Some(live) = found else {
        return vec![error("intport_missing", "Open vSwitch has no such IntPort")];
    };
    let mut found = Vec::new();
    if live.bridge != bridge {
        found.push(error("intport_bridge", &format!("is on bridge {}, declared is {bridge}", live.bridge)));
    }
    if live.tag != declared.tag {
        let tag = |tag: Option<u16>| tag.map_or("no VLAN".to_owned(), |tag| format!("VLAN {tag}"));
        found.push(error(
            "intport_tag",
            &format!("is in {}, declared is {}", tag(live.tag), tag(declared.tag)),
        ));
    }
    if !live.up {
        found.push(error("intport_down", "is down, so its address does not answer"));
        return found;
    }
    if let Some(cidr) = declared.cidr.filter(|cidr| !live.addresses.contains(&cidr.to_string())) {
        let have = if live.addresses.is_empty() { "none".to_owned() } else { live.addresses.join(", ") };
        found.push(error("intport_address", &format!("has not the address {cidr}, but {have}")));
    } else if let Some(gateway) = declared.gateway.map(|gateway| gateway.to_string())
        && live.gateway.as_ref() != Some(&gateway)
    {
        let have = live.gateway.as_deref().unwrap_or("none");
        found.push(error("intport_gateway", &format!("its gateway is {have}, declared is {gateway}")));
    }
    found
}
