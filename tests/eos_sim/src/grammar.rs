//! Matching a typed line with the commands that there are: abbreviations, arguments, and what is wrong with a line.
//! Which commands there are is `commands.rs`.
//!
//! A pattern is a list of words: `switchport` is a keyword, `fast|normal` a choice of keywords that is an argument,
//! `<1-4094>` a number, `NAME` one word, `TEXT` the rest of the line, `VLANS` a VLAN list, `INTERFACES` a name or range
//! of interfaces, `HH:MM:SS` a duration.

use crate::names::{Kind, Names};
use crate::vlans::Vlans;

/// A command.
#[derive(Debug, Clone, Copy)]
pub struct Rule<A: 'static> {
    /// How it is typed.
    pub pattern: &'static str,
    /// What it means.
    pub act: A,
}

/// What a line was recognised as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<A> {
    /// Its meaning.
    pub act: A,
    /// Its keywords, spelled out.
    pub words: Vec<&'static str>,
    /// Its arguments, in the order of the pattern. Keywords are spelled out, durations in seconds.
    pub args: Vec<String>,
    /// The line spelled out.
    pub text: String,
    /// In which of the tables it stood.
    pub layer: usize,
}

/// Why a line is no command. Tokens count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// No command goes on with this token.
    Invalid(usize, String),
    /// A command goes on behind this token, the last one.
    Incomplete(usize, String),
    /// Several commands can be meant.
    Ambiguous,
}

impl Misfit {
    /// The error line. Newer releases name the token.
    pub fn text(&self, names_token: bool) -> String {
        match self {
            Self::Invalid(at, token) if names_token => format!("% Invalid input (at token {at}: '{token}')"),
            Self::Incomplete(at, token) if names_token => {
                format!("% Incomplete command (at token {at}: '{token}')")
            }
            Self::Invalid(..) => "% Invalid input".to_owned(),
            Self::Incomplete(..) => "% Incomplete command".to_owned(),
            Self::Ambiguous => "% Ambiguous command".to_owned(),
        }
    }
}

/// How much of a pattern has to be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its leading keywords, as behind `no`.
    Head,
}

/// Finds the one command that `line` means. Of tables in which the same words stand, the first counts.
pub fn find<A: Copy>(
    line: &str,
    tables: &[&'static [Rule<A>]],
    extent: Extent,
) -> Result<Matched<A>, Misfit> {
    let mut readings: Vec<Reading<A>> = tables
        .iter()
        .enumerate()
        .flat_map(|(layer, table)| table.iter().map(move |rule| Reading::new(rule, layer)))
        .collect();
    let mut last = (0, String::new());
    for (at, (offset, token)) in tokens(line).enumerate() {
        let rest = line.get(offset..).unwrap_or_default().trim_end();
        let mut next: Vec<(Fit, Reading<A>)> =
            readings.iter().flat_map(|reading| reading.step(token, rest)).collect();
        let Some(best) = next.iter().map(|(fit, _)| *fit).max() else {
            return Err(Misfit::Invalid(at, token.to_owned()));
        };
        // A word spelled out is meant; a typed value may still turn out to be the only one that fits.
        let needed = if best == Fit::Exact { Fit::Exact } else { best.min(Fit::Value) };
        next.retain(|(fit, _)| *fit >= needed);
        readings = next.into_iter().map(|(_, reading)| reading).collect();
        last = (at, token.to_owned());
    }
    let same_words = |first: &Reading<A>| readings.iter().all(|reading| reading.words == first.words);
    if !readings.first().is_some_and(same_words) {
        return Err(Misfit::Ambiguous);
    }
    let whole = readings.into_iter().filter(|reading| reading.is_complete(extent));
    let found = whole.min_by_key(|reading| reading.layer);
    let Some(Reading { rule, layer, words, args, texts, .. }) = found else {
        return Err(Misfit::Incomplete(last.0, last.1));
    };
    Ok(Matched { act: rule.act, words, args, text: texts.join(" "), layer })
}

/// The words of a line, with where they begin.
pub fn tokens(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    line.split_ascii_whitespace().map(move |token| {
        let at = from + line.get(from..).and_then(|rest| rest.find(token)).unwrap_or_default();
        from = at + token.len();
        (at, token)
    })
}

/// How well a token fits, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Anything would.
    Any,
    /// A value of the right form.
    Value,
    /// An abbreviated keyword.
    Abbreviated,
    /// A keyword.
    Exact,
}

/// One way to understand the tokens so far.
#[derive(Clone)]
struct Reading<A: 'static> {
    rule: &'static Rule<A>,
    layer: usize,
    at: usize,
    words: Vec<&'static str>,
    args: Vec<String>,
    /// Words and arguments.
    texts: Vec<String>,
    /// The kind of an interface whose number has to follow.
    half: Option<String>,
    /// The rest of the line is taken already.
    full: bool,
}

impl<A: Copy> Reading<A> {
    fn new(rule: &'static Rule<A>, layer: usize) -> Self {
        Self {
            rule,
            layer,
            at: 0,
            words: Vec::new(),
            args: Vec::new(),
            texts: Vec::new(),
            half: None,
            full: false,
        }
    }

    fn is_complete(&self, extent: Extent) -> bool {
        let elements = self.rule.pattern.split(' ');
        let needed = match extent {
            Extent::Whole => elements.count(),
            Extent::Head => elements.take_while(|element| is_keyword(element)).count(),
        };
        self.at >= needed && self.half.is_none()
    }

    /// The ways to understand one more token. `rest` is the line from there on.
    fn step(&self, token: &str, rest: &str) -> Vec<(Fit, Self)> {
        if self.full {
            return vec![(Fit::Any, self.clone())];
        }
        let Some(element) = self.rule.pattern.split(' ').nth(self.at) else { return Vec::new() };
        let value = |value: Option<String>| {
            let fit = if element == "NAME" || element == "TEXT" { Fit::Any } else { Fit::Value };
            value.map(|value| (fit, self.after(value))).into_iter().collect()
        };
        match element {
            "NAME" => value(Some(token.to_owned())),
            "TEXT" => {
                let mut next = self.after(rest.to_owned());
                next.full = true;
                vec![(Fit::Any, next)]
            }
            "VLANS" => value(Vlans::parse(token).map(|vlans| vlans.to_string())),
            "HH:MM:SS" => value(seconds(token).map(|seconds| seconds.to_string())),
            "INTERFACES" => self.step_interface(token),
            _ if element.starts_with('<') => value(number(element, token)),
            _ => {
                element.split('|').filter_map(|keyword| self.step_keyword(element, keyword, token)).collect()
            }
        }
    }

    fn step_keyword(&self, element: &'static str, keyword: &'static str, token: &str) -> Option<(Fit, Self)> {
        let typed = token.to_ascii_lowercase();
        let fit = match keyword.strip_prefix(typed.as_str())? {
            "" => Fit::Exact,
            _ => Fit::Abbreviated,
        };
        let mut next = self.clone();
        next.at += 1;
        next.words.push(keyword);
        next.texts.push(keyword.to_owned());
        if !is_keyword(element) {
            next.args.push(keyword.to_owned());
        }
        Some((fit, next))
    }

    /// `Ethernet7/1`, or `Ethernet` with the number in the next token.
    fn step_interface(&self, token: &str) -> Vec<(Fit, Self)> {
        let joined = self.half.as_ref().map_or_else(|| token.to_owned(), |kind| format!("{kind}{token}"));
        if Names::parse(&joined).is_some() {
            return vec![(Fit::Value, self.after(joined))];
        }
        let kind = Kind::parse(token).filter(|_| self.half.is_none());
        let half = kind.map(|_| (Fit::Value, Self { half: Some(token.to_owned()), ..self.clone() }));
        half.into_iter().collect()
    }

    fn after(&self, arg: String) -> Self {
        let mut next = Self { half: None, ..self.clone() };
        next.at += 1;
        next.texts.push(arg.clone());
        next.args.push(arg);
        next
    }
}

fn is_keyword(element: &str) -> bool {
    !element.contains(['|', '<', ':']) && element.contains(|c: char| c.is_ascii_lowercase())
}

fn number(element: &str, token: &str) -> Option<String> {
    let (low, high) = element.strip_prefix('<')?.strip_suffix('>')?.split_once('-')?;
    let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
    let is_number = token.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = is_number.then(|| token.parse().ok()).flatten()?;
    (low <= number && number <= high).then(|| number.to_string())
}

fn seconds(token: &str) -> Option<u32> {
    let parts = token.split(':').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    (*hours < 100 && *minutes < 60 && *seconds < 60).then(|| (hours * 60 + minutes) * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &[Rule<&str>] = &[
        Rule { pattern: "show running-config", act: "run" },
        Rule { pattern: "show interfaces INTERFACES", act: "interface" },
        Rule { pattern: "show interfaces status", act: "status" },
        Rule { pattern: "interface INTERFACES", act: "enter" },
        Rule { pattern: "commit timer HH:MM:SS", act: "timer" },
    ];
    const INNER: &[Rule<&str>] = &[
        Rule { pattern: "shutdown", act: "shutdown" },
        Rule { pattern: "ip address NAME", act: "ip" },
        Rule { pattern: "ipv6 address NAME", act: "ipv6" },
        Rule { pattern: "description TEXT", act: "description" },
        Rule { pattern: "switchport", act: "switchport" },
        Rule { pattern: "switchport mode access|trunk", act: "mode" },
        Rule { pattern: "switchport trunk allowed vlan VLANS", act: "allowed" },
        Rule { pattern: "switchport trunk allowed vlan add VLANS", act: "add" },
        Rule { pattern: "channel-group <1-2000> mode active|passive|on", act: "group" },
    ];

    fn typed(line: &str, extent: Extent) -> String {
        match find(line, &[INNER, OUTER], extent) {
            Ok(found) => format!("{} {}", found.act, found.args.join(" ")).trim_end().to_owned(),
            Err(misfit) => misfit.text(true),
        }
    }

    #[test]
    fn a_line_is_understood_however_it_is_abbreviated() {
        for (line, meant) in [
            ("sh run", "run"),
            ("shutdown", "shutdown"),
            ("SHUT", "shutdown"),
            ("int e7/1", "enter e7/1"),
            ("interface Ethernet 7/1", "enter Ethernet7/1"),
            ("sh int po 1001", "interface po1001"),
            ("show int status", "status"),
            ("sw mo tr", "mode trunk"),
            ("sw", "switchport"),
            ("ip addr 10.0.0.1/24", "ip 10.0.0.1/24"),
            ("desc  two  words ", "description two  words"),
            ("channel-group 01001 mode a", "group 1001 active"),
            ("switchport trunk allowed vlan 12,10-11", "allowed 10-12"),
            ("switchport trunk allowed vlan add 5", "add 5"),
            ("commit timer 00:01:05", "timer 65"),
        ] {
            assert_eq!(typed(line, Extent::Whole), meant, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_with_its_token() {
        for (line, told) in [
            ("ruter", "% Invalid input (at token 0: 'ruter')"),
            ("switchport mode bridge", "% Invalid input (at token 2: 'bridge')"),
            ("channel-group 0 mode on", "% Invalid input (at token 1: '0')"),
            ("switchport trunk allowed vlan 1 2", "% Invalid input (at token 5: '2')"),
            ("channel-group 5", "% Incomplete command (at token 1: '5')"),
            ("interface Ethernet", "% Incomplete command (at token 1: 'Ethernet')"),
            ("description", "% Incomplete command (at token 0: 'description')"),
            ("sh", "% Ambiguous command"),
            ("i", "% Ambiguous command"),
            ("commit timer 00:99:00", "% Invalid input (at token 2: '00:99:00')"),
        ] {
            assert_eq!(typed(line, Extent::Whole), told, "{line}");
        }
        assert_eq!(Misfit::Invalid(0, "x".into()).text(false), "% Invalid input");
    }

    #[test]
    fn behind_a_no_the_leading_keywords_are_enough() {
        assert_eq!(typed("channel-group", Extent::Head), "group");
        assert_eq!(typed("channel-group 5 mode on", Extent::Head), "group 5 on");
        assert_eq!(typed("switchport", Extent::Head), "switchport");
        assert_eq!(typed("switchport mode", Extent::Head), "mode");
        assert_eq!(typed("description", Extent::Head), "description");
        assert_eq!(typed("switchport trunk", Extent::Head), "% Incomplete command (at token 1: 'trunk')");
    }
}
