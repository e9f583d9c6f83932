//! The line editor of a terminal: typed bytes become lines and their echo. What a line does, and what stands on the
//! screen before it, is not decided here.

const BACKSPACE: &str = "\x08 \x08";

/// What a typed byte amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Nothing yet; to be sent back so that it shows.
    Echo(Vec<u8>),
    /// A line was ended; its echo is the line end.
    Line(String),
    /// Ctrl-C: the line is thrown away.
    Interrupt,
    /// Ctrl-Z: the line is thrown away, and configuration is left.
    End,
    /// Ctrl-D on an empty line.
    Logout,
    /// `?`: help on what was typed so far, which stays.
    Help,
}

/// A line being typed.
#[derive(Debug, Default)]
pub struct Editor {
    line: Vec<u8>,
    /// The last byte was a carriage return, so that a line feed now belongs to it.
    after_return: bool,
    /// Within the escape sequence that an arrow or function key sends.
    escape: Escape,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    No,
    Begun,
    Sequence,
}

impl Editor {
    /// Takes a typed byte. What is typed hidden, such as a password, has no echo, and no help.
    pub fn key(&mut self, byte: u8, hidden: bool) -> Key {
        match self.visible_key(byte, hidden) {
            Key::Echo(_) if hidden => Key::Echo(Vec::new()),
            key => key,
        }
    }

    fn visible_key(&mut self, byte: u8, hidden: bool) -> Key {
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        if self.is_escaped(byte) {
            return Key::Echo(Vec::new());
        }
        match byte {
            b'\n' if after_return => Key::Echo(Vec::new()),
            b'\r' | b'\n' => Key::Line(self.take()),
            0x03 => {
                self.line.clear();
                Key::Interrupt
            }
            0x04 if self.line.is_empty() => Key::Logout,
            0x08 | 0x7f => Key::Echo(if self.erase() { BACKSPACE.into() } else { Vec::new() }),
            0x15 => {
                let mut echo = String::new();
                while self.erase() {
                    echo.push_str(BACKSPACE);
                }
                Key::Echo(echo.into())
            }
            0x1a => {
                self.line.clear();
                Key::End
            }
            b'?' if !hidden => Key::Help,
            0x00..0x20 => Key::Echo(Vec::new()),
            _ => {
                self.line.push(byte);
                Key::Echo(vec![byte])
            }
        }
    }

    /// What was typed of the line so far.
    pub fn typed(&self) -> &[u8] {
        &self.line
    }

    fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned()
    }

    /// Takes the last character away, if there is one.
    fn erase(&mut self) -> bool {
        while let Some(byte) = self.line.pop() {
            let continues_a_character = byte & 0xc0 == 0x80;
            if !continues_a_character {
                return true;
            }
        }
        false
    }

    fn is_escaped(&mut self, byte: u8) -> bool {
        let (next, escaped) = match (&self.escape, byte) {
            (_, 0x1b) => (Escape::Begun, true),
            (Escape::Begun, b'[' | b'O') | (Escape::Sequence, 0x20..0x40) => (Escape::Sequence, true),
            (Escape::Sequence | Escape::Begun, _) => (Escape::No, true),
            (Escape::No, _) => (Escape::No, false),
        };
        self.escape = next;
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines and the echo that come of typed bytes.
    fn typed(bytes: &str) -> (Vec<String>, String) {
        let mut editor = Editor::default();
        let (mut lines, mut echo) = (Vec::new(), Vec::new());
        for byte in bytes.bytes() {
            match editor.key(byte, false) {
                Key::Echo(bytes) => echo.extend(bytes),
                Key::Line(line) => lines.push(line),
                key => panic!("{key:?}"),
            }
        }
        (lines, String::from_utf8(echo).unwrap())
    }

    #[test]
    fn a_line_ends_with_return_with_line_feed_or_with_both() {
        assert_eq!(typed("a\rb\nc\r\nd\n\ne\r\r").0, ["a", "b", "c", "d", "", "e", ""]);
    }

    #[test]
    fn what_is_erased_vanishes_from_line_and_screen() {
        let (lines, echo) = typed("shiw\x7f\x7fow\rä\x08\x08x\r");
        assert_eq!(lines, ["show", "x"]);
        assert_eq!(echo, "shiw\x08 \x08\x08 \x08owä\x08 \x08x");
        assert_eq!(typed("abc\x15d\r"), (vec!["d".to_owned()], format!("abc{}d", BACKSPACE.repeat(3))));
    }

    #[test]
    fn arrow_keys_and_tabs_leave_no_trace() {
        assert_eq!(typed("a\x1b[A\x1bOB\x1b[1;5C\tb\r").0, ["ab"]);
    }

    #[test]
    fn control_keys_throw_the_line_away() {
        let mut editor = Editor::default();
        for (control, key) in [(0x03, Key::Interrupt), (0x1a, Key::End)] {
            editor.key(b'x', false);
            assert_eq!(editor.key(control, false), key);
            assert_eq!(editor.typed(), b"");
        }
    }

    #[test]
    fn only_an_empty_line_can_log_out() {
        let mut editor = Editor::default();
        assert_eq!(editor.key(0x04, false), Key::Logout);
        editor.key(b'x', false);
        assert_eq!(editor.key(0x04, false), Key::Echo(Vec::new()));
    }

    #[test]
    fn a_question_mark_keeps_what_was_typed() {
        let mut editor = Editor::default();
        editor.key(b'x', false);
        assert_eq!(editor.key(b'?', false), Key::Help);
        assert_eq!(editor.typed(), b"x");
    }

    #[test]
    fn what_is_typed_hidden_has_no_echo_and_any_character() {
        let mut editor = Editor::default();
        for byte in *b"a?b\x7fc" {
            assert_eq!(editor.key(byte, true), Key::Echo(Vec::new()));
        }
        assert_eq!(editor.key(b'\r', true), Key::Line("a?c".to_owned()));
    }
}
