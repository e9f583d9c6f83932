//! Arguments that are wrong by themselves, whatever the node looks like.

use anyhow::Result;
use lab::Lab;
use serde_json::{Value, json};

use crate::{BOND, BRIDGE, INTPORT, Mode, refused};

#[test]
fn arguments_that_ansible_would_refuse() -> Result<()> {
    let lab = Lab::up()?;
    refused(
        &lab,
        Mode::Both,
        &[
            (
                BOND,
                json!({"name": "bond0", "colour": "red"}),
                "unknown_option",
                &["colour", "Supported parameters include:"],
            ),
            (BRIDGE, json!({"state": "present"}), "missing_option", &["missing required arguments: name"]),
            (INTPORT, json!({"name": "mgmt", "tag": "ten"}), "wrong_type", &["tag", "ten", "int"]),
            (BOND, json!({"name": "bond0", "members": {"a": 1}}), "wrong_type", &["members", "list"]),
            (
                BOND,
                json!({"name": "bond0", "mode": "balance-foo"}),
                "wrong_choice",
                &["mode", "balance-foo", "lacp-balance-tcp"],
            ),
            (
                BRIDGE,
                json!({"name": "vmbr0", "state": "gone"}),
                "wrong_choice",
                &["state", "gone", "present, absent"],
            ),
        ],
    )
}

#[test]
fn values_that_no_bond_can_have() -> Result<()> {
    let lab = Lab::up()?;
    let bond = |key: &str, value: Value| {
        let mut arguments =
            json!({"name": "bond0", "bridge": "vmbr0", "members": ["ens20f0np0", "ens20f1np1"]});
        arguments[key] = value;
        arguments
    };
    let members = |members: &[&str]| bond("members", json!(members));
    refused(
        &lab,
        Mode::Both,
        &[
            (BOND, bond("name", "uplink".into()), "invalid_name", &["`name`", "`uplink`"]),
            (BOND, bond("name", "bond12345".into()), "invalid_name", &["`name`", "`bond12345`"]),
            (BOND, bond("bridge", "vmbr0.10".into()), "invalid_name", &["`bridge`", "`vmbr0.10`"]),
            (BOND, members(&["ens20f0np0", "e;reboot"]), "invalid_name", &["`members`", "`e;reboot`"]),
            (BOND, members(&["ens20f0np0"]), "invalid_members", &["`members`", "at least 2", "found 1"]),
            (BOND, members(&[]), "invalid_members", &["`members`", "found 0"]),
            (BOND, members(&["ens20f0np0", "ens20f0np0"]), "invalid_members", &["`members`", "`ens20f0np0`"]),
            (BOND, bond("tag", 5000.into()), "invalid_vlan", &["`tag`", "5000", "4094"]),
            (BOND, bond("trunks", json!([1, 0])), "invalid_vlan", &["`trunks`", " 0 ", "1 to 4094"]),
            (
                BOND,
                bond("comments", "a\nauto evil".into()),
                "invalid_text",
                &["`comments`", "`a\\nauto evil`"],
            ),
            (BOND, bond("wait_for_lacp", json!(-1)), "invalid_number", &["`wait_for_lacp`", "-1"]),
            (
                BOND,
                json!({"name": "bond0", "state": "absent", "wait_for_lacp": 5}),
                "invalid_combination",
                &["`wait_for_lacp`"],
            ),
            // What is required depends on what is there.
            (BOND, json!({"name": "bond0", "bridge": "vmbr0"}), "missing_option", &["`members`", "`bond0`"]),
            (BOND, bond("bridge", Value::Null), "missing_option", &["`bridge`", "`bond0`"]),
        ],
    )?;
    let told = &["`bridge`", "`vmbr0`", "pve_ovs_bridge"];
    refused(&lab, Mode::RunOnly, &[(BOND, bond("tag", 10.into()), "bridge_not_found", told)])
}

#[test]
fn values_that_no_bridge_can_have() -> Result<()> {
    let lab = Lab::up()?;
    let end = "end\\";
    refused(
        &lab,
        Mode::Both,
        &[
            (BRIDGE, json!({"name": "bond0"}), "invalid_name", &["`name`", "`bond0`"]),
            (BRIDGE, json!({"name": "vmbr0 x"}), "invalid_name", &["`name`", "`vmbr0 x`"]),
            (BRIDGE, json!({"name": "averylongname"}), "invalid_name", &["`name`", "`averylongname`"]),
            (BRIDGE, json!({"name": "vmbr0", "ports": ["$(id)"]}), "invalid_name", &["`ports`", "`$(id)`"]),
            (BRIDGE, json!({"name": "vmbr0", "comments": end}), "invalid_text", &["`comments`", "`end"]),
            (BRIDGE, json!({"name": "vmbr0", "comments": "a\r"}), "invalid_text", &["`comments`", "`a\\r`"]),
        ],
    )
}

#[test]
fn values_that_no_intport_can_have() -> Result<()> {
    let lab = Lab::up()?;
    let intport = |key: &str, value: Value| {
        let mut arguments = json!({"name": "mgmt", "bridge": "vmbr0", "cidr": "10.10.0.2/24"});
        arguments[key] = value;
        arguments
    };
    let two_lines = "10.10.0.2/24\nup reboot";
    refused(
        &lab,
        Mode::Both,
        &[
            (INTPORT, intport("name", "eth0".into()), "invalid_name", &["`name`", "`eth0`"]),
            (INTPORT, intport("name", "tap100i0".into()), "invalid_name", &["`name`", "`tap100i0`"]),
            (INTPORT, intport("name", "Mgmt".into()), "invalid_name", &["`name`", "`Mgmt`"]),
            (INTPORT, intport("bridge", "ens20f0np0".into()), "invalid_name", &["`bridge`", "`ens20f0np0`"]),
            (INTPORT, intport("tag", 5000.into()), "invalid_vlan", &["`tag`", "5000"]),
            (INTPORT, intport("cidr", "10.10.0.2".into()), "invalid_address", &["`cidr`", "`10.10.0.2`"]),
            (INTPORT, intport("cidr", two_lines.into()), "invalid_address", &["`cidr`", "24\\nup reboot`"]),
            (INTPORT, intport("gateway", "10.1/24".into()), "invalid_address", &["`gateway`", "`10.1/24`"]),
            (INTPORT, intport("gateway", "10.10.0.2".into()), "invalid_address", &["`gateway`", "10.10.0.2"]),
            (
                INTPORT,
                json!({"name": "mgmt", "bridge": "vmbr0", "gateway": "10.10.0.1"}),
                "gateway_without_address",
                &["`gateway`", "10.10.0.1"],
            ),
            (INTPORT, json!({"name": "mgmt"}), "missing_option", &["`bridge`", "`mgmt`"]),
        ],
    )?;
    let told = &["`bridge`", "`vmbr0`", "pve_ovs_bridge"];
    refused(&lab, Mode::RunOnly, &[(INTPORT, intport("tag", 10.into()), "bridge_not_found", told)])
}
