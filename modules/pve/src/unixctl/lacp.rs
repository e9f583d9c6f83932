//! `lacp/show`: both ends of LACP on each member of a bond. The text is written by `lacp_print_details` in `lib/lacp.c`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Error, number};

/// What is asked.
pub(super) const SHOW: &str = "lacp/show";
/// The system id that stands for a partner of which nothing was heard.
const NOBODY: &str = "00:00:00:00:00:00";

/// LACP of one bond; empty where LACP does not run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacp {
    /// The actor's aggregation key in force, 1 to 65535.
    pub key: Option<u16>,
    /// The members by name.
    pub members: BTreeMap<String, Member>,
}

/// One member of a bond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// The actor's port id, 1 to 65535.
    pub port_id: Option<u16>,
    /// Whether its partner was heard in time. If not, what it said last is still told for a while.
    pub is_current: bool,
    /// Whether its partner is the one of the whole bond.
    pub is_attached: bool,
    /// Whether LACP lets it carry traffic.
    pub may_enable: bool,
    /// What the node announces on it.
    pub actor: LacpPort,
    /// What the far end announces on it.
    pub partner: LacpPort,
}

/// One end of LACP on a member, in the terms of IEEE 802.1AX. What was not told is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LacpPort {
    /// The system's MAC address in lower case. `None` for a partner of which nothing was heard.
    pub system_id: Option<String>,
    /// The system's priority.
    pub system_priority: Option<u16>,
    /// The aggregation key.
    pub key: Option<u16>,
    /// The port's number in its system.
    pub port_id: Option<u16>,
    /// The port's priority in its system.
    pub port_priority: Option<u16>,
    /// The bits that are set, in the order of the standard: `activity`, `timeout`, `aggregation`, `synchronized`,
    /// `collecting`, `distributing`, `defaulted`, `expired`.
    pub state: Vec<String>,
}

impl Lacp {
    /// Whether `member` has a current partner, and may carry traffic.
    pub fn carries(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(Member::carries)
    }

    /// Whether `member` carries, and its partner hears it.
    pub fn is_negotiated(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(Member::is_negotiated)
    }

    /// A line that is missing leaves its value out.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut lacp = Self::default();
        let mut current = None;
        for line in text.lines() {
            if let Some((name, state)) = super::member(line) {
                let has = |word: &str| state.split(' ').any(|found| found == word);
                let member = lacp.members.entry(name.to_owned()).or_default();
                (member.is_current, member.is_attached) = (has("current"), has("attached"));
                current = Some(member);
                continue;
            }
            // The state of a partner that said nothing is empty.
            let Some((name, value)) = line.trim().split_once(':') else { continue };
            let value = value.trim();
            match &mut current {
                Some(member) => member.set(line, name, value)?,
                // Until a member has joined, the bond announces none.
                None if name == "aggregation key" && value != "none" => {
                    lacp.key = Some(number(SHOW, line, value)?);
                }
                None => {}
            }
        }
        Ok(lacp)
    }
}

impl Member {
    /// Whether it has a current partner, and may carry traffic.
    pub fn carries(&self) -> bool {
        self.is_current && self.is_attached && self.may_enable
    }

    /// Whether it carries, and its partner hears it.
    pub fn is_negotiated(&self) -> bool {
        self.carries() && !self.partner.hears_nobody()
    }

    fn set(&mut self, line: &str, name: &str, value: &str) -> Result<(), Error> {
        match name.split_once(' ') {
            Some(("actor", name)) => self.actor.set(line, name, value)?,
            Some(("partner", name)) => self.partner.set(line, name, value)?,
            _ if name == "port_id" => self.port_id = Some(number(SHOW, line, value)?),
            _ if name == "may_enable" => self.may_enable = value == "true",
            _ => {}
        }
        Ok(())
    }
}

impl LacpPort {
    /// Whether it says that it goes by what it heard long ago, or by what it was told to assume. One that runs Open vSwitch
    /// takes part meanwhile: it sets `synchronized` and `distributing` for the first 3 s that it hears nobody.
    fn hears_nobody(&self) -> bool {
        self.state.iter().any(|bit| bit == "expired" || bit == "defaulted")
    }

    fn set(&mut self, line: &str, name: &str, value: &str) -> Result<(), Error> {
        match name {
            "sys_id" => self.system_id = Some(value.to_ascii_lowercase()).filter(|id| id != NOBODY),
            "sys_priority" => self.system_priority = Some(number(SHOW, line, value)?),
            "port_id" => self.port_id = Some(number(SHOW, line, value)?),
            "port_priority" => self.port_priority = Some(number(SHOW, line, value)?),
            "key" => self.key = Some(number(SHOW, line, value)?),
            "state" => self.state = value.split_whitespace().map(str::to_owned).collect(),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
