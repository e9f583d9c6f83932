//! Rows as they are on the wire, every column of them: what no module here speaks of, and others keep there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::wire::Uuid;
use super::{Database, Error};

/// Tables of which `ifreload -a` clears something, and those that they refer to there. All exist from Open vSwitch 2.13
/// to 3.5.
const TABLES: [&str; 10] =
    ["Bridge", "Port", "Interface", "Mirror", "Controller", "NetFlow", "sFlow", "IPFIX", "AutoAttach", "QoS"];

/// Rows by table and UUID.
#[derive(Debug, Clone, Default)]
pub struct Rows(BTreeMap<&'static str, BTreeMap<String, Map<String, Value>>>);

impl Database {
    /// Reads the rows in one transaction.
    pub fn rows(&mut self) -> Result<Rows, Error> {
        let selects = TABLES.map(|table| json!({ "op": "select", "table": table, "where": [] }));
        let mut rows = Rows::default();
        for (table, answer) in TABLES.into_iter().zip(self.transact(&[], &selects)?) {
            let found = answer.get("rows").and_then(Value::as_array);
            for row in found.ok_or_else(|| Error::Answer(answer.to_string()))? {
                let uuid = row.pointer("/_uuid/1").and_then(Value::as_str);
                let (Some(uuid), Some(columns)) = (uuid, row.as_object()) else {
                    return Err(Error::Answer(row.to_string()));
                };
                rows.0.entry(table).or_default().insert(uuid.to_owned(), columns.clone());
            }
        }
        Ok(rows)
    }
}

impl Rows {
    /// A row by its UUID.
    pub fn get(&self, table: &str, uuid: &str) -> Option<&Map<String, Value>> {
        self.0.get(table)?.get(uuid)
    }

    /// The rows of a table with their names.
    pub fn named(&self, table: &str) -> impl Iterator<Item = (&str, Uuid, &Map<String, Value>)> {
        let rows = self.0.get(table).into_iter().flatten();
        rows.filter_map(|(uuid, row)| Some((row.get("name")?.as_str()?, Uuid(uuid.clone()), row)))
    }
}
