//! Whether interfaces are up, from `show interfaces | json`. What they are set to is the running-config's.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::names::Interface;

/// EOS's word for an interface that carries traffic.
const CONNECTED: &str = "connected";
/// The same, as the state of its line protocol.
const UP: &str = "up";
/// EOS's word for an interface that was shut down by somebody.
const DISABLED: &str = "disabled";

/// An interface as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// In the words of EOS: `connected`, `notconnect`, `disabled`, `errdisabled` and others.
    status: Option<String>,
    protocol: Option<String>,
    /// Bytes; of a switchport, without the Ethernet header.
    pub mtu: Option<u64>,
    /// Bits per second; of a Port-Channel, those of the members that it uses together.
    pub bandwidth: Option<u64>,
}

impl Link {
    /// Every Port-Channel and Ethernet interface of the JSON, by name.
    pub fn read_all(json: &Value) -> BTreeMap<Interface, Self> {
        let shown = json.get("interfaces").and_then(Value::as_object);
        let shown = shown.into_iter().flatten();
        shown.filter_map(|(name, link)| Some((Interface::from_config(name)?, Self::read(link)))).collect()
    }

    fn read(json: &Value) -> Self {
        let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_ascii_lowercase);
        Self {
            status: text("interfaceStatus"),
            protocol: text("lineProtocolStatus"),
            mtu: json.get("mtu").and_then(Value::as_u64),
            bandwidth: json.get("bandwidth").and_then(Value::as_u64),
        }
    }

    /// Whether it carries traffic.
    pub fn is_up(&self) -> bool {
        match (&self.status, &self.protocol) {
            (Some(status), _) => status == CONNECTED,
            (None, protocol) => protocol.as_deref() == Some(UP),
        }
    }

    /// Whether somebody shut it down; none where that is not told.
    pub fn is_shut_down(&self) -> Option<bool> {
        Some(self.status.as_deref()? == DISABLED)
    }

    /// Why it does not carry traffic, in the switch's word.
    pub fn fault(&self) -> Option<&str> {
        self.status.as_deref().filter(|status| *status != CONNECTED)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn link(json: &Value) -> Link {
        let all =
            Link::read_all(&json!({"interfaces": {"Ethernet7/1": json, "Vlan10": {}, "Ethernet7/1.20": {}}}));
        assert_eq!(all.len(), 1);
        all.into_values().next().unwrap()
    }

    #[test]
    fn an_interface_is_up_shut_down_or_something_else() {
        let up = link(
            &json!({"interfaceStatus": "connected", "lineProtocolStatus": "up", "mtu": 9214, "new": {}}),
        );
        assert_eq!(
            (up.is_up(), up.is_shut_down(), up.fault(), up.mtu),
            (true, Some(false), None, Some(9214))
        );
        let down = link(&json!({"interfaceStatus": "notconnect", "lineProtocolStatus": "lowerLayerDown"}));
        assert_eq!(
            (down.is_up(), down.is_shut_down(), down.fault()),
            (false, Some(false), Some("notconnect"))
        );
        let disabled = link(&json!({"interfaceStatus": "disabled", "lineProtocolStatus": "down"}));
        assert_eq!((disabled.is_up(), disabled.is_shut_down()), (false, Some(true)));
    }

    #[test]
    fn what_is_not_told_is_neither_up_nor_shut_down() {
        let untold = link(&json!({"interfaceStatus": 7, "mtu": "9214"}));
        assert_eq!(untold, Link::default());
        assert_eq!((untold.is_up(), untold.is_shut_down(), untold.fault()), (false, None, None));
        assert!(link(&json!({"lineProtocolStatus": "up"})).is_up());
        assert!(
            Link::read_all(&json!({})).is_empty() && Link::read_all(&json!({"interfaces": []})).is_empty()
        );
    }
}
