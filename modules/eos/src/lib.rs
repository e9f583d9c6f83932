//! The Arista EOS end of a link: a switch that is talked to over SSH, in configuration sessions.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod host_key;
pub mod proxy;
pub mod specs;
pub mod stream;

pub mod known_hosts;
pub mod login;
pub mod tcp;
pub mod transport;

pub mod algorithms;
pub mod authentication;
pub mod ssh;

mod answer;
pub mod prompt;
pub mod session_diff;
pub mod sessions;
pub mod shell;
mod terminal;

pub mod names;

pub mod dialect;
pub mod mac;

pub mod aggregation;
pub mod bundle;
pub mod lacp;
pub mod link;
pub mod membership;
pub mod switchport;
pub mod version;

pub mod live;

pub mod config;
pub mod confirmation;
pub mod rules;

pub mod access;
pub mod claim;
pub mod port;
pub mod turn;

pub mod picture;
pub mod state;

pub mod change;
pub mod member;

pub mod channel;

pub mod dialog;
pub mod lacp_wait;
pub mod reach;
pub mod window;

pub mod note;

pub mod draft;
pub mod switch;

mod surroundings;

mod provisional;

mod condition;

mod device;

pub mod discard;

pub mod port_channel;

mod channel_facts;

pub mod port_channel_info;
