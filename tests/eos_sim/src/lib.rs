//! A simulated Arista EOS switch, as far as Port-Channels need one.
//!
//! Lower floors first; a file uses only what stands above it here.

mod clock;
pub mod partner;

pub mod dataplane;
mod grammar;
mod names;
mod platform;
mod vlans;

mod commands;
mod interface;
mod setting;

mod config;
mod config_text;
mod session;

mod live;

mod crossing;
pub mod disobedience;
mod forwarding;
mod intent;

mod state;

mod files;

mod configure;
mod exec;
mod pipe;
mod shell;
mod show;

pub mod switch;
pub mod terminal;

pub mod imagined;
pub mod ovs;

mod editor;
pub mod misbehaviour;
mod pager;
pub mod startup;
pub mod users;

mod channel;
pub mod control;
pub mod host_key;
pub mod server;
