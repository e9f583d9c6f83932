//! One difference between two states, the sentence that tells it, and the lines that make it so.

use std::fmt;

use ansible_module::sentence::tell;

use crate::names::Interface;
use crate::port::{Membership, Port};
use crate::state::State;

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An interface of the running-config. `None` is one that does not exist.
    Port {
        /// Its name.
        name: Interface,
        /// As it is.
        from: Option<Port>,
        /// As it shall be.
        to: Option<Port>,
    },
    /// The running-config is saved.
    Save,
}

impl Change {
    /// The interface that it is of.
    pub fn interface(&self) -> Option<&Interface> {
        match self {
            Self::Port { name, .. } => Some(name),
            Self::Save => None,
        }
    }
}

/// What leads from `found` to `wanted`, which list the same interfaces: in EOS's order, saving last.
pub fn changes(found: &State, wanted: &State) -> Vec<Change> {
    let State { interfaces, saved } = wanted;
    let mut changes: Vec<Change> = interfaces
        .iter()
        .map(|(name, to)| {
            let from = found.interfaces.get(name).cloned().flatten();
            Change::Port { name: name.clone(), from, to: to.clone() }
        })
        .filter(|change| !matches!(change, Change::Port { from, to, .. } if from == to))
        .collect();
    if *saved == Some(true) && (found.saved != Some(true) || !changes.is_empty()) {
        changes.push(Change::Save);
    }
    changes
}

/// The lines of a configuration session. First all members that have to go, as EOS refuses to mix the kinds of
/// membership even for a moment; then the blocks, Port-Channels before their members; last what goes altogether.
pub fn lines(changes: &[Change], is_switchport_by_default: bool) -> Vec<String> {
    let (mut leave, mut blocks, mut remove) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        let Change::Port { name, from, to } = change else { continue };
        let mut from = from.clone().unwrap_or_else(|| Port::default_of(is_switchport_by_default));
        let Some(to) = to else {
            remove.push(format!("no interface {name}"));
            continue;
        };
        if leaves(&from, to) {
            leave.extend([format!("interface {name}"), Membership::LEAVE.to_owned()]);
            from.membership = None;
        }
        let lines = to.lines(&from);
        let is_new = matches!(change, Change::Port { from: None, .. });
        if is_new || !lines.is_empty() {
            blocks.push(format!("interface {name}"));
            blocks.extend(lines);
        }
    }
    [leave, blocks, remove].concat()
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
            Self::Port { name, from, to } => {
                let properties = if from.is_some() { Port::properties } else { Port::properties_if_new };
                let (from, to) = (from.as_ref().map(properties), to.as_ref().map(properties));
                tell(f, "running-config", &name.to_string(), from, to)
            }
            Self::Save => f.write_str("startup-config: save the running-config"),
        }
    }
}
