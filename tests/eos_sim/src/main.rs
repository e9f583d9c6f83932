//! `eos_sim`: the simulated switch as a process.

fn main() {}
