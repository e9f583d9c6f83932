//! Which configuration sessions of a switch are ours, and which of those somebody is at work in. What a switch has:
//! `sessions.rs`.
//!
//! The folder of a user on a control node has an id of its own, which every session bears in its name. As long as a
//! run is at work in a session, it holds flock(2) on a file of the session's name; so one that nobody holds is stale,
//! however its run ended. Those of other control nodes bear other ids and are never touched.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ansible_module::folder;
use tempfile::{Builder, NamedTempFile};

/// Moves the folder, for tests.
const VARIABLE: &str = "BOTHENDS_STATE";
/// The first six characters are all that a prompt shows of a session.
const PREFIX: &str = "bothends-";
const OWNER: &str = "owner";
/// The end of the name of a session that will not be committed.
const REHEARSAL: &str = "-check";

/// Why a session could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no folder of the user.
    #[error(
        "looking for the user's folder: neither `HOME` nor the machine's list of users has one; hint: set `HOME`"
    )]
    NoHome,
    /// The folder cannot be trusted.
    #[error("claiming a configuration session")]
    Folder(#[from] folder::Error),
    /// A file in it could not be made, read or locked.
    #[error("claiming a configuration session in `{}`", folder.display())]
    File {
        /// The folder.
        folder: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be committed.
    Change,
    /// To ask the switch, in check mode.
    Rehearsal,
}

/// The folder of this user on this control node.
#[derive(Debug)]
pub struct Claims {
    folder: PathBuf,
    owner: String,
}

/// A session that is ours as long as this lives.
#[derive(Debug)]
pub struct Claim {
    name: String,
    // Goes with the lock on it when dropped.
    file: NamedTempFile,
}

impl Claims {
    /// The folder and its id, made where they are missing.
    pub fn open() -> Result<Self, Error> {
        let folder = folder()?;
        folder::private(&folder)?;
        let owner = owner(&folder).map_err(|source| Error::File { folder: folder.clone(), source })?;
        Ok(Self { folder, owner })
    }

    /// The same where both are there already; nothing is made.
    pub fn peek() -> Option<Self> {
        let folder = folder().ok()?;
        let owner = fs::read_to_string(folder.join(OWNER)).ok()?;
        Some(Self { folder, owner })
    }

    /// The file that tasks for one switch queue on.
    pub fn queue(&self, host: &str, port: u16) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || ".-:".contains(c) { c } else { '_' };
        let host: String = host.to_ascii_lowercase().chars().map(plain).collect();
        self.folder.join(format!("{host}_{port}.lock"))
    }

    /// A new session of ours, with a note for the run that may have to take it over.
    pub fn claim(&self, purpose: Purpose, note: &str) -> Result<Claim, Error> {
        let failed = |source| Error::File { folder: self.folder.clone(), source };
        let mut file = Builder::new()
            .prefix(&format!("{PREFIX}{}-", self.owner))
            .rand_bytes(6)
            .suffix(if purpose == Purpose::Rehearsal { REHEARSAL } else { "" })
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        file.as_file().try_lock().map_err(io::Error::from).map_err(failed)?;
        file.write_all(note.as_bytes()).map_err(failed)?;
        Ok(Claim { name: name_of(file.path()), file })
    }

    /// What was noted of a session of ours whose run is gone.
    pub fn noted(&self, session: &str) -> String {
        fs::read_to_string(self.folder.join(session)).unwrap_or_default()
    }

    /// The sessions of ours that somebody noted who is gone. Which of them are over, the switch knows.
    pub fn left(&self) -> Vec<String> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        names.filter(|name| self.is_stale(name)).collect()
    }

    /// Forgets a session that [`is_stale`](Self::is_stale) and over.
    pub fn forget(&self, session: &str) {
        // Where the file stays, it is one of no session.
        let _: io::Result<()> = fs::remove_file(self.folder.join(session));
    }

    /// Whether `session` was made by a run of this user on this control node.
    pub fn is_ours(&self, session: &str) -> bool {
        session.starts_with(&format!("{PREFIX}{}-", self.owner))
    }

    /// Whether `session` is ours, and whoever made it is gone.
    pub fn is_stale(&self, session: &str) -> bool {
        // The name comes from the switch: it must not lead out of the folder.
        if !self.is_ours(session) || session.contains('/') {
            return false;
        }
        match File::open(self.folder.join(session)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Claim {
    /// The session's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From now on the note stays when this goes, until it is forgotten: what was done in the session outlives the run.
    pub fn keep_note(&mut self) {
        self.file.disable_cleanup(true);
    }
}

/// Whether a session is one that a run of anybody's opened to commit it.
pub fn is_of_a_change(session: &str) -> bool {
    session.starts_with(PREFIX) && !session.ends_with(REHEARSAL)
}

/// Where there is an id already, that one; of two that begin at once, one wins.
fn owner(folder: &Path) -> io::Result<String> {
    let path = folder.join(OWNER);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let mut file = Builder::new().prefix("").rand_bytes(8).tempfile_in(folder)?;
    let owner = name_of(file.path());
    file.write_all(owner.as_bytes())?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(owner),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(&path),
        Err(error) => Err(error.error),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn folder() -> Result<PathBuf, Error> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(folder) = set(VARIABLE) {
        return Ok(folder);
    }
    let state = set("XDG_STATE_HOME").or_else(|| Some(std::env::home_dir()?.join(".local/state")));
    state.map(|state| state.join("bothends")).ok_or(Error::NoHome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(folder: &Path) -> Claims {
        Claims { folder: folder.to_owned(), owner: owner(folder).unwrap() }
    }

    #[test]
    fn a_session_is_stale_when_its_run_is_gone_and_never_while_it_works() {
        let scratch = tempfile::tempdir().unwrap();
        let ours = claims(scratch.path());
        let claim = ours.claim(Purpose::Change, "of Port-Channel7").unwrap();
        let name = claim.name().to_owned();
        assert_eq!(claims(scratch.path()).noted(&name), "of Port-Channel7");
        assert!(name.starts_with("bothends-") && name.len() < 32, "{name}");
        // A second process of the same user sees the same id.
        assert!(!claims(scratch.path()).is_stale(&name));
        assert_eq!(claims(scratch.path()).left(), Vec::<String>::new());
        drop(claim);
        assert!(claims(scratch.path()).is_stale(&name));
    }

    #[test]
    fn one_whose_note_was_kept_is_found_with_it() {
        let scratch = tempfile::tempdir().unwrap();
        let ours = claims(scratch.path());
        let mut claim = ours.claim(Purpose::Change, "of Port-Channel7").unwrap();
        let name = claim.name().to_owned();
        claim.keep_note();
        drop(claim);
        assert_eq!((ours.left(), ours.noted(&name).as_str()), (vec![name.clone()], "of Port-Channel7"));
        ours.forget(&name);
        assert_eq!(ours.left(), Vec::<String>::new());
    }

    #[test]
    fn a_session_of_check_mode_is_known_by_its_name() {
        let scratch = tempfile::tempdir().unwrap();
        let ours = claims(scratch.path());
        let [change, rehearsal] = [Purpose::Change, Purpose::Rehearsal]
            .map(|purpose| ours.claim(purpose, "").unwrap().name().to_owned());
        assert!(is_of_a_change(&change) && !is_of_a_change(&rehearsal) && !is_of_a_change("night"));
        assert!(ours.is_stale(&rehearsal) && rehearsal.len() < 32, "{rehearsal}");
    }

    #[test]
    fn sessions_of_others_are_never_stale() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = claims(there.path()).claim(Purpose::Change, "").unwrap();
        let ours = claims(here.path());
        for name in
            [theirs.name(), "ansible_1764", "bothends-", "sess-1", &format!("bothends-{}-/etc", ours.owner)]
        {
            assert!(!ours.is_stale(name), "{name}");
        }
    }

    #[test]
    fn the_queue_of_a_switch_is_a_file_in_the_folder_whatever_its_name() {
        let scratch = tempfile::tempdir().unwrap();
        let claims = claims(scratch.path());
        for (host, file) in [
            ("Core.Example", "core.example_22.lock"),
            ("fe80::1%eth0", "fe80::1_eth0_22.lock"),
            ("../x", ".._x_22.lock"),
        ] {
            assert_eq!(claims.queue(host, 22), scratch.path().join(file));
        }
    }
}
