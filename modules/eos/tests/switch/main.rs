//! The real module against the simulated switch, over real SSH on loopback. No root and no data plane: LACP is the
//! lab's.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod ansible;
mod away;
mod bad_input;
mod cut;
mod discarded;
mod host_keys;
mod info;
mod interrupted;
mod judge;
mod lacp_wait;
mod later;
mod look;
mod manner;
mod others;
mod proxy;
mod queue;
mod refusals;
mod refused;
mod scenario;
mod secrets;
mod several;
mod sim;
mod twice;
mod two;
mod untouched;
mod verdict;
