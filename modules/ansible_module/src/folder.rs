//! Folders that only we may enter: for the lock, and for checkpoints.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

const MODE: u32 = 0o700;
const OTHERS_WRITE: u32 = 0o022;

/// Why a folder cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be made or looked at.
    #[error("making the private folder `{}`", folder.display())]
    Make {
        /// The folder.
        folder: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is there, but somebody else could have put something into it.
    #[error(
        "using the private folder `{}`: {fact}; hint: look at what is in there, then remove it",
        folder.display()
    )]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        fact: String,
    },
}

/// Has what was named, renamed or removed in `folder` last over a power cut.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes sure that `folder` is a real folder, ours, with mode 0700. What is missing of its path is made alike; one
/// that others can only read is closed to them.
pub fn private(folder: &Path) -> Result<(), Error> {
    let make = |source| Error::Make { folder: folder.to_owned(), source };
    let not_private = |fact: String| Err(Error::NotPrivate { folder: folder.to_owned(), fact });

    // Recursive also means: already there is fine. What is there is judged below, and not followed if a link.
    match DirBuilder::new().recursive(true).mode(MODE).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(make(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(folder).map_err(make)?;
    let us = nix::unistd::geteuid().as_raw();
    if !found.is_dir() {
        return not_private("it is no folder".to_owned());
    }
    if found.uid() != us {
        return not_private(format!("it belongs to user {}, not to {us}", found.uid()));
    }
    if found.mode() & OTHERS_WRITE != 0 {
        return not_private(format!(
            "its mode is {:04o}: others could have written into it",
            found.mode() & 0o7777
        ));
    }
    if found.mode() & 0o7777 != MODE {
        fs::set_permissions(folder, Permissions::from_mode(MODE)).map_err(make)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_missing_folder_is_made_private_and_one_that_others_only_read_is_closed() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("run/bothends");
        private(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn what_others_could_have_prepared_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let open = scratch.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o775)).unwrap();
        let link = scratch.path().join("link");
        symlink(scratch.path(), &link).unwrap();
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();

        for (folder, fact) in [
            (open, "its mode is 0775: others could have written into it"),
            (link, "it is no folder"),
            (file, "it is no folder"),
        ] {
            let error = private(&folder).unwrap_err().to_string();
            assert!(error.contains(fact), "{error}");
        }
    }
}
