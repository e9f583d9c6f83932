//! VLANs and sets of them, as EOS prints them and as people type them. Which of them a switch has, or a link needs, is
//! for those who use this.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

pub mod given;

/// The numbers that a VLAN can have.
const FIRST: u16 = 1;
const LAST: u16 = 4094;

/// What a trunk lets through, or what the switch has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VlanSet(BTreeSet<u16>);

impl VlanSet {
    /// Every VLAN: what a trunk lets through when nothing is said.
    pub fn all() -> Self {
        Self((FIRST..=LAST).collect())
    }

    /// From `10,20-29`, `all` or `none`; `None` where it is none of these. Order and repetition do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "all" => return Some(Self::all()),
            "none" => return Some(Self::default()),
            _ => {}
        }
        let mut vlans = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (vlan(first)?, vlan(last)?);
            if first > last {
                return None;
            }
            vlans.extend(first..=last);
        }
        Some(Self(vlans))
    }

    /// Whether it is every VLAN.
    pub fn is_all(&self) -> bool {
        self.0.len() == usize::from(LAST)
    }

    /// Whether there is none in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `vlan` is in it.
    pub fn contains(&self, vlan: u16) -> bool {
        self.0.contains(&vlan)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).copied().collect())
    }

    /// Each, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        self.0.iter().copied()
    }
}

impl FromIterator<u16> for VlanSet {
    fn from_iter<I: IntoIterator<Item = u16>>(vlans: I) -> Self {
        Self(vlans.into_iter().collect())
    }
}

impl Extend<u16> for VlanSet {
    fn extend<I: IntoIterator<Item = u16>>(&mut self, vlans: I) {
        self.0.extend(vlans);
    }
}

/// A VLAN's number; `None` where it cannot be one.
pub fn vlan(text: &str) -> Option<u16> {
    let text = text.trim();
    let number = text.parse().ok().filter(|number| (FIRST..=LAST).contains(number))?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
}

/// `all`, `none`, or sorted ranges without spaces: `10-11,20`.
impl fmt::Display for VlanSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("all");
        }
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for &vlan in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == vlan => *last = vlan,
                _ => ranges.push((vlan, vlan)),
            }
        }
        let ranges: Vec<String> = ranges
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        f.write_str(&ranges.join(","))
    }
}

impl Serialize for VlanSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The VLAN of untagged frames on a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Native {
    /// They are of this VLAN, in both directions.
    Vlan(u16),
    /// There are none: every frame is tagged, and one that is not is dropped.
    Tag,
}

impl Native {
    /// What it is when nothing is said.
    pub const DEFAULT: Self = Self::Vlan(FIRST);

    /// From `10` or `tag`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().eq_ignore_ascii_case("tag") { Some(Self::Tag) } else { vlan(text).map(Self::Vlan) }
    }
}

impl fmt::Display for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vlan(vlan) => write!(f, "{vlan}"),
            Self::Tag => f.write_str("tag"),
        }
    }
}

impl Serialize for Native {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sets_are_printed_as_eos_does() {
        for (text, printed) in [
            ("10,11", "10-11"),
            (" 30 , 2-3,5,6,7,3", "2-3,5-7,30"),
            ("1-4094", "all"),
            ("ALL", "all"),
            ("none", "none"),
            ("4094", "4094"),
        ] {
            assert_eq!(VlanSet::parse(text).unwrap().to_string(), printed, "{text}");
        }
        for text in ["", "0", "4095", "10-", "-10", "20-10", "10 20", "10,,20", "x", "+1", "1-2-3", "none,10"]
        {
            assert_eq!(VlanSet::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_native_vlan_is_a_vlan_or_tag() {
        assert_eq!(Native::parse("Tag"), Some(Native::Tag));
        assert_eq!(Native::parse(" 10"), Some(Native::Vlan(10)));
        for text in ["", "0", "4095", "tagged", "1,2"] {
            assert_eq!(Native::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same_set(vlans in proptest::collection::btree_set(FIRST..=LAST, 0..200)) {
            let set = VlanSet(vlans);
            prop_assert_eq!(VlanSet::parse(&set.to_string()), Some(set));
        }
    }
}
