//! What Proxmox VE makes of `/etc/network/interfaces` when it reads the file and saves it again, as its web interface
//! does at every change: [`read()`], then [`write()`].
//!
//! A second opinion on what the modules write, so it knows nothing of them. What it says is taken from what
//! `PVE/Network/Interfaces.pm` of pve-common does. Where that depends on the order of a Perl hash (the words of
//! `ovs_options`, which of several faults is told), this is one of the possible outcomes: see [`without_word_order`].

mod check;
mod kind;
mod model;
mod ovs_options;
mod read;
mod write;

pub use kind::Kind;
pub use model::{Address, Family, Interface, Model};
pub use read::read;
pub use write::{has_one_order, write};

/// Why Proxmox refuses to save the file: from then on, every change in its web interface fails with this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Die(pub String);

/// The file with the words of every `ovs_options` line sorted: Proxmox writes them in another order at each save.
pub fn without_word_order(file: &[u8]) -> Vec<u8> {
    let sorted = |line: &[u8]| match line.strip_prefix(b"\tovs_options ") {
        Some(words) => {
            let ending: &[u8] = if words.ends_with(b"\n") { b"\n" } else { b"" };
            let mut words: Vec<&[u8]> = words.trim_ascii().split(|byte| *byte == b' ').collect();
            words.sort_unstable();
            [b"\tovs_options ", words.join(&b' ').as_slice(), ending].concat()
        }
        None => line.to_vec(),
    };
    file.split_inclusive(|byte| *byte == b'\n').flat_map(sorted).collect()
}
