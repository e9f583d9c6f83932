//! The interfaces that a task looks after, in normal form, and whether they are saved.

use std::collections::BTreeMap;

use ansible_module::converge;
use ansible_module::diff::Described;
use serde::Serialize;

use crate::names::Interface;
use crate::picture::Picture;
use crate::port::Port;

/// Nothing but this is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// In the running-config; none where the interface does not exist.
    pub interfaces: BTreeMap<Interface, Option<Port>>,
    /// Whether the startup-config holds what it should; none where it is not looked after.
    pub saved: Option<bool>,
}

impl State {
    /// What `picture` has of the interfaces in `like`.
    pub fn found(picture: &Picture, like: &Self) -> Self {
        let interfaces: BTreeMap<_, _> =
            like.interfaces.keys().map(|name| (name.clone(), picture.running.port(name))).collect();
        let saved = like.saved.map(|_| picture.is_saved(interfaces.keys()));
        Self { interfaces, saved }
    }
}

impl converge::State for State {
    fn describe(&self) -> Vec<Described> {
        let text = |port: &Option<Port>| {
            let Some(port) = port else { return String::new() };
            let properties = port.properties().into_iter().filter(|(_, value)| !value.is_empty());
            properties.map(|(name, value)| format!("{name}: {value}\n")).collect()
        };
        self.interfaces
            .iter()
            .map(|(name, port)| Described { name: name.to_string(), text: text(port) })
            .collect()
    }
}
