//! The MAC address that Open vSwitch gives to a bridge, and with it the system id of every LACP bond on it.
//!
//! Source: `find_local_hw_addr()` in `vswitchd/bridge.c`: each port is represented by its alphabetically first
//! interface, the bridge's own port does not count, locally administered, multicast and zero addresses neither,
//! and the numerically lowest that is left is taken.

use std::collections::BTreeSet;

use crate::picture::Picture;

/// The system id to pin so that the members of `port` that stay are not renegotiated, if it had `members`:
/// the bridge's address of today, where the change would move it.
pub fn to_pin(picture: &Picture, port: &str, members: &BTreeSet<String>) -> Option<String> {
    let live = picture.ovs.ports.get(port)?;
    let bridge = picture.ovs.bridges.get(&live.bridge)?;
    let today = picture.ovs.interfaces.get(&live.bridge)?.mac_in_use.clone()?;
    if bridge.other_config.contains_key("hwaddr") || live.interfaces.is_disjoint(members) {
        return None;
    }
    let lowest = bridge
        .ports
        .iter()
        .filter(|name| **name != live.bridge)
        .filter_map(|name| {
            let interfaces = if name == port {
                Some(members)
            } else {
                picture.ovs.ports.get(name).map(|port| &port.interfaces)
            };
            mac(picture, interfaces?.first()?).filter(|mac| counts(mac))
        })
        .min();
    (lowest.as_ref() != Some(&today)).then_some(today)
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
