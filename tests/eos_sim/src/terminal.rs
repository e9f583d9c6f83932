//! One connection's CLI: its mode, its prompt, and what every typed line answers. Bytes, echo and paging are the
//! server's.

use crate::switch::Switch;

/// One connection's CLI.
pub struct Terminal {
    switch: Switch,
    privileged: bool,
}

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
    /// `Password: ` is printed, and what is read without echo goes to [`Terminal::password`].
    Password,
    /// The connection is closed.
    Close,
}

impl Terminal {
    pub(crate) fn new(switch: Switch, _user: &str, privileged: bool, _from: &str) -> Self {
        Self { switch, privileged }
    }

    /// The prompt, such as `core(config-s-bothen-if-Po1001)#`, without a space behind it.
    pub fn prompt(&self) -> String {
        format!("{}{}", self.switch.hostname(), if self.privileged { '#' } else { '>' })
    }

    /// Executes one input line, given without its end.
    pub fn line(&mut self, _line: &str) -> Answer {
        Answer { text: String::new(), then: Then::Prompt }
    }

    /// Answers [`Then::Password`].
    pub fn password(&mut self, _text: &str) -> Answer {
        Answer { text: String::new(), then: Then::Prompt }
    }

    /// After how many lines of an answer `--More--` stands, as set by `terminal length`; none where it was set to 0,
    /// and `rows` (those of the PTY) where it was not set.
    pub fn page_length(&self, rows: usize) -> Option<usize> {
        Some(rows)
    }

    /// The connection has ended. Its configuration sessions stay pending.
    pub fn close(&mut self) {}
}
