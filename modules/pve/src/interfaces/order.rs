//! Where Proxmox's writer puts an interface that the file does not have yet.

use super::index::starts_by_itself;
use super::kind::Kind;
use super::parse::{Line, Role};
use super::{Interfaces, Stanza};

impl Interfaces {
    /// The index of the line before which the new stanza belongs.
    ///
    /// Proxmox sorts by type, then by the position in the file, which for a new interface is the last one. So it goes
    /// behind the stanza before the first one of a later type. One that Proxmox cannot place is compared by position
    /// alone. Lines that Proxmox keeps without understanding them stay with the stanza that follows them.
    pub(super) fn place(&self, new: &Stanza) -> usize {
        let sections = &self.index().sections;
        let own = self.group(&new.name, new);
        let is_later =
            |name: &str| matches!((self.group(name, new), own), (Some(other), Some(own)) if other > own);
        let later = sections.iter().position(|section| is_later(&section.name));
        let mut next = later.unwrap_or(sections.len());
        // A VLAN counts as one place further down than it stands, so that what follows it may be written above it.
        let is_below = |name: &str| {
            own.is_some()
                && self.group(name, new) == own
                && (level(name), name) > (level(&new.name) + 1, new.name.as_str())
        };
        while next
            .checked_sub(1)
            .and_then(|above| sections.get(above))
            .is_some_and(|above| is_below(&above.name))
        {
            next -= 1;
        }
        match (next.checked_sub(1).and_then(|above| sections.get(above)), sections.first()) {
            (Some(above), _) => self.behind(above.end),
            (None, Some(first)) => self.start_of(first.header),
            (None, None) => self.first_directive(),
        }
    }

    /// Whether Proxmox, which sorts by type, would write the interface in another place once it is what is wanted.
    pub(super) fn stands_elsewhere(&self, found: &Stanza, wanted: &Stanza) -> bool {
        let becomes = self.group(&wanted.name, wanted);
        becomes.is_some() && becomes != self.group(&found.name, found)
    }

    /// The rank of an interface's type. A VLAN or an alias goes with the interface that its name begins with.
    fn group(&self, name: &str, new: &Stanza) -> Option<u8> {
        let root = name.split(['.', ':']).next()?;
        let kind = if root == new.name {
            self.kind_of(new)
        } else if self.physical.contains(root) || self.is_auto(root) || self.index().has(root) {
            self.kind(root)
        } else {
            Kind::Unknown
        };
        match kind {
            Kind::Loopback | Kind::Dummy => Some(1),
            Kind::Eth | Kind::OvsPort => Some(2),
            Kind::OvsIntPort => Some(3),
            Kind::OvsBond | Kind::LinuxBond => Some(4),
            Kind::LinuxBridge | Kind::OvsBridge => Some(5),
            Kind::Vlan | Kind::Vxlan => Some(6),
            Kind::Alias | Kind::Unknown => None,
        }
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

    /// In a file without a stanza, lines such as `source` come after the first one.
    fn first_directive(&self) -> usize {
        let all = self.lines.len();
        (0..all).find(|index| self.is_directive(*index)).unwrap_or(all)
    }

    /// Whether Proxmox keeps the line as it is, at its place among the stanzas. It does so with `allow-` lines whose
    /// names no bridge lists: with ifupdown2 they stand alone.
    pub(super) fn is_directive(&self, index: usize) -> bool {
        match self.lines.get(index).map(|line| &line.role) {
            Some(Role::Source { .. } | Role::Mapping | Role::Other) => true,
            Some(Role::Auto { class, .. }) => {
                !starts_by_itself(class) && !self.lines.get(index + 1).is_some_and(Line::in_stanza)
            }
            _ => false,
        }
    }
}

/// How far below another interface this one is by its name: `eno1` not at all, `eno1.5` by one.
fn level(name: &str) -> usize {
    name.split(['.', ':']).count() - 1
}
