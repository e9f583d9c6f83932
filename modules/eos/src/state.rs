//! The interfaces that a task looks after, in normal form, and whether they are saved.

use std::collections::BTreeMap;

use ansible_module::converge;
use ansible_module::diff::Described;
use serde::Serialize;
use vlan::VlanSet;

use crate::names::Interface;
use crate::picture::Picture;
use crate::port::Port;

/// Nothing but this is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// In the running-config; none where the interface does not exist.
    pub interfaces: BTreeMap<Interface, Option<Port>>,
    /// The VLANs that are looked after.
    #[serde(skip)]
    pub declared_vlans: VlanSet,
    /// Those of them that are there.
    #[serde(skip_serializing_if = "VlanSet::is_empty")]
    pub vlans: VlanSet,
    /// The session of ours that waits to be confirmed; looked after where it is to be undone, and there alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
    /// Whether the startup-config holds what it should; none where it is not looked after.
    pub saved: Option<bool>,
}

impl State {
    /// What `picture` has of the interfaces in `like`.
    pub fn found(picture: &Picture, like: &Self) -> Self {
        let interfaces: BTreeMap<_, _> =
            like.interfaces.keys().map(|name| (name.clone(), picture.running.port(name))).collect();
        let declared_vlans = like.declared_vlans.clone();
        let vlans = declared_vlans.without(&declared_vlans.without(&picture.running.vlans()));
        let saved = like.saved.map(|_| picture.is_saved(like));
        let unconfirmed = picture.unconfirmed.as_ref().map(|change| change.session.clone());
        Self { interfaces, declared_vlans, vlans, unconfirmed, saved }
    }
}

impl converge::State for State {
    fn describe(&self) -> Vec<Described> {
        let text = |port: &Option<Port>| {
            let properties = port.as_ref().map(Port::properties).unwrap_or_default();
            properties
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .fold(String::new(), |text, (name, value)| text + name + ": " + value + "\n")
        };
        let vlans = Described { name: "VLANs".to_owned(), text: format!("{}\n", self.vlans) };
        let interfaces = self.interfaces.iter();
        let interfaces =
            interfaces.map(|(name, port)| Described { name: name.to_string(), text: text(port) });
        interfaces.chain((!self.vlans.is_empty()).then_some(vlans)).collect()
    }
}
