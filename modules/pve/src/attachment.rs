//! What bonds and IntPorts have in common: a port of one bridge, in the file and in Open vSwitch.

use ansible_module::fault::Fault;

use crate::conflicts;
use crate::draft::Draft;
use crate::interfaces::Stanza;
use crate::rules;

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

/// Puts a port into the draft as its stanza declares it, or takes it out, with its place in its bridge's `ovs_ports`
/// line and in no other's.
pub fn put(
    draft: &mut Draft<'_>,
    name: &str,
    stanza: Option<&Stanza>,
    kind: conflicts::PortKind,
) -> Result<(), Fault> {
    conflicts::live_port_is_ours(draft, name, kind)?;
    let bridge = stanza.map(|stanza| stanza.get("ovs_bridge").unwrap_or_default().to_owned());
    if let Some(bridge) = &bridge {
        let assumed = conflicts::bridge_exists(draft, bridge)?;
        draft.warn(assumed);
    }
    match stanza {
        Some(stanza) => draft.put(stanza)?,
        None => draft.remove(name),
    }
    draft.attach(name, bridge.as_deref())
}
