//! MTUs along the link: what the node sends has to fit through its own bond and through the switch.

use crate::description::{Link, Switch};
use crate::finding::{End, Finding};
use crate::node_report::{Bond, NodeReport};
use crate::switch_report::PortChannel;

/// What is too large, at the first place where it does not fit.
pub fn findings(
    node: &str,
    link: &Link,
    switch: &Switch,
    report: &NodeReport,
    bond: &Bond,
    channel: Option<&PortChannel>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    // As it is once each member is as declared: one finding is enough for one cause.
    let mut mtus = Vec::new();
    for (nic, member) in &bond.members {
        let Some(mtu) = member.mtu else { continue };
        if let Some(declared) = link.bond.mtu.filter(|declared| *declared != mtu) {
            let place = format!("{node} {} {nic}", link.bond.name);
            let fact = format!("its MTU is {mtu}, declared is {declared}");
            let remedy = format!("set it to {declared}");
            found.push(Finding::error("member_mtu", End::Node, &place, &fact, &remedy));
        }
        mtus.push((link.bond.mtu.unwrap_or(mtu), nic));
    }
    let passes = channel.and_then(|channel| channel.mtu);
    if let (Some(&(largest, nic)), Some(passes)) = (mtus.iter().max(), passes)
        && largest > passes
    {
        let fact =
            format!("its MTU is {largest}, and {} {} passes {passes}", switch.name, switch.port_channel);
        let place = format!("{node} {} {nic}", link.bond.name);
        found.push(if link.bond.mtu.is_some() {
            let remedy = format!("raise the MTU there to {largest} or more, or declare less");
            Finding::error("mtu_too_large", End::Switch, &place, &fact, &remedy)
        } else {
            let remedy = format!("lower it to {passes}, or raise the switch's");
            Finding::error("mtu_too_large", End::Node, &place, &fact, &remedy)
        });
    }
    let Some(&(smallest, nic)) = mtus.iter().min() else { return found };
    for intport in &link.intports {
        let Some(mtu) = report.intports.get(&intport.name).and_then(|live| live.mtu) else { continue };
        if mtu > smallest {
            let fact = format!("its MTU is {mtu}, and {nic}, over which it sends, has {smallest}");
            let remedy = format!("lower it to {smallest}, or raise that of the bond's members");
            let place = format!("{node} {}", intport.name);
            found.push(Finding::error("intport_mtu", End::Node, &place, &fact, &remedy));
        }
    }
    found
}
