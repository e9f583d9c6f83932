//! What one `ifreload -a` does and does not do, row by row, as `docs/convergence.md` lists it: whatever a task declares
//! is live afterwards, a second run is idle, and two reloads by somebody else leave it as it is.

use anyhow::{Context, Result, ensure};
use lab::Lab;
use lab::link::{MEMBERS, Task, node_end};
use serde_json::{Value, json};

const NODE: &str = "node1";

/// Both ends of a link, with LACP up.
fn link() -> Result<Lab> {
    let lab = Lab::up()?;
    for node in ["node1", "node2"] {
        assert_eq!(lab.run(node, &node_end(node))?, [true; 3]);
    }
    for node in ["node1", "node2"] {
        lab.wait_for_lacp(node, &MEMBERS)?;
    }
    Ok(lab)
}

/// Runs the tasks as predicted, looks at what came of them with these commands, and holds it to last.
fn becomes(lab: &Lab, tasks: &[Task], looks: &[(&str, &str)]) -> Result<()> {
    let changed = lab.run_as_predicted(NODE, tasks)?;
    ensure!(changed.iter().all(|changed| *changed), "{tasks:?} changed {changed:?}");
    let look = || -> Result<()> {
        for (command, expected) in looks {
            let found = lab.sh(NODE, command)?;
            ensure!(found.trim() == *expected, "`{command}`: {found}");
        }
        Ok(())
    };
    look().with_context(|| format!("after {tasks:?}"))?;
    let settled = lab.configuration(NODE)?;
    ensure!(lab.run(NODE, tasks)?.iter().all(|changed| !changed), "{tasks:?}: a second run is not idle");
    for _ in 0..2 {
        // Status 1, for a bond without a link of its name, is the lab's datapath.
        lab.sh(NODE, "ifreload -a || true")?;
    }
    look().with_context(|| format!("two reloads after {tasks:?}"))?;
    ensure!(lab.configuration(NODE)? == settled, "two reloads changed something after {tasks:?}");
    Ok(())
}

/// The same, and no member of the bond loses its partner at either end.
fn becomes_without_a_flap(lab: &Lab, tasks: &[Task], looks: &[(&str, &str)]) -> Result<()> {
    let expired = || -> Result<_> { Ok([lab.links_expired("node1")?, lab.links_expired("node2")?]) };
    let before = expired()?;
    becomes(lab, tasks, looks)?;
    ensure!(expired()? == before, "LACP was lost by {tasks:?}");
    Ok(())
}

fn bridge(more: Value) -> Task {
    ("pve_ovs_bridge", with("vmbr0", more))
}

fn bond(more: Value) -> Task {
    ("pve_ovs_bond", with("bond0", more))
}

fn intport(more: Value) -> Task {
    ("pve_ovs_intport", with("mgmt", more))
}

fn with(name: &str, mut arguments: Value) -> Value {
    arguments.as_object_mut().into_iter().for_each(|map| drop(map.insert("name".to_owned(), name.into())));
    arguments
}

#[test]
fn what_is_made_at_first_is_left_alone_by_the_next_run() -> Result<()> {
    let lab = link()?;
    let log = "wc -l </var/log/openvswitch/ovs-vswitchd.log";
    let lines = lab.sh(NODE, log)?;
    let expired = lab.links_expired(NODE)?;
    assert_eq!(lab.run(NODE, &node_end(NODE))?, [false; 3]);
    assert_eq!(lab.sh(NODE, log)?, lines);
    assert_eq!(lab.links_expired(NODE)?, expired);
    Ok(())
}

#[test]
fn settings_of_a_bond_are_changed_and_taken_away_without_a_flap() -> Result<()> {
    let lab = link()?;
    let get = |column: &'static str, value| (column, value);
    for (task, look) in [
        (bond(json!({"tag": 20})), get("ovs-vsctl get Port bond0 tag", "20")),
        (bond(json!({"tag": 0})), get("ovs-vsctl get Port bond0 tag", "[]")),
        (bond(json!({"trunks": [10, 20]})), get("ovs-vsctl get Port bond0 trunks", "[10, 20]")),
        (bond(json!({"trunks": []})), get("ovs-vsctl get Port bond0 trunks", "[]")),
        (
            bond(json!({"tag": 1, "vlan_mode": "native-untagged"})),
            get("ovs-vsctl get Port bond0 vlan_mode", "native-untagged"),
        ),
        (bond(json!({"tag": 0, "vlan_mode": "default"})), get("ovs-vsctl get Port bond0 vlan_mode", "[]")),
        (
            bond(json!({"lacp_time": "default"})),
            get("ovs-vsctl get Port bond0 other_config", "{lacp-fallback-ab=\"true\"}"),
        ),
        (
            bond(json!({"lacp_time": "fast", "lacp_fallback": false})),
            get("ovs-vsctl get Port bond0 other_config", "{lacp-time=fast}"),
        ),
    ] {
        becomes_without_a_flap(&lab, &[task], &[look])?;
    }
    Ok(())
}

#[test]
fn the_mode_of_a_bond_is_changed() -> Result<()> {
    let lab = link()?;
    let columns = "ovs-vsctl get Port bond0 bond_mode lacp | tr '\\n' ' '";
    for (mode, expected) in [
        ("balance-slb", "balance-slb []"),
        ("lacp-balance-slb", "balance-slb active"),
        ("active-backup", "active-backup []"),
        ("lacp-balance-tcp", "balance-tcp active"),
    ] {
        becomes(&lab, &[bond(json!({"mode": mode}))], &[(columns, expected)])?;
    }
    Ok(())
}

#[test]
fn an_intports_address_and_gateway_are_changed_and_taken_away() -> Result<()> {
    let lab = link()?;
    let address = "ip -4 -brief address show dev mgmt | tr -s ' ' | cut -d ' ' -f 3-";
    let default = "ip -4 route show default | cut -d ' ' -f 3-5";
    for (arguments, expected, route) in [
        (json!({"cidr": "10.10.0.4/24"}), "10.10.0.4/24", "10.10.0.1 dev mgmt"),
        (json!({"cidr": "10.10.0.4/25"}), "10.10.0.4/25", "10.10.0.1 dev mgmt"),
        (json!({"gateway": "10.10.0.9"}), "10.10.0.4/25", "10.10.0.9 dev mgmt"),
        (json!({"gateway": ""}), "10.10.0.4/25", ""),
        (json!({"cidr": ""}), "", ""),
        (json!({"cidr": "10.10.0.2/24", "gateway": "10.10.0.1"}), "10.10.0.2/24", "10.10.0.1 dev mgmt"),
    ] {
        becomes_without_a_flap(&lab, &[intport(arguments)], &[(address, expected), (default, route)])?;
    }
    Ok(())
}

#[test]
fn an_intport_is_renamed() -> Result<()> {
    let lab = link()?;
    let renamed = json!({"name": "admin", "bridge": "vmbr0", "tag": 10, "cidr": "10.10.0.2/24", "gateway": "10.10.0.1"});
    becomes_without_a_flap(
        &lab,
        &[intport(json!({"state": "absent"})), ("pve_ovs_intport", renamed)],
        &[
            ("ovs-vsctl list-ports vmbr0", "admin\nbond0"),
            ("ip -4 -oneline address show to 10.10.0.2 | tr -s ' ' | cut -d ' ' -f 2", "admin"),
            ("ip route show default | cut -d ' ' -f 3-5", "10.10.0.1 dev admin"),
        ],
    )
}

#[test]
fn an_address_moves_from_the_bridge_to_an_intport() -> Result<()> {
    let lab = link()?;
    lab.run(NODE, &[intport(json!({"state": "absent"})), bridge(json!({"cidr": "10.10.0.2/24"}))])?;
    becomes_without_a_flap(
        &lab,
        &[
            bridge(json!({"cidr": ""})),
            intport(json!({"bridge": "vmbr0", "tag": 10, "cidr": "10.10.0.2/24"})),
        ],
        &[("ip -4 -oneline address show to 10.10.0.2 | tr -s ' ' | cut -d ' ' -f 2", "mgmt")],
    )
}

#[test]
fn a_bond_becomes_a_port_and_a_bond_again() -> Result<()> {
    let lab = link()?;
    becomes(
        &lab,
        &[bond(json!({"state": "absent"})), bridge(json!({"ports": ["ens20f0np0"]}))],
        &[("ovs-vsctl list-ports vmbr0", "ens20f0np0\nmgmt")],
    )?;
    becomes(
        &lab,
        &[bridge(json!({"ports": []})), bond(json!({"bridge": "vmbr0", "members": MEMBERS}))],
        &[
            ("ovs-vsctl list-ports vmbr0", "bond0\nmgmt"),
            ("ovs-vsctl list-ifaces vmbr0", "ens20f0np0\nens20f1np1\nmgmt"),
        ],
    )
}

#[test]
fn a_bond_moves_to_another_bridge() -> Result<()> {
    let lab = link()?;
    lab.run(NODE, &[("pve_ovs_bridge", json!({"name": "vmbr1", "datapath_type": "netdev"}))])?;
    becomes(
        &lab,
        &[bond(json!({"bridge": "vmbr1"}))],
        &[("ovs-vsctl list-ports vmbr0", "mgmt"), ("ovs-vsctl list-ports vmbr1", "bond0")],
    )
}

#[test]
fn a_bond_deleted_by_hand_comes_back() -> Result<()> {
    let lab = link()?;
    lab.vsctl(NODE, &["del-port", "bond0"])?;
    becomes(&lab, &[bond(json!({}))], &[("ovs-vsctl list-ports vmbr0", "bond0\nmgmt")])
}

#[test]
fn what_is_taken_away_is_gone() -> Result<()> {
    let lab = link()?;
    becomes(
        &lab,
        &[intport(json!({"state": "absent"}))],
        &[("ovs-vsctl list-ports vmbr0", "bond0"), ("ip link show mgmt 2>&1 | wc -l", "1")],
    )?;
    becomes(&lab, &[bond(json!({"state": "absent"}))], &[("ovs-vsctl list-ports vmbr0", "")])?;
    becomes(&lab, &[bridge(json!({"state": "absent"}))], &[("ovs-vsctl list-br", "")])
}

/// ifupdown2 does nothing about an interface that lost its `auto` line; at the next boot it would not come up.
#[test]
fn a_lost_auto_line_is_written_again() -> Result<()> {
    let lab = link()?;
    for (name, task) in
        [("vmbr0", bridge(json!({}))), ("bond0", bond(json!({}))), ("mgmt", intport(json!({})))]
    {
        let count = format!("grep -c '^auto {name}$' /etc/network/interfaces || true");
        lab.sh(NODE, &format!("sed -i '/^auto {name}$/d' /etc/network/interfaces"))?;
        assert_eq!(lab.sh(NODE, &count)?.trim(), "0");
        becomes_without_a_flap(&lab, &[task], &[(&count, "1")])?;
    }
    Ok(())
}
