//! A switch that says, piece for piece and pause for pause, what its script tells it to. Its time is made up: it never
//! lets anybody wait.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::stream::Stream;

/// What the switch does next.
#[derive(Debug, Clone)]
pub enum Act {
    /// These bytes come.
    Say(Vec<u8>),
    /// Nothing comes for so many milliseconds.
    Pause(u64),
    /// Goes on when exactly this was typed.
    Hear(Vec<u8>),
}

pub fn say(text: &str) -> Act {
    Act::Say(text.as_bytes().to_vec())
}

pub fn hear(text: &str) -> Act {
    Act::Hear(text.as_bytes().to_vec())
}

/// A line, its echo and answer, and the prompt after it.
pub fn turn(line: &str, answer: &str, prompt: &str) -> [Act; 2] {
    [hear(&format!("{line}\n")), say(&format!("{line}\r\n{answer}{prompt}"))]
}

#[derive(Debug, Default)]
pub struct Switch {
    script: VecDeque<Act>,
    /// How many bytes come at once, in turn; all that there are where it is empty.
    pieces: Vec<usize>,
    piece: usize,
    /// After how many bytes the connection ends.
    ends_after: Option<usize>,
    said: usize,
    /// All that was typed.
    pub typed: Rc<RefCell<Vec<u8>>>,
}

impl Switch {
    pub fn new(script: impl IntoIterator<Item = Act>) -> Self {
        Self { script: script.into_iter().collect(), ..Self::default() }
    }

    pub fn in_pieces(self, pieces: Vec<usize>) -> Self {
        Self { pieces, ..self }
    }

    pub fn ending_after(self, bytes: usize) -> Self {
        Self { ends_after: Some(bytes), ..self }
    }

    /// Whether all of the script was said and heard.
    pub fn is_finished(&self) -> bool {
        self.script.iter().all(|act| matches!(act, Act::Say(bytes) if bytes.is_empty()))
    }
}

impl Stream for Switch {
    fn read_within(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        loop {
            if self.ends_after.is_some_and(|end| self.said >= end) {
                return Ok(0);
            }
            match self.script.front_mut() {
                Some(Act::Pause(left)) if u128::from(*left) <= limit.as_millis() => {
                    self.script.pop_front();
                }
                Some(Act::Pause(left)) => {
                    *left -= u64::try_from(limit.as_millis()).unwrap();
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Some(Act::Say(bytes)) if bytes.is_empty() => {
                    self.script.pop_front();
                }
                Some(Act::Say(bytes)) => {
                    let piece = self.pieces.get(self.piece % self.pieces.len().max(1)).copied();
                    let rest = self.ends_after.map_or(usize::MAX, |end| end - self.said);
                    let count =
                        piece.unwrap_or(usize::MAX).max(1).min(bytes.len()).min(buffer.len()).min(rest);
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    bytes.drain(..count);
                    self.piece += 1;
                    self.said += count;
                    return Ok(count);
                }
                Some(Act::Hear(_)) | None => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    fn write_within(&mut self, bytes: &[u8], _: Duration) -> io::Result<()> {
        self.typed.borrow_mut().extend_from_slice(bytes);
        if self.script.front().is_some_and(|act| matches!(act, Act::Hear(expected) if expected == bytes)) {
            self.script.pop_front();
        }
        Ok(())
    }
}
