//! Changes of the database: built against the picture that the plan was made from, sent as one transaction.
//!
//! Each change is guarded by a `wait` with a time-out of 0 (RFC 7047, section 5.2.6) on exactly the value that it
//! replaces. If somebody else has changed that meanwhile, nothing at all happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};

use super::wire::{Atom, Map, Uuid, map, optional, set};
use super::{Bridge, Database, Error, Interface, Ovs, Port};
use crate::jsonrpc;

/// A column of table `Port` with the value that it shall have; as in [`Port`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Port` explain them")]
pub enum PortColumn {
    BondMode(Option<String>),
    Lacp(Option<String>),
    Tag(Option<u16>),
    Trunks(BTreeSet<u16>),
    VlanMode(Option<String>),
    BondUpdelay(i64),
    BondDowndelay(i64),
    OtherConfig(Map),
}

/// A column of table `Bridge` with the value that it shall have; as in [`Bridge`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Bridge` explain them")]
pub enum BridgeColumn {
    DatapathType(String),
    StpEnable(bool),
    RstpEnable(bool),
    McastSnoopingEnable(bool),
    OtherConfig(Map),
}

/// A column of table `Interface` with the value that it shall have; as in [`Interface`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Interface` explain them")]
pub enum InterfaceColumn {
    MtuRequest(Option<u32>),
    Mac(Option<String>),
    OtherConfig(Map),
}

/// A column's name, the value it has, and the value it shall have, as on the wire.
type Update = (&'static str, Value, Value);

impl PortColumn {
    fn update(&self, port: &Port) -> Update {
        match self {
            Self::BondMode(to) => ("bond_mode", optional(port.bond_mode.as_ref()), optional(to.as_ref())),
            Self::Lacp(to) => ("lacp", optional(port.lacp.as_ref()), optional(to.as_ref())),
            Self::Tag(to) => ("tag", optional(port.tag.as_ref()), optional(to.as_ref())),
            Self::Trunks(to) => ("trunks", set(&port.trunks), set(to)),
            Self::VlanMode(to) => ("vlan_mode", optional(port.vlan_mode.as_ref()), optional(to.as_ref())),
            Self::BondUpdelay(to) => ("bond_updelay", port.bond_updelay.encode(), to.encode()),
            Self::BondDowndelay(to) => ("bond_downdelay", port.bond_downdelay.encode(), to.encode()),
            Self::OtherConfig(to) => ("other_config", map(&port.other_config), map(to)),
        }
    }
}

impl BridgeColumn {
    fn update(&self, bridge: &Bridge) -> Update {
        match self {
            Self::DatapathType(to) => ("datapath_type", bridge.datapath_type.encode(), to.encode()),
            Self::StpEnable(to) => ("stp_enable", bridge.stp_enable.encode(), to.encode()),
            Self::RstpEnable(to) => ("rstp_enable", bridge.rstp_enable.encode(), to.encode()),
            Self::McastSnoopingEnable(to) => {
                ("mcast_snooping_enable", bridge.mcast_snooping_enable.encode(), to.encode())
            }
            Self::OtherConfig(to) => ("other_config", map(&bridge.other_config), map(to)),
        }
    }
}

impl InterfaceColumn {
    fn update(&self, interface: &Interface) -> Update {
        match self {
            Self::MtuRequest(to) => {
                ("mtu_request", optional(interface.mtu_request.as_ref()), optional(to.as_ref()))
            }
            Self::Mac(to) => ("mac", optional(interface.mac.as_ref()), optional(to.as_ref())),
            Self::OtherConfig(to) => ("other_config", map(&interface.other_config), map(to)),
        }
    }
}

/// Changes that happen together or not at all. What is as wanted already adds nothing.
#[derive(Debug, Clone)]
pub struct Transaction<'a> {
    ovs: &'a Ovs,
    guards: Vec<Value>,
    /// What each guard guards, for [`Error::Conflict`].
    guarded: Vec<String>,
    writes: Vec<Value>,
    /// `other_config` of interfaces that are not there yet.
    born: BTreeMap<String, Map>,
    /// Bridges that are not there yet, as rows refer to them.
    bridges: BTreeMap<String, Value>,
}

/// A port that is not there yet. What is `None` or empty is left unset; see [`Port`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Port` explain them")]
pub struct NewPort {
    /// Whether Open vSwitch makes its interface, for the node itself.
    pub internal: bool,
    pub bond_mode: Option<String>,
    pub lacp: Option<String>,
    pub tag: Option<u16>,
    pub trunks: BTreeSet<u16>,
    pub vlan_mode: Option<String>,
    pub other_config: Map,
}

impl<'a> Transaction<'a> {
    /// An empty transaction on what was read as `ovs`. Names in the changes below are looked up in there.
    pub fn new(ovs: &'a Ovs) -> Self {
        Self {
            ovs,
            guards: Vec::new(),
            guarded: Vec::new(),
            writes: Vec::new(),
            born: BTreeMap::new(),
            bridges: BTreeMap::new(),
        }
    }

    /// Sets a column of a bridge.
    pub fn set_bridge(&mut self, name: &str, column: &BridgeColumn) -> Result<(), Error> {
        let bridge = found("Bridge", name, self.ovs.bridges.get(name))?;
        self.update("Bridge", name, &bridge.uuid, column.update(bridge));
        Ok(())
    }

    /// Sets a column of a port.
    pub fn set_port(&mut self, name: &str, column: &PortColumn) -> Result<(), Error> {
        let port = found("Port", name, self.ovs.ports.get(name))?;
        self.update("Port", name, &port.uuid, column.update(port));
        Ok(())
    }

    /// Sets a column of an interface.
    pub fn set_interface(&mut self, name: &str, column: &InterfaceColumn) -> Result<(), Error> {
        let interface = found("Interface", name, self.ovs.interfaces.get(name))?;
        self.update("Interface", name, &interface.uuid, column.update(interface));
        Ok(())
    }

    /// Says what `other_config` an interface begins with, if [`Self::set_members`] makes it.
    pub fn set_new_interface(&mut self, name: &str, other_config: Map) {
        self.born.insert(name.to_owned(), other_config);
    }

    /// Makes `members` the interfaces of a bond. Those that stay keep their rows, so their LACP state lives on.
    ///
    /// A new member that belongs to another port must leave that in the same transaction, or the database refuses
    /// it. An empty set is refused by the database, too.
    pub fn set_members(&mut self, bond: &str, members: &BTreeSet<String>) -> Result<(), Error> {
        let port = found("Port", bond, self.ovs.ports.get(bond))?;
        if *members == port.interfaces {
            return Ok(());
        }
        let uuids = self.interface_uuids(port.interfaces.iter())?;
        self.guard_column("Port", bond, &port.uuid, "interfaces", &set(&uuids));

        let mut added = Vec::new();
        for member in members.difference(&port.interfaces) {
            if !self.ovs.interfaces.contains_key(member) {
                self.guard_absence("Interface", member);
            }
            let id = format!("member_{}", self.writes.len());
            added.push(named(&id));
            let row = match self.born.get(member) {
                Some(other_config) => json!({ "name": member, "other_config": map(other_config) }),
                None => json!({ "name": member }),
            };
            self.insert_raw("Interface", &id, &row);
        }
        // New in before old out: there is no moment without a member.
        if !added.is_empty() {
            self.mutate("Port", &port.uuid, "interfaces", "insert", &json!(["set", added]));
        }
        let removed = self.interface_uuids(port.interfaces.difference(members))?;
        if !removed.is_empty() {
            self.mutate("Port", &port.uuid, "interfaces", "delete", &set(&removed));
        }
        Ok(())
    }

    /// Adds a bridge with a port and an interface of its own, as `ovs-vsctl add-br` does.
    pub fn add_bridge(&mut self, name: &str, datapath_type: &str) {
        self.guard_absence("Bridge", name);
        let id = format!("bridge_{}", self.writes.len());
        self.insert_raw("Bridge", &id, &json!({ "name": name, "datapath_type": datapath_type }));
        let bridges = json!([["bridges", "insert", named(&id)]]);
        self.writes
            .push(json!({ "op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": bridges }));
        self.bridges.insert(name.to_owned(), named(&id));
        self.insert_port(
            &named(&id),
            name,
            std::iter::once(name),
            &NewPort { internal: true, ..NewPort::default() },
        );
    }

    /// Adds a port to a bridge, which this transaction may add too.
    pub fn add_port(
        &mut self,
        bridge: &str,
        name: &str,
        interfaces: &BTreeSet<String>,
        port: &NewPort,
    ) -> Result<(), Error> {
        let bridge = match self.bridges.get(bridge) {
            Some(id) => id.clone(),
            None => found("Bridge", bridge, self.ovs.bridges.get(bridge))?.uuid.encode(),
        };
        self.insert_port(&bridge, name, interfaces.iter().map(String::as_str), port);
        Ok(())
    }

    fn insert_port<'n>(
        &mut self,
        bridge: &Value,
        name: &str,
        interfaces: impl Iterator<Item = &'n str>,
        port: &NewPort,
    ) {
        let NewPort { internal, bond_mode, lacp, tag, trunks, vlan_mode, other_config } = port;
        self.guard_absence("Port", name);
        let mut members = Vec::new();
        for interface in interfaces {
            self.guard_absence("Interface", interface);
            let id = format!("interface_{}", self.writes.len());
            let kind = if *internal { "internal" } else { "" };
            self.insert_raw("Interface", &id, &json!({ "name": interface, "type": kind }));
            members.push(named(&id));
        }
        let row = json!({
            "name": name, "bond_fake_iface": members.len() > 1, "interfaces": ["set", members],
            "bond_mode": optional(bond_mode.as_ref()), "lacp": optional(lacp.as_ref()), "tag": optional(tag.as_ref()),
            "trunks": set(trunks), "vlan_mode": optional(vlan_mode.as_ref()), "other_config": map(other_config),
        });
        let id = format!("port_{}", self.writes.len());
        self.insert_raw("Port", &id, &row);
        let here = json!([["_uuid", "==", bridge]]);
        let ports = json!([["ports", "insert", named(&id)]]);
        self.writes.push(json!({ "op": "mutate", "table": "Bridge", "where": here, "mutations": ports }));
    }

    /// Takes a port off its bridge, and so away with its interfaces.
    pub fn delete_port(&mut self, name: &str) -> Result<(), Error> {
        let port = found("Port", name, self.ovs.ports.get(name))?;
        let bridge = found("Bridge", &port.bridge, self.ovs.bridges.get(&port.bridge))?;
        // Only this port's place: guests come and go on the same bridge.
        let here = [uuid_is(&bridge.uuid), json!(["ports", "includes", port.uuid.encode()])];
        let row = json!({ "name": port.bridge });
        self.guard("Bridge", &here, "name", &[row], format!("the place of port `{name}`"));
        let uuids = self.interface_uuids(port.interfaces.iter())?;
        self.guard_column("Port", name, &port.uuid, "interfaces", &set(&uuids));
        self.mutate("Bridge", &bridge.uuid, "ports", "delete", &port.uuid.encode());
        Ok(())
    }

    /// Takes a bridge away with all its ports, which must be the ones that were read.
    pub fn delete_bridge(&mut self, name: &str) -> Result<(), Error> {
        let bridge = found("Bridge", name, self.ovs.bridges.get(name))?;
        let ports: Vec<_> = bridge
            .ports
            .iter()
            .map(|port| Ok(found("Port", port, self.ovs.ports.get(port))?.uuid.clone()))
            .collect::<Result<_, Error>>()?;
        self.guard_column("Bridge", name, &bridge.uuid, "ports", &set(&ports));
        self.writes.push(json!({
            "op": "mutate", "table": "Open_vSwitch", "where": [],
            "mutations": [["bridges", "delete", bridge.uuid.encode()]],
        }));
        Ok(())
    }

    /// Writes `write`, an operation, where `column` of the row still holds `from`; both as on the wire.
    pub fn write_raw(
        &mut self,
        table: &str,
        name: &str,
        uuid: &Uuid,
        (column, from): (&str, &Value),
        write: Value,
    ) {
        self.guard_column(table, name, uuid, column, from);
        self.writes.push(write);
    }

    /// Inserts a row that another write of this transaction refers to as `["named-uuid", id]`.
    pub fn insert_raw(&mut self, table: &str, id: &str, row: &Value) {
        self.writes.push(json!({ "op": "insert", "table": table, "row": row, "uuid-name": id }));
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The operations of RFC 7047 that [`Self::commit`] sends: none if there is nothing to do.
    pub fn operations(&self) -> Vec<Value> {
        if self.is_empty() {
            return Vec::new();
        }
        // All guards come before all writes, or a guard could see what this very transaction has written.
        let mut operations: Vec<_> = self.guards.iter().chain(&self.writes).cloned().collect();
        operations.extend([
            // Shown by `ovsdb-tool show-log`, as what ovs-vsctl does is.
            json!({ "op": "comment", "comment": "bothends" }),
            json!({ "op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]] }),
            json!({ "op": "select", "table": "Open_vSwitch", "where": [], "columns": ["next_cfg"] }),
        ]);
        operations
    }

    /// Sends the transaction and waits until `ovs-vswitchd` has acted on it.
    ///
    /// That is no proof that an interface works: read again and look at [`Interface::error`].
    pub fn commit(&self, database: &mut Database) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let results = database.transact(&self.guarded, &self.operations())?;
        let asked = results.last().and_then(|result| result.pointer("/rows/0/next_cfg")?.as_i64());
        let asked = asked.ok_or_else(|| Error::Answer(Value::from(results).to_string()))?;
        let left = database.connection.deadline().saturating_duration_since(Instant::now());
        let taken_up = json!({
            "op": "wait", "timeout": u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            "table": "Open_vSwitch", "where": [["cur_cfg", "<", asked]], "columns": ["cur_cfg"],
            "until": "==", "rows": [],
        });
        match database.transact(&[], &[taken_up]) {
            Ok(_) => Ok(()),
            Err(Error::Refused { error, .. }) if error == "timed out" => Err(Error::NotTakenUp),
            Err(Error::Dialog(jsonrpc::Error::TimedOut { .. })) => Err(Error::NotTakenUp),
            Err(error) => Err(error),
        }
    }

    fn update(&mut self, table: &'static str, name: &str, uuid: &Uuid, (column, from, to): Update) {
        if from == to {
            return;
        }
        self.guard_column(table, name, uuid, column, &from);
        self.writes
            .push(json!({ "op": "update", "table": table, "where": [uuid_is(uuid)], "row": { column: to } }));
    }

    fn mutate(&mut self, table: &str, uuid: &Uuid, column: &str, mutator: &str, value: &Value) {
        self.writes.push(json!({
            "op": "mutate", "table": table, "where": [uuid_is(uuid)], "mutations": [[column, mutator, value]],
        }));
    }

    fn guard_column(&mut self, table: &str, name: &str, uuid: &Uuid, column: &str, value: &Value) {
        let what = format!("`{column}` of {} `{name}`", table.to_ascii_lowercase());
        self.guard(table, &[uuid_is(uuid)], column, &[json!({ column: value })], what);
    }

    fn guard_absence(&mut self, table: &str, name: &str) {
        let here = json!(["name", "==", name]);
        self.guard(table, &[here], "name", &[], format!("{} `{name}`", table.to_ascii_lowercase()));
    }

    fn guard(&mut self, table: &str, rows_where: &[Value], column: &str, rows: &[Value], what: String) {
        self.guards.push(json!({
            "op": "wait", "timeout": 0, "table": table, "where": rows_where, "columns": [column],
            "until": "==", "rows": rows,
        }));
        self.guarded.push(what);
    }

    fn interface_uuids<'n>(&self, names: impl Iterator<Item = &'n String>) -> Result<Vec<Uuid>, Error> {
        names.map(|name| Ok(found("Interface", name, self.ovs.interfaces.get(name))?.uuid.clone())).collect()
    }
}

/// Refers to a row that the same transaction inserts.
fn named(id: &str) -> Value {
    json!(["named-uuid", id])
}

fn uuid_is(uuid: &Uuid) -> Value {
    json!(["_uuid", "==", uuid.encode()])
}

fn found<'r, T>(table: &'static str, name: &str, row: Option<&'r T>) -> Result<&'r T, Error> {
    row.ok_or_else(|| Error::Missing { table, name: name.to_owned() })
}
