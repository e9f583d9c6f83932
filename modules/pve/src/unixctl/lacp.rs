//! `lacp/show`: both ends of LACP on each member of a bond. The text is written by `lacp_print_details` in `lib/lacp.c`.

use std::collections::BTreeMap;

use serde::Serialize;

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
    /// The bits that are set, in the order of the standard: `activity`, `timeout`, `aggregation`, `synchronized`,
    /// `collecting`, `distributing`, `defaulted`, `expired`.
    pub state: Vec<String>,
}

impl Lacp {
    /// Whether `member` has a current partner and may carry traffic.
    pub fn is_negotiated(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(Member::is_negotiated)
    }

    /// A line that is missing leaves its value out.
    pub(super) fn parse(text: &str) -> Self {
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
            match &mut current {
                Some(member) => member.set(name, value.trim()),
                None if name == "aggregation key" => lacp.key = value.trim().parse().ok(),
                None => {}
            }
        }
        lacp
    }
}

impl Member {
    /// Whether it has a current partner and may carry traffic.
    pub fn is_negotiated(&self) -> bool {
        self.is_current && self.is_attached && self.may_enable
    }

    fn set(&mut self, name: &str, value: &str) {
        match name.split_once(' ') {
            Some(("actor", name)) => self.actor.set(name, value),
            Some(("partner", name)) => self.partner.set(name, value),
            _ if name == "port_id" => self.port_id = value.parse().ok(),
            _ if name == "may_enable" => self.may_enable = value == "true",
            _ => {}
        }
    }
}

impl LacpPort {
    fn set(&mut self, name: &str, value: &str) {
        match name {
            "sys_id" => self.system_id = Some(value.to_lowercase()).filter(|id| id != NOBODY),
            "sys_priority" => self.system_priority = value.parse().ok(),
            "key" => self.key = value.parse().ok(),
            "port_id" => self.port_id = value.parse().ok(),
            "state" => self.state = value.split_whitespace().map(str::to_owned).collect(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Open vSwitch 3.1 and 3.3: the first member talks to a switch, the second has just lost it, the third hears
    /// nobody.
    const NEW: &str = "\
---- bond0 ----
  status: active negotiated
  sys_id: 3c:fd:fe:a1:01:20
  sys_priority: 65534
  aggregation key: 3
  lacp_time: fast

member: ens20f0np0: current attached
  port_id: 3
  port_priority: 65535
  may_enable: true

  actor sys_id: 3c:fd:fe:a1:01:20
  actor sys_priority: 65534
  actor port_id: 3
  actor port_priority: 65535
  actor key: 3
  actor state: activity timeout aggregation synchronized collecting distributing

  partner sys_id: 00:1C:73:0a:0b:0c
  partner sys_priority: 32768
  partner port_id: 25
  partner port_priority: 32768
  partner key: 1001
  partner state: activity aggregation synchronized collecting distributing

member: ens20f1np1: expired attached
  port_id: 4
  port_priority: 65535
  may_enable: false

  actor sys_id: 3c:fd:fe:a1:01:20
  actor sys_priority: 65534
  actor port_id: 4
  actor port_priority: 65535
  actor key: 3
  actor state: activity timeout aggregation synchronized expired

  partner sys_id: 00:1c:73:0a:0b:0c
  partner sys_priority: 32768
  partner port_id: 29
  partner port_priority: 32768
  partner key: 1001
  partner state: activity timeout aggregation

member: ens21f0np0: defaulted detached
  port_id: 5
  port_priority: 65535
  may_enable: false

  actor sys_id: 3c:fd:fe:a1:01:20
  actor sys_priority: 65534
  actor port_id: 5
  actor port_priority: 65535
  actor key: 3
  actor state: activity timeout aggregation defaulted

  partner sys_id: 00:00:00:00:00:00
  partner sys_priority: 0
  partner port_id: 0
  partner port_priority: 0
  partner key: 0
  partner state:
";

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn both_ends_of_every_member_are_read_in_either_spelling() {
        for text in [NEW.to_owned(), NEW.replace("member:", "slave:")] {
            let lacp = Lacp::parse(&text);
            assert_eq!(lacp.key, Some(3));
            assert_eq!(lacp.members.len(), 3);
            let member = &lacp.members["ens20f0np0"];
            assert_eq!(member.port_id, Some(3));
            assert_eq!(
                member.actor,
                LacpPort {
                    system_id: Some("3c:fd:fe:a1:01:20".to_owned()),
                    system_priority: Some(65534),
                    key: Some(3),
                    port_id: Some(3),
                    state: words("activity timeout aggregation synchronized collecting distributing"),
                }
            );
            assert_eq!(
                member.partner,
                LacpPort {
                    system_id: Some("00:1c:73:0a:0b:0c".to_owned()),
                    system_priority: Some(32768),
                    key: Some(1001),
                    port_id: Some(25),
                    state: words("activity aggregation synchronized collecting distributing"),
                }
            );
            let is = |name: &str| {
                let member = &lacp.members[name];
                (member.is_current, member.is_attached, member.may_enable)
            };
            assert_eq!(is("ens20f0np0"), (true, true, true));
            assert_eq!(is("ens20f1np1"), (false, true, false));
            assert_eq!(is("ens21f0np0"), (false, false, false));
            let nobody = &lacp.members["ens21f0np0"].partner;
            assert_eq!((&nobody.system_id, nobody.state.len()), (&None, 0));
        }
    }

    #[test]
    fn only_a_member_that_is_current_attached_and_enabled_is_negotiated() {
        for word in ["member", "slave"] {
            let text = format!(
                "---- bond0 ----\n  status: active negotiated\n\n\
                 {word}: nic0: current attached\n  may_enable: true\n\n\
                 {word}: nic1: expired attached\n  may_enable: true\n\n\
                 {word}: nic2: defaulted detached\n  may_enable: true\n\n\
                 {word}: nic3: current attached\n  may_enable: false\n\n\
                 {word}: nic4: current detached\n  may_enable: true\n\n\
                 {word}: nic5: current attached\n\tmay_enable: true\n"
            );
            let lacp = Lacp::parse(&text);
            let negotiated: Vec<_> =
                lacp.members.keys().filter(|member| lacp.is_negotiated(member)).collect();
            assert_eq!(negotiated, ["nic0", "nic5"], "{word}");
        }
    }

    #[test]
    fn lines_that_are_missing_or_strange_leave_their_values_out() {
        assert_eq!(Lacp::parse(""), Lacp::default());
        assert_eq!(Lacp::parse("no such lacp object\n"), Lacp::default());
        let lacp = Lacp::parse(
            "---- bond0 ----\n  status: active\n  aggregation key: none\n\nmember: nic0: new words\n  port_id: many\n\
             \n  actor key: 70000\n  partner sys_id: 00:1c:73:0a:0b:0c\n\nmember: nic1\n  may_enable: true\n",
        );
        assert_eq!((lacp.key, lacp.members.len()), (None, 2));
        let partner = LacpPort { system_id: Some("00:1c:73:0a:0b:0c".to_owned()), ..LacpPort::default() };
        assert_eq!(lacp.members["nic0"], Member { partner, ..Member::default() });
        assert_eq!(lacp.members["nic1"], Member { may_enable: true, ..Member::default() });
    }
}
