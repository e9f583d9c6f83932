//! The real module against the simulated switch, over real SSH on loopback. No root and no data plane: LACP is the
//! lab's.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod bad_input;
mod host_keys;
mod info;
mod refusals;
mod scenario;
mod secrets;
mod sim;
mod untouched;
mod verdict;
