//! `pve_network_apply`: makes what is staged live, once for all interfaces, confirms it, or drops it. Its arguments and
//! what they mean; how a change waits is `confirmation.rs`'s.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ansible_module::checkpoint::{Checkpoint, unfinished};
use ansible_module::context::Context;
use ansible_module::converge::{self, Device, Target};
use ansible_module::fault::{Fault, Step};
use ansible_module::outcome::{Ended, Failure, Report, Seen};
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::apply_options::{ApplyOptions, ForeignChanges, Pending};
use crate::change::Change;
use crate::confirmation::{not_provisional, waiting};
use crate::draft::Draft;
use crate::file::drop_staged;
use crate::interfaces::Kind;
use crate::lacp_wait::Bonds;
use crate::node::{self, Data, Node, Role};
use crate::paths::Paths;
use crate::picture::Picture;
use crate::task::{Params as TaskParams, Task};
use crate::verdict::{Fate, Verdict};
use crate::{guard, rules, specs};

/// A window that is shorter leaves no time to log in and confirm.
const SHORTEST: i64 = 10;
const LONGEST: i64 = 3600;
/// What a wait has to leave of the window, for the change itself and for whoever confirms it.
const ROOM: Duration = Duration::from_secs(10);

/// The module.
pub struct NetworkApply;

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_network_apply.yml, which decides what they are")]
pub struct Params {
    pub state: State,
    pub confirm_within: i64,
    pub require_lacp: Option<Vec<String>>,
    pub wait_for_lacp: i64,
    pub require_reachable: Option<Vec<String>>,
    pub foreign_changes: ForeignChanges,
}

/// What becomes of the staged change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is live.
    Applied,
    /// It was provisional, and is final.
    Confirmed,
    /// It is undone, and nothing is staged.
    Discarded,
}

impl Module for NetworkApply {
    const SPEC: &'static ArgumentSpec = Staged::SPEC;
    type Params = Params;

    fn run(params: Params, context: &Context) -> Ended {
        match params.state {
            State::Applied => applied(params, context),
            State::Confirmed => confirmed(&params, context),
            State::Discarded => discarded(context),
        }
    }

    fn is_detached(params: &Params) -> bool {
        params.state == State::Applied && params.confirm_within > 0
    }

    fn guard(folder: &Path, context: &Context) {
        guard::watch(Self::SPEC.module, folder, context);
    }

    fn rollback(folder: &Path, context: &Context) -> Ended {
        node::go_back(Self::SPEC.module, folder, Role::GoBack, context)
    }
}

/// The task of making live what is staged: nothing is added to it.
struct Staged {
    lacp: Option<(Bonds, Duration)>,
    confirm_within: Option<u64>,
}

impl Task for Staged {
    const SPEC: &'static ArgumentSpec = &specs::network_apply::SPEC;
    type Params = Params;

    fn new(params: Params) -> Result<Self, Fault> {
        let confirm_within = match params.confirm_within {
            0 => None,
            SHORTEST..=LONGEST => u64::try_from(params.confirm_within).ok(),
            other => {
                return Err(Fault::new(
                    "invalid_number",
                    format!(
                        "option `confirm_within`: {other} is no number of seconds from {SHORTEST} to {LONGEST}; hint: such as 120, \
                         or 0 for a change that is final at once"
                    ),
                ));
            }
        };
        let lacp = lacp(&params)?;
        let room = confirm_within.map(|window| Duration::from_secs(window).saturating_sub(ROOM));
        match (&lacp, room) {
            (Some((_, wait)), Some(room)) if *wait > room => Err(Fault::new(
                "invalid_combination",
                format!(
                    "option `wait_for_lacp`: {} s do not fit into `confirm_within`, which has to leave {} s beside them; hint: at \
                     most {}",
                    wait.as_secs(),
                    ROOM.as_secs(),
                    room.as_secs()
                ),
            )),
            _ => Ok(Self { lacp, confirm_within }),
        }
    }

    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault> {
        let Some((Bonds::Named(names), _)) = &self.lacp else { return Ok(()) };
        match names.iter().find(|name| draft.interfaces().kind(name) != Kind::OvsBond) {
            None => Ok(()),
            Some(name) => Err(Fault::new(
                "bond_not_found",
                format!(
                    "option `require_lacp`: `{name}` is no OVSBond of the file that would go live; hint: name one, or `all`"
                ),
            )),
        }
    }

    fn lacp(&self) -> Option<(Bonds, Duration)> {
        self.lacp.clone()
    }

    fn confirm_within(&self) -> Option<u64> {
        self.confirm_within
    }
}

fn applied(params: Params, context: &Context) -> Ended {
    let apply = ApplyOptions {
        apply: true,
        pending: Pending::Apply,
        foreign_changes: params.foreign_changes,
        require_reachable: params.require_reachable.clone(),
    };
    node::converge::<Staged>(TaskParams { task: params, apply }, context)
}

/// The bonds to wait for, and for how long.
fn lacp(params: &Params) -> Result<Option<(Bonds, Duration)>, Fault> {
    let Some(names) = params.require_lacp.as_ref().filter(|names| !names.is_empty()) else { return Ok(None) };
    let limit = rules::wait("wait_for_lacp", params.wait_for_lacp)?.unwrap_or_default();
    if names.iter().any(|name| name == "all") {
        return Ok(Some((Bonds::All, limit)));
    }
    for name in names {
        rules::bond_name("require_lacp", name)?;
    }
    Ok(Some((Bonds::Named(names.clone()), limit)))
}

fn confirmed(params: &Params, context: &Context) -> Ended {
    let lacp = lacp(params).map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
    let mut node = Node::new(NetworkApply::SPEC.module, context)?;
    node.role = Role::Confirm;
    let untouched = |fault| Failure::untouched(Step::Read, fault);
    if !context.check_mode {
        // Who confirms it at this very moment has done so by then, and its time may be over.
        node.lock().map_err(|fault| Failure::untouched(Step::Lock, fault))?;
        node.finish_confirmations().map_err(untouched)?;
    }
    let Some((folder, window)) = waiting(&node.paths).map_err(untouched)? else {
        // Where something is left to be undone, the last verdict is not about that.
        if unfinished(&node.paths.state).map_err(untouched)?.is_empty()
            && Verdict::read(&node.paths.state).is_some_and(|verdict| verdict.fate == Fate::Confirmed)
        {
            return Ok(Report {
                changed: false,
                seen: Seen::default(),
                facts: None,
                provisional: None,
                warnings: Vec::new(),
            });
        }
        return Err(untouched(not_provisional(&node.paths)));
    };
    let left = window.left().map_err(untouched)?;
    node.lacp = lacp.map(|(bonds, limit)| (bonds, limit.min(left / 2)));
    let awaited = node.take_up(&folder).map_err(untouched)?;
    let paths = node.paths.clone();
    let target = |picture: &Picture| {
        awaited.holds(&paths, picture)?;
        let after = awaited.provisional.after.clone();
        Ok(Target { after, also_affected: Vec::new(), warnings: Vec::new() })
    };
    converge::converge(&mut node, target, context)
}

fn discarded(context: &Context) -> Ended {
    let mut node = Node::new(NetworkApply::SPEC.module, context)?;
    node.role = Role::GoBack;
    let paths = node.paths.clone();
    let untouched = |fault| Failure::untouched(Step::Read, fault);
    let was_live = is_live_left(&paths).map_err(untouched)?;
    if !context.check_mode {
        // A guard, or who confirms, may be at work on it at this very moment.
        node.lock().map_err(|fault| Failure::untouched(Step::Lock, fault))?;
        node.finish_confirmations().map_err(untouched)?;
    }
    let left = unfinished(&paths.state).map_err(untouched)?;
    let is_live = was_live || is_live_left(&paths).map_err(untouched)?;
    let mut report = Report {
        changed: false,
        seen: Seen::default(),
        facts: None,
        provisional: None,
        warnings: paths.notice().into_iter().collect(),
    };
    if !left.is_empty() {
        report.changed = true;
        report.seen.changes.push("what is provisional: go back to what was before".to_owned());
        if !context.check_mode {
            context.log.line("discarded");
            match converge::recover(&mut node, context) {
                Ok(gone) => {
                    report.changed = gone.changed;
                    report.seen.commands = gone.seen.commands;
                    report.warnings.extend(gone.warnings);
                }
                // It had staged nothing yet, or that went live since.
                Err(failure) if failure.fault.code == "no_checkpoint" => report.changed = false,
                Err(failure) => return Err(failure),
            }
        }
    }
    // What is there beside a change that was live was staged since, by somebody else.
    if !is_live && paths.staged.exists() {
        if context.check_mode {
            report.changed = true;
            report.seen.changes.push(Change::Staged.to_string());
        } else if let Some((dropped, kept)) =
            drop_staged(&paths).map_err(|fault| Failure::untouched(Step::Apply, fault))?
        {
            report.changed = true;
            report.seen.changes.push(Change::Staged.to_string());
            report.seen.commands.push(dropped);
            report.warnings.push(format!("what was staged is in `{}` now", kept.display()));
        }
    }
    Ok(report)
}

/// Whether there is something to go back from that was to go live.
fn is_live_left(paths: &Paths) -> Result<bool, Fault> {
    let is_of_staging = |folder: &PathBuf| {
        Checkpoint::<Data>::load(folder).is_ok_and(|checkpoint| checkpoint.record.data.is_of_staging())
    };
    Ok(!unfinished(&paths.state)?.iter().all(is_of_staging))
}
