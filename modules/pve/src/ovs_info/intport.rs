//! An `IntPort` as it is told: its port in Open vSwitch, its link and addresses in the kernel.

use serde::Serialize;

use crate::interfaces::Kind;
use crate::live;
use crate::picture::Picture;

/// An interface of the node on a bridge.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct IntPort {
    configured: bool,
    bridge: String,
    tag: Option<u16>,
    mtu: Option<u32>,
    up: bool,
    /// Without those that the kernel makes by itself.
    addresses: Vec<String>,
    gateway: Option<String>,
}

impl IntPort {
    /// A bridge's own port, which has the bridge's name, is none.
    pub(super) fn found(picture: &Picture, name: &str) -> Option<Self> {
        let port = live::Port::found(&picture.ovs, name)?;
        if !port.internal || port.bridge == name {
            return None;
        }
        let link = picture.links.get(name);
        let addresses = link.iter().flat_map(|link| &link.addresses);
        let mut routes = picture.routes.iter().filter(|route| route.link == name);
        Some(Self {
            configured: super::is_configured(picture, name, Kind::OvsIntPort),
            bridge: port.bridge,
            tag: port.tag,
            mtu: link.map(|link| link.mtu),
            up: link.is_some_and(|link| link.is_up),
            addresses: addresses.filter(|cidr| !cidr.is_link_local()).map(ToString::to_string).collect(),
            gateway: routes.find_map(|route| route.gateway).map(|gateway| gateway.to_string()),
        })
    }
}
