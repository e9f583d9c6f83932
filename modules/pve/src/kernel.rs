//! The kernel's links, addresses and routes.
