//! The lines of an interfaces(5) file and what each is to Proxmox's reader. Knows no interface as a whole.

use std::borrow::Cow;
use std::io::BufRead;

use super::keys::canonical;
use super::stanza::AddressFamily;

/// One logical line: physical lines joined by a backslash are one, and keep their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub raw: Vec<u8>,
    pub role: Role,
}

/// What a line is. Keys are in their canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing but white space. Ends a stanza.
    Blank,
    /// A comment outside of a stanza. Proxmox drops it.
    Comment,
    /// `auto NAMES` (class `auto`) or `allow-CLASS NAMES`.
    Auto {
        class: String,
        names: Vec<String>,
    },
    Source {
        directory: bool,
        path: String,
    },
    Iface {
        name: String,
        family: AddressFamily,
        method: String,
    },
    Option {
        key: String,
        value: String,
    },
    /// A comment in a stanza: the text after the `#`, shown as "Comment" in the UI.
    Note(String),
    Mapping,
    /// Kept by Proxmox without a meaning, such as an option after a blank line.
    Other,
}

impl Line {
    /// The line's text: continuation lines joined by a space, white space at both ends taken away.
    pub fn text(&self) -> String {
        text(&self.raw).into_owned()
    }

    /// Whether the line belongs to a stanza.
    pub fn in_stanza(&self) -> bool {
        matches!(self.role, Role::Iface { .. } | Role::Option { .. } | Role::Note(_))
    }
}

/// Cuts a file into logical lines.
pub(super) fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while matches!(bytes.read_until(b'\n', &mut line), Ok(1..)) {
        if !is_open(&line) {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Whether what follows would still belong to this line: its newline is missing, or a backslash stands before it.
/// A comment is not continued: neither Proxmox nor ifupdown does.
pub(super) fn is_open(line: &[u8]) -> bool {
    match line.strip_suffix(b"\n") {
        None => true,
        Some(body) => is_continued(body) && !is_comment(line),
    }
}

/// Closes a line, so that something can stand after it.
pub(super) fn close(line: &mut Vec<u8>, ending: &[u8]) {
    while is_open(line) {
        let ending = if line.ends_with(b"\r") { b"\n" } else { ending };
        line.extend_from_slice(ending);
    }
}

/// Says what every line is. A stanza's body ends at a blank line, at a keyword, or at a word that stands alone.
pub(super) fn scan(lines: Vec<Vec<u8>>) -> Vec<Line> {
    let mut lines: Vec<Line> = lines.into_iter().map(|raw| Line { raw, role: Role::Blank }).collect();
    let all = lines.len();
    rescan(lines.iter_mut(), false, all);
    lines
}

/// Says again what these lines are: the first `new` ones, and then as many as are something else than they were.
pub(super) fn rescan<'a>(lines: impl Iterator<Item = &'a mut Line>, mut in_stanza: bool, new: usize) {
    for (index, line) in lines.enumerate() {
        let role = role(&text(&line.raw), in_stanza);
        if index >= new && role == line.role {
            return;
        }
        line.role = role;
        in_stanza = line.in_stanza();
    }
}

/// Whether the word ends a stanza's body, so that it can never be an option.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(word, "iface" | "mapping" | "auto" | "source" | "source-directory") || word.starts_with("allow-")
}

fn role(text: &str, in_stanza: bool) -> Role {
    let word = text.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(text.len());
    let (word, rest) = text.split_at(word);
    let rest = rest.trim_ascii();
    if in_stanza {
        if let Some(note) = text.strip_prefix('#') {
            return Role::Note(note.to_owned());
        }
        if !is_keyword(word) && !rest.is_empty() {
            return Role::Option { key: canonical(word).to_owned(), value: rest.to_owned() };
        }
    }
    match word {
        "" => Role::Blank,
        _ if word.starts_with('#') => Role::Comment,
        "mapping" => Role::Mapping,
        "iface" => iface(rest).unwrap_or(Role::Other),
        _ if rest.is_empty() => Role::Other,
        "source" | "source-directory" => {
            Role::Source { directory: word == "source-directory", path: rest.to_owned() }
        }
        "auto" => auto("auto", rest),
        _ => word.strip_prefix("allow-").map_or(Role::Other, |class| auto(class, rest)),
    }
}

fn auto(class: &str, names: &str) -> Role {
    Role::Auto { class: class.to_owned(), names: names.split_ascii_whitespace().map(str::to_owned).collect() }
}

fn iface(rest: &str) -> Option<Role> {
    let mut words = rest.split_ascii_whitespace();
    let name = words.next()?.to_owned();
    let (family, method) = match (words.next(), words.next()) {
        (None, _) => (AddressFamily::None, ""),
        (Some("inet"), Some(method)) => (AddressFamily::Inet, method),
        (Some("inet6"), Some(method)) => (AddressFamily::Inet6, method),
        _ => return None,
    };
    words.next().is_none().then(|| Role::Iface { name, family, method: method.to_owned() })
}

fn text(raw: &[u8]) -> Cow<'_, str> {
    if is_comment(raw) || !raw.contains(&b'\\') {
        return String::from_utf8_lossy(raw.trim_ascii());
    }
    let mut physical = raw.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        let body = body.strip_suffix(b"\r").unwrap_or(body);
        String::from_utf8_lossy(body.strip_suffix(b"\\").unwrap_or(body).trim_ascii())
    });
    let first = physical.next().unwrap_or_default();
    physical.fold(first, |joined, next| match (joined.is_empty(), next.is_empty()) {
        (true, _) => next,
        (_, true) => joined,
        _ => Cow::Owned(format!("{joined} {next}")),
    })
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

fn is_continued(body: &[u8]) -> bool {
    body.strip_suffix(b"\r").unwrap_or(body).ends_with(b"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_looked_at_as_far_as_it_reaches() {
        let stanza = |index: usize| format!("auto eno{index}\niface eno{index} inet manual\n\tmtu 1500\n\n");
        let file: String = (0..1000).map(stanza).collect();
        let mut lines = scan(split(file.as_bytes()));
        let visits = |lines: &mut Vec<Line>, start: usize| {
            let mut visits = 0;
            rescan(lines.iter_mut().skip(start).inspect(|_| visits += 1), true, 1);
            visits
        };
        lines[2002].raw = b"\tmtu 9000\n".to_vec();
        assert_eq!(visits(&mut lines, 2002), 2);
        lines[2002].raw = b"\n".to_vec();
        lines[2001].raw = b"\n".to_vec();
        assert_eq!(visits(&mut lines, 2001), 3);
        let raws = lines.iter().map(|line| line.raw.clone()).collect();
        assert_eq!(scan(raws), lines);
    }
}
