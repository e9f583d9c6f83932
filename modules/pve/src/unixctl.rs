//! What only `ovs-vswitchd` itself knows, asked over its control socket as ovs-appctl(8) does: LACP by member.
//!
//! The database's `lacp_current` is no substitute. It is true from the moment that a bond is made, for three
//! seconds, whether or not anybody answers: `lacp_member_is_current()` in `lib/lacp.c` says no only after that.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use crate::jsonrpc::{self, Connection};
use crate::paths::Paths;

/// Why the daemon was not asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its process id could not be read.
    #[error("looking for `ovs-vswitchd` by `{}`", path.display())]
    PidFile {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The dialog broke.
    #[error("asking `ovs-vswitchd`")]
    Dialog(#[from] jsonrpc::Error),
}

/// The members of `bond` that have a current partner and may carry traffic; none where LACP does not run on it.
pub fn negotiated(paths: &Paths, bond: &str, deadline: Instant) -> Result<BTreeSet<String>, Error> {
    let path = paths.ovs_run.join("ovs-vswitchd.pid");
    let pid = fs::read_to_string(&path).map_err(|source| Error::PidFile { path, source })?;
    let socket = paths.ovs_run.join(format!("ovs-vswitchd.{}.ctl", pid.trim()));
    match Connection::open(&socket, deadline)?.call("lacp/show", json!([bond])) {
        Ok(Value::String(text)) => Ok(parse(&text)),
        Ok(_) | Err(jsonrpc::Error::Refused { .. }) => Ok(BTreeSet::new()),
        Err(error) => Err(error.into()),
    }
}

/// Reads `lacp/show`. Before Open vSwitch 2.15 a member was called a slave.
fn parse(text: &str) -> BTreeSet<String> {
    let mut negotiated = BTreeSet::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(member) = line.strip_prefix("member: ").or_else(|| line.strip_prefix("slave: ")) {
            current = member.strip_suffix(": current attached");
        } else if line.trim() == "may_enable: true" {
            negotiated.extend(current.map(str::to_owned));
        }
    }
    negotiated
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes of Open vSwitch 3.1 and 2.13.
    #[test]
    fn only_a_member_that_is_current_attached_and_enabled_counts() {
        for word in ["member", "slave"] {
            let text = format!(
                "---- bond0 ----\n  status: active negotiated\n  sys_id: 3c:fd:fe:e8:01:20\n  lacp_time: fast\n\n\
                 {word}: nic0: current attached\n  port_id: 1\n  may_enable: true\n\n  actor state: activity\n\n\
                 {word}: nic1: expired attached\n  may_enable: true\n\n\
                 {word}: nic2: defaulted detached\n  may_enable: true\n\n\
                 {word}: nic3: current attached\n  may_enable: false\n\n\
                 {word}: nic4: current detached\n  may_enable: false\n\n\
                 {word}: nic5: current attached\n\tmay_enable: true\n"
            );
            assert_eq!(parse(&text), BTreeSet::from(["nic0".to_owned(), "nic5".to_owned()]), "{word}");
        }
    }
}
