//! The Arista EOS end of a link: a switch that is talked to over SSH, in configuration sessions.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod specs;
