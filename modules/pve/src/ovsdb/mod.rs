//! The Open vSwitch database: what it holds of bridges, ports and interfaces.
//!
//! Changing it is [`Transaction`]'s. Creating bridges and ports is left to ifupdown2, so there is no way to here,
//! but for guests' ports.
//! The columns are explained in ovs-vswitchd.conf.db(5).

mod picture;
mod rows;
mod transact;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

pub use self::rows::Rows;
pub use self::transact::{BridgeColumn, InterfaceColumn, NewPort, PortColumn, Transaction};
pub use self::wire::{Map, Uuid, is_written};

use crate::jsonrpc::{self, Connection};

const DATABASE: &str = "Open_vSwitch";

/// What went wrong with the database.
///
/// Of a [`Transaction`], [`Error::Conflict`], [`Error::Refused`] and [`Error::Missing`] say that nothing of it
/// was done, [`Error::NotTakenUp`] that all of it stands in the database. After [`Error::Dialog`] it may have been
/// done or not: read again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The dialog broke.
    #[error("using the Open vSwitch database")]
    Dialog(#[from] jsonrpc::Error),
    /// The database answered, but not with what was asked for.
    #[error("using the Open vSwitch database: the answer `{0}` is not understood")]
    Answer(String),
    /// A column holds something that it cannot hold.
    #[error("reading column `{column}` of table `{table}`: it holds `{found}`, not {expected}")]
    Unexpected {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// What it should hold.
        expected: &'static str,
        /// What it holds, as on the wire.
        found: String,
    },
    /// A change names a row that was not there when the database was read.
    #[error("changing the Open vSwitch database: table `{table}` has no `{name}`")]
    Missing {
        /// Table.
        table: &'static str,
        /// Name of the row.
        name: String,
    },
    /// Somebody else changed what the plan was made from.
    #[error(
        "changing the Open vSwitch database: {what} changed since it was read; hint: see who else configures this \
         node, then run again"
    )]
    Conflict {
        /// What changed: table, row and column.
        what: String,
    },
    /// The database takes the transaction for wrong.
    #[error("changing the Open vSwitch database: {error}: {details} (in `{operation}`)")]
    Refused {
        /// The kind of error, such as `constraint violation`.
        error: String,
        /// The database's explanation.
        details: String,
        /// The operation that it stopped at, with its columns, as on the wire; or `commit`.
        operation: String,
    },
    /// The database has changed, but `ovs-vswitchd` did not act on it in time.
    #[error(
        "changing Open vSwitch: the database has changed, but ovs-vswitchd did not act on it in time; hint: see \
         `systemctl status ovs-vswitchd`"
    )]
    NotTakenUp,
}

/// The database's whole picture, as far as these modules go, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ovs {
    /// Bridges by name.
    pub bridges: BTreeMap<String, Bridge>,
    /// Ports by name: a bond is one with several interfaces.
    pub ports: BTreeMap<String, Port>,
    /// Interfaces by name.
    pub interfaces: BTreeMap<String, Interface>,
}

/// A row of table `Bridge`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bridge {
    /// Identity of the row.
    pub uuid: Uuid,
    /// Names of its ports, its own internal one among them.
    pub ports: BTreeSet<String>,
    /// `system`, which is also what the empty text stands for, or `netdev`.
    pub datapath_type: String,
    /// Whether it runs the spanning tree protocol.
    pub stp_enable: bool,
    /// Whether it runs the rapid spanning tree protocol.
    pub rstp_enable: bool,
    /// Whether it forwards multicast only to who asked for it.
    pub mcast_snooping_enable: bool,
    /// Further settings. ifupdown2 clears them at every reload.
    pub other_config: Map,
    /// Notes of other programs. ifupdown2 clears them at every reload.
    pub external_ids: Map,
    /// Names of its mirrors.
    pub mirrors: BTreeSet<String>,
    /// Every column, as on the wire.
    pub columns: Value,
}

/// A row of table `Port`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Port {
    /// Identity of the row.
    pub uuid: Uuid,
    /// Name of the bridge that it is on.
    pub bridge: String,
    /// Names of its interfaces: the members, if it is a bond.
    pub interfaces: BTreeSet<String>,
    /// `balance-tcp`, `balance-slb` or `active-backup`, which is also what `None` stands for.
    pub bond_mode: Option<String>,
    /// `active`, `passive` or `off`, which is also what `None` stands for.
    pub lacp: Option<String>,
    /// VLAN as an access port or native VLAN of a trunk, 0 to 4095.
    pub tag: Option<u16>,
    /// VLANs carried; none listed are all.
    pub trunks: BTreeSet<u16>,
    /// `trunk`, `access`, `native-tagged`, `native-untagged` or `dot1q-tunnel`. `None`: `access` where there is a
    /// tag, `trunk` where there is none.
    pub vlan_mode: Option<String>,
    /// Milliseconds that a member's carrier must be up before it is used.
    pub bond_updelay: i64,
    /// Milliseconds that a member's carrier must be down before it is no longer used.
    pub bond_downdelay: i64,
    /// Whether the kernel is given an interface with the bond's name.
    pub bond_fake_iface: bool,
    /// Further settings, such as `lacp-time`.
    pub other_config: Map,
}

/// A row of table `Interface`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Identity of the row.
    pub uuid: Uuid,
    /// Name of the port that it belongs to.
    pub port: String,
    /// `internal`, `patch`, `vxlan`…; the empty text and `system` are an interface of the kernel.
    pub kind: String,
    /// MTU asked for.
    pub mtu_request: Option<u32>,
    /// Further settings.
    pub other_config: Map,
    /// MTU that it has.
    pub mtu: Option<u32>,
    /// MAC address asked for.
    pub mac: Option<String>,
    /// MAC address that it has.
    pub mac_in_use: Option<String>,
    /// `up` or `down`: whether it is set up.
    pub admin_state: Option<String>,
    /// `up` or `down`: whether it has a carrier.
    pub link_state: Option<String>,
    /// Whether its LACP partner is current. `None`: LACP does not run on it.
    pub lacp_current: Option<bool>,
    /// Number of its port in the flow tables; -1 where it could not be made.
    pub ofport: Option<i64>,
    /// Why `ovs-vswitchd` cannot use it.
    pub error: Option<String>,
}

/// A dialog with the database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
}

impl Database {
    /// Connects. Nothing in the dialog lasts beyond `deadline`.
    pub fn open(socket: &Path, deadline: Instant) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(socket, deadline)? })
    }

    /// Reads the whole picture in one transaction.
    pub fn read(&mut self) -> Result<Ovs, Error> {
        let answers = self.transact(&[], &picture::selects())?;
        picture::decode(&answers)
    }

    /// The result of each operation.
    ///
    /// The first operations are waits, one for each text of `guards`, which says what has changed if it fails.
    fn transact(&mut self, guards: &[String], operations: &[Value]) -> Result<Vec<Value>, Error> {
        let params = [Value::from(DATABASE)].into_iter().chain(operations.iter().cloned()).collect();
        let answer = self.connection.call("transact", params)?;
        let Value::Array(results) = answer else { return Err(Error::Answer(answer.to_string())) };

        // An error stands in the place of its operation; one of the commit stands behind the last operation.
        if let Some((at, result)) =
            results.iter().enumerate().find(|(_, result)| result.get("error").is_some())
        {
            let text = |key| result.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let error = text("error");
            return Err(match guards.get(at) {
                Some(what) if error == "timed out" => Error::Conflict { what: what.clone() },
                _ => Error::Refused {
                    error,
                    details: text("details"),
                    operation: operations.get(at).map_or_else(|| "commit".to_owned(), Value::to_string),
                },
            });
        }
        if results.len() == operations.len() {
            Ok(results)
        } else {
            Err(Error::Answer(Value::Array(results).to_string()))
        }
    }
}
