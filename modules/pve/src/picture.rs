//! Everything that was read of a node, at one moment: the context in which a task is planned.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use ansible_module::fault::Fault;

use crate::apply_options::Aim;
use crate::condone;
use crate::interfaces::{Interfaces, Stanza};
use crate::jsonrpc;
use crate::kernel::{DefaultRoute, Links, default_routes};
use crate::lifeline::{self, Lifeline};
use crate::linux_bridge::{self, LinuxBridge};
use crate::ovsdb::{self, Database, Ovs};
use crate::paths::Paths;
use crate::proxmox::Namers;
use crate::sourced::{self, Sourced};

/// An interfaces file: its bytes, and what they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Its bytes; `None` where there is no such file.
    pub bytes: Option<Vec<u8>>,
    /// What they say.
    pub interfaces: Interfaces,
}

/// A node.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The file that ifupdown2 reads.
    pub running: Text,
    /// The changes that somebody staged, where there are any.
    pub staged: Option<Text>,
    /// The files that ifupdown2 reads beside it.
    pub sourced: Vec<Sourced>,
    /// Which of the two is edited.
    pub aim: Aim,
    /// What Open vSwitch does; nothing where it is not running.
    pub ovs: Ovs,
    /// Whether Open vSwitch is running.
    pub ovs_runs: bool,
    /// What links the kernel has.
    pub links: Links,
    /// Its Linux bridges, by name.
    pub linux_bridges: BTreeMap<String, LinuxBridge>,
    /// Who names a bridge in Proxmox's own configuration; not read for every task.
    pub namers: Namers,
    /// Where its default routes lead.
    pub routes: Vec<DefaultRoute>,
    /// Addresses that it must not lose.
    pub lifelines: Vec<Lifeline>,
    /// Whether this node's ifupdown2 unplugs guests that no `ovs_ports` line names, unless a line in the bridge's stanza
    /// spares them.
    pub lacks_condone_default: bool,
}

impl Picture {
    /// Reads every store.
    pub fn read(paths: &Paths, aim: Aim) -> Result<Self, Fault> {
        Self::with_ovs(paths, aim, read_ovs)
    }

    /// Reads every store but Open vSwitch, as if that were not running.
    pub fn without_ovs(paths: &Paths, aim: Aim) -> Result<Self, Fault> {
        Self::with_ovs(paths, aim, |_| Ok(None))
    }

    fn with_ovs(
        paths: &Paths,
        aim: Aim,
        read_ovs: impl FnOnce(&Paths) -> Result<Option<Ovs>, Fault>,
    ) -> Result<Self, Fault> {
        let links = Links::read(paths).map_err(|error| Fault::from_error("kernel_unreadable", &error))?;
        let routes = default_routes(paths).map_err(|error| Fault::from_error("kernel_unreadable", &error))?;
        let running = Text::new(read_file(&paths.interfaces)?, &links);
        let staged = read_file(&paths.staged)?.map(|bytes| Text::new(Some(bytes), &links));
        let ovs = read_ovs(paths)?;
        let linux_bridges = linux_bridge::read(paths, &links)?;
        let mut picture = Self {
            lacks_condone_default: condone::lacks_default(&paths.ovs_addon),
            running,
            staged,
            sourced: Vec::new(),
            aim,
            ovs_runs: ovs.is_some(),
            ovs: ovs.unwrap_or_default(),
            links,
            linux_bridges,
            namers: Namers::new(),
            routes,
            lifelines: lifeline::read(paths),
        };
        picture.sourced = sourced::read(paths, picture.interfaces())?;
        Ok(picture)
    }

    /// What the task's change begins from.
    pub fn interfaces(&self) -> &Interfaces {
        let staged = self.staged.as_ref().filter(|_| self.aim != Aim::Live);
        &staged.unwrap_or(&self.running).interfaces
    }

    /// What the file to be written says now. A staged one that is not there yet says what the running one does.
    pub fn written(&self) -> &Interfaces {
        let staged = self.staged.as_ref().filter(|_| self.aim == Aim::Staged);
        &staged.unwrap_or(&self.running).interfaces
    }

    /// A stanza that the task's change begins from, as one task declares it: without a bridge's `ovs_ports` line,
    /// which is many tasks' work.
    pub fn stanza(&self, name: &str) -> Option<Stanza> {
        declared(self.interfaces(), name)
    }
}

/// A stanza as one task declares it: without a bridge's `ovs_ports` line, which is many tasks' work.
pub fn declared(interfaces: &Interfaces, name: &str) -> Option<Stanza> {
    let mut stanza = interfaces.stanza(name)?;
    stanza.set("ovs_ports", None);
    Some(stanza)
}

/// Makes the file declare an interface as one task does: what else a bridge's `ovs_ports` line names stays.
pub fn declare(interfaces: &mut Interfaces, stanza: &Stanza) -> Result<(), Fault> {
    let mut stanza = stanza.clone();
    if let Some(found) = interfaces.stanza(&stanza.name) {
        stanza.set("ovs_ports", found.get("ovs_ports"));
    }
    interfaces.put(&stanza).map_err(|error| Fault::from_error("file_not_editable", &error))
}

impl Text {
    /// What these bytes say on a node with these links; a missing file is an empty one.
    pub fn new(bytes: Option<Vec<u8>>, links: &Links) -> Self {
        let nics = links.iter().map(|(name, _)| name).filter(|name| links.is_nic(name));
        let nics = nics.flat_map(|name| links.names(name)).map(str::to_owned);
        let interfaces = Interfaces::parse(bytes.as_deref().unwrap_or_default()).with_physical_links(nics);
        Self { bytes, interfaces }
    }
}

/// The bytes of the interfaces file; `None` where there is none.
pub fn read_file(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Fault::new("file_unreadable", format!("reading `{}` failed: {error}", path.display())))
        }
    }
}

/// What the database holds; `None` where nobody listens on its socket.
fn read_ovs(paths: &Paths) -> Result<Option<Ovs>, Fault> {
    match Database::open(&paths.ovsdb, Instant::now() + paths.limits.ovsdb) {
        Ok(mut database) => {
            database.read().map(Some).map_err(|error| Fault::from_error("ovsdb_failed", &error))
        }
        Err(ovsdb::Error::Dialog(jsonrpc::Error::Connect { fact, .. }))
            if matches!(fact.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
        {
            Ok(None)
        }
        Err(error) => Err(Fault::from_error("ovsdb_failed", &error)),
    }
}
