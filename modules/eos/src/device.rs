//! The switch in the one flow: a checkpoint is a configuration session with the lines typed, applying is its commit
//! with a timer, reading goes over a new connection then, and final is what was confirmed over that.

use std::time::Duration;

use ansible_module::converge::{Device, Prepared};
use ansible_module::fault::Fault;
use ansible_module::outcome::Provisional;
use serde_json::Value;

use crate::change::{Change, changes};
use crate::config::Config;
use crate::dialog::Dialog;
use crate::picture::{Picture, SaveWhen};
use crate::state::State;
use crate::surroundings::Pending;
use crate::switch::{Aim, Progress, Switch};
use crate::window::Window;

/// A running-config is what was committed at once, or not at all.
const SETTLE: Duration = Duration::from_secs(3);

impl Device for Switch<'_> {
    type Picture = Picture;
    type State = State;
    type Change = Change;

    fn lock(&mut self) -> Result<(), Fault> {
        self.queue(self.lock_timeout)
    }

    fn resume(&mut self) -> Result<Option<State>, Fault> {
        // What a killed run left is on the switch, and found when that is read.
        Ok(None)
    }

    fn read(&mut self) -> Result<Picture, Fault> {
        let is_reading_back = self.is_touched() || matches!(self.progress, Progress::Final);
        let running = if is_reading_back {
            self.reach.insist(self.last_attempt(), self.context, Dialog::running)?
        } else {
            self.look_around()?;
            self.reach.with(Dialog::running)?
        };
        self.running = Config::parse(&running);
        if matches!(self.progress, Progress::Committed(..)) && self.read_back.is_none() {
            self.read_back = Some(self.running.clone());
        }
        let mut startup = String::new();
        if self.save_when != SaveWhen::Never && !is_reading_back {
            startup = self.reach.with(Dialog::startup)?;
        }
        Ok(Picture {
            unconfirmed: self.unconfirmed(),
            running: self.running.clone(),
            startup: Config::parse(&startup),
            save_when: self.save_when,
        })
    }

    fn restrict(&self, picture: &Picture, like: &State) -> State {
        let mut found = State::found(picture, like);
        if !matches!(self.progress, Progress::Nothing) {
            // Nothing is saved before it is final.
            found.saved = like.saved;
        }
        found
    }

    fn changes(&self, found: &State, wanted: &State) -> Vec<Change> {
        let mut changes = changes(found, wanted);
        if self.is_touched() {
            // That nothing is saved yet is no part of what went wrong.
            changes.retain(|change| *change != Change::Save);
        }
        changes
    }

    fn is_provisional(&self, _: &State) -> bool {
        // What another task did is not proved by this one.
        let is_of_task =
            matches!(&self.progress, Progress::Inherited { note, .. } if note.channels == self.channels);
        is_of_task && self.aim == Aim::Final
    }

    fn rehearse(&mut self, _: &Picture, changes: &[Change]) -> Result<Prepared, Fault> {
        self.note(changes);
        self.tell_lapsed();
        if !self.check_on_box || self.aim == Aim::Discard || changes == [Change::Save] {
            return Ok(Prepared::Ready);
        }
        let prepared = self.draft(changes);
        self.discard();
        prepared
    }

    fn checkpoint(&mut self, _: &Picture, before: &State, after: &State) -> Result<Prepared, Fault> {
        self.wanted = after.clone();
        if self.aim == Aim::Discard {
            self.note(&changes(before, after));
            return Ok(Prepared::Ready);
        }
        if let Progress::Inherited { session, .. } = &self.progress {
            // It is not what is asked for now, and the switch would undo it anyway.
            let session = session.clone();
            self.reach.with(|dialog| dialog.abort(&session))?;
            self.claims()?.forget(&session);
            self.progress = Progress::Nothing;
            return Ok(Prepared::Moved);
        }
        if !self.is_quiet()? {
            return Ok(Prepared::Moved);
        }
        self.tell_lapsed();
        let changes = changes(before, after);
        self.note(&changes);
        if changes == [Change::Save] {
            self.progress = Progress::Final;
            return Ok(Prepared::Ready);
        }
        let prepared = self.draft(&changes);
        if !matches!(prepared, Ok(Prepared::Ready)) {
            self.discard();
        }
        prepared
    }

    fn diff(&self) -> Option<Value> {
        self.diff.clone()
    }

    fn apply(&mut self, _: &[Change]) -> Result<(), Fault> {
        if self.aim == Aim::Discard {
            return self.undo();
        }
        let mut draft = match std::mem::replace(&mut self.progress, Progress::Nothing) {
            Progress::Drafted(draft) => draft,
            other => {
                self.progress = other;
                return Ok(());
            }
        };
        let now = || self.context.clock.now();
        let typed = now();
        let committed = self.reach.with(|dialog| dialog.commit(self.confirm_within));
        let window = self.confirm_within.map(|length| Window::new(length, typed, now()));
        if window.is_some() {
            // It may wait when this run is over, whatever becomes of that.
            draft.keep_note();
        }
        match committed {
            Err(error) if !error.is_of_the_connection() => {
                // Whatever the switch says, what is not pending any more may be live.
                let sessions = self.reach.with(Dialog::sessions);
                let is_pending = sessions.is_ok_and(|found| found.is_pending(draft.session()));
                self.progress =
                    if is_pending { Progress::Drafted(draft) } else { Progress::Committed(draft, window) };
                return Err(Fault::from_error("commit_refused", &error));
            }
            Err(error) => self.context.log.line(&format!("no answer to the commit: {}", Fault::from(error))),
            Ok(()) => {}
        }
        // The change may have cut this very connection, and only a new one proves the way in.
        self.reach.close();
        self.progress = Progress::Committed(draft, window);
        Ok(())
    }

    fn mend(&mut self, _: &[Change]) -> Result<bool, Fault> {
        Ok(false)
    }

    fn patience(&self) -> Duration {
        SETTLE
    }

    fn condition(&mut self, after: &State) -> Result<(), Fault> {
        self.wanted = after.clone();
        self.wait_for_lacp(after)
    }

    fn foresee(&mut self, after: &State) -> Result<(), Fault> {
        self.foresee_lacp(after)
    }

    fn commit(&mut self) -> Result<(), Fault> {
        match self.aim {
            Aim::Final => self.confirm(),
            Aim::Provisional => self.leave(),
            Aim::Discard => self.is_undone(),
        }
    }

    fn persist(&mut self, after: &State) -> Result<(), Fault> {
        if after.saved != Some(true) {
            return Ok(());
        }
        self.save(after).map_err(|fault| Fault::new("not_saved", fault.message))
    }

    fn is_touched(&self) -> bool {
        let progress = &self.progress;
        self.is_confirming
            || matches!(progress, Progress::Committed(..) | Progress::Undone | Progress::Discarding { .. })
    }

    fn rollback(&mut self, before: &State) -> Result<(), Fault> {
        let Progress::Committed(draft, _) = &self.progress else { return Ok(()) };
        let session = draft.session().to_owned();
        let was_open = self.reach.insist(self.verdict_by(), self.context, |dialog| dialog.abort(&session))?;
        if !was_open && self.confirm_within.is_none() {
            self.commit_way_back(before)?;
        }
        self.claims()?.forget(&session);
        self.progress = Progress::Undone;
        Ok(())
    }

    fn reverts_at(&self) -> Option<String> {
        let (_, window) = self.timer().filter(|_| !self.is_confirming)?;
        window.map(Window::reverts_at)
    }

    fn provisional(&self) -> Option<Provisional> {
        self.left_waiting()
    }

    fn forget(&mut self) -> Result<(), Fault> {
        self.discard();
        Ok(())
    }

    fn commands(&self) -> Vec<String> {
        self.commands.clone()
    }

    fn notices(&self) -> Vec<String> {
        let timer = self.pending.iter().map(|Pending { session, whose, .. }| {
            let what = match self.aim {
                Aim::Discard => "it is left alone",
                Aim::Final | Aim::Provisional => "what was read may be undone by the switch",
            };
            format!("{whose} waits to be confirmed in session {session}: {what}")
        });
        self.reach.notices().iter().cloned().chain(self.notices.iter().cloned()).chain(timer).collect()
    }
}
