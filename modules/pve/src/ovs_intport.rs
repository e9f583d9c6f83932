//! `pve_ovs_intport`: what its arguments mean, and what they make of a node. No I/O.

use std::path::Path;

use ansible_module::context::Context;
use ansible_module::converge::Target;
use ansible_module::fault::Fault;
use ansible_module::outcome::Ended;
use ansible_module::presence::Presence;
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::address::Address;
use crate::interfaces::{Kind, OvsOptions, Stanza};
use crate::node::{self, Condition};
use crate::picture::Picture;
use crate::state::State;
use crate::{attachment, conflicts, rules, specs};

/// The module.
pub struct OvsIntport;

impl Module for OvsIntport {
    const SPEC: &'static ArgumentSpec = &specs::ovs_intport::SPEC;
    type Params = Params;

    fn run(params: Params, context: &Context) -> Ended {
        node::converge(
            Self::SPEC.module,
            context,
            || Desired::new(params),
            |desired, picture| desired.target(picture, context.check_mode),
            Condition::default(),
        )
    }

    fn rollback(folder: &Path, context: &Context) -> Ended {
        node::go_back(Self::SPEC.module, folder, context)
    }
}

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
    pub comments: Option<String>,
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct Desired {
    name: String,
    state: Presence,
    bridge: Option<String>,
    tag: Option<u16>,
    address: Address,
    comments: Option<String>,
}

impl Desired {
    /// Checks the arguments; the node is not looked at.
    pub fn new(params: Params) -> Result<Self, Fault> {
        let Params { name, state, bridge, tag, cidr, gateway, comments } = params;
        rules::intport_name("name", &name)?;
        if let Some(bridge) = &bridge {
            rules::bridge_name("bridge", bridge)?;
        }
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        let tag = tag.map(|tag| rules::vlan("tag", tag, true)).transpose()?;
        Ok(Self { name, state, bridge, tag, address: Address::new(cidr, gateway)?, comments })
    }

    /// What the node looks like when the IntPort is as declared.
    pub fn target(&self, picture: &Picture, check_mode: bool) -> Result<Target<State>, Fault> {
        let mut warnings: Vec<String> = conflicts::is_ready(picture)?.into_iter().collect();
        conflicts::is_of_kind(picture, &self.name, Kind::OvsIntPort, "OVSIntPort")?;
        let found = picture.stanza(&self.name);
        let stanza = match self.state {
            Presence::Absent => None,
            Presence::Present => Some(self.stanza(found.clone())?),
        };
        if let Some(stanza) = &stanza {
            conflicts::address_is_free(picture, stanza)?;
            conflicts::name_is_free(picture, &self.name, "OVSIntPort")?;
        }
        let mut after = State::default();
        if stanza.is_some() || found.is_some() || picture.ovs.ports.contains_key(&self.name) {
            after.kernel.insert(self.name.clone(), Address::link(found.as_ref(), stanza.as_ref()));
        }
        let intport = conflicts::PortKind::IntPort;
        warnings.extend(attachment::plan(picture, &self.name, stanza, intport, check_mode, &mut after)?);
        Ok(Target { after, warnings })
    }

    fn stanza(&self, found: Option<Stanza>) -> Result<Stanza, Fault> {
        let mut stanza = attachment::stanza(found, &self.name, "OVSIntPort", self.bridge.as_deref())?;
        if let Some(tag) = self.tag {
            let mut options = OvsOptions::of(&stanza);
            options.set("tag", (tag != 0).then(|| tag.to_string()).as_deref());
            options.put_into(&mut stanza);
        }
        self.address.put_into(&mut stanza)?;
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }
}
