//! A simulated Arista EOS switch, as far as Port-Channels need one.
//!
//! Lower floors first; a file uses only what stands above it here.

mod commands;
mod config;
mod config_text;
pub mod dataplane;
mod grammar;
mod interface;
mod names;
mod setting;
pub mod switch;
pub mod terminal;
mod vlans;

pub mod imagined;
pub mod ovs;

pub mod control;
pub mod date;
pub mod editor;
pub mod host_key;
pub mod misbehaviour;
pub mod pager;
pub mod server;
pub mod shell;
pub mod startup;
pub mod users;
