//! What a reload changes beside a task's objects: it brings every `auto` stanza of the file to life, whoever edited it,
//! and takes addresses away that no stanza has. No I/O.
//!
//! Only what the reload is known to do is told: an alarm that is false would stop every task on such a node. What it
//! leaves as it is (members of a bond, delays and a datapath that are no longer declared) is left out, and so is what it
//! cannot do, such as a link without its NIC.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ansible_module::fault::Fault;

use crate::address;
use crate::change::{Change, changes};
use crate::interfaces::{AddressFamily, Interfaces, Kind, Stanza};
use crate::kernel::Cidr;
use crate::live::Port;
use crate::picture::Picture;
use crate::state::State;

/// Keys with which a stanza does more to its link than its addresses say, so that nobody can tell what stays.
const HOOKS: [&str; 10] = [
    "up",
    "down",
    "pre-up",
    "post-up",
    "pre-down",
    "post-down",
    "address-virtual",
    "address-purge",
    "vrrp",
    "link-down",
];

/// A sentence each, and warnings of what could not be looked at. `after` is the task's, `interfaces` the file that is
/// reloaded.
pub fn also_affected(
    picture: &Picture,
    interfaces: &Interfaces,
    after: &State,
) -> (Vec<String>, Vec<String>) {
    let (mut told, mut warnings) = (Vec::new(), Vec::new());
    let addresses = declared_addresses(picture, interfaces);
    for stanza in interfaces.stanzas().filter(|stanza| stanza.auto) {
        let name = &stanza.name;
        let kind = interfaces.kind(name);
        if matches!(kind, Kind::Loopback | Kind::Alias | Kind::Unknown) {
            continue;
        }
        let comes_with = |bridge: &str| {
            let is_live = picture.ovs.bridges.contains_key(bridge);
            // A bridge that the task makes anew brings its ports along; one that nobody makes can bring none.
            !is_live && (after.ovsdb.bridges.contains_key(bridge) || interfaces.get(bridge).is_none())
        };
        let is_own =
            after.file.stanzas.contains_key(name) || stanza.get("ovs_bridge").is_some_and(comes_with);
        if !is_own {
            match differences(picture, interfaces, stanza, kind) {
                Ok(differences) => told.extend(differences.iter().map(ToString::to_string)),
                Err(fault) => {
                    warnings.push(format!("what a reload changes on `{name}` can't be told: {fault}"));
                }
            }
        }
        let declared = addresses.get(name);
        told.extend(purged(picture, stanza).into_iter().filter_map(|address| {
            let planned = after.kernel.get(name).map(|link| &link.addresses);
            let is_known = declared.is_some_and(|declared| declared.contains(&address.address))
                || planned.is_some_and(|planned| planned.contains_key(&address.to_string()));
            (!is_known).then(|| format!("kernel: link {name}: take away {address}, which no stanza declares"))
        }));
    }
    (told, warnings)
}

/// Refuses what nobody asked the task for.
pub fn refused(told: &[String]) -> Fault {
    Fault::new(
        "foreign_changes",
        format!(
            "planning a change failed: it needs `ifreload -a`, which applies the whole interfaces file and would also change: {}; \
             hint: undo these edits or apply them first, or let them go live together with this change with `foreign_changes: apply`",
            told.join("; ")
        ),
    )
}

/// What a reload does to somebody else's object.
fn differences(
    picture: &Picture,
    interfaces: &Interfaces,
    stanza: &Stanza,
    kind: Kind,
) -> Result<Vec<Change>, Fault> {
    let name = &stanza.name;
    let is_missing_nic = matches!(kind, Kind::Eth | Kind::OvsPort) && picture.links.get(name).is_none();
    if is_missing_nic {
        return Ok(Vec::new());
    }
    let wanted = State::declared_live(picture, interfaces, name)?;
    let found = State::found(picture, &wanted);
    let differences = changes(&found, &wanted).into_iter();
    Ok(differences.filter_map(|change| done_by_reload(picture, stanza, change)).collect())
}

/// The change as far as a reload is known to make it. A property that is not named here is left out.
fn done_by_reload(picture: &Picture, stanza: &Stanza, change: Change) -> Option<Change> {
    match change {
        Change::Bridge { from: Some(from), to: Some(to), name } => {
            let lines = [stanza.get_all("ovs_extra"), stanza.get_all("ovs_options")].concat();
            let is_declared = |property: &str| lines.iter().any(|line| line.contains(property));
            let differs = from
                .properties()
                .iter()
                .zip(&to.properties())
                .any(|(from, to)| from != to && is_declared(&to.0));
            let has_new_mtu = to.mtu_request.is_some() && from.mtu_request != to.mtu_request;
            (differs || has_new_mtu).then_some(Change::Bridge { name, from: Some(from), to: Some(to) })
        }
        Change::Port { name, from: Some(from), to: Some(to) } => {
            // With other members, ifupdown2 silently drops whatever else was to change.
            if from.interfaces != to.interfaces {
                return None;
            }
            // Nor are delays and MTUs of members reset that nobody declares any more.
            let mut mtu_requests = from.mtu_requests.clone();
            mtu_requests.extend(to.mtu_requests);
            let to = Port {
                mtu_requests,
                bond_updelay: if to.bond_updelay == 0 { from.bond_updelay } else { to.bond_updelay },
                bond_downdelay: if to.bond_downdelay == 0 { from.bond_downdelay } else { to.bond_downdelay },
                ..to
            };
            (from != to).then_some(Change::Port { name, from: Some(from), to: Some(to) })
        }
        Change::Link { name, from, to } => {
            let mut done = from.clone();
            done.present = to.present;
            if !has_hooks(stanza) {
                done.up = to.up;
                done.addresses = to.addresses;
                let gateways = to.gateways.into_iter().filter(|(gateway, _)| is_set(picture, &name, gateway));
                done.gateways.extend(gateways);
            }
            (from != done).then_some(Change::Link { name, from, to: done })
        }
        Change::Bridge { .. } | Change::Port { .. } => Some(change),
        _ => None,
    }
}

/// Whether ifupdown2 sets this default gateway of a link: where there is none of its family, or another one on the same
/// link. Beside one of another link it never comes to it.
fn is_set(picture: &Picture, link: &str, gateway: &str) -> bool {
    let is_v6 = gateway.contains(':');
    let mut routes = picture
        .routes
        .iter()
        .filter(|route| route.gateway.is_some_and(|found| found.is_ipv6() == is_v6))
        .peekable();
    routes.peek().is_none() || routes.any(|route| route.link == link)
}

/// The addresses of a link that ifupdown2 compares with the stanza's, and takes away where they are not there.
fn purged<'a>(picture: &'a Picture, stanza: &Stanza) -> Vec<&'a Cidr> {
    let is_plain =
        stanza.families.iter().all(|family| matches!(family.method.as_str(), "" | "manual" | "static"));
    let link = picture.links.get(&stanza.name).filter(|_| is_plain && !has_hooks(stanza));
    let is_link_local = |address: &Cidr| match address.address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(_) => address.is_link_local(),
    };
    link.into_iter().flat_map(|link| &link.addresses).filter(|address| !is_link_local(address)).collect()
}

fn has_hooks(stanza: &Stanza) -> bool {
    let mut keys =
        stanza.families.iter().flat_map(|family| &family.options).map(|(key, _)| key.replace('_', "-"));
    keys.any(|key| HOOKS.contains(&key.as_str()))
}

/// All addresses that a file gives to a link, by the link's name; an alias is another name of its link.
fn declared_addresses(picture: &Picture, interfaces: &Interfaces) -> BTreeMap<String, BTreeSet<IpAddr>> {
    let mut declared: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
    for file in std::iter::once(interfaces).chain(picture.sourced.iter().map(|file| &file.interfaces)) {
        for stanza in file.stanzas() {
            let link = stanza.name.split(':').next().unwrap_or_default().to_owned();
            let families = [AddressFamily::Inet, AddressFamily::Inet6].into_iter();
            let addresses = families.flat_map(|family| stanza.addresses(family));
            declared.entry(link).or_default().extend(addresses.filter_map(|address| address::host(&address)));
        }
    }
    declared
}
