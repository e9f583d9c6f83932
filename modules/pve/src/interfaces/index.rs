//! Where each interface stands in the file, so that asking for one costs no more than its own lines. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::kind::Kind;
use super::parse::{Line, Role};
use super::stanza::{AddressFamily, Stanza};

/// One `iface` line and the body that belongs to it, as indices of lines.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub name: String,
    pub family: AddressFamily,
    pub method: String,
    pub header: usize,
    /// One past the last line of the body.
    pub end: usize,
}

/// One interface: where it stands, and what was made of that when it was first asked for.
#[derive(Debug, Default)]
pub(super) struct Entry {
    sections: Vec<usize>,
    /// Lines without a meaning to Proxmox that follow one of the sections.
    pub detached: Vec<usize>,
    pub stanza: OnceLock<Stanza>,
    pub kind: OnceLock<Kind>,
}

/// What the lines of one file are, by interface. It is good for those lines alone.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// In the file's order.
    pub sections: Vec<Section>,
    /// The interfaces that have a section, each once, in the file's order.
    pub entries: Vec<Entry>,
    by_name: BTreeMap<String, usize>,
    auto: BTreeSet<String>,
    /// Those of `auto` that only `allow-hotplug`, `allow-ovs` or `allow-BRIDGE` lines name.
    by_class: BTreeSet<String>,
}

impl Index {
    pub fn of(lines: &[Line]) -> Self {
        let mut index = Self::default();
        let mut owner = None;
        for (at, line) in lines.iter().enumerate() {
            match &line.role {
                Role::Iface { name, family, method } => owner = Some(index.open(name, *family, method, at)),
                Role::Option { .. } | Role::Note(_) => {
                    if let Some(section) = index.sections.last_mut() {
                        section.end = at + 1;
                    }
                }
                Role::Auto { .. } | Role::Source { .. } | Role::Mapping => owner = None,
                Role::Other => {
                    if let Some(entry) = owner.and_then(|owner| index.entries.get_mut(owner)) {
                        entry.detached.push(at);
                    }
                }
                Role::Blank | Role::Comment => {}
            }
        }
        for line in lines {
            match &line.role {
                Role::Auto { class, names } if class == "auto" => {
                    index.auto.extend(names.iter().cloned());
                }
                Role::Auto { class, names } if index.class_counts(class) => {
                    index.by_class.extend(names.iter().cloned());
                }
                _ => {}
            }
        }
        let Self { auto, by_class, .. } = &mut index;
        by_class.retain(|name| !auto.contains(name));
        auto.extend(by_class.iter().cloned());
        index
    }

    /// The place of the section's interface among `entries`.
    fn open(&mut self, name: &str, family: AddressFamily, method: &str, header: usize) -> usize {
        let own = *self.by_name.entry(name.to_owned()).or_insert(self.entries.len());
        if own == self.entries.len() {
            self.entries.push(Entry::default());
        }
        if let Some(entry) = self.entries.get_mut(own) {
            entry.sections.push(self.sections.len());
        }
        self.sections.push(Section {
            name: name.to_owned(),
            family,
            method: method.to_owned(),
            header,
            end: header + 1,
        });
        own
    }

    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(*self.by_name.get(name)?)
    }

    /// The sections of one interface, in the file's order.
    pub fn sections_of(&self, entry: &Entry) -> impl Iterator<Item = &Section> {
        entry.sections.iter().filter_map(|section| self.sections.get(*section))
    }

    /// Whether an `auto` or `allow-` line that counts names the interface.
    pub fn is_auto(&self, name: &str) -> bool {
        self.auto.contains(name)
    }

    /// Whether only a line of another class makes it so: `ifreload -a` starts what has an `auto` line.
    pub fn is_auto_by_class(&self, name: &str) -> bool {
        self.by_class.contains(name)
    }

    /// Classes start an interface by themselves, or are the name of the bridge that brings its ports up.
    pub fn class_counts(&self, class: &str) -> bool {
        starts_by_itself(class) || self.has(class)
    }
}

/// Whether it is one of the classes that Proxmox takes for `auto`.
pub(super) fn starts_by_itself(class: &str) -> bool {
    matches!(class, "auto" | "hotplug" | "ovs")
}
