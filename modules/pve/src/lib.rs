//! The Proxmox VE end of a link: `/etc/network/interfaces`, Open vSwitch and the kernel's links.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod interfaces;
pub mod jsonrpc;
pub mod kernel;
pub mod latin1;
pub mod lock;
pub mod ovsdb;
pub mod paths;
pub mod spawn;
pub mod unixctl;
pub mod verdict;
pub mod window;

pub mod announce;
pub mod apply_options;
pub mod condone;
pub mod linux_bridge;
pub mod live;
pub mod ovs_extra;
pub mod picture;
pub mod proxmox;
pub mod reach;
pub mod rules;
pub mod setting;
mod sight;
pub mod sourced;
pub mod state;

pub mod address;
pub mod also_affected;
pub mod attachment;
pub mod bridge_mac;
pub mod change;
pub mod declared;
pub mod draft;
pub mod keepsake;
pub mod mtu;
pub mod provisional;
pub mod replace;
pub mod spare;

pub mod conflicts;
pub mod lifeline;
pub mod mtu_chain;
pub mod nic;
pub mod takeover;
pub mod writable;

pub mod aggregation_key;
pub mod apply;
pub mod condition;
pub mod confirmation;
pub mod file;
pub mod guard;
pub mod handover;
pub mod lacp_wait;
pub mod links;
pub mod mtu_request;
pub mod node;
pub mod reload;
pub mod replacement;
pub mod task;
pub mod view;

pub mod network_apply;

pub mod ovs_bond;
pub mod ovs_bridge;
pub mod ovs_info;
pub mod ovs_intport;
pub mod specs;
