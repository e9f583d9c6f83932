//! Which members a Port-Channel uses and why it does not use the others, from `show port-channel | json`. What they
//! say to each other in LACP is `lacp.rs`'s.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::names::Interface;

/// A member in its Port-Channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It carries the traffic of the Port-Channel, as far as that decides it.
    Active,
    /// It does not, for a reason in the words of EOS, such as `waiting for LACP response`.
    Inactive(Option<String>),
}

impl Standing {
    /// Every member of every Port-Channel of the JSON, by its own name. The members that an MLAG peer has, such as
    /// `PeerEthernet4`, are that switch's.
    pub fn read_all(json: &Value) -> BTreeMap<Interface, Self> {
        let channels = json.get("portChannels").and_then(Value::as_object).into_iter().flatten();
        let mut found = BTreeMap::new();
        for (_, channel) in channels {
            found.extend(members(channel, "activePorts").map(|(member, _)| (member, Self::Active)));
            found.extend(members(channel, "inactivePorts").map(|(member, port)| {
                let reason = port.get("reasonUnconfigured").and_then(Value::as_str).map(str::to_owned);
                (member, Self::Inactive(reason.filter(|reason| !reason.is_empty())))
            }));
        }
        found
    }
}

/// The interfaces of this switch under `key`.
fn members<'a>(channel: &'a Value, key: &str) -> impl Iterator<Item = (Interface, &'a Value)> {
    let ports = channel.get(key).and_then(Value::as_object).map(Map::iter);
    ports.into_iter().flatten().filter_map(|(name, port)| Some((Interface::from_config(name)?, port)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_is_active_or_not_and_the_peers_are_not_ours() {
        let shown = json!({"portChannels": {
            "Port-Channel10": {
                "minLinks": 0, "rxPorts": {}, "inactiveLag": false,
                "activePorts": {"Ethernet1/1": {"protocol": "lacp", "lacpMode": "active"}, "PeerEthernet9": {}},
                "inactivePorts": {
                    "Ethernet2/1": {"reasonUnconfigured": "waiting for LACP response", "timeBecameInactive": 0.5},
                    "Ethernet3/1": {},
                    "PeerEthernet2": {"reasonUnconfigured": "link down"},
                },
            },
            "Port-Channel11": {"activePorts": {"Ethernet4/1": {}}, "inactivePorts": []},
            "Port-Channel12": null,
        }});
        let found: Vec<(String, Standing)> = Standing::read_all(&shown)
            .into_iter()
            .map(|(name, standing)| (name.to_string(), standing))
            .collect();
        let expected = [
            ("Ethernet1/1", Standing::Active),
            ("Ethernet2/1", Standing::Inactive(Some("waiting for LACP response".to_owned()))),
            ("Ethernet3/1", Standing::Inactive(None)),
            ("Ethernet4/1", Standing::Active),
        ];
        assert_eq!(found, expected.map(|(name, standing)| (name.to_owned(), standing)));
        assert!(Standing::read_all(&json!({})).is_empty());
    }
}
