//! `pve_ovs_bridge`: what its arguments mean, and what they make of a node. No I/O.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use ansible_module::presence::Presence;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;

use crate::address::Address;
use crate::bridge_mac::Planned;
use crate::draft::Draft;
use crate::interfaces::{Kind, Stanza};
use crate::live::Bridge;
use crate::picture::Picture;
use crate::setting::Setting;
use crate::task::Task;
use crate::{condone, conflicts, mtu_chain, nic, rules, specs};

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/pve_ovs_bridge.yml, which decides what they are")]
pub struct Params {
    pub name: String,
    pub state: Presence,
    pub ports: Option<Vec<String>>,
    pub cidr: Option<String>,
    pub gateway: Option<String>,
    pub cidr6: Option<String>,
    pub gateway6: Option<String>,
    pub mtu: Option<i64>,
    pub datapath_type: Option<String>,
    pub comments: Option<String>,
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct OvsBridge {
    name: String,
    state: Presence,
    ports: Option<BTreeSet<String>>,
    address: Address,
    mtu: Setting<u32>,
    datapath_type: Setting<String>,
    comments: Option<String>,
}

impl Task for OvsBridge {
    const SPEC: &'static ArgumentSpec = &specs::ovs_bridge::SPEC;
    type Params = Params;

    fn new(params: Params) -> Result<Self, Fault> {
        let Params { name, state, ports, cidr, gateway, cidr6, gateway6, mtu, datapath_type, comments } =
            params;
        rules::bridge_name("name", &name)?;
        for port in ports.iter().flatten() {
            rules::nic_name("ports", port)?;
        }
        let comments = comments.map(|text| rules::comment("comments", &text)).transpose()?;
        Ok(Self {
            name,
            state,
            ports: ports.map(BTreeSet::from_iter),
            address: Address::new(cidr, gateway, cidr6, gateway6)?,
            mtu: Setting::new(mtu.map(|mtu| rules::mtu("mtu", mtu)).transpose()?, &0),
            datapath_type: Setting::new(datapath_type, &"default".to_owned()),
            comments,
        })
    }

    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), Fault> {
        conflicts::is_of_kind(draft, &self.name, Kind::OvsBridge, "OVSBridge")?;
        conflicts::name_is_free(draft, &self.name, "OVSBridge")?;
        let own = self.own_ports(draft);
        match self.state {
            Presence::Absent => {
                self.nothing_else_on_it(draft, &own)?;
                draft.remove(&self.name);
            }
            Presence::Present => {
                let stanza = self.stanza(draft.stanza(&self.name), draft.picture)?;
                conflicts::address_is_free(draft, &stanza)?;
                draft.warn(Address::warnings(&stanza));
                draft.put(&stanza)?;
            }
        }
        let wanted = match (self.state, &self.ports) {
            (Presence::Absent, _) => BTreeSet::new(),
            (Presence::Present, Some(ports)) => ports.iter().map(|nic| draft.spelling(nic)).collect(),
            (Presence::Present, None) => own.clone(),
        };
        for nic in own.difference(&wanted) {
            detach(draft, nic)?;
        }
        for nic in &wanted {
            self.attach(draft, nic)?;
        }
        for nic in wanted.difference(&own) {
            let nic = draft.picture.links.in_use(nic).to_owned();
            let port = (self.name.clone(), BTreeSet::from([nic.clone()]));
            draft.warn(conflicts::renegotiation(draft.picture, &Planned::from([(nic, port)])));
        }
        mtu_chain::is_in_order(draft, &self.name)
    }
}

impl OvsBridge {
    /// The NICs that are attached directly, in the file or in Open vSwitch.
    fn own_ports(&self, draft: &Draft<'_>) -> BTreeSet<String> {
        let (picture, interfaces) = (draft.picture, draft.interfaces());
        let listed = interfaces
            .get(&self.name)
            .into_iter()
            .flat_map(|stanza| stanza.list("ovs_ports"))
            .map(str::to_owned);
        let declared = listed.filter(|port| matches!(interfaces.kind(port), Kind::OvsPort | Kind::Eth));
        let live =
            picture.ovs.bridges.get(&self.name).into_iter().flat_map(|bridge| bridge.ports.iter().cloned());
        let is_nic = |port: &String| {
            let row = picture.ovs.ports.get(port);
            let is_single = row.is_some_and(|row| row.interfaces.iter().eq([port]));
            picture.links.is_nic(port)
                && is_single
                && !draft.frees(port, &self.name)
                && conflicts::attaching(picture, port).is_none()
        };
        declared.chain(live.filter(is_nic).map(|port| draft.spelling(&port))).collect()
    }

    fn attach(&self, draft: &mut Draft<'_>, nic: &str) -> Result<(), Fault> {
        let mut stanza = draft.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
        stanza.auto = true;
        stanza.set("ovs_type", Some("OVSPort"));
        stanza.set("ovs_bridge", Some(&self.name));
        draft.put(&stanza)?;
        nic::is_free(draft, "ports", nic, &self.name)?;
        draft.attach(nic, Some(&self.name))
    }

    fn nothing_else_on_it(&self, draft: &Draft<'_>, own: &BTreeSet<String>) -> Result<(), Fault> {
        let (picture, interfaces) = (draft.picture, draft.interfaces());
        let is_on_it = |stanza: &&Stanza| stanza.get("ovs_bridge") == Some(self.name.as_str());
        let named = interfaces.stanzas().filter(is_on_it).map(|stanza| stanza.name.clone());
        let listed = interfaces
            .get(&self.name)
            .into_iter()
            .flat_map(|stanza| stanza.list("ovs_ports"))
            .map(str::to_owned);
        let live =
            picture.ovs.bridges.get(&self.name).into_iter().flat_map(|bridge| bridge.ports.iter().cloned());
        let live = live.filter(|port| !draft.frees(port, &self.name));
        let elsewhere = conflicts::ports_elsewhere(picture, &self.name);
        let others: BTreeSet<String> = named
            .chain(listed)
            .chain(live)
            .chain(elsewhere.keys().cloned())
            .filter(|port| *port != self.name && !own.contains(port))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let place = |port: String| match elsewhere.get(&port) {
            Some(path) => format!("{port} (`{}`)", path.display()),
            None => port,
        };
        let others = others.into_iter().map(place).collect::<Vec<_>>().join(", ");
        Err(Fault::new(
            "bridge_in_use",
            format!(
                "removing the bridge `{}` is refused: {others} still on it; hint: remove or move these first",
                self.name
            ),
        ))
    }

    fn stanza(&self, found: Option<Stanza>, picture: &Picture) -> Result<Stanza, Fault> {
        let mut stanza = found.unwrap_or_else(|| {
            let mut stanza = Stanza::new(&self.name, "manual");
            stanza.set("ovs_type", Some("OVSBridge"));
            stanza
        });
        stanza.auto = true;
        // Or somebody's next `ifreload -a` unplugs every running guest.
        if picture.lacks_condone_default && condone::expressions(&stanza).next().is_none() {
            stanza.set(condone::KEY, Some(condone::GUESTS));
        }
        self.address.put_into(&mut stanza)?;
        self.mtu.apply(|mtu| stanza.set_mtu(mtu.copied()));
        self.datapath_type
            .apply(|value| Bridge::declare_datapath_type(&mut stanza, value.map(String::as_str)));
        if let Some(comments) = &self.comments {
            stanza.set_comment(comments);
        }
        Ok(stanza)
    }
}

/// A NIC that is no port any more.
fn detach(draft: &mut Draft<'_>, nic: &str) -> Result<(), Fault> {
    let mut stanza = draft.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
    for key in ["ovs_type", "ovs_bridge", "ovs_options"] {
        stanza.set(key, None);
    }
    draft.put(&stanza)?;
    draft.attach(nic, None)
}
