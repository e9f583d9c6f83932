//! Free text that becomes a line of the interfaces file.

use ansible_module::fault::Fault;

/// A comment, trimmed at its end: one line that stays one line, and a text that stays one. ifupdown2 has the whole
/// file rendered by Mako where that is installed, comments too.
pub fn comment(option: &str, text: &str) -> Result<String, Fault> {
    let text = text.trim_end_matches(' ');
    let refuse = |what: &str| {
        Err(Fault::new(
            "invalid_text",
            format!(
                "option `{option}`: `{}` can't be used: {what} would become a line of its own in the interfaces file; \
                 hint: one line of plain text",
                text.escape_debug()
            ),
        ))
    };
    if text.chars().any(char::is_control) {
        return refuse("a newline or control character");
    }
    if text.ends_with('\\') {
        return refuse("what follows a backslash at the end");
    }
    if let Some(last) = text.chars().next_back().filter(|last| is_cut_in_half(*last)) {
        return Err(Fault::new(
            "invalid_text",
            format!(
                "option `{option}`: `{}` can't be used: of `{last}` at the end Proxmox cuts off half whenever it saves the file; \
                 hint: let something follow, such as a full stop",
                text.escape_debug()
            ),
        ));
    }
    if let Some(word) = ["${", "<%", "</%"].into_iter().find(|word| text.contains(word)) {
        return Err(Fault::new(
            "invalid_text",
            format!(
                "option `{option}`: `{}` can't be used: ifupdown2 may take `{word}` for a piece of program; hint: plain text",
                text.escape_debug()
            ),
        ));
    }
    Ok(text.to_owned())
}

/// Whether Proxmox's reader, for which a byte is a character of Latin-1, takes the last byte of this one for white space,
/// which it cuts off at the end of a line: U+0085 or U+00A0.
fn is_cut_in_half(last: char) -> bool {
    matches!(last.encode_utf8(&mut [0; 4]).bytes().next_back(), Some(0x85 | 0xa0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stays_one_line() {
        assert_eq!(
            comment("comments", "Kern-Switch, Port „7/1“ (R) "),
            Ok("Kern-Switch, Port „7/1“ (R)".to_owned())
        );
        assert_eq!(comment("comments", ""), Ok(String::new()));
        for text in [
            "a\nauto evil",
            "a\r",
            "tab\there",
            "\u{85}",
            "\u{1b}[1m",
            "end\\",
            "nul\0",
            "${x}",
            "<% import os %>",
            "</%def>",
        ] {
            assert_eq!(comment("comments", text).unwrap_err().code, "invalid_text", "{text:?}");
        }
    }

    #[test]
    fn a_comment_ends_in_a_character_that_proxmox_keeps() {
        for text in ["città.", "voilé", "Р1", "中"] {
            assert_eq!(comment("comments", text), Ok(text.to_owned()));
        }
        for text in ["città", "Å", "СЕРВЕР ", "no break\u{a0}", "em\u{2005}"] {
            assert_eq!(comment("comments", text).unwrap_err().code, "invalid_text", "{text:?}");
        }
    }
}
