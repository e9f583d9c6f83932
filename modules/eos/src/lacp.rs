//! What members of Port-Channels and their other ends say in LACP, from `show lacp interface all-ports | json`. Which
//! interfaces are members at all is the running-config's.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::mac;
use crate::names::Interface;

/// Where a member has come in LACP: `actorPortStatus`.
const BUNDLED: &str = "bundled";
/// What a partner is called of whom nothing was heard.
const NOBODY: &str = "00:00:00:00:00:00";
/// The bits of an end's state by the names of IEEE 802.1AX, which are those of the JSON, in the order of the bits.
const STATES: [&str; 8] =
    ["activity", "timeout", AGGREGATION, SYNCHRONIZATION, "collecting", "distributing", DEFAULTED, "expired"];
/// The end takes the member for one that may be bundled.
pub const AGGREGATION: &str = "aggregation";
/// The end takes the member for one of the bundle.
pub const SYNCHRONIZATION: &str = "synchronization";
const DEFAULTED: &str = "defaulted";

/// LACP on one member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Negotiation {
    /// How far it has come, in the words of EOS: `bundled`, `negotiation`, `noAgg` and others.
    pub status: Option<String>,
    /// This end.
    pub actor: Option<End>,
    /// The other end; none where nobody answers.
    pub partner: Option<End>,
}

/// One end. What the release does not tell is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct End {
    /// Address of the system.
    pub system_id: Option<String>,
    /// Operational key: members with the same one may be bundled.
    pub key: Option<u32>,
    /// Number of the port within its system.
    pub port_id: Option<u32>,
    /// Priority of the port; the lower is preferred.
    pub port_priority: Option<u32>,
    /// The bits that are set.
    pub state: Vec<&'static str>,
}

impl Negotiation {
    /// Every member that speaks LACP, by its name.
    pub fn read_all(json: &Value) -> BTreeMap<Interface, Self> {
        let channels = json.get("portChannels").and_then(Value::as_object).into_iter().flatten();
        let members = channels
            .filter_map(|(_, channel)| channel.get("interfaces").and_then(Value::as_object))
            .flatten()
            .filter_map(|(name, member)| Some((Interface::from_config(name)?, Self::read(member))));
        members.collect()
    }

    fn read(json: &Value) -> Self {
        Self {
            status: json.get("actorPortStatus").and_then(Value::as_str).map(str::to_owned),
            actor: Some(End::read(json, "actor")).filter(|actor| *actor != End::default()),
            partner: Some(End::read(json, "partner")).filter(End::is_somebody),
        }
    }

    /// Whether LACP lets the member carry traffic; none where that is not told.
    pub fn is_bundled(&self) -> Option<bool> {
        Some(self.status.as_deref()? == BUNDLED)
    }
}

impl End {
    fn read(json: &Value, side: &str) -> Self {
        let value = |key: &str| json.get(format!("{side}{key}"));
        // Behind the system's priority: `8000,00-1c-73-00-00-01`.
        let system = value("SystemId").and_then(Value::as_str).and_then(|text| text.rsplit(',').next());
        let bits = value("PortState");
        let is_set = |bit: &&str| bits.and_then(|bits| bits.get(bit)).and_then(Value::as_bool) == Some(true);
        Self {
            system_id: system.and_then(mac::parse),
            key: value("OperKey").and_then(number),
            port_id: value("PortId").and_then(number),
            port_priority: value("PortPriority").and_then(number),
            state: STATES.into_iter().filter(is_set).collect(),
        }
    }

    /// Whether it tells its state, and not this of it.
    pub fn says_not(&self, state: &str) -> bool {
        !self.state.is_empty() && !self.state.contains(&state)
    }

    /// Whether this was heard from somebody. Until then EOS shows what it assumes of a partner.
    fn is_somebody(&self) -> bool {
        match self.system_id.as_deref() {
            Some(system) => system != NOBODY,
            None => !self.state.is_empty() && !self.state.contains(&DEFAULTED),
        }
    }
}

/// A number, or one as text: `0x000a`.
fn number(value: &Value) -> Option<u32> {
    let Some(text) = value.as_str() else { return value.as_u64()?.try_into().ok() };
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(member: &Value) -> Value {
        json!({"portChannels": {"Port-Channel10": {"interfaces": {"Ethernet7/1": member, "PeerEthernet7/1": member}}},
               "orphanPorts": {}})
    }

    fn read(member: &Value) -> Negotiation {
        let found = Negotiation::read_all(&shown(member));
        let names: Vec<String> = found.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["Ethernet7/1"]);
        found.into_values().next().unwrap()
    }

    fn bits(set: &[&str]) -> Value {
        STATES
            .iter()
            .map(|bit| ((*bit).to_owned(), json!(set.contains(bit))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    #[test]
    fn both_ends_are_read() {
        let up = ["activity", "aggregation", "synchronization", "collecting", "distributing"];
        let found = read(&json!({
            "actorPortStatus": "bundled",
            "actorSystemId": "8000,00-1C-73-00-00-01", "actorOperKey": "0x000a", "actorPortId": 25,
            "actorPortPriority": 32768, "actorPortState": bits(&up),
            "partnerSystemId": "fffe,3c-ec-ef-00-00-02", "partnerOperKey": 1, "partnerPortId": "2",
            "partnerPortState": bits(&["timeout", "activity"]),
            "details": {"actorChurnState": "noChurn"},
        }));
        assert_eq!(found.is_bundled(), Some(true));
        let actor = End {
            system_id: Some("00:1c:73:00:00:01".to_owned()),
            key: Some(10),
            port_id: Some(25),
            port_priority: Some(32_768),
            state: up.into(),
        };
        assert_eq!(found.actor, Some(actor));
        let partner = End {
            system_id: Some("3c:ec:ef:00:00:02".to_owned()),
            key: Some(1),
            port_id: Some(2),
            port_priority: None,
            state: vec!["activity", "timeout"],
        };
        assert_eq!(found.partner, Some(partner));
    }

    #[test]
    fn where_nobody_answers_there_is_no_partner() {
        let nobody = read(&json!({
            "actorPortStatus": "noAgg", "actorPortId": 25,
            "partnerSystemId": "0000,00-00-00-00-00-00", "partnerPortState": bits(&["defaulted", "activity"]),
        }));
        assert_eq!((nobody.is_bundled(), &nobody.partner), (Some(false), &None));
        assert_eq!(nobody.actor.unwrap().port_id, Some(25));
        assert_eq!(read(&json!({"partnerPortState": bits(&["defaulted", "aggregation"])})).partner, None);
    }

    #[test]
    fn a_release_that_tells_less_is_read_as_far_as_it_tells() {
        let states = read(
            &json!({"actorPortStatus": "negotiation", "partnerPortState": {"activity": true, "later": true}}),
        );
        assert_eq!((states.is_bundled(), states.actor), (Some(false), None));
        assert_eq!(states.partner, Some(End { state: vec!["activity"], ..End::default() }));
        for untold in [
            json!({}),
            json!({"actorPortStatus": 3, "actorOperKey": "0x", "partnerPortState": []}),
            json!(null),
        ] {
            assert_eq!(read(&untold), Negotiation::default(), "{untold}");
        }
        assert!(Negotiation::read_all(&json!({"orphanPorts": {}})).is_empty());
    }
}
