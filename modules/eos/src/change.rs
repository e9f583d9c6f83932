//! One difference between two states, the sentence that tells it, and the lines that make it so.

use std::fmt;

use ansible_module::sentence::tell;
use vlan::VlanSet;

use crate::aggregation::Aggregation;
use crate::dialect::Dialect;
use crate::membership::Membership;
use crate::names::Interface;
use crate::port::Port;
use crate::state::State;

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// VLANs of the running-config, none of which is there.
    AddVlans(VlanSet),
    /// VLANs of the running-config, all of which are there: on the way back alone.
    RemoveVlans(VlanSet),
    /// An interface of the running-config. `None` is one that does not exist.
    Port {
        /// Its name.
        name: Interface,
        /// As it is.
        from: Option<Box<Port>>,
        /// As it shall be.
        to: Option<Box<Port>>,
    },
    /// What waits to be confirmed in this session is undone by the switch, which is what all the others come from.
    Discard(String),
    /// The running-config is saved.
    Save,
}

impl Change {
    /// The interface that it is of.
    pub fn interface(&self) -> Option<&Interface> {
        match self {
            Self::Port { name, .. } => Some(name),
            Self::AddVlans(_) | Self::RemoveVlans(_) | Self::Discard(_) | Self::Save => None,
        }
    }

    /// The VLANs that it is of.
    pub fn vlans(&self) -> Option<&VlanSet> {
        match self {
            Self::AddVlans(vlans) | Self::RemoveVlans(vlans) => Some(vlans),
            Self::Port { .. } | Self::Discard(_) | Self::Save => None,
        }
    }
}

/// What leads from `found` to `wanted`, which list the same interfaces: in EOS's order, saving last.
pub fn changes(found: &State, wanted: &State) -> Vec<Change> {
    let State { interfaces, declared_vlans: _, vlans, unconfirmed, saved } = wanted;
    let of_vlans = |change: fn(VlanSet) -> Change, vlans: VlanSet| (!vlans.is_empty()).then(|| change(vlans));
    let mut changes: Vec<Change> = Vec::new();
    // What was undone does not wait again, so there is no way back to it.
    let either = found.unconfirmed.as_ref().or(unconfirmed.as_ref());
    changes.extend(either.filter(|_| found.unconfirmed != *unconfirmed).cloned().map(Change::Discard));
    changes.extend(of_vlans(Change::AddVlans, vlans.without(&found.vlans)));
    changes.extend(
        interfaces
            .iter()
            .map(|(name, to)| {
                let from = found.interfaces.get(name).cloned().flatten().map(Box::new);
                Change::Port { name: name.clone(), from, to: to.clone().map(Box::new) }
            })
            .filter(|change| !matches!(change, Change::Port { from, to, .. } if from == to)),
    );
    changes.extend(of_vlans(Change::RemoveVlans, found.vlans.without(vlans)));
    if *saved == Some(true) && (found.saved != Some(true) || !changes.is_empty()) {
        changes.push(Change::Save);
    }
    changes
}

/// The lines of a configuration session. First VLANs; then all members that have to go, as EOS refuses to mix the kinds
/// of membership even for a moment, and all MLAG numbers, as it does not have one twice; then the blocks, Port-Channels before their members; last what goes altogether.
pub fn lines(changes: &[Change], dialect: Dialect) -> Vec<String> {
    let (mut vlans, mut leave, mut blocks, mut remove) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let (name, from, to) = match change {
            Change::AddVlans(some) => {
                vlans.push(format!("vlan {some}"));
                continue;
            }
            Change::RemoveVlans(some) => {
                remove.push(format!("no vlan {some}"));
                continue;
            }
            Change::Discard(_) | Change::Save => continue,
            Change::Port { name, from, to } => (name, from, to),
        };
        let Some(to) = to else {
            let gone = from.as_deref().and_then(|from| from.aggregation.as_ref());
            if gone.is_some_and(|gone| gone.gives_up_mlag(&Aggregation::default())) {
                leave.extend([format!("interface {name}"), Aggregation::NO_MLAG.to_owned()]);
            }
            remove.push(format!("no interface {name}"));
            continue;
        };
        let is_new = from.is_none();
        let mut from = from.as_deref().cloned().unwrap_or_else(|| Port::default_of(name, dialect));
        if leaves(&from, to) {
            leave.extend([format!("interface {name}"), Membership::LEAVE.to_owned()]);
            from.membership = None;
        }
        if let Some((from, to)) = from.aggregation.as_mut().zip(to.aggregation.as_ref())
            && from.gives_up_mlag(to)
        {
            leave.extend([format!("interface {name}"), Aggregation::NO_MLAG.to_owned()]);
            from.mlag = 0;
        }
        let lines = to.lines(&from, dialect);
        if is_new || !lines.is_empty() {
            blocks.push(format!("interface {name}"));
            blocks.extend(lines);
        }
    }
    [vlans, leave, blocks, remove].concat()
}

/// Whether a member has to leave its Port-Channel before it is what it shall be.
fn leaves(from: &Port, to: &Port) -> bool {
    match (&from.membership, &to.membership) {
        (Some(from), Some(to)) => {
            from.port_channel != to.port_channel || from.lacp_mode.is_lacp() != to.lacp_mode.is_lacp()
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddVlans(vlans) => write!(f, "running-config: add VLAN {vlans}"),
            Self::RemoveVlans(vlans) => write!(f, "running-config: remove VLAN {vlans}"),
            Self::Port { name, from, to } => {
                let is_new = from.is_none();
                let properties =
                    |port: &Port| if is_new { port.properties_if_new(name) } else { port.properties() };
                let (from, to) = (from.as_deref().map(properties), to.as_deref().map(properties));
                tell(f, "running-config", &name.to_string(), from, to)
            }
            Self::Discard(session) => {
                write!(f, "running-config: undo the change that waits to be confirmed in session {session}")
            }
            Self::Save => f.write_str("startup-config: save the running-config"),
        }
    }
}
