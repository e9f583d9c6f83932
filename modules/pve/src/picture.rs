//! Everything that was read of a node, at one moment: the context in which a task is planned.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use ansible_module::fault::Fault;

use crate::interfaces::{Interfaces, Stanza};
use crate::jsonrpc;
use crate::kernel::{DefaultRoute, Links, default_routes};
use crate::ovsdb::{self, Database, Ovs};
use crate::paths::Paths;

/// A node.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The bytes of the interfaces file; `None` where there is none.
    pub file: Option<Vec<u8>>,
    /// What they say.
    pub interfaces: Interfaces,
    /// Whether changes that somebody staged are waiting to be applied.
    pub is_staged: bool,
    /// What Open vSwitch does; nothing where it is not running.
    pub ovs: Ovs,
    /// Whether Open vSwitch is running.
    pub ovs_runs: bool,
    /// What links the kernel has.
    pub links: Links,
    /// Where its default routes lead.
    pub routes: Vec<DefaultRoute>,
}

impl Picture {
    /// Reads every store.
    pub fn read(paths: &Paths) -> Result<Self, Fault> {
        let links = Links::read(paths).map_err(|error| Fault::from_error("kernel_unreadable", &error))?;
        let routes = default_routes(paths).map_err(|error| Fault::from_error("kernel_unreadable", &error))?;
        let file = read_file(&paths.interfaces)?;
        let interfaces = understand(file.as_deref(), &links);
        let ovs = read_ovs(paths)?;
        Ok(Self {
            file,
            interfaces,
            is_staged: paths.staged.exists(),
            ovs_runs: ovs.is_some(),
            ovs: ovs.unwrap_or_default(),
            links,
            routes,
        })
    }

    /// A stanza as one task declares it: without a bridge's `ovs_ports` line, which is many tasks' work.
    pub fn stanza(&self, name: &str) -> Option<Stanza> {
        let mut stanza = self.interfaces.stanza(name)?;
        stanza.set("ovs_ports", None);
        Some(stanza)
    }
}

/// What the file says on a node with these links; a missing file is an empty one.
pub fn understand(file: Option<&[u8]>, links: &Links) -> Interfaces {
    let nics = links.iter().map(|(name, _)| name).filter(|name| links.is_nic(name)).map(str::to_owned);
    Interfaces::parse(file.unwrap_or_default()).with_physical_links(nics)
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
