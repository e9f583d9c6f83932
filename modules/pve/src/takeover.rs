//! Taking a NIC out of where it is in the interfaces file, so that a bond can have it: what it leaves must still work.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::draft::Draft;
use crate::interfaces::{Kind, Stanza};
use crate::kernel::Master;

/// Takes `nic` out of whatever has it but `owner`. What it leaves is an object of the draft then.
///
/// The bonds of Open vSwitch among that are the result. Refused where a bond would keep fewer than two members, or a
/// Linux bridge that somebody is reached through none.
pub fn take(draft: &mut Draft<'_>, nic: &str, owner: &str) -> Result<BTreeSet<String>, Fault> {
    let names = draft.picture.links.names(nic).into_iter();
    let bonds = names.map(|name| take_by_name(draft, name, owner)).collect::<Result<Vec<_>, _>>()?;
    Ok(bonds.into_iter().flatten().gather())
}

/// The same under one of the NIC's names.
fn take_by_name(draft: &mut Draft<'_>, nic: &str, owner: &str) -> Result<BTreeSet<String>, Fault> {
    let mut bonds = BTreeSet::new();
    for claim in draft.interfaces().claims(nic) {
        let Some(mut stanza) = draft.stanza(&claim.by).filter(|_| claim.by != owner) else { continue };
        let rest: Vec<String> =
            stanza.list(claim.key).into_iter().filter(|other| *other != nic).map(str::to_owned).collect();
        let refused = match claim.key {
            // Nobody needs a NIC there, and `attach` keeps the line.
            "ovs_ports" => {
                draft.attach(nic, None)?;
                continue;
            }
            "bridge_ports" => rest.is_empty().then(|| last_port(draft, &stanza, nic)).flatten(),
            _ => (rest.len() < 2).then(|| last_members(&stanza.name, rest.len())),
        };
        if let Some(fault) = refused {
            return Err(fault.context(&format!(
                "option `members`: `{nic}` can't be moved from `{}` to `{owner}`",
                claim.by
            )));
        }
        let list = if rest.is_empty() { "none".to_owned() } else { rest.join(" ") };
        stanza.set(claim.key, Some(&list));
        if stanza.get("bond-primary") == Some(nic) {
            stanza.set("bond-primary", None);
        }
        draft.put(&stanza)?;
        if claim.key == "ovs_bonds" {
            bonds.insert(claim.by);
        }
    }
    // What has it against its own stanza becomes as that says.
    if let Some(holder) = holder(draft, nic).filter(|holder| holder != owner)
        && let Some(stanza) = draft.stanza(&holder)
    {
        draft.put(&stanza)?;
        if draft.interfaces().kind(&holder) == Kind::OvsBond {
            bonds.insert(holder);
        }
    }
    Ok(bonds)
}

/// What has the NIC live.
fn holder(draft: &Draft<'_>, nic: &str) -> Option<String> {
    let picture = draft.picture;
    let port = picture.ovs.interfaces.get(nic).map(|interface| &interface.port);
    if let Some(port) = port {
        return Some(port.clone()).filter(|port| port != nic);
    }
    match picture.links.get(nic)?.master.as_ref()? {
        Master::Bridge(name) | Master::Bond(name) => Some(name.clone()),
        Master::Other(_) => None,
    }
}

fn last_members(bond: &str, left: usize) -> Fault {
    Fault::new(
        "port_in_use",
        format!(
            "that bond would keep {left} of the 2 members that it needs at least; \
             hint: give `{bond}` another NIC first, or remove it"
        ),
    )
}

/// What is reached through the last port of a Linux bridge.
fn last_port(draft: &Draft<'_>, bridge: &Stanza, nic: &str) -> Option<Fault> {
    let (picture, name) = (draft.picture, bridge.name.as_str());
    let live = picture.links.get(name);
    let address = live.and_then(|link| link.addresses.iter().find(|address| !address.is_link_local()));
    let declared =
        || bridge.families.iter().find_map(|family| Some((*family.get_all("address").last()?).to_owned()));
    let guests = picture.links.iter().filter(|(other, link)| {
        *other != nic && matches!(&link.master, Some(Master::Bridge(master)) if master == name)
    });
    let guests: Vec<&str> = guests.map(|(other, _)| other).collect();
    let is_over = |stanza: &&Stanza| {
        draft.interfaces().kind(&stanza.name) == Kind::Vlan
            && (stanza.name.rsplit_once('.').is_some_and(|(base, _)| base == name)
                || stanza.get("vlan-raw-device") == Some(name))
    };
    let fact = if let Some(address) = address.map(ToString::to_string).or_else(declared) {
        format!("it is the last port of that bridge, which has the address {address}")
    } else if !guests.is_empty() {
        format!("it is the last port of that bridge, which has {} too", guests.join(", "))
    } else {
        let vlan = &draft.interfaces().stanzas().find(is_over)?.name;
        format!("it is the last port of that bridge, which `{vlan}` is a VLAN on")
    };
    Some(Fault::new(
        "port_in_use",
        format!(
            "{fact}; hint: turn `{name}` into an OVSBridge with `replace_linux_bridge` of pve_ovs_bridge, or move that first"
        ),
    ))
}
