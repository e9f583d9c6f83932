//! Commands that move between modes or do something at once.

use std::time::Duration;

use crate::commands::{Act, Exec};
use crate::files::{COPIED, PASTE};
use crate::grammar::Matched;
use crate::setting::Form;
use crate::shell::{Answer, At, Mode, Shell, Then};
use crate::state::State;

impl Shell {
    /// Carries out a command.
    ///
    /// # Errors
    /// The error line.
    pub fn exec(
        &mut self,
        state: &mut State,
        exec: Exec,
        found: &Matched<Act>,
        form: Form,
    ) -> Result<Answer, String> {
        let argument = found.args.first().map(String::as_str);
        let number = argument.and_then(|argument| argument.parse::<usize>().ok()).unwrap_or_default();
        let mut text = String::new();
        match exec {
            Exec::Enable if !self.privileged && state.enable_secret.is_some() => {
                return Ok(Answer { text, then: Then::Password });
            }
            Exec::Enable => self.privileged = true,
            Exec::Disable => {
                self.leave(state);
                self.privileged = false;
            }
            Exec::Exit if self.mode == Mode::Exec => return Ok(Answer { text, then: Then::Close }),
            Exec::Exit => self.exit(state),
            Exec::End => self.leave(state),
            Exec::Length => {
                self.length = Some(number);
                text = match number {
                    0 => "Pagination disabled.\n".to_owned(),
                    _ => format!("Pagination set to {number} lines.\n"),
                };
            }
            Exec::Width => text = format!("Width set to {number} columns.\n"),
            Exec::Configure => {
                self.leave(state);
                self.mode = Mode::Configure { session: None, at: At::Top };
            }
            Exec::Session if form == Form::Plain => self.enter(state, argument)?,
            Exec::Session => {
                let State { sessions, running, clock, .. } = state;
                sessions.delete(argument.unwrap_or_default(), running, clock.now())?;
            }
            Exec::SessionCommit => self.commit(state, argument.unwrap_or_default(), found.args.get(1))?,
            Exec::Commit => {
                let name = self.session().unwrap_or_default().to_owned();
                self.commit(state, &name, argument)?;
                self.mode = Mode::Exec;
            }
            Exec::SessionAbort => abort(state, argument.unwrap_or_default())?,
            // In a sub-mode it only leaves that.
            Exec::Abort if !self.is_at_top() => self.exit(state),
            Exec::Abort => {
                abort(state, self.session().unwrap_or_default())?;
                self.mode = Mode::Exec;
            }
            Exec::CleanConfig => {
                let clean = state.clean_config();
                *self.config(state) = clean;
                self.go(At::Top);
            }
            Exec::Save => {
                state.save();
                return Ok(Answer::line(COPIED));
            }
            Exec::CopyToFile => {
                let [from, to] = found.args.as_slice() else { return Err("% Incomplete command".to_owned()) };
                state.copy_to_file(from, to)?;
                return Ok(Answer::line(COPIED));
            }
            Exec::Paste => {
                self.go(At::Top);
                return Ok(Answer { text: format!("{PASTE}\n"), then: Then::Paste });
            }
            Exec::Replace => state.replace(argument.unwrap_or_default())?,
            Exec::BootConfig => text = format!("SWI=flash:/EOS-{}.swi\n", state.platform.release),
            Exec::Dir => text = state.directory(),
        }
        state.make_real();
        Ok(Answer::text(text))
    }

    fn is_at_top(&self) -> bool {
        matches!(self.mode, Mode::Configure { at: At::Top, .. })
    }

    fn exit(&mut self, state: &mut State) {
        if self.is_at_top() {
            self.leave(state);
        } else {
            self.go(At::Top);
        }
    }

    fn enter(&mut self, state: &mut State, name: Option<&str>) -> Result<(), String> {
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:+".contains(c));
        if let Some(name) = name.filter(|name| !is_name(name)) {
            return Err(format!("% Invalid session name {name}"));
        }
        self.leave(state);
        let name = state.sessions.enter(name, &state.running, &self.who, state.clock.now())?;
        self.mode = Mode::Configure { session: Some(name), at: At::Top };
        Ok(())
    }

    fn commit(
        &mut self,
        state: &mut State,
        name: &str,
        timer: Option<impl AsRef<str>>,
    ) -> Result<(), String> {
        let timer = timer.and_then(|seconds| seconds.as_ref().parse().ok()).map(Duration::from_secs);
        let State { sessions, running, clock, .. } = state;
        sessions.commit(name, timer, running, &self.who, clock.now())
    }
}

fn abort(state: &mut State, name: &str) -> Result<(), String> {
    let State { sessions, running, clock, .. } = state;
    sessions.abort(name, running, clock.now())
}
