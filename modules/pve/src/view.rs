//! A command that sees another interfaces file than everybody else: run in a mount namespace of its own, in which a text
//! lies over the file. The file itself is never touched.
//!
//! `ifreload` has no option for another file. What it keeps in `/run` and `/var/tmp` stays everybody's, so a plain
//! reload later finds its way. Mounts made on the node reach the namespace and none of it leaves it, so that a daemon
//! which an interface's hook starts there lives on as any other.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ansible_module::fault::Fault;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::spawn::{self, Finished};

/// A text, and the file over which it lies.
#[derive(Debug)]
pub struct View {
    text: PathBuf,
    over: PathBuf,
}

impl View {
    /// Writes the text to `at` and tries the view. A node on which it can't be made is as it was.
    pub fn new(at: PathBuf, over: &Path, text: &[u8]) -> Result<Self, Fault> {
        fs::write(&at, text).map_err(|error| failed("writing its text", &error))?;
        let view = Self { text: at, over: over.to_owned() };
        view.within(|| Ok(()))?;
        Ok(view)
    }

    /// [`spawn::run`], with the text in view.
    pub fn run(&self, command: &[String], limit: Duration, grace: Duration) -> Result<Finished, Fault> {
        self.within(|| {
            let finished = spawn::run(command, limit, grace)
                .map_err(|error| Fault::from_error("reload_failed", &error))?;
            // Whoever replaces the file takes what lies over it away everywhere.
            let id = |path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
            if id(&self.over) == id(&self.text) {
                return Ok(finished);
            }
            Err(Fault::new(
                "file_changed",
                format!(
                    "running `{}` failed: somebody else replaced `{}` meanwhile, so that it may have unplugged ports which it was \
                     to spare; hint: look at `ovs-vsctl show`, then run again",
                    command.join(" "),
                    self.over.display()
                ),
            ))
        })
    }

    /// Only a thread leaves the namespace of the others; what it starts is where it is.
    fn within<T: Send>(&self, run: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
        let entered = || {
            unshare(CloneFlags::CLONE_NEWNS).map_err(|error| failed("leaving the node's", &error))?;
            let (none, everywhere) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE);
            mount(none, "/", none, everywhere, none)
                .map_err(|error| failed("parting from the node's", &error))?;
            mount(Some(&self.text), &self.over, none, MsFlags::MS_BIND, none)
                .map_err(|error| failed("laying a text over the interfaces file", &error))?;
            run()
        };
        let ended = thread::scope(|scope| scope.spawn(entered).join());
        ended.unwrap_or_else(|_| {
            Err(Fault::new("internal", "a defect of this module stopped it; hint: please report it"))
        })
    }
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        "view_failed",
        format!(
            "sparing ports that are not in the interfaces file failed: a reload needs a view of its own of that file, and {what} \
             failed: {error}; hint: run it with CAP_SYS_ADMIN, or name the ports in `ovs-ports-condone-regex` of their bridge",
        ),
    )
}
