//! A family's options as a map in JSON: a text for a key, a list of texts for a repeated one.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// For `#[serde(with)]`.
pub fn serialize<S: Serializer>(options: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = Map::new();
    for (key, value) in options {
        match map.get_mut(key) {
            None => drop(map.insert(key.clone(), Value::from(value.as_str()))),
            Some(Value::Array(values)) => values.push(Value::from(value.as_str())),
            Some(first) => *first = Value::from(vec![first.take(), Value::from(value.as_str())]),
        }
    }
    map.serialize(serializer)
}

/// For `#[serde(with)]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let map = Map::deserialize(deserializer)?;
    let mut options = Vec::new();
    for (key, values) in map {
        let values = match values {
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            options.push((key.clone(), String::deserialize(value).map_err(D::Error::custom)?));
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{AddressFamily, Family};

    #[test]
    fn a_repeated_key_is_a_list_and_comes_back() {
        let mut family = Family::new(AddressFamily::Inet, "manual");
        family.set_all("ovs_extra", &["a", "b", "c"]);
        family.set_all("ovs_type", &["OVSBridge"]);
        let json = serde_json::to_value(&family).unwrap();
        assert_eq!(json["options"], json!({"ovs_extra": ["a", "b", "c"], "ovs_type": "OVSBridge"}));
        assert_eq!(serde_json::from_value::<Family>(json).unwrap(), family);
    }
}
