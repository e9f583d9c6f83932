//! What a file makes of the node: the bridges and ports that Open vSwitch has then, and the kernel's links.
//!
//! Told of single objects, as a task looks after them. What an object was in the file that is running counts too: it
//! says what goes.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;

use crate::address::{Address, host};
use crate::apply_options::Aim;
use crate::interfaces::{Interfaces, Kind, Stanza};
use crate::live::{Bridge, Port, declared_mac};
use crate::picture::{self, Picture};
use crate::replace;
use crate::state::{FileStore, Link, State, listing};

impl State {
    /// The node with `interfaces` applied, as far as `objects` go; where changes are only staged, the file alone.
    pub fn declared(
        picture: &Picture,
        interfaces: &Interfaces,
        objects: &BTreeSet<String>,
    ) -> Result<Self, Fault> {
        let mut state = Self::default();
        let is_live = picture.aim != Aim::Staged;
        if is_live {
            state.file.waits = picture.staged.is_some().then_some(false);
        } else {
            state.file.store = FileStore::Staged;
        }
        for name in objects {
            let listed = [picture.written(), interfaces].map(|file| file.bridge_listing(name)).concat();
            for bridge in listed.into_iter().filter(|bridge| interfaces.get(bridge).is_some()) {
                let ports = listing(interfaces, &bridge, std::iter::once(name));
                state.file.ovs_ports.entry(bridge).or_default().extend(ports);
            }
            let new = picture::declared(interfaces, name);
            if is_live {
                state.add_live(picture, interfaces, name, new.as_ref())?;
                state.declare_place(picture, interfaces, name);
            }
            state.file.stanzas.insert(name.clone(), new);
        }
        state.declare_mtus(picture, interfaces);
        Ok(state)
    }

    /// What is live of one object with `interfaces` applied; nothing of the file.
    pub fn declared_live(picture: &Picture, interfaces: &Interfaces, name: &str) -> Result<Self, Fault> {
        let mut state = Self::default();
        state.add_live(picture, interfaces, name, picture::declared(interfaces, name).as_ref())?;
        Ok(state)
    }

    fn add_live(
        &mut self,
        picture: &Picture,
        interfaces: &Interfaces,
        name: &str,
        new: Option<&Stanza>,
    ) -> Result<(), Fault> {
        let running = &picture.running.interfaces;
        let old = running.get(name);
        let was = old.is_some().then(|| running.kind(name));
        let is = new.is_some().then(|| interfaces.kind(name));
        self.declare_live(picture, name, (was, old), (is, new))
    }

    fn declare_live(
        &mut self,
        picture: &Picture,
        name: &str,
        (was, old): (Option<Kind>, Option<&Stanza>),
        (is, new): (Option<Kind>, Option<&Stanza>),
    ) -> Result<(), Fault> {
        if is == Some(Kind::OvsBridge)
            || was == Some(Kind::OvsBridge)
            || picture.ovs.bridges.contains_key(name)
        {
            let bridge = new.filter(|_| is == Some(Kind::OvsBridge)).map(Bridge::declared);
            self.ovsdb.bridges.insert(name.to_owned(), bridge);
            if is == Some(Kind::OvsBridge) && picture.linux_bridges.contains_key(name) {
                self.linux_bridges.insert(name.to_owned(), None);
                let guests = replace::guests(picture, name)?;
                self.ovsdb.ports.extend(guests.into_iter().map(|(guest, port)| (guest, Some(port))));
            }
        }
        let is_port = |kind: Option<Kind>| kind.is_some_and(Kind::is_ovs_port);
        // What is live has the name in use, also where the file has another one.
        let name = picture.links.in_use(name);
        let live = Port::found(&picture.ovs, name).filter(|live| live.bridge != name);
        if is_port(is) || is_port(was) || live.is_some() {
            let port = new.filter(|_| is_port(is));
            let port = port.map(|stanza| Port::declared(stanza, live.as_ref())).transpose()?;
            let port = port.map(|port| port.with_names_in_use(&picture.links));
            self.ovsdb.ports.insert(name.to_owned(), port);
        }
        self.declare_link(picture, name, (was, old), (is, new));
        Ok(())
    }

    fn declare_link(
        &mut self,
        picture: &Picture,
        name: &str,
        (was, old): (Option<Kind>, Option<&Stanza>),
        (is, new): (Option<Kind>, Option<&Stanza>),
    ) {
        let is_nic = |kind: Option<Kind>| matches!(kind, Some(Kind::Eth | Kind::OvsPort));
        let link = match (is, new) {
            // Its kernel interface is a stand-in that depends on the datapath.
            // Nor has the kernel a link of such a name, or nobody can tell.
            (Some(Kind::OvsBond | Kind::Alias | Kind::Unknown), _) => return,
            (Some(Kind::Eth), Some(new)) if !new.auto => return,
            (Some(_), Some(new)) => Link { present: true, up: new.auto.then_some(true), ..Link::default() },
            // A NIC stays, whatever the file says.
            _ if is_nic(was) || picture.links.is_nic(name) => return,
            _ if was.is_none_or(|kind| kind == Kind::OvsBond) && picture.links.get(name).is_none() => return,
            _ => Link::default(),
        };
        let Link { addresses, mut gateways, .. } = Address::link(old, new);
        let mac = new.filter(|_| is == Some(Kind::OvsIntPort)).and_then(declared_mac);
        let families: Vec<bool> =
            gateways.keys().filter_map(|gateway| Some(host(gateway)?.is_ipv4())).collect();
        for route in picture.routes.iter().filter(|route| route.link == name) {
            // Where the file has a say in the default route, one that leads elsewhere is wrong; `ifreload -a` leaves it.
            if let Some(gateway) = route.gateway.filter(|gateway| families.contains(&gateway.is_ipv4())) {
                gateways.entry(gateway.to_string()).or_insert(false);
            }
        }
        self.kernel.insert(name.to_owned(), Link { mac, addresses, gateways, ..link });
    }

    /// A NIC is in one place; in a bond of Open vSwitch it has no address and no route.
    fn declare_place(&mut self, picture: &Picture, interfaces: &Interfaces, name: &str) {
        let Some(link) = self.kernel.get_mut(name).filter(|_| picture.links.is_nic(name)) else { return };
        let Some(claim) = interfaces.claims(name).into_iter().next() else { return };
        let is_linux = matches!(claim.key, "bridge_ports" | "slaves");
        link.master = Some(if is_linux { claim.by } else { String::new() });
        if claim.key != "ovs_bonds" {
            return;
        }
        let live = picture.links.get(name).into_iter().flat_map(|link| &link.addresses);
        for address in live.filter(|address| !address.is_link_local()) {
            link.addresses.entry(address.to_string()).or_insert(false);
        }
        let gateways =
            picture.routes.iter().filter(|route| route.link == name).filter_map(|route| route.gateway);
        for gateway in gateways {
            link.gateways.entry(gateway.to_string()).or_insert(false);
        }
    }
}
