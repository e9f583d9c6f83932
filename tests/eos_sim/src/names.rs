//! Names of interfaces and ranges of them: how they are abbreviated, ordered and printed. Which exist is not known here.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

/// Kinds of interfaces, in the order of their blocks in the running-config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `Port-Channel1001`.
    PortChannel,
    /// `Ethernet7/1`.
    Ethernet,
    /// `Loopback0`.
    Loopback,
    /// `Management1`.
    Management,
    /// `Tunnel1`.
    Tunnel,
    /// `Vlan10`.
    Vlan,
    /// `Vxlan1`.
    Vxlan,
}

/// Kind, name, short name, how many numbers it may have.
const KINDS: [(Kind, &str, &str, usize); 7] = [
    (Kind::PortChannel, "Port-Channel", "Po", 1),
    (Kind::Ethernet, "Ethernet", "Et", 3),
    (Kind::Loopback, "Loopback", "Lo", 1),
    (Kind::Management, "Management", "Ma", 2),
    (Kind::Tunnel, "Tunnel", "Tu", 1),
    (Kind::Vlan, "Vlan", "Vl", 1),
    (Kind::Vxlan, "Vxlan", "Vx", 1),
];
/// The highest number that any interface has.
const LAST: u32 = 999_999;
/// How many interfaces a range may name.
const RANGE_LIMIT: u32 = 4096;

impl Kind {
    /// Reads a kind, abbreviated at will, in any case. An abbreviation of two kinds is none.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let mut found = KINDS.iter().filter(|(_, long, ..)| long.to_ascii_lowercase().starts_with(&word));
        let (kind, ..) = found.next().filter(|_| !word.is_empty())?;
        found.next().is_none().then_some(*kind)
    }

    /// Its name, such as `Management`.
    pub fn long(self) -> &'static str {
        self.row().0
    }

    fn row(self) -> (&'static str, &'static str, usize) {
        KINDS
            .iter()
            .find_map(|(kind, long, short, depth)| (*kind == self).then_some((*long, *short, *depth)))
            .unwrap_or_default()
    }
}

/// An interface. Ordered as in the running-config: `Ethernet2` before `Ethernet10`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// What it is.
    pub kind: Kind,
    /// Its numbers: module, slot, port.
    pub path: Vec<u32>,
    /// The number of a subinterface.
    pub sub: Option<u32>,
}

impl Name {
    /// `Port-ChannelN`.
    pub fn port_channel(number: u32) -> Self {
        Self { kind: Kind::PortChannel, path: vec![number], sub: None }
    }

    /// Reads one name, such as `et7/1`.
    pub fn parse(word: &str) -> Option<Self> {
        let (kind, numbers) = split(word)?;
        Self::of(kind, numbers)
    }

    /// The number of a Port-Channel.
    pub fn channel(&self) -> Option<u32> {
        let [number] = self.path.as_slice() else { return None };
        (self.kind == Kind::PortChannel && self.sub.is_none()).then_some(*number)
    }

    /// Whether it is a port of the switch, not of a higher layer.
    pub fn is_ethernet(&self) -> bool {
        self.kind == Kind::Ethernet && self.sub.is_none()
    }

    /// As in prompts and summaries: `Et7/1`.
    pub fn short(&self) -> String {
        let (_, short, _) = self.kind.row();
        format!("{short}{}", self.numbers())
    }

    fn of(kind: Kind, numbers: &str) -> Option<Self> {
        let (path, sub) = match numbers.split_once('.') {
            Some((path, sub)) => (path, Some(number(sub)?)),
            None => (numbers, None),
        };
        let path = path.split('/').map(number).collect::<Option<Vec<_>>>()?;
        let (.., depth) = kind.row();
        let fits =
            path.len() <= depth && (sub.is_none() || matches!(kind, Kind::Ethernet | Kind::PortChannel));
        fits.then_some(Self { kind, path, sub })
    }

    fn numbers(&self) -> String {
        let path = self.path.iter().map(u32::to_string).collect::<Vec<_>>().join("/");
        self.sub.map_or(path.clone(), |sub| format!("{path}.{sub}"))
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.long(), self.numbers())
    }
}

/// Several interfaces of one kind: `Ethernet7/1,8/1`, `Ethernet17-20`, `Ethernet7/1-8/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    parts: Vec<(Name, Name)>,
}

impl Names {
    /// Reads a name or a range, given in one word.
    pub fn parse(word: &str) -> Option<Self> {
        let (kind, _) = split(word)?;
        let mut parts = Vec::new();
        for part in word.split(',') {
            let numbers = match split(part) {
                Some((again, numbers)) if again == kind => numbers,
                Some(_) => return None,
                None => part,
            };
            let (from, to) = numbers.split_once('-').unwrap_or((numbers, numbers));
            let from = Name::of(kind, from)?;
            let to = match split(to) {
                Some((again, to)) if again == kind => Name::of(kind, to)?,
                Some(_) => return None,
                None => Name::of(kind, to)?,
            };
            // `Ethernet7/1-4`: the end says only its last number.
            let to = match (from.path.split_last(), to.path.as_slice()) {
                (Some((_, front)), [last]) if !front.is_empty() => {
                    Name { path: [front, &[*last]].concat(), ..to }
                }
                _ => to,
            };
            if to < from || to.path.len() != from.path.len() {
                return None;
            }
            parts.push((from, to));
        }
        Some(Self { parts })
    }

    /// Its interfaces. A range over slots, such as `7/1-8/1`, means those of `existing` in between.
    pub fn expand(&self, existing: &BTreeSet<Name>) -> Vec<Name> {
        let mut names = Vec::new();
        for (from, to) in &self.parts {
            match (from.path.split_last(), to.path.split_last()) {
                (Some((first, front)), Some((last, other))) if front == other && from.sub == to.sub => {
                    let last = *last.min(&first.saturating_add(RANGE_LIMIT));
                    names.extend(
                        (*first..=last)
                            .map(|number| Name { path: [front, &[number]].concat(), ..from.clone() }),
                    );
                }
                _ => names.extend(existing.range(from.clone()..=to.clone()).cloned()),
            }
        }
        names
    }

    /// What they are.
    pub fn kind(&self) -> Option<Kind> {
        self.parts.first().map(|(from, _)| from.kind)
    }

    /// As in prompts: `Et17-20`.
    pub fn short(&self) -> String {
        let mut text = String::new();
        for (from, to) in &self.parts {
            if text.is_empty() {
                text = from.short();
            } else {
                text = format!("{text},{}", from.numbers());
            }
            if from != to {
                let (front, other) = (from.path.split_last(), to.path.split_last());
                let to = match (front, other) {
                    (Some((_, front)), Some((last, other))) if front == other => last.to_string(),
                    _ => to.numbers(),
                };
                text = format!("{text}-{to}");
            }
        }
        text
    }
}

fn split(word: &str) -> Option<(Kind, &str)> {
    let digits = word.find(|c: char| c.is_ascii_digit())?;
    let (kind, numbers) = word.split_at(digits);
    Some((Kind::parse(kind)?, numbers))
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().filter(|number| *number <= LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_abbreviated_and_printed_in_full() {
        for (typed, long, short) in [
            ("et7/1", "Ethernet7/1", "Et7/1"),
            ("ETHERNET54/1", "Ethernet54/1", "Et54/1"),
            ("e3/1/2", "Ethernet3/1/2", "Et3/1/2"),
            ("po1001", "Port-Channel1001", "Po1001"),
            ("port-channel5.20", "Port-Channel5.20", "Po5.20"),
            ("vl10", "Vlan10", "Vl10"),
            ("m1", "Management1", "Ma1"),
        ] {
            let name = Name::parse(typed).unwrap();
            assert_eq!((name.to_string().as_str(), name.short().as_str()), (long, short), "{typed}");
        }
        for typed in [
            "",
            "7/1",
            "et",
            "v10",
            "et7/",
            "et/1",
            "po1/2",
            "vlan1.5",
            "et1/2/3/4",
            "eth ernet1",
            "et9999999",
        ] {
            assert_eq!(Name::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn names_are_ordered_by_number_and_port_channels_come_first() {
        let sorted = ["po2", "po10", "et1", "et2/1", "et2/2", "et10", "lo0", "ma1", "vl10"]
            .map(|name| Name::parse(name).unwrap());
        assert!(sorted.is_sorted());
    }

    #[test]
    fn a_range_over_slots_means_what_exists_in_between() {
        let existing = ["et7/1", "et7/2", "et8/1", "et8/2"].map(|name| Name::parse(name).unwrap()).into();
        let expanded = |typed: &str| {
            let names = Names::parse(typed).unwrap();
            (names.short(), names.expand(&existing).iter().map(Name::short).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(expanded("et7/1-8/1"), ("Et7/1-8/1".into(), "Et7/1 Et7/2 Et8/1".into()));
        assert_eq!(expanded("et7/1,8/1"), ("Et7/1,8/1".into(), "Et7/1 Et8/1".into()));
        assert_eq!(expanded("Et7/1,Et8/1"), ("Et7/1,8/1".into(), "Et7/1 Et8/1".into()));
        assert_eq!(expanded("et7/1-2"), ("Et7/1-2".into(), "Et7/1 Et7/2".into()));
        assert_eq!(expanded("Ethernet17-20"), ("Et17-20".into(), "Et17 Et18 Et19 Et20".into()));
        for typed in ["et1,po2", "et5-3", "et1-po2", "et1,,2"] {
            assert_eq!(Names::parse(typed), None, "{typed}");
        }
    }
}
