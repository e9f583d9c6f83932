//! The Proxmox VE end of a link: `/etc/network/interfaces`, Open vSwitch and the kernel's links.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod interfaces;
pub mod paths;
pub mod specs;

pub mod jsonrpc;
pub mod kernel;
pub mod lock;
pub mod spawn;

pub mod ovsdb;
