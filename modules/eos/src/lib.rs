//! The Arista EOS end of a link: a switch that is talked to over SSH, in configuration sessions.
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod host_key;
pub mod login;
pub mod specs;
pub mod stream;

pub mod algorithms;
pub mod known_hosts;
pub mod tcp;

pub mod transport;

pub mod authentication;

pub mod ssh;
