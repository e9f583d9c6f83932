//! The interfaces(5) file, read as Proxmox VE reads it and edited without touching a byte that is not asked for.
//!
//! Bytes in, bytes out: reading the file, writing it and locking it are not done here. Lower floors first: `keys`,
//! `parse` (what a line is), `stanza`, `kind`, `lines`, `order` (where Proxmox writes what), `edit`. What Proxmox
//! reads and writes is taken from pve-common, `src/PVE/Network/Interfaces.pm`.

mod edit;
mod index;
mod keys;
mod kind;
#[cfg(test)]
mod laws;
mod lines;
mod options_map;
mod order;
mod ovs_options;
mod parse;
#[cfg(test)]
mod second_opinion;
#[cfg(test)]
mod shapes;
mod stanza;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

pub use edit::EditError;
pub use kind::{Kind, classify, looks_like_a_nic};
pub use ovs_options::OvsOptions;
pub use stanza::{AddressFamily, Family, PORTS, Stanza};

use ansible_module::gather::Gather as _;
use index::{Entry, Index, Section};
use parse::{Line, Role};
use stanza::fold_netmask;

/// One interfaces(5) file: every byte of it, and what its lines mean.
///
/// A copy costs nothing until one of the two is edited. Each interface is looked at when it is first asked for, so a
/// walk over all of them costs a time that grows with the file and no faster; an edit makes everything unknown again.
#[derive(Clone, Debug, Default)]
pub struct Interfaces {
    lines: Arc<Vec<Line>>,
    physical: Arc<BTreeSet<String>>,
    known: Arc<Known>,
}

/// What was found out of the lines and the physical links by now.
#[derive(Debug, Default)]
struct Known {
    index: OnceLock<Index>,
    /// By port.
    claims: OnceLock<BTreeMap<String, Vec<Claim>>>,
}

/// Two are equal if their bytes are, and what the kernel said of the links.
impl PartialEq for Interfaces {
    fn eq(&self, other: &Self) -> bool {
        let Self { lines, physical, known: _ } = self;
        *lines == other.lines && *physical == other.physical
    }
}

impl Eq for Interfaces {}

/// A `source` or `source-directory` line. Proxmox keeps such lines and never follows them; ifupdown2 does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Whether the path names a directory (`source-directory`) and not files (`source`, which may hold wildcards).
    pub directory: bool,
    /// The path as written, relative to the file's own folder unless it starts with a slash.
    pub path: String,
}

/// An interface that takes another one as its port: Proxmox allows one per port over all these keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The interface whose stanza names the port.
    pub by: String,
    /// `bridge_ports`, `ovs_ports`, `slaves` or `ovs_bonds`.
    pub key: &'static str,
}

impl Interfaces {
    /// Reads a file. Nothing can be wrong with it: what Proxmox would not understand is kept and has no meaning.
    pub fn parse(bytes: &[u8]) -> Self {
        Self { lines: Arc::new(parse::scan(parse::split(bytes))), ..Self::default() }
    }

    /// Says which links of this machine are physical, as Proxmox's reader asks the kernel: a NIC that is not named
    /// like one (`lan1`, an altname) is known as such only from here. Decides where a new stanza is written.
    #[must_use]
    pub fn with_physical_links(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.physical = Arc::new(names.into_iter().gather());
        self.forget();
        self
    }

    /// The file's bytes: after [`Interfaces::parse`] exactly the ones that were read.
    pub fn render(&self) -> Vec<u8> {
        self.lines.iter().map(|line| line.raw.as_slice()).collect::<Vec<_>>().concat()
    }

    /// The interfaces that have a stanza, each once, in the file's order.
    pub fn stanzas(&self) -> impl Iterator<Item = &Stanza> {
        self.index().entries.iter().map(|entry| self.look_at(entry))
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.stanzas().map(|stanza| stanza.name.clone()).collect()
    }

    /// One interface, merged over its families and repeated stanzas. A name that stands in `auto` lines only is none.
    pub fn get(&self, name: &str) -> Option<&Stanza> {
        Some(self.look_at(self.index().entry(name)?))
    }

    /// As [`Interfaces::get`], to be changed and put back.
    pub fn stanza(&self, name: &str) -> Option<Stanza> {
        self.get(name).cloned()
    }

    /// What Proxmox takes the interface for. One without a stanza is judged by its name.
    pub fn kind(&self, name: &str) -> Kind {
        match self.index().entry(name) {
            Some(entry) => *entry.kind.get_or_init(|| self.kind_of(self.look_at(entry))),
            None => self.kind_of(&Stanza::new(name, "manual")),
        }
    }

    /// The `source` and `source-directory` lines, in the file's order.
    pub fn sources(&self) -> Vec<Source> {
        self.lines
            .iter()
            .filter_map(|line| match &line.role {
                Role::Source { directory, path } => {
                    Some(Source { directory: *directory, path: path.clone() })
                }
                _ => None,
            })
            .collect()
    }

    /// Options that a blank line cut off from the stanza of `name`: ifupdown2 still takes them as part of it, for
    /// Proxmox they are lines without a meaning. An edit of such a stanza cannot mean the same to both.
    pub fn detached(&self, name: &str) -> Vec<String> {
        let detached = self.index().entry(name).into_iter().flat_map(|entry| &entry.detached);
        detached.filter_map(|at| self.lines.get(*at)).map(Line::text).collect()
    }

    /// Every interface that takes `port` as its port or member, in the file's order.
    pub fn claims(&self, port: &str) -> Vec<Claim> {
        let claims = self.known.claims.get_or_init(|| self.claims_by_port());
        claims.get(port).cloned().unwrap_or_default()
    }

    /// The OVS bridges whose `ovs_ports` line names `port`: one, or Proxmox refuses every later change of the file.
    pub fn bridge_listing(&self, port: &str) -> Vec<String> {
        self.claims(port).into_iter().filter(|claim| claim.key == "ovs_ports").map(|claim| claim.by).collect()
    }

    fn claims_by_port(&self) -> BTreeMap<String, Vec<Claim>> {
        let mut claims: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
        for stanza in self.stanzas().filter(|stanza| stanza.takes_ports()) {
            for key in PORTS {
                for port in stanza.list(key).into_iter().gather::<BTreeSet<_>>() {
                    let claim = Claim { by: stanza.name.clone(), key };
                    claims.entry(port.to_owned()).or_default().push(claim);
                }
            }
        }
        claims
    }

    fn index(&self) -> &Index {
        self.known.index.get_or_init(|| Index::of(&self.lines))
    }

    fn look_at<'a>(&'a self, entry: &'a Entry) -> &'a Stanza {
        entry.stanza.get_or_init(|| {
            let mut families: Vec<Family> = Vec::new();
            for Section { family, method, .. } in self.index().sections_of(entry) {
                match families.iter_mut().find(|known| known.family == *family) {
                    Some(known) => known.method.clone_from(method),
                    None => families.push(Family {
                        family: *family,
                        method: method.clone(),
                        options: self.options(entry, *family),
                    }),
                }
            }
            let name = self.index().sections_of(entry).next().map(|section| section.name.clone());
            let name = name.unwrap_or_default();
            let comments = self.notes(entry).into_iter().map(|(_, text)| text).collect();
            Stanza { auto: self.is_auto(&name), name, families, comments }
        })
    }

    fn kind_of(&self, stanza: &Stanza) -> Kind {
        classify(stanza, &|link| self.physical.contains(link))
    }

    fn sections_of(&self, name: &str) -> Vec<Section> {
        let index = self.index();
        index.entry(name).into_iter().flat_map(|entry| index.sections_of(entry)).cloned().collect()
    }

    fn is_auto(&self, name: &str) -> bool {
        self.index().is_auto(name)
    }

    /// The body lines of an interface with their indices.
    fn body(&self, section: &Section) -> impl Iterator<Item = (usize, &Role)> {
        let lines = self.lines.get(section.header..section.end).unwrap_or_default();
        (section.header..).zip(lines.iter().map(|line| &line.role))
    }

    /// The options of one family in normal form.
    fn options(&self, entry: &Entry, family: AddressFamily) -> Vec<(String, String)> {
        let written = self.written_options(entry, family);
        let mut options = written.map(|(_, key, value)| (key.to_owned(), value.to_owned())).collect();
        fold_netmask(&mut options);
        options
    }

    /// The options of one family as they stand in the file, with the indices of their lines.
    fn written_options(
        &self,
        entry: &Entry,
        family: AddressFamily,
    ) -> impl Iterator<Item = (usize, &str, &str)> {
        let sections = self.index().sections_of(entry).filter(move |section| section.family == family);
        sections.flat_map(|section| self.body(section)).filter_map(|(index, role)| match role {
            Role::Option { key, value } => Some((index, key.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// The comments inside an interface's stanzas with the indices of their lines; those of IPv6 come last.
    fn notes(&self, entry: &Entry) -> Vec<(usize, String)> {
        let (last, first): (Vec<&Section>, Vec<&Section>) =
            self.index().sections_of(entry).partition(|section| section.family == AddressFamily::Inet6);
        let mut notes = Vec::new();
        for section in first.into_iter().chain(last) {
            notes.extend(self.body(section).filter_map(|(index, role)| match role {
                Role::Note(text) => Some((index, text.clone())),
                _ => None,
            }));
        }
        notes
    }
}
