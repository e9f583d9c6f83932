//! How values look on the wire (RFC 7047, section 5.1): read from the columns of a row, written into operations.
//!
//! An optional value and a set are the same to the database: `["set",[]]` is nothing, a bare value is one,
//! `["set",[…]]` is many. A map is `["map",[[key,value],…]]`, the reference to a row `["uuid","…"]`.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::gather::Gather as _;
use serde_json::{Value, json};

use super::Error;

/// A column of type map(string, string), such as `other_config`.
pub type Map = BTreeMap<String, String>;

/// The identity of a row, in the text form of RFC 4122.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uuid(pub String);

/// A value that is no set and no map.
pub(super) trait Atom: Sized + Ord {
    /// What it is called in an error.
    const NAME: &'static str;
    /// `None`: the value is something else, or out of range.
    fn decode(value: &Value) -> Option<Self>;
    fn encode(&self) -> Value;
}

impl Atom for String {
    const NAME: &'static str = "a text";
    fn decode(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
    fn encode(&self) -> Value {
        self.as_str().into()
    }
}

impl Atom for bool {
    const NAME: &'static str = "a truth value";
    fn decode(value: &Value) -> Option<Self> {
        value.as_bool()
    }
    fn encode(&self) -> Value {
        (*self).into()
    }
}

impl Atom for i64 {
    const NAME: &'static str = "an integer";
    fn decode(value: &Value) -> Option<Self> {
        value.as_i64()
    }
    fn encode(&self) -> Value {
        (*self).into()
    }
}

impl Atom for u32 {
    const NAME: &'static str = "an integer from 0 to 4294967295";
    fn decode(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
    fn encode(&self) -> Value {
        (*self).into()
    }
}

impl Atom for u16 {
    const NAME: &'static str = "an integer from 0 to 65535";
    fn decode(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
    fn encode(&self) -> Value {
        (*self).into()
    }
}

impl Atom for Uuid {
    const NAME: &'static str = "the reference to a row";
    fn decode(value: &Value) -> Option<Self> {
        tagged(value, "uuid")?.as_str().map(|text| Self(text.to_owned()))
    }
    fn encode(&self) -> Value {
        json!(["uuid", self.0])
    }
}

/// Whether a column, or a key of one that is a map (`COLUMN:KEY`), holds what ovs-vsctl makes of this text.
pub fn is_written(columns: &Value, path: &str, text: &str) -> bool {
    let (column, key) = path.split_once(':').map_or((path, None), |(column, key)| (column, Some(key)));
    let Some(value) = columns.get(column) else { return false };
    let pairs = || tagged(value, "map").and_then(Value::as_array).into_iter().flatten();
    if let Some(key) = key {
        return pairs().any(|pair| pair[0] == key && is_atom(&pair[1], text));
    }
    let mut words: Vec<&str> = text.split(',').collect();
    let found: Vec<String> = match tagged(value, "set").and_then(Value::as_array) {
        Some(atoms) => atoms.iter().map(atom_text).collect(),
        None if tagged(value, "map").is_some() => {
            pairs().map(|pair| format!("{}={}", atom_text(&pair[0]), atom_text(&pair[1]))).collect()
        }
        None => return is_atom(value, text),
    };
    words.sort_unstable();
    let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
    found.sort_unstable();
    found == words
}

fn is_atom(value: &Value, text: &str) -> bool {
    match value {
        Value::Bool(is_on) => *is_on == matches!(text, "true" | "yes" | "on" | "1"),
        _ => atom_text(value) == text,
    }
}

fn atom_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The content of `[tag, content]`.
fn tagged<'a>(value: &'a Value, tag: &str) -> Option<&'a Value> {
    match value.as_array()?.as_slice() {
        [found, content] if found == tag => Some(content),
        _ => None,
    }
}

/// A row as it came from the database.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) table: &'static str,
    pub(super) columns: &'a Value,
}

impl Row<'_> {
    /// A column that holds exactly one value.
    pub(super) fn one<T: Atom>(&self, column: &'static str) -> Result<T, Error> {
        T::decode(self.value(column)).ok_or_else(|| self.unexpected(column, T::NAME))
    }

    /// A column that holds a value or none.
    pub(super) fn optional<T: Atom>(&self, column: &'static str) -> Result<Option<T>, Error> {
        let mut values = self.values(column)?;
        let first = values.pop();
        if values.is_empty() { Ok(first) } else { Err(self.unexpected(column, "at most one value")) }
    }

    /// A column that holds any number of values.
    pub(super) fn set<T: Atom>(&self, column: &'static str) -> Result<BTreeSet<T>, Error> {
        Ok(self.values(column)?.into_iter().gather())
    }

    fn values<T: Atom>(&self, column: &'static str) -> Result<Vec<T>, Error> {
        let value = self.value(column);
        let values = match tagged(value, "set") {
            Some(values) => values.as_array().and_then(|values| values.iter().map(T::decode).collect()),
            None => T::decode(value).map(|one| vec![one]),
        };
        values.ok_or_else(|| self.unexpected(column, T::NAME))
    }

    /// A column that holds texts by texts.
    pub(super) fn map(&self, column: &'static str) -> Result<Map, Error> {
        let pair = |pair: &Value| match pair.as_array()?.as_slice() {
            [key, value] => Some((String::decode(key)?, String::decode(value)?)),
            _ => None,
        };
        tagged(self.value(column), "map")
            .and_then(|pairs| {
                Some(pairs.as_array()?.iter().map(pair).collect::<Option<Vec<_>>>()?.into_iter().gather())
            })
            .ok_or_else(|| self.unexpected(column, "a map of texts"))
    }

    /// A column that is not there reads as null, which no column can hold.
    fn value(&self, column: &str) -> &Value {
        self.columns.get(column).unwrap_or(&Value::Null)
    }

    /// The error that names this column and what it holds.
    pub(super) fn unexpected(&self, column: &'static str, expected: &'static str) -> Error {
        Error::Unexpected { table: self.table, column, expected, found: self.value(column).to_string() }
    }
}

/// One value or none, for writing.
pub(super) fn optional<T: Atom>(value: Option<&T>) -> Value {
    value.map_or_else(|| json!(["set", []]), Atom::encode)
}

/// Any number of values, for writing.
pub(super) fn set<'a, T: Atom + 'a>(values: impl IntoIterator<Item = &'a T>) -> Value {
    json!(["set", values.into_iter().map(Atom::encode).collect::<Vec<_>>()])
}

/// A map, for writing.
pub(super) fn map(map: &Map) -> Value {
    json!(["map", map.iter().collect::<Vec<_>>()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: &Value) -> Row<'_> {
        Row { table: "Port", columns }
    }

    #[test]
    fn every_form_of_a_value_is_read() {
        let columns = json!({
            "name": "bond0",
            "none": ["set", []],
            "one": 10,
            "many": ["set", [20, 10]],
            "refs": ["set", [["uuid", "b"], ["uuid", "a"]]],
            "ref": ["uuid", "a"],
            "map": ["map", [["lacp-time", "fast"], ["bond-miimon-interval", "100"]]],
            "bare": ["map", []],
            "fake": true,
            "negative": -1,
        });
        let row = row(&columns);
        assert_eq!(row.one::<String>("name").unwrap(), "bond0");
        assert_eq!(row.optional::<u16>("none").unwrap(), None);
        assert_eq!(row.optional::<u16>("one").unwrap(), Some(10));
        assert_eq!(row.set::<u16>("none").unwrap(), BTreeSet::new());
        assert_eq!(row.set::<u16>("one").unwrap(), BTreeSet::from([10]));
        assert_eq!(row.set::<u16>("many").unwrap(), BTreeSet::from([10, 20]));
        assert_eq!(row.set::<Uuid>("ref").unwrap(), BTreeSet::from([Uuid("a".to_owned())]));
        assert_eq!(row.set::<Uuid>("refs").unwrap().len(), 2);
        assert_eq!(row.map("map").unwrap().get("lacp-time").map(String::as_str), Some("fast"));
        assert_eq!(row.map("bare").unwrap(), Map::new());
        assert!(row.one::<bool>("fake").unwrap());
        assert_eq!(row.one::<i64>("negative").unwrap(), -1);
    }

    #[test]
    fn anything_else_is_named_by_table_column_and_value() {
        let columns = json!({
            "tag": 99999,
            "two": ["set", [1, 2]],
            "set": ["set", ["x"]],
            "map": ["map", [["key"]]],
            "ref": ["named-uuid", "a"],
        });
        let row = row(&columns);
        let cases = [
            (
                row.optional::<u16>("tag").unwrap_err(),
                "reading column `tag` of table `Port`: it holds `99999`, not an integer from 0 to 65535",
            ),
            (
                row.optional::<u16>("two").unwrap_err(),
                "reading column `two` of table `Port`: it holds `[\"set\",[1,2]]`, not at most one value",
            ),
            (
                row.set::<u16>("set").unwrap_err(),
                "reading column `set` of table `Port`: it holds `[\"set\",[\"x\"]]`, not an integer from 0 to 65535",
            ),
            (
                row.map("map").unwrap_err(),
                "reading column `map` of table `Port`: it holds `[\"map\",[[\"key\"]]]`, not a map of texts",
            ),
            (
                row.one::<Uuid>("ref").unwrap_err(),
                "reading column `ref` of table `Port`: it holds `[\"named-uuid\",\"a\"]`, not the reference to a row",
            ),
            (
                row.one::<bool>("missing").unwrap_err(),
                "reading column `missing` of table `Port`: it holds `null`, not a truth value",
            ),
        ];
        for (error, message) in cases {
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let trunks = BTreeSet::from([10_u16, 11]);
        let other = Map::from([("lacp-time".to_owned(), "fast".to_owned())]);
        let columns = json!({
            "trunks": set(&trunks),
            "none": set::<u16>(&BTreeSet::new()),
            "tag": optional(Some(&10_u16)),
            "untagged": optional::<u16>(None),
            "other": map(&other),
            "ref": Uuid("a".to_owned()).encode(),
        });
        let row = row(&columns);
        assert_eq!(row.set::<u16>("trunks").unwrap(), trunks);
        assert_eq!(row.set::<u16>("none").unwrap(), BTreeSet::new());
        assert_eq!(row.optional::<u16>("tag").unwrap(), Some(10));
        assert_eq!(row.optional::<u16>("untagged").unwrap(), None);
        assert_eq!(row.map("other").unwrap(), other);
        assert_eq!(row.one::<Uuid>("ref").unwrap(), Uuid("a".to_owned()));
    }

    #[test]
    fn a_column_holds_what_ovs_vsctl_makes_of_a_text() {
        let columns = json!({
            "fail_mode": "secure",
            "flood_vlans": ["set", [1, 20]],
            "other_config": ["map", [["forward-bpdu", "true"], ["hwaddr", "3c:fd:fe:00:00:01"]]],
            "protocols": ["set", []],
            "stp_enable": true,
        });
        for (path, text) in [
            ("fail_mode", "secure"),
            ("flood_vlans", "20,1"),
            ("other_config:hwaddr", "3c:fd:fe:00:00:01"),
            ("other_config", "hwaddr=3c:fd:fe:00:00:01,forward-bpdu=true"),
            ("stp_enable", "yes"),
        ] {
            assert!(is_written(&columns, path, text), "{path}={text}");
        }
        for (path, text) in [
            ("fail_mode", "standalone"),
            ("flood_vlans", "1"),
            ("other_config:hwaddr", "3c:fd:fe:00:00:02"),
            ("other_config:missing", "1"),
            ("other_config", "forward-bpdu=true"),
            ("protocols", "OpenFlow13"),
            ("stp_enable", "off"),
            ("unknown", "1"),
        ] {
            assert!(!is_written(&columns, path, text), "{path}={text}");
        }
    }
}
