//! Where Proxmox's writer puts an interface that the file does not have yet.

use super::kind::{Kind, classify};
use super::parse::Role;
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
        match sections.iter().position(|section| is_later(&section.name)) {
            Some(0) => sections.first().map_or(0, |first| self.start_of(first.header)),
            Some(next) => sections.get(next - 1).map_or(0, |before| self.behind(before.end)),
            None => sections.last().map_or_else(|| self.first_directive(), |last| self.behind(last.end)),
        }
    }

    /// The rank of an interface's type. A VLAN or an alias goes with the interface that its name begins with.
    fn group(&self, name: &str, new: &Stanza) -> Option<u8> {
        let root = name.split(['.', ':']).next()?;
        let kind = if root == new.name {
            classify(new, &|link| self.physical.contains(link))
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
        let is_directive = |role: &Role| matches!(role, Role::Source { .. } | Role::Mapping | Role::Other);
        self.lines.iter().position(|line| is_directive(&line.role)).unwrap_or(self.lines.len())
    }
}
