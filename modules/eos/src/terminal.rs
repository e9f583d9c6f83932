//! What a terminal would show of one line of bytes. Where a line ends and what it means is not its business.

use std::str::Chars;

/// What one or more characters of the stream do.
enum Stroke {
    Print(char),
    Left,
    ToStart,
    EraseToEnd,
    EraseAll,
}

/// The line as it stands in the end, after everything that moved and erased; without blanks at its end.
pub fn shown(raw: &[u8]) -> String {
    let mut cells: Vec<char> = Vec::new();
    let mut cursor = 0;
    strokes(raw, |stroke| match stroke {
        Stroke::Print(character) => {
            match cells.get_mut(cursor) {
                Some(cell) => *cell = character,
                None => cells.push(character),
            }
            cursor += 1;
        }
        Stroke::Left => cursor = cursor.saturating_sub(1),
        Stroke::ToStart => cursor = 0,
        Stroke::EraseToEnd => cells.truncate(cursor),
        Stroke::EraseAll => {
            cells.clear();
            cursor = 0;
        }
    });
    let line: String = cells.into_iter().collect();
    line.trim_end().to_owned()
}

/// Everything that was ever printed in the line, one after the other.
pub fn printed(raw: &[u8]) -> String {
    let mut line = String::new();
    strokes(raw, |stroke| {
        if let Stroke::Print(character) = stroke {
            line.push(character);
        }
    });
    line
}

/// Takes the bytes apart. Control characters and escape sequences (ECMA-48) that do not matter here are left out, and
/// so is one that is not complete. What is not UTF-8 becomes a replacement character.
fn strokes(raw: &[u8], mut each: impl FnMut(Stroke)) {
    let text = String::from_utf8_lossy(raw);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x08' => each(Stroke::Left),
            '\r' => each(Stroke::ToStart),
            '\x1b' => match characters.next() {
                Some('[') => {
                    if let Some(stroke) = control_sequence(&mut characters) {
                        each(stroke);
                    }
                }
                Some(']') => {
                    let _ = characters.by_ref().find(|&next| next == '\x07' || next == '\x1b');
                }
                Some('(' | ')') => {
                    let _ = characters.next();
                }
                _ => {}
            },
            '\t' => each(Stroke::Print(character)),
            _ if character.is_control() => {}
            _ => each(Stroke::Print(character)),
        }
    }
}

/// Reads a control sequence up to its last character, which says what it is.
fn control_sequence(characters: &mut Chars) -> Option<Stroke> {
    let mut parameters = String::new();
    loop {
        match (characters.next()?, parameters.as_str()) {
            ('K', "" | "0") => return Some(Stroke::EraseToEnd),
            ('K', "2") => return Some(Stroke::EraseAll),
            ('@'..='~', _) => return None,
            (parameter, _) => parameters.push(parameter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_what_is_left_after_moving_and_erasing() {
        let table: [(&[u8], &str, &str); 10] = [
            (b"core#show version\r", "core#show version", "core#show version"),
            (b"\r\rend\r", "end", "end"),
            (b"shoe\x08w version", "show version", "shoew version"),
            (b" --More-- \r          \rvlan 20\r", "vlan 20", " --More--           vlan 20"),
            (b"--More--\x08\x08\x08\x08\x08\x08\x08\x08\x1b[Kvlan 20", "vlan 20", "--More--vlan 20"),
            (b"\x1b[?1034h\x1b[1;32mcore\x1b[0m#", "core#", "core#"),
            (b"junk\x1b[2Kcore#\x1b(B\x1b=", "core#", "junkcore#"),
            (b"\x1b]0;core\x07core>", "core>", "core>"),
            (b"\x07a\tb\0c\x1b[", "a\tbc", "a\tbc"),
            (b"Stra\xc3\x9fe \xff", "Stra\u{df}e \u{fffd}", "Stra\u{df}e \u{fffd}"),
        ];
        for (raw, as_shown, as_printed) in table {
            let name = String::from_utf8_lossy(raw);
            assert_eq!(shown(raw), as_shown, "{name:?}");
            assert_eq!(printed(raw), as_printed, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let line = shown(&raw);
            prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'));
            prop_assert!(line.chars().count() <= printed(&raw).chars().count());
        }

        #[test]
        fn plain_text_stays_as_it_is(line in "[ -~]{0,80}[!-~]") {
            prop_assert_eq!(shown(line.as_bytes()), line);
        }
    }
}
