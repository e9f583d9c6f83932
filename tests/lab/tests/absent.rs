//! `state: absent`, in the reverse order of making: nothing is left of what was made, and nothing else is gone.

#![allow(clippy::indexing_slicing, reason = "the tests fail by panicking")]

use std::slice::from_ref;

use anyhow::{Context, Result};
use lab::Lab;
use lab::link::{MEMBERS, Task, node_end};
use serde_json::json;

#[test]
fn what_was_made_is_taken_away_in_reverse() -> Result<()> {
    let lab = Lab::up()?;
    let file = lab.read("node1", "/etc/network/interfaces")?;
    let links = links(&lab)?;
    assert_eq!(lab.run("node1", &node_end("node1"))?, [true; 3]);

    let tasks: [Task; 3] = [
        ("pve_ovs_intport", json!({"name": "mgmt", "state": "absent"})),
        ("pve_ovs_bond", json!({"name": "bond0", "state": "absent"})),
        ("pve_ovs_bridge", json!({"name": "vmbr0", "state": "absent"})),
    ];
    assert_eq!(lab.run_as_predicted("node1", &tasks)?, [true; 3]);
    assert_eq!(lab.run_as_predicted("node1", &tasks)?, [false; 3]);

    // The NICs keep their `auto` lines: nobody knows who else relies on them by now.
    let kept = MEMBERS.iter().fold(file, |file, nic| {
        file.replace(&format!("iface {nic} inet"), &format!("auto {nic}\niface {nic} inet"))
    });
    assert_eq!(lab.read("node1", "/etc/network/interfaces")?, kept);
    for table in ["Bridge", "Port", "Interface"] {
        assert_eq!(lab.vsctl("node1", &["--columns=name", "list", table])?, "", "{table}");
    }
    assert_eq!(self::links(&lab)?, links);
    assert_eq!(lab.exec("node1", &["ip", "-4", "route", "show", "default"])?, "");
    assert_eq!(lab.exec("node1", &["ls", "-A", "/var/lib/bothends"])?, "");
    Ok(())
}

#[test]
fn what_is_left_in_one_store_is_taken_away_too() -> Result<()> {
    let lab = Lab::up()?;
    let [bridge, bond, intport] = node_end("node1");
    let absent =
        |(module, arguments): &Task| (*module, json!({"name": arguments["name"], "state": "absent"}));
    assert_eq!(lab.run("node1", from_ref(&bridge))?, [true]);
    let file = lab.read("node1", "/etc/network/interfaces")?;
    let from_file =
        |name: &str| format!("sed -i '/^auto {name}$/,/^$/d; /ovs_ports {name}$/d' /etc/network/interfaces");
    for (task, by_hand) in [
        (&bond, "ovs-vsctl del-port bond0".to_owned()),
        (&bond, from_file("bond0")),
        (&intport, "ovs-vsctl del-port mgmt".to_owned()),
        (&intport, from_file("mgmt")),
    ] {
        let done = || -> Result<()> {
            let name = &task.1["name"];
            assert_eq!(lab.run("node1", from_ref(task))?, [true]);
            lab.sh("node1", &by_hand)?;
            assert_eq!(lab.run_as_predicted("node1", &[absent(task), absent(task)])?, [true, false]);
            assert!(!lab.read("node1", "/etc/network/interfaces")?.contains(&format!("{name} inet")));
            assert_eq!(lab.vsctl("node1", &["list-ports", "vmbr0"])?, "");
            Ok(())
        };
        done().with_context(|| by_hand.clone())?;
    }
    lab.write("node1", "/etc/network/interfaces", &file)?;
    lab.vsctl("node1", &["del-br", "vmbr0"])?;
    assert_eq!(lab.run_as_predicted("node1", &[absent(&bridge), absent(&bridge)])?, [true, false]);
    assert_eq!(lab.run("node1", from_ref(&bridge))?, [true]);
    lab.sh("node1", &from_file("vmbr0"))?;
    assert_eq!(lab.run_as_predicted("node1", &[absent(&bridge), absent(&bridge)])?, [true, false]);
    assert_eq!(lab.vsctl("node1", &["list-br"])?, "");
    Ok(())
}

/// The names of the links, but for the one that the userspace datapath keeps.
fn links(lab: &Lab) -> Result<String> {
    lab.sh("node1", "ls /sys/class/net | grep -vx ovs-netdev")
}
