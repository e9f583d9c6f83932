//! The dialog with the switch's command line: one line, one answer, over any stream of bytes.
//!
//! A line is sent only when a prompt proves that the switch waits for one. What lines to send, and in which mode the
//! switch must be for them, is the caller's business; so is `terminal length 0`, though a pager is coped with.

use std::io;
use std::time::Duration;

use crate::answer::Answer;
use crate::prompt::{Level, Prompt};
use crate::stream::Stream;

mod error;
#[cfg(test)]
mod tests;
mod wire;

pub use error::Error;
use wire::{Failure, MAX_ANSWER, Sign, Wire};

/// How long nothing comes after login until Enter is pressed.
const ENTER_AFTER: Duration = Duration::from_secs(3);
/// How long a key that gets away from a question is given to work.
const AWAY_WITHIN: Duration = Duration::from_secs(1);
/// An error's text is shown up to this many lines.
const MAX_MESSAGE_LINES: usize = 4;

const CTRL_C: &str = "\x03";
/// The command line answers it at once, wherever it stands in a line.
const HELP: char = '?';
/// EOS takes `\n` as well as `\r`.
const ENTER: &str = "\n";

/// A shell at whose prompt lines can be given.
#[derive(Debug)]
pub struct Shell<S> {
    wire: Wire<S>,
    prompt: Prompt,
    /// The line whose answer has not ended.
    unanswered: Option<String>,
}

impl<S: Stream> Shell<S> {
    /// Waits up to `limit` for the first prompt, whatever comes before it. Everything that follows has the same
    /// deadline, until [`Shell::allow`] sets another.
    pub fn begin(stream: S, limit: Duration) -> Result<Self, Error> {
        let mut wire = Wire::new(stream, limit);
        let mut answer = Answer::unechoed();
        match first_sign(&mut wire, &mut answer) {
            Ok(Some(Sign::Prompt(prompt))) => Ok(Self { wire, prompt, unanswered: None }),
            Ok(_) => Err(Error::NoPrompt { last: answer.ending() }),
            Err(Failure::Lost(source)) => {
                let told = format!("{source}; its last words were `{}`", answer.ending());
                Err(Error::Lost { line: None, source: io::Error::new(source.kind(), told) })
            }
            Err(Failure::TooLong) => Err(Error::TooLong { line: None, limit: MAX_ANSWER }),
        }
    }

    /// Gives everything that follows, together, up to `limit` from now.
    pub fn allow(&mut self, limit: Duration) {
        self.wire.allow(limit);
    }

    /// The prompt at which the switch waits.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Sends a command that shows something and gives its output, each line with its line break.
    ///
    /// What is shown may hold lines that look like errors, in a banner for instance, so only its first one counts.
    pub fn show(&mut self, command: &str) -> Result<String, Error> {
        let lines = self.ask(command)?;
        match lines.iter().find(|line| !line.is_empty()) {
            Some(first) if is_error(first) => Err(refused(command, &lines)),
            _ => Ok(lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()),
        }
    }

    /// Sends a line that changes something, or the mode, and gives what the switch remarks on it.
    ///
    /// Such a line is answered with silence. EOS begins a remark with `! `, which is taken off; any other text that is
    /// no error comes back as it is.
    pub fn configure(&mut self, line: &str) -> Result<Vec<String>, Error> {
        let lines = self.ask(line)?;
        if lines.iter().any(|line| is_error(line)) {
            return Err(refused(line, &lines));
        }
        let remarks = lines.iter().map(|line| line.strip_prefix('!').unwrap_or(line).trim());
        Ok(remarks.filter(|remark| !remark.is_empty()).map(str::to_owned).collect())
    }

    /// Gets into privileged mode, with `password` if the switch asks for one. Does nothing where it is already.
    pub fn enable(&mut self, password: Option<&str>) -> Result<(), Error> {
        const LINE: &str = "enable";
        if self.prompt.level == Level::Privileged {
            return Ok(());
        }
        self.check_ready(LINE)?;
        check_typable("the password of `enable`", password.unwrap_or_default(), &[])?;
        let refused = |fact: &str| Err(Error::Privilege { fact: fact.to_owned() });
        let mut answer = Answer::to(LINE);
        let mut sign = self.exchange(LINE, LINE, &mut answer)?;
        if let Sign::Password = sign {
            let Some(password) = password else {
                self.get_away(&sign);
                return refused("it wants a password, and none is given");
            };
            answer = Answer::unechoed();
            sign = self.exchange(LINE, password, &mut answer)?;
        }
        self.get_away(&sign);
        match sign {
            Sign::Prompt(prompt) if prompt.level == Level::Privileged => Ok(()),
            // EOS asks three times, but what was wrong once is wrong.
            Sign::Password => refused("it does not take the password"),
            Sign::Prompt(_) | Sign::Question => match message(answer.into_lines().iter()) {
                said if said.is_empty() => refused("it gives none, without a word"),
                // A switch that echoes what it must not is not quoted.
                said if password.is_some_and(|password| said.contains(password)) => refused("it gives none"),
                said => refused(&said),
            },
        }
    }

    /// Sends `line` and reads the answer up to the next prompt.
    fn ask(&mut self, line: &str) -> Result<Vec<String>, Error> {
        self.check_ready(line)?;
        check_typable(&format!("`{}`", line.escape_debug()), line, &[HELP])?;
        let mut answer = Answer::to(line);
        let sign = self.exchange(line, line, &mut answer)?;
        if let Sign::Prompt(_) = sign {
            return Ok(answer.into_lines());
        }
        self.get_away(&sign);
        Err(Error::Asked { line: line.to_owned(), question: answer.ending() })
    }

    fn check_ready(&self, line: &str) -> Result<(), Error> {
        self.unanswered.as_ref().map_or(Ok(()), |earlier| {
            Err(Error::Unanswered { line: line.to_owned(), earlier: earlier.clone() })
        })
    }

    /// Types `text`, which is called `line` in errors, and reads until the switch waits for something.
    fn exchange(&mut self, line: &str, text: &str, answer: &mut Answer) -> Result<Sign, Error> {
        self.unanswered = Some(line.to_owned());
        let sign = self
            .wire
            .write(&format!("{text}{ENTER}"))
            .and_then(|()| self.wire.wait(answer, Some(&self.prompt), Duration::MAX))
            .map_err(|failure| {
                let line = Some(line.to_owned());
                match failure {
                    Failure::Lost(source) => Error::Lost { line, source },
                    Failure::TooLong => Error::TooLong { line, limit: MAX_ANSWER },
                }
            })?;
        match sign {
            Some(sign) => {
                self.note(&sign);
                Ok(sign)
            }
            // The words of an unknown question. Anything else may be a part of the configuration and is not shown.
            None => match answer.last_line().filter(|last| last.ends_with([':', ']', '?'])) {
                Some(question) => Err(Error::Asked { line: line.to_owned(), question }),
                None => Err(Error::TimedOut { line: line.to_owned(), limit: self.wire.limit }),
            },
        }
    }

    fn note(&mut self, sign: &Sign) {
        if let Sign::Prompt(prompt) = sign {
            self.prompt = prompt.clone();
            self.unanswered = None;
        }
    }

    /// Gets back to a prompt without a yes to anything. Where that fails, the shell takes no further line.
    fn get_away(&mut self, sign: &Sign) {
        let keys: &[&str] = match sign {
            Sign::Prompt(_) => &[],
            // An empty line would confirm.
            Sign::Question => &[CTRL_C],
            Sign::Password => &[CTRL_C, ENTER, ENTER, ENTER],
        };
        for key in keys {
            let mut answer = Answer::unechoed();
            let sign = self
                .wire
                .write(key)
                .and_then(|()| self.wire.wait(&mut answer, Some(&self.prompt), AWAY_WITHIN));
            match sign {
                Ok(Some(Sign::Prompt(prompt))) => return self.note(&Sign::Prompt(prompt)),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Waits for the first prompt. Some login shells show one only after Enter.
fn first_sign<S: Stream>(wire: &mut Wire<S>, answer: &mut Answer) -> Result<Option<Sign>, Failure> {
    let sign = wire.wait(answer, None, ENTER_AFTER)?;
    // An empty line is no answer to a question, so there must be none.
    let last = answer.last_line().unwrap_or_default().to_lowercase();
    if sign.is_some() || !(last.is_empty() || last.starts_with("press ")) {
        return Ok(sign);
    }
    wire.write(ENTER)?;
    wire.wait(answer, None, Duration::MAX)
}

/// EOS begins every error with `% `.
fn is_error(line: &str) -> bool {
    line.starts_with('%')
}

fn refused(line: &str, answer: &[String]) -> Error {
    let message = message(answer.iter().skip_while(|line| !is_error(line)));
    Error::Refused { line: line.to_owned(), message }
}

/// The first of `lines` that say something, as one.
fn message<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    let lines: Vec<&str> =
        lines.map(|line| line.trim()).filter(|line| !line.is_empty()).take(MAX_MESSAGE_LINES).collect();
    lines.join("; ")
}

/// Whether `text` can be typed where the keys in `keys` have a meaning, as all control characters have.
fn check_typable(name: &str, text: &str, keys: &[char]) -> Result<(), Error> {
    match text.chars().find(|character| character.is_control() || keys.contains(character)) {
        Some(character) => Err(Error::Unprintable { line: name.to_owned(), character }),
        None => Ok(()),
    }
}
