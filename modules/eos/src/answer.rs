//! What the switch has sent since a line was given to it: the line's echo, the answer's lines, and a last line without
//! an end. Whether that last line is a prompt is the shell's business.

use crate::prompt::Prompt;
use crate::terminal;

/// A last line that is longer is neither a prompt nor a question.
const MAX_LAST_LINE: usize = 1024;
/// So much of what came is shown in an error, in characters.
const SHOWN_AT_END: usize = 80;

/// An answer, as far as it has come.
#[derive(Debug)]
pub struct Answer {
    /// The line that will be echoed, without blanks.
    sent: Option<String>,
    is_echoed: bool,
    lines: Vec<String>,
    last: Vec<u8>,
    size: usize,
}

impl Answer {
    /// The answer to `line`, which the switch will echo.
    pub fn to(line: &str) -> Self {
        Self { sent: Some(compact(line)), is_echoed: false, lines: Vec::new(), last: Vec::new(), size: 0 }
    }

    /// What comes without a line that would be echoed: after login, after a password.
    pub fn unechoed() -> Self {
        Self { sent: None, is_echoed: true, lines: Vec::new(), last: Vec::new(), size: 0 }
    }

    /// Takes what arrived, in whatever pieces.
    pub fn push(&mut self, bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len());
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.last.extend_from_slice(piece);
            if self.last.pop_if(|byte| *byte == b'\n').is_some() {
                self.size = self.size.saturating_add(size_of::<String>());
                self.end_line();
            }
        }
    }

    /// How many bytes it takes: an endless row of empty lines has an end, too.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether the echo has come, so that what follows belongs to this line and to no earlier one.
    pub fn is_echoed(&self) -> bool {
        self.is_echoed
    }

    /// The line that has no end yet, as a terminal shows it; none where it is blank or too long to be a prompt.
    pub fn last_line(&self) -> Option<String> {
        if self.last.len() > MAX_LAST_LINE {
            return None;
        }
        Some(terminal::shown(&self.last)).filter(|line| !line.is_empty())
    }

    /// Drops the line that has no end yet.
    pub fn forget_last_line(&mut self) {
        self.last.clear();
    }

    /// The end of what came, printable, for an error.
    pub fn ending(&self) -> String {
        let last = terminal::shown(&self.last);
        let line =
            self.lines.iter().map(String::as_str).chain([last.as_str()]).rfind(|line| !line.is_empty());
        let line = line.unwrap_or("");
        let from = line.char_indices().rev().nth(SHOWN_AT_END - 1).map_or(0, |(at, _)| at);
        line.get(from..).unwrap_or(line).to_owned()
    }

    /// The lines after the echo; the last one, which has no end, is left out.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }

    fn end_line(&mut self) {
        let raw = std::mem::take(&mut self.last);
        let line = terminal::shown(&raw);
        if (!self.is_echoed || self.lines.is_empty()) && self.is_echo(&line, &raw) {
            // What came before belongs to something else, such as the end of a banner.
            self.lines.clear();
            self.is_echoed = true;
        } else {
            self.lines.push(line);
        }
    }

    /// Whether a line is the one that was sent, perhaps twice or behind a prompt: what is typed before the switch is
    /// ready is echoed both by its terminal and by its command line.
    fn is_echo(&self, shown: &str, raw: &[u8]) -> bool {
        let Some(sent) = &self.sent else { return false };
        // An echo that was corrected is right as shown, one that was wrapped is right as printed.
        [compact(shown), compact(&terminal::printed(raw))].iter().any(|line| {
            line.strip_suffix(sent)
                .is_some_and(|before| before.is_empty() || before == sent || Prompt::parse(before).is_some())
        })
    }
}

fn compact(line: &str) -> String {
    line.split_whitespace().collect()
}
