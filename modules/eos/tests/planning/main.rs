//! Planning: what tasks make of a running-config, and whether the switch takes it so.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here is the test")]

mod cases;
mod laws;
mod simulated;
