//! Paths with wildcards, as Python's `glob.glob` expands them: `*`, `?` and `[…]` in any part of the path. `**` is
//! `*`, a backslash is a backslash, and a hidden name is only found by a pattern that begins with a dot.

use std::fs;
use std::path::{Path, PathBuf};

/// What `pattern` matches under `base`, in order. A part without a wildcard is not looked for. `None`: on the way
/// there were more than `most`.
pub(super) fn expand(base: &Path, pattern: &str, most: usize) -> Option<Vec<PathBuf>> {
    let mut found = vec![base.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let wildcard = parse(part);
        let mut deeper = Vec::new();
        for folder in &found {
            let names = names(folder)
                .into_iter()
                .filter(|name| name.starts_with('.') == part.starts_with('.') && matches(&wildcard, name));
            deeper.extend(names.map(|name| folder.join(name)));
            if deeper.len() > most {
                return None;
            }
        }
        found = deeper;
    }
    Some(found)
}

/// The names in a folder, sorted; none where it cannot be read. Those that are not UTF-8 are left out.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// A piece of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// `*`
    Anything,
    /// `?`
    AnyOne,
    /// A character, or the ranges of `[…]`; the flag says that it is `[!…]`.
    OneOf(bool, Vec<(char, char)>),
}

impl Piece {
    fn takes(&self, one: char) -> bool {
        match self {
            Self::Anything | Self::AnyOne => true,
            Self::OneOf(negated, ranges) => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&one)) != *negated
            }
        }
    }
}

fn parse(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars();
    while let Some(first) = rest.next() {
        pieces.push(match (first, class(rest.as_str())) {
            ('*', _) => Piece::Anything,
            ('?', _) => Piece::AnyOne,
            ('[', Some((inside, after))) => {
                rest = after.chars();
                let negated = inside.strip_prefix('!');
                Piece::OneOf(negated.is_some(), ranges(negated.unwrap_or(inside)))
            }
            (literal, _) => Piece::OneOf(false, vec![(literal, literal)]),
        });
    }
    pieces
}

/// What stands between the brackets, and what after them. A `]` that comes first does not close; a bracket that
/// nothing closes is a character like any other.
fn class(rest: &str) -> Option<(&str, &str)> {
    let skipped = usize::from(rest.starts_with('!'));
    let skipped = skipped + usize::from(rest.get(skipped..)?.starts_with(']'));
    let end = skipped + rest.get(skipped..)?.find(']')?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

fn ranges(inside: &str) -> Vec<(char, char)> {
    let inside: Vec<char> = inside.chars().collect();
    let mut rest = inside.as_slice();
    let mut ranges = Vec::new();
    while let [first, after @ ..] = rest {
        let (last, after) = if let ['-', last, after @ ..] = after { (last, after) } else { (first, after) };
        ranges.push((*first, *last));
        rest = after;
    }
    ranges
}

/// Whether the whole name matches. After a mismatch, the last `*` takes one character more: no pattern takes long.
fn matches(pieces: &[Piece], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut piece, mut at) = (0, 0);
    let mut last_star = None;
    loop {
        match (pieces.get(piece), name.get(at)) {
            (Some(Piece::Anything), _) => {
                last_star = Some((piece, at));
                piece += 1;
                continue;
            }
            (Some(one_of), Some(one)) if one_of.takes(*one) => {
                (piece, at) = (piece + 1, at + 1);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        match last_star {
            Some((star, from)) if from < name.len() => {
                last_star = Some((star, from + 1));
                (piece, at) = (star + 1, from + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results are those of Python's `fnmatch.fnmatchcase`.
    #[test]
    fn a_name_matches_as_in_python() {
        for (pattern, matching, other) in [
            ("*", "sdn", ""),
            ("*.cfg", "a.cfg .cfg", "a.cfg~ cfg"),
            ("a*b*c", "abc axbxbxc aabbcc", "ab abcd"),
            ("??", "ab äö", "a abc"),
            ("[a-c]1", "a1 c1", "d1 A1 -1"),
            ("[!a-c]1", "d1 -1", "a1 1"),
            ("[]x]", "] x", "["),
            ("[!]]", "x [", "]"),
            ("[a-]", "a -", "b"),
            ("[-a]", "a -", "b"),
            ("[c-a]", "", "a b c -"),
            ("[^a]", "^ a", "b"),
            ("[a", "[a", "a"),
            ("a[", "a[", "a"),
            ("[!", "[!", "x"),
            ("x\\*", "x\\ x\\y", "x*"),
            ("**", "a ab", ""),
            ("*?", "a ab", ""),
        ] {
            let pieces = parse(pattern);
            for name in matching.split_whitespace() {
                assert!(matches(&pieces, name), "{pattern} {name}");
            }
            for name in other.split_whitespace() {
                assert!(!matches(&pieces, name), "{pattern} {name}");
            }
        }
        assert!(matches(&parse("*"), ""));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_longer() {
        assert!(!matches(&parse(&"*a".repeat(50)), &"a".repeat(49)));
        assert!(!matches(&parse(&format!("{}b", "*a".repeat(40))), &"a".repeat(2000)));
    }
}
