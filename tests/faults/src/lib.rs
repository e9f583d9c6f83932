//! What a migration comes to when something goes wrong in it: the table `matrix.md`, and its cells run for real in the
//! lab, judged from outside of the node and of whoever migrates it. `docs/faults.md` says how to read and to add to it.

#![allow(clippy::missing_panics_doc, clippy::must_use_candidate, reason = "for tests alone")]

pub mod cell;
pub mod fault;
pub mod inject;
pub mod judge;
pub mod phase;
pub mod play;
pub mod run;
pub mod site;
pub mod table;
mod witness;
