//! One connection's CLI: its mode, its prompt, and what every typed line answers. Bytes, echo and paging are the
//! server's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use crate::shell::{Answer, Then};

use crate::commands::{Act, Exec, is_for_all};
use crate::files::COPIED;
use crate::grammar::{Extent, Matched, Misfit, find, tokens};
use crate::pipe::{self, Pipe};
use crate::setting::Form;
use crate::shell::{At, Mode, Shell};
use crate::show::{self, Asker};
use crate::state::State;

/// One connection's CLI.
pub struct Terminal {
    state: Arc<Mutex<State>>,
    shell: Shell,
}

impl Terminal {
    pub(crate) fn new(state: Arc<Mutex<State>>, user: &str, privileged: bool, from: &str) -> Self {
        let who = lock(&state).connect(user, from);
        Self { state, shell: Shell { who, privileged, length: None, mode: Mode::Exec } }
    }

    /// The prompt, such as `core(config-s-bothen-if-Po1001)#`, without a space behind it.
    pub fn prompt(&self) -> String {
        let state = lock(&self.state);
        self.shell.prompt(&format!("{}{}", state.running.hostname(), state.platform.supervisor()))
    }

    /// Executes one input line, given without its end.
    pub fn line(&mut self, line: &str) -> Answer {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        let line = line.trim();
        if line.is_empty() || line.starts_with('!') {
            return Answer::text("");
        }
        let state = Arc::clone(&self.state);
        let mut state = lock(&state);
        if let Some(name) = self.shell.session().filter(|name| state.sessions.open(name).is_none()) {
            // Somebody else committed, aborted or deleted it.
            let gone = format!("% Session {name} does not exist");
            self.shell.mode = Mode::Exec;
            return Answer::line(&gone);
        }
        self.execute(&mut state, line).unwrap_or_else(|error| Answer::line(&error))
    }

    /// Answers [`Then::Password`].
    pub fn password(&mut self, text: &str) -> Answer {
        self.shell.privileged = lock(&self.state).enable_secret.as_deref() == Some(text);
        if self.shell.privileged { Answer::text("") } else { Answer::line("% Bad secret") }
    }

    /// Ends what [`Then::Paste`] began.
    pub fn pasted(&mut self) -> Answer {
        self.shell.go(At::Top);
        Answer::line(COPIED)
    }

    /// After how many lines of an answer `--More--` stands, as set by `terminal length`; none where it was set to 0,
    /// and `rows` (those of the PTY) where it was not set.
    pub fn page_length(&self, rows: usize) -> Option<usize> {
        Some(self.shell.length.unwrap_or(rows)).filter(|length| *length > 0)
    }

    /// The connection has ended. Its configuration sessions stay pending.
    pub fn close(&mut self) {
        let state = Arc::clone(&self.state);
        let mut state = lock(&state);
        self.shell.leave(&mut state);
        state.connections.remove(&self.shell.who.vty);
    }

    fn execute(&mut self, state: &mut State, line: &str) -> Result<Answer, String> {
        let names_token = state.platform.names_token();
        let is_show = tokens(line)
            .next()
            .is_some_and(|(_, word)| word.len() >= 2 && "show".starts_with(&word.to_lowercase()));
        let (command, filters) = match line.split_once('|').filter(|_| is_show) {
            Some((command, filters)) => (command.trim_end(), Some(filters)),
            None => (line, None),
        };
        let (found, form) = self.find(command).map_err(|misfit| misfit.text(names_token))?;
        if !self.shell.privileged && !is_for_all(found.act) {
            return Err("% Invalid input (privileged mode required)".to_owned());
        }
        let pipes = filters.map_or(Some(Vec::new()), pipe::parse).ok_or("% Invalid input")?;
        match found.act {
            Act::Exec(exec) => self.shell.exec(state, exec, &found, form),
            Act::Show(show) => {
                let Shell { who, privileged, .. } = &self.shell;
                let asker = Asker { who, session: self.shell.session(), privileged: *privileged };
                let shown = show::show(state, show, &found, asker)?;
                let text = match pipes.first() {
                    Some(Pipe::Json) => shown.pretty().ok_or("% This is an unconverted command")?,
                    _ => shown.text,
                };
                Ok(Answer::text(pipes.iter().fold(text, |text, pipe| pipe::apply(&text, pipe))))
            }
            Act::Global(keep) => self.shell.global(state, keep, &found, form),
            Act::Interface => self.shell.interface(state, &found, form),
            Act::Vlan => self.shell.vlan(state, &found, form),
            Act::VlanName => Ok(self.shell.vlan_name(state, &found, form)),
            Act::Setting(setting) => self.shell.setting(state, setting, &found, form),
        }
    }

    fn find(&self, line: &str) -> Result<(Matched<Act>, Form), Misfit> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let form = match first.to_ascii_lowercase().as_str() {
            "no" => Form::No,
            word if word.len() >= 3 && "default".starts_with(word) => Form::Default,
            _ => return Ok((find(line, &self.shell.tables(), Extent::Whole)?, Form::Plain)),
        };
        let behind = |misfit| match misfit {
            Misfit::Invalid(at, token) => Misfit::Invalid(at + 1, token),
            Misfit::Incomplete(at, token) => Misfit::Incomplete(at + 1, token),
            Misfit::Ambiguous => Misfit::Ambiguous,
        };
        if rest.trim().is_empty() {
            return Err(Misfit::Incomplete(0, first.to_owned()));
        }
        let found = find(rest, &self.shell.tables(), Extent::Head).map_err(behind)?;
        let last = || tokens(line).map(|(_, token)| token.to_owned()).enumerate().last().unwrap_or_default();
        let can_be_taken_back = match found.act {
            Act::Exec(exec) => exec == Exec::Session && form == Form::No,
            Act::Show(_) => false,
            _ => true,
        };
        if !can_be_taken_back {
            return Err(Misfit::Invalid(
                1,
                tokens(rest).next().map(|(_, token)| token.to_owned()).unwrap_or_default(),
            ));
        }
        let needs_argument = matches!(found.act, Act::Exec(_) | Act::Interface | Act::Vlan);
        if needs_argument && found.args.is_empty() {
            let (at, token) = last();
            return Err(Misfit::Incomplete(at, token));
        }
        Ok((found, form))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
