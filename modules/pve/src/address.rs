//! An IPv4 address and default gateway on an interface of the node: as arguments, in a stanza, in the kernel.

use std::collections::BTreeMap;

use ansible_module::fault::Fault;

use crate::interfaces::{AddressFamily, Stanza};
use crate::rules;
use crate::state::Link;

/// What the arguments say: outer `None` leaves it as it is, inner `None` takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    cidr: Option<Option<String>>,
    gateway: Option<Option<String>>,
}

impl Address {
    /// Checks the options `cidr` and `gateway`.
    pub fn new(cidr: Option<String>, gateway: Option<String>) -> Result<Self, Fault> {
        let option = |text: Option<String>, check: &dyn Fn(&str) -> Result<String, Fault>| {
            text.map(|text| if text.is_empty() { Ok(None) } else { check(&text).map(Some) }).transpose()
        };
        Ok(Self {
            cidr: option(cidr, &|text| rules::cidr("cidr", text))?,
            gateway: option(gateway, &|text| rules::gateway("gateway", text))?,
        })
    }

    /// Puts it into the stanza: `static` with an address, `manual` without.
    pub fn put_into(&self, stanza: &mut Stanza) -> Result<(), Fault> {
        if let Some(cidr) = &self.cidr {
            stanza.set("address", cidr.as_deref());
            let method = if cidr.is_some() { "static" } else { "manual" };
            match stanza.family_mut(AddressFamily::Inet) {
                Some(family) => method.clone_into(&mut family.method),
                None => {
                    return Err(Fault::new(
                        "wrong_type",
                        format!(
                            "option `cidr`: `{}` has no `inet` stanza in the interfaces file; hint: remove it there first",
                            stanza.name
                        ),
                    ));
                }
            }
        }
        if let Some(gateway) = &self.gateway {
            stanza.set("gateway", gateway.as_deref());
        }
        match (stanza.address(), stanza.get("gateway")) {
            (None, Some(gateway)) => Err(Fault::new(
                "gateway_without_address",
                format!(
                    "option `gateway`: `{}` would have the gateway {gateway} and no address; hint: give `cidr`, or take the gateway away with \"\"",
                    stanza.name
                ),
            )),
            (Some(cidr), Some(gateway)) if cidr.split('/').next() == Some(gateway) => Err(Fault::new(
                "invalid_address",
                format!("option `gateway`: {gateway} is the address of `{}` itself", stanza.name),
            )),
            _ => Ok(()),
        }
    }

    /// The kernel's link when `after` took the place of `before`: up, with the new address and without the old.
    pub fn link(before: Option<&Stanza>, after: Option<&Stanza>) -> Link {
        let addresses = |stanza: Option<&Stanza>| stanza.and_then(Stanza::address);
        let gateways =
            |stanza: Option<&Stanza>| stanza.and_then(|stanza| stanza.get("gateway")).map(str::to_owned);
        let mark = |old: Option<String>, new: Option<String>| {
            let old = old.map(|value| (value, false));
            old.into_iter().chain(new.map(|value| (value, true))).collect::<BTreeMap<String, bool>>()
        };
        Link {
            present: after.is_some(),
            up: after.is_some(),
            addresses: mark(addresses(before), addresses(after)),
            gateways: mark(gateways(before), gateways(after)),
        }
    }
}
