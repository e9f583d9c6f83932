//! What stands behind `|` in a `show` command.

use regex_lite::Regex;

/// A filter.
#[derive(Debug, Clone)]
pub enum Pipe {
    /// `| json`.
    Json,
    /// `| include REGEX`.
    Include(Regex),
    /// `| exclude REGEX`.
    Exclude(Regex),
    /// `| begin REGEX`.
    Begin(Regex),
    /// `| section REGEX`: whole blocks in which a line matches.
    Section(Regex),
    /// `| no-more`.
    NoMore,
}

/// Reads what stands behind the first `|`. None where it is no filter.
pub fn parse(text: &str) -> Option<Vec<Pipe>> {
    text.split(" | ").map(|part| one(part.trim())).collect()
}

/// Filters lines. `json` is not done here.
pub fn apply(text: &str, pipe: &Pipe) -> String {
    let lines = text.lines();
    let kept: Vec<&str> = match pipe {
        Pipe::Json | Pipe::NoMore => lines.collect(),
        Pipe::Include(regex) => lines.filter(|line| regex.is_match(line)).collect(),
        Pipe::Exclude(regex) => lines.filter(|line| !regex.is_match(line)).collect(),
        Pipe::Begin(regex) => lines.skip_while(|line| !regex.is_match(line)).collect(),
        Pipe::Section(regex) => section(lines, regex),
    };
    lines_of(kept)
}

/// Each of `lines`, ended by `\n`.
pub fn lines_of(lines: impl IntoIterator<Item: AsRef<str>>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + line.as_ref() + "\n")
}

fn section<'a>(lines: impl Iterator<Item = &'a str>, regex: &Regex) -> Vec<&'a str> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in lines.filter(|line| !line.starts_with('!')) {
        match blocks.last_mut().filter(|_| line.starts_with(' ')) {
            Some(block) => block.push(line),
            None => blocks.push(vec![line]),
        }
    }
    blocks.into_iter().filter(|block| block.iter().any(|line| regex.is_match(line))).flatten().collect()
}

fn one(text: &str) -> Option<Pipe> {
    let (word, pattern) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let pattern = pattern.trim();
    let pattern = pattern.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(pattern);
    let regex = || (!pattern.is_empty()).then(|| Regex::new(pattern).ok()).flatten();
    match word.to_ascii_lowercase().as_str() {
        "json" if pattern.is_empty() => Some(Pipe::Json),
        "no-more" if pattern.is_empty() => Some(Pipe::NoMore),
        "grep" => regex().map(Pipe::Include),
        word if abbreviates(word, "include") => regex().map(Pipe::Include),
        word if abbreviates(word, "exclude") => regex().map(Pipe::Exclude),
        word if abbreviates(word, "begin") => regex().map(Pipe::Begin),
        word if abbreviates(word, "section") => regex().map(Pipe::Section),
        _ => None,
    }
}

fn abbreviates(word: &str, keyword: &str) -> bool {
    !word.is_empty() && keyword.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str =
        "! Command\n!\nhostname a\n!\ninterface Ethernet1\n   lacp timer fast\n!\nvlan 10\n!\nend\n";

    fn filtered(pipes: &str) -> String {
        parse(pipes).unwrap().iter().fold(CONFIG.to_owned(), |text, pipe| apply(&text, pipe))
    }

    #[test]
    fn a_section_is_a_whole_block() {
        assert_eq!(filtered("section ^interface"), "interface Ethernet1\n   lacp timer fast\n");
        assert_eq!(filtered("sec lacp"), "interface Ethernet1\n   lacp timer fast\n");
        assert_eq!(filtered("section ^lacp"), "");
        assert_eq!(filtered("section ^(vlan|hostname)"), "hostname a\nvlan 10\n");
    }

    #[test]
    fn filters_are_chained() {
        assert_eq!(
            filtered("i e | exclude ^! | no-more"),
            "hostname a\ninterface Ethernet1\n   lacp timer fast\nend\n"
        );
        assert_eq!(filtered("begin vlan | grep end"), "end\n");
        for wrong in ["", "include", "include [", "json now", "tee x"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
