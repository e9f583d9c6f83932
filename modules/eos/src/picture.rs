//! Everything that was read of a switch, as context for planning, and what of it is to be saved.

use serde::Deserialize;
use vlan::VlanSet;

use crate::config::{Block, Config};
use crate::names::Interface;
use crate::port::Port;
use crate::state::State;

/// A switch.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The running-config.
    pub running: Config,
    /// The startup-config; empty where there is none, and not read where nothing is to be saved.
    pub startup: Config,
    /// What the task says of saving.
    pub save_when: SaveWhen,
    /// What is to be undone; none where nothing is, or it was.
    pub unconfirmed: Option<Unconfirmed>,
}

/// A change of ours that waits to be confirmed.
#[derive(Debug, Clone)]
pub struct Unconfirmed {
    /// Its session.
    pub session: String,
    /// What was before it.
    pub before: State,
}

/// When the running-config is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaveWhen {
    /// Not at all.
    Never,
    /// When the interfaces of the task differ.
    Changed,
    /// When the interfaces of the task differ; what others left unsaved is told.
    Modified,
    /// When anything differs, also what others left unsaved.
    Always,
}

impl Config {
    /// What an interface is set to; none where it does not exist.
    pub fn port(&self, interface: &Interface) -> Option<Port> {
        Some(Port::parse(interface, self.interface(interface)?, self.dialect()))
    }

    /// What is not ours: other blocks, other VLANs, and other lines in the blocks of `ours`. A startup-config that a
    /// person wrote may list VLANs in other groups, and need not name an Ethernet interface of which it says nothing.
    fn foreign(&self, ours: &State) -> (Vec<&Block>, VlanSet, Vec<Vec<&str>>) {
        let lines = |interface: &&Interface| {
            let lines = self.interface(interface).map(|block| block.lines.as_slice()).unwrap_or_default();
            lines.iter().map(String::as_str).filter(|line| !Port::is_own(interface, line)).collect()
        };
        let interfaces: Vec<&Interface> = ours.interfaces.keys().collect();
        let others = self.without(&interfaces).filter(|block| !block.says_nothing()).collect();
        (others, self.vlans().without(&ours.declared_vlans), interfaces.iter().map(lines).collect())
    }
}

impl Picture {
    /// Whether the startup-config holds what is to be saved of what is in `ours`, or of everything.
    pub fn is_saved(&self, ours: &State) -> bool {
        match self.save_when {
            SaveWhen::Never => true,
            SaveWhen::Changed => {
                let mut names = ours.interfaces.keys();
                names.all(|name| self.running.port(name) == self.startup.port(name))
                    && ours.declared_vlans.without(&self.startup.vlans()).is_empty()
            }
            SaveWhen::Modified | SaveWhen::Always => self.running == self.startup,
        }
    }

    /// Whether others changed something and did not save it.
    pub fn has_unsaved_of_others(&self, after: &State) -> bool {
        self.running.foreign(after) != self.startup.foreign(after)
    }

    /// Decides whether the state to reach is to be saved. What stands against it is told.
    pub fn plan_saving(&self, after: &mut State) -> Option<String> {
        if self.save_when == SaveWhen::Never {
            return None;
        }
        let differs = after.interfaces.iter().any(|(name, port)| self.running.port(name) != *port)
            || !self.is_saved(after);
        if differs && self.save_when != SaveWhen::Always && self.has_unsaved_of_others(after) {
            return Some(NOT_SAVED.to_owned());
        }
        after.saved = Some(true);
        None
    }
}

/// Saving is all or nothing.
pub const NOT_SAVED: &str = "the running-config is not saved, as it has changes of others that they did not save; \
    hint: `copy running-config startup-config` on the switch, or `save_when: always`, saves them too";
