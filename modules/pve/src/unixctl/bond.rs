//! `bond/show`: which members of a bond may carry traffic, which one does, and how much each has carried lately. The
//! text is written by `bond_print_details` in `ofproto/bond.c`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Error, number};

/// What is asked.
pub(super) const SHOW: &str = "bond/show";
/// A bond spreads what it carries over as many hashes: `BOND_MASK` in `ofproto/bond.c`.
const HASHES: u16 = 256;
/// No member carries as much between two of Open vSwitch's looks at it: its count has wrapped below zero, as it does
/// after a member was away (openvswitch/ovs-issues#319).
const WRAPPED: u64 = 1 << 40;

/// One bond; empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bond {
    /// The members that may carry traffic, by name.
    pub enabled: BTreeSet<String>,
    /// The member that carries what is not spread over all of them; of an active-backup bond, everything.
    pub active: Option<String>,
    /// What each member carried lately, by name; empty where the mode spreads nothing.
    pub loads: BTreeMap<String, Load>,
}

/// What a member carried lately: Open vSwitch halves the figures whenever it looks whether to spread them otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Load {
    /// How many hashes with traffic are on it.
    pub hashes: u16,
    /// Kilobytes of 1024 bytes; `None` where Open vSwitch has miscounted.
    pub kb: Option<u64>,
}

impl Bond {
    /// A line that is missing leaves its value out.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut bond = Self::default();
        let mut spreads = false;
        let mut current = None;
        for line in text.lines() {
            if let Some((name, state)) = super::member(line) {
                current = Some(name);
                if state == "enabled" {
                    bond.enabled.insert(name.to_owned());
                }
                if spreads {
                    bond.loads.insert(name.to_owned(), Load { hashes: 0, kb: Some(0) });
                }
                continue;
            }
            match (line.trim(), current) {
                ("active member" | "active slave", Some(name)) => bond.active = Some(name.to_owned()),
                (line, None) if line.starts_with("bond_mode: balance-") => spreads = true,
                (line, Some(name)) => {
                    let load = hash(line)?.and_then(|kb| Some((bond.loads.get_mut(name)?, kb)));
                    if let Some((load, kb)) = load {
                        load.hashes = load.hashes.saturating_add(1);
                        load.kb = load.kb.filter(|_| kb < WRAPPED).and_then(|sum| sum.checked_add(kb));
                    }
                }
                _ => {}
            }
        }
        Ok(bond)
    }
}

/// The load in `hash 17: 4 kB load`.
fn hash(line: &str) -> Result<Option<u64>, Error> {
    let Some(rest) = line.strip_prefix("hash ") else { return Ok(None) };
    let Some((index, load)) = rest.split_once(": ") else { return Ok(None) };
    let Some(kb) = load.strip_suffix(" kB load") else { return Ok(None) };
    let index: u16 = number(SHOW, line, index)?;
    if index >= HASHES {
        return Err(Error::Line { command: SHOW, line: line.to_owned() });
    }
    number(SHOW, line, kb).map(Some)
}

#[cfg(test)]
mod tests;
