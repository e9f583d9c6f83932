//! The MAC address that Open vSwitch gives to a bridge, and with it the system id of every LACP bond on it.
//!
//! Source: `find_local_hw_addr()` in `vswitchd/bridge.c`: each port is represented by its alphabetically first
//! interface, the bridge's own port does not count, locally administered, multicast and zero addresses neither,
//! and the numerically lowest that is left is taken.

use std::collections::{BTreeMap, BTreeSet};

use crate::picture::Picture;

/// The system id of a bond, in `ovs_options`.
pub const SYSTEM_ID: &str = "lacp-system-id";

/// Ports that change, by name: the bridge of each, and the interfaces that it is to have.
pub type Planned = BTreeMap<String, (String, BTreeSet<String>)>;

/// The system id to pin so that the members of `port` that stay are not renegotiated by what is planned: the bridge's
/// address of today, where that would move. Not everything planned happens at once, so the change of `port` alone must
/// not move it either.
pub fn to_pin(picture: &Picture, port: &str, planned: &Planned) -> Option<String> {
    let live = picture.ovs.ports.get(port)?;
    let own = planned.get(port)?;
    // On another bridge it is made anew.
    if live.interfaces.is_disjoint(&own.1) || live.bridge != own.0 {
        return None;
    }
    let alone = Planned::from([(port.to_owned(), own.clone())]);
    [&alone, planned].into_iter().find_map(|planned| moved_from(picture, &live.bridge, planned))
}

/// The bonds of `bridge` whose LACP is renegotiated by what is planned of other ports.
pub fn renegotiated<'a>(picture: &'a Picture, bridge: &str, planned: &Planned) -> Vec<&'a str> {
    if moved_from(picture, bridge, planned).is_none() {
        return Vec::new();
    }
    let others = picture.ovs.ports.iter().filter(|(name, other)| {
        let speaks_lacp = other.lacp.as_deref().is_some_and(|lacp| lacp != "off");
        !planned.contains_key(*name)
            && other.bridge == bridge
            && speaks_lacp
            && !other.other_config.contains_key(SYSTEM_ID)
    });
    others.map(|(name, _)| name.as_str()).collect()
}

/// The bridge's address of today, if it would be another one with what is planned.
fn moved_from(picture: &Picture, bridge: &str, planned: &Planned) -> Option<String> {
    let row = picture.ovs.bridges.get(bridge)?;
    let today = picture.ovs.interfaces.get(bridge)?.mac_in_use.clone()?;
    if row.other_config.contains_key("hwaddr") {
        return None;
    }
    let others = row.ports.iter().filter(|name| *name != bridge && !planned.contains_key(*name));
    let stay = others.filter_map(|name| picture.ovs.ports.get(name).map(|port| &port.interfaces));
    let come = planned.values().filter(|(to, _)| to == bridge).map(|(_, interfaces)| interfaces);
    let firsts = stay.chain(come).filter_map(BTreeSet::first);
    let lowest = firsts.filter_map(|first| mac(picture, first).filter(|mac| counts(mac))).min();
    (lowest.as_ref() != Some(&today)).then_some(today)
}

/// The address of a bridge that has these NICs as its only ports.
pub fn of_nics(picture: &Picture, nics: &BTreeSet<String>) -> Option<String> {
    nics.iter().filter_map(|nic| mac(picture, nic).filter(|mac| counts(mac))).min()
}

/// The same address, as one that nobody was given by a vendor; nothing where it is one already.
pub fn locally_administered(mac: &str) -> Option<String> {
    let (first, rest) = mac.split_once(':')?;
    let octet = u8::from_str_radix(first, 16).ok().filter(|octet| octet & 2 == 0)?;
    Some(format!("{:02x}:{rest}", octet | 2))
}

fn mac(picture: &Picture, interface: &str) -> Option<String> {
    let in_ovs = picture.ovs.interfaces.get(interface).and_then(|interface| interface.mac_in_use.clone());
    in_ovs.or_else(|| picture.links.get(interface).map(|link| link.mac.clone()))
}

fn counts(mac: &str) -> bool {
    let first = mac.get(..2).and_then(|octet| u8::from_str_radix(octet, 16).ok());
    // Bit 0: multicast; bit 1: locally administered (IEEE 802).
    first.is_some_and(|octet| octet.trailing_zeros() >= 2) && mac != "00:00:00:00:00:00"
}
