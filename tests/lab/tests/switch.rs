//! The switch of the lab, configured by hand: what the tests of its module rely on.

use std::time::Duration;

use anyhow::Result;
use lab::link::{MEMBERS, node_end};
use lab::{Lab, wait_until};

/// The switch's end of the links to both nodes, as a person would type it.
const BY_HAND: &[&str] = &[
    "configure",
    "interface Port-Channel1001",
    "description PVE-N1-LACP",
    "switchport mode trunk",
    "interface Ethernet7/1-8/1",
    "channel-group 1001 mode active",
    "interface Port-Channel1002",
    "description PVE-N2-LACP",
    "switchport mode trunk",
    "interface Ethernet9/1-10/1",
    "channel-group 1002 mode active",
    "end",
];

#[test]
fn bonds_of_two_nodes_negotiate_with_port_channels_typed_by_hand_and_traffic_crosses() -> Result<()> {
    let lab = Lab::up_switch()?;
    assert!(lab.switch_show("show version")?.contains("DCS-7050QX-32S"));
    lab.switch_cli(BY_HAND)?;
    for node in ["node1", "node2"] {
        assert_eq!(lab.run_as_predicted(node, &node_end(node))?, [true, true, true]);
    }
    for node in ["node1", "node2"] {
        lab.wait_for_lacp(node, &MEMBERS)?;
    }
    for channel in ["1001", "1002"] {
        wait_until(&format!("two active members of Port-Channel{channel}"), Duration::from_secs(30), || {
            let text = lab.switch_show(&format!("show interfaces Port-Channel {channel}"))?;
            let is_up = text.starts_with(&format!("Port-Channel{channel} is up"));
            Ok((is_up && text.contains("Active members in this channel: 2")).then_some(()))
        })?;
    }
    lab.wait_for_answer("node1", &["-I", "mgmt"], "10.10.0.3")
}

#[test]
fn the_switch_keeps_what_was_saved_and_nothing_else_over_a_restart() -> Result<()> {
    let lab = Lab::up_switch()?;
    lab.switch_cli(&["configure", "vlan 30", "name kept", "end", "copy running-config startup-config"])?;
    lab.switch_cli(&["configure", "vlan 30", "name lost", "end"])?;
    assert!(lab.switch_show("show running-config")?.contains("\nvlan 30\n   name lost\n"));
    lab.lab("stop-switch", &[])?;
    assert!(lab.switch_show("show version").is_err());
    lab.lab("start-switch", &[])?;
    assert!(lab.switch_show("show running-config")?.contains("\nvlan 30\n   name kept\n"));
    assert_eq!(lab.switch_control("connections")?.trim(), "1");
    assert!(lab.switch_control("lines")?.contains("show running-config"));
    Ok(())
}
