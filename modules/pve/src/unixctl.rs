//! What only `ovs-vswitchd` itself knows, asked over its control socket as ovs-appctl(8) does: LACP by member.
//!
//! The database's `lacp_current` is no substitute. It is true from the moment that a bond is made, for three
//! seconds, whether or not anybody answers: `lacp_member_is_current()` in `lib/lacp.c` says no only after that.

use std::collections::BTreeMap;
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

/// LACP of one bond as `lacp/show` tells it; empty where LACP does not run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacp {
    /// The actor's aggregation key in force, 1 to 65535.
    pub key: Option<u16>,
    /// The members by name.
    pub members: BTreeMap<String, Member>,
}

/// One member of a bond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// The actor's port id, 1 to 65535.
    pub port_id: Option<u16>,
    /// Whether its partner is current and it may carry traffic.
    pub is_negotiated: bool,
}

impl Lacp {
    /// Whether `member` has a current partner and may carry traffic.
    pub fn is_negotiated(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(|member| member.is_negotiated)
    }
}

/// Asks about LACP on `bond`.
pub fn lacp(paths: &Paths, bond: &str, deadline: Instant) -> Result<Lacp, Error> {
    let path = paths.ovs_run.join("ovs-vswitchd.pid");
    let pid = fs::read_to_string(&path).map_err(|source| Error::PidFile { path, source })?;
    let socket = paths.ovs_run.join(format!("ovs-vswitchd.{}.ctl", pid.trim()));
    match Connection::open(&socket, deadline)?.call("lacp/show", json!([bond])) {
        Ok(Value::String(text)) => Ok(parse(&text)),
        Ok(_) | Err(jsonrpc::Error::Refused { .. }) => Ok(Lacp::default()),
        Err(error) => Err(error.into()),
    }
}

/// Reads `lacp/show`. Before Open vSwitch 2.15 a member was called a slave.
fn parse(text: &str) -> Lacp {
    let mut lacp = Lacp::default();
    let mut current = None;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("member: ").or_else(|| line.strip_prefix("slave: ")) {
            let (name, status) = head.split_once(": ").unwrap_or((head, ""));
            let member = lacp.members.entry(name.to_owned()).or_default();
            current = Some((member, status == "current attached"));
            continue;
        }
        let Some((name, value)) = line.trim().split_once(": ") else { continue };
        match (name, &mut current) {
            ("aggregation key", None) => lacp.key = value.parse().ok(),
            ("port_id", Some((member, _))) => member.port_id = value.parse().ok(),
            ("may_enable", Some((member, is_current))) => {
                member.is_negotiated = *is_current && value == "true";
            }
            _ => {}
        }
    }
    lacp
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes of Open vSwitch 3.1 and 2.13.
    #[test]
    fn only_a_member_that_is_current_attached_and_enabled_counts() {
        for word in ["member", "slave"] {
            let text = format!(
                "---- bond0 ----\n  status: active negotiated\n  sys_id: 3c:fd:fe:e8:01:20\n  aggregation key: 9\n  lacp_time: fast\n\n\
                 {word}: nic0: current attached\n  port_id: 1\n  may_enable: true\n\n  actor port_id: 1\n  \
                 partner port_id: 7\n  partner key: 5\n  partner state: activity\n\n\
                 {word}: nic1: expired attached\n  may_enable: true\n\n\
                 {word}: nic2: defaulted detached\n  may_enable: true\n\n\
                 {word}: nic3: current attached\n  may_enable: false\n\n\
                 {word}: nic4: current detached\n  may_enable: false\n\n\
                 {word}: nic5: current attached\n\tmay_enable: true\n"
            );
            let lacp = parse(&text);
            assert_eq!(lacp.key, Some(9), "{word}");
            assert_eq!(lacp.members.len(), 6, "{word}");
            let negotiated: Vec<_> =
                lacp.members.keys().filter(|member| lacp.is_negotiated(member)).collect();
            assert_eq!(negotiated, ["nic0", "nic5"], "{word}");
            assert_eq!(lacp.members["nic0"].port_id, Some(1), "{word}");
            assert_eq!(lacp.members["nic5"].port_id, None, "{word}");
        }
    }
}
