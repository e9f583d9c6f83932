//! The interfaces file on disk: what it becomes by a plan, written in one step, and put back.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use ansible_module::fault::Fault;

use crate::change::Change;
use crate::interfaces::{EditError, Interfaces, Stanza};
use crate::lock::ProxmoxLock;
use crate::paths::Paths;
use crate::picture::{Picture, read_file};

/// Begins the name of a temporary file beside the interfaces file.
const TEMPORARY: &str = ".interfaces.bothends-";

/// The file's bytes after `changes`.
pub fn edited(picture: &Picture, changes: &[Change]) -> Result<Option<Vec<u8>>, Fault> {
    if !changes.iter().any(Change::is_in_file) {
        return Ok(picture.file.clone());
    }
    let mut interfaces = picture.interfaces.clone();
    for change in changes {
        let done = match change {
            Change::Stanza { name, to: Some(stanza), .. } => put(&mut interfaces, name, stanza),
            Change::Stanza { name, to: None, .. } => {
                interfaces.remove(name);
                Ok(())
            }
            Change::Listing { bridge, port, listed: true } => interfaces.list_port(bridge, port),
            Change::Listing { bridge, port, listed: false } => interfaces.unlist_port(bridge, port),
            Change::Bridge { .. } | Change::Port { .. } | Change::Link { .. } => Ok(()),
        };
        done.map_err(|error| Fault::from_error("file_not_editable", &error))?;
    }
    Ok(Some(interfaces.render()))
}

/// A bridge's `ovs_ports` line is many tasks' work and so no part of the stanza that one of them declares.
fn put(interfaces: &mut Interfaces, name: &str, stanza: &Stanza) -> Result<(), EditError> {
    let mut stanza = stanza.clone();
    if let Some(found) = interfaces.stanza(name) {
        stanza.set("ovs_ports", found.get("ovs_ports"));
    }
    interfaces.put(&stanza)
}

/// Replaces `from` by `to`, under Proxmox's lock, unless the file is not `from` any more. `begin` is called when
/// that is sure and nothing was written yet.
pub fn replace(
    paths: &Paths,
    from: Option<&[u8]>,
    to: Option<&[u8]>,
    begin: impl FnOnce() -> Result<(), Fault>,
) -> Result<(), Fault> {
    let _lock = ProxmoxLock::acquire(paths, paths.limits.proxmox_lock)
        .map_err(|error| Fault::from_error("locked", &error))?;
    if read_file(&paths.interfaces)?.as_deref() != from {
        return Err(Fault::new(
            "file_changed",
            format!(
                "writing `{}` failed: somebody else changed it meanwhile, and that stays; hint: look at it, then run again",
                paths.interfaces.display()
            ),
        ));
    }
    begin()?;
    let path = &paths.interfaces;
    let written = match to {
        Some(bytes) => write(path, bytes),
        None => fs::remove_file(path),
    };
    written.map_err(|error| {
        Fault::new("file_not_written", format!("writing `{}` failed: {error}", path.display()))
    })
}

/// A run that was killed while it wrote leaves its temporary file; we hold the lock, so nobody is writing one.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes in one step: whoever reads the file sees the old bytes or the new ones, also after a power cut.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = &match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        found => found?,
    };
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    remove_leftovers(folder);
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
    file.write_all(bytes)?;
    match fs::metadata(path) {
        Ok(old) => {
            fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
            file.as_file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        }
        Err(error) => return Err(error),
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
