//! The real binary over its protocol: golden cases, and the laws that they are instances of.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here is the test")]

mod cases;
mod laws;
mod module;
mod protocol;
