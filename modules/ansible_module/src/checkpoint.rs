//! A checkpoint on disk: what another process needs to go back when this one can't. A folder, complete from the
//! moment that it has its name, gone when the change is final. What is in it is the device's.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::folder;
use crate::gather::Gather as _;
use crate::json;

/// Changes with the shape of the record or of its data.
const SCHEMA: u32 = 1;
const RECORD: &str = "checkpoint.json";
const PREFIX: &str = "checkpoint-";
const UNFINISHED_PREFIX: &str = ".new-";

/// What every checkpoint says of itself, around the device's own data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record<T> {
    /// Version of this shape: a binary does not go back from what it can't read.
    pub schema: u32,
    /// The module that made it.
    pub module: String,
    /// Its process.
    pub pid: u32,
    /// The last step that was begun.
    pub step: String,
    /// The log of the run so far.
    pub log: Vec<String>,
    /// What the device needs to go back.
    pub data: T,
}

/// A checkpoint that exists.
#[derive(Debug)]
pub struct Checkpoint<T> {
    folder: PathBuf,
    /// Its contents.
    pub record: Record<T>,
}

impl<T: Serialize + DeserializeOwned> Checkpoint<T> {
    /// Writes a checkpoint below `parent` (made with mode 0700 where missing). It is complete and on disk when
    /// this returns, or it does not exist.
    pub fn create(parent: &Path, module: &str, log: Vec<String>, data: T) -> Result<Self, Fault> {
        let failed = |error: io::Error| fault(parent, "writing a checkpoint below", &error);
        folder::private(parent).map_err(|error| Fault::from_error("checkpoint_failed", &error))?;
        let record = Record {
            schema: SCHEMA,
            module: module.to_owned(),
            pid: std::process::id(),
            step: "checkpoint".to_owned(),
            log,
            data,
        };
        let private = Permissions::from_mode(0o700);
        let new = tempfile::Builder::new()
            .prefix(UNFINISHED_PREFIX)
            .permissions(private)
            .tempdir_in(parent)
            .map_err(failed)?;
        write(new.path(), &record).map_err(failed)?;
        let unique = new.path().file_name().unwrap_or_default().to_string_lossy().replacen(
            UNFINISHED_PREFIX,
            PREFIX,
            1,
        );
        let folder = parent.join(unique);
        fs::rename(new.path(), &folder).map_err(failed)?;
        // It has its name now; the temporary one is nothing to clean up any more.
        let _ = new.keep();
        let made = Self { folder, record };
        if let Err(error) = folder::sync(parent) {
            made.remove()?;
            return Err(failed(error));
        }
        Ok(made)
    }

    /// Reads the checkpoint in `folder`.
    pub fn load(folder: &Path) -> Result<Self, Fault> {
        let text =
            fs::read(folder.join(RECORD)).map_err(|error| fault(folder, "reading the checkpoint", &error))?;
        let record: Record<T> = json::read(&text)
            .map_err(|error| fault(folder, "reading the checkpoint", &io::Error::other(error)))?;
        if record.schema != SCHEMA {
            let fact = io::Error::other("another version of this module wrote it");
            return Err(fault(folder, "reading the checkpoint", &fact));
        }
        Ok(Self { folder: folder.to_owned(), record })
    }

    /// Notes that `step` begins, with the log so far.
    pub fn step(&mut self, step: &str, log: Vec<String>) -> Result<(), Fault> {
        step.clone_into(&mut self.record.step);
        self.record.log = log;
        self.save()
    }

    /// Writes the record again, after a change to its data.
    pub fn save(&self) -> Result<(), Fault> {
        write(&self.folder, &self.record)
            .map_err(|error| fault(&self.folder, "writing the checkpoint", &error))
    }

    /// Removes it: the change is final, or undone.
    pub fn remove(&self) -> Result<(), Fault> {
        // The record goes first, and for good: without it there is nothing to go back from, whatever else stays. One that a
        // power cut brought back would undo a change that was told to be final.
        let result = fs::remove_file(self.folder.join(RECORD)).and_then(|()| folder::sync(&self.folder));
        result.map_err(|error| fault(&self.folder, "removing the checkpoint", &error))?;
        // What stays is swept by the next run.
        let _ = fs::remove_dir_all(&self.folder);
        Ok(())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Removes what a run left below `parent` that was killed before its checkpoint had its name, or while it removed it. For
/// the lock's holder.
pub fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_half_removed = name.starts_with(PREFIX) && !entry.path().join(RECORD).exists();
        if name.starts_with(UNFINISHED_PREFIX) || is_half_removed {
            // What stays costs a folder, and no change its safety.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether there is a checkpoint in `folder`, readable or not.
pub fn is_there(folder: &Path) -> bool {
    folder.join(RECORD).exists()
}

/// The checkpoints below `parent` that nobody finished. Whoever holds the device's lock knows that their makers
/// are gone.
pub fn unfinished(parent: &Path) -> Result<Vec<PathBuf>, Fault> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(parent, "looking for checkpoints in", &error)),
    };
    let found: BTreeSet<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(|folder| folder.join(RECORD).exists())
        .gather();
    Ok(found.into_iter().collect())
}

/// What can be told of a checkpoint by who does not hold the lock: it may go on, or away, at any moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glimpse {
    /// Where it is.
    pub folder: PathBuf,
    /// When its last step began.
    pub since: SystemTime,
    /// Whose it is; `None` where it can't be read, or another version of the modules wrote it.
    pub maker: Option<Maker>,
}

/// Whose a checkpoint is, and how far its maker came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Maker {
    schema: u32,
    /// The module.
    pub module: String,
    /// Its process.
    pub pid: u32,
    /// The last step that was begun.
    pub step: String,
}

/// The checkpoint below `parent` that the next run would take up, if there is one. Takes no lock, touches nothing.
pub fn glimpse(parent: &Path) -> Result<Option<Glimpse>, Fault> {
    let look = |folder: PathBuf| {
        let path = folder.join(RECORD);
        let since = fs::metadata(&path).and_then(|found| found.modified()).ok()?;
        let text = fs::read(&path).ok()?;
        let maker: Option<Maker> = json::read(&text).ok();
        Some(Glimpse { folder, since, maker: maker.filter(|maker| maker.schema == SCHEMA) })
    };
    Ok(unfinished(parent)?.into_iter().find_map(look))
}

fn write<T: Serialize>(folder: &Path, record: &Record<T>) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(json::write(record)?.as_bytes())?;
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(folder.join(RECORD)).map_err(|error| error.error)?;
    folder::sync(folder)
}

fn fault(path: &Path, what: &str, error: &io::Error) -> Fault {
    Fault::new("checkpoint_failed", format!("{what} `{}` failed: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_found_by_another_process_and_gone_when_removed() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("state");
        assert_eq!(unfinished(&parent).unwrap(), Vec::<PathBuf>::new());
        let mut made = Checkpoint::create(&parent, "pve_ovs_bond", vec![], vec![1, 2]).unwrap();
        made.step("apply", vec!["a line".to_owned()]).unwrap();
        let found = unfinished(&parent).unwrap();
        assert_eq!(found, [made.folder()]);
        let loaded = Checkpoint::<Vec<i32>>::load(&found[0]).unwrap();
        assert_eq!(
            (loaded.record.data.as_slice(), loaded.record.step.as_str()),
            ([1, 2].as_slice(), "apply")
        );
        assert_eq!(fs::metadata(&found[0]).unwrap().permissions().mode() & 0o777, 0o700);
        loaded.remove().unwrap();
        assert_eq!(unfinished(&parent).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_a_killed_run_left_half_made_or_half_removed_is_swept_and_a_checkpoint_stays() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path();
        let kept = Checkpoint::create(parent, "pve_ovs_bond", vec![], ()).unwrap();
        for left in [".new-x", "checkpoint-x"] {
            fs::create_dir(parent.join(left)).unwrap();
            fs::write(parent.join(left).join("interfaces"), "").unwrap();
        }
        sweep(parent);
        let found: Vec<PathBuf> = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(found, [kept.folder()]);
    }

    #[test]
    fn a_glimpse_tells_whose_it_is_and_of_one_that_cannot_be_read_where_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("state");
        let look = || glimpse(&parent).unwrap();
        assert_eq!(look(), None);
        let made = Checkpoint::create(&parent, "pve_ovs_bond", vec![], vec![1, 2]).unwrap();
        let maker = |look: Option<Glimpse>| {
            look.unwrap().maker.map(|Maker { module, pid, step, .. }| (module, pid, step))
        };
        let ours = ("pve_ovs_bond".to_owned(), std::process::id(), "checkpoint".to_owned());
        assert_eq!(maker(look()), Some(ours));
        assert_eq!(look().unwrap().folder, made.folder());

        let record = made.folder().join(RECORD);
        let whole = fs::read_to_string(&record).unwrap();
        let other = whole.replace(&format!("\"schema\":{SCHEMA}"), "\"schema\":99");
        for text in ["", "{", &whole[..whole.len() / 2], "[]", other.as_str()] {
            fs::write(&record, text).unwrap();
            assert_eq!(maker(look()), None, "{text}");
        }
        fs::remove_file(&record).unwrap();
        assert_eq!(look(), None);
    }
}
