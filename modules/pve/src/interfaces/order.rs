//! Where Proxmox's writer puts an interface: by type, then by position in the file, then by name.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::kind::{Kind, classify};
use super::parse::{Line, Role};
use super::{Interfaces, Stanza};

/// What Proxmox's writer takes for the file position of an interface that has none yet.
const NEW: usize = 50_000;

impl Interfaces {
    /// The index of the line before which the new stanza belongs: behind the stanza that comes before the first one
    /// that Proxmox sorts after it. Lines that Proxmox keeps without understanding them stay with what follows them.
    pub(super) fn place(&self, new: &Stanza) -> usize {
        let sections = self.sections();
        let positions = self.positions();
        let weight = |name: &str| {
            let position = positions.get(name).copied().unwrap_or(NEW);
            self.group(name, new).map(|group| group + position)
        };
        let own = weight(&new.name);
        let goes_after_new = |name: &str| match (weight(name), own) {
            (Some(other), Some(own)) => {
                other.cmp(&own).then_with(|| name.cmp(&new.name)) == Ordering::Greater
            }
            // Proxmox compares an interface that it cannot place by position alone, and a new one has the last.
            _ => false,
        };
        match sections.iter().position(|section| goes_after_new(&section.name)) {
            Some(0) => sections.first().map_or(0, |first| self.start_of(first.header)),
            Some(next) => sections.get(next - 1).map_or(0, |before| self.behind(before.end)),
            None => sections.last().map_or_else(
                || self.lines.iter().position(Line::is_numbered).unwrap_or(self.lines.len()),
                |last| self.behind(last.end),
            ),
        }
    }

    /// The type's group, plus one for each `.` or `:` part of the name; an interface goes where its root goes.
    fn group(&self, name: &str, new: &Stanza) -> Option<usize> {
        let mut parts = name.split(['.', ':']);
        let root = parts.next()?;
        let kind = if root == new.name {
            classify(new, &|link| self.physical.contains(link))
        } else if self.physical.contains(root) || self.is_auto(root) || !self.sections_of(root).is_empty() {
            self.kind(root)
        } else {
            Kind::Unknown
        };
        let group = match kind {
            Kind::Loopback | Kind::Dummy => 100_000,
            Kind::Eth | Kind::OvsPort => 200_000,
            Kind::OvsIntPort => 300_000,
            Kind::OvsBond | Kind::LinuxBond => 400_000,
            Kind::LinuxBridge | Kind::OvsBridge => 500_000,
            Kind::Vlan | Kind::Vxlan => 600_000,
            Kind::Alias | Kind::Unknown => return None,
        };
        Some(group + parts.count())
    }

    /// The positions that Proxmox's reader gives the interfaces; it counts from 2, because 1 is for a missing `lo`.
    fn positions(&self) -> BTreeMap<&str, usize> {
        let mut next = 2;
        let mut positions = BTreeMap::new();
        for line in &self.lines {
            match &line.role {
                Role::Iface { name, .. } if positions.contains_key(name.as_str()) => {}
                Role::Iface { name, .. } => {
                    positions.insert(name.as_str(), next);
                    next += 1;
                }
                _ if line.is_numbered() => next += 1,
                _ => {}
            }
        }
        positions
    }

    /// The `auto` lines directly above a stanza are its start.
    fn start_of(&self, header: usize) -> usize {
        let above = self.lines.iter().take(header).rev();
        header - above.take_while(|line| matches!(line.role, Role::Auto { .. })).count()
    }

    /// The blank line after a stanza belongs to it.
    fn behind(&self, end: usize) -> usize {
        end + usize::from(self.lines.get(end).is_some_and(|line| line.role == Role::Blank))
    }
}
