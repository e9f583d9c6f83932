//! The VLANs of a Port-Channel as options give them, those of the module that makes it and those of a link's
//! description alike: what takes a setting away is read as the default of EOS that then holds.

use crate::{FIRST, LAST, Native, VlanSet};

/// What a trunk lets through, from a list of lists. An empty list takes the restriction away; `none` is no VLAN.
pub fn trunk_vlans(parts: &[String]) -> Option<VlanSet> {
    if parts.is_empty() { Some(VlanSet::all()) } else { VlanSet::parse(&parts.join(",")) }
}

/// The VLAN of untagged frames on a trunk. `0` takes it away.
pub fn native_vlan(text: &str) -> Option<Native> {
    if text.trim() == "0" { Some(Native::DEFAULT) } else { Native::parse(text) }
}

/// The VLAN of what is no trunk. 0 takes it away.
pub fn access_vlan(number: i64) -> Option<u16> {
    match number {
        0 => Some(FIRST),
        number => u16::try_from(number).ok().filter(|vlan| (FIRST..=LAST).contains(vlan)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_setting_away_is_the_default() {
        assert_eq!(trunk_vlans(&[]), Some(VlanSet::all()));
        assert_eq!(native_vlan(" 0"), Some(Native::DEFAULT));
        assert_eq!(access_vlan(0), Some(1));
    }

    #[test]
    fn whatever_else_is_no_vlan_is_refused() {
        let list =
            |parts: &[&str]| trunk_vlans(&parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["20-22", " 10"]).unwrap().to_string(), "10,20-22");
        assert_eq!(list(&["none"]), Some(VlanSet::default()));
        for parts in [&[""][..], &["0"], &["10", "none"], &["4095"]] {
            assert_eq!(list(parts), None, "{parts:?}");
        }
        assert_eq!(native_vlan("tag"), Some(Native::Tag));
        assert_eq!((native_vlan(""), native_vlan("untagged")), (None, None));
        assert_eq!((access_vlan(4094), access_vlan(4095), access_vlan(-1)), (Some(4094), None, None));
    }
}
