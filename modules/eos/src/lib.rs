//! The Arista EOS end of a link: a switch that is talked to over SSH, in configuration sessions.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod prompt;
pub mod session_diff;
pub mod sessions;
pub mod stream;
mod terminal;

mod answer;

pub mod shell;

pub mod specs;
