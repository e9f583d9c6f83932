//! Both ends made by modules: bonds on the nodes, Port-Channels on the switch, LACP between them, traffic across.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::link::{MEMBERS, node_end};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

/// The switch's end of a node's link.
fn switch_end(number: u32, interfaces: [&str; 2]) -> Value {
    json!({
        "name": 1000 + number,
        "description": format!("PVE-N{number}-LACP"),
        "mode": "trunk",
        "members": [
            {"interface": interfaces[0], "description": format!("PVE-N{number}-P0(R)")},
            {"interface": interfaces[1], "description": format!("PVE-N{number}-P1(L)")},
        ],
    })
}

#[test]
fn both_ends_made_by_modules_negotiate_and_carry_traffic() -> Result<()> {
    let lab = Lab::up_switch()?;
    for (number, interfaces) in [(1, ["Ethernet7/1", "Ethernet8/1"]), (2, ["et9/1", "et10/1"])] {
        let node = format!("node{number}");
        assert_eq!(lab.run_as_predicted(&node, &node_end(&node))?, [true, true, true]);
        let end = switch_end(number, interfaces);
        let before = lab.switch_show("show running-config")?;
        let predicted = lab.check_eos(&end)?;
        assert_eq!(lab.switch_show("show running-config")?, before);
        let done = lab.eos(&end)?;
        assert!(predicted.changed()? && done.changed()?);
        assert_eq!(predicted.result["changes"], done.result["changes"]);
        assert!(!lab.eos(&end)?.changed()?);
    }
    let running = lab.switch_show("show running-config")?;
    for lines in [
        "interface Port-Channel1001\n   description PVE-N1-LACP\n   switchport mode trunk\n!\n",
        "interface Ethernet7/1\n   description PVE-N1-P0(R)\n   switchport mode trunk\n   channel-group 1001 mode active\n!\n",
        "interface Ethernet8/1\n   description PVE-N1-P1(L)\n   switchport mode trunk\n   channel-group 1001 mode active\n!\n",
    ] {
        ensure!(running.contains(lines), "{lines} is not in {running}");
    }
    for node in ["node1", "node2"] {
        lab.wait_for_lacp(node, &MEMBERS)?;
        for member in MEMBERS {
            assert_eq!(lab.vsctl(node, &["get", "Interface", member, "lacp_current"])?, "true");
        }
    }
    for channel in ["1001", "1002"] {
        wait_until(&format!("two active members of Port-Channel{channel}"), Duration::from_secs(60), || {
            let text = lab.switch_show(&format!("show interfaces Port-Channel {channel}"))?;
            let is_up = text.starts_with(&format!("Port-Channel{channel} is up, line protocol is up"));
            Ok((is_up && text.contains("Active members in this channel: 2")).then_some(()))
        })?;
    }
    lab.wait_for_answer("node1", &["-I", "mgmt"], "10.10.0.3")?;

    // What is taken away at one end is seen at the other.
    assert!(lab.eos(&json!({"name": 1001, "members": [{"interface": "et7/1"}]}))?.changed()?);
    wait_until("one active member of Port-Channel1001", Duration::from_secs(120), || {
        let text = lab.switch_show("show interfaces Port-Channel 1001")?;
        Ok(text.contains("Active members in this channel: 1").then_some(()))
    })
}
