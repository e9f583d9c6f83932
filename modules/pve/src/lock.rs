//! The two file locks: ours for a whole apply, Proxmox's own for the moment between reading and writing.
//!
//! Both are flock(2), which std's [`File::try_lock`] and Proxmox's Perl agree on. The kernel releases them when
//! the holder ends in whatever way, so there are no stale locks and nothing is ever removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::paths::Paths;
use ansible_module::folder;

/// flock(2) has no time limit of its own, so the lock is asked for again and again.
const INTERVAL: Duration = Duration::from_millis(20);

/// Why a lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of our lock cannot be trusted.
    #[error("taking the lock `{}`", path.display())]
    Folder {
        /// The lock file.
        path: PathBuf,
        /// What is wrong with its folder.
        source: folder::Error,
    },
    /// The lock file could not be opened, locked or written.
    #[error("taking the lock `{}`", path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another run of these modules kept it for longer than we wait.
    #[error(
        "waiting {limit:?} for the lock `{}`: another run on this node holds it ({holder}); hint: run again when \
         that has ended, or wait longer",
        path.display()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        limit: Duration,
        /// What the holder wrote into it.
        holder: String,
    },
    /// The run was asked to stop while it waited.
    #[error("waiting for the lock `{}`: the run was asked to stop by a signal", path.display())]
    Stopped {
        /// The lock file.
        path: PathBuf,
    },
    /// Proxmox kept its own for longer than we wait.
    #[error(
        "waiting {limit:?} for Proxmox's lock `{}`: something else is changing the network configuration; hint: \
         let the web interface or API call end, then run again",
        path.display()
    )]
    ProxmoxBusy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        limit: Duration,
    },
}

/// Our lock: one apply at a time on a node. Released when dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct NodeLock {
    _file: File,
}

impl NodeLock {
    /// Waits up to `limit` for the lock, unless `stop` says to give up, and writes into it that `module` holds it.
    pub fn acquire(
        paths: &Paths,
        module: &str,
        limit: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        let path = &paths.node_lock;
        if let Some(parent) = path.parent() {
            folder::private(parent).map_err(|source| Error::Folder { path: path.clone(), source })?;
        }
        let failed = |source| Error::File { path: path.clone(), source };
        let mut file = open(path, 0o600).map_err(failed)?;
        if !locked_within(&file, limit, stop).map_err(failed)? {
            if stop() {
                return Err(Error::Stopped { path: path.clone() });
            }
            let holder = fs::read_to_string(path).map_err(failed)?.trim().to_owned();
            return Err(Error::Busy { path: path.clone(), limit, holder });
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "pid {}, {module}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
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
            return Err(Error::ProxmoxBusy { path: path.clone(), limit });
        }
        Ok(Self { _file: file })
    }
}

fn open(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(mode).open(path)
}

fn locked_within(file: &File, limit: Duration, stop: &dyn Fn() -> bool) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stop() {
            return Ok(false);
        }
        thread::sleep(left.min(INTERVAL));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn scratch() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths {
            node_lock: folder.path().join("bothends/node.lock"),
            proxmox_lock: folder.path().join(".pve-interfaces.lock"),
            ..Paths::default()
        };
        (folder, paths)
    }

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let (_folder, paths) = scratch();
        let _held = NodeLock::acquire(&paths, "pve_ovs_bond", Duration::ZERO, &|| false).unwrap();
        let error =
            NodeLock::acquire(&paths, "pve_ovs_bridge", Duration::from_millis(50), &|| false).unwrap_err();
        let Error::Busy { holder, .. } = error else { panic!("{error}") };
        assert_eq!(holder, format!("pid {}, pve_ovs_bond", std::process::id()));
    }

    #[test]
    fn a_lock_that_is_released_in_time_is_got_and_a_shorter_holder_leaves_nothing_of_the_longer() {
        let (_folder, paths) = scratch();
        let held = NodeLock::acquire(&paths, "a_module_with_a_long_name", Duration::ZERO, &|| false).unwrap();
        let release = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        let _ours = NodeLock::acquire(&paths, "short", Duration::from_secs(10), &|| false).unwrap();
        release.join().unwrap();
        assert_eq!(
            fs::read_to_string(&paths.node_lock).unwrap(),
            format!("pid {}, short\n", std::process::id())
        );
    }

    #[test]
    fn the_lock_of_proxmox_excludes_flock_and_leaves_its_file_as_it_is() {
        let (_folder, paths) = scratch();
        fs::write(&paths.proxmox_lock, "kept").unwrap();
        let flock = || {
            Command::new("flock").arg("-n").arg(&paths.proxmox_lock).arg("true").status().unwrap().success()
        };

        let held = ProxmoxLock::acquire(&paths, Duration::ZERO).unwrap();
        assert!(!flock());
        assert!(matches!(ProxmoxLock::acquire(&paths, Duration::ZERO), Err(Error::ProxmoxBusy { .. })));
        drop(held);
        assert!(flock());
        assert_eq!(fs::read_to_string(&paths.proxmox_lock).unwrap(), "kept");
    }

    #[test]
    fn the_two_locks_are_independent() {
        let (_folder, paths) = scratch();
        let _ours = NodeLock::acquire(&paths, "pve_ovs_bond", Duration::ZERO, &|| false).unwrap();
        let _theirs = ProxmoxLock::acquire(&paths, Duration::ZERO).unwrap();
    }
}
