//! How a provisional change waits, and becomes final or is undone: what a node does for it beside the one flow.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::checkpoint::{Checkpoint, unfinished};
use ansible_module::converge::Device;
use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::apply_options::Aim;
use crate::file::{Files, stage_again};
use crate::guard;
use crate::interfaces::Kind;
use crate::lacp_wait;
use crate::node::{Data, Node, Way, differences};
use crate::ovsdb::PortColumn;
use crate::paths::Paths;
use crate::picture::{Picture, read_file};
use crate::provisional::Provisional;
use crate::state::State;
use crate::verdict::{Fate, Verdict, keep_previous, keep_undone};
use crate::window::Window;

/// The change that waits to be confirmed: its checkpoint's folder, and how long. One whose time is over, or which a boot
/// undid, waits no more: going back from what it left is the next run's.
pub(crate) fn waiting(paths: &Paths) -> Result<Option<(PathBuf, Window)>, Fault> {
    for folder in unfinished(&paths.state)? {
        // One that can't be read is told where it is gone back from.
        let Ok(checkpoint) = Checkpoint::<Data>::load(&folder) else { continue };
        let is_live = guard::live_marker(paths, &folder).exists();
        let provisional = checkpoint.record.data.provisional.filter(|it| it.waits && is_live);
        if let Some(provisional) = provisional.filter(|it| !it.window.is_over()) {
            return Ok(Some((folder, provisional.window)));
        }
    }
    Ok(None)
}

/// A change as it was left to wait.
#[derive(Debug)]
pub(crate) struct Awaited {
    files: Files,
    pub(crate) provisional: Provisional,
    /// Whether a confirmation that was killed had begun to write the file.
    is_written: bool,
}

impl Awaited {
    /// Whether the node still is as it was left. A plain reload brings the file's state back, and what somebody saved
    /// meanwhile must not be overwritten.
    pub(crate) fn holds(&self, paths: &Paths, picture: &Picture) -> Result<(), Fault> {
        let until = self.provisional.window.reverts_at();
        let found =
            if self.is_written && self.files.are_written(paths)? { Ok(()) } else { self.files.check(paths) };
        found.map_err(|fault| Fault {
            message: format!(
                "confirming the change failed: {fault}; until {until} the node goes back by itself"
            ),
            ..fault
        })?;
        let after = &self.provisional.after;
        let mut left = differences(paths, &State::found(picture, after), after);
        left.retain(|change| !self.provisional.is_later(change));
        if left.is_empty() {
            return Ok(());
        }
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        Err(Fault::new(
            "not_as_applied",
            format!(
                "confirming the change failed: the node is no longer as it was left; to be so again it would need: {}; hint: did \
                 somebody run `ifreload -a` meanwhile? `state: discarded` goes back at once, and at {until} the node does so by itself",
                left.join("; ")
            ),
        ))
    }
}

impl Node<'_> {
    /// What of the change waits for its confirmation, while it does.
    pub(crate) fn provisional_data(&self) -> Option<&Provisional> {
        self.checkpoint.as_ref().filter(|_| self.way == Way::Forward)?.record.data.provisional.as_ref()
    }

    /// The text that is live until the confirmation.
    pub(crate) fn provisional_text(&self) -> Result<Option<Vec<u8>>, Fault> {
        let (Some(provisional), Some(checkpoint)) = (self.provisional_data(), &self.checkpoint) else {
            return Ok(None);
        };
        let [_, text] = checkpoint.record.data.files.running();
        provisional.text(text.unwrap_or_default()).map(Some)
    }

    /// Takes up the change in `folder`, to confirm it.
    pub(crate) fn take_up(&mut self, folder: &Path) -> Result<Awaited, Fault> {
        let checkpoint = Checkpoint::<Data>::load(folder).map_err(|_| not_provisional(&self.paths))?;
        let Data { files, provisional, file_touched, .. } = checkpoint.record.data.clone();
        let provisional = provisional.filter(|it| it.waits && !it.window.is_over());
        let provisional = provisional.ok_or_else(|| not_provisional(&self.paths))?;
        self.answered.targets.clone_from(&provisional.answered);
        self.checkpoint = Some(checkpoint);
        Ok(Awaited { files, provisional, is_written: file_touched })
    }

    /// Has the new bonds speak LACP as declared. Those of which the partner began are spared the silence of a bond that
    /// begins itself and is not answered.
    pub(crate) fn speak_lacp(&mut self) -> Result<(), Fault> {
        let Some(provisional) = self.provisional_data().cloned() else { return Ok(()) };
        if provisional.passive.is_empty() {
            return Ok(());
        }
        if let Some((bonds, limit)) = self.lacp.clone() {
            let patience = (limit / 2).min(provisional.window.left()? / 2);
            let context = self.context;
            // Who is not there by now may be waiting for us to begin.
            let _ = lacp_wait::until_negotiated(context, patience, &mut || self.waiting_for_lacp(&bonds));
        }
        Device::read(self)?;
        self.send(|transaction| {
            let active = PortColumn::Lacp(Some("active".to_owned()));
            provisional.passive.iter().try_for_each(|bond| transaction.set_port(bond, &active))
        })
    }

    /// From here on only its guard, or who confirms or discards it, touches the change.
    pub(crate) fn leave_waiting(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        // Also where nothing had to be touched: without it, it would be taken for one that a boot undid.
        guard::mark_live(&self.paths, checkpoint.folder())?;
        let Some(provisional) = &mut checkpoint.record.data.provisional else { return Ok(()) };
        provisional.waits = true;
        self.context.log.line(&format!("waits to be confirmed until {}", provisional.window.reverts_at()));
        checkpoint.step("wait to be confirmed", self.context.log.lines())?;
        self.write_verdict(Fate::Waiting, None);
        Ok(())
    }

    /// Writes the file, and with it the change is final.
    pub(crate) fn make_final(&mut self) -> Result<(), Fault> {
        let Some(provisional) = self.provisional_data().cloned() else { return Ok(()) };
        if provisional.window.left()? < Duration::from_secs(1) {
            return Err(Fault::new(
                "not_provisional",
                "confirming the change failed: its time is over, and the node goes back",
            ));
        }
        // What a confirmation wrote that was killed then is written again, and read back.
        self.take_file_back()?;
        self.way = Way::Final;
        let written = self.write_file().and_then(|()| self.is_final(&provisional.after));
        if let Err(fault) = written.and_then(|()| self.keep_previous()) {
            // It waits again, and may be confirmed again.
            self.way = Way::Forward;
            return Err(match self.take_file_back() {
                Ok(()) => fault,
                Err(back) => {
                    Fault { message: format!("{fault}; and putting the file back: {back}"), ..fault }
                }
            });
        }
        self.tell_confirmed();
        self.drop_checkpoint()
    }

    /// The way back from the change, once it is final.
    pub(crate) fn keep_previous(&self) -> Result<(), Fault> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let [previous, _] = checkpoint.record.data.files.running();
        previous.map_or(Ok(()), |previous| keep_previous(&self.paths.state, previous).map(drop))
    }

    fn is_final(&mut self, after: &State) -> Result<(), Fault> {
        let left = self.left(after)?;
        if left.is_empty() {
            return Ok(());
        }
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        Err(Fault::new(
            "not_settled",
            format!("reading back the confirmed change found it not done: {}", left.join("; ")),
        ))
    }

    /// The node's text of before, as while it waits.
    fn take_file_back(&mut self) -> Result<(), Fault> {
        self.put_file_back()?;
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        checkpoint.record.data.file_touched = false;
        checkpoint.save()
    }

    /// Says to whoever asks that the change is final.
    pub(crate) fn tell_confirmed(&self) {
        self.context.log.line("confirmed");
        self.write_verdict(Fate::Confirmed, None);
    }

    /// Keeps what was staged and is undone now, and says so to whoever asks. Where nothing of it was live, it is staged as
    /// before.
    pub(crate) fn tell_undone(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let staged = checkpoint.record.data.provisional.as_ref().and_then(|it| it.staged.clone());
        // What an earlier run had staged, and a boot undid, is not for this one to stage.
        if let (Some(text), true, false) = (&staged, self.is_its_maker, self.is_touched()) {
            self.write_verdict(Fate::Undone, None);
            return stage_again(&self.paths, text);
        }
        self.kept = staged.map(|text| keep_undone(&self.paths, &text)).transpose()?;
        self.write_verdict(Fate::Undone, self.kept.clone());
        Ok(())
    }

    /// The file of whoever changed it while the change waited: what it says of the same objects is what to go back to.
    pub(crate) fn superseded(&self, data: &Data) -> Result<Option<State>, Fault> {
        let [before, _] = data.files.running();
        if data.provisional.is_none()
            || data.file_touched
            || read_file(&self.paths.interfaces)?.as_deref() == before
        {
            return Ok(None);
        }
        let picture = Picture::read(&self.paths, Aim::Live)
            .or_else(|_| Picture::without_ovs(&self.paths, Aim::Live))?;
        let objects: BTreeSet<String> = data.before.file.stanzas.keys().cloned().gather();
        let said = State::declared(&picture, &picture.running.interfaces, &objects);
        let mut said = said.unwrap_or_else(|fault| {
            self.context
                .log
                .line(&format!("what it says is not understood, so what was live comes back: {fault}"));
            State { file: State::found(&picture, &data.before).file, ..data.before.clone() }
        });
        said.file.waits = None;
        // Guests and MAC addresses are of no file.
        let is_linux = |name: &String| picture.running.interfaces.kind(name) == Kind::LinuxBridge;
        let bridges = data.before.linux_bridges.iter().filter(|(name, _)| is_linux(name));
        said.linux_bridges = bridges.map(|(name, bridge)| (name.clone(), bridge.clone())).gather();
        // Whether a link is up that no stanza brings up is not the file's to say.
        for (name, link) in &mut said.kernel {
            link.up = link.up.or_else(|| data.before.kernel.get(name)?.up);
        }
        Ok(Some(said))
    }

    /// That it can't be written takes nothing from what it says.
    fn write_verdict(&self, fate: Fate, kept: Option<PathBuf>) {
        let Some(checkpoint) = &self.checkpoint else { return };
        let record = &checkpoint.record;
        let own = self.context.log.lines();
        // The maker's own lines are in the record; who takes it up later adds to them.
        let log = if own.starts_with(&record.log) { own } else { [record.log.clone(), own].concat() };
        let verdict = Verdict { kept, ..Verdict::new(fate, &record.module, log) };
        if let Err(fault) = verdict.write(&self.paths.state) {
            self.context.log.line(&fault.to_string());
        }
    }
}

/// Why there is nothing to confirm: the last lines of what became of it.
pub(crate) fn not_provisional(paths: &Paths) -> Fault {
    let told = match Verdict::read(&paths.state) {
        Some(Verdict { fate: Fate::Waiting, at, .. }) => {
            format!(
                "the last one waited from {at} and was undone since, by a boot or with nobody left to note it"
            )
        }
        Some(Verdict { fate: Fate::Undone, at, log, .. }) => {
            let last: Vec<&str> = log.iter().rev().take(3).rev().map(String::as_str).collect();
            format!("the last one was undone at {at}: {}", last.join("; "))
        }
        Some(Verdict { fate: Fate::Confirmed, at, .. }) => format!("the last one was confirmed at {at}"),
        None => "and nothing is known of an earlier one".to_owned(),
    };
    Fault::new(
        "not_provisional",
        format!(
            "confirming a change failed: none waits for it, {told}; hint: stage and apply it again with `confirm_within`"
        ),
    )
}
