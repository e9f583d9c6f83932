//! Addresses and default gateways of an interface of the node, one of each in either family: as arguments, in a stanza,
//! in the kernel. What other interfaces have is in `conflicts.rs`.

use std::net::IpAddr;

use ansible_module::fault::Fault;

use crate::interfaces::{AddressFamily, Stanza};
use crate::rules;
use crate::setting::Setting;
use crate::state::Link;

/// An address family with the names of its options.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The family.
    pub family: AddressFamily,
    /// The option for the address.
    pub cidr: &'static str,
    /// The option for the default gateway.
    pub gateway: &'static str,
}

/// IPv4 and IPv6.
pub const FAMILIES: [Options; 2] = [
    Options { family: AddressFamily::Inet, cidr: "cidr", gateway: "gateway" },
    Options { family: AddressFamily::Inet6, cidr: "cidr6", gateway: "gateway6" },
];

/// What the arguments say, by family in the order of [`FAMILIES`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address([OfFamily; 2]);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfFamily {
    cidr: Setting<String>,
    gateway: Setting<String>,
}

impl Address {
    /// Checks the options of these names.
    pub fn new(
        cidr: Option<String>,
        gateway: Option<String>,
        cidr6: Option<String>,
        gateway6: Option<String>,
    ) -> Result<Self, Fault> {
        let none = String::new();
        Ok(Self([
            OfFamily {
                cidr: Setting::new(cidr, &none).try_map(|text| rules::cidr("cidr", &text))?,
                gateway: Setting::new(gateway, &none).try_map(|text| rules::gateway("gateway", &text))?,
            },
            OfFamily {
                cidr: Setting::new(cidr6, &none).try_map(|text| rules::cidr6("cidr6", &text))?,
                gateway: Setting::new(gateway6, &none).try_map(|text| rules::gateway6("gateway6", &text))?,
            },
        ]))
    }

    /// Puts it into the stanza: `static` with an address, `manual` without. An address that is there in another spelling
    /// keeps it.
    pub fn put_into(&self, stanza: &mut Stanza) -> Result<(), Fault> {
        for (OfFamily { cidr, gateway }, options) in self.0.iter().zip(FAMILIES) {
            let family = options.family;
            let spelled = |found: Vec<String>, new: Option<&String>| {
                let same = found.into_iter().find(|found| Some(&canonical(found)) == new);
                same.or_else(|| new.cloned())
            };
            cidr.apply(|new| {
                let text = spelled(stanza.addresses(family), new);
                stanza.set_address(family, text.as_deref());
            });
            gateway.apply(|new| {
                let found = stanza.gateway(family).map(str::to_owned);
                let text = spelled(found.into_iter().collect(), new);
                stanza.set_gateway(family, text.as_deref());
            });
            check(stanza, options)?;
        }
        Ok(())
    }

    /// What may be meant, but is seldom: a gateway that no address reaches directly.
    ///
    /// No error, as ifupdown2 adds the route with `onlink` and it works; where a whole network is given away address by
    /// address, with `/32` or `/128`, it has to be so.
    pub fn warnings(stanza: &Stanza) -> Vec<String> {
        let unreached = |options: Options| {
            let text = stanza.gateway(options.family)?;
            let gateway: IpAddr = text.parse().ok()?;
            let is_link_local = matches!(gateway, IpAddr::V6(gateway) if gateway.is_unicast_link_local());
            let networks: Vec<_> =
                stanza.addresses(options.family).iter().filter_map(|cidr| parse(cidr)).collect();
            let is_reached = networks.iter().any(|(address, prefix)| {
                *prefix >= length(*address) || common_bits(*address, gateway) >= *prefix
            });
            (!is_link_local && !is_reached).then(|| {
                format!(
                    "the gateway {text} is in no network of `{}`: it is taken for one behind the same wire; \
                     hint: compare `{}` with `{}`",
                    stanza.name, options.gateway, options.cidr
                )
            })
        };
        FAMILIES.into_iter().filter_map(unreached).collect()
    }

    /// The kernel's link when `after` took the place of `before`: up, with the new addresses and without the old.
    pub fn link(before: Option<&Stanza>, after: Option<&Stanza>) -> Link {
        let mut link = Link { present: after.is_some(), up: after.map(|_| true), ..Link::default() };
        for (stanza, is_there) in [(before, false), (after, true)] {
            let Some(stanza) = stanza else { continue };
            for Options { family, .. } in FAMILIES {
                let addresses = stanza.addresses(family);
                link.addresses.extend(addresses.iter().map(|address| (canonical(address), is_there)));
                link.gateways.extend(stanza.gateway(family).map(|gateway| (canonical(gateway), is_there)));
            }
        }
        link
    }
}

fn check(stanza: &Stanza, options: Options) -> Result<(), Fault> {
    let Some(gateway) = stanza.gateway(options.family) else { return Ok(()) };
    let addresses = stanza.addresses(options.family);
    if addresses.is_empty() {
        return Err(Fault::new(
            "gateway_without_address",
            format!(
                "option `{}`: `{}` would have the gateway {gateway} and no address; \
                 hint: give `{}`, or take the gateway away with \"\"",
                options.gateway, stanza.name, options.cidr
            ),
        ));
    }
    let parsed: Option<IpAddr> = gateway.parse().ok();
    if parsed.is_some() && addresses.iter().any(|cidr| host(cidr) == parsed) {
        return Err(Fault::new(
            "invalid_address",
            format!(
                "option `{}`: {gateway} is the address of `{}` itself; hint: the router's address",
                options.gateway, stanza.name
            ),
        ));
    }
    Ok(())
}

/// The address of an address with or without prefix length.
pub fn host(cidr: &str) -> Option<IpAddr> {
    cidr.split('/').next()?.parse().ok()
}

fn parse(cidr: &str) -> Option<(IpAddr, u32)> {
    Some((host(cidr)?, cidr.split_once('/')?.1.parse().ok()?))
}

/// As the kernel's addresses are written here, so that they can be compared; what is no address stays as it is.
fn canonical(text: &str) -> String {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    match (address.parse::<IpAddr>(), prefix) {
        (Ok(address), Some(prefix)) => format!("{address}/{prefix}"),
        (Ok(address), None) => address.to_string(),
        (Err(_), _) => text.to_owned(),
    }
}

fn length(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// How many bits two addresses of one family have in common from the left.
fn common_bits(left: IpAddr, right: IpAddr) -> u32 {
    match (left, right) {
        (IpAddr::V4(left), IpAddr::V4(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        (IpAddr::V6(left), IpAddr::V6(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn address(given: [Option<&str>; 4]) -> Address {
        let [cidr, gateway, cidr6, gateway6] = given.map(|text| text.map(str::to_owned));
        Address::new(cidr, gateway, cidr6, gateway6).unwrap()
    }

    fn both() -> Stanza {
        let mut stanza = Stanza::new("mgmt", "manual");
        address([Some("10.0.0.2/24"), Some("10.0.0.1"), Some("fd00::2/64"), Some("fe80::1")])
            .put_into(&mut stanza)
            .unwrap();
        stanza
    }

    #[test]
    fn either_family_is_set_left_and_taken_away_by_itself() {
        let stanza = both();
        assert_eq!(
            stanza.to_string(),
            "auto mgmt\niface mgmt inet static\n\taddress 10.0.0.2/24\n\tgateway 10.0.0.1\n\
             iface mgmt inet6 static\n\taddress fd00::2/64\n\tgateway fe80::1\n"
        );
        let mut changed = stanza.clone();
        address([None; 4]).put_into(&mut changed).unwrap();
        assert_eq!(changed, stanza);
        address([Some("10.0.0.3/24"), None, Some(""), Some("")]).put_into(&mut changed).unwrap();
        assert_eq!(
            changed.to_string(),
            "auto mgmt\niface mgmt inet static\n\taddress 10.0.0.3/24\n\tgateway 10.0.0.1\n"
        );
    }

    #[test]
    fn what_is_given_is_the_only_one_and_keeps_the_spelling_of_the_file() {
        let mut stanza = both();
        stanza.family_mut(AddressFamily::Inet6).unwrap().set_all("address", &["FD00::0002/64", "fd00::3/64"]);
        stanza.set_gateway(AddressFamily::Inet6, Some("FE80::1"));
        address([None, None, Some("fd00::2/64"), Some("fe80::1")]).put_into(&mut stanza).unwrap();
        assert_eq!(stanza.addresses(AddressFamily::Inet6), ["FD00::0002/64"]);
        assert_eq!(stanza.gateway(AddressFamily::Inet6), Some("FE80::1"));
        address([None, None, Some("fd00::4/64"), None]).put_into(&mut stanza).unwrap();
        assert_eq!(stanza.addresses(AddressFamily::Inet6), ["fd00::4/64"]);
    }

    #[test]
    fn a_gateway_needs_an_address_of_its_family_other_than_its_own() {
        for (given, code, option) in [
            ([Some(""), None, None, None], "gateway_without_address", "`gateway`"),
            ([None, None, Some(""), None], "gateway_without_address", "`gateway6`"),
            ([None, Some("10.0.0.2"), None, None], "invalid_address", "`gateway`"),
            ([None, None, None, Some("fd00:0::2")], "invalid_address", "`gateway6`"),
        ] {
            let fault = address(given).put_into(&mut both()).unwrap_err();
            assert_eq!(fault.code, code);
            assert!(fault.message.starts_with(&format!("option {option}: ")), "{}", fault.message);
        }
    }

    #[test]
    fn a_gateway_outside_of_every_network_is_worth_a_warning_unless_the_network_is_one_address() {
        for (given, options) in [
            ([None; 4], vec![]),
            ([None, Some("10.0.1.1"), None, None], vec!["`gateway`"]),
            ([None, None, None, Some("fd00:0:0:1::1")], vec!["`gateway6`"]),
            ([None, Some("10.0.1.1"), None, Some("fd01::1")], vec!["`gateway`", "`gateway6`"]),
            ([Some("10.0.0.2/23"), Some("10.0.1.1"), None, None], vec![]),
            ([Some("10.0.0.2/32"), Some("172.31.1.1"), Some("fd00::2/128"), Some("fd01::1")], vec![]),
        ] {
            let mut stanza = both();
            address(given).put_into(&mut stanza).unwrap();
            let warnings = Address::warnings(&stanza);
            assert_eq!(warnings.len(), options.len(), "{warnings:?}");
            assert!(warnings.iter().zip(options).all(|(text, option)| text.contains(option)), "{warnings:?}");
        }
    }

    #[test]
    fn the_link_has_the_new_addresses_as_the_kernel_writes_them_and_loses_every_old_one() {
        let mut before = both();
        before.family_mut(AddressFamily::Inet6).unwrap().set_all("address", &["FD00::0002/64", "fd00::3/64"]);
        let mut after = before.clone();
        address([Some(""), Some(""), Some("fd00::2/64"), Some("fd00::1")]).put_into(&mut after).unwrap();
        let link = Address::link(Some(&before), Some(&after));
        let those = |map: &BTreeMap<String, bool>| {
            map.iter().map(|(text, is)| format!("{text} {is}")).collect::<Vec<_>>()
        };
        assert_eq!(those(&link.addresses), ["10.0.0.2/24 false", "fd00::2/64 true", "fd00::3/64 false"]);
        assert_eq!(those(&link.gateways), ["10.0.0.1 false", "fd00::1 true", "fe80::1 false"]);
        assert_eq!((link.present, link.up), (true, Some(true)));
        assert!(!Address::link(Some(&before), None).present);
    }
}
