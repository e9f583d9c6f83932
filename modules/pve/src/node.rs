//! The node as a device of the one flow: reading its stores, and carrying out what was planned. Makes no choices of
//! its own about what a task means; that is in `ovs_*.rs`, and how a change is carried out in `apply.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ansible_module::checkpoint::{Checkpoint, sweep, unfinished};
use ansible_module::context::Context;
use ansible_module::converge::{self, Device, Prepared};
use ansible_module::fault::{Fault, Step};
use ansible_module::gather::Gather as _;
use ansible_module::lock::Lock;
use ansible_module::outcome::{self, Ended, Failure};
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::apply_options::Aim;
use crate::change::{Change, changes};
use crate::conflicts;
use crate::file::Files;
use crate::keepsake::Keepsake;
use crate::lacp_wait::Bonds;
use crate::ovsdb::Ovs;
use crate::paths::Paths;
use crate::picture::Picture;
use crate::provisional::{self, Provisional};
use crate::proxmox;
use crate::reach::{self, Answered, Targets};
use crate::reload;
use crate::sight::Presence;
use crate::state::{FileStore, State};
use crate::task::{self, Params, Task};
use crate::verdict::Verdict;
use crate::window::Window;
use crate::{confirmation, guard};

/// What another process needs to go back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Data {
    /// The interfaces files as they were, and as we write them.
    pub files: Files,
    /// Whether writing them has begun.
    pub file_touched: bool,
    /// Whether changing what is live has begun.
    pub live_touched: bool,
    /// The objects of the task as they were.
    pub before: State,
    /// Where the change is provisional.
    #[serde(default)]
    pub provisional: Option<Provisional>,
    /// Whether its maker ended by itself and could not go back: somebody has to look, if its guard can't either.
    #[serde(default)]
    pub given_up: bool,
    /// What others had in Open vSwitch when the first reload began.
    #[serde(default)]
    pub kept: Keepsake,
}

impl Data {
    /// Whether nothing of the change was to go live.
    pub(crate) fn is_of_staging(&self) -> bool {
        self.before.file.store == FileStore::Staged
    }
}

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A change, final when it is read back.
    Change,
    /// A change that waits to be confirmed for so many seconds.
    Provisional(u64),
    /// Confirming such a change.
    Confirm,
    /// Going back from a checkpoint.
    GoBack,
    /// The same where nobody asked for it: only from what is not meant to wait.
    Guard,
}

/// Where a run is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To what is declared.
    Forward,
    /// Back to what was before.
    Back,
    /// At its end: a provisional change has become final.
    Final,
}

/// This node.
pub struct Node<'a> {
    pub(crate) module: &'static str,
    pub(crate) context: &'a Context,
    pub(crate) paths: Paths,
    /// Which file the task is about.
    aim: Aim,
    pub(crate) role: Role,
    /// The bonds whose members' LACP partners shall be current, and within what time.
    pub(crate) lacp: Option<(Bonds, Duration)>,
    /// Whether Proxmox's own configuration is read too.
    reads_proxmox: bool,
    /// Who has to answer after a change: as asked for, or `None` for those who answered before it.
    required: Option<Vec<IpAddr>>,
    pub(crate) answered: Answered,
    lock: Option<Lock>,
    /// A checkpoint to go back from, instead of any that is found.
    pub(crate) named: Option<PathBuf>,
    pub(crate) checkpoint: Option<Checkpoint<Data>>,
    /// Whether this run made it, instead of coming upon it.
    pub(crate) is_its_maker: bool,
    /// The database as it was last read: what a transaction is built against.
    pub(crate) ovs: Ovs,
    /// Whether it was there to be read then.
    pub(crate) presence: Presence,
    pub(crate) commands: Vec<String>,
    /// Whether another ifupdown2 was at work when ours wanted to be.
    pub(crate) is_busy: bool,
    pub(crate) way: Way,
    /// Where a staged text was put that is undone.
    pub(crate) kept: Option<PathBuf>,
}

/// Runs a module: arguments first, then the node.
pub fn converge<T: Task>(params: Params<T::Params>, context: &Context) -> Ended {
    let Params { task, apply: options } = params;
    let task = T::new(task).map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
    let required = options.required().map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
    let mut node = Node::new(T::SPEC.module, context)?;
    node.required = required;
    node.aim = options.aim();
    node.lacp = task.lacp();
    if let Some(seconds) = task.confirm_within() {
        node.role = Role::Provisional(seconds);
    }
    node.reads_proxmox = task.asks_who_names_it();
    let target = |picture: &Picture| task::plan(&task, &options, picture, context.check_mode);
    let ended = converge::converge(&mut node, target, context);
    node.leave();
    ended
}

/// Goes back from the checkpoint in `folder`.
pub(crate) fn go_back(module: &'static str, folder: &Path, role: Role, context: &Context) -> Ended {
    let mut node = Node::new(module, context)?;
    node.role = role;
    node.named = Some(folder.to_owned());
    converge::recover(&mut node, context)
}

/// Where things are on this node, for root, who alone can read them.
pub fn paths() -> Result<Paths, Fault> {
    let paths =
        Paths::from_environment().map_err(|error| Fault::from_error("invalid_environment", &error))?;
    if geteuid().is_root() {
        return Ok(paths);
    }
    Err(Fault::new(
        "not_root",
        format!("reading the node failed: only root can; this is user {}; hint: `become: true`", geteuid()),
    ))
}

impl<'a> Node<'a> {
    pub(crate) fn new(module: &'static str, context: &'a Context) -> Result<Self, Box<Failure>> {
        Ok(Self {
            module,
            context,
            paths: paths().map_err(|fault| Failure::untouched(Step::Read, fault))?,
            aim: Aim::default(),
            role: Role::Change,
            lacp: None,
            reads_proxmox: false,
            required: None,
            answered: Answered::default(),
            lock: None,
            named: None,
            checkpoint: None,
            is_its_maker: false,
            ovs: Ovs::default(),
            presence: Presence::Away,
            commands: Vec::new(),
            is_busy: false,
            way: Way::Forward,
            kept: None,
        })
    }

    /// Which file this is about by now: another's change that this run goes back from has its own.
    pub(crate) fn aim(&self) -> Aim {
        match &self.checkpoint {
            Some(checkpoint) if !self.is_its_maker && checkpoint.record.data.is_of_staging() => Aim::Staged,
            Some(_) if !self.is_its_maker => Aim::Live,
            _ => self.aim,
        }
    }

    /// Removes the checkpoint: there is nothing to go back from any more.
    pub(crate) fn drop_checkpoint(&mut self) -> Result<(), Fault> {
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.remove()?;
            // What stays of it in `/run` says nothing without the checkpoint.
            let _ = fs::remove_file(guard::live_marker(&self.paths, checkpoint.folder()));
        }
        // Only now: while it is on disk, there is something to go back from.
        self.checkpoint = None;
        Ok(())
    }

    /// Where this run ends and its checkpoint stays, because going back failed: its guard does not try for ever. That of another
    /// run's, which this one came upon, does.
    fn leave(&mut self) {
        if let Some(checkpoint) = &mut self.checkpoint
            && checkpoint.record.data.provisional.is_none()
            && self.is_its_maker
        {
            checkpoint.record.data.given_up = true;
            // Where that can't be noted, its guard goes on.
            let _ = checkpoint.save();
        }
    }

    /// Finishes confirmations that were cut off, by the power, between their last two steps: the file is written, and the node
    /// came up on it. For the lock's holder.
    pub(crate) fn finish_confirmations(&mut self) -> Result<(), Fault> {
        for folder in unfinished(&self.paths.state)? {
            // One that can't be read is told where it is gone back from.
            let Ok(checkpoint) = Checkpoint::<Data>::load(&folder) else { continue };
            let data = &checkpoint.record.data;
            if is_undone_by_a_boot(&self.paths, &checkpoint)
                && data.file_touched
                && data.files.are_written(&self.paths)?
            {
                self.checkpoint = Some(checkpoint);
                self.keep_previous()?;
                self.tell_confirmed();
                self.drop_checkpoint()?;
            }
        }
        Ok(())
    }

    /// Refuses whatever would change the node while somebody's change waits to be confirmed.
    fn refuse_while_waiting(&self) -> Result<(), Fault> {
        if matches!(self.role, Role::Confirm | Role::GoBack | Role::Guard) {
            return Ok(());
        }
        let Some(waiting) = confirmation::waiting(&self.paths)? else { return Ok(()) };
        Err(Fault::new(
            "provisional_change",
            format!(
                "a provisional change waits to be confirmed until {}, and nothing else may change meanwhile; hint: \
                 `pve_network_apply` with `state: confirmed` keeps it, with `state: discarded` undoes it at once",
                waiting.1.reverts_at()
            ),
        ))
    }
}

impl Device for Node<'_> {
    type Picture = Picture;
    type State = State;
    type Change = Change;

    fn lock(&mut self) -> Result<(), Fault> {
        if self.lock.is_some() {
            return Ok(());
        }
        let stop = || self.context.is_interrupted();
        let lock = Lock::acquire(&self.paths.node_lock, self.module, self.paths.limits.node_lock, &stop);
        self.lock = Some(lock?);
        self.refuse_while_waiting()
    }

    fn resume(&mut self) -> Result<Option<State>, Fault> {
        if self.role == Role::Confirm {
            return Ok(None);
        }
        sweep(&self.paths.state);
        self.finish_confirmations()?;
        let found = unfinished(&self.paths.state)?.into_iter().next();
        let folder = match &self.named {
            Some(named) => named.exists().then(|| named.clone()),
            None => found,
        };
        let Some(folder) = folder else { return Ok(None) };
        let mut checkpoint = load(&folder)?;
        if is_undone_by_a_boot(&self.paths, &checkpoint) {
            checkpoint.record.data.live_touched = false;
        }
        let data = checkpoint.record.data.clone();
        // What was read before the lock was taken may have been confirmed, or left to wait, since.
        let is_meant_to_wait = |it: &Provisional| it.waits && !it.window.is_over();
        if self.role == Role::Guard && data.provisional.as_ref().is_some_and(is_meant_to_wait) {
            return Ok(None);
        }
        // What was being staged, and is not yet, or not any more: it went live, or was dropped. There is nothing to go back to.
        if data.is_of_staging() && !data.files.is_staged(&self.paths)? {
            self.checkpoint = Some(checkpoint);
            return self.drop_checkpoint().map(|()| None);
        }
        let superseded = self.superseded(&data)?;
        if superseded.is_some() {
            let file = self.paths.interfaces.display();
            self.context
                .log
                .line(&format!("somebody else changed `{file}` meanwhile: going back to what it says now"));
        }
        self.checkpoint = Some(checkpoint);
        Ok(Some(superseded.unwrap_or(data.before)))
    }

    fn read(&mut self) -> Result<Picture, Fault> {
        if self.is_busy {
            return Err(reload::busy());
        }
        if self.context.check_mode {
            self.refuse_while_waiting()?;
        }
        let mut picture = self.picture()?;
        if self.reads_proxmox {
            picture.namers = proxmox::read(&self.paths)?;
        }
        if !self.context.check_mode && self.aim() != Aim::Staged {
            conflicts::ovs_runs(&picture)?;
        }
        Ok(picture)
    }

    fn restrict(&self, picture: &Picture, like: &State) -> State {
        State::found(picture, like)
    }

    fn changes(&self, found: &State, wanted: &State) -> Vec<Change> {
        let mut all = differences(&self.paths, found, wanted);
        // What others stage while we are at work says nothing of it.
        let others =
            |data: &Data| data.file_touched && data.files.others_staged(&self.paths).is_ok_and(|it| it);
        if self.checkpoint.as_ref().is_some_and(|checkpoint| others(&checkpoint.record.data)) {
            all.retain(|change| *change != Change::Staged);
        }
        if let Some(provisional) = self.provisional_data() {
            all.retain(|change| !provisional.is_later(change));
        }
        all
    }

    fn is_provisional(&self, _: &State) -> bool {
        self.role == Role::Confirm
    }

    fn checkpoint(&mut self, picture: &Picture, before: &State, after: &State) -> Result<Prepared, Fault> {
        let changes = changes(before, after);
        if self.aim != Aim::Staged {
            let targets =
                Targets::find(self.required.as_deref(), &picture.routes, reach::ssh_peer(&self.paths));
            self.answered = reach::before(&self.paths, &targets.without(&gateways_taken_away(after)))?;
        }
        let data = Data {
            files: Files::edited(picture, &changes)?,
            file_touched: false,
            live_touched: false,
            before: before.clone(),
            provisional: match self.role {
                Role::Provisional(seconds) => Some(Provisional {
                    window: Window::open(seconds)?,
                    waits: false,
                    after: after.clone(),
                    passive: provisional::passive(&changes),
                    answered: self.answered.targets.clone(),
                    staged: None,
                }),
                Role::Change | Role::Confirm | Role::GoBack | Role::Guard => None,
            },
            given_up: false,
            kept: Keepsake::default(),
        };
        if data.provisional.is_some() {
            // Whatever becomes of this one, and even if that can't be noted: it is not what became of the last.
            Verdict::forget(&self.paths.state)?;
        }
        let made = Checkpoint::create(&self.paths.state, self.module, self.context.log.lines(), data)?;
        if self.aim != Aim::Staged
            && let Err(fault) = guard::arm(&self.paths, made.folder())
        {
            made.remove()?;
            return Err(fault);
        }
        self.checkpoint = Some(made);
        self.is_its_maker = true;
        Ok(Prepared::Ready)
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), Fault> {
        self.carry_out(changes)
    }

    fn mend(&mut self, left: &[Change]) -> Result<bool, Fault> {
        self.carry_out_what_ifupdown2_leaves(left)
    }

    fn patience(&self) -> Duration {
        self.paths.limits.settle
    }

    fn condition(&mut self, _: &State) -> Result<(), Fault> {
        if self.role == Role::Confirm {
            self.speak_lacp()?;
        }
        self.wait_for_lacp()?;
        reach::after(&self.paths, &self.answered, self.context)
    }

    fn commit(&mut self) -> Result<(), Fault> {
        match self.role {
            Role::Provisional(_) => self.leave_waiting(),
            Role::Confirm => self.make_final(),
            Role::Change | Role::GoBack | Role::Guard => self.forget(),
        }
    }

    fn reverts_at(&self) -> Option<String> {
        let provisional = self.checkpoint.as_ref()?.record.data.provisional.as_ref()?;
        Some(provisional.window.reverts_at().to_owned())
    }

    fn provisional(&self) -> Option<outcome::Provisional> {
        let provisional = self.checkpoint.as_ref()?.record.data.provisional.as_ref()?;
        provisional.waits.then(|| provisional.window.told())
    }

    fn is_touched(&self) -> bool {
        self.checkpoint.as_ref().is_some_and(|checkpoint| {
            let Data { file_touched, live_touched, .. } = checkpoint.record.data;
            file_touched || live_touched
        })
    }

    fn rollback(&mut self, before: &State) -> Result<(), Fault> {
        self.way = Way::Back;
        self.go_back_to(before)
    }

    fn forget(&mut self) -> Result<(), Fault> {
        let was_provisional =
            self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.record.data.provisional.is_some());
        if was_provisional || self.role != Role::Change {
            self.tell_undone()?;
        }
        self.drop_checkpoint()
    }

    fn commands(&self) -> Vec<String> {
        self.commands.clone()
    }

    fn notices(&self) -> Vec<String> {
        let mut notices: Vec<String> = self.paths.notice().into_iter().collect();
        if self.context.check_mode
            && let Ok([folder, ..]) = unfinished(&self.paths.state).as_deref()
        {
            notices.push(format!(
                "an earlier run was interrupted, or is at work: a run would first go back from `{}`",
                folder.display()
            ));
        }
        notices.extend(self.kept.as_ref().map(|kept| {
            format!(
                "what was staged is in `{}` now, and not staged any more: a boot would have brought it up",
                kept.display()
            )
        }));
        notices.extend(self.answered.notice.clone());
        if let Some(checkpoint) = self.checkpoint.as_ref().filter(|it| it.record.data.provisional.is_none()) {
            notices.push(format!(
                "what is needed to go back is in `{0}`; hint: `{1} --rollback {0}` tries again; remove the folder when the node is as it should be",
                checkpoint.folder().display(),
                self.module
            ));
        }
        notices
    }
}

fn load(folder: &Path) -> Result<Checkpoint<Data>, Fault> {
    Checkpoint::load(folder).map_err(|fault| Fault {
        message: format!("{fault}; hint: go back with the version that made it, or remove it when the node is as it should be"),
        ..fault
    })
}

/// Whether the node booted since the provisional change, and so came up on the file.
fn is_undone_by_a_boot(paths: &Paths, checkpoint: &Checkpoint<Data>) -> bool {
    checkpoint.record.data.provisional.is_some() && !guard::live_marker(paths, checkpoint.folder()).exists()
}

/// What leads from `found` to `wanted`, as far as it still can be: without guests that are gone.
pub(crate) fn differences(paths: &Paths, found: &State, wanted: &State) -> Vec<Change> {
    let exists = |name: &str| paths.sys_class_net.join(name).exists();
    changes(found, &wanted.clone().without_gone_guests(exists))
}

/// The default gateways that a change takes away on purpose.
fn gateways_taken_away(after: &State) -> BTreeSet<String> {
    let of = |wanted: bool| -> BTreeSet<String> {
        let all = after.kernel.values().flat_map(|link| &link.gateways);
        all.filter(|(_, there)| **there == wanted).map(|(gateway, _)| gateway.clone()).gather()
    };
    of(false).difference(&of(true)).cloned().gather()
}

/// How long one dialog with the database may take, from now.
pub(crate) fn database_deadline(paths: &Paths) -> Instant {
    Instant::now() + paths.limits.ovsdb
}
