//! `pve_ovs_intport`: what its arguments mean, and what they make of a node. No I/O.

use std::net::IpAddr;

use ansible_module::fault::Fault;
use ansible_module::presence::Presence;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::address::{self, Address, FAMILIES};
use crate::draft::Draft;
use crate::interfaces::{Kind, OvsOptions, Stanza};
use crate::live::declared_mac;
use crate::setting::Setting;
use crate::task::Task;
use crate::{attachment, bridge_mac, conflicts, mtu_chain, ovs_extra, rules, specs};

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_ovs_intport.yml, which decides what they are")]
pub struct Params {
    pub name: String,
    pub state: Presence,
    pub bridge: Option<String>,
    pub tag: Option<i64>,
    pub cidr: Option<String>,
    pub gateway: Option<String>,
    pub cidr6: Option<String>,
    pub gateway6: Option<String>,
    pub mtu: Option<i64>,
    pub mac: Option<String>,
    pub comments: Option<String>,
}

/// Where a MAC address comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mac {
    Given(String),
    /// It is that of the link that has the IntPort's address now.
    Inherit,
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct OvsIntport {
    name: String,
    state: Presence,
    bridge: Option<String>,
    tag: Option<u16>,
    address: Address,
    mtu: Setting<u32>,
    mac: Setting<Mac>,
    comments: Option<String>,
}

impl Task for OvsIntport {
    const SPEC: &'static ArgumentSpec = &specs::ovs_intport::SPEC;
    type Params = Params;

    fn new(params: Params) -> Result<Self, Fault> {
        let Params { name, state, bridge, tag, cidr, gateway, cidr6, gateway6, mtu, mac, comments } = params;
        rules::intport_name("name", &name)?;
        if let Some(bridge) = &bridge {
            rules::bridge_name("bridge", bridge)?;
        }
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        let tag = tag.map(|tag| rules::vlan("tag", tag, true)).transpose()?;
        let address = Address::new(cidr, gateway, cidr6, gateway6)?;
        let mtu = Setting::new(mtu.map(|mtu| rules::mtu("mtu", mtu)).transpose()?, &0);
        let mac = Setting::new(mac, &String::new()).try_map(|mac| match mac.as_str() {
            "inherit" => Ok(Mac::Inherit),
            mac => rules::mac("mac", mac).map(Mac::Given),
        })?;
        Ok(Self { name, state, bridge, tag, address, mtu, mac, comments })
    }

    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault> {
        conflicts::is_of_kind(draft, &self.name, Kind::OvsIntPort, "OVSIntPort")?;
        let stanza = match self.state {
            Presence::Absent => None,
            Presence::Present => Some(self.stanza(draft)?),
        };
        if let Some(stanza) = &stanza {
            conflicts::address_is_free(draft, stanza)?;
            conflicts::name_is_free(draft, &self.name, "OVSIntPort")?;
            draft.warn(Address::warnings(stanza));
        }
        attachment::put(draft, &self.name, stanza.as_ref(), conflicts::PortKind::IntPort)?;
        if let Some(stanza) = &stanza {
            self.spare_mac(draft, stanza)?;
        }
        mtu_chain::is_in_order(draft, &self.name)
    }
}

impl OvsIntport {
    fn stanza(&self, draft: &Draft<'_>) -> Result<Stanza, Fault> {
        let found = draft.stanza(&self.name);
        let mut stanza = attachment::stanza(found, &self.name, "OVSIntPort", self.bridge.as_deref())?;
        if let Some(tag) = self.tag {
            let mut options = OvsOptions::of(&stanza);
            options.set("tag", (tag != 0).then(|| tag.to_string()).as_deref());
            options.put_into(&mut stanza);
        }
        self.address.put_into(&mut stanza)?;
        self.mtu.apply(|mtu| stanza.set_mtu(mtu.copied()));
        self.set_mac(&mut stanza, draft)?;
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }

    /// A new bridge takes the lowest MAC address of its NICs, which may be the one that the IntPort inherits. Then Open vSwitch
    /// learns it on both, and what comes for the one goes to the other, for seconds after the bridge's own link came up
    /// (measured). So such a bridge gets one of its own: the same, locally administered.
    fn spare_mac(&self, draft: &mut Draft<'_>, stanza: &Stanza) -> Result<(), Fault> {
        let bridge = stanza.get("ovs_bridge").unwrap_or_default();
        let is_inherited = matches!(self.mac, Setting::Set(Mac::Inherit));
        let (Some(mac), Some(mut found)) =
            (declared_mac(stanza).filter(|_| is_inherited), draft.stanza(bridge))
        else {
            return Ok(());
        };
        // The system id of its bonds is the MAC address of a bridge that is live.
        let is_new = !draft.picture.ovs.bridges.contains_key(bridge);
        let Some(own) = bridge_mac::locally_administered(&mac).filter(|_| is_new) else { return Ok(()) };
        if ovs_extra::setting(&found, ovs_extra::MAC).is_some() {
            return Ok(());
        }
        ovs_extra::set_mac(&mut found, &own);
        draft.put(&found)
    }

    fn set_mac(&self, stanza: &mut Stanza, draft: &Draft<'_>) -> Result<(), Fault> {
        let mac = match &self.mac {
            Setting::Leave => return Ok(()),
            Setting::Remove => None,
            Setting::Set(Mac::Given(mac)) => Some(mac.clone()),
            Setting::Set(Mac::Inherit) => match self.inherited(stanza, draft)? {
                None => return Ok(()),
                mac => mac,
            },
        };
        // Another spelling of the same stays.
        if declared_mac(stanza) != mac {
            stanza.set("hwaddress", mac.as_deref());
        }
        Ok(())
    }

    /// The MAC address of the link that has an address of the stanza now; nothing where that is the IntPort itself, which
    /// keeps what it has, or where the bridge needs it for an address that stays there: no two ports of it may have the same.
    fn inherited(&self, stanza: &Stanza, draft: &Draft<'_>) -> Result<Option<String>, Fault> {
        let picture = draft.picture;
        let addresses = FAMILIES.map(|options| stanza.addresses(options.family)).concat();
        let hosts: Vec<IpAddr> = addresses.iter().filter_map(|cidr| address::host(cidr)).collect();
        let holders = picture
            .links
            .iter()
            .filter(|(_, link)| link.addresses.iter().any(|address| hosts.contains(&address.address)));
        let holders: Vec<_> = holders.collect();
        if holders.iter().any(|(name, _)| *name == self.name) {
            return Ok(None);
        }
        if let Some((_, holder)) = holders.iter().find(|(_, link)| rules::mac("mac", &link.mac).is_ok()) {
            let bridge = stanza.get("ovs_bridge").and_then(|bridge| draft.stanza(bridge));
            let kept = bridge.and_then(|bridge| ovs_extra::setting(&bridge, ovs_extra::MAC));
            return Ok(Some(holder.mac.clone()).filter(|mac| kept.as_deref() != Some(mac)));
        }
        let fact = if addresses.is_empty() {
            format!("`{}` would have no address to find it by", self.name)
        } else {
            format!("no link of this node has {} now", addresses.join(" or "))
        };
        Err(Fault::new(
            "no_mac_to_inherit",
            format!("option `mac`: there is none to inherit: {fact}; hint: give the MAC address itself"),
        ))
    }
}
