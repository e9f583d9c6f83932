//! The road from nothing to a negotiated bond, on both nodes.

use anyhow::Result;
use lab::Lab;
use serde_json::json;

#[test]
fn both_nodes_come_up_and_a_second_run_is_idle() -> Result<()> {
    let lab = Lab::up()?;
    for round in 0..2 {
        for (node, cidr) in [("node1", "10.10.0.2/24"), ("node2", "10.10.0.3/24")] {
            for (module, arguments) in [
                ("pve_ovs_bridge", json!({"name": "vmbr0", "datapath_type": "netdev"})),
                (
                    "pve_ovs_bond",
                    json!({"name": "bond0", "bridge": "vmbr0", "members": ["ens20f0np0", "ens20f1np1"],
                           "lacp_time": "fast", "lacp_fallback": true}),
                ),
                ("pve_ovs_intport", json!({"name": "mgmt", "bridge": "vmbr0", "tag": 10, "cidr": cidr})),
            ] {
                assert_eq!(lab.module(node, module, &arguments)?.changed()?, round == 0, "{node} {module}");
            }
        }
    }
    for node in ["node1", "node2"] {
        lab.wait_for_lacp(node, &["ens20f0np0", "ens20f1np1"])?;
    }
    lab.exec("node1", &["ping", "-c", "3", "-W", "2", "10.10.0.3"])?;
    Ok(())
}
