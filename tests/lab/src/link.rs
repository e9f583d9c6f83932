//! The node end of a link as most tests start from it: one bridge, one bond, one IntPort. What a single test
//! wants otherwise is in that test.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Lab;

/// A module and its arguments.
pub type Task = (&'static str, Value);

/// The members of the bond.
pub const MEMBERS: [&str; 2] = ["ens20f0np0", "ens20f1np1"];

/// What `playbooks/node.yml` asks of a node by its example inventory, task by task.
pub fn node_end(node: &str) -> [Task; 3] {
    let cidr = if node == "node1" { "10.10.0.2/24" } else { "10.10.0.3/24" };
    [
        ("pve_ovs_bridge", json!({"name": "vmbr0", "datapath_type": "netdev"})),
        (
            "pve_ovs_bond",
            json!({"name": "bond0", "bridge": "vmbr0", "members": MEMBERS, "mode": "lacp-balance-tcp",
                   "lacp_time": "fast", "lacp_fallback": true}),
        ),
        (
            "pve_ovs_intport",
            json!({"name": "mgmt", "bridge": "vmbr0", "tag": 10, "cidr": cidr, "gateway": "10.10.0.1"}),
        ),
    ]
}

/// The task with more arguments.
pub fn also((module, mut arguments): Task, more: Value) -> Task {
    if let (Some(arguments), Value::Object(more)) = (arguments.as_object_mut(), more) {
        arguments.extend(more);
    }
    (module, arguments)
}

impl Lab {
    /// Runs tasks one after the other; what each says of `changed`.
    pub fn run(&self, node: &str, tasks: &[Task]) -> Result<Vec<bool>> {
        tasks.iter().map(|(module, arguments)| self.module(node, module, arguments)?.changed()).collect()
    }

    /// Checks each task right before it is run, and holds it to its word: the same `changed`, `changes`, `diff`,
    /// `before` and `after`. What each says of `changed`.
    pub fn run_as_predicted(&self, node: &str, tasks: &[Task]) -> Result<Vec<bool>> {
        let mut changed = Vec::new();
        for (module, arguments) in tasks {
            let predicted = self.check(node, module, arguments)?;
            let mut arguments = arguments.clone();
            arguments["_ansible_diff"] = true.into();
            let mut done = self.module(node, module, &arguments)?;
            // Whether a router answers is asked only before a change; the lab's has none.
            if let Some(warnings) = done.result.get_mut("warnings").and_then(Value::as_array_mut) {
                warnings.retain(|warning| !warning.to_string().contains("whether the node stays reachable"));
            }
            changed.push(done.changed()?);
            for key in ["changed", "changes", "diff", "before", "after", "warnings"] {
                ensure!(
                    !done.result[key].is_null() && predicted.result[key] == done.result[key],
                    "{node} {module}: `{key}` was predicted to be {:#}, and was {:#}",
                    predicted.result[key],
                    done.result[key]
                );
            }
        }
        Ok(changed)
    }
}
