//! `state`, as every module has it.

use serde::Deserialize;

/// Whether an object shall exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It shall.
    Present,
    /// It shall not.
    Absent,
}
