//! What the two interfaces files say of an object, and how what is live differs from the running one: the comparison
//! is the one that plans a task, so what is told here is what a task would do.

use std::collections::BTreeSet;

use ansible_module::gather::Gather as _;
use serde::Serialize;

use crate::apply_options::Aim;
use crate::change::changes;
use crate::interfaces::{Interfaces, Kind};
use crate::picture::Picture;
use crate::state::State;

/// What the files say of an object.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Declared {
    /// Whether the running file has it.
    pub(super) configured: bool,
    /// Its comment there.
    comments: Option<String>,
    /// What the staged file makes of it, if anything.
    pub(super) staged: Option<Staged>,
    /// What differs from the running file, a sentence each.
    pub(super) drift: Vec<String>,
}

/// A change that waits.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Staged {
    change: &'static str,
    changes: Vec<String>,
}

/// A node whose files are read.
pub(super) struct Reading<'a> {
    picture: &'a Picture,
    staged: Option<Staging<'a>>,
}

/// What waits, and the node as one that begins to stage sees it.
struct Staging<'a> {
    file: &'a Interfaces,
    picture: Picture,
}

impl<'a> Reading<'a> {
    pub(super) fn new(picture: &'a Picture) -> Self {
        let staged = picture.staged.as_ref().map(|staged| Staging {
            file: &staged.interfaces,
            picture: Picture { aim: Aim::Staged, staged: None, ..picture.clone() },
        });
        Self { picture, staged }
    }

    fn running(&self) -> &Interfaces {
        &self.picture.running.interfaces
    }

    fn files(&self) -> impl Iterator<Item = &Interfaces> {
        [Some(self.running()), self.staged.as_ref().map(|staged| staged.file)].into_iter().flatten()
    }

    /// The interfaces of this kind in either file.
    pub(super) fn names(&self, kind: Kind) -> BTreeSet<String> {
        let of_kind = |file: &Interfaces| -> Vec<String> {
            file.names().into_iter().filter(|name| file.kind(name) == kind).gather()
        };
        self.files().flat_map(of_kind).collect()
    }

    /// What the files say of `name` as such an interface.
    pub(super) fn declared(&self, kind: Kind, name: &str) -> Declared {
        let running = self.running();
        let stanza = running.stanza(name).filter(|_| running.kind(name) == kind);
        let drift = stanza.as_ref().filter(|stanza| stanza.auto).map(|_| self.drift(kind, name));
        Declared {
            configured: stanza.is_some(),
            comments: stanza.as_ref().map(|stanza| stanza.comments.join("\n")),
            staged: self.staged.as_ref().and_then(|staged| self.staged(staged, kind, name)),
            drift: drift.unwrap_or_default(),
        }
    }

    fn drift(&self, kind: Kind, name: &str) -> Vec<String> {
        let objects = objects(self.running(), kind, name);
        match State::declared(self.picture, self.running(), &objects) {
            Ok(wanted) => {
                let left = changes(&State::found(self.picture, &wanted), &wanted);
                // In the file there is only what waits beside it, which is told elsewhere.
                left.iter().filter(|change| !change.is_in_file()).map(ToString::to_string).collect()
            }
            // What is live can't be as nobody knows what, and tasks fail by the same.
            Err(fault) => vec![fault.message],
        }
    }

    fn staged(&self, Staging { file, picture }: &Staging<'_>, kind: Kind, name: &str) -> Option<Staged> {
        let has = |file: &Interfaces| file.get(name).is_some() && file.kind(name) == kind;
        let change = match (has(self.running()), has(file)) {
            (false, false) => return None,
            (false, true) => "added",
            (true, false) => "removed",
            (true, true) => "changed",
        };
        let objects = self.files().flat_map(|file| objects(file, kind, name)).gather();
        let changes: Vec<String> = State::declared(picture, file, &objects)
            .map(|wanted| changes(&State::found(picture, &wanted), &wanted))
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect();
        (!changes.is_empty()).then_some(Staged { change, changes })
    }
}

/// What belongs to an interface and has no entry of its own here: a bond's members, a bridge's NICs.
fn objects(file: &Interfaces, kind: Kind, name: &str) -> BTreeSet<String> {
    let stanza = file.stanza(name).filter(|_| file.kind(name) == kind);
    let list = |key: &str| -> Vec<String> {
        stanza.iter().flat_map(|stanza| stanza.list(key)).map(str::to_owned).collect()
    };
    let mut objects = match kind {
        Kind::OvsBond => list("ovs_bonds"),
        Kind::OvsBridge => {
            list("ovs_ports").into_iter().filter(|port| file.kind(port) == Kind::OvsPort).collect()
        }
        _ => Vec::new(),
    };
    objects.push(name.to_owned());
    objects.into_iter().gather()
}
