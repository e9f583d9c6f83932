//! From the rows of four tables to one picture in which names stand for references.
//!
//! Every column that is asked for exists from Open vSwitch 2.13 to 3.5: the database refuses a whole question
//! that names one it does not have.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::gather::Gather as _;
use serde_json::{Value, json};

use super::wire::{Row, Uuid};
use super::{Bridge, Error, Interface, Ovs, Port};

const PORT: &[&str] = &[
    "_uuid",
    "name",
    "interfaces",
    "bond_mode",
    "lacp",
    "tag",
    "trunks",
    "vlan_mode",
    "bond_updelay",
    "bond_downdelay",
    "bond_fake_iface",
    "other_config",
];
const INTERFACE: &[&str] = &[
    "_uuid",
    "name",
    "type",
    "mtu_request",
    "other_config",
    "mtu",
    "mac",
    "mac_in_use",
    "admin_state",
    "link_state",
    "lacp_current",
    "ofport",
    "error",
];
const MIRROR: &[&str] = &["_uuid", "name"];
const TABLES: [(&str, &[&str]); 3] = [("Port", PORT), ("Interface", INTERFACE), ("Mirror", MIRROR)];

/// The operations that ask for the picture.
pub(super) fn selects() -> Vec<Value> {
    let select =
        |(table, columns)| json!({ "op": "select", "table": table, "where": [], "columns": columns });
    // Of a bridge every column: the stanza may set any of them.
    let bridges = json!({ "op": "select", "table": "Bridge", "where": [] });
    [bridges].into_iter().chain(TABLES.map(select)).collect()
}

/// The picture in the results of [`selects`].
pub(super) fn decode(results: &[Value]) -> Result<Ovs, Error> {
    let [bridges, ports, interfaces, mirrors] = results else {
        return Err(Error::Answer(Value::from(results).to_string()));
    };
    let bridge_rows = rows("Bridge", bridges)?;
    let port_rows = rows("Port", ports)?;
    let interface_rows = rows("Interface", interfaces)?;
    let mirror_rows = rows("Mirror", mirrors)?;

    let mut ovs = Ovs::default();
    for (uuid, row) in &bridge_rows {
        let name: String = row.one("name")?;
        let port_rows = referred(row, "ports", &port_rows)?;
        for (uuid, row) in &port_rows {
            let port_name: String = row.one("name")?;
            let interface_rows = referred(row, "interfaces", &interface_rows)?;
            for (uuid, row) in &interface_rows {
                ovs.interfaces.insert(row.one("name")?, interface(uuid, row, &port_name)?);
            }
            ovs.ports.insert(port_name, port(uuid, row, &name, names(&interface_rows)?)?);
        }
        let mirrors = names(&referred(row, "mirrors", &mirror_rows)?)?;
        ovs.bridges.insert(name, bridge(uuid, row, names(&port_rows)?, mirrors)?);
    }
    Ok(ovs)
}

type Rows<'a> = BTreeMap<Uuid, Row<'a>>;

fn rows<'a>(table: &'static str, result: &'a Value) -> Result<Rows<'a>, Error> {
    let listed = result.get("rows").and_then(Value::as_array);
    let mut rows = Rows::new();
    for columns in listed.ok_or_else(|| Error::Answer(result.to_string()))? {
        let row = Row { table, columns };
        rows.insert(row.one("_uuid")?, row);
    }
    Ok(rows)
}

/// The rows that a column refers to.
fn referred<'a>(row: &Row, column: &'static str, rows: &Rows<'a>) -> Result<Rows<'a>, Error> {
    let mut referred = Rows::new();
    for uuid in row.set::<Uuid>(column)? {
        let found = rows.get(&uuid);
        let found = found.ok_or_else(|| row.unexpected(column, "references to rows that exist"))?;
        referred.insert(uuid, *found);
    }
    Ok(referred)
}

fn names(rows: &Rows) -> Result<BTreeSet<String>, Error> {
    Ok(rows.values().map(|row| row.one("name")).collect::<Result<Vec<_>, _>>()?.into_iter().gather())
}

fn bridge(
    uuid: &Uuid,
    row: &Row,
    ports: BTreeSet<String>,
    mirrors: BTreeSet<String>,
) -> Result<Bridge, Error> {
    Ok(Bridge {
        uuid: uuid.clone(),
        ports,
        datapath_type: row.one("datapath_type")?,
        stp_enable: row.one("stp_enable")?,
        rstp_enable: row.one("rstp_enable")?,
        mcast_snooping_enable: row.one("mcast_snooping_enable")?,
        other_config: row.map("other_config")?,
        external_ids: row.map("external_ids")?,
        mirrors,
        columns: settings(row.columns),
    })
}

/// The columns, without that which counts their changes.
fn settings(columns: &Value) -> Value {
    let mut columns = columns.clone();
    if let Some(columns) = columns.as_object_mut() {
        columns.remove("_version");
    }
    columns
}

fn port(uuid: &Uuid, row: &Row, bridge: &str, interfaces: BTreeSet<String>) -> Result<Port, Error> {
    Ok(Port {
        uuid: uuid.clone(),
        bridge: bridge.to_owned(),
        interfaces,
        bond_mode: row.optional("bond_mode")?,
        lacp: row.optional("lacp")?,
        tag: row.optional("tag")?,
        trunks: row.set("trunks")?,
        vlan_mode: row.optional("vlan_mode")?,
        bond_updelay: row.one("bond_updelay")?,
        bond_downdelay: row.one("bond_downdelay")?,
        bond_fake_iface: row.one("bond_fake_iface")?,
        other_config: row.map("other_config")?,
    })
}

fn interface(uuid: &Uuid, row: &Row, port: &str) -> Result<Interface, Error> {
    Ok(Interface {
        uuid: uuid.clone(),
        port: port.to_owned(),
        kind: row.one("type")?,
        mtu_request: row.optional("mtu_request")?,
        other_config: row.map("other_config")?,
        mtu: row.optional("mtu")?,
        mac: row.optional("mac")?,
        mac_in_use: row.optional("mac_in_use")?,
        admin_state: row.optional("admin_state")?,
        link_state: row.optional("link_state")?,
        lacp_current: row.optional("lacp_current")?,
        ofport: row.optional("ofport")?,
        error: row.optional("error")?,
    })
}
