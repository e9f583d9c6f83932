//! A Linux bridge that gives way to an OVSBridge of its name: what stands in the way, and what becomes of its guests.
//! Pure; how it is carried out is `apply`'s business.
//!
//! What Proxmox builds on a Linux bridge it builds otherwise on an OVSBridge (pve-common, `src/PVE/Network.pm`): a firewall
//! bridge for each guest with a firewall, `vmbr0v10` over `eno1.10` for a tag. Only what moves as it is is moved.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::draft::Draft;
use crate::interfaces::{Interfaces, Kind};
use crate::kernel;
use crate::linux_bridge::{guest_of, guest_port};
use crate::live::Port;
use crate::picture::Picture;

/// The ports of guests that are on the Linux bridge now, as they are on the OVSBridge then. Refused where somebody
/// else has a port there.
pub fn guests(picture: &Picture, bridge: &str) -> Result<BTreeMap<String, Port>, Fault> {
    let mut guests = BTreeMap::new();
    let mut obstacles = Vec::new();
    for (name, vlans) in picture.linux_bridges.get(bridge).into_iter().flat_map(|found| &found.ports) {
        if let Some(guest) = guest_of(name) {
            match guest_port(bridge, name, vlans.as_ref()) {
                Some(port) => drop(guests.insert(name.clone(), port)),
                None => obstacles.push(format!("`{name}` of guest {guest} is in no VLAN at all")),
            }
        } else if !picture.links.is_nic(name) {
            obstacles.push(format!("`{name}` on it is {}", port_kind(picture, name)));
        }
    }
    unless(bridge, &obstacles).map(|()| guests)
}

/// Refuses to replace a Linux bridge on which more was built than NICs and guests.
pub fn is_possible(draft: &Draft<'_>, bridge: &str) -> Result<(), Fault> {
    guests(draft.picture, bridge)?;
    let (picture, interfaces) = (draft.picture, draft.interfaces());
    let nics = nics(picture, &picture.running.interfaces, bridge);
    let mut obstacles = BTreeSet::new();
    let declared = interfaces.stanza(bridge).or_else(|| picture.running.interfaces.stanza(bridge));
    for port in declared.iter().flat_map(|stanza| stanza.list("bridge_ports")) {
        let kind = interfaces.kind(port);
        if !nics.contains(port) && !matches!(kind, Kind::Eth | Kind::OvsPort) {
            let kind = if kind == Kind::Unknown { port_kind(picture, port) } else { kind.to_string() };
            obstacles.insert(format!("`{port}`, which it names in `bridge_ports`, is {kind}"));
        }
    }
    let parents: Vec<&str> = [bridge].into_iter().chain(nics.iter().map(String::as_str)).collect();
    let links = picture.links.iter().map(|(name, _)| (name.to_owned(), None));
    let sourced = picture.sourced.iter().map(|file| &file.interfaces);
    let stanzas = [interfaces].into_iter().chain(sourced).flat_map(|file| {
        let raw_device = |name: &str| file.stanza(name)?.get("vlan-raw-device").map(str::to_owned);
        file.names().into_iter().map(move |name| (name.clone(), raw_device(&name)))
    });
    for (name, raw_device) in stanzas.chain(links) {
        if is_numbered(&name, bridge, 'v') {
            obstacles.insert(format!("`{name}` is the bridge that Proxmox makes of it for guests in a VLAN"));
        }
        let is_over =
            |parent: &&&str| is_numbered(&name, parent, '.') || raw_device.as_deref() == Some(**parent);
        if let Some(parent) = parents.iter().find(is_over) {
            obstacles.insert(format!("`{name}` is a VLAN of `{parent}`"));
        }
    }
    for zone in picture.namers.get(bridge).into_iter().flat_map(|namer| &namer.zones) {
        obstacles.insert(format!("the SDN zone `{zone}` is built on it"));
    }
    let sourced = picture.sourced.iter().flat_map(|file| file.interfaces.claims(bridge));
    for claim in interfaces.claims(bridge).into_iter().chain(sourced) {
        obstacles.insert(format!("`{}` names it in `{}`", claim.by, claim.key));
    }
    unless(bridge, &obstacles.into_iter().collect::<Vec<_>>())
}

/// The NICs on a Linux bridge, in the file or in the kernel.
pub fn nics(picture: &Picture, interfaces: &Interfaces, bridge: &str) -> BTreeSet<String> {
    let stanza = interfaces.stanza(bridge);
    let declared = stanza.iter().flat_map(|stanza| stanza.list("bridge_ports")).map(str::to_owned);
    let live = picture.linux_bridges.get(bridge).into_iter().flat_map(|bridge| bridge.ports.keys().cloned());
    let is_nic = |name: &String| picture.links.is_nic(name) || interfaces.kind(name) == Kind::Eth;
    declared.chain(live).filter(is_nic).gather()
}

fn port_kind(picture: &Picture, name: &str) -> String {
    if ["fwpr", "fwbr", "fwln"].iter().any(|prefix| name.starts_with(prefix)) {
        return "of the firewall of a guest".to_owned();
    }
    match picture.links.get(name).map(|link| link.kind) {
        Some(kernel::Kind::Virtual | kernel::Kind::Tap) | None => "nothing that is known here".to_owned(),
        Some(kind) => kind.to_string(),
    }
}

fn is_numbered(name: &str, parent: &str, mark: char) -> bool {
    let number = name.strip_prefix(parent).and_then(|rest| rest.strip_prefix(mark));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unless(bridge: &str, obstacles: &[String]) -> Result<(), Fault> {
    if obstacles.is_empty() {
        return Ok(());
    }
    Err(Fault::new(
        "linux_bridge_in_use",
        format!(
            "replacing the Linux bridge `{bridge}` is refused: {}; hint: take these away first: stop guests with a firewall \
             or a tag and start them afterwards, dissolve a Linux bond, make an IntPort with a tag of a VLAN",
            obstacles.join("; ")
        ),
    ))
}
