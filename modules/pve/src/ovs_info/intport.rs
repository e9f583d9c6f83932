//! An `IntPort` as it is told: its port in Open vSwitch, its link and addresses in the kernel.

use serde::Serialize;

use super::declared::Declared;
use super::link::OnLink;
use crate::live;
use crate::picture::Picture;

/// An interface of the node on a bridge. Where it is not live, nothing is told but what the files say.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct IntPort {
    live: bool,
    #[serde(flatten)]
    pub(super) declared: Declared,
    bridge: Option<String>,
    tag: Option<u16>,
    #[serde(flatten)]
    link: OnLink,
}

/// The names of those that are live.
pub(super) fn live(picture: &Picture) -> impl Iterator<Item = &str> {
    picture.ovs.ports.keys().map(String::as_str).filter(|name| port(picture, name).is_some())
}

/// A bridge's own port, which has the bridge's name, is none.
fn port(picture: &Picture, name: &str) -> Option<live::Port> {
    live::Port::found(&picture.ovs, name).filter(|port| port.internal && port.bridge != name)
}

impl IntPort {
    pub(super) fn new(picture: &Picture, name: &str, declared: Declared) -> Self {
        match port(picture, name) {
            None => Self { declared, ..Self::default() },
            Some(port) => Self {
                live: true,
                declared,
                bridge: Some(port.bridge),
                tag: port.tag,
                link: OnLink::found(picture, name),
            },
        }
    }
}
