//! A task's change in the making: the interfaces file as the task leaves it, and the objects that it looks after.
//!
//! The file decides: what Open vSwitch and the kernel are to be like follows from it (`State::declared`), so a task
//! says nothing of them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ansible_module::converge::Target;
use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::address::{self, FAMILIES};
use crate::apply_options::Aim;
use crate::interfaces::{Interfaces, Kind, Stanza};
use crate::lifeline;
use crate::picture::{self, Picture};
use crate::state::State;

/// A change that is being drafted.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The node as it is.
    pub picture: &'a Picture,
    /// Whether nothing will be changed: what is not there yet may come from a task before this one.
    pub check_mode: bool,
    interfaces: Interfaces,
    objects: BTreeSet<String>,
    /// Bridges that are not there yet, each with a port that it is going to list.
    assumed: Vec<(String, String)>,
    warnings: Vec<String>,
}

impl<'a> Draft<'a> {
    /// Nothing changed yet. Where staged changes go live together with the task's own, their objects are its own too.
    pub fn new(picture: &'a Picture, check_mode: bool) -> Self {
        let interfaces = picture.interfaces().clone();
        let objects = match picture.aim {
            Aim::LiveWithStaged => differing(&picture.running.interfaces, &interfaces),
            Aim::Live | Aim::Staged => BTreeSet::new(),
        };
        Self { picture, check_mode, interfaces, objects, assumed: Vec::new(), warnings: Vec::new() }
    }

    /// The file as it is by now.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// Every file that ifupdown2 reads, with what it is called: the one that is edited, and those beside it.
    pub fn files(&self) -> Vec<(String, &Interfaces)> {
        let own = ("the interfaces file".to_owned(), &self.interfaces);
        let sourced = self.picture.sourced.iter();
        let sourced = sourced.map(|file| (format!("`{}`", file.path.display()), &file.interfaces));
        std::iter::once(own).chain(sourced).collect()
    }

    /// The objects that the task looks after.
    pub fn objects(&self) -> &BTreeSet<String> {
        &self.objects
    }

    /// What the file calls a NIC: by the name of its stanza, which may be an alternative one, or else by the one in use.
    /// Proxmox takes two names for two NICs.
    pub fn spelling(&self, nic: &str) -> String {
        let links = &self.picture.links;
        let known = links.names(nic).into_iter().find(|name| self.interfaces.get(name).is_some());
        known.unwrap_or(links.in_use(nic)).to_owned()
    }

    /// A stanza as one task declares it, without `ovs_ports`.
    pub fn stanza(&self, name: &str) -> Option<Stanza> {
        picture::declared(&self.interfaces, name)
    }

    /// Makes `name` an object of the task.
    pub fn look_after(&mut self, name: &str) {
        self.objects.insert(name.to_owned());
    }

    /// Declares an interface; a bridge's `ovs_ports` stay.
    pub fn put(&mut self, stanza: &Stanza) -> Result<(), Fault> {
        self.look_after(&stanza.name);
        picture::declare(&mut self.interfaces, stanza)
    }

    /// Takes an interface out of the file.
    pub fn remove(&mut self, name: &str) {
        self.look_after(name);
        self.interfaces.remove(name);
    }

    /// Lists `port` in the `ovs_ports` of `bridge` and of no other bridge. One that the file does not have yet is assumed to
    /// come from an earlier task.
    pub fn attach(&mut self, port: &str, bridge: Option<&str>) -> Result<(), Fault> {
        self.look_after(port);
        let failed = |error| Fault::from_error("file_not_editable", &error);
        for other in self.interfaces.bridge_listing(port) {
            if bridge != Some(&other) {
                self.interfaces.unlist_port(&other, port).map_err(failed)?;
            }
        }
        match bridge {
            Some(bridge) if self.interfaces.get(bridge).is_some() => {
                self.interfaces.list_port(bridge, port).map_err(failed)
            }
            _ => {
                self.assumed.extend(bridge.map(|bridge| (bridge.to_owned(), port.to_owned())));
                Ok(())
            }
        }
    }

    /// Adds what the user should know.
    pub fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Whether `port` is at `by` because the running file says so, or though `by` is an object of the task, and the draft
    /// does not have it there: applying frees it.
    pub fn frees(&self, port: &str, by: &str) -> bool {
        let names = self.picture.links.names(port);
        let is_claimed = |interfaces: &Interfaces| {
            names.iter().any(|name| interfaces.claims(name).iter().any(|claim| claim.by == by))
        };
        let is_known = self.objects.contains(by) || is_claimed(&self.picture.running.interfaces);
        is_known && !is_claimed(&self.interfaces)
    }

    /// Whether the running file has `find` true of the stanza of `name`, and the draft no longer does: applying
    /// takes away what is live of it.
    pub fn drops(&self, name: &str, find: impl Fn(&Stanza) -> bool) -> bool {
        let names = self.picture.links.names(name);
        let has = |interfaces: &Interfaces| names.iter().filter_map(|name| interfaces.get(name)).any(&find);
        has(&self.picture.running.interfaces) && !has(&self.interfaces)
    }

    /// Whether applying takes the address away from the link: the running file gives it to that, and the draft does not.
    pub fn drops_address(&self, name: &str, address: IpAddr) -> bool {
        let is_this = |cidr: &String| address::host(cidr) == Some(address);
        let has = |stanza: &Stanza| {
            FAMILIES.iter().any(|options| stanza.addresses(options.family).iter().any(is_this))
        };
        self.drops(name, has)
    }

    /// Whether applying makes the link a member of an OVSBond, which leaves it no address and no route.
    pub fn bonds(&self, name: &str) -> bool {
        let is_member =
            |interfaces: &Interfaces| interfaces.claims(name).iter().any(|claim| claim.key == "ovs_bonds");
        is_member(&self.interfaces) && !is_member(&self.picture.running.interfaces)
    }

    /// Whether the node has a Linux bridge of this name, and the draft an OVSBridge.
    pub fn replaces(&self, bridge: &str) -> bool {
        self.picture.linux_bridges.contains_key(bridge) && self.interfaces.kind(bridge) == Kind::OvsBridge
    }

    /// What the node looks like when this has come true.
    pub fn finish(&self) -> Result<Target<State>, Fault> {
        let mut after = State::declared(self.picture, &self.interfaces, &self.objects)?;
        for (bridge, port) in &self.assumed {
            after.file.ovs_ports.entry(bridge.clone()).or_default().insert(port.clone(), true);
        }
        lifeline::holds(self, &after)?;
        Ok(Target { after, also_affected: Vec::new(), warnings: self.warnings.clone() })
    }
}

/// The interfaces that two files declare differently, with the members of bonds, and the ports that only one lists.
fn differing(left: &Interfaces, right: &Interfaces) -> BTreeSet<String> {
    let names: BTreeSet<String> = left.names().into_iter().chain(right.names()).gather();
    let mut differing = BTreeSet::new();
    for name in names {
        let (left, right) = (left.get(&name), right.get(&name));
        if left == right {
            continue;
        }
        differing.extend(right.iter().flat_map(|stanza| stanza.list("ovs_bonds")).map(str::to_owned));
        let ports = |stanza: Option<&Stanza>| -> BTreeSet<String> {
            let ports = stanza.iter().flat_map(|stanza| stanza.list("ovs_ports")).map(str::to_owned);
            ports.gather()
        };
        differing.extend(ports(left).symmetric_difference(&ports(right)).cloned());
        differing.insert(name);
    }
    // A port that is listed and has no stanza is somebody else's to declare.
    differing.retain(|name| [left, right].iter().any(|file| !matches!(file.kind(name), Kind::Unknown)));
    differing
}
