//! What one connection is in the middle of: its mode, its privilege, its prompt. What lines do to it is `exec.rs` and
//! `configure.rs`.

use crate::commands::{self, Act};
use crate::config::Config;
use crate::grammar::Rule;
use crate::names::{Kind, Name, Names};
use crate::session::Connection;
use crate::state::State;
use crate::vlans::Vlans;

/// How much of a session's name stands in the prompt.
const PROMPT_NAME: usize = 6;

/// What a line answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its lines, each ended by `\n`, without a prompt.
    pub text: String,
    /// What comes next.
    pub then: Then,
}

/// What comes after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The prompt.
    Prompt,
    /// `Password: ` is printed, and what is read without echo goes to [`crate::terminal::Terminal::password`].
    Password,
    /// What is typed up to Ctrl-D goes to [`crate::terminal::Terminal::line`], whose answers are shown behind each
    /// line at the end, and then to [`crate::terminal::Terminal::pasted`]. There is no prompt meanwhile.
    Paste,
    /// The connection is closed.
    Close,
}

/// One connection's side of the CLI.
pub struct Shell {
    /// Who is connected.
    pub who: Connection,
    /// `enable` was successful.
    pub privileged: bool,
    /// `terminal length`, where it was given.
    pub length: Option<usize>,
    /// Where it is.
    pub mode: Mode,
}

/// Where a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// At `>` or `#`.
    Exec,
    /// In a configuration: a session's, or none's, which is the running-config.
    Configure {
        /// The session.
        session: Option<String>,
        /// The place in it.
        at: At,
    },
}

/// A place in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// Outside of everything.
    Top,
    /// At interfaces, as they were typed and as they are.
    Interfaces(Names, Vec<Name>),
    /// At VLANs.
    Vlans(Vlans),
}

impl Answer {
    /// Lines, and the prompt.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: Then::Prompt }
    }

    /// One line, and the prompt.
    pub fn line(line: &str) -> Self {
        Self::text(format!("{line}\n"))
    }
}

impl Shell {
    /// What stands before a line, at a switch of this name.
    pub fn prompt(&self, hostname: &str) -> String {
        let end = if self.privileged { '#' } else { '>' };
        let Mode::Configure { session, at } = &self.mode else { return format!("{hostname}{end}") };
        let session = session.as_ref().map_or_else(String::new, |name| {
            let name: String = name.chars().take(PROMPT_NAME).collect();
            format!("-s-{name}")
        });
        let at = match at {
            At::Top => String::new(),
            At::Interfaces(names, _) => format!("-if-{}", names.short()),
            At::Vlans(vlans) => format!("-vlan-{vlans}"),
        };
        format!("{hostname}(config{session}{at})#")
    }

    /// The session that it is in.
    pub fn session(&self) -> Option<&str> {
        match &self.mode {
            Mode::Configure { session, .. } => session.as_deref(),
            Mode::Exec => None,
        }
    }

    /// What may be typed now, the nearest first.
    pub fn tables(&self) -> Vec<&'static [Rule<Act>]> {
        let mut tables = Vec::new();
        if let Mode::Configure { session, at } = &self.mode {
            match at {
                At::Top => {}
                At::Interfaces(names, _) => {
                    tables.extend(commands::of_interface(names.kind().unwrap_or(Kind::Tunnel)));
                }
                At::Vlans(_) => tables.push(commands::VLAN),
            }
            tables.push(commands::CONFIGURE);
            if session.is_some() {
                tables.push(commands::SESSION);
            }
            tables.extend([commands::BEFORE, commands::BEHIND]);
        }
        tables.push(commands::ALWAYS);
        tables
    }

    /// Back to exec mode. A session stays pending.
    pub fn leave(&mut self, state: &mut State) {
        state.sessions.leave(&self.who);
        self.mode = Mode::Exec;
    }

    /// Goes to a place in the configuration that it is in.
    pub fn go(&mut self, to: At) {
        if let Mode::Configure { at, .. } = &mut self.mode {
            *at = to;
        }
    }

    /// The configuration that it changes.
    pub fn config<'a>(&self, state: &'a mut State) -> &'a mut Config {
        let State { sessions, running, .. } = state;
        self.session().and_then(|name| sessions.open_mut(name)).map_or(running, |session| &mut session.config)
    }
}
