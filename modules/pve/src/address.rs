//! An IPv4 address and default gateway on an interface of the node: as arguments, in a stanza, in the kernel.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;

use crate::interfaces::{AddressFamily, Stanza};
use crate::rules;
use crate::setting::Setting;
use crate::state::Link;

/// What the arguments say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    cidr: Setting<String>,
    gateway: Setting<String>,
}

impl Address {
    /// Checks the options `cidr` and `gateway`.
    pub fn new(cidr: Option<String>, gateway: Option<String>) -> Result<Self, Fault> {
        let none = String::new();
        Ok(Self {
            cidr: Setting::new(cidr, &none).try_map(|text| rules::cidr("cidr", &text))?,
            gateway: Setting::new(gateway, &none).try_map(|text| rules::gateway("gateway", &text))?,
        })
    }

    /// Puts it into the stanza: `static` with an address, `manual` without.
    pub fn put_into(&self, stanza: &mut Stanza) -> Result<(), Fault> {
        self.cidr.apply(|cidr| stanza.set_address(AddressFamily::Inet, cidr.map(String::as_str)));
        self.gateway.apply(|gateway| stanza.set_gateway(AddressFamily::Inet, gateway.map(String::as_str)));
        match (stanza.address(), stanza.gateway()) {
            (None, Some(gateway)) => Err(Fault::new(
                "gateway_without_address",
                format!(
                    "option `gateway`: `{}` would have the gateway {gateway} and no address; \
                     hint: give `cidr`, or take the gateway away with \"\"",
                    stanza.name
                ),
            )),
            (Some(cidr), Some(gateway)) if cidr.split('/').next() == Some(gateway) => Err(Fault::new(
                "invalid_address",
                format!(
                    "option `gateway`: {gateway} is the address of `{}` itself; hint: the router's address",
                    stanza.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The kernel's link when `after` took the place of `before`: up, with the new address and without the old.
    pub fn link(before: Option<&Stanza>, after: Option<&Stanza>) -> Link {
        let addresses = |stanza: Option<&Stanza>| stanza.and_then(Stanza::address);
        let gateways = |stanza: Option<&Stanza>| stanza.and_then(Stanza::gateway).map(str::to_owned);
        let mark = |old: Option<String>, new: Option<String>| {
            let old = old.map(|value| (value, false));
            old.into_iter().chain(new.map(|value| (value, true))).collect::<BTreeMap<String, bool>>()
        };
        Link {
            present: after.is_some(),
            up: after.map(|_| true),
            addresses: mark(addresses(before), addresses(after)),
            gateways: mark(gateways(before), gateways(after)),
        }
    }
}
