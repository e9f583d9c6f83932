//! What bonds and IntPorts have in common: a port of one bridge, in the file and in Open vSwitch.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;

use crate::conflicts;
use crate::interfaces::Stanza;
use crate::live::Port;
use crate::picture::Picture;
use crate::rules;
use crate::state::State;

/// The stanza to declare a port in: the one found, or a new one of `ovs_type`; started at boot, and on `bridge` where
/// that is given, as it must be for a new one.
pub fn stanza(
    found: Option<Stanza>,
    name: &str,
    ovs_type: &str,
    bridge: Option<&str>,
) -> Result<Stanza, Fault> {
    if found.is_none() && bridge.is_none() {
        return Err(rules::required("bridge", name, "vmbr0"));
    }
    let mut stanza = found.unwrap_or_else(|| {
        let mut stanza = Stanza::new(name, "manual");
        stanza.set("ovs_type", Some(ovs_type));
        stanza
    });
    stanza.auto = true;
    if bridge.is_some() {
        stanza.set("ovs_bridge", bridge);
    }
    Ok(stanza)
}

/// Puts port `name` into `after` as its stanza declares it, or as absent, with its place in its bridge's
/// `ovs_ports` line and in no other's. Returns what was assumed, for warnings.
pub fn plan(
    picture: &Picture,
    name: &str,
    stanza: Option<Stanza>,
    kind: conflicts::PortKind,
    check_mode: bool,
    after: &mut State,
) -> Result<Option<String>, Fault> {
    conflicts::live_port_is_ours(picture, name, kind)?;
    let bridge = stanza.as_ref().map(|stanza| stanza.get("ovs_bridge").unwrap_or_default().to_owned());
    let assumed = match &bridge {
        Some(bridge) => conflicts::bridge_exists(picture, bridge, check_mode)?,
        None => None,
    };
    for other in picture.interfaces.bridge_listing(name).into_iter().chain(bridge.clone()) {
        let is_listed = bridge.as_ref() == Some(&other);
        after.file.ovs_ports.insert(other, BTreeMap::from([(name.to_owned(), is_listed)]));
    }
    let live = Port::found(&picture.ovs, name);
    let port = stanza.as_ref().map(|stanza| Port::declared(stanza, live.as_ref())).transpose()?;
    after.ovsdb.ports.insert(name.to_owned(), port);
    after.file.stanzas.insert(name.to_owned(), stanza);
    Ok(assumed)
}
