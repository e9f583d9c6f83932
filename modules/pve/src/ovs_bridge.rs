//! `pve_ovs_bridge`: what its arguments mean, and what they make of a node. No I/O.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::interfaces::{Kind, Stanza};
use crate::live::{Bridge, Port};
use crate::node::{self, Condition};
use crate::picture::Picture;
use crate::setting::Setting;
use crate::state::{Link, State};
use crate::{conflicts, nic, rules, specs};

/// The module.
pub struct OvsBridge;

impl Module for OvsBridge {
    const SPEC: &'static ArgumentSpec = &specs::ovs_bridge::SPEC;
    type Params = Params;

    fn run(params: Params, context: &Context) -> Ended {
        node::converge(
            Self::SPEC.module,
            context,
            || Desired::new(params),
            Desired::target,
            Condition::default(),
        )
    }

    fn rollback(folder: &Path, context: &Context) -> Ended {
        node::go_back(Self::SPEC.module, folder, context)
    }
}

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_ovs_bridge.yml, which decides what they are")]
pub struct Params {
    pub name: String,
    pub state: Presence,
    pub ports: Option<Vec<String>>,
    pub cidr: Option<String>,
    pub gateway: Option<String>,
    pub datapath_type: Option<String>,
    pub comments: Option<String>,
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct Desired {
    name: String,
    state: Presence,
    ports: Option<BTreeSet<String>>,
    address: Address,
    datapath_type: Setting<String>,
    comments: Option<String>,
}

impl Desired {
    /// Checks the arguments; the node is not looked at.
    pub fn new(params: Params) -> Result<Self, Fault> {
        let Params { name, state, ports, cidr, gateway, datapath_type, comments } = params;
        rules::bridge_name("name", &name)?;
        for port in ports.iter().flatten() {
            rules::nic_name("ports", port)?;
        }
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        Ok(Self {
            name,
            state,
            ports: ports.map(BTreeSet::from_iter),
            address: Address::new(cidr, gateway)?,
            datapath_type: Setting::new(datapath_type, &"default".to_owned()),
            comments,
        })
    }

    /// What the node looks like when the bridge is as declared.
    pub fn target(&self, picture: &Picture) -> Result<Target<State>, Fault> {
        let mut warnings: Vec<String> = conflicts::is_ready(picture)?.into_iter().collect();
        conflicts::is_of_kind(picture, &self.name, Kind::OvsBridge, "OVSBridge")?;
        conflicts::name_is_free(picture, &self.name, "OVSBridge")?;
        let found = picture.stanza(&self.name);
        let own = self.own_ports(picture);
        let mut after = State::default();
        let stanza = match self.state {
            Presence::Absent => {
                self.nothing_else_on_it(picture, &own)?;
                None
            }
            Presence::Present => Some(self.stanza(found.clone())?),
        };
        if let Some(stanza) = &stanza {
            conflicts::address_is_free(picture, stanza)?;
        }
        let wanted = match (&stanza, &self.ports) {
            (None, _) => BTreeSet::new(),
            (Some(_), Some(ports)) => ports.clone(),
            (Some(_), None) => own.clone(),
        };
        self.attach(picture, &mut after, &own, &wanted)?;
        for nic in wanted.difference(&own) {
            let interfaces = BTreeSet::from([nic.clone()]);
            warnings.extend(conflicts::renegotiation(picture, &self.name, nic, &interfaces));
        }
        let bridge = stanza.as_ref().map(Bridge::declared);
        if stanza.is_some() || found.is_some() || picture.ovs.bridges.contains_key(&self.name) {
            after.kernel.insert(self.name.clone(), Address::link(found.as_ref(), stanza.as_ref()));
        }
        after.ovsdb.bridges.insert(self.name.clone(), bridge);
        after.file.stanzas.insert(self.name.clone(), stanza);
        Ok(Target { after, warnings })
    }

    /// The NICs that are attached directly, in the file or in Open vSwitch.
    fn own_ports(&self, picture: &Picture) -> BTreeSet<String> {
        let listed = picture.interfaces.stanza(&self.name);
        let listed = listed.iter().flat_map(|stanza| stanza.list("ovs_ports")).map(str::to_owned);
        let declared =
            listed.filter(|port| matches!(picture.interfaces.kind(port), Kind::OvsPort | Kind::Eth));
        let live =
            picture.ovs.bridges.get(&self.name).into_iter().flat_map(|bridge| bridge.ports.iter().cloned());
        let is_nic = |port: &String| {
            let row = picture.ovs.ports.get(port);
            picture.links.is_nic(port) && row.is_some_and(|row| row.interfaces.iter().eq([port]))
        };
        declared.chain(live.filter(is_nic)).collect()
    }

    fn attach(
        &self,
        picture: &Picture,
        after: &mut State,
        own: &BTreeSet<String>,
        wanted: &BTreeSet<String>,
    ) -> Result<(), Fault> {
        let mut listing = BTreeMap::new();
        for nic in own.union(wanted) {
            let is_wanted = wanted.contains(nic);
            let mut stanza = picture.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
            if is_wanted {
                nic::is_free(picture, "ports", nic, &self.name)?;
                stanza.auto = true;
                stanza.set("ovs_type", Some("OVSPort"));
                stanza.set("ovs_bridge", Some(&self.name));
                after.kernel.insert(nic.clone(), Link { present: true, up: true, ..Link::default() });
            } else {
                for key in ["ovs_type", "ovs_bridge", "ovs_options"] {
                    stanza.set(key, None);
                }
            }
            let live = Port::found(&picture.ovs, nic);
            let port = is_wanted.then(|| Port::declared(&stanza, live.as_ref())).transpose()?;
            after.ovsdb.ports.insert(nic.clone(), port);
            after.file.stanzas.insert(nic.clone(), Some(stanza));
            if self.state == Presence::Present {
                listing.insert(nic.clone(), is_wanted);
            }
        }
        if !listing.is_empty() {
            after.file.ovs_ports.insert(self.name.clone(), listing);
        }
        Ok(())
    }

    fn nothing_else_on_it(&self, picture: &Picture, own: &BTreeSet<String>) -> Result<(), Fault> {
        let named = picture.interfaces.names().into_iter().filter(|name| {
            picture
                .interfaces
                .stanza(name)
                .is_some_and(|stanza| stanza.get("ovs_bridge") == Some(self.name.as_str()))
        });
        let listed = picture.interfaces.stanza(&self.name);
        let listed = listed.iter().flat_map(|stanza| stanza.list("ovs_ports")).map(str::to_owned);
        let live =
            picture.ovs.bridges.get(&self.name).into_iter().flat_map(|bridge| bridge.ports.iter().cloned());
        let others: BTreeSet<String> = named
            .chain(listed)
            .chain(live)
            .filter(|port| *port != self.name && !own.contains(port))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        Err(Fault::new(
            "bridge_in_use",
            format!(
                "removing the bridge `{}` is refused: {others} still on it; hint: remove or move these first",
                self.name
            ),
        ))
    }

    fn stanza(&self, found: Option<Stanza>) -> Result<Stanza, Fault> {
        let mut stanza = found.unwrap_or_else(|| {
            let mut stanza = Stanza::new(&self.name, "manual");
            stanza.set("ovs_type", Some("OVSBridge"));
            stanza
        });
        stanza.auto = true;
        self.address.put_into(&mut stanza)?;
        self.datapath_type
            .apply(|value| Bridge::declare_datapath_type(&mut stanza, value.map(String::as_str)));
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }
}
