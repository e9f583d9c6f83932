//! Whether a NIC is free to be a port: it is one, it has one place, and nobody is reached by an address on it.

use ansible_module::fault::Fault;

use crate::draft::Draft;
use crate::interfaces::Stanza;
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

/// Refuses `nic`, given in `option`, as a port of `owner` (a bond or a bridge) unless it is free or `owner`'s.
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
    let in_use = |fact: String| Fault::new("port_in_use", format!("{fact}; hint: {}", remedies.in_use));
    let addressed = |link| {
        let remedy = remedies.address?;
        let fact = addressed(draft, nic, link)?;
        Some(Fault::new("nic_has_address", format!("{fact}; hint: {remedy}")))
    };
    let obstacle = match picture.links.get(nic) {
        None => Some(missing(picture, nic)),
        Some(link) => enslaved(draft, nic, link)
            .map(in_use)
            .or_else(|| other_kind(picture, nic))
            .or_else(|| claimed(draft, nic, owner).map(in_use))
            .or_else(|| live_elsewhere(draft, nic, owner).map(in_use))
            .or_else(|| under_a_vlan(draft, nic))
            .or_else(|| addressed(link)),
    };
    match obstacle {
        None => Ok(()),
        Some(fault) => {
            Err(fault.context(&format!("option `{option}`: `{nic}` can't be a port of `{owner}`")))
        }
    }
}

fn missing(picture: &Picture, nic: &str) -> Fault {
    if let Some(name) = picture.links.resolve(nic) {
        return Fault::new("nic_not_found", format!("it is another name of `{name}`; hint: give `{name}`"));
    }
    let names = picture.links.iter().map(|(name, _)| name);
    let nics: Vec<&str> = names.filter(|name| picture.links.is_nic(name)).collect();
    Fault::new("nic_not_found", format!("this node has no such link; hint: it has {}", nics.join(", ")))
}

fn enslaved(draft: &Draft<'_>, nic: &str, link: &Link) -> Option<String> {
    match link.master.as_ref()? {
        Master::Bridge(name) | Master::Bond(name) if draft.frees(nic, name) => None,
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
    let claim = draft.interfaces().claims(nic).into_iter().find(|claim| claim.by != owner)?;
    Some(format!("`{}` names it in `{}` in the interfaces file", claim.by, claim.key))
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
    let interfaces = draft.interfaces();
    let is_over = |name: &String| {
        let raw_device =
            interfaces.stanza(name).and_then(|stanza| Some(stanza.get("vlan-raw-device")? == nic));
        name.strip_prefix(nic).is_some_and(|rest| rest.starts_with('.')) || raw_device == Some(true)
    };
    let vlan = interfaces.names().into_iter().find(is_over)?;
    Some(Fault::new(
        "port_in_use",
        format!("`{vlan}` in the interfaces file is a VLAN on it; hint: make that an IntPort with a tag"),
    ))
}

fn addressed(draft: &Draft<'_>, nic: &str, link: &Link) -> Option<String> {
    let live = link
        .addresses
        .iter()
        .find(|address| !address.is_link_local() && !draft.drops_address(nic, address.address));
    let declared = || draft.interfaces().stanza(nic).and_then(|stanza| declared_address(&stanza));
    match live {
        Some(address) => Some(format!("it has the address {address}")),
        None => {
            declared().map(|text| format!("its stanza in the interfaces file gives it an address ({text})"))
        }
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
