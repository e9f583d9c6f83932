//! The interfaces file on disk: what it becomes by a plan, written in one step, and put back.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use ansible_module::fault::Fault;
use ansible_module::folder;
use serde::{Deserialize, Serialize};

use crate::apply_options::Aim;
use crate::change::Change;
use crate::interfaces::Interfaces;
use crate::lock::ProxmoxLock;
use crate::paths::Paths;
use crate::picture::{self, Picture, read_file};
use crate::verdict::keep_undone;

/// Begins the name of a temporary file beside the interfaces file.
const TEMPORARY: &str = ".interfaces.bothends-";

/// The two interfaces files, as a run finds and as it leaves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    running: Rewrite,
    staged: Rewrite,
}

/// A file's bytes before and after; `None` where there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rewrite {
    #[serde(with = "crate::latin1")]
    before: Option<Vec<u8>>,
    #[serde(with = "crate::latin1")]
    after: Option<Vec<u8>>,
}

impl Files {
    /// What `changes` make of the files.
    pub fn edited(picture: &Picture, changes: &[Change]) -> Result<Self, Fault> {
        let [running, staged] = [Some(&picture.running), picture.staged.as_ref()]
            .map(|file| file.and_then(|file| file.bytes.clone()));
        let mut files = Self {
            running: Rewrite { before: running.clone(), after: running },
            staged: Rewrite { before: staged.clone(), after: staged },
        };
        if !changes.iter().any(Change::is_in_file) {
            return Ok(files);
        }
        let mut interfaces = picture.interfaces().clone();
        for change in changes {
            match change {
                Change::Stanza { to: Some(stanza), .. } => picture::declare(&mut interfaces, stanza)?,
                Change::Stanza { name, to: None, .. } => interfaces.remove(name),
                Change::Listing { bridge, port, listed, .. } => {
                    let edit = if *listed { Interfaces::list_port } else { Interfaces::unlist_port };
                    edit(&mut interfaces, bridge, port)
                        .map_err(|error| Fault::from_error("file_not_editable", &error))?;
                }
                Change::Staged
                | Change::LinuxBridge { .. }
                | Change::Bridge { .. }
                | Change::Port { .. }
                | Change::Link { .. } => {}
            }
        }
        let edited =
            Some(interfaces.render()).filter(|bytes| !bytes.is_empty() || files.running.before.is_some());
        if picture.aim == Aim::Staged {
            files.staged.after = edited;
        } else {
            files.running.after = edited;
            files.staged.after = None;
        }
        Ok(files)
    }

    /// The running file and the staged one, as they are left.
    pub fn after(&self) -> [Option<&[u8]>; 2] {
        [self.running.after.as_deref(), self.staged.after.as_deref()]
    }

    /// The running file as it was found, and as it is left.
    pub fn running(&self) -> [Option<&[u8]>; 2] {
        [self.running.before.as_deref(), self.running.after.as_deref()]
    }

    /// Whether what is staged is what we made of it.
    pub fn is_staged(&self, paths: &Paths) -> Result<bool, Fault> {
        Ok(read_file(&paths.staged)? == self.staged.after && self.staged.after != self.staged.before)
    }

    /// Takes what is staged away, under Proxmox's lock, unless a file is not as it was found, and leaves the running one to be
    /// written later. `begin` is called when that is sure, with the bytes that were staged.
    pub fn take_staged(
        &mut self,
        paths: &Paths,
        begin: impl FnOnce(&Self, Option<Vec<u8>>) -> Result<(), Fault>,
    ) -> Result<Vec<String>, Fault> {
        let _lock = lock(paths)?;
        self.check(paths)?;
        let staged = self.staged.before.take();
        let is_there = staged.is_some();
        begin(self, staged)?;
        if is_there { Ok(vec![put(&paths.staged, None)?]) } else { Ok(Vec::new()) }
    }

    /// Whether they are as they were to be left.
    pub fn are_written(&self, paths: &Paths) -> Result<bool, Fault> {
        for (path, file) in self.with_paths(paths) {
            if read_file(path)? != file.after {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Fails where somebody else changed one of them since.
    pub fn check(&self, paths: &Paths) -> Result<(), Fault> {
        for (path, file) in self.with_paths(paths) {
            if read_file(path)? != file.before {
                return Err(changed(path));
            }
        }
        Ok(())
    }

    /// Writes them, under Proxmox's lock, unless one is not as it was found. `begin` is called when that is sure and
    /// nothing was written yet. Says what it did.
    pub fn write(
        &self,
        paths: &Paths,
        begin: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<Vec<String>, Fault> {
        let _lock = lock(paths)?;
        self.check(paths)?;
        begin()?;
        self.with_paths(paths).into_iter().try_fold(Vec::new(), |mut written, (path, file)| {
            if file.before != file.after {
                written.push(put(path, file.after.as_deref())?);
            }
            Ok(written)
        })
    }

    /// Whether somebody else staged something since we wrote what was staged, or took it away.
    pub fn others_staged(&self, paths: &Paths) -> Result<bool, Fault> {
        let now = read_file(&paths.staged)?;
        Ok(self.staged.before != self.staged.after && now != self.staged.before && now != self.staged.after)
    }

    /// Puts back what was written, and says what it did. A file that is somebody else's by now stays, and then both do; only what
    /// others staged, while what was staged before went live, is in nobody's way: `kept` is told where that is then.
    pub fn put_back(&self, paths: &Paths, kept: &mut Option<PathBuf>) -> Result<Vec<String>, Fault> {
        let _lock = lock(paths)?;
        let is_live = self.running.before != self.running.after;
        let mut ours = Vec::new();
        // What was not written is not put back, whoever changed it since.
        let written = self.with_paths(paths).into_iter().filter(|(_, file)| file.before != file.after);
        for (path, file) in written {
            match read_file(path)? {
                now if now == file.before => {}
                now if now == file.after => ours.push((path, file)),
                _ if path == paths.staged && is_live => {
                    *kept = file.before.as_ref().map(|text| keep_undone(paths, text)).transpose()?;
                }
                _ => return Err(changed(path)),
            }
        }
        // The other way round: what waits must not be missing while the running file is as before.
        ours.into_iter()
            .rev()
            .map(|(path, file)| Ok(format!("{} back", put(path, file.before.as_deref())?)))
            .collect()
    }

    fn with_paths<'a>(&'a self, paths: &'a Paths) -> [(&'a Path, &'a Rewrite); 2] {
        [(&paths.interfaces, &self.running), (&paths.staged, &self.staged)]
    }
}

fn lock(paths: &Paths) -> Result<ProxmoxLock, Fault> {
    ProxmoxLock::acquire(paths, paths.limits.proxmox_lock)
        .map_err(|error| Fault::from_error("locked", &error))
}

fn changed(path: &Path) -> Fault {
    Fault::new(
        "file_changed",
        format!(
            "writing `{}` failed: somebody else changed it meanwhile, and that stays; hint: look at it, then run again",
            path.display()
        ),
    )
}

/// Stages again what was taken away, under Proxmox's lock, unless somebody staged something since.
pub fn stage_again(paths: &Paths, text: &[u8]) -> Result<(), Fault> {
    let _lock = lock(paths)?;
    match read_file(&paths.staged)? {
        None => put(&paths.staged, Some(text)).map(drop),
        Some(now) if now == text => Ok(()),
        Some(_) => Err(changed(&paths.staged)),
    }
}

/// Drops what is staged, if anything is, under Proxmox's lock, once it is kept. Says so, and where it is kept.
pub fn drop_staged(paths: &Paths) -> Result<Option<(String, PathBuf)>, Fault> {
    let _lock = lock(paths)?;
    let Some(staged) = read_file(&paths.staged)? else { return Ok(None) };
    let kept = keep_undone(paths, &staged)?;
    Ok(Some((put(&paths.staged, None)?, kept)))
}

/// Writes or removes a file, and says so.
fn put(path: &Path, bytes: Option<&[u8]>) -> Result<String, Fault> {
    let (verb, done) = match bytes {
        Some(bytes) => ("write", write(path, bytes)),
        None => ("remove", remove(path)),
    };
    match done {
        Ok(()) => Ok(format!("{verb} {}", path.display())),
        Err(error) => {
            Err(Fault::new("file_not_written", format!("{verb} `{}` failed: {error}", path.display())))
        }
    }
}

/// For good, also after a power cut: what is staged would go live at the boot.
fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    path.parent().map_or(Ok(()), folder::sync)
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
    folder::sync(folder)
}
