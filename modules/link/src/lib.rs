//! Both ends of a link against their one description: pairs that cannot work, and the proof that a link does.
//!
//! Pure: what the devices say comes in as the results of the modules that read them, and nothing is asked or changed.
//! Lower floors first; a file uses only what stands above it here.

pub mod finding;
pub mod names;
pub mod specs;
pub mod wire;

pub mod description;
pub mod node_report;
pub mod switch_report;

pub mod vlans;

mod cables;
pub mod impossible;
mod mtu;
mod node_end;
mod switch_end;

pub mod proof;

pub mod check;
