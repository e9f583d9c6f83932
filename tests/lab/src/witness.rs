//! Witnesses of what happens to a bond's members between two looks at them: the database's own stream of changes, and
//! the log of `ovs-vswitchd`.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::{Lab, wait_until};

/// Every change of a member's `lacp_current` from its start on, as the database tells it.
#[derive(Debug)]
pub struct Stream<'a> {
    lab: &'a Lab,
    node: &'a str,
    monitor: Child,
}

impl<'a> Stream<'a> {
    const OUTPUT: &'static str = "/tmp/lacp_current";

    /// Begins to look.
    pub fn start(lab: &'a Lab, node: &'a str) -> Result<Self> {
        let script = format!(
            "exec ovsdb-client --format=csv --no-headings monitor unix:/run/openvswitch/db.sock Open_vSwitch \
             Interface name,lacp_current >{}",
            Self::OUTPUT
        );
        let monitor = lab.exec_command(node, &["sh", "-c", &script]).stderr(Stdio::null()).spawn()?;
        let stream = Self { lab, node, monitor };
        wait_until("the stream's beginning", Duration::from_secs(10), || {
            // The file is there a moment after the start.
            Ok(stream.text().unwrap_or_default().contains(",initial,").then_some(()))
        })?;
        Ok(stream)
    }

    /// Lines `ID,ACTION,NAME,LACP_CURRENT`.
    pub fn text(&self) -> Result<String> {
        self.lab.read(self.node, Self::OUTPUT)
    }

    /// The lines by which one of `members` has no current partner, or is gone.
    pub fn lost(&self, members: &[&str]) -> Result<Vec<String>> {
        let is_loss = |line: &&str| {
            let columns: Vec<&str> = line.split(',').collect();
            let [_, action, name, current] = columns.as_slice() else { return false };
            members.contains(name) && (*action == "delete" || *action != "old" && *current != "true")
        };
        Ok(self.text()?.lines().filter(is_loss).map(str::to_owned).collect())
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        let _ = self.monitor.kill();
        let _ = self.monitor.wait();
    }
}

/// What `ovs-vswitchd` logs from its start on.
#[derive(Debug)]
pub struct Log<'a> {
    lab: &'a Lab,
    node: &'a str,
    begin: usize,
}

impl<'a> Log<'a> {
    /// Begins to look.
    pub fn start(lab: &'a Lab, node: &'a str) -> Result<Self> {
        let mut log = Self { lab, node, begin: 0 };
        log.begin = log.text()?.len();
        Ok(log)
    }

    fn text(&self) -> Result<String> {
        self.lab.read(self.node, "/var/log/openvswitch/ovs-vswitchd.log")
    }

    /// The lines by which one of `members` stops to carry traffic.
    pub fn disabled(&self, members: &[&str]) -> Result<Vec<String>> {
        self.lines(|line| members.iter().any(|member| line.ends_with(&format!("member {member}: disabled"))))
    }

    /// The lines by which the whole bond stops to carry traffic.
    pub fn stopped(&self) -> Result<Vec<String>> {
        self.lines(|line| line.ends_with("all members disabled"))
    }

    fn lines(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        Ok(self.text()?[self.begin..].lines().filter(|line| is_wanted(line)).map(str::to_owned).collect())
    }
}
