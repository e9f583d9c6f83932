//! A change that reads back perfectly and cuts the node off is undone; who has to answer is a matter of the task.

use anyhow::Result;
use lab::bond::{bond, bridge};
use lab::{Answer, Lab};
use serde_json::{Value, json};

const NODE: &str = "node1";
const MEMBERS: [&str; 2] = ["ens20f0np0", "ens20f1np1"];
/// Node 2 is the router of node 1.
const ROUTER: &str = "10.10.0.3";

/// Node 1 with its router at the other end of the bond.
fn lab() -> Result<Lab> {
    let lab = Lab::up()?;
    for (node, cidr, gateway) in [("node2", "10.10.0.3/24", ""), (NODE, "10.10.0.2/24", ROUTER)] {
        lab.module(node, "pve_ovs_bridge", &bridge())?.changed()?;
        lab.module(node, "pve_ovs_bond", &bond(&MEMBERS))?.changed()?;
        let mgmt = json!({"name": "mgmt", "bridge": "vmbr0", "tag": 10, "cidr": cidr, "gateway": gateway});
        lab.module(node, "pve_ovs_intport", &mgmt)?.changed()?;
    }
    lab.wait_for_lacp(NODE, &MEMBERS)?;
    lab.exec(NODE, &["ping", "-c", "1", "-W", "5", ROUTER])?;
    Ok(lab)
}

/// The VLAN that nobody else is in.
fn cut_off(lab: &Lab, more: &Value) -> Result<Answer> {
    let mut arguments = json!({"name": "mgmt", "tag": 20});
    arguments
        .as_object_mut()
        .into_iter()
        .for_each(|map| map.extend(more.as_object().cloned().unwrap_or_default()));
    lab.module_with(NODE, &["BOTHENDS_LIMIT_REACH=3"], "pve_ovs_intport", &arguments)
}

#[test]
fn a_change_that_silences_the_gateway_is_undone() -> Result<()> {
    let lab = lab()?;
    let before = lab.configuration(NODE)?;
    let told = cut_off(&lab, &json!({}))?;
    assert_eq!(told.failure()?, ("unreachable_after", "rolled_back"), "{}", told.message());
    assert!(told.message().contains("the default gateway `10.10.0.3`"), "{}", told.message());
    assert_eq!(lab.configuration(NODE)?, before);
    lab.exec(NODE, &["ping", "-c", "1", "-W", "5", ROUTER])?;

    // Who wants it has it.
    assert!(cut_off(&lab, &json!({"require_reachable": []}))?.changed()?);
    assert_eq!(lab.vsctl(NODE, &["get", "Port", "mgmt", "tag"])?, "20");
    Ok(())
}

#[test]
fn who_is_required_by_hand_has_to_answer_before_and_after() -> Result<()> {
    let lab = lab()?;
    let before = lab.configuration(NODE)?;
    let silent = cut_off(&lab, &json!({"require_reachable": ["10.10.0.99"]}))?;
    assert_eq!(silent.failure()?, ("unreachable_before", "unchanged"), "{}", silent.message());
    assert!(silent.message().contains("10.10.0.99"), "{}", silent.message());
    let cut = cut_off(&lab, &json!({"require_reachable": [ROUTER]}))?;
    assert_eq!(cut.failure()?, ("unreachable_after", "rolled_back"), "{}", cut.message());
    assert_eq!(lab.configuration(NODE)?, before);
    let name = cut_off(&lab, &json!({"require_reachable": ["router"]}))?;
    assert_eq!(name.failure()?, ("invalid_address", "unchanged"), "{}", name.message());
    Ok(())
}

/// A gateway that the change itself takes away is not asked for.
#[test]
fn a_gateway_may_be_taken_away() -> Result<()> {
    let lab = lab()?;
    assert!(lab.module(NODE, "pve_ovs_intport", &json!({"name": "mgmt", "gateway": ""}))?.changed()?);
    assert_eq!(lab.sh(NODE, "ip route show default")?, "");
    assert!(cut_off(&lab, &json!({}))?.changed()?);
    Ok(())
}
