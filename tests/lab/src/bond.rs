//! A bond as the tests of changes need it, of any members, and LACP on it as `ovs-vswitchd` sees it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Lab, wait_until};

/// The arguments of `pve_ovs_bridge` for the lab's bridge.
pub fn bridge() -> Value {
    json!({"name": "vmbr0", "datapath_type": "netdev"})
}

/// The arguments of `pve_ovs_bond` for a bond of `members` with fast LACP.
pub fn bond(members: &[&str]) -> Value {
    json!({"name": "bond0", "bridge": "vmbr0", "members": members, "lacp_time": "fast"})
}

impl Lab {
    /// Makes the bridge.
    pub fn make_bridge(&self, node: &str) -> Result<()> {
        self.module(node, "pve_ovs_bridge", &bridge())?.changed().map(drop)
    }

    /// Makes the bridge, and a bond of `members` on it.
    pub fn make_bond(&self, node: &str, members: &[&str]) -> Result<()> {
        self.make_bridge(node)?;
        self.module(node, "pve_ovs_bond", &bond(members))?.changed().map(drop)
    }

    /// Waits until every one of `members` has a current LACP partner and may carry traffic. The database's
    /// `lacp_current` alone is true for three seconds on any new bond.
    pub fn wait_for_lacp(&self, node: &str, members: &[&str]) -> Result<()> {
        for member in members {
            wait_until(
                &format!("a current LACP partner of {member} on {node}"),
                Duration::from_secs(30),
                || {
                    let text = self.exec(node, &["ovs-appctl", "lacp/show", "bond0"])?;
                    let about = text.split(&format!("member: {member}: ")).nth(1).unwrap_or_default();
                    let is_negotiated = about.starts_with("current attached")
                        && about.lines().take(4).any(|line| line.trim() == "may_enable: true");
                    let current = self.vsctl(node, &["get", "Interface", member, "lacp_current"])?;
                    Ok((is_negotiated && current == "true").then_some(()))
                },
            )?;
        }
        Ok(())
    }

    /// How often each member of `bond0` lost its partner, as `ovs-vswitchd` counts it.
    pub fn links_expired(&self, node: &str) -> Result<BTreeMap<String, u64>> {
        let text = self.exec(node, &["ovs-appctl", "lacp/show-stats", "bond0"])?;
        let mut counts = BTreeMap::new();
        let mut member = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("member: ") {
                member = Some(name.trim_end_matches(':').to_owned());
            } else if let Some(count) = line.trim().strip_prefix("Link Expired: ") {
                counts.insert(member.take().context("a count without its member")?, count.parse()?);
            }
        }
        Ok(counts)
    }
}
