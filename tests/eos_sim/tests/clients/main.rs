//! The real process over loopback, and clients at the other end that nobody here wrote.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

mod netmiko;
mod openssh;
mod process;
