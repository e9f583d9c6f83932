//! A simulated Arista EOS switch, as far as Port-Channels need one.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod dataplane;
pub mod switch;
pub mod terminal;
