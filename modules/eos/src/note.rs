//! What a run notes of its session on the control node, for a run that finds the change waiting to be confirmed. Where
//! it is kept: `claim.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vlan::VlanSet;

use crate::change::Change;
use crate::config::{Block, Config};
use crate::names::Interface;
use crate::port::Port;
use crate::state::State;

/// What is to be known of a change whose run is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The switch, as the task calls it.
    pub switch: String,
    /// The Port-Channels of the task.
    pub channels: BTreeSet<String>,
    /// Whether it is a later run that confirms it.
    pub waits: bool,
    /// The lines of ours in each interface that it changes; none where there was no such interface.
    before: BTreeMap<String, Option<Vec<String>>>,
    /// The VLANs that it adds.
    added_vlans: String,
}

impl Note {
    /// That of `changes` to `running`.
    pub fn of(
        switch: String,
        channels: BTreeSet<String>,
        waits: bool,
        changes: &[Change],
        running: &Config,
    ) -> Self {
        let lines = |name: &Interface| {
            let lines = running.interface(name)?.lines.iter();
            Some(lines.filter(|line| Port::is_own(name, line)).cloned().collect())
        };
        let interfaces = changes.iter().filter_map(Change::interface);
        let mut added = VlanSet::default();
        added.extend(changes.iter().filter_map(Change::vlans).flat_map(VlanSet::iter));
        Self {
            switch,
            channels,
            waits,
            before: interfaces.map(|name| (name.to_string(), lines(name))).collect(),
            added_vlans: added.to_string(),
        }
    }

    /// Reads one. Of what is none, nothing is known.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As it is kept.
    pub fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Whether it is of one of these Port-Channels.
    pub fn is_of_any(&self, channels: &BTreeSet<String>) -> bool {
        !self.channels.is_disjoint(channels)
    }

    /// What the change is of, for a sentence.
    pub fn of_what(&self) -> String {
        if self.channels.is_empty() {
            return String::new();
        }
        let channels: Vec<&str> = self.channels.iter().map(String::as_str).collect();
        format!(" of {}", channels.join(", "))
    }

    /// What the interfaces were before it, on the switch that has this running-config now.
    pub fn before(&self, running: &Config) -> State {
        let port = |name: &str, lines: &Option<Vec<String>>| {
            let name = Interface::from_config(name)?;
            let block = |lines: &Vec<String>| Block { head: String::new(), lines: lines.clone() };
            let port = lines.as_ref().map(|lines| Port::parse(&name, &block(lines), running.dialect()));
            Some((name, port))
        };
        State {
            interfaces: self.before.iter().filter_map(|(name, lines)| port(name, lines)).collect(),
            declared_vlans: VlanSet::parse(&self.added_vlans).unwrap_or_default(),
            ..State::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::changes;
    use crate::picture::{Picture, SaveWhen};

    const BEFORE: &str = "vlan 10\n!\ninterface Ethernet7/1\n   description x\n   ip ospf authentication-key 7 theirs\n!\nend\n";
    const AFTER: &str = "vlan 10,20\n!\ninterface Port-Channel7\n   switchport mode trunk\n!\n\
        interface Ethernet7/1\n   description y\n   ip ospf authentication-key 7 theirs\n   channel-group 7 mode active\n!\nend\n";

    fn state(running: &str) -> State {
        let picture = Picture {
            running: Config::parse(running),
            startup: Config::default(),
            save_when: SaveWhen::Never,
            unconfirmed: None,
        };
        let names =
            ["Port-Channel7", "Ethernet7/1"].map(|name| (Interface::from_config(name).unwrap(), None));
        let like =
            State { interfaces: names.into(), declared_vlans: VlanSet::from_iter([20]), ..State::default() };
        State::found(&picture, &like)
    }

    #[test]
    fn it_tells_what_was_before_the_change_and_nothing_of_others() {
        let (before, after) = (state(BEFORE), state(AFTER));
        let running = Config::parse(BEFORE);
        let note = Note::of("core:22".to_owned(), BTreeSet::new(), true, &changes(&before, &after), &running);
        let text = note.text().unwrap();
        assert!(!text.contains("theirs"), "{text}");
        let read = Note::parse(&text);
        assert_eq!((&read, read.before(&Config::parse(AFTER))), (&note, before));
    }

    #[test]
    fn of_what_is_no_note_nothing_is_known() {
        for text in ["", "Port-Channel7\n", "[]", "{\"switch\": 7}"] {
            assert_eq!(Note::parse(text), Note::default(), "{text}");
        }
    }
}
