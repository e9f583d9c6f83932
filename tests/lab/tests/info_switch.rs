//! What `eos_port_channel_info` tells of a link whose both ends are up, and of one that lost a cable, held against
//! what Open vSwitch says on the node.

use std::time::Duration;

use anyhow::{Context, Result};
use lab::link::{MEMBERS, node_end};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const INTERFACES: [&str; 2] = ["Ethernet7/1", "Ethernet8/1"];

/// The switch's Port-Channel1001, and the result that it stands in.
fn told(lab: &Lab) -> Result<(Value, Value)> {
    let answer =
        lab.module("control", "eos_port_channel_info", &lab.eos_arguments(&json!({"names": [1001]}))?)?;
    assert!(!answer.changed()?);
    let channel = answer.result.pointer("/port_channels/Port-Channel1001").context("no Port-Channel1001")?;
    Ok((channel.clone(), answer.result))
}

/// A line of `lacp/show` about a member of the node's bond, such as `actor sys_id`.
fn node_says(lab: &Lab, member: &str, name: &str) -> Result<String> {
    let text = lab.exec("node1", &["ovs-appctl", "lacp/show", "bond0"])?;
    let about = text.split(&format!("member: {member}: ")).nth(1).context("no such member")?;
    let value = about.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
    Ok(value.with_context(|| format!("{member} has no {name}"))?.to_owned())
}

#[test]
fn each_end_is_told_as_the_other_one_knows_itself_and_a_cut_cable_with_its_reason() -> Result<()> {
    let lab = Lab::up_switch()?;
    lab.run("node1", &node_end("node1"))?;
    let members: Vec<Value> = INTERFACES.iter().map(|name| json!({"interface": name})).collect();
    assert!(lab.eos(&json!({"name": 1001, "mode": "trunk", "members": members}))?.changed()?);
    lab.wait_for_lacp("node1", &MEMBERS)?;
    let (channel, result) = wait_until("two bundled members", Duration::from_secs(60), || {
        let (channel, result) = told(&lab)?;
        let is_bundled = INTERFACES.iter().all(|name| channel["members"][name]["bundled"] == true);
        Ok(is_bundled.then_some((channel, result)))
    })?;
    assert_eq!((&channel["up"], &channel["mode"]), (&json!(true), &json!("trunk")));
    for (interface, nic) in INTERFACES.iter().zip(MEMBERS) {
        let member = &channel["members"][interface];
        assert_eq!((&member["link"], &member["reason"]), (&json!(true), &Value::Null));
        for (end, on_the_node) in [("partner", "actor"), ("actor", "partner")] {
            let number = |name: &str| -> Result<u32> {
                Ok(node_says(&lab, nic, &format!("{on_the_node} {name}"))?.parse()?)
            };
            let system = node_says(&lab, nic, &format!("{on_the_node} sys_id"))?;
            assert_eq!(member[end]["system_id"], system, "{interface} {end}");
            assert_eq!(member[end]["port_id"], number("port_id")?, "{interface} {end}");
            assert_eq!(member[end]["key"], number("key")?, "{interface} {end}");
        }
        assert_eq!(member["actor"]["system_id"], result["system_id"]);
    }

    lab.exec("node1", &["ip", "link", "set", MEMBERS[0], "down"])?;
    let (channel, _) = wait_until("the cut cable", Duration::from_secs(30), || {
        let (channel, result) = told(&lab)?;
        Ok((channel["members"][INTERFACES[0]]["bundled"] == false).then_some((channel, result)))
    })?;
    let (cut, left) = (&channel["members"][INTERFACES[0]], &channel["members"][INTERFACES[1]]);
    assert_eq!((&cut["link"], &cut["shutdown"]), (&json!(false), &json!(false)));
    assert_eq!(cut["reason"], "link down in LACP negotiation");
    assert_eq!((&channel["up"], &left["bundled"]), (&json!(true), &json!(true)));
    Ok(())
}
