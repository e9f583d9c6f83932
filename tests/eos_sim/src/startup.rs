//! The file that holds the startup-config: what a switch keeps over a restart.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

/// The file, and what is in it.
pub struct StartupFile {
    path: PathBuf,
    written: Mutex<String>,
}

impl StartupFile {
    /// The file at `path`, which holds `text`.
    pub fn new(path: PathBuf, text: String) -> Self {
        Self { path, written: Mutex::new(text) }
    }

    /// Makes the file hold `text`, if it does not.
    pub fn keep(&self, text: &str) -> anyhow::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written != text {
            replace(&self.path, text).with_context(|| format!("writing `{}`", self.path.display()))?;
            text.clone_into(&mut written);
        }
        Ok(())
    }
}

/// Whoever reads the file meanwhile sees the old text or the new one, whole.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.as_file().set_permissions(path.metadata()?.permissions())?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn only_another_text_is_written_and_the_file_stays_as_readable_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let file = StartupFile::new(path.clone(), "old".to_owned());
        let first = path.metadata().unwrap().ino();
        file.keep("old").unwrap();
        assert_eq!(path.metadata().unwrap().ino(), first);
        file.keep("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        let file = StartupFile::new(path.clone(), String::new());
        assert!(file.keep("new").unwrap_err().to_string().contains(path.to_str().unwrap()));
        fs::write(&path, "").unwrap();
        file.keep("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
