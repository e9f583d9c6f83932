//! What stands in a plan's way on the node: a name is one object's, an address one interface's, a gateway one route's
//! (`conflicts/address.rs`). Whether a NIC is free is in `nic.rs`.
//! Each error names the object, where it is in use, and the remedy.

use std::collections::BTreeSet;

use ansible_module::diff;
use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::apply_options::{ApplyOptions, Pending};
use crate::bridge_mac::{self, Planned};
use crate::draft::Draft;
use crate::interfaces::Kind;
use crate::kernel::{self, Link};
use crate::picture::{Picture, Text};
use crate::writable;

mod address;
mod elsewhere;

pub use address::address_is_free;
pub use elsewhere::{attaching, ports as ports_elsewhere};

/// Refuses a stanza that stands where an object of ours shall be, but is something else.
pub fn is_of_kind(draft: &Draft<'_>, name: &str, wanted: Kind, word: &str) -> Result<(), Fault> {
    elsewhere::is_declared_here(draft, name, wanted, word)?;
    let interfaces = draft.interfaces();
    let Some(stanza) = interfaces.get(name) else { return Ok(()) };
    if let Some(line) = interfaces.detached(name).first() {
        return Err(Fault::new(
            "stanza_cut",
            format!(
                "`{name}` can't be changed: a blank line in its stanza cuts off `{}`, which ifupdown2 applies and Proxmox ignores; \
                 hint: remove that blank line",
                line.trim()
            ),
        ));
    }
    let kind = interfaces.kind(name);
    if kind == wanted {
        return Ok(());
    }
    let remedy = match writable::dashed(stanza).first() {
        Some(key) => format!("Proxmox does not see its `{key}`: write underscores"),
        None => remedy(kind == Kind::LinuxBridge && wanted == Kind::OvsBridge).to_owned(),
    };
    Err(Fault::new(
        "name_in_use",
        format!("`{name}` is no {word}: the interfaces file has it as {kind}; hint: {remedy}"),
    ))
}

fn remedy(is_replaceable: bool) -> &'static str {
    if is_replaceable {
        "`replace_linux_bridge: true` makes it one, or choose another name"
    } else {
        "choose another name, or remove that first"
    }
}

/// Refuses the name of a link that Open vSwitch did not make, such as a Linux bridge's.
pub fn name_is_free(draft: &Draft<'_>, name: &str, word: &str) -> Result<(), Fault> {
    match foreign_link(draft, name) {
        None => Ok(()),
        Some(link) => Err(Fault::new(
            "name_in_use",
            format!(
                "`{name}` is no {word}: the node has {} of this name, which Open vSwitch did not make; hint: {}",
                link.kind,
                remedy(link.kind == kernel::Kind::Bridge && word == "OVSBridge")
            ),
        )),
    }
}

/// What a port without a stanza has to be so that it can be taken for ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// Two NICs or more.
    Bond,
    /// The node's own interface.
    IntPort,
}

/// Refuses a port of Open vSwitch that the file does not have and that is of another kind: a tunnel, a patch, a
/// guest's, a bridge's own. One of the kind is adopted.
pub fn live_port_is_ours(draft: &Draft<'_>, name: &str, kind: PortKind) -> Result<(), Fault> {
    let picture = draft.picture;
    let is_unknown = draft.interfaces().get(name).is_none() && picture.running.interfaces.get(name).is_none();
    let Some(port) = picture.ovs.ports.get(name).filter(|_| is_unknown) else { return Ok(()) };
    let types: Vec<&str> = port
        .interfaces
        .iter()
        .filter_map(|name| picture.ovs.interfaces.get(name))
        .map(|row| row.kind.as_str())
        .collect();
    let is_ours = match kind {
        PortKind::Bond => types.len() >= 2 && types.iter().all(|kind| matches!(*kind, "" | "system")),
        PortKind::IntPort => types == ["internal"] && port.bridge != name,
    };
    if is_ours {
        return Ok(());
    }
    let described = if port.bridge == name {
        "the own port of a bridge".to_owned()
    } else {
        format!("a port of type `{}`", types.join(" "))
    };
    Err(Fault::new(
        "name_in_use",
        format!(
            "`{name}` is in use: Open vSwitch has {described} of this name on bridge `{}`; hint: choose another name, or remove that first",
            port.bridge
        ),
    ))
}

/// The warnings that LACP of other bonds is renegotiated by what is planned, a bridge each.
pub fn renegotiation(picture: &Picture, planned: &Planned) -> Vec<String> {
    let old = planned.keys().filter_map(|port| picture.ovs.ports.get(port)).map(|port| port.bridge.as_str());
    let bridges: BTreeSet<&str> = planned.values().map(|(bridge, _)| bridge.as_str()).chain(old).gather();
    let told = bridges.into_iter().filter_map(|bridge| {
        let bonds = bridge_mac::renegotiated(picture, bridge, planned);
        (!bonds.is_empty()).then(|| {
            format!(
                "LACP of {} is renegotiated: the MAC address of `{bridge}`, its system id, moves with this change; \
                 hint: `other_config:lacp-system-id` in its `ovs_options` pins it",
                bonds.join(", ")
            )
        })
    });
    told.collect()
}

/// While Open vSwitch is stopped its links may still be there, so only a Linux bridge is surely foreign then.
fn foreign_link<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Link> {
    let picture = draft.picture;
    let link = picture.links.get(name)?;
    let is_known = picture.ovs.interfaces.contains_key(name);
    let is_foreign = matches!(link.kind, kernel::Kind::Bridge) || (picture.ovs_runs && !is_known);
    // What the running file declares goes when the draft is applied, which has something else of this name.
    let goes = draft.drops(name, |stanza| stanza.get("ovs_type").is_none());
    (is_foreign && !goes).then_some(link)
}

/// Refuses a bridge that is none, or that is not there. In check mode one that is not there is assumed.
pub fn bridge_exists(draft: &Draft<'_>, bridge: &str) -> Result<Option<String>, Fault> {
    elsewhere::bridge_is_here(draft, bridge)?;
    if draft.interfaces().get(bridge).is_none() {
        if let Some(link) = foreign_link(draft, bridge) {
            return Err(Fault::new(
                "not_an_ovs_bridge",
                format!(
                    "option `bridge`: `{bridge}` is no OVSBridge: the node has {} of this name; \
                     hint: Open vSwitch and Linux bridges never share a port",
                    link.kind
                ),
            ));
        }
        if draft.check_mode {
            return Ok(Some(format!(
                "the bridge `{bridge}` does not exist yet: assumed to come from an earlier task"
            )));
        }
        return Err(Fault::new(
            "bridge_not_found",
            format!(
                "option `bridge`: the interfaces file has no `{bridge}`; hint: make it with pve_ovs_bridge first"
            ),
        ));
    }
    match draft.interfaces().kind(bridge) {
        Kind::OvsBridge => Ok(None),
        kind => Err(Fault::new(
            "not_an_ovs_bridge",
            format!(
                "option `bridge`: `{bridge}` is no OVSBridge: the interfaces file has it as {kind}; hint: Open vSwitch and Linux bridges never share a port",
            ),
        )),
    }
}

/// Refuses to plan beside changes that somebody staged. In check mode an Open vSwitch that is not running is
/// assumed to be empty, with a warning.
pub fn is_ready(picture: &Picture, options: &ApplyOptions) -> Result<Option<String>, Fault> {
    if let (true, Pending::Fail, Some(staged)) = (options.apply, options.pending, &picture.staged) {
        return Err(pending_changes(&picture.running, staged));
    }
    let assumed = "Open vSwitch is not running: assumed to be started, and empty, by an earlier task";
    Ok((!picture.ovs_runs).then(|| assumed.to_owned()))
}

/// What waits, and that it is in the way: applying it later would undo what is written now.
fn pending_changes(running: &Text, staged: &Text) -> Fault {
    let text = |file: &Text| String::from_utf8_lossy(file.bytes.as_deref().unwrap_or_default()).into_owned();
    Fault::new(
        "pending_changes",
        format!(
            "planning a change failed: somebody staged changes in `interfaces.new` that are not applied yet; \
             hint: apply or revert them in the Proxmox web interface, or say what becomes of them with `pending: apply` \
             or `pending: discard`\n{}",
            diff::unified("interfaces", &text(running), &text(staged))
        ),
    )
}

/// Refuses a node whose Open vSwitch is not running.
pub fn ovs_runs(picture: &Picture) -> Result<(), Fault> {
    if picture.ovs_runs {
        return Ok(());
    }
    Err(Fault::new(
        "ovs_not_running",
        "reading the Open vSwitch database failed: nobody listens on its socket; \
         hint: install `openvswitch-switch`, or `systemctl start openvswitch-switch`",
    ))
}
