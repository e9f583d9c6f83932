//! A provisional change: live, and not in the file. What its checkpoint holds beside the way back, and what of a plan waits
//! for the confirmation.
//!
//! The file on disk stays the old one until then, so that a boot comes up on it. A new bond that speaks LACP begins
//! passive: without a partner, passive members fall back at once, where active ones are silent for three seconds first
//! (measured on Open vSwitch 3.1).

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::interfaces::{Interfaces, OvsOptions};
use crate::live::Port;
use crate::picture;
use crate::reach::Target;
use crate::state::State;
use crate::window::Window;

/// What the checkpoint of a provisional change holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provisional {
    /// How long it may wait.
    pub window: Window,
    /// Whether it is live and read back, so that it waits to be confirmed.
    pub waits: bool,
    /// The objects as they shall be once it is confirmed.
    pub after: State,
    /// New bonds that are passive until then.
    pub passive: BTreeSet<String>,
    /// Who answered before it.
    pub answered: Vec<Target>,
    /// What was staged.
    #[serde(with = "crate::latin1")]
    pub staged: Option<Vec<u8>>,
}

impl Provisional {
    /// What of `changes` is left for the confirmation.
    pub fn is_later(&self, change: &Change) -> bool {
        match change {
            Change::Port { name, from: Some(from), to: Some(to) } if self.passive.contains(name) => {
                from.lacp == "passive" && Port { lacp: to.lacp.clone(), ..from.clone() } == *to
            }
            change => change.is_in_file(),
        }
    }

    /// The text that is made live before the confirmation, of the one that it makes final.
    pub fn text(&self, text: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut interfaces = Interfaces::parse(text);
        for bond in &self.passive {
            let Some(mut stanza) = picture::declared(&interfaces, bond) else { continue };
            let mut options = OvsOptions::of(&stanza);
            options.set("lacp", Some("passive"));
            options.put_into(&mut stanza);
            picture::declare(&mut interfaces, &stanza)?;
        }
        Ok(interfaces.render())
    }
}

/// The new bonds among `changes` that begin passive: those that carry traffic without a partner.
pub fn passive(changes: &[Change]) -> BTreeSet<String> {
    let begins = |change: &Change| match change {
        Change::Port { name, from: None, to: Some(to) } if falls_back(to) => Some(name.clone()),
        _ => None,
    };
    changes.iter().filter_map(begins).collect()
}

/// Whether a port is a bond that speaks LACP and carries traffic on one member until it is answered.
pub fn falls_back(port: &Port) -> bool {
    let has_fallback = port.other_config.get("lacp-fallback-ab").is_some_and(|value| value == "true");
    port.interfaces.len() > 1 && port.lacp == "active" && has_fallback
}
