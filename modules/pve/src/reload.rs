//! `ifreload -a`: run, waited for, and believed only as far as what it says goes. Whether it did what it had to is
//! read back by the flow.

use std::collections::BTreeSet;
use std::time::Duration;

use ansible_module::fault::Fault;

use crate::apply::touch;
use crate::interfaces::Interfaces;
use crate::keepsake::Keepsake;
use crate::node::{Node, Way, database_deadline};
use crate::ovsdb::{Database, Rows};
use crate::picture::Picture;
use crate::spare;
use crate::spawn::{self, Finished};
use crate::view::View;

/// ifupdown2's status when another instance of it is at work.
const BUSY: i32 = 89;
const BUSY_PAUSE: Duration = Duration::from_secs(2);
/// What a reload on the way back is given, however short the window was.
const LEAST_RELOAD: Duration = Duration::from_secs(30);
/// How often what was wiped is put back while others change the same.
const TRIES: u32 = 3;
/// The text that a reload has in view, beside its checkpoint.
const TEXT: &str = "interfaces";

impl Node<'_> {
    /// Whether the reload of the file as it is going to be can be run without unplugging what is not ours. Asked while
    /// nothing is touched yet: better no change than a guest without its network.
    pub(crate) fn rehearse_reload(&self, goes: &BTreeSet<String>) -> Result<(), Fault> {
        let picture = Picture::read(&self.paths, self.aim())?;
        let [after, _] = self.checkpoint.as_ref().map(|it| it.record.data.files.after()).unwrap_or_default();
        self.view(&picture, after.unwrap_or_default(), goes).map(drop)
    }

    /// Brings the node to what the file on disk says, sparing what is not ours: ports that nobody takes away, except those
    /// that are to leave (`goes`), and what others keep in Open vSwitch.
    pub(crate) fn reload(&mut self, goes: &BTreeSet<String>) -> Result<(), Fault> {
        touch(&mut self.checkpoint, &self.paths)?;
        let picture = self.picture()?;
        let provisional = self.provisional_text()?;
        let running = provisional.as_deref().or(picture.running.bytes.as_deref()).unwrap_or_default();
        let view = self.view(&picture, running, goes)?;
        if !picture.ovs_runs {
            return self.run_ifreload(view.as_ref());
        }
        self.keep(&picture)?;
        let reloaded = self.run_ifreload(view.as_ref());
        // Also after one that failed half-way.
        let put_back = self.put_back_kept();
        reloaded.and(put_back)
    }

    fn view(
        &self,
        picture: &Picture,
        running: &[u8],
        goes: &BTreeSet<String>,
    ) -> Result<Option<View>, Fault> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(None) };
        let text = match spare::view(picture, running, goes) {
            Some(text) => text,
            // The file on disk stays the old one.
            None if self.provisional_data().is_some() => running.to_owned(),
            None => return Ok(None),
        };
        View::new(checkpoint.folder().join(TEXT), &self.paths.interfaces, &text).map(Some)
    }

    /// Notes what others have in Open vSwitch, also for whoever goes back from here.
    fn keep(&mut self, picture: &Picture) -> Result<(), Fault> {
        let rows = self.rows()?;
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let data = &mut checkpoint.record.data;
        let ours = data.files.running().map(|bytes| Interfaces::parse(bytes.unwrap_or_default()));
        let files: Vec<&Interfaces> =
            ours.iter().chain(picture.sourced.iter().map(|file| &file.interfaces)).collect();
        let earlier = std::mem::replace(&mut data.kept, Keepsake::take(&rows, &files));
        data.kept.add(earlier);
        match checkpoint.save() {
            // A full disk is no reason not to go back.
            Err(_) if self.way == Way::Back => Ok(()),
            saved => saved,
        }
    }

    fn put_back_kept(&mut self) -> Result<(), Fault> {
        let kept = self.checkpoint.as_ref().map(|it| it.record.data.kept.clone()).unwrap_or_default();
        let mut tries = 1;
        loop {
            let rows = self.rows()?;
            let sent = self.send(|transaction| {
                kept.put_back(&rows, transaction);
                Ok(())
            });
            match sent {
                Err(_) if tries < TRIES => tries += 1,
                sent => return sent.map_err(|fault| fault.context("putting back what `ifreload -a` wiped")),
            }
        }
    }

    fn rows(&self) -> Result<Rows, Fault> {
        let database = Database::open(&self.paths.ovsdb, database_deadline(&self.paths));
        database
            .and_then(|mut database| database.rows())
            .map_err(|error| Fault::from_error("ovsdb_failed", &error))
    }

    /// Of a provisional change's window half is for the change, and half for the way back and whoever confirms. The way back has
    /// the time that it needs, for nothing comes after it; but one that hangs leaves the rest of it to be done by hand.
    fn reload_limit(&self) -> Duration {
        let limit = self.paths.limits.ifreload;
        let provisional = self.checkpoint.as_ref().and_then(|it| it.record.data.provisional.as_ref());
        let Some(half) = provisional.map(|it| Duration::from_secs(it.window.seconds / 2)) else {
            return limit;
        };
        limit.min(if self.way == Way::Forward { half } else { half.max(LEAST_RELOAD) })
    }

    /// Runs `ifreload -a`. Another one that is at work, such as one that an interrupted run left behind, is waited
    /// for: until it ends, nothing that is read is final.
    fn run_ifreload(&mut self, view: Option<&View>) -> Result<(), Fault> {
        let command = self.paths.ifreload.join(" ");
        let limit = self.reload_limit();
        let deadline = self.context.clock.now() + limit;
        let mut has_stumbled = false;
        self.commands.push(command.clone());
        loop {
            let grace = self.paths.limits.grace;
            let finished = match view {
                Some(view) => view.run(&self.paths.ifreload, limit, grace),
                None => spawn::run(&self.paths.ifreload, limit, grace)
                    .map_err(|error| Fault::from_error("reload_failed", &error)),
            }?;
            let status = finished.status.and_then(|status| status.code());
            self.is_busy = status == Some(BUSY);
            if finished.timed_out {
                return Err(Fault::new(
                    "reload_timed_out",
                    format!(
                        "running `{command}` failed: it did not end within {limit:?} and was stopped; hint: run it by hand and see what it waits for"
                    ),
                ));
            }
            match status {
                Some(0) => return Ok(()),
                Some(BUSY) if self.context.clock.now() < deadline => self.context.clock.sleep(BUSY_PAUSE),
                Some(BUSY) => return Err(busy()),
                _ => {
                    let errors = errors(&finished);
                    if errors.iter().all(|line| is_harmless(line)) && !errors.is_empty() {
                        return Ok(());
                    }
                    if has_stumbled || !errors.iter().any(|line| is_stumble(line)) {
                        return Err(reload_failed(&command, status, &finished));
                    }
                    has_stumbled = true;
                }
            }
        }
    }
}

/// While it is so, nothing that is read is final.
pub(crate) fn busy() -> Fault {
    Fault::new(
        "reload_busy",
        "running `ifreload -a` failed: another ifupdown2 is at work and does not end; hint: see with `ps` what it is, then run again",
    )
}

fn errors(finished: &Finished) -> Vec<&str> {
    let lines = finished.stderr.lines().chain(finished.stdout.lines());
    lines.filter(|line| line.starts_with("error")).collect()
}

fn reload_failed(command: &str, status: Option<i32>, finished: &Finished) -> Fault {
    let status = status.map_or("a signal".to_owned(), |status| format!("status {status}"));
    let errors = errors(finished);
    let last =
        || finished.stderr.lines().chain(finished.stdout.lines()).last().unwrap_or("no word").to_owned();
    let told = if errors.is_empty() { last() } else { errors.join("; ") };
    Fault::new(
        "reload_failed",
        format!(
            "running `{command}` failed: it ended with {status} and said: {told}; hint: mend what it names, then run again"
        ),
    )
}

/// What ifupdown2 says of a bond when the datapath gives the kernel no interface of its name; all is applied then.
fn is_harmless(line: &str) -> bool {
    line.contains("ifname ") && line.ends_with("not present in cache")
}

/// On a busy node ifupdown2 now and then stumbles over a netlink message that has nothing to do with what it was
/// asked for: `error: recv() error: [Errno 22] Invalid argument`. The next time it does not.
fn is_stumble(line: &str) -> bool {
    line.contains("recv() error: [Errno ")
}
