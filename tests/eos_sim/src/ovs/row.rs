//! Rows of Open vSwitch's database, as far as a switch's ports need them. Values are kept as `ovs-vsctl` takes them,
//! in one normal form, so that two rows are the same exactly if their texts are.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

/// The tables that are read, and which of their columns.
pub const TABLES: [(&str, &str); 3] = [
    ("Bridge", "_uuid,name,ports"),
    ("Port", "_uuid,name,interfaces,tag,trunks,vlan_mode,lacp,bond_mode,other_config"),
    ("Interface", "_uuid,name,other_config"),
];
/// The columns of a port that are settings.
pub const PORT_SETTINGS: [&str; 6] = ["tag", "trunks", "vlan_mode", "lacp", "bond_mode", "other_config"];

/// Columns that have a value.
pub type Settings = BTreeMap<&'static str, String>;

/// A port of a bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Port {
    /// One, or the members of a bond.
    pub interfaces: BTreeSet<String>,
    /// Those of [`PORT_SETTINGS`] that have a value.
    pub settings: Settings,
}

impl Port {
    /// The value of a column, empty where it has none.
    pub fn setting(&self, column: &str) -> &str {
        self.settings.get(column).map_or("", String::as_str)
    }
}

/// What is there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Database {
    /// Whether the bridge is.
    pub bridge: bool,
    /// The bridge's ports, by name.
    pub ports: BTreeMap<String, Port>,
    /// Every interface's `other_config`, by name.
    pub interfaces: BTreeMap<String, String>,
}

impl Database {
    /// Reads what `ovs-vsctl --format=json` lists of [`TABLES`].
    pub fn parse(listed: &str, bridge: &str) -> anyhow::Result<Self> {
        let mut tables = serde_json::Deserializer::from_str(listed).into_iter::<Value>();
        let mut next = || anyhow::Ok(records(tables.next().context("a table is missing")??));
        let (bridges, ports, interfaces) = (next()?, next()?, next()?);

        let name = |record: &Record| record.get("name").map(text).unwrap_or_default();
        let bridge = bridges.iter().find(|record| name(record) == bridge);
        let own_ports = bridge.map(|record| elements(record, "ports")).unwrap_or_default();
        let interface_names: BTreeMap<String, String> = interfaces
            .iter()
            .map(|record| (record.get("_uuid").map(text).unwrap_or_default(), name(record)))
            .collect();
        let of_bridge =
            ports.iter().filter(|record| record.get("_uuid").is_some_and(|id| own_ports.contains(&text(id))));
        Ok(Self {
            bridge: bridge.is_some(),
            ports: of_bridge.map(|record| (name(record), port(record, &interface_names))).collect(),
            interfaces: interfaces
                .iter()
                .map(|record| (name(record), record.get("other_config").map(text).unwrap_or_default()))
                .collect(),
        })
    }
}

type Record = BTreeMap<String, Value>;

fn port(record: &Record, interface_names: &BTreeMap<String, String>) -> Port {
    let settings = PORT_SETTINGS.iter().filter_map(|column| {
        let value = record.get(*column).map(text).filter(|value| !value.is_empty())?;
        Some((*column, value))
    });
    let interfaces =
        elements(record, "interfaces").iter().filter_map(|id| interface_names.get(id).cloned()).collect();
    Port { interfaces, settings: settings.collect() }
}

/// The rows of `{"headings": […], "data": [[…], …]}`.
fn records(mut table: Value) -> Vec<Record> {
    let mut take = |key: &str| match table.get_mut(key).map(Value::take) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    };
    let headings: Vec<String> = take("headings").iter().map(text).collect();
    let row = |row: Value| match row {
        Value::Array(values) => headings.iter().cloned().zip(values).collect(),
        _ => Record::new(),
    };
    take("data").into_iter().map(row).collect()
}

fn elements(record: &Record, column: &str) -> BTreeSet<String> {
    let value = record.get(column).map(text).unwrap_or_default();
    value.split(',').filter(|element| !element.is_empty()).map(str::to_owned).collect()
}

/// A value in the notation of RFC 7047, section 5.1, as `ovs-vsctl` takes it: `active`, `10,20`, `a=1,b=2`, or nothing.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(tagged) => match tagged.as_slice() {
            [Value::String(tag), Value::Array(elements)] if tag == "set" => join(elements, text),
            [Value::String(tag), Value::Array(pairs)] if tag == "map" => join(pairs, pair),
            [Value::String(tag), id] if tag == "uuid" => text(id),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

fn pair(pair: &Value) -> String {
    match pair.as_array().map(Vec::as_slice) {
        Some([key, value]) => format!("{}={}", text(key), text(value)),
        _ => String::new(),
    }
}

fn join(values: &[Value], text: fn(&Value) -> String) -> String {
    // VLANs in the order of numbers, anything else in that of letters.
    let mut texts: Vec<(Option<u64>, String)> =
        values.iter().map(|value| (value.as_u64(), text(value))).collect();
    texts.sort();
    texts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"{"data":[[["uuid","b1"],"other",["uuid","p9"]],[["uuid","b2"],"sw",["set",[["uuid","p1"],["uuid","p2"]]]]],"headings":["_uuid","name","ports"]}
{"data":[[["uuid","p1"],"Po1",["set",[["uuid","i1"],["uuid","i2"]]],["set",[]],["set",[10,9]],"trunk","active","balance-tcp",["map",[["lacp-time","fast"],["a","b"]]]],[["uuid","p2"],"Et3",["uuid","i3"],7,["set",[]],"access",["set",[]],["set",[]],["map",[]]],[["uuid","p9"],"Et9",["uuid","i9"],7,["set",[]],"access",["set",[]],["set",[]],["map",[]]]],"headings":["_uuid","name","interfaces","tag","trunks","vlan_mode","lacp","bond_mode","other_config"]}
{"data":[[["uuid","i1"],"Et1",["map",[]]],[["uuid","i2"],"Et2",["map",[["k","v"]]]],[["uuid","i3"],"Et3",["map",[]]]],"headings":["_uuid","name","other_config"]}"#;

    #[test]
    fn only_the_ports_of_the_bridge_are_read_in_one_normal_form() {
        let found = Database::parse(LISTED, "sw").unwrap();
        assert!(found.bridge);
        assert_eq!(found.ports.keys().collect::<Vec<_>>(), ["Et3", "Po1"]);
        let bond = &found.ports["Po1"];
        assert_eq!(bond.interfaces, ["Et1".to_owned(), "Et2".to_owned()].into());
        let settings: Vec<_> =
            bond.settings.iter().map(|(column, value)| format!("{column} {value}")).collect();
        assert_eq!(
            settings,
            [
                "bond_mode balance-tcp",
                "lacp active",
                "other_config a=b,lacp-time=fast",
                "trunks 9,10",
                "vlan_mode trunk"
            ]
        );
        assert_eq!(
            found.ports["Et3"].settings,
            [("tag", "7".to_owned()), ("vlan_mode", "access".to_owned())].into()
        );
        assert_eq!(found.interfaces["Et2"], "k=v");
    }

    #[test]
    fn a_bridge_that_is_not_there_has_no_ports() {
        let found = Database::parse(LISTED, "nowhere").unwrap();
        assert!(!found.bridge && found.ports.is_empty());
    }

    #[test]
    fn an_answer_that_is_cut_short_is_an_error() {
        assert!(Database::parse("", "sw").is_err());
        assert!(Database::parse(LISTED.lines().next().unwrap(), "sw").is_err());
    }
}
