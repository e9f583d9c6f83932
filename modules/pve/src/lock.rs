//! Proxmox's own lock on the interfaces file, for the moment between reading and writing.
//!
//! It is flock(2), which std's `File::try_lock` and Proxmox's Perl agree on. Ours, for a whole apply, is
//! [`ansible_module::lock`].

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ansible_module::lock::{locked_within, open};

use crate::paths::Paths;

/// Why the lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lock file could not be opened or locked.
    #[error("taking Proxmox's lock `{}`", path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Proxmox kept it for longer than we wait.
    #[error(
        "waiting {limit:?} for Proxmox's lock `{}`: something else is changing the network configuration; hint: \
         let the web interface or API call end, then run again",
        path.display()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        limit: Duration,
    },
}

/// Proxmox's lock on the interfaces file. Released when dropped.
///
/// The web interface gives up after 10 s, so hold it only from reading the file to writing it.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct ProxmoxLock {
    _file: File,
}

impl ProxmoxLock {
    /// Waits up to `limit` for the lock. The file is opened as `PVE::Tools::lock_file` does and never written.
    pub fn acquire(paths: &Paths, limit: Duration) -> Result<Self, Error> {
        let path = &paths.proxmox_lock;
        let failed = |source| Error::File { path: path.clone(), source };
        let file = open(path, 0o644).map_err(failed)?;
        if !locked_within(&file, limit, &|| false).map_err(failed)? {
            return Err(Error::Busy { path: path.clone(), limit });
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn the_lock_of_proxmox_excludes_flock_and_leaves_its_file_as_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let paths = Paths { proxmox_lock: scratch.path().join(".pve-interfaces.lock"), ..Paths::default() };
        fs::write(&paths.proxmox_lock, "kept").unwrap();
        let flock = || {
            Command::new("flock").arg("-n").arg(&paths.proxmox_lock).arg("true").status().unwrap().success()
        };

        let held = ProxmoxLock::acquire(&paths, Duration::ZERO).unwrap();
        assert!(!flock());
        assert!(matches!(ProxmoxLock::acquire(&paths, Duration::ZERO), Err(Error::Busy { .. })));
        drop(held);
        assert!(flock());
        assert_eq!(fs::read_to_string(&paths.proxmox_lock).unwrap(), "kept");
    }
}
