//! What `ovs-appctl lacp/show` and `bond/show` print, which has no other form. Up to 2.14 a member was a `slave`.

use std::collections::BTreeMap;

use crate::dataplane::{Lacp, LacpEnd};

/// The words for the state bits of IEEE 802.1AX, least significant first.
const STATE: [&str; 8] = [
    "activity",
    "timeout",
    "aggregation",
    "synchronized",
    "collecting",
    "distributing",
    "defaulted",
    "expired",
];
/// The system of a partner that nothing was heard of.
const NOBODY: &str = "00:00:00:00:00:00";

/// What LACP came to on an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Negotiation {
    /// Whether it may carry traffic: the partner is heard and in agreement, and the link is up.
    pub bundled: bool,
    /// Whether it may carry traffic, in agreement or in default of a partner.
    pub enabled: bool,
    /// Both ends.
    pub lacp: Lacp,
}

/// Reads `lacp/show`, by interface.
pub fn lacp(shown: &str) -> BTreeMap<String, Negotiation> {
    let mut negotiations = BTreeMap::new();
    for (name, state, lines) in members(shown) {
        let field = |key: &str| lines.iter().find(|(found, _)| *found == key).map_or("", |(_, value)| *value);
        let partner = end(|key| field(&format!("partner {key}")));
        let enabled = field("may_enable") == "true";
        let negotiation = Negotiation {
            bundled: state.split(' ').eq(["current", "attached"]) && enabled,
            enabled,
            lacp: Lacp {
                actor: end(|key| field(&format!("actor {key}"))),
                partner: (partner.system != NOBODY && !partner.system.is_empty()).then_some(partner),
            },
        };
        negotiations.insert(name.to_owned(), negotiation);
    }
    negotiations
}

/// Reads `bond/show`: whether each bond's member is enabled, by interface.
pub fn bonds(shown: &str) -> BTreeMap<String, bool> {
    members(shown).into_iter().map(|(name, state, _)| (name.to_owned(), state == "enabled")).collect()
}

type Field<'a> = (&'a str, &'a str);

/// The members of all bonds: name, state, and the fields below.
fn members(shown: &str) -> Vec<(&str, &str, Vec<Field<'_>>)> {
    let mut members = Vec::new();
    for line in shown.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        let heading = line.strip_prefix("member").or_else(|| line.strip_prefix("slave"));
        if let Some((name, state)) =
            heading.and_then(|heading| heading.trim_start_matches([':', ' ']).split_once(':'))
        {
            members.push((name.trim(), state.trim(), Vec::new()));
        } else if line.starts_with("----") {
            // The next bond's own fields are nobody's.
            members.push(("", "", Vec::new()));
        } else if let Some((_, _, fields)) = members.last_mut() {
            fields.push((key, value));
        }
    }
    members.retain(|(name, _, _)| !name.is_empty());
    members
}

fn end<'a>(field: impl Fn(&str) -> &'a str) -> LacpEnd {
    let number = |key| field(key).parse().unwrap_or_default();
    let words: Vec<&str> = field("state").split(' ').collect();
    let bits = (0..).zip(STATE).filter(|(_, word)| words.contains(word));
    LacpEnd {
        system_priority: number("sys_priority"),
        system: field("sys_id").to_owned(),
        port: number("port_id"),
        port_priority: number("port_priority"),
        key: number("key"),
        state: bits.fold(0, |state, (bit, _)| state | 1 << bit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LACP: &str = "\
---- Po1001 ----
  status: active negotiated
  sys_id: 00:1c:73:00:07:01
  sys_priority: 32768
  aggregation key: 1001
  lacp_time: slow

member: Et7_1: current attached
  port_id: 1
  port_priority: 32768
  may_enable: true

  actor sys_id: 00:1c:73:00:07:01
  actor sys_priority: 32768
  actor port_id: 1
  actor port_priority: 32768
  actor key: 1001
  actor state: activity aggregation synchronized collecting distributing

  partner sys_id: 3c:ec:ef:00:00:01
  partner sys_priority: 65534
  partner port_id: 2
  partner port_priority: 65535
  partner key: 1
  partner state: activity timeout aggregation synchronized collecting distributing

member: Et8_1: defaulted detached
  port_id: 2
  port_priority: 32768
  may_enable: false

  actor sys_id: 00:1c:73:00:07:01
  actor sys_priority: 32768
  actor port_id: 2
  actor port_priority: 32768
  actor key: 1001
  actor state: activity aggregation defaulted

  partner sys_id: 00:00:00:00:00:00
  partner sys_priority: 0
  partner port_id: 0
  partner port_priority: 0
  partner key: 0
  partner state:
---- Po1002 ----
  status: passive
";

    const BONDS: &str = "\
---- Po1001 ----
bond_mode: balance-slb
bond may use recirculation: no, Recirc-ID : -1
lacp_status: off
lacp_fallback_ab: false
active member mac: 00:1c:73:00:07:01(Et7_1)

member Et7_1: enabled
  active member
  may_enable: true

member Et8_1: disabled
  may_enable: false
";

    #[test]
    fn both_ends_of_a_dialog_are_read() {
        let shown = lacp(LACP);
        let up = &shown["Et7_1"];
        assert!(up.bundled);
        let actor = LacpEnd {
            system_priority: 32_768,
            system: "00:1c:73:00:07:01".to_owned(),
            port: 1,
            port_priority: 32_768,
            key: 1001,
            state: 0b0011_1101,
        };
        assert_eq!(up.lacp.actor, actor);
        let partner = up.lacp.partner.as_ref().unwrap();
        assert_eq!(
            (partner.system.as_str(), partner.port, partner.state),
            ("3c:ec:ef:00:00:01", 2, 0b0011_1111)
        );
    }

    #[test]
    fn where_nobody_answers_there_is_no_partner() {
        let shown = lacp(LACP);
        assert_eq!(shown.len(), 2);
        assert!(!shown["Et8_1"].bundled);
        assert_eq!(shown["Et8_1"].lacp.partner, None);
        assert_eq!(shown["Et8_1"].lacp.actor.state, 0b0100_0101);
    }

    #[test]
    fn bonds_tell_which_members_they_use() {
        assert_eq!(bonds(BONDS), [("Et7_1".to_owned(), true), ("Et8_1".to_owned(), false)].into());
    }

    #[test]
    fn the_words_of_older_releases_mean_the_same() {
        let older = |text: &str| text.replace("member", "slave");
        assert_eq!(lacp(&older(LACP)), lacp(LACP));
        assert_eq!(bonds(&older(BONDS)), bonds(BONDS));
        assert!(lacp("").is_empty() && bonds("").is_empty());
    }
}
