//! The bytes of the dialog under its deadline, and when what came last is a sign that the switch waits. What to do
//! about a sign is the shell's business.

use std::io;
use std::time::{Duration, Instant};

use crate::answer::Answer;
use crate::prompt::Prompt;
use crate::stream::Stream;

/// How long the first prompt must stay the last thing that came: a line of a banner can end with `#` too.
const QUIET_AFTER_FIRST: Duration = Duration::from_millis(150);
/// The same for a prompt that is known, behind the line's echo. An answer may hold a line that looks like it, and a
/// packet may end there; the next one is then on its way already. Every line costs this much.
const QUIET_AFTER_KNOWN: Duration = Duration::from_millis(10);
/// The same for what is less certain: a prompt of another name, a prompt without an echo before it, a question.
const QUIET_AFTER_ODD: Duration = Duration::from_secs(1);
/// The most of one answer that is read, in bytes. A running-config has a few megabytes.
pub const MAX_ANSWER: usize = 64 << 20;

/// What the switch waits for.
#[derive(Debug)]
pub enum Sign {
    /// A line.
    Prompt(Prompt),
    /// The password of `enable`.
    Password,
    /// An answer to something else.
    Question,
}

/// Why reading or writing cannot go on.
#[derive(Debug)]
pub enum Failure {
    /// The stream ended or broke.
    Lost(io::Error),
    /// The answer has no end.
    TooLong,
}

/// A stream with a deadline.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    /// What the deadline was made of.
    pub limit: Duration,
    /// None where it lies beyond what the clock can tell.
    deadline: Option<Instant>,
}

impl<S: Stream> Wire<S> {
    pub fn new(stream: S, limit: Duration) -> Self {
        let mut wire = Self { stream, limit, deadline: None };
        wire.allow(limit);
        wire
    }

    #[cfg(test)]
    pub fn stream(&self) -> &S {
        &self.stream
    }

    pub fn allow(&mut self, limit: Duration) {
        self.limit = limit;
        self.deadline = Instant::now().checked_add(limit);
    }

    pub fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.stream.write_within(text.as_bytes(), self.remaining()).map_err(Failure::Lost)
    }

    /// Reads until what came is a sign; none where nothing more came within `patience`, or before the deadline.
    /// Pages are turned on the way. `known` is the prompt that is expected, whatever its mode.
    pub fn wait(
        &mut self,
        answer: &mut Answer,
        known: Option<&Prompt>,
        patience: Duration,
    ) -> Result<Option<Sign>, Failure> {
        loop {
            let last = answer.last_line().unwrap_or_default();
            let is_paged = is_pager(&last);
            let (sign, quiet) = match sign(&last, known, answer.is_echoed()) {
                Some((sign, quiet)) => (Some(sign), quiet),
                None if is_paged => (None, QUIET_AFTER_KNOWN),
                None => (None, patience),
            };
            let remaining = self.remaining();
            if self.read(answer, quiet.min(remaining))? {
                continue;
            }
            if quiet > remaining {
                return Ok(None);
            }
            if !is_paged {
                return Ok(sign);
            }
            answer.forget_last_line();
            self.write(" ")?;
        }
    }

    /// Whether anything came within `limit`.
    fn read(&mut self, answer: &mut Answer, limit: Duration) -> Result<bool, Failure> {
        let mut buffer = [0; 16 << 10];
        let count = match self.stream.read_within(&mut buffer, limit) {
            Ok(0) => {
                return Err(Failure::Lost(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the switch closed it",
                )));
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(Failure::Lost(error)),
        };
        answer.push(buffer.get(..count).unwrap_or(&buffer));
        if answer.size() > MAX_ANSWER { Err(Failure::TooLong) } else { Ok(true) }
    }

    fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// What the last line is a sign of, and how long it must stay the last one to be believed.
fn sign(last: &str, known: Option<&Prompt>, is_echoed: bool) -> Option<(Sign, Duration)> {
    if let Some(prompt) = Prompt::parse(last) {
        let quiet = match known {
            None => QUIET_AFTER_FIRST,
            Some(known) if known.base == prompt.base && is_echoed => QUIET_AFTER_KNOWN,
            // A line of several words is the beginning of some output rather than a prompt.
            Some(known) if prompt.base.contains(' ') && !known.base.contains(' ') => return None,
            Some(_) => QUIET_AFTER_ODD,
        };
        return Some((Sign::Prompt(prompt), quiet));
    }
    if last.ends_with("assword:") {
        return Some((Sign::Password, QUIET_AFTER_KNOWN));
    }
    is_question(last).then_some((Sign::Question, QUIET_AFTER_ODD))
}

fn is_pager(last: &str) -> bool {
    last.trim().eq_ignore_ascii_case("--more--")
}

/// Whether a line ends with a question mark or a choice such as `[y/n]`, `(yes/no)` or `[confirm]`.
fn is_question(last: &str) -> bool {
    let last = last.to_lowercase();
    let choice = last
        .trim_end_matches([' ', ':', '?'])
        .strip_suffix([']', ')'])
        .and_then(|line| line.rsplit(['[', '(']).next())
        .is_some_and(|choice| choice == "confirm" || choice.starts_with("y/") || choice.starts_with("yes/"));
    choice || last.ends_with('?')
}
