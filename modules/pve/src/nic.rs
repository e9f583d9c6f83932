//! Whether a NIC is free to be a port: it is one, it has one place, and nobody is reached by an address on it.

use ansible_module::fault::Fault;

use crate::conflicts;
use crate::draft::Draft;
use crate::interfaces::{Interfaces, Stanza};
use crate::kernel::{Link, Master};
use crate::picture::Picture;

/// What the user may do about a NIC that is not free.
#[derive(Debug, Clone, Copy)]
pub struct Remedies {
    /// About one that is in use elsewhere.
    pub in_use: &'static str,
    /// About one with an address; `None` where that goes anyway.
    pub address: Option<&'static str>,
}

impl Default for Remedies {
    fn default() -> Self {
        Self { in_use: "take it out there first", address: Some("move the address to an IntPort first") }
    }
}

/// Refuses `nic`, given in `option`, as a port of `owner` (a bond or a bridge) unless it is free or `owner`'s. It may be
/// given, and be in use, under any of its names.
pub fn is_free(draft: &Draft<'_>, option: &str, nic: &str, owner: &str) -> Result<(), Fault> {
    is_free_or(Remedies::default(), draft, option, nic, owner)
}

/// The same with other remedies.
pub fn is_free_or(
    remedies: Remedies,
    draft: &Draft<'_>,
    option: &str,
    nic: &str,
    owner: &str,
) -> Result<(), Fault> {
    let picture = draft.picture;
    let names = picture.links.names(nic);
    let used = picture.links.in_use(nic);
    let in_use = |fact: String| Fault::new("port_in_use", format!("{fact}; hint: {}", remedies.in_use));
    let by_any_name = |check: &dyn Fn(&str) -> Option<String>| names.iter().copied().find_map(check);
    let addressed = |link| {
        let remedy = remedies.address?;
        let fact = by_any_name(&|name| addressed(draft, name, link))?;
        Some(Fault::new("nic_has_address", format!("{fact}; hint: {remedy}")))
    };
    let obstacle = match picture.links.get(used) {
        None => Some(missing(picture)),
        Some(link) => enslaved(draft, used, link)
            .map(in_use)
            .or_else(|| other_kind(picture, used))
            .or_else(|| by_any_name(&|name| claimed(draft, name, owner)).map(in_use))
            .or_else(|| by_any_name(&|name| live_elsewhere(draft, name, owner)).map(in_use))
            .or_else(|| names.iter().copied().find_map(|name| under_a_vlan(draft, name)))
            .or_else(|| addressed(link)),
    };
    match obstacle {
        None => Ok(()),
        Some(fault) => {
            Err(fault.context(&format!("option `{option}`: `{nic}` can't be a port of `{owner}`")))
        }
    }
}

fn missing(picture: &Picture) -> Fault {
    let names = picture.links.iter().map(|(name, _)| name);
    let nics: Vec<&str> = names.filter(|name| picture.links.is_nic(name)).collect();
    Fault::new("nic_not_found", format!("this node has no such link; hint: it has {}", nics.join(", ")))
}

fn enslaved(draft: &Draft<'_>, nic: &str, link: &Link) -> Option<String> {
    match link.master.as_ref()? {
        Master::Bridge(name) | Master::Bond(name) if draft.frees(nic, name) => None,
        Master::Bridge(name) if draft.replaces(name) => None,
        Master::Bridge(name) => Some(format!("it is a port of the Linux bridge `{name}`")),
        Master::Bond(name) => Some(format!("it is a member of the Linux bond `{name}`")),
        // Open vSwitch's kernel datapath, which is asked by name.
        Master::Other(_) => None,
    }
}

fn other_kind(picture: &Picture, nic: &str) -> Option<Fault> {
    let fault = || {
        Fault::new(
            "not_a_nic",
            "it is not a physical NIC; hint: only NICs carry a bond or are attached directly",
        )
    };
    (!picture.links.is_nic(nic)).then(fault)
}

fn claimed(draft: &Draft<'_>, nic: &str, owner: &str) -> Option<String> {
    let claims = |(place, interfaces): (String, &Interfaces)| {
        let claim = interfaces.claims(nic).into_iter().find(|claim| claim.by != owner)?;
        Some(format!("`{}` names it in `{}` in {place}", claim.by, claim.key))
    };
    draft.files().into_iter().find_map(claims).or_else(|| {
        let path = conflicts::attaching(draft.picture, nic)?;
        Some(format!("its stanza in `{}` attaches it to a bridge", path.display()))
    })
}

fn live_elsewhere(draft: &Draft<'_>, nic: &str, owner: &str) -> Option<String> {
    let picture = draft.picture;
    let port = &picture.ovs.interfaces.get(nic)?.port;
    let bridge = picture.ovs.ports.get(port).map(|port| port.bridge.as_str()).unwrap_or_default();
    // A NIC that is attached directly is a port of its own name on its bridge.
    let is_owners = port == owner || (port == nic && bridge == owner);
    let goes = draft.frees(nic, port) || (port == nic && draft.frees(nic, bridge));
    (!is_owners && !goes).then(|| format!("it is in port `{port}` of bridge `{bridge}` in Open vSwitch"))
}

fn under_a_vlan(draft: &Draft<'_>, nic: &str) -> Option<Fault> {
    let is_over = |stanza: &&Stanza| {
        stanza.name.strip_prefix(nic).is_some_and(|rest| rest.starts_with('.'))
            || stanza.get("vlan-raw-device") == Some(nic)
    };
    draft.files().into_iter().find_map(|(place, interfaces)| {
        let vlan = &interfaces.stanzas().find(is_over)?.name;
        Some(Fault::new(
            "port_in_use",
            format!("`{vlan}` in {place} is a VLAN on it; hint: make that an IntPort with a tag"),
        ))
    })
}

fn addressed(draft: &Draft<'_>, nic: &str, link: &Link) -> Option<String> {
    let live = link
        .addresses
        .iter()
        .find(|address| !address.is_link_local() && !draft.drops_address(nic, address.address));
    let declared = |(place, interfaces): (String, &Interfaces)| {
        let address = declared_address(interfaces.get(nic)?)?;
        Some(format!("its stanza in {place} gives it an address ({address})"))
    };
    match live {
        Some(address) => Some(format!("it has the address {address}")),
        None => draft.files().into_iter().find_map(declared),
    }
}

/// The address, or the method that gets one.
fn declared_address(stanza: &Stanza) -> Option<String> {
    stanza.families.iter().find_map(|family| {
        let address = family.get_all("address").last().map(|address| (*address).to_owned());
        let automatic = !matches!(family.method.as_str(), "" | "manual" | "static");
        address.or_else(|| automatic.then(|| family.method.clone()))
    })
}
