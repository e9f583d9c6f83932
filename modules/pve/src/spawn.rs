//! The one function that starts a process.
