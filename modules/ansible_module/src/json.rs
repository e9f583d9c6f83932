//! Types from JSON texts and back, by way of a [`Value`]: the parser and the writer are then in a binary once, not once
//! for every type.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Result, Value};

/// The value in a text.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    serde_json::from_slice::<Value>(text).and_then(serde_json::from_value)
}

/// The text of a value, on one line.
pub fn write<T: Serialize>(value: &T) -> Result<String> {
    Ok(serde_json::to_value(value)?.to_string())
}
