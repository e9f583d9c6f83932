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
    dialog: Option<Dialog>,
    notices: Vec<String>,
    /// Why the user was not let in the last time, if that was so.
    barred: Option<Fault>,
}

impl Reach {
    /// No connection yet.
    pub fn new(login: Login, enable_password: Option<Secret>) -> Self {
        Self { login, enable_password, dialog: None, notices: Vec::new(), barred: None }
    }

    /// Whether there is a connection that has not failed yet.
    pub fn is_open(&self) -> bool {
        self.dialog.is_some()
    }

    /// What connecting had to tell.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Ends the connection, so that the next step needs a new one.
    pub fn close(&mut self) {
        self.dialog = None;
    }

    /// Connects where there is no connection.
    pub fn open(&mut self) -> Result<&mut Dialog, Error> {
        let dialog = match self.dialog.take() {
            Some(dialog) => dialog,
            None => Dialog::open(&self.login, self.enable_password.as_ref())?,
        };
        for notice in dialog.notices() {
            if !self.notices.contains(notice) {
                self.notices.push(notice.clone());
            }
        }
        Ok(self.dialog.insert(dialog))
    }

    /// Does a step of the dialog, over the connection that is there or a new one.
    pub fn with<T>(&mut self, step: impl FnOnce(&mut Dialog) -> Result<T, Error>) -> Result<T, Error> {
        let done = step(self.open()?);
        if done.as_ref().is_err_and(Error::is_of_the_connection) {
            self.close();
        }
        done
    }

    /// Does a step that may be done twice, again over a new connection where one fails, until `deadline`.
    pub fn insist<T>(
        &mut self,
        deadline: Duration,
        context: &Context,
        mut step: impl FnMut(&mut Dialog) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        loop {
            self.open_until(deadline, context)?;
            match self.with(&mut step) {
                Err(error) if error.is_of_the_connection() && context.clock.now() < deadline => {
                    context.clock.sleep(PAUSE);
                }
                done => return Ok(done?),
            }
        }
    }

    /// Connects, trying again until `deadline` of the context's clock where the network or the switch is away. A user
    /// who is not let in is not tried again: some switches lock them out for that.
    pub fn open_until(&mut self, deadline: Duration, context: &Context) -> Result<(), Fault> {
        if let Some(fault) = &self.barred {
            return Err(fault.clone());
        }
        let limit = self.login.timeout;
        loop {
            let left = deadline.saturating_sub(context.clock.now());
            self.login.timeout = limit.min(left.max(LEAST));
            let opened = self.open().map(drop);
            self.login.timeout = limit;
            let Err(error) = opened else { return Ok(()) };
            let is_away =
                matches!(&error, Error::Ssh(error) if error.is_away()) || matches!(error, Error::Shell(_));
            let fault = Fault::from(error);
            if !is_away {
                self.barred = Some(fault.clone());
                return Err(fault);
            }
            if context.clock.now() + PAUSE >= deadline || context.is_interrupted() {
                return Err(fault);
            }
            context.clock.sleep(PAUSE);
        }
    }
}
