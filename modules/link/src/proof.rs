//! A link as both devices report it against its description. Causes are looked for before what follows from them, and
//! what one finding explains is not told as another.

use vlan::VlanSet;

use crate::cables::Ends;
use crate::description::{Link, Switch};
use crate::finding::{End, Finding};
use crate::node_report::{Bond, NodeReport};
use crate::switch_report::{PortChannel, SwitchReport};
use crate::vlans::{Carried, numbers};
use crate::wire::PortVlans;
use crate::{mtu, node_end, switch_end};

/// What does not fit, errors first.
pub fn findings(
    node: &str,
    link: &Link,
    switch: &Switch,
    node_report: &NodeReport,
    switch_report: &SwitchReport,
) -> Vec<Finding> {
    let (mut found, bond) = node_end::findings(node, link, node_report);
    let (at_switch, channel) = switch_end::findings(switch, switch_report);
    found.extend(at_switch);
    if let (Some(bond), Some(channel)) = (bond, channel)
        && !channel.shutdown
    {
        found.extend(Ends { node, link, switch, bond, report: switch_report, channel }.findings());
    }
    found.extend(vlans(node, link, switch, bond, channel, &switch_report.vlans));
    if let Some(bond) = bond {
        found.extend(mtu::findings(node, link, switch, node_report, bond, channel));
    }
    if !found.iter().any(Finding::is_error) {
        found.extend(at_last(node, link, switch, bond, channel));
    }
    found.sort_by_key(|finding| !finding.is_error());
    found
}

/// The VLANs in use, over both ends as they are once what differs from the description is mended.
fn vlans(
    node: &str,
    link: &Link,
    switch: &Switch,
    bond: Option<&Bond>,
    channel: Option<&PortChannel>,
    have: &VlanSet,
) -> Vec<Finding> {
    let declared = &switch.vlans;
    let bond = link.bond.vlans(&bond.map(Bond::vlans).unwrap_or_default());
    let port = PortVlans {
        mode: declared.mode,
        native: declared.native.or(channel.map(|channel| channel.native)),
        allowed: declared.allowed.clone().or(channel.map(|channel| channel.allowed.clone())),
        access: declared.access.or(channel.map(|channel| channel.access)),
    };
    let carried = Carried::new(link, &bond, &port);
    // What is not there yet comes with the settings that it is declared with, and with defaults.
    let mut found = match channel {
        Some(_) => carried.findings(node, link, switch, &bond, &port, Finding::error),
        None => Vec::new(),
    };
    found.extend(missing(switch, &carried, have));
    found
}

/// VLANs that the link carries and the switch does not have. LACP is negotiated, and no frame of them passes.
fn missing(switch: &Switch, carried: &Carried, have: &VlanSet) -> Option<Finding> {
    let mut users: Vec<&str> = Vec::new();
    let mut missing = VlanSet::default();
    for (vlan, by) in carried.landed.iter().filter(|(vlan, _)| !have.contains(**vlan)) {
        missing.extend([*vlan]);
        users.extend(by.iter().map(String::as_str));
    }
    // `all` is no list of what is in use.
    let declared = switch.vlans.allowed.as_ref().filter(|allowed| !allowed.is_all());
    let declared = declared.map(|allowed| allowed.without(have)).unwrap_or_default();
    if !declared.is_empty() {
        users.push("`trunk_vlans`");
        missing.extend(declared.iter());
    }
    users.sort_unstable();
    users.dedup();
    (!missing.is_empty()).then(|| {
        Finding::error(
            "vlan_missing",
            End::Switch,
            &switch.name,
            &format!(
                "has no {} in its VLAN database ({}), so it drops those frames",
                numbers(&missing),
                users.join(", ")
            ),
            &format!("`vlan {missing}` in its configuration mode"),
        )
    })
}

/// What the devices say of the whole, where nothing explains it.
fn at_last(
    node: &str,
    link: &Link,
    switch: &Switch,
    bond: Option<&Bond>,
    channel: Option<&PortChannel>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if bond.is_some_and(|bond| !bond.negotiated) {
        let place = format!("{node} {}", link.bond.name);
        let fact = "LACP is not negotiated on every member, though each by itself looks right";
        let remedy = "verify again; if it stays, look with `ovs-appctl lacp/show`";
        found.push(Finding::error("not_negotiated", End::Node, &place, fact, remedy));
    }
    if channel.is_some_and(|channel| !channel.up) {
        let place = format!("{} {}", switch.name, switch.port_channel);
        let fact = "is down, though each of its members is bundled";
        let remedy = "look with `show interfaces` and at the switch's log";
        found.push(Finding::error("channel_down", End::Switch, &place, fact, remedy));
    }
    found
}
