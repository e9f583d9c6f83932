//! Sets of VLAN ids, as EOS reads and prints them: `10-12,20`.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

/// The highest VLAN id.
pub const LAST: u16 = 4094;

/// A set of VLAN ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vlans(pub BTreeSet<u16>);

impl Vlans {
    /// Every VLAN.
    pub fn all() -> Self {
        Self((1..=LAST).collect())
    }

    /// Reads a list in one word. Its order and what it says twice do not matter.
    pub fn parse(word: &str) -> Option<Self> {
        let mut set = BTreeSet::new();
        for part in word.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (id(first)?, id(last)?);
            if first > last {
                return None;
            }
            set.extend(first..=last);
        }
        Some(Self(set))
    }

    /// Whether this is every VLAN.
    pub fn is_all(&self) -> bool {
        self.0.len() == usize::from(LAST)
    }
}

/// Sorted runs, a run of two as `10-11`; `none` for the empty set.
impl Display for Vlans {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut ids = self.0.iter().copied().peekable();
        if ids.peek().is_none() {
            return f.write_str("none");
        }
        let mut separator = "";
        while let Some(first) = ids.next() {
            let mut last = first;
            while let Some(next) = ids.next_if(|next| *next == last + 1) {
                last = next;
            }
            if first == last {
                write!(f, "{separator}{first}")?;
            } else {
                write!(f, "{separator}{first}-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

fn id(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().filter(|id| (1..=LAST).contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_printed_sorted_in_runs() {
        for (typed, printed) in [
            ("10-11", "10-11"),
            ("12,10,11", "10-12"),
            ("5-7,2,3,2-3,23", "2-3,5-7,23"),
            ("1-4094", "1-4094"),
        ] {
            assert_eq!(Vlans::parse(typed).unwrap().to_string(), printed, "{typed}");
        }
        assert_eq!(Vlans::default().to_string(), "none");
        assert!(Vlans::parse("1-4094").unwrap().is_all());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for typed in ["", "0", "4095", "5-3", "1,", "-1", "1-", "a", "+5", "1 2", "99999999999"] {
            assert_eq!(Vlans::parse(typed), None, "{typed}");
        }
    }
}
