//! What else there is on the switch when a run looks at it: what earlier runs of ours left, and who is at work. What is
//! done about a change is `switch.rs`'s.

use std::time::Duration;

use ansible_module::fault::Fault;
use ansible_module::lock::Lock;

use crate::claim::Claims;
use crate::dialog::Dialog;
use crate::note::Note;
use crate::sessions::{Expiry, Sessions, Timer};
use crate::switch::{Aim, Progress, Switch};
use crate::turn::{self, Turn};
use crate::window::Window;

/// Between two looks at a switch that is busy.
pub(crate) const PAUSE: Duration = Duration::from_millis(250);

/// A change that is not for this run to confirm, nor to undo.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Its session.
    pub(crate) session: String,
    /// Whose it is, for a sentence.
    pub(crate) whose: String,
    /// Whether the run that confirms it stands in our queue.
    is_of_queue: bool,
}

impl Switch<'_> {
    /// Looks at the sessions: whose timer runs, and what earlier runs of ours left.
    pub(crate) fn look_around(&mut self) -> Result<(), Fault> {
        let mut sessions = self.reach.with(Dialog::sessions)?;
        let is_stale = |claims: &Option<Claims>, session: &str| {
            claims.as_ref().is_some_and(|claims| claims.is_stale(session))
        };
        if self.context.check_mode {
            self.claims = Claims::peek();
        } else {
            self.claims()?;
            for session in &sessions.pending {
                if !is_stale(&self.claims, session) {
                    continue;
                }
                self.context.log.line(&format!("aborting {session}, which an interrupted run left"));
                match self.reach.with(|dialog| dialog.abort(session)) {
                    Err(error) if !error.is_of_the_connection() => self.tell_left(session, error),
                    aborted => {
                        aborted?;
                        self.claims()?.forget(session);
                    }
                }
            }
        }
        self.look_after_notes(&sessions);
        self.progress = Progress::Nothing;
        self.pending = None;
        // The switch may not have noticed yet that nobody is in those any more.
        sessions.users.retain(|session, _| !is_stale(&self.claims, session));
        self.other_run = match Turn::of(&sessions, None) {
            Turn::Theirs(session) if sessions.timer.is_none() => Some(session),
            _ => None,
        };
        match sessions.timer {
            Some(timer) if is_stale(&self.claims, &timer.session) => self.find(timer),
            timer => {
                let whose = "somebody else's change".to_owned();
                self.pending =
                    timer.map(|timer| Pending { session: timer.session, whose, is_of_queue: false });
            }
        }
        Ok(())
    }

    /// A change of ours waits, and nobody is at work on it.
    fn find(&mut self, timer: Timer) {
        let session = timer.session;
        let note =
            self.claims.as_ref().map(|claims| Note::parse(&claims.noted(&session))).unwrap_or_default();
        let is_of_ours = note.is_of_any(&self.channels);
        let is_for_us = match self.aim {
            Aim::Discard => is_of_ours || self.channels.is_empty(),
            // Nobody is coming back to one that was interrupted.
            Aim::Final | Aim::Provisional => is_of_ours || !note.waits,
        };
        if !is_for_us {
            let whose = format!("a change{}, which another task confirms,", note.of_what());
            self.pending = Some(Pending { session, whose, is_of_queue: true });
            return;
        }
        let is_expected = note.waits && note.channels == self.channels || self.aim == Aim::Discard;
        if !is_expected {
            let which = if note.waits { "earlier" } else { "interrupted" };
            let of = note.of_what();
            self.tell(format!(
                "an {which} run's change{of} was waiting to be confirmed, in session {session}"
            ));
        }
        let window = self.window_of(timer.expiry);
        self.progress = Progress::Inherited { session, note, window };
    }

    /// Forgets those of this switch whose sessions are over. One that was left to be confirmed, and was not, is told.
    fn look_after_notes(&mut self, sessions: &Sessions) {
        let Some(claims) = &self.claims else { return };
        let switch = self.switch();
        for session in claims.left().iter().filter(|session| !sessions.has(session)) {
            let note = Note::parse(&claims.noted(session));
            if note.switch != switch {
                continue;
            }
            if note.waits && note.channels == self.channels {
                self.lapsed = Some(session.clone());
            }
            if !self.context.check_mode {
                claims.forget(session);
            }
        }
    }

    /// The switch, as the task calls it.
    pub(crate) fn switch(&self) -> String {
        format!("{}:{}", self.host.to_ascii_lowercase(), self.port)
    }

    /// What is left of the window of an earlier run. Older releases tell when it ends by the switch's uptime.
    fn window_of(&mut self, expiry: Option<Expiry>) -> Option<Window> {
        let asked = self.context.clock.now();
        let left = match expiry? {
            Expiry::In(left) => left,
            at @ Expiry::AtUptime(_) => at.left(self.reach.with(Dialog::version).ok()?.uptime)?,
        };
        Some(Window::new(left, asked, self.context.clock.now()))
    }

    /// Waits a moment for others, unless that was long enough already.
    pub(crate) fn wait_for_others(&self, fault: impl FnOnce() -> Fault) -> Result<(), Fault> {
        self.context.stop_if_interrupted()?;
        if self.context.clock.now() >= self.patience_ends {
            return Err(fault());
        }
        self.context.clock.sleep(PAUSE);
        Ok(())
    }

    /// Whether nobody else is about to change something; waits a moment where somebody is.
    pub(crate) fn is_quiet(&mut self) -> Result<bool, Fault> {
        if let Some(session) = &self.other_run {
            self.wait_for_others(|| turn::is_taken(session))?;
            return Ok(false);
        }
        let Some(Pending { session, whose, is_of_queue }) = &self.pending else { return Ok(true) };
        if *is_of_queue {
            self.lock = None;
        }
        self.wait_for_others(|| {
            Fault::new(
                "commit_timer_pending",
                format!(
                    "preparing the change: {whose} waits to be confirmed in session {session}, and EOS takes no other \
                     until then; hint: confirm it with `configure session {session} commit`, or wait longer"
                ),
            )
        })?;
        if self.lock.is_none() {
            let left = self.patience_ends.saturating_sub(self.context.clock.now());
            self.queue(left)?;
        }
        Ok(false)
    }

    /// Stands in the queue of those who change this switch, until it is our turn.
    pub(crate) fn queue(&mut self, patience: Duration) -> Result<(), Fault> {
        let (host, port) = (self.host.clone(), self.port);
        let path = self.claims()?.queue(&host, port);
        let stop = || self.context.is_interrupted();
        self.lock = Some(Lock::acquire(&path, self.module, patience, &stop)?);
        Ok(())
    }

    /// That the change of an earlier run is made anew, where it is.
    pub(crate) fn tell_lapsed(&mut self) {
        if let Some(session) = self.lapsed.take() {
            self.tell(format!(
                "the change that an earlier run left to be confirmed, in session {session}, was not confirmed in time, \
                 or undone: it is made anew"
            ));
        }
    }

    /// Something that the user should know, once.
    pub(crate) fn tell(&mut self, notice: String) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }
}
