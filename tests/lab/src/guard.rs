//! Runs on a node and the guards of their changes, as processes: how they are ended from outside, and what there is to see
//! when they are gone.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{Lab, wait_until};

/// Going back by itself takes an `ifreload`, and may have to wait for another one.
const LONG: Duration = Duration::from_secs(90);

/// Ends the guard of every change, for a shell in a node: each before it can go back.
pub const KILL_GUARDS: &str = r#"
for armed in /var/lib/bothends/checkpoint-*/armed; do
  [ ! -s "$armed" ] || [ "$(readlink "/proc/$(cat "$armed")/exe")" != "${armed%/armed}/guard" ] ||
    kill -KILL "$(cat "$armed")"
done
"#;

/// Ends the run that has the lock of the node, for a shell there.
pub const KILL_RUN: &str = "kill -KILL \"$(sed 's/^pid \\([0-9]*\\).*/\\1/' /run/bothends/node.lock)\"\n";

impl Lab {
    /// Kills the run that changes the node. Its guard is there to go back.
    pub fn kill_run(&self, node: &str) -> Result<()> {
        self.sh(node, KILL_RUN).map(drop)
    }

    /// Kills the guards of all changes.
    pub fn kill_guards(&self, node: &str) -> Result<()> {
        self.sh(node, KILL_GUARDS).map(drop)
    }

    /// Kills the run that changes the node, and its guard first, so that what it left is for the next run to undo.
    pub fn kill_run_and_guard(&self, node: &str) -> Result<()> {
        self.sh(node, &format!("{KILL_GUARDS}{KILL_RUN}")).map(drop)
    }

    /// The checkpoints there are, a folder each.
    pub fn checkpoints(&self, node: &str) -> Result<Vec<String>> {
        let found = self.sh(node, "find /var/lib/bothends -maxdepth 1 -name 'checkpoint-*'")?;
        Ok(found.lines().map(str::to_owned).collect())
    }

    /// Waits until no guard watches, because there is nothing to go back from any more.
    pub fn wait_for_guards(&self, node: &str) -> Result<()> {
        wait_until("the guards to end", LONG, || {
            let watching = self.sh(node, "pgrep -cf '^/var/lib/bothends/checkpoint-[^ ]*/guard ' || true")?;
            Ok((watching.trim() == "0").then_some(()))
        })
    }

    /// Waits until the guards have gone back, with nobody else there, and holds them to it.
    pub fn wait_until_undone(&self, node: &str) -> Result<()> {
        self.wait_for_guards(node)?;
        let left = self.checkpoints(node)?;
        ensure!(left.is_empty(), "the guards are gone and left {left:?}");
        let verdict = self.read(node, "/var/lib/bothends/verdict.json")?;
        ensure!(verdict.contains("\"fate\":\"undone\""), "it does not say that it went back: {verdict}");
        Ok(())
    }
}
