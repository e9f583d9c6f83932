//! Ansible's JSON module protocol, and the one flow by which a module brings a device to its declared state.
//!
//! Nothing in here knows a device. What a module adds is its documentation (`library/<module>.yml`, from which
//! its argument spec is compiled), its types with pure functions over them, and a [`Device`](converge::Device).
//!
//! Lower floors first; a file uses only what stands above it here.

pub mod fault;
pub mod folder;
pub mod gather;
pub mod json;
pub mod request;
pub mod secret;
pub mod spec;

pub mod context;
pub mod diff;
pub mod lock;
pub mod outcome;
pub mod presence;
pub mod sentence;

pub mod checkpoint;
pub mod converge;

pub mod detach;
pub mod run;
