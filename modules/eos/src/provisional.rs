//! A change that waits to be confirmed by a later run: leaving it so, and undoing it. Confirming it is `switch.rs`'s.

use ansible_module::fault::Fault;
use ansible_module::outcome::Provisional;

use crate::dialog::{Dialog, Error};
use crate::picture::Unconfirmed;
use crate::switch::{Aim, Progress, Switch};

impl Switch<'_> {
    /// Leaves the change as it is, live, with its timer running. That it does is looked at over the new connection.
    pub(crate) fn leave(&mut self) -> Result<(), Fault> {
        let Some((session, window)) = self.timer() else { return Ok(()) };
        let (session, window) = (session.to_owned(), window.cloned());
        let sessions = self.reach.insist(self.last_attempt(), self.context, Dialog::sessions)?;
        if !sessions.waits_for(&session) {
            return Err(Fault::new(
                "confirm_failed",
                format!(
                    "leaving session {session} to be confirmed later: it does not wait for that any more; \
                     hint: was the time to confirm it, `confirm_within`, too short?"
                ),
            ));
        }
        self.progress = match std::mem::replace(&mut self.progress, Progress::Nothing) {
            // Its file is let go of, and kept: whoever confirms it finds it as one that nobody is at work in.
            Progress::Committed(draft, _) => {
                Progress::Inherited { session, note: draft.note().clone(), window }
            }
            other => other,
        };
        Ok(())
    }

    /// What is left waiting, for the result.
    pub(crate) fn left_waiting(&self) -> Option<Provisional> {
        let Progress::Inherited { note, window: Some(window), .. } = &self.progress else { return None };
        let is_left = self.aim == Aim::Provisional && note.channels == self.channels;
        is_left.then(|| Provisional {
            reverts_at: window.reverts_at(),
            seconds_left: window.left(self.context.clock.now()).as_secs(),
        })
    }

    /// What is to be undone. Once it was, none, until `is_undone` proves it.
    pub(crate) fn unconfirmed(&self) -> Option<Unconfirmed> {
        match &self.progress {
            Progress::Inherited { session, note, .. } if self.aim == Aim::Discard => {
                Some(Unconfirmed { session: session.clone(), before: note.before(&self.running) })
            }
            _ => None,
        }
    }

    /// Has the switch undo what waits.
    pub(crate) fn undo(&mut self) -> Result<(), Fault> {
        let Progress::Inherited { session, window, .. } = &self.progress else { return Ok(()) };
        let (session, window) = (session.clone(), window.clone());
        let mut is_refused = false;
        let aborted = self.reach.insist(self.verdict_by(), self.context, |dialog| {
            dialog.abort(&session).inspect_err(|error| is_refused = !error.is_of_the_connection())
        });
        // The way in may be another one now, and only a new connection proves it.
        self.reach.close();
        let by_itself = window
            .as_ref()
            .map(|window| format!("; the switch undoes it by itself at {}", window.reverts_at()));
        if !is_refused {
            self.progress = Progress::Discarding { session, window };
        }
        aborted
            .map(drop)
            .map_err(|fault| Fault { message: fault.message + &by_itself.unwrap_or_default(), ..fault })
    }

    /// Makes sure that nothing waits any more.
    pub(crate) fn is_undone(&mut self) -> Result<(), Fault> {
        let Progress::Discarding { session, .. } = &self.progress else { return Ok(()) };
        let session = session.clone();
        let sessions = self.reach.insist(self.verdict_by(), self.context, Dialog::sessions)?;
        if sessions.has(&session) {
            return Err(Error::StillThere { session }.into());
        }
        self.claims()?.forget(&session);
        self.progress = Progress::Final;
        Ok(())
    }
}
