//! `state: absent`, in the reverse order of making: nothing is left of what was made, and nothing else is gone.

use anyhow::Result;
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

    // That a NIC is brought up at boot was asked of it as a NIC; nobody else's wish for that is undone.
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

/// The names of the links, but for the one that the userspace datapath keeps.
fn links(lab: &Lab) -> Result<String> {
    lab.sh("node1", "ls /sys/class/net | grep -vx ovs-netdev")
}
