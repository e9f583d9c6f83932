//! Making a change final whose timer runs, over connections that may fail: what was typed may have been heard, so the
//! switch is asked before it is typed again. Until when that makes sense is in `window.rs`.

use ansible_module::fault::Fault;

use crate::dialog::{Dialog, Error};

/// The confirmation of a session.
#[derive(Debug)]
pub struct Confirmation {
    session: String,
    is_typed: bool,
    refusal: Option<Error>,
}

impl Confirmation {
    /// One that was not given yet.
    pub fn of(session: &str) -> Self {
        Self { session: session.to_owned(), is_typed: false, refusal: None }
    }

    /// Whether the switch may have heard it.
    pub fn is_typed(&self) -> bool {
        self.is_typed
    }

    /// Whether the switch answered with an error.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// Gives it, where that is still to be done, and looks what came of it.
    pub fn give(&mut self, dialog: &mut Dialog) -> Result<Option<String>, Error> {
        if !self.is_typed || dialog.sessions()?.waits_for(&self.session) {
            self.is_typed = true;
            match dialog.confirm(&self.session) {
                Err(error) if !error.is_of_the_connection() => self.refusal = Some(error),
                confirmed => confirmed?,
            }
        }
        self.look(dialog)
    }

    /// The running-config, once the timer is gone; none while it still runs.
    pub fn look(&self, dialog: &mut Dialog) -> Result<Option<String>, Error> {
        let is_over = !dialog.sessions()?.waits_for(&self.session);
        is_over.then(|| dialog.running()).transpose()
    }

    /// Why the timer still runs.
    pub fn refused(self) -> Fault {
        let fact = self
            .refusal
            .map_or_else(|| "its timer still runs".to_owned(), |error| Fault::from(error).message);
        Fault::new("confirm_refused", format!("confirming session {}: {fact}", self.session))
    }

    /// That the switch does not tell what became of it.
    pub fn unanswered(&self, fault: &Fault) -> Fault {
        let Self { session, .. } = self;
        Fault::new(
            "confirm_unanswered",
            format!("confirming session {session}: whether the switch has heard it is not known: {fault}"),
        )
    }
}
