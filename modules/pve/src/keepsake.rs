//! What others keep in Open vSwitch and every `ifreload -a` wipes: notes of other programs, mirrors, controllers, queues.
//! Taken before a reload, and put back where it is gone after it.
//!
//! Measured on Debian's ifupdown2 3.0.0: on a bridge, port or interface with a stanza the columns below are cleared, and
//! then what the stanza says is set. What a stanza speaks of, before or after the change, is left to it. So is what
//! `live.rs` compares.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::interfaces::Interfaces;
use crate::ovsdb::{Rows, Transaction};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Values by keys; each key counts by itself.
    Map,
    /// A value, or a set of them.
    Plain,
    /// References to rows of this table, which vanish with the last reference to them.
    Rows(&'static str),
}

type Columns = &'static [(&'static str, Shape)];

const CLEARED: [(&str, Columns); 3] = [
    (
        "Bridge",
        &[
            ("external_ids", Shape::Map),
            ("other_config", Shape::Map),
            ("mirrors", Shape::Rows("Mirror")),
            ("controller", Shape::Rows("Controller")),
            ("netflow", Shape::Rows("NetFlow")),
            ("sflow", Shape::Rows("sFlow")),
            ("ipfix", Shape::Rows("IPFIX")),
            ("auto_attach", Shape::Rows("AutoAttach")),
            ("fail_mode", Shape::Plain),
            ("protocols", Shape::Plain),
            ("flood_vlans", Shape::Plain),
        ],
    ),
    (
        "Port",
        &[
            ("external_ids", Shape::Map),
            ("qos", Shape::Rows("QoS")),
            ("cvlans", Shape::Plain),
            ("mac", Shape::Plain),
        ],
    ),
    ("Interface", &[("external_ids", Shape::Map), ("options", Shape::Map), ("other_config", Shape::Map)]),
];

/// Columns that ovs-vswitchd fills.
const REPORTED: [&str; 6] = ["_uuid", "_version", "is_connected", "role", "statistics", "status"];

/// What was there, as on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keepsake {
    /// By table, name of the row, and column.
    columns: BTreeMap<String, BTreeMap<String, Map<String, Value>>>,
    /// The rows that these refer to, by UUID.
    rows: BTreeMap<String, Map<String, Value>>,
    /// Names of the ports that such rows refer to, by UUID: a port may be made anew.
    ports: BTreeMap<String, String>,
}

impl Keepsake {
    /// What there is on the objects with a stanza in `files`, beside what these files speak of.
    pub fn take(rows: &Rows, files: &[&Interfaces]) -> Self {
        let mut taken = Self::default();
        for (table, columns) in CLEARED {
            for (name, _, row) in rows.named(table) {
                let stanzas: Vec<_> = files.iter().filter_map(|file| file.stanza(name)).collect();
                if stanzas.is_empty() {
                    continue;
                }
                let spoken = Spoken::of(&stanzas.iter().map(ToString::to_string).collect::<String>());
                for (column, shape) in columns {
                    let Some(value) = row.get(*column) else { continue };
                    let value = match shape {
                        Shape::Map => json!([
                            "map",
                            pairs(value).filter(|pair| !spoken.of_key(column, pair)).collect::<Vec<_>>()
                        ]),
                        Shape::Plain | Shape::Rows(_) if spoken.has(column) => continue,
                        Shape::Plain | Shape::Rows(_) => value.clone(),
                    };
                    if is_empty(&value) {
                        continue;
                    }
                    if let Shape::Rows(referred) = shape {
                        taken.take_rows(rows, referred, &value);
                    }
                    let of_table = taken.columns.entry(table.to_owned()).or_default();
                    of_table.entry(name.to_owned()).or_default().insert((*column).to_owned(), value);
                }
            }
        }
        taken
    }

    fn take_rows(&mut self, rows: &Rows, table: &str, references: &Value) {
        for uuid in uuids(references) {
            let Some(row) = rows.get(table, uuid) else { continue };
            let kept = row.iter().filter(|(column, _)| !REPORTED.contains(&column.as_str()));
            let kept: Map<String, Value> =
                kept.map(|(column, value)| (column.clone(), value.clone())).collect();
            for port in
                kept.iter().filter(|(column, _)| refers_to_ports(column)).flat_map(|(_, value)| uuids(value))
            {
                let name = rows.get("Port", port).and_then(|row| row.get("name")?.as_str());
                self.ports.extend(name.map(|name| (port.to_owned(), name.to_owned())));
            }
            self.rows.insert(uuid.to_owned(), kept);
        }
    }

    /// Adds what an earlier one has and this one has not: it was wiped in between.
    pub fn add(&mut self, earlier: Self) {
        for (table, objects) in earlier.columns {
            for (name, columns) in objects {
                let own = self.columns.entry(table.clone()).or_default().entry(name).or_default();
                for (column, value) in columns {
                    let is_map = value.get(0).is_some_and(|tag| tag == "map");
                    match own.get_mut(&column) {
                        None => drop(own.insert(column, value)),
                        Some(found) if is_map => *found = json!(["map", union(&value, found)]),
                        Some(_) => {}
                    }
                }
            }
        }
        self.rows.extend(earlier.rows);
        self.ports.extend(earlier.ports);
    }

    /// Puts back what is gone, on the objects that are there in `rows`.
    pub fn put_back(&self, rows: &Rows, transaction: &mut Transaction<'_>) {
        let mut inserted = BTreeSet::new();
        for (table, columns) in CLEARED {
            let Some(kept) = self.columns.get(table) else { continue };
            for (name, uuid, row) in rows.named(table) {
                let Some(kept) = kept.get(name) else { continue };
                for (column, shape) in columns {
                    let (Some(value), Some(found)) = (kept.get(*column), row.get(*column)) else { continue };
                    let is_row = json!(["_uuid", "==", ["uuid", uuid.0]]);
                    let write = match shape {
                        Shape::Map => {
                            let gone: Vec<&Value> =
                                pairs(value).filter(|pair| !has_key(found, pair)).collect();
                            if gone.is_empty() {
                                continue;
                            }
                            json!({ "op": "mutate", "table": table, "where": [is_row],
                                    "mutations": [[column, "insert", ["map", gone]]] })
                        }
                        _ if !is_empty(found) => continue,
                        Shape::Plain => update(table, &is_row, column, value),
                        Shape::Rows(referred) => {
                            let references = self.refer(rows, referred, value, transaction, &mut inserted);
                            if references.is_empty() {
                                continue;
                            }
                            update(table, &is_row, column, &json!(["set", references]))
                        }
                    };
                    transaction.write_raw(table, name, &uuid, (column, found), write);
                }
            }
        }
    }

    /// References to rows that are there still, or are inserted again.
    fn refer(
        &self,
        rows: &Rows,
        table: &str,
        references: &Value,
        transaction: &mut Transaction<'_>,
        inserted: &mut BTreeSet<String>,
    ) -> Vec<Value> {
        let mut found = Vec::new();
        for uuid in uuids(references) {
            let id = format!("row_{}", uuid.replace('-', "_"));
            if rows.get(table, uuid).is_some() {
                found.push(json!(["uuid", uuid]));
            } else if let Some(row) = self.rows.get(uuid).filter(|_| table != "QoS") {
                // Rows of QoS stay when nobody refers to them: one that is gone was removed by somebody.
                if inserted.insert(id.clone()) {
                    transaction.insert_raw(table, &id, &self.renewed(rows, row));
                }
                found.push(json!(["named-uuid", id]));
            }
        }
        found
    }

    /// A row that refers to ports by the UUIDs that they have now. One that is gone leaves it, as it would a row that stayed.
    fn renewed(&self, rows: &Rows, row: &Map<String, Value>) -> Value {
        let now =
            |name: &String| rows.named("Port").find(|(known, ..)| known == name).map(|(_, uuid, _)| uuid);
        let renew = |value: &Value| {
            let ports = uuids(value).filter_map(|uuid| now(self.ports.get(uuid)?));
            json!(["set", ports.map(|uuid| json!(["uuid", uuid.0])).collect::<Vec<_>>()])
        };
        row.iter()
            .map(|(column, value)| {
                (column.clone(), if refers_to_ports(column) { renew(value) } else { value.clone() })
            })
            .collect::<Map<String, Value>>()
            .into()
    }
}

/// What stanzas speak of. Whether they set it as this column of this object is not looked at: what ifupdown2 makes of them
/// counts.
struct Spoken(String);

impl Spoken {
    fn of(stanzas: &str) -> Self {
        Self(stanzas.replace('-', "_"))
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&word.replace('-', "_"))
    }

    fn of_key(&self, column: &str, pair: &Value) -> bool {
        let key = pair.get(0).and_then(Value::as_str).unwrap_or_default();
        match column {
            // `br-set-external-id` too.
            "external_ids" => self.has("external_id") && self.has(key),
            // `ovs_tunnel_options` and `ovs_patch_peer` too.
            "options" => self.has(key),
            _ => self.has(column) && self.has(key),
        }
    }
}

fn update(table: &str, is_row: &Value, column: &str, value: &Value) -> Value {
    json!({ "op": "update", "table": table, "where": [is_row], "row": { column: value } })
}

fn refers_to_ports(column: &str) -> bool {
    matches!(column, "select_src_port" | "select_dst_port" | "output_port")
}

/// Sets and maps are `[tag, content]`.
fn content(value: &Value) -> &[Value] {
    value.get(1).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_empty(value: &Value) -> bool {
    value.get(0).is_some_and(|tag| tag == "set" || tag == "map") && content(value).is_empty()
}

fn pairs(map: &Value) -> impl Iterator<Item = &Value> {
    content(map).iter()
}

fn has_key(map: &Value, pair: &Value) -> bool {
    pairs(map).any(|known| known.get(0) == pair.get(0))
}

/// The pairs of both; `newer` wins.
fn union<'a>(older: &'a Value, newer: &'a Value) -> Vec<&'a Value> {
    pairs(newer).chain(pairs(older).filter(|pair| !has_key(newer, pair))).collect()
}

/// The references of a column: one, or a set.
fn uuids(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.get(0).is_some_and(|tag| tag == "uuid").then_some(value);
    one.into_iter().chain(content(value)).filter_map(|reference| match reference.as_array()?.as_slice() {
        [tag, uuid] if tag == "uuid" => uuid.as_str(),
        _ => None,
    })
}
