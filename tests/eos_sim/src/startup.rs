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
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
