//! A link of the kernel as it is told: what a bridge's own interface and an `IntPort` have in common.

use serde::Serialize;

use crate::address::Address;
use crate::kernel::Cidr;
use crate::picture::Picture;

/// A link, with addresses in the names of the modules' options.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct OnLink {
    mac: Option<String>,
    mtu: Option<u32>,
    up: bool,
    /// Without those that the kernel makes by itself.
    addresses: Vec<String>,
    cidr: Option<String>,
    gateway: Option<String>,
    cidr6: Option<String>,
    gateway6: Option<String>,
}

impl OnLink {
    pub(super) fn found(picture: &Picture, name: &str) -> Self {
        let Some(link) = picture.links.get(name) else { return Self::default() };
        let stanza = picture.running.interfaces.stanza(name);
        let declared = Address::link(None, stanza.as_ref()).addresses;
        let addresses: Vec<&Cidr> =
            link.addresses.iter().filter(|address| !address.is_link_local()).collect();
        // Of several, the one that the file declares; somebody may have added others.
        let first = |is_ipv4: bool| {
            let of_family = addresses.iter().filter(|cidr| cidr.address.is_ipv4() == is_ipv4);
            let texts: Vec<String> = of_family.map(ToString::to_string).collect();
            texts.iter().find(|text| declared.contains_key(*text)).or(texts.first()).cloned()
        };
        let gateway = |is_ipv4: bool| {
            let mut routes = picture.routes.iter().filter(|route| route.link == name);
            let gateway = routes.find_map(|route| route.gateway.filter(|found| found.is_ipv4() == is_ipv4));
            gateway.map(|gateway| gateway.to_string())
        };
        Self {
            mac: Some(link.mac.clone()),
            mtu: Some(link.mtu),
            up: link.is_up,
            cidr: first(true),
            gateway: gateway(true),
            cidr6: first(false),
            gateway6: gateway(false),
            addresses: addresses.iter().map(ToString::to_string).collect(),
        }
    }
}
