//! An address is one interface's, and a default gateway the node's only one of its family.

use std::net::IpAddr;

use ansible_module::fault::Fault;

use crate::address::{self, Options};
use crate::draft::Draft;
use crate::interfaces::Stanza;
use crate::kernel::{Cidr, DefaultRoute};

/// Refuses an address or a default gateway that another interface has, in the file or in the kernel. A node has one
/// default gateway of each family.
pub fn address_is_free(draft: &Draft<'_>, owner: &Stanza) -> Result<(), Fault> {
    address::FAMILIES.into_iter().try_for_each(|options| is_free_in(options, draft, owner))
}

fn is_free_in(options: Options, draft: &Draft<'_>, owner: &Stanza) -> Result<(), Fault> {
    let picture = draft.picture;
    let family = options.family;
    let in_use = |code, option: &str, fact: String| {
        Err(Fault::new(code, format!("option `{option}`: {fact}; hint: remove it there first")))
    };
    let own: Vec<IpAddr> = owner
        .addresses(family)
        .iter()
        .filter_map(|cidr| address::host(cidr))
        .filter(is_of_one_link)
        .collect();
    let is_same = |other: &String| address::host(other).is_some_and(|other| own.contains(&other));
    let gateway = owner.gateway(family);
    for (place, interfaces) in draft.files() {
        for stanza in interfaces.stanzas().filter(|stanza| stanza.name != owner.name) {
            let name = &stanza.name;
            if let (Some(_), Some(other)) = (gateway, stanza.gateway(family)) {
                let fact = format!("`{name}` has the default gateway {other} in {place}, and a node has one");
                return in_use("gateway_in_use", options.gateway, fact);
            }
            if let Some(other) = stanza.addresses(family).into_iter().find(is_same) {
                let fact = format!("`{name}` has the address {other} in {place}");
                return in_use("address_in_use", options.cidr, fact);
            }
        }
    }
    if let Some(gateway) = gateway.and_then(address::host) {
        let routes: Vec<_> = picture
            .routes
            .iter()
            .filter(|route| route.gateway.is_some_and(|found| found.is_ipv4() == gateway.is_ipv4()))
            .collect();
        let is_live = routes.iter().any(|route| route.link == owner.name && route.gateway == Some(gateway));
        let stays = |route: &&&DefaultRoute| {
            route.link != owner.name
                && !draft.drops(&route.link, |stanza| stanza.gateway(family).is_some())
                && !draft.bonds(&route.link)
        };
        if let Some(other) = routes.iter().find(stays).filter(|_| !is_live) {
            let fact = format!("the node has a default route through the link `{}` already", other.link);
            return in_use("gateway_in_use", options.gateway, fact);
        }
    }
    for (name, link) in picture.links.iter().filter(|(name, _)| *name != owner.name) {
        let goes = |address| draft.drops_address(name, address) || draft.bonds(name);
        let is_taken = |other: &&Cidr| own.contains(&other.address) && !goes(other.address);
        if let Some(other) = link.addresses.iter().find(is_taken) {
            let fact = format!("the link `{name}` has the address {other}");
            return in_use("address_in_use", options.cidr, fact);
        }
    }
    Ok(())
}

/// Several links may have the same link-local address.
fn is_of_one_link(address: &IpAddr) -> bool {
    !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::kernel::{Kind, Link, Links};
    use crate::picture::{Picture, Text};

    /// Another interface with `file` in its stanza, the link `live` with an address, default routes.
    fn node(file: &str, live: &str, routes: &[(&str, &str)]) -> Picture {
        let (address, prefix) = live.split_once('/').unwrap();
        let link = Link {
            index: 2,
            kind: Kind::Virtual,
            mac: String::new(),
            mtu: 1500,
            is_up: true,
            operstate: "up".to_owned(),
            master: None,
            addresses: vec![Cidr { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }],
        };
        let links: Links = [("live".to_owned(), link)].into_iter().collect();
        let text = format!("iface other inet static\n{file}");
        let route = |(link, gateway): &(&str, &str)| DefaultRoute {
            gateway: Some(gateway.parse().unwrap()),
            link: (*link).to_owned(),
            metric: 0,
        };
        Picture {
            running: Text::new(Some(text.into_bytes()), &links),
            links,
            routes: routes.iter().map(route).collect(),
            ..Picture::default()
        }
    }

    #[test]
    fn what_another_interface_has_is_refused_by_family() {
        let mut mgmt = Stanza::new("mgmt", "manual");
        let given = ["10.0.0.2/24", "10.0.0.1", "fd00::2/64", "fe80::1"].map(|text| Some(text.to_owned()));
        let [cidr, gateway, cidr6, gateway6] = given;
        Address::new(cidr, gateway, cidr6, gateway6).unwrap().put_into(&mut mgmt).unwrap();
        let refused = |file, live, routes: &[(&str, &str)]| {
            let fault = address_is_free(&Draft::new(&node(file, live, routes), false), &mgmt).unwrap_err();
            (fault.code, fault.message.split(';').next().unwrap().to_owned())
        };
        for (file, live, routes) in [
            ("", "10.0.0.3/24", [].as_slice()),
            ("\taddress 10.0.0.3/24\n", "fe80::2/64", &[("mgmt", "10.0.0.1"), ("tun0", "10.9.9.9")]),
            ("\taddress fe80::2/64\n", "fe80::2/64", &[("mgmt", "fe80::1"), ("tun0", "fd09::9")]),
        ] {
            assert_eq!(
                address_is_free(&Draft::new(&node(file, live, routes), false), &mgmt),
                Ok(()),
                "{file}"
            );
        }
        for (file, live, routes, code, message) in [
            (
                "\taddress 10.0.1.2/24\n\taddress 10.0.0.2/8\n",
                "10.0.0.3/24",
                [].as_slice(),
                "address_in_use",
                "option `cidr`: `other` has the address 10.0.0.2/8 in the interfaces file",
            ),
            (
                "iface other inet6 static\n\taddress FD00:0::2/48\n",
                "10.0.0.3/24",
                &[],
                "address_in_use",
                "option `cidr6`: `other` has the address FD00:0::2/48 in the interfaces file",
            ),
            (
                "",
                "10.0.0.2/16",
                &[],
                "address_in_use",
                "option `cidr`: the link `live` has the address 10.0.0.2/16",
            ),
            (
                "",
                "fd00::2/48",
                &[],
                "address_in_use",
                "option `cidr6`: the link `live` has the address fd00::2/48",
            ),
            (
                "\taddress 10.0.1.2/24\n\tgateway 10.0.1.1\n",
                "10.0.0.3/24",
                &[],
                "gateway_in_use",
                "option `gateway`: `other` has the default gateway 10.0.1.1 in the interfaces file, and a node has one",
            ),
            (
                "iface other inet6 static\n\tgateway fd01::1\n",
                "10.0.0.3/24",
                &[],
                "gateway_in_use",
                "option `gateway6`: `other` has the default gateway fd01::1 in the interfaces file, and a node has one",
            ),
            (
                "",
                "10.0.0.3/24",
                &[("live", "10.0.0.9")],
                "gateway_in_use",
                "option `gateway`: the node has a default route through the link `live` already",
            ),
            (
                "",
                "10.0.0.3/24",
                &[("live", "fe80::1")],
                "gateway_in_use",
                "option `gateway6`: the node has a default route through the link `live` already",
            ),
        ] {
            assert_eq!(refused(file, live, routes), (code, message.to_owned()));
        }
    }
}
