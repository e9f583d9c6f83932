//! The way to the switch: one connection at a time, opened when it is needed, and never used again after it failed.

use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::fault::Fault;

use crate::dialog::{Dialog, Error};
use crate::login::{Login, Secret};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(250);
/// Logging in over a slow line takes longer than what may be left to a deadline; one begun before it may end after.
const LEAST: Duration = Duration::from_secs(5);

/// Who logs in where, and the dialog with the switch if there is one.
pub struct Reach {
    login: Login,
    enable_password: Option<Secret>,
    /// How long each step of a dialog may take.
    limit: Duration,
    dialog: Option<Dialog>,
    notices: Vec<String>,
    /// Why nobody was let in. That is final: some switches lock a user out who tries again.
    barred: Option<Fault>,
}

impl Reach {
    /// No connection yet.
    pub fn new(login: Login, enable_password: Option<Secret>) -> Self {
        let limit = login.timeout;
        Self { login, enable_password, limit, dialog: None, notices: Vec::new(), barred: None }
    }

    /// What connecting had to tell.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Ends the connection, so that the next step needs a new one.
    pub fn close(&mut self) {
        self.dialog = None;
    }

    /// Does a step of the dialog, over the connection that is there or a new one.
    pub fn with<T>(&mut self, step: impl FnOnce(&mut Dialog) -> Result<T, Error>) -> Result<T, Error> {
        self.with_in(self.limit, step)
    }

    /// Does a step that may be done twice, until `deadline` of the context's clock: over a new connection wherever the
    /// network or the switch is away. At least once, however late it is.
    pub fn insist<T>(
        &mut self,
        deadline: Duration,
        context: &Context,
        mut step: impl FnMut(&mut Dialog) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        loop {
            let left = deadline.saturating_sub(context.clock.now());
            match self.with_in(self.limit.min(left.max(LEAST)), &mut step) {
                Err(error)
                    if error.is_away()
                        && context.clock.now() + PAUSE < deadline
                        && !context.is_interrupted() =>
                {
                    context.log.line(&format!("trying again: {}", Fault::from(error)));
                }
                done => return Ok(done?),
            }
            context.clock.sleep(PAUSE);
        }
    }

    /// Does a step. Where there is no connection, `limit` is how long it may take to get one.
    fn with_in<T>(
        &mut self,
        limit: Duration,
        step: impl FnOnce(&mut Dialog) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut dialog = match self.dialog.take() {
            Some(dialog) => dialog,
            None => self.log_in(limit)?,
        };
        let done = step(&mut dialog);
        if !done.as_ref().is_err_and(Error::is_of_the_connection) {
            self.dialog = Some(dialog);
        }
        done
    }

    fn log_in(&mut self, limit: Duration) -> Result<Dialog, Error> {
        if let Some(fault) = &self.barred {
            return Err(Error::Barred(fault.clone()));
        }
        self.login.timeout = limit;
        let opened = Dialog::open(&self.login, self.enable_password.as_ref());
        let mut dialog = opened.map_err(|error| {
            if error.is_away() {
                return error;
            }
            let fault = self.barred.insert(error.into());
            Error::Barred(fault.clone())
        })?;
        dialog.allow(self.limit);
        for notice in dialog.notices() {
            if !self.notices.contains(notice) {
                self.notices.push(notice.clone());
            }
        }
        Ok(dialog)
    }
}
