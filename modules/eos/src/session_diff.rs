//! The switch's own differences between its running-config and a session, made fit to be shown, and whose lines they
//! change. What is done about changes of others is the caller's business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Stands for a line of somebody else's configuration, which may hold anything.
const OTHERS: &str = "    …";
const MASKED: &str = "********";
/// What follows one of these words, or a word that ends with one behind a hyphen, is secret.
const SECRET_AFTER: [&str; 12] = [
    "auth",
    "authentication",
    "community",
    "key",
    "key-string",
    "passphrase",
    "passwd",
    "password",
    "priv",
    "psk",
    "secret",
    "token",
];
/// The switch counts lines without this one, which only `show running-config` has (seen with EOS 4.22.1F).
const UNCOUNTED: &str = "! Command: ";

/// What a session would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDiff {
    lines: Vec<String>,
    others: Vec<String>,
}

/// One line inside a hunk, without its first character, and the blocks that it stands in.
#[derive(Debug)]
struct Line<'a> {
    text: &'a str,
    /// In the running-config; none where the line is not there.
    old: Option<Block<'a>>,
    /// In the session; none where the line is not there.
    new: Option<Block<'a>>,
}

/// Where a line stands: the first line of its block. None where the hunk begins inside a block that was not found.
type Block<'a> = Option<&'a str>;

impl SessionDiff {
    /// Reads `show session-config diffs`; none where it shows no differences.
    ///
    /// `running` is `show running-config`, which tells in whose block a hunk begins. `own` holds the first lines of the
    /// blocks that are ours, such as `interface Ethernet7/1`.
    pub fn parse(text: &str, running: &str, own: &[String]) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let running = Running::of(running);
        let own: BTreeSet<&str> = own.iter().map(String::as_str).collect();
        let is_own = |block: Block| block.is_some_and(|block| own.contains(block));
        let mut found = Self { lines: Vec::new(), others: Vec::new() };
        let mut lines = text.trim_end().lines().peekable();
        while let Some(head) = lines.next_if(|line| !line.starts_with("@@")) {
            // A line that is no header is none of ours.
            found.lines.push(
                if head.starts_with("--- ") || head.starts_with("+++ ") { head } else { OTHERS }.to_owned(),
            );
        }
        while let Some(head) = lines.next() {
            let mut body = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("@@")) {
                body.push(line.trim_end());
            }
            // Behind the second `@@` there may be a line of the configuration.
            found.lines.push(head.split_inclusive("@@").take(2).collect());
            let hunk = hunk(&body, running.first_block(head, &body));
            for (line, raw) in hunk.iter().zip(&body) {
                found.lines.push(shown(line, raw, is_own));
            }
            found.others.extend(changes(&hunk, is_own));
        }
        Some(found)
    }

    /// The changes that lie outside of our blocks, or in a block that is not known: `-` or `+`, the block's first line,
    /// the line. None is missed; but where blocks hold the same lines, the two sides can be lined up in more than one way,
    /// and one of ours may be among them.
    pub fn changes_of_others(&self) -> &[String] {
        &self.others
    }
}

impl fmt::Display for SessionDiff {
    /// The differences with the lines of others and everything secret masked, a line break at the end of each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The running-config, as the switch counts its lines.
struct Running<'a> {
    lines: Vec<&'a str>,
    /// Where each text stands.
    places: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Running<'a> {
    fn of(text: &'a str) -> Self {
        let lines: Vec<&str> =
            text.lines().map(str::trim_end).filter(|line| !line.starts_with(UNCOUNTED)).collect();
        let mut places = BTreeMap::<_, Vec<_>>::new();
        for (at, line) in lines.iter().enumerate() {
            places.entry(*line).or_default().push(at);
        }
        Self { lines, places }
    }

    /// In whose block a hunk begins, as far as its own lines do not tell.
    fn first_block(&self, head: &str, body: &[&str]) -> Block<'a> {
        let old: Vec<&str> = body
            .iter()
            .filter(|line| !line.starts_with('+'))
            .map(|line| line.get(1..).unwrap_or_default())
            .collect();
        let is_at = |at: &usize| self.lines.get(*at..).is_some_and(|rest| rest.starts_with(&old));
        let number =
            head.strip_prefix("@@ -").and_then(|head| head.split([',', ' ']).next()?.parse::<usize>().ok());
        let at_number = number.and_then(|number| number.checked_sub(1)).filter(|_| !old.is_empty());
        let at = at_number.filter(is_at).or_else(|| self.only_place(&old, is_at))?;
        self.lines.get(..at)?.iter().rfind(|line| !line.starts_with(' ')).copied()
    }

    /// Where these lines stand, unless that is nowhere or in two places. They are looked for by the one that stands in the
    /// fewest.
    fn only_place(&self, old: &[&str], is_at: impl Fn(&usize) -> bool) -> Option<usize> {
        let places = |line: &str| self.places.get(line).map(Vec::as_slice).unwrap_or_default();
        let (offset, line) = old.iter().enumerate().min_by_key(|(_, line)| places(line).len())?;
        let mut found = places(line).iter().filter_map(|at| at.checked_sub(offset)).filter(is_at);
        let only = found.next();
        only.filter(|_| found.next().is_none())
    }
}

/// The lines of a hunk, which begins in the block `first` on both sides.
fn hunk<'a>(body: &[&'a str], first: Block<'a>) -> Vec<Line<'a>> {
    let (mut old, mut new) = (first, first);
    let next = |block: &mut Block<'a>, text: &'a str| {
        if !text.starts_with(' ') {
            *block = Some(text);
        }
        *block
    };
    let lines = body.iter().map(|line| {
        let text = line.get(1..).unwrap_or_default();
        match line.chars().next() {
            Some('-') => Line { text, old: Some(next(&mut old, text)), new: None },
            Some('+') => Line { text, old: None, new: Some(next(&mut new, text)) },
            _ => Line { text, old: Some(next(&mut old, text)), new: Some(next(&mut new, text)) },
        }
    });
    lines.collect()
}

/// What one line of a hunk looks like to somebody who may see our blocks and all that changes.
fn shown<'a>(line: &Line<'a>, raw: &str, is_own: impl Fn(Block<'a>) -> bool) -> String {
    match (line.old, line.new) {
        (Some(old), Some(new))
            if !(is_own(old) && is_own(new) || line.text == "!" || line.text.starts_with("interface ")) =>
        {
            OTHERS.to_owned()
        }
        _ => masked(raw),
    }
}

/// What changes in blocks that are not ours.
///
/// The sides are compared block by block. A new block in front of one that ends alike is often lined up so that the
/// other one's last lines seem to be new.
fn changes<'a>(hunk: &[Line<'a>], is_own: impl Fn(Block<'a>) -> bool) -> Vec<String> {
    // In the order in which they come.
    let mut blocks: Vec<(Block, [Vec<&str>; 2])> = Vec::new();
    let mut known: BTreeMap<Block, usize> = BTreeMap::new();
    for line in hunk {
        for (side, block) in [line.old, line.new].into_iter().enumerate() {
            // A `!` between two blocks says nothing.
            let Some(block) = block.filter(|&block| !is_own(block) && block != Some("!")) else { continue };
            let at = *known.entry(block).or_insert_with(|| {
                blocks.push((block, Default::default()));
                blocks.len() - 1
            });
            if let Some(lines) = blocks.get_mut(at).and_then(|(_, sides)| sides.get_mut(side)) {
                lines.push(line.text);
            }
        }
    }
    let mut found = Vec::new();
    for (block, [old, new]) in blocks {
        if old == new {
            continue;
        }
        let (mut removed, mut added) = (without(&old, &new), without(&new, &old));
        if removed.is_empty() && added.is_empty() {
            // The same lines in another order.
            (removed, added) = (old, new);
        }
        let told = |sign: &str, line: &str| match block {
            Some(block) if block != line => format!("{sign} {block}: {}", masked(line.trim_start())),
            _ => format!("{sign} {}", masked(line.trim_start())),
        };
        found.extend(removed.iter().map(|line| told("-", line)));
        found.extend(added.iter().map(|line| told("+", line)));
    }
    found
}

/// `lines` without those of `others`, each taken off once.
fn without<'a>(lines: &[&'a str], others: &[&'a str]) -> Vec<&'a str> {
    let mut left = BTreeMap::<_, usize>::new();
    for other in others {
        *left.entry(*other).or_default() += 1;
    }
    let is_left = |line: &&str| match left.get_mut(*line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    lines.iter().copied().filter(is_left).collect()
}

/// A line without what is secret in it. A description is a name for people, whatever words it has.
fn masked(line: &str) -> String {
    if line.trim_start_matches(['+', '-', ' ']).starts_with("description ") {
        return line.to_owned();
    }
    let mut end = 0;
    for word in line.split_inclusive(' ') {
        end += word.len();
        let word = word.trim_end().to_lowercase();
        let is_secret = SECRET_AFTER.iter().any(|secret| {
            word.strip_suffix(secret).is_some_and(|before| before.is_empty() || before.ends_with(['-', '+']))
        });
        if is_secret && end < line.len() {
            return format!("{}{MASKED}", line.get(..end).unwrap_or_default());
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests;
