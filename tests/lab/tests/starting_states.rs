//! Whatever is there when the tasks begin, at either end – nothing, the right thing, a wrong one – what is there after
//! them is the same, LACP is negotiated, and a second run is idle.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::link::{MEMBERS, Task, node_end};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

/// How a device can be found: a name, and what makes it so.
type State<Device> = (&'static str, fn(&Lab, &Device) -> Result<()>);

/// How a node can be found.
const NODES: [State<str>; 7] = [
    ("nothing", |_, _| Ok(())),
    ("the right thing", |lab, node| made(lab, node, &node_end(node))),
    ("a bridge alone", |lab, node| made(lab, node, node_end(node).get(..1).context("a task")?)),
    ("a bond without LACP", |lab, node| {
        bonded(lab, node, &json!({"members": MEMBERS, "mode": "balance-slb", "comments": "old"}))
    }),
    ("a bond with another member", |lab, node| {
        bonded(lab, node, &json!({"members": ["ens20f0np0", "ens21f0np0"], "tag": 20}))
    }),
    ("a bond in Open vSwitch alone", |lab, node| {
        bonded(lab, node, &json!({"members": MEMBERS, "mode": "active-backup"}))?;
        lab.sh(node, "sed -i '/^auto bond0/,/^$/d; /ovs_ports bond0/d' /etc/network/interfaces").map(drop)
    }),
    ("an IntPort in another VLAN, with another address", |lab, node| {
        made(lab, node, &node_end(node))?;
        let wrong = json!({"name": "mgmt", "tag": 20, "cidr": "10.20.0.9/24", "gateway": ""});
        made(lab, node, &[("pve_ovs_intport", wrong)])
    }),
];

/// How the switch's end of a link can be found.
const SWITCHES: [State<End>; 5] = [
    ("nothing", |_, _| Ok(())),
    ("the right thing", |lab, end| lab.eos(&end.task())?.changed().map(drop)),
    ("a Port-Channel without members, in one VLAN", |lab, end| {
        typed(lab, &[&end.channel(), "description old", "switchport access vlan 20"])
    }),
    ("members without LACP, among them another one, in VLANs that do not fit", |lab, end| {
        let [first, second] = end.interfaces();
        typed(
            lab,
            &[
                &end.channel(),
                "switchport mode trunk",
                "switchport trunk allowed vlan 20",
                &first,
                &end.group("on"),
                &second,
                "switchport trunk native vlan 20",
                &end.group("on"),
                &format!("interface Ethernet{}/1", 20 + end.number),
                &end.group("on"),
            ],
        )
    }),
    ("one member, and nothing said of the channel", |lab, end| {
        let [_, second] = end.interfaces();
        typed(lab, &[&second, "description somebody's", &end.group("passive")])
    }),
];

/// The switch's end of the link of a node.
struct End {
    number: u32,
}

impl End {
    fn ports(&self) -> [u32; 2] {
        [5 + 2 * self.number, 6 + 2 * self.number]
    }

    fn channel(&self) -> String {
        format!("interface Port-Channel{}", 1000 + self.number)
    }

    fn interfaces(&self) -> [String; 2] {
        self.ports().map(|port| format!("interface Ethernet{port}/1"))
    }

    fn group(&self, mode: &str) -> String {
        format!("channel-group {} mode {mode}", 1000 + self.number)
    }

    /// What is declared.
    fn task(&self) -> Value {
        json!({
            "name": 1000 + self.number, "description": "PVE", "mode": "trunk", "access_vlan": 0, "native_vlan": 0,
            "trunk_vlans": [10, 20], "member_switchport": true,
            "members": self.ports().map(|port| {
                json!({"interface": format!("et{port}/1"), "description": "", "lacp_mode": "active"})
            }),
        })
    }

    /// What the switch shows when it is so.
    fn is_declared(&self, running: &str) -> Result<()> {
        let switchport = "   switchport trunk allowed vlan 10,20\n   switchport mode trunk\n";
        let channel = format!("{}\n   description PVE\n{switchport}!\n", self.channel());
        ensure!(running.contains(&channel), "{channel} is not in {running}");
        for interface in self.interfaces() {
            let member = format!("{interface}\n{switchport}   {}\n!\n", self.group("active"));
            ensure!(running.contains(&member), "{member} is not in {running}");
        }
        let members = running.matches(&self.group("")).count();
        ensure!(members == 2, "{members} members in {running}");
        Ok(())
    }
}

fn made(lab: &Lab, node: &str, tasks: &[Task]) -> Result<()> {
    lab.run(node, tasks).map(drop)
}

fn bonded(lab: &Lab, node: &str, settings: &Value) -> Result<()> {
    made(lab, node, node_end(node).get(..1).context("a task")?)?;
    made(lab, node, &[("pve_ovs_bond", with(json!({"name": "bond0", "bridge": "vmbr0"}), settings))])
}

fn with(mut arguments: Value, more: &Value) -> Value {
    if let (Some(arguments), Some(more)) = (arguments.as_object_mut(), more.as_object()) {
        arguments.extend(more.clone());
    }
    arguments
}

fn typed(lab: &Lab, lines: &[&str]) -> Result<()> {
    let lines = [&["configure"], lines, &["end", "copy running-config startup-config"]].concat();
    lab.switch_cli(&lines).map(drop)
}

/// What is declared of a node: every property that a wrong start could have.
fn declared(node: &str) -> [Task; 3] {
    let [bridge, (bond, settings), intport] = node_end(node);
    [bridge, (bond, with(settings, &json!({"tag": 0, "comments": ""}))), intport]
}

fn ends_the_same(lab: &Lab, number: u32, node_state: usize, switch_state: usize) -> Result<String> {
    let node = format!("node{number}");
    let end = End { number };
    let ((node_name, prepare_node), (switch_name, prepare_switch)) =
        (NODES.get(node_state).context("a state")?, SWITCHES.get(switch_state).context("a state")?);
    let name = format!("{node}: {node_name}; switch: {switch_name}");
    let run = || -> Result<String> {
        prepare_node(lab, &node)?;
        prepare_switch(lab, &end)?;
        lab.run(&node, &declared(&node))?;
        lab.eos(&end.task())?.changed()?;
        lab.wait_for_lacp(&node, &MEMBERS)?;
        wait_until("two active members", Duration::from_secs(60), || {
            let text = lab.switch_show(&format!("show interfaces Port-Channel {}", 1000 + number))?;
            Ok(text.contains("Active members in this channel: 2").then_some(()))
        })?;
        end.is_declared(&lab.switch_show("show running-config")?)?;
        ensure!(lab.run(&node, &declared(&node))? == [false; 3], "the second run changed the node");
        ensure!(!lab.eos(&end.task())?.changed()?, "the second run changed the switch");
        Ok(without_traces(&lab.configuration(&node)?))
    };
    run().context(name)
}

/// A NIC that was a member of a wrong bond stays up, as one stays that is taken out in the web interface; and a member
/// that was not disturbed when another one left keeps the aggregation key that it was given for that.
fn without_traces(configuration: &str) -> String {
    let is_trace = |line: &str| line.contains("ens21f0np0");
    let lines = configuration.lines().filter(|line| !is_trace(line));
    lines.map(|line| line.replace("lacp-aggregation-key=1", "") + "\n").collect()
}

/// Every pair of states of a share of the nodes' states, two at a time in one lab: one on each node.
fn all_end_the_same(node_states: &[usize]) -> Result<()> {
    let pairs: Vec<(usize, usize)> =
        node_states.iter().flat_map(|node| (0..SWITCHES.len()).map(move |switch| (*node, switch))).collect();
    let mut reference: [Option<String>; 2] = [None, None];
    for pair in pairs.chunks(2) {
        let lab = Lab::up_switch()?;
        for ((number, reference), (node_state, switch_state)) in (1..).zip(&mut reference).zip(pair) {
            let found = ends_the_same(&lab, number, *node_state, *switch_state)?;
            let wanted = reference.get_or_insert_with(|| found.clone());
            ensure!(*wanted == found, "node state {node_state} ended as\n{found}\ninstead of\n{wanted}");
        }
    }
    Ok(())
}

#[test]
fn from_nothing_the_right_thing_or_a_part_of_it() -> Result<()> {
    all_end_the_same(&[0, 1, 2])
}

#[test]
fn from_bonds_that_are_wrong() -> Result<()> {
    all_end_the_same(&[0, 3, 4])
}

#[test]
fn from_what_is_live_alone_or_an_address_that_is_wrong() -> Result<()> {
    all_end_the_same(&[0, 5, 6])
}
