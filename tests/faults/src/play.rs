//! The real playbook, run by the real Ansible, and stopped at a phase.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lab::Lab;

use crate::cell::Verdict;
use crate::phase::Phase;
use crate::site::{NODE, Site};

/// Seconds in which the change has to be confirmed, as the playbook is told. Short, so that a cell takes about a minute; not
/// so short that a busy machine misses it.
pub const WINDOW: u64 = 75;
/// Of these, what the playbook keeps from the switch.
const LEAD: u64 = 20;
/// Of these, how long the switch waits for LACP.
const LACP_WAIT: u64 = 10;
/// For all that is waited for and takes as long as it takes.
const LONG: Duration = Duration::from_secs(180);

/// A run of `playbooks/migrate.yml`.
pub struct Play<'a> {
    site: &'a Site,
    child: Child,
    folder: PathBuf,
    log: PathBuf,
}

impl Phase {
    /// The task of the playbook that it stands before; during the reload, a module is at work.
    const fn task(self) -> Option<&'static str> {
        match self {
            Self::BeforeWrite => Some("Bridge"),
            Self::AfterWrite => Some("The node's end, until it is confirmed"),
            Self::DuringReload => None,
            Self::AfterReload => Some("The switch's end, until it is confirmed"),
            Self::BeforeConfirm => Some("The node's end is confirmed"),
            Self::BetweenConfirmations => Some("The switch's end is confirmed"),
        }
    }
}

impl<'a> Play<'a> {
    /// Starts it, to be stopped at a phase, in short windows, or not at all. During the reload it is `ifreload` that stops, armed by the caller.
    pub fn start(site: &'a Site, stop_at: Option<Phase>) -> Result<Self> {
        let folder = site.lab.file("hold");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        let log = site.lab.file("play.log");
        let variables =
            format!("{{\"confirm_within\": {WINDOW}, \"lead\": {LEAD}, \"lacp_wait\": {LACP_WAIT}}}");
        let mut arguments = vec!["-i", "tests/faults/link.yml", "--limit", NODE];
        if stop_at.is_some() {
            arguments.extend(["-e", &variables]);
        }
        let mut command = site.lab.playbook_command("migrate.yml", &arguments)?;
        command
            .env("ANSIBLE_CALLBACK_PLUGINS", Lab::project().join("tests/faults/callback_plugins"))
            .env("HOLD_FOLDER", &folder);
        if let Some(task) = stop_at.and_then(Phase::task) {
            command.env("HOLD_BEFORE", task);
        }
        let output = File::create(&log)?;
        let child = command.stdout(output.try_clone()?).stderr(output).stdin(Stdio::null()).spawn()?;
        Ok(Self { site, child, folder, log })
    }

    /// Waits until it stands at the phase.
    pub fn wait_until_held(&mut self, phase: Phase) -> Result<()> {
        let held = self.folder.join("held");
        self.wait_for(phase.name(), |play| {
            if phase.task().is_some() { Ok(held.exists()) } else { play.site.reload_was_reached() }
        })
    }

    /// Waits until something is so, which it is not any more when the playbook has ended.
    pub fn wait_for(&mut self, what: &str, mut look: impl FnMut(&Self) -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + LONG;
        while !look(self)? {
            if self.child.try_wait()?.is_some() {
                bail!("the playbook ended before `{what}`:\n{}", self.told());
            }
            if Instant::now() >= deadline {
                bail!("waited {LONG:?} in vain for `{what}`:\n{}", self.told());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Lets it go on.
    pub fn let_go(&self) -> Result<()> {
        fs::write(self.folder.join("go"), "")?;
        self.site.node("touch /root/fault/go").map(drop)
    }

    /// Every process of the control node ends: Ansible, its workers, the module for the switch, ssh.
    pub fn kill_control(&self) -> Result<()> {
        // The sender is not among those that it reaches.
        self.site.lab.exec("control", &["bash", "-c", "kill -KILL -1"]).map(drop)
    }

    /// How it ended, if it has.
    pub fn verdict(&mut self) -> Result<Option<Verdict>> {
        Ok(self.child.try_wait()?.map(|status| match status.code() {
            Some(0) => Verdict::Done,
            // A failed host, or one that was not reached.
            Some(2 | 4) => Verdict::Failed,
            _ => Verdict::Gone,
        }))
    }

    /// The same, once it has.
    pub fn wait(&mut self) -> Result<Verdict> {
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(verdict) = self.verdict()? {
                return Ok(verdict);
            }
            if Instant::now() >= deadline {
                bail!("the playbook does not end:\n{}", self.told());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// All that it printed.
    pub fn told(&self) -> String {
        fs::read_to_string(&self.log)
            .context("reading what it printed")
            .unwrap_or_else(|error| error.to_string())
    }
}

impl Drop for Play<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
