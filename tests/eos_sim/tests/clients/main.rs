//! The real process over loopback, and clients at the other end that nobody here wrote.

mod netmiko;
mod openssh;
mod process;
