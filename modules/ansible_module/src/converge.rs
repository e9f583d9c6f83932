//! The one flow by which every module brings its device to the declared state. Planning is pure and done before
//! the first touch; applying makes no choices; only what is read back counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::diff::{self, Described};
use crate::fault::{Fault, Step};
use crate::outcome::{Ended, Failure, Outcome, Provisional, Report, Seen};

/// How often is looked again while a state settles.
const PAUSE: Duration = Duration::from_millis(100);
/// How many times what the device left undone is planned anew.
const ROUNDS: u32 = 2;

/// A device, as the flow needs it.
pub trait Device {
    /// Everything that was read, as context for planning.
    type Picture;
    /// The objects that a task looks after, in normal form. Nothing else is compared.
    type State: State;
    /// One difference, decided: nothing is left to choose when it is applied. Shown as one sentence.
    type Change: std::fmt::Display;

    /// Keeps other runs out until the device is dropped. Never called in check mode.
    fn lock(&mut self) -> Result<(), Fault>;
    /// Takes up what an interrupted run left, under the lock: the state to go back to.
    fn resume(&mut self) -> Result<Option<Self::State>, Fault>;
    /// Reads every store.
    fn read(&mut self) -> Result<Self::Picture, Fault>;
    /// The same objects as in `like`, as they are in `picture`.
    fn restrict(&self, picture: &Self::Picture, like: &Self::State) -> Self::State;
    /// What leads from `found` to `wanted`: ordered, complete, empty where they are equal.
    fn changes(&self, found: &Self::State, wanted: &Self::State) -> Vec<Self::Change>;
    /// Whether what was read is an earlier run's change of these objects, which waits to be made final by this one.
    fn is_provisional(&self, _: &Self::State) -> bool {
        false
    }
    /// In check mode: lets the device judge the changes, and leaves nothing behind.
    fn rehearse(&mut self, _: &Self::Picture, _: &[Self::Change]) -> Result<Prepared, Fault> {
        Ok(Prepared::Ready)
    }
    /// Notes down durably how to go back. Nothing was touched before; where it fails, nothing is left behind.
    fn checkpoint(
        &mut self,
        picture: &Self::Picture,
        before: &Self::State,
        after: &Self::State,
    ) -> Result<Prepared, Fault>;
    /// The difference as the device itself shows it, for Ansible's `diff`, where it can.
    fn diff(&self) -> Option<Value> {
        None
    }
    /// Carries out the changes.
    fn apply(&mut self, changes: &[Self::Change]) -> Result<(), Fault>;
    /// Carries out what is known to be left undone by `apply`; false where nothing of it is of that kind.
    fn mend(&mut self, left: &[Self::Change]) -> Result<bool, Fault>;
    /// How long the state may take to settle.
    fn patience(&self) -> Duration;
    /// Waits for what was asked beyond configuration.
    fn condition(&mut self, after: &Self::State) -> Result<(), Fault>;
    /// In check mode, where nothing is to change: looks at what a run would wait for, and has a notice of it.
    fn foresee(&mut self, _: &Self::State) -> Result<(), Fault> {
        Ok(())
    }
    /// Makes the change final.
    fn commit(&mut self) -> Result<(), Fault>;
    /// Keeps what is final over a restart of the device, where that is a step of its own. A failure undoes nothing.
    fn persist(&mut self, _: &Self::State) -> Result<(), Fault> {
        Ok(())
    }
    /// Whether anything was, or may have been, changed since the checkpoint. Where not, there is nothing to undo.
    fn is_touched(&self) -> bool;
    /// Goes back as far as it can, from the checkpoint.
    fn rollback(&mut self, before: &Self::State) -> Result<(), Fault>;
    /// When the device undoes the change by itself, RFC 3339, where it does.
    fn reverts_at(&self) -> Option<String> {
        None
    }
    /// The change that was left to be confirmed later, where `commit` made it live and not final.
    fn provisional(&self) -> Option<Provisional> {
        None
    }
    /// The way back was gone to its end: forgets the checkpoint.
    fn forget(&mut self) -> Result<(), Fault>;
    /// What was done so far, for `commands`.
    fn commands(&self) -> Vec<String>;
    /// What the user should know of the device beside the result.
    fn notices(&self) -> Vec<String>;
}

/// What came of preparing a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// It can be applied.
    Ready,
    /// The device is no longer as it was when this was planned: to be planned anew. The device limits how often.
    Moved,
    /// The device itself sees no difference that the change would make.
    Same,
}

/// A state as it is shown: structured by its serialisation, as text by its objects.
pub trait State: Serialize {
    /// Its objects, for the diff.
    fn describe(&self) -> Vec<Described>;
}

/// What is meant by the arguments, given what was found.
#[derive(Debug)]
pub struct Target<S> {
    /// The state to reach.
    pub after: S,
    /// What else the change sets in motion, a sentence each.
    pub also_affected: Vec<String>,
    /// What was assumed on the way.
    pub warnings: Vec<String>,
}

/// Brings `device` to what `target` makes of its picture, or predicts it in check mode.
pub fn converge<D: Device>(
    device: &mut D,
    target: impl Fn(&D::Picture) -> Result<Target<D::State>, Fault>,
    context: &Context,
) -> Ended {
    if !context.check_mode {
        device.lock().map_err(|fault| Failure::untouched(Step::Lock, fault))?;
        if let Some(before) = resume(device)? {
            let outcome = go_back(device, &before, context);
            // One that was interrupted before its first touch left nothing to tell.
            if outcome != Outcome::Unchanged {
                return Err(interrupted_run(device, outcome));
            }
        }
    }
    loop {
        let mut plan = Plan::make(device, &target, context)?;
        let prepared = match (plan.changes.is_empty(), context.check_mode) {
            (true, true) => {
                device.foresee(&plan.after).map_err(|fault| plan.untouched(Step::Condition, fault))?;
                let is_provisional = plan.takes_over(device);
                return Ok(plan.report(device, is_provisional));
            }
            (true, false) => return nothing_to_change(device, plan, context),
            (false, true) => device
                .rehearse(&plan.picture, &plan.changes)
                .map_err(|fault| plan.untouched(Step::Plan, fault)),
            (false, false) => {
                context.stop_if_interrupted().map_err(|fault| plan.untouched(Step::Plan, fault))?;
                device
                    .checkpoint(&plan.picture, &plan.before, &plan.after)
                    .map_err(|fault| plan.untouched(Step::Checkpoint, fault))
            }
        }?;
        if let Some(diff) = device.diff() {
            plan.seen.diff = diff;
        }
        match prepared {
            Prepared::Moved => {}
            Prepared::Same if context.check_mode => return Ok(plan.same(device)),
            Prepared::Same => {
                device.condition(&plan.before).map_err(|fault| plan.untouched(Step::Condition, fault))?;
                return Ok(plan.same(device));
            }
            Prepared::Ready if context.check_mode => {
                plan.seen.commands = device.commands();
                return Ok(plan.report(device, true));
            }
            Prepared::Ready => return carry_out(device, plan, context),
        }
    }
}

/// What was read, and what is to be done about it.
struct Plan<D: Device> {
    picture: D::Picture,
    before: D::State,
    after: D::State,
    changes: Vec<D::Change>,
    seen: Seen,
    warnings: Vec<String>,
}

impl<D: Device> Plan<D> {
    fn make(
        device: &mut D,
        target: impl Fn(&D::Picture) -> Result<Target<D::State>, Fault>,
        context: &Context,
    ) -> Result<Self, Box<Failure>> {
        let picture = device.read().map_err(|fault| Failure::untouched(Step::Read, fault))?;
        let Target { after, also_affected, warnings } = target(&picture).map_err(|fault| {
            let outcome = device.reverts_at().map(|reverts_at| Outcome::PendingRevert { reverts_at });
            let outcome = outcome.unwrap_or(Outcome::Unchanged);
            Box::new(Failure { outcome, ..*Failure::untouched(Step::Plan, fault) })
        })?;
        let before = device.restrict(&picture, &after);
        let changes = device.changes(&before, &after);
        let mut seen =
            see(&before, &after, &changes).map_err(|fault| Failure::untouched(Step::Plan, fault))?;
        for change in &seen.changes {
            context.log.line(change);
        }
        for change in &also_affected {
            context.log.line(&format!("sets in motion: {change}"));
        }
        seen.also_affected = also_affected;
        let mut plan = Self { picture, before, after, changes, seen, warnings };
        plan.hear(device);
        Ok(plan)
    }

    /// Adds what the device has to tell by now.
    fn hear(&mut self, device: &D) {
        for notice in device.notices() {
            if !self.warnings.contains(&notice) {
                self.warnings.push(notice);
            }
        }
    }

    /// Whether what is there is an earlier run's doing that this one makes final, which is a change.
    fn takes_over(&mut self, device: &D) -> bool {
        let is_provisional = device.is_provisional(&self.after);
        if is_provisional {
            self.seen.changes.push("what an earlier run of this task changed is made final".to_owned());
        }
        is_provisional
    }

    fn report(mut self, device: &D, changed: bool) -> Report {
        self.hear(device);
        let provisional = device.provisional();
        Report { changed, seen: self.seen, facts: None, provisional, warnings: self.warnings }
    }

    /// The device knows better than our model of it.
    fn same(mut self, device: &D) -> Report {
        let expected = std::mem::take(&mut self.seen.changes);
        self.warnings.push(format!(
            "the device sees no difference, where these were expected: {}",
            expected.join("; ")
        ));
        self.seen.after = self.seen.before.clone();
        self.report(device, false)
    }

    /// What is there may be an interrupted run's doing, which did not become final.
    fn not_final(&self, device: &D, step: Step, fault: Fault) -> Box<Failure> {
        let outcome = match device.reverts_at() {
            Some(reverts_at) => Outcome::PendingRevert { reverts_at },
            None if device.is_touched() => Outcome::NeedsAttention { rollback: Some(fault.clone()) },
            None => Outcome::Unchanged,
        };
        self.failure(step, fault, outcome)
    }

    fn untouched(&self, step: Step, fault: Fault) -> Box<Failure> {
        self.failure(step, fault, Outcome::Unchanged)
    }

    fn failure(&self, step: Step, fault: Fault, outcome: Outcome) -> Box<Failure> {
        let (seen, warnings) = (Some(self.seen.clone()), self.warnings.clone());
        Box::new(Failure { fault, step, outcome, seen, facts: None, warnings })
    }
}

/// The device is as declared. Where that is an interrupted run's doing, it is only now made final.
fn nothing_to_change<D: Device>(device: &mut D, mut plan: Plan<D>, context: &Context) -> Ended {
    let is_met = device.condition(&plan.after);
    let is_provisional = plan.takes_over(device);
    let is_met = if is_provisional { is_met.and_then(|()| context.stop_if_interrupted()) } else { is_met };
    plan.hear(device);
    is_met.map_err(|fault| {
        if is_provisional {
            plan.not_final(device, Step::Condition, fault)
        } else {
            plan.untouched(Step::Condition, fault)
        }
    })?;
    if is_provisional {
        let made_final = device.commit();
        plan.hear(device);
        made_final.map_err(|fault| plan.not_final(device, Step::Commit, fault))?;
        let persisted = device.persist(&plan.after);
        plan.seen.commands = device.commands();
        plan.hear(device);
        persisted.map_err(|fault| {
            plan.failure(Step::Persist, fault, Outcome::NeedsAttention { rollback: None })
        })?;
    }
    Ok(plan.report(device, is_provisional))
}

/// From here on every way out is either final or back.
fn carry_out<D: Device>(device: &mut D, mut plan: Plan<D>, context: &Context) -> Ended {
    let attempt = caught(|| attempt(device, &plan.changes, &plan.after, context), Step::Apply);
    let ended = attempt
        .map_err(|(step, fault)| {
            context.log.line(&format!("{step} failed: {fault}"));
            (step, fault, go_back(device, &plan.before, context))
        })
        .and_then(|()| {
            device
                .persist(&plan.after)
                .map_err(|fault| (Step::Persist, fault, Outcome::NeedsAttention { rollback: None }))
        });
    plan.seen.commands = device.commands();
    // Where the checkpoint is that could not be gone back from, for one.
    plan.hear(device);
    match ended {
        Ok(()) => Ok(plan.report(device, true)),
        Err((step, fault, outcome)) => {
            if outcome != Outcome::Unchanged && !plan.seen.also_affected.is_empty() {
                plan.warnings.push(format!(
                    "what else the change set in motion is not undone, as far as it came: {}",
                    plan.seen.also_affected.join("; ")
                ));
            }
            Err(plan.failure(step, fault, outcome))
        }
    }
}

/// Goes back from what an interrupted run left, and nothing more.
pub fn recover<D: Device>(device: &mut D, context: &Context) -> Ended {
    device.lock().map_err(|fault| Failure::untouched(Step::Lock, fault))?;
    match resume(device)? {
        None => Err(Failure::untouched(
            Step::Recover,
            Fault::new(
                "no_checkpoint",
                "going back from a checkpoint failed: there is none that is unfinished",
            ),
        )),
        Some(before) => match go_back(device, &before, context) {
            outcome @ (Outcome::RolledBack | Outcome::Unchanged) => {
                let seen = Seen { commands: device.commands(), ..Seen::default() };
                let (changed, warnings) = (outcome == Outcome::RolledBack, device.notices());
                Ok(Report { changed, seen, facts: None, provisional: None, warnings })
            }
            outcome => Err(interrupted_run(device, outcome)),
        },
    }
}

/// What an interrupted run left; where that can't be read, somebody has to look.
fn resume<D: Device>(device: &mut D) -> Result<Option<D::State>, Box<Failure>> {
    device
        .resume()
        .map_err(|rollback| interrupted_run(device, Outcome::NeedsAttention { rollback: Some(rollback) }))
}

/// The run that finds another's remains stops there: what was asked of it was planned by somebody who did not
/// know of them.
fn interrupted_run<D: Device>(device: &D, outcome: Outcome) -> Box<Failure> {
    let fault = Fault::new(
        "interrupted_run",
        "an earlier run was interrupted in the middle of a change; hint: look at why it ended, then run this task again",
    );
    let seen = Some(Seen { commands: device.commands(), ..Seen::default() });
    let warnings = device.notices();
    Box::new(Failure { fault, step: Step::Recover, outcome, seen, facts: None, warnings })
}

fn see<D: std::fmt::Display, S: State>(before: &S, after: &S, changes: &[D]) -> Result<Seen, Fault> {
    let structured = |state: &S| {
        serde_json::to_value(state)
            .map_err(|error| Fault::new("internal", format!("showing the state failed: {error}")))
    };
    Ok(Seen {
        before: structured(before)?,
        after: structured(after)?,
        changes: changes.iter().map(ToString::to_string).collect(),
        commands: Vec::new(),
        also_affected: Vec::new(),
        diff: diff::between(&before.describe(), &after.describe()),
    })
}

fn attempt<D: Device>(
    device: &mut D,
    changes: &[D::Change],
    after: &D::State,
    context: &Context,
) -> Result<(), (Step, Fault)> {
    let at = |step: Step| move |fault: Fault| (step, fault);
    context.log.line("applying");
    device.apply(changes).map_err(at(Step::Apply))?;
    context.stop_if_interrupted().map_err(at(Step::Apply))?;
    settle(device, after, context, Interruptible::Yes).map_err(at(Step::Settle))?;
    device.condition(after).map_err(at(Step::Condition))?;
    context.stop_if_interrupted().map_err(at(Step::Condition))?;
    device.commit().map_err(at(Step::Commit))?;
    context.log.line("done");
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interruptible {
    Yes,
    No,
}

/// Reads until nothing is left to change.
fn settle<D: Device>(
    device: &mut D,
    wanted: &D::State,
    context: &Context,
    interruptible: Interruptible,
) -> Result<(), Fault> {
    let deadline = context.clock.now() + device.patience();
    let mut rounds = 0;
    loop {
        let fault = match device.read() {
            Ok(picture) => {
                let left = device.changes(&device.restrict(&picture, wanted), wanted);
                if left.is_empty() {
                    return Ok(());
                }
                if rounds < ROUNDS && device.mend(&left)? {
                    rounds += 1;
                    continue;
                }
                let left: Vec<String> = left.iter().map(ToString::to_string).collect();
                Fault::new("not_settled", format!("reading back found it not done: {}", left.join("; ")))
            }
            // A daemon that restarts is away for a moment.
            Err(fault) => fault,
        };
        if context.clock.now() >= deadline {
            return Err(fault);
        }
        if interruptible == Interruptible::Yes {
            context.stop_if_interrupted()?;
        }
        context.clock.sleep(PAUSE);
    }
}

/// The one way back: panic, signal, failed step, failed read-back and the next run all come here.
fn go_back<D: Device>(device: &mut D, before: &D::State, context: &Context) -> Outcome {
    let forgotten = |device: &mut D, outcome| match device.forget() {
        Ok(()) => outcome,
        Err(rollback) => Outcome::NeedsAttention { rollback: Some(rollback) },
    };
    if !device.is_touched() {
        return forgotten(device, Outcome::Unchanged);
    }
    context.log.line("going back");
    let tried = caught(|| device.rollback(before).map_err(|fault| (Step::Rollback, fault)), Step::Rollback);
    let found = caught(
        || settle(device, before, context, Interruptible::No).map_err(|fault| (Step::Rollback, fault)),
        Step::Rollback,
    );
    // Only what was read back counts, whatever the attempt said.
    let outcome = match (found, device.reverts_at()) {
        (Ok(()), _) => forgotten(device, Outcome::RolledBack),
        (Err(_), Some(reverts_at)) => Outcome::PendingRevert { reverts_at },
        (Err((_, found)), None) => {
            let rollback = match tried {
                Ok(()) => found,
                Err((_, rollback)) => Fault { message: format!("{rollback}; {found}"), ..rollback },
            };
            Outcome::NeedsAttention { rollback: Some(rollback) }
        }
    };
    context.log.line(&format!("{outcome:?}"));
    outcome
}

/// Turns a panic into a fault, so that it takes the way back like any other.
fn caught(run: impl FnOnce() -> Result<(), (Step, Fault)>, step: Step) -> Result<(), (Step, Fault)> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err((
            step,
            Fault::new(
                "internal",
                format!("a defect of this module stopped it: {text}; hint: please report it"),
            ),
        ))
    })
}
