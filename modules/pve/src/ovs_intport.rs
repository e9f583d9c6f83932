//! `pve_ovs_intport`: what its arguments mean, and what they make of a node. No I/O.

use ansible_module::fault::Fault;
use ansible_module::presence::Presence;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::address::Address;
use crate::draft::Draft;
use crate::interfaces::{Kind, OvsOptions, Stanza};
use crate::setting::Setting;
use crate::task::Task;
use crate::{attachment, conflicts, mtu_chain, rules, specs};

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
    pub mtu: Option<i64>,
    pub comments: Option<String>,
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
    comments: Option<String>,
}

impl Task for OvsIntport {
    const SPEC: &'static ArgumentSpec = &specs::ovs_intport::SPEC;
    type Params = Params;

    fn new(params: Params) -> Result<Self, Fault> {
        let Params { name, state, bridge, tag, cidr, gateway, mtu, comments } = params;
        rules::intport_name("name", &name)?;
        if let Some(bridge) = &bridge {
            rules::bridge_name("bridge", bridge)?;
        }
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        let tag = tag.map(|tag| rules::vlan("tag", tag, true)).transpose()?;
        Ok(Self {
            name,
            state,
            bridge,
            tag,
            address: Address::new(cidr, gateway, None, None)?,
            mtu: Setting::new(mtu.map(|mtu| rules::mtu("mtu", mtu)).transpose()?, &0),
            comments,
        })
    }

    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault> {
        conflicts::is_of_kind(draft, &self.name, Kind::OvsIntPort, "OVSIntPort")?;
        let stanza = match self.state {
            Presence::Absent => None,
            Presence::Present => Some(self.stanza(draft.stanza(&self.name))?),
        };
        if let Some(stanza) = &stanza {
            conflicts::address_is_free(draft, stanza)?;
            conflicts::name_is_free(draft, &self.name, "OVSIntPort")?;
            draft.warn(Address::warnings(stanza));
        }
        attachment::put(draft, &self.name, stanza.as_ref(), conflicts::PortKind::IntPort)?;
        mtu_chain::is_in_order(draft, &self.name)
    }
}

impl OvsIntport {
    fn stanza(&self, found: Option<Stanza>) -> Result<Stanza, Fault> {
        let mut stanza = attachment::stanza(found, &self.name, "OVSIntPort", self.bridge.as_deref())?;
        if let Some(tag) = self.tag {
            let mut options = OvsOptions::of(&stanza);
            options.set("tag", (tag != 0).then(|| tag.to_string()).as_deref());
            options.put_into(&mut stanza);
        }
        self.address.put_into(&mut stanza)?;
        self.mtu.apply(|mtu| stanza.set_mtu(mtu.copied()));
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }
}
