//! The lock that runs on one device queue on: a file, and flock(2) on it.
//!
//! The kernel releases it when the holder ends in whatever way, so there are no stale locks and nothing is ever
//! removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::folder;

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
        "waiting {limit:?} for the lock `{}`: another run holds it ({holder}); hint: run again when that has ended, or wait \
         longer",
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
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Stopped { .. } => Fault::from_error("interrupted", &error),
            _ => Fault::from_error("locked", &error),
        }
    }
}

/// Our lock: one change at a time on a device. Released when dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits up to `limit` for the lock at `path`, unless `stop` says to give up, and writes into it that `module` holds it.
    pub fn acquire(
        path: &Path,
        module: &str,
        limit: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        if let Some(parent) = path.parent() {
            folder::private(parent).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
        }
        let failed = |source| Error::File { path: path.to_owned(), source };
        let mut file = open(path, 0o600).map_err(failed)?;
        if !locked_within(&file, limit, stop).map_err(failed)? {
            if stop() {
                return Err(Error::Stopped { path: path.to_owned() });
            }
            let holder = fs::read_to_string(path).map_err(failed)?.trim().to_owned();
            return Err(Error::Busy { path: path.to_owned(), limit, holder });
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "pid {}, {module}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// The process that holds the lock at `path`, by what it wrote there and by the kernel's list of locks,
/// `/proc/locks`. Asks for no lock, so nobody has to wait for who only looks.
pub fn holder(path: &Path, locks: &Path) -> Option<u32> {
    let written = fs::read_to_string(path).ok()?;
    let (pid, _) = written.strip_prefix("pid ")?.split_once(',')?;
    let inode = fs::metadata(path).ok()?.ino().to_string();
    // `1: FLOCK  ADVISORY  WRITE 4711 00:1a:123 0 EOF`: process, then device and inode.
    let is_it = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", _, _, by, file, ..] = words.as_slice() else { return false };
        *by == pid && file.rsplit(':').next() == Some(inode.as_str())
    };
    fs::read_to_string(locks).ok()?.lines().any(is_it).then_some(pid.parse().ok()?)
}

/// Opens a lock file, or makes it.
pub fn open(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(mode).open(path)
}

/// Waits for flock(2) on `file`; false where the time was over, or `stop` said to give up.
pub fn locked_within(file: &File, limit: Duration, stop: &dyn Fn() -> bool) -> io::Result<bool> {
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
    use super::*;

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("bothends/lock");
        let _held = Lock::acquire(&path, "pve_ovs_bond", Duration::ZERO, &|| false).unwrap();
        let error = Lock::acquire(&path, "pve_ovs_bridge", Duration::from_millis(50), &|| false).unwrap_err();
        let Error::Busy { holder, .. } = error else { panic!("{error}") };
        assert_eq!(holder, format!("pid {}, pve_ovs_bond", std::process::id()));
    }

    #[test]
    fn who_holds_a_lock_is_seen_without_asking_for_it() {
        let scratch = tempfile::tempdir().unwrap();
        let (path, locks) = (scratch.path().join("bothends/lock"), Path::new("/proc/locks"));
        assert_eq!(holder(&path, locks), None);
        let held = Lock::acquire(&path, "pve_ovs_bond", Duration::ZERO, &|| false).unwrap();
        assert_eq!(holder(&path, locks), Some(std::process::id()));
        drop(held);
        assert_eq!(holder(&path, locks), None);
    }

    #[test]
    fn a_lock_that_is_released_in_time_is_got_and_a_shorter_holder_leaves_nothing_of_the_longer() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("bothends/lock");
        let held = Lock::acquire(&path, "a_module_with_a_long_name", Duration::ZERO, &|| false).unwrap();
        let release = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(held);
        });
        let _ours = Lock::acquire(&path, "short", Duration::from_secs(10), &|| false).unwrap();
        release.join().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("pid {}, short\n", std::process::id()));
    }
}
