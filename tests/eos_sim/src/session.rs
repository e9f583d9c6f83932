//! Configuration sessions: their life from `configure session` to the end of a commit timer. What is typed into one
//! is `configure.rs`, how they are listed `show/sessions.rs`.

use std::time::{Duration, SystemTime};

use crate::config::Config;

/// How many sessions may be pending, where nothing else is configured.
const MAX_PENDING: usize = 5;
/// How many sessions that came to an end are remembered, where nothing else is configured.
const MAX_COMPLETED: usize = 1;
/// After which time a pending session is forgotten (EOS manual, `configure session`).
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Open.
    Pending,
    /// Live, until it is confirmed or its timer runs out.
    PendingCommitTimer,
    /// Committed.
    Completed,
    /// Given up, or its timer ran out.
    Aborted,
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// The configuration that a commit makes the running-config.
    pub config: Config,
    /// Where it stands.
    pub state: State,
    /// Who is in it.
    pub inside: Option<Connection>,
    /// When it came to an end, and by whom where it was committed.
    pub ended: Option<(SystemTime, Option<String>)>,
    opened: SystemTime,
}

/// Who is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The user.
    pub user: String,
    /// From where.
    pub from: String,
    /// The number of the terminal: `vty5`.
    pub vty: u32,
}

/// A commit that is gone back from unless it is confirmed.
#[derive(Debug, Clone)]
pub struct Timer {
    /// Of which session.
    pub session: String,
    /// When.
    pub deadline: SystemTime,
    /// To what.
    before: Config,
}

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    list: Vec<Session>,
    timer: Option<Timer>,
    named: u32,
}

impl Sessions {
    /// Every session, oldest first.
    pub fn list(&self) -> &[Session] {
        &self.list
    }

    /// The commit timer that runs. There is never more than one.
    pub fn timer(&self) -> Option<&Timer> {
        self.timer.as_ref()
    }

    /// A session that can be entered, changed and committed.
    pub fn open(&self, name: &str) -> Option<&Session> {
        self.list.iter().find(|session| session.name == name && session.is_open())
    }

    /// The same, to be changed.
    pub fn open_mut(&mut self, name: &str) -> Option<&mut Session> {
        self.list.iter_mut().find(|session| session.name == name && session.is_open())
    }

    /// Enters a session, which begins as a copy of the running-config where it is not open. Returns its name.
    ///
    /// # Errors
    /// The error line, where too many are pending.
    pub fn enter(
        &mut self,
        name: Option<&str>,
        running: &Config,
        who: &Connection,
        now: SystemTime,
    ) -> Result<String, String> {
        let name = name.map_or_else(
            || {
                self.named += 1;
                format!("sess-{}--1-{}", 2000 + who.vty, self.named)
            },
            str::to_owned,
        );
        if let Some(session) = self.open_mut(&name) {
            session.inside = Some(who.clone());
            return Ok(name);
        }
        if self.list.iter().filter(|session| session.is_open()).count() >= max_pending(running) {
            return Err("% Maximum number of pending sessions has been reached. \
                        Please commit or abort previous sessions before creating a new one."
                .to_owned());
        }
        self.list.retain(|session| session.name != name);
        self.list.push(Session {
            name: name.clone(),
            config: running.clone(),
            state: State::Pending,
            inside: Some(who.clone()),
            ended: None,
            opened: now,
        });
        Ok(name)
    }

    /// Nobody of this connection is in a session any more.
    pub fn leave(&mut self, who: &Connection) {
        for session in &mut self.list {
            session.inside.take_if(|inside| inside == who);
        }
    }

    /// Commits a session: what it holds replaces the running-config, whatever others changed meanwhile. Where its timer
    /// runs, the commit is confirmed; a new timer begins it again.
    ///
    /// # Errors
    /// The error line, where there is no such session or another one's timer runs.
    pub fn commit(
        &mut self,
        name: &str,
        timer: Option<Duration>,
        running: &mut Config,
        who: &Connection,
        now: SystemTime,
    ) -> Result<(), String> {
        self.may_commit(Some(name))?;
        let session = self.list.iter_mut().find(|session| session.name == name && session.is_open());
        let session = session.ok_or_else(|| no_such_session(name))?;
        session.inside = None;
        session.ended = Some((now, Some(who.user.clone())));
        let before = match self.timer.take() {
            Some(timer) => timer.before,
            None => std::mem::replace(running, session.config.clone()),
        };
        session.state = if timer.is_some() { State::PendingCommitTimer } else { State::Completed };
        self.timer = timer.map(|timer| Timer { session: name.to_owned(), deadline: now + timer, before });
        self.forget(running);
        Ok(())
    }

    /// Whether a session, or a change without one, may become the running-config now.
    ///
    /// # Errors
    /// The error line, where another one's timer runs.
    pub fn may_commit(&self, session: Option<&str>) -> Result<(), String> {
        match self.timer.as_ref().filter(|timer| session != Some(timer.session.as_str())) {
            Some(other) => {
                Err(format!("% Cannot commit: the commit timer of session {} is running", other.session))
            }
            None => Ok(()),
        }
    }

    /// Gives a session up. Where its timer runs, the running-config goes back.
    ///
    /// # Errors
    /// The error line, where there is no such session.
    pub fn abort(&mut self, name: &str, running: &mut Config, now: SystemTime) -> Result<(), String> {
        let session = self.open_mut(name).ok_or_else(|| no_such_session(name))?;
        session.state = State::Aborted;
        session.inside = None;
        session.ended = Some((now, None));
        if let Some(timer) = self.timer.take_if(|timer| timer.session == name) {
            *running = timer.before;
        }
        self.forget(running);
        Ok(())
    }

    /// Deletes a session and what is remembered of it.
    ///
    /// # Errors
    /// The error line, where there is no such session.
    pub fn delete(&mut self, name: &str, running: &mut Config, now: SystemTime) -> Result<(), String> {
        if self.open(name).is_some() {
            self.abort(name, running, now)?;
        }
        let before = self.list.len();
        self.list.retain(|session| session.name != name);
        if self.list.len() == before { Err(no_such_session(name)) } else { Ok(()) }
    }

    /// Ends what ran out: a commit timer, and pending sessions after a day.
    pub fn tick(&mut self, running: &mut Config, now: SystemTime) {
        if let Some(timer) = self.timer.clone().filter(|timer| timer.deadline <= now) {
            let _ = self.abort(&timer.session, running, now);
        }
        self.list.retain(|session| session.state != State::Pending || now < session.opened + LIFETIME);
    }

    /// Forgets those that came to an end, but for the latest.
    fn forget(&mut self, running: &Config) {
        let ended = |session: &Session| !session.is_open();
        while self.list.iter().filter(|session| ended(session)).count() > max_completed(running) {
            let oldest = self.list.iter().enumerate().filter(|(_, session)| ended(session));
            let oldest = oldest.min_by_key(|(_, session)| session.ended.as_ref().map(|(time, _)| *time));
            let Some((oldest, _)) = oldest else { return };
            self.list.remove(oldest);
        }
    }
}

impl Session {
    fn is_open(&self) -> bool {
        matches!(self.state, State::Pending | State::PendingCommitTimer)
    }
}

/// How many sessions may be pending at a switch of this configuration.
pub fn max_pending(running: &Config) -> usize {
    running.max_sessions("pending").unwrap_or(MAX_PENDING)
}

/// How many sessions that came to an end are remembered there.
pub fn max_completed(running: &Config) -> usize {
    running.max_sessions("completed").unwrap_or(MAX_COMPLETED)
}

fn no_such_session(name: &str) -> String {
    format!("% Session {name} does not exist")
}
