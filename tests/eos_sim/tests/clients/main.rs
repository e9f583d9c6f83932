//! The real process over loopback, and clients at the other end that nobody here wrote.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here is the test"
)]

mod ansible;
mod napalm;
mod netmiko;
mod openssh;
mod process;
mod python;
mod scrapli;
