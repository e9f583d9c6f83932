//! The order of MTUs that Proxmox wants: a bridge's at least that of each port, a bond's at least that of each NIC.
//! Where it is not so, Proxmox takes no further change of the file.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::draft::Draft;
use crate::interfaces::{Interfaces, Kind};
use crate::mtu::DEFAULT;

/// Refuses a draft that puts an interface of a larger MTU on one of a smaller, where `name` is one of the two. In check
/// mode it is left to `writable`: a task before this one may change the other. What was so before is not the task's to mend.
pub fn is_in_order(draft: &Draft<'_>, name: &str) -> Result<(), Fault> {
    if draft.check_mode {
        return Ok(());
    }
    let before = too_small(draft.picture.interfaces(), name);
    let Some(found) = too_small(draft.interfaces(), name).difference(&before).next().cloned() else {
        return Ok(());
    };
    let TooSmall { owner, mtu, part, part_mtu } = &found;
    let fact = format!("`{owner}` would have MTU {mtu}, and `{part}` on it {part_mtu}");
    Err(Fault::new(
        "mtu_out_of_order",
        format!(
            "planning the MTU of `{name}` failed: {fact}, and Proxmox takes no further change of such a file; \
             hint: first `mtu: {part_mtu}` for `{owner}`, or a smaller one for `{part}`"
        ),
    ))
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct TooSmall {
    owner: String,
    mtu: u32,
    part: String,
    part_mtu: u32,
}

/// A part of which nothing is said fits anywhere.
fn too_small(interfaces: &Interfaces, name: &str) -> BTreeSet<TooSmall> {
    let key = match interfaces.kind(name) {
        Kind::OvsBridge => "ovs_ports",
        Kind::OvsBond => "ovs_bonds",
        _ => "",
    };
    let own = interfaces.get(name);
    let parts = own.iter().flat_map(|stanza| stanza.list(key)).map(|part| (name.to_owned(), part.to_owned()));
    let bridges = interfaces.bridge_listing(name).into_iter().map(|bridge| (bridge, name.to_owned()));
    let mtu = |name: &str| interfaces.get(name)?.mtu();
    let pairs = parts.chain(bridges).filter_map(|(owner, part)| {
        let pair = TooSmall { mtu: mtu(&owner).unwrap_or(DEFAULT), part_mtu: mtu(&part)?, owner, part };
        (pair.mtu < pair.part_mtu).then_some(pair)
    });
    pairs.gather()
}
