//! Which members a Port-Channel uses and why it does not use the others, from `show port-channel | json`. What they
//! say to each other in LACP is `lacp.rs`'s.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::names::Interface;

/// A Port-Channel as the switch bundles it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The members of this switch.
    pub members: BTreeMap<Interface, Standing>,
    /// Those that an MLAG peer has in it, by the names that EOS gives them, such as `PeerEthernet4`.
    pub peers: BTreeMap<String, Standing>,
    /// What came of LACP fallback, in the words of EOS, such as `unconfigured`; older releases do not tell.
    pub fallback_state: Option<String>,
}

/// A member in its Port-Channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It carries the traffic of the Port-Channel, as far as that decides it.
    Active,
    /// It does not, for a reason in the words of EOS, such as `waiting for LACP response`.
    Inactive(Option<String>),
}

/// A member of an MLAG peer, as it is told.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// Whether the peer uses it.
    pub active: bool,
    /// Why it does not, in the words of EOS.
    pub reason: Option<String>,
}

/// What EOS puts before the names of an MLAG peer's interfaces.
const PEER: &str = "Peer";

impl Bundle {
    /// Every Port-Channel of the JSON, by name.
    pub fn read_all(json: &Value) -> BTreeMap<Interface, Self> {
        let shown = json.get("portChannels").and_then(Value::as_object).into_iter().flatten();
        shown.filter_map(|(name, shown)| Some((Interface::from_config(name)?, Self::read(shown)))).collect()
    }

    fn read(shown: &Value) -> Self {
        let mut bundle = Self {
            fallback_state: shown.get("fallbackState").and_then(Value::as_str).map(str::to_owned),
            ..Self::default()
        };
        for (key, is_active) in [("activePorts", true), ("inactivePorts", false)] {
            // Where there is none, some releases have a list.
            for (name, port) in shown.get(key).and_then(Value::as_object).into_iter().flat_map(Map::iter) {
                let standing = if is_active { Standing::Active } else { Standing::inactive(port) };
                if let Some(member) = Interface::from_config(name) {
                    bundle.members.insert(member, standing);
                } else if name.starts_with(PEER) {
                    bundle.peers.insert(name.clone(), standing);
                }
            }
        }
        bundle
    }

    /// Whether fallback is at work by EOS's own word for it.
    pub fn says_fallback(&self) -> bool {
        self.fallback_state.as_deref().is_some_and(|state| state.to_ascii_lowercase().contains("enabled"))
    }
}

impl Standing {
    fn inactive(port: &Value) -> Self {
        let reason = port.get("reasonUnconfigured").and_then(Value::as_str).map(str::trim);
        Self::Inactive(reason.filter(|reason| !reason.is_empty()).map(str::to_owned))
    }

    /// As it is told of a peer's member.
    pub fn peer(&self) -> Peer {
        match self {
            Self::Active => Peer { active: true, reason: None },
            Self::Inactive(reason) => Peer { active: false, reason: reason.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(shown: &Value) -> Vec<(String, Standing)> {
        let all = Bundle::read_all(shown).into_iter();
        all.flat_map(|(_, bundle)| bundle.members)
            .map(|(name, standing)| (name.to_string(), standing))
            .collect()
    }

    fn inactive(reason: &str) -> Standing {
        Standing::Inactive(Some(reason.to_owned()))
    }

    #[test]
    fn a_member_is_active_or_not_and_the_peers_are_kept_apart() {
        let shown = json!({"portChannels": {
            "Port-Channel10": {
                "minLinks": 0, "rxPorts": {}, "inactiveLag": false, "fallbackState": "unconfigured",
                "activePorts": {"Ethernet1/1": {"protocol": "lacp", "lacpMode": "active"}, "PeerEthernet9": {}},
                "inactivePorts": {
                    "Ethernet2/1": {"reasonUnconfigured": "waiting for LACP response", "timeBecameInactive": 0.5},
                    "Ethernet3/1": {"reasonUnconfigured": " "},
                    "PeerEthernet2": {"reasonUnconfigured": "link down"},
                },
            },
            "Port-Channel11": {"activePorts": {"Ethernet4/1": {}}, "inactivePorts": []},
            "Port-Channel12": null,
        }});
        let expected = [
            ("Ethernet1/1", Standing::Active),
            ("Ethernet2/1", inactive("waiting for LACP response")),
            ("Ethernet3/1", Standing::Inactive(None)),
            ("Ethernet4/1", Standing::Active),
        ];
        assert_eq!(told(&shown), expected.map(|(name, standing)| (name.to_owned(), standing)));
        let bundles = Bundle::read_all(&shown);
        let peers = [("PeerEthernet2", inactive("link down")), ("PeerEthernet9", Standing::Active)];
        assert_eq!(
            bundles[&Interface::PortChannel(10)].peers,
            peers.map(|(name, standing)| (name.to_owned(), standing)).into()
        );
        assert_eq!(bundles[&Interface::PortChannel(12)], Bundle::default());
        assert!(Bundle::read_all(&json!({})).is_empty());
    }

    #[test]
    fn what_came_of_fallback_is_told_where_the_release_tells_it() {
        for (state, is_active) in [
            (json!("unconfigured"), false),
            (json!("configured"), false),
            (json!("Locally enabled"), true),
            (json!("enabled"), true),
            (json!(null), false),
            (json!(1), false),
        ] {
            let shown = json!({"portChannels": {"Port-Channel10": {"fallbackState": state}}});
            let bundle = Bundle::read_all(&shown).into_values().next().unwrap();
            assert_eq!(bundle.says_fallback(), is_active, "{state}");
        }
    }
}
