//! What became of the last change that was provisional or that its guard undid: kept on disk, for whoever asks when the
//! process that did it is long gone.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ansible_module::fault::Fault;
use ansible_module::{folder, json};
use serde::{Deserialize, Serialize};

use crate::paths::Paths;

const VERDICT: &str = "verdict.json";
/// Texts that were replaced or given up, each the last of its kind.
const PREVIOUS: &str = "previous";
const UNDONE: &str = "undone";

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is live, and waits to be confirmed.
    Waiting,
    /// It is final.
    Confirmed,
    /// The node is as it was before.
    Undone,
}

/// What is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it ended.
    pub fate: Fate,
    /// When, RFC 3339.
    pub at: String,
    /// The module that made the change.
    pub module: String,
    /// Its steps, and those of who ended it; the last ones say why.
    pub log: Vec<String>,
    /// Where the staged text is that was undone, if there was one.
    pub kept: Option<PathBuf>,
}

impl Verdict {
    /// One of now.
    pub fn new(fate: Fate, module: &str, log: Vec<String>) -> Self {
        let at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self { fate, at, module: module.to_owned(), log, kept: None }
    }

    /// Writes it below `state`, in the place of the one before.
    pub fn write(&self, state: &Path) -> Result<(), Fault> {
        let text = json::write(self).map_err(|error| not_kept(state, &io::Error::other(error)))?;
        put(&state.join(VERDICT), text.as_bytes())
    }

    /// Removes it: what comes next is about another change.
    pub fn forget(state: &Path) -> Result<(), Fault> {
        let path = state.join(VERDICT);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Fault::new("checkpoint_failed", format!("removing `{}` failed: {error}", path.display())))
            }
            _ => Ok(()),
        }
    }

    /// The last one below `state`. One that can't be read is none: it is of another version.
    pub fn read(state: &Path) -> Option<Self> {
        json::read(&fs::read(state.join(VERDICT)).ok()?).ok()
    }
}

/// Keeps the text that a confirmed change replaced.
pub fn keep_previous(state: &Path, text: &[u8]) -> Result<PathBuf, Fault> {
    keep(state, PREVIOUS, text)
}

/// Keeps a staged text that was undone; in memory, where the disk is full. It is not staged again: at the next boot it would go
/// live with nobody to watch.
pub fn keep_undone(paths: &Paths, text: &[u8]) -> Result<PathBuf, Fault> {
    let in_memory = paths.node_lock.parent().unwrap_or(&paths.state);
    keep(&paths.state, UNDONE, text).or_else(|fault| keep(in_memory, UNDONE, text).map_err(|_| fault))
}

fn keep(state: &Path, what: &str, text: &[u8]) -> Result<PathBuf, Fault> {
    let parent = state.join(what);
    folder::private(&parent).map_err(|error| Fault::from_error("checkpoint_failed", &error))?;
    let path = parent.join("interfaces");
    put(&path, text).map(|()| path)
}

/// Private, and in one step.
fn put(path: &Path, text: &[u8]) -> Result<(), Fault> {
    let failed = |error: io::Error| not_kept(path, &error);
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    folder::sync(folder).map_err(failed)
}

fn not_kept(path: &Path, error: &io::Error) -> Fault {
    Fault::new("checkpoint_failed", format!("writing `{}` failed: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_verdict_is_read_back_and_a_foreign_text_is_none() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Verdict::read(state.path()), None);
        Verdict::new(Fate::Waiting, "pve_network_apply", vec![]).write(state.path()).unwrap();
        let last = Verdict::new(Fate::Undone, "pve_network_apply", vec!["not confirmed".to_owned()]);
        last.write(state.path()).unwrap();
        assert_eq!(Verdict::read(state.path()), Some(last));
        fs::write(state.path().join(VERDICT), "{}").unwrap();
        assert_eq!(Verdict::read(state.path()), None);
    }

    #[test]
    fn a_text_that_is_kept_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let path = keep_previous(state.path(), b"auto lo\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"auto lo\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
