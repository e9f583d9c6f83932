//! Bytes as JSON text, losslessly and readable where they are ASCII: each byte is the character of its number.

use serde::{Deserialize, Deserializer, Serializer, de};

/// For `#[serde(with)]`.
pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes {
        None => serializer.serialize_none(),
        Some(bytes) => serializer.serialize_some(&bytes.iter().copied().map(char::from).collect::<String>()),
    }
}

/// For `#[serde(with)]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.chars().map(u8::try_from).collect::<Result<_, _>>().map_err(de::Error::custom))
        .transpose()
}
