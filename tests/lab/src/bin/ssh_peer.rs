//! Prints where the SSH connection comes from that it was started over, or `nowhere`: what a module on a node takes
//! for the peer that must still answer after a change.

use std::io::Write;

use anyhow::Result;
use pve::paths::Paths;
use pve::reach::ssh_peer;

fn main() -> Result<()> {
    let peer = ssh_peer(&Paths::default()).map_or_else(|| "nowhere".to_owned(), |peer| peer.to_string());
    Ok(writeln!(std::io::stdout(), "{peer}")?)
}
