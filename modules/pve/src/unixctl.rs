//! What only `ovs-vswitchd` itself knows, asked over its control socket as ovs-appctl(8) does: LACP and the bond, by
//! member.
//!
//! The answers are texts for people; reading them is `lacp.rs` and `bond.rs`: a line that they do not know is passed
//! over, so that a later release can say more. The database's `lacp_current` is no
//! substitute. It is true from the moment that a bond is made, for three seconds, whether or not anybody answers:
//! `lacp_member_is_current()` in `lib/lacp.c` says no only after that.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use serde_json::{Value, json};

use crate::jsonrpc::{self, Connection};
use crate::paths::Paths;

mod bond;
mod lacp;

pub use bond::{Bond, Load};
pub use lacp::{Lacp, LacpPort, Member};

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
    /// A line that is known holds something that it cannot hold.
    #[error("reading the answer of `ovs-vswitchd` to `{command}`: `{line}` holds no such number")]
    Line {
        /// What was asked.
        command: &'static str,
        /// The line.
        line: String,
    },
}

/// A dialog with `ovs-vswitchd`.
#[derive(Debug)]
pub struct Daemon {
    connection: Connection,
}

impl Daemon {
    /// Connects. Nothing in the dialog lasts beyond `deadline`.
    pub fn open(paths: &Paths, deadline: Instant) -> Result<Self, Error> {
        let path = paths.ovs_run.join("ovs-vswitchd.pid");
        let pid = fs::read_to_string(&path).map_err(|source| Error::PidFile { path, source })?;
        let socket = paths.ovs_run.join(format!("ovs-vswitchd.{}.ctl", pid.trim()));
        Ok(Self { connection: Connection::open(&socket, deadline)? })
    }

    /// LACP on `bond`; empty where it does not run.
    pub fn lacp(&mut self, bond: &str) -> Result<Lacp, Error> {
        Lacp::parse(&self.show(lacp::SHOW, bond)?)
    }

    /// The members of `bond` and what they carry; empty where there is no such bond.
    pub fn bond(&mut self, bond: &str) -> Result<Bond, Error> {
        Bond::parse(&self.show(bond::SHOW, bond)?)
    }

    /// The text of the answer; empty where the daemon knows no such bond.
    fn show(&mut self, command: &str, bond: &str) -> Result<String, Error> {
        match self.connection.call(command, json!([bond])) {
            Ok(Value::String(text)) => Ok(text),
            Ok(_) | Err(jsonrpc::Error::Refused { .. }) => Ok(String::new()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The name and the state in a member's first line, such as `member: eno1: current attached` or `member eno1: enabled`.
/// Before Open vSwitch 2.15 a member was called a slave.
fn member(line: &str) -> Option<(&str, &str)> {
    let head = line.strip_prefix("member").or_else(|| line.strip_prefix("slave"))?;
    let head = head.strip_prefix(": ").or_else(|| head.strip_prefix(' '))?;
    Some(head.split_once(':').map_or((head, ""), |(name, state)| (name, state.trim())))
}

/// The number in `text`, which stands in `line` of the answer to `command`.
fn number<T: FromStr>(command: &'static str, line: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Line { command, line: line.trim().to_owned() })
}
