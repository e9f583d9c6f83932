//! Sets of VLANs, in the one form in which people and switches write them. What a port does with them is `wire.rs`'s.

use std::collections::BTreeSet;
use std::fmt;

/// The numbers that a VLAN can have.
const FIRST: u16 = 1;
const LAST: u16 = 4094;

/// What a trunk lets through, or what a switch has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VlanSet(BTreeSet<u16>);

impl VlanSet {
    /// Every VLAN.
    pub fn all() -> Self {
        Self((FIRST..=LAST).collect())
    }

    /// From `10,20-29`, `all` or `none`; `None` where it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "all" => return Some(Self::all()),
            "none" | "" => return Some(Self::default()),
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

    /// Adds those of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(&other.0);
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

/// A VLAN's number; `None` where it can't be one.
pub fn vlan(text: &str) -> Option<u16> {
    let text = text.trim();
    let number = text.parse().ok().filter(|number| (FIRST..=LAST).contains(number))?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
}

/// The VLAN of untagged frames on a trunk of the switch.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_list_of_vlans_is_refused() {
        for text in ["0", "4095", "10-", "-10", "20-10", "10 20", "10,,20", "x", "+1", "1-2-3", "none,10"] {
            assert_eq!(VlanSet::parse(text), None, "{text}");
        }
        assert_eq!(VlanSet::parse("1-4094").unwrap().to_string(), "all");
        assert_eq!(VlanSet::parse("none"), Some(VlanSet::default()));
    }

    #[test]
    fn a_native_vlan_is_a_vlan_or_tag() {
        assert_eq!(Native::parse("Tag"), Some(Native::Tag));
        assert_eq!(Native::parse(" 10"), Some(Native::Vlan(10)));
        assert_eq!(Native::parse("0"), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_as_the_same_set(vlans in proptest::collection::btree_set(FIRST..=LAST, 0..200)) {
            let set: VlanSet = vlans.into_iter().collect();
            prop_assert_eq!(VlanSet::parse(&set.to_string()), Some(set));
        }
    }
}
