//! A node whose only way in leads through the switch, in a state from before Open vSwitch: where a migration begins.

use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use crate::Lab;

/// Where `node1` is reached, from first to last.
pub const MANAGEMENT: &str = "10.10.0.2";
/// The guest on the Linux bridge.
pub const GUEST: &str = "10.10.0.101";
/// The switch's end of the cable that carries everything at first, as an interface of the namespace `switch`.
pub const CARRYING_PORT: &str = "Et7_1";

/// Where the management address is at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldState {
    /// On the NIC itself.
    Nic,
    /// On the Linux bridge `vmbr0`, as the installer leaves it, which a guest is plugged into.
    Vmbr0,
}

impl OldState {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Nic, Self::Vmbr0];

    /// As `lab up --uplink` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nic => "nic",
            Self::Vmbr0 => "vmbr0",
        }
    }
}

/// The link that `node1` shall have, as an inventory describes it. What was untagged at the switch before stays untagged.
pub fn link() -> Value {
    json!({
        "bridge": {"name": "vmbr0"},
        "bond": {"name": "bond0"},
        "intports": [{"name": "mgmt", "cidr": format!("{MANAGEMENT}/24"), "gateway": "10.10.0.1"}],
        "switches": [{
            "name": "core",
            "port_channel": 1001,
            "description": "PVE-N1-LACP",
            "native_vlan": 10,
            "interfaces": [
                {"interface": "Ethernet7/1", "nic": "ens20f0np0", "description": "PVE-N1-P0(R)"},
                {"interface": "Ethernet8/1", "nic": "ens20f1np1", "description": "PVE-N1-P1(L)"},
            ],
        }],
    })
}

impl Lab {
    /// The command that runs a playbook on `node1`, with [`link()`] as what it shall have.
    pub fn uplink_playbook(&self, name: &str, arguments: &[&str]) -> Result<Command> {
        let inventory = json!({"nodes": {"hosts": {"node1": {"link": link()}}}});
        let inventory = self.private_file("migration.json", &inventory.to_string())?;
        self.playbook_command(name, &[&["-i", &inventory, "--limit", "node1"], arguments].concat())
    }

    /// Brings up one node, and the switch through which alone `control` reaches it.
    pub fn up_uplink(old: OldState) -> Result<Self> {
        Self::up_with(&["--nodes", "1", "--topology", "switch", "--uplink", old.name()])
    }

    /// Whether `node1` takes a login from `control` over a new connection.
    pub fn logs_in(&self) -> Result<bool> {
        Ok(self.ssh(&["-o", "ConnectTimeout=3", "node1", "true"])?.output()?.status.success())
    }

    /// Pulls a cable, or plugs it in again, by the switch's end. A commit that means the port to be up plugs it in, too.
    pub fn set_cable(&self, port: &str, plugged: bool) -> Result<()> {
        let state = if plugged { "up" } else { "down" };
        self.exec("switch", &["ip", "link", "set", port, state]).map(drop)
    }
}
