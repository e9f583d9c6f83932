//! How a Linux bridge gives way to an `OVSBridge`, and how it comes back.
//!
//! Without its saved state `ifreload -a` can't turn one into the other: it takes the address off the Linux bridge, fails
//! at making the OVSBridge, and leaves the node off the net. So the Linux bridge is deleted right before it, and on the way
//! back the OVSBridge, in whose place the Linux bridge is made by hand. Guests are plugged in by nobody but Proxmox when
//! they start, so that is done here.

use std::collections::BTreeSet;

use ansible_module::converge::Device;
use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::apply::touch;
use crate::change::Change;
use crate::links::{default_route, own_address};
use crate::linux_bridge::{LinuxBridge, Vlans, is_guest_port};
use crate::live::Port;
use crate::node::Node;
use crate::spawn;
use crate::state::{Link, State};

impl Node<'_> {
    /// Deletes the Linux bridges that are to go. Their ports stay as they are, and are nobody's.
    pub(crate) fn delete_linux_bridges(&mut self, changes: &[Change]) -> Result<(), Fault> {
        for change in changes {
            if let Change::LinuxBridge { name, from: Some(_), to: None } = change {
                self.ip(&["link", "delete", "dev", name, "type", "bridge"])?;
            }
        }
        Ok(())
    }

    /// Plugs guests into the OVSBridge that has just been made.
    pub(crate) fn plug_guests(&mut self, changes: &[Change]) -> Result<(), Fault> {
        if !changes.iter().any(is_guest) {
            return Ok(());
        }
        Device::read(self)?;
        let guests: Vec<Change> = changes.iter().filter(|change| self.can_plug(change)).cloned().collect();
        self.transact(&guests, Port::set_left)
    }

    /// Whether it is a guest that is plugged in nowhere, and its bridge is there.
    pub(crate) fn can_plug(&self, change: &Change) -> bool {
        matches!(change, Change::Port { name, to: Some(to), .. }
            if is_guest(change) && self.ovs.bridges.contains_key(&to.bridge) && !self.ovs.ports.contains_key(name))
    }

    /// Makes the Linux bridges of `before` that are missing or miss ports, with their addresses and default routes, in
    /// the place of what Open vSwitch has of their names.
    pub(crate) fn bring_back_linux_bridges(&mut self, before: &State) -> Result<(), Fault> {
        self.bring_back_missing(before)?;
        self.bring_back_macs(before)
    }

    /// One that a reload made has the MAC address of any of its ports; neighbours know the one that it had.
    fn bring_back_macs(&mut self, before: &State) -> Result<(), Fault> {
        let wanted: Vec<_> =
            before.linux_bridges.iter().filter_map(|(name, to)| Some((name, to.as_ref()?))).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let found = self.picture()?.linux_bridges;
        for (name, to) in wanted {
            if found.get(name).is_some_and(|found| found.mac != to.mac) {
                self.ip(&["link", "set", "dev", name, "address", &to.mac])?;
            }
        }
        Ok(())
    }

    fn bring_back_missing(&mut self, before: &State) -> Result<(), Fault> {
        let left = self.left(before)?;
        let missing: BTreeSet<&String> = left
            .iter()
            .filter_map(|change| match change {
                Change::LinuxBridge { name, to: Some(_), .. } => Some(name),
                _ => None,
            })
            .gather();
        if missing.is_empty() {
            return Ok(());
        }
        let in_their_place = left.iter().filter(|change| {
            matches!(change, Change::Bridge { name, from: Some(_), to: None } if missing.contains(name))
        });
        self.transact(&in_their_place.cloned().collect::<Vec<_>>(), Port::set_all)?;
        let mut brought_back = Ok(());
        for change in self.left(before)? {
            // The address is set also where a port could not be plugged in.
            brought_back = brought_back.and(match change {
                Change::LinuxBridge { name, from, to: Some(to) } => {
                    self.make_linux_bridge(&name, from.as_ref(), &to)
                }
                Change::Link { name, to, .. } if missing.contains(&name) => self.set_addresses(&name, &to),
                _ => Ok(()),
            });
        }
        brought_back
    }

    /// `before`, with the guests that were started since on bridges of Open vSwitch that give way to Linux bridges again.
    pub(crate) fn with_new_guests(&mut self, before: &State) -> Result<State, Fault> {
        let mut before = before.clone();
        let ovs = self.picture()?.ovs;
        for (name, bridge) in &mut before.linux_bridges {
            let (Some(bridge), Some(row)) = (bridge, ovs.bridges.get(name)) else { continue };
            let is_aware = bridge.settings.get("vlan_filtering").is_some_and(|on| on == "1");
            for guest in row.ports.iter().filter(|port| is_guest_port(port)) {
                let vlans = ovs.ports.get(guest).filter(|_| is_aware).map(Vlans::of_port);
                bridge.ports.entry(guest.clone()).or_insert(vlans);
            }
        }
        Ok(before)
    }

    /// Makes default routes that are missing on links that are otherwise as wanted: ifupdown2 takes one that it made
    /// before for one that is there.
    pub(crate) fn make_default_routes(&mut self, left: &[Change]) -> Result<(), Fault> {
        for change in left.iter().filter(|change| misses_a_default_route(change)) {
            let Change::Link { name, from, to } = change else { continue };
            for (gateway, _) in to.gateways.iter().filter(|(_, is_there)| **is_there) {
                if from.gateways.get(gateway) != Some(&true) {
                    self.run_ip(&[default_route("add", gateway, name)])?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn set_addresses(&mut self, name: &str, link: &Link) -> Result<(), Fault> {
        for (address, _) in link.addresses.iter().filter(|(_, is_there)| **is_there) {
            self.run_ip(&[own_address("replace", address, name)])?;
        }
        for (gateway, _) in link.gateways.iter().filter(|(_, is_there)| **is_there) {
            self.run_ip(&[default_route("replace", gateway, name)])?;
        }
        Ok(())
    }

    fn make_linux_bridge(
        &mut self,
        name: &str,
        from: Option<&LinuxBridge>,
        to: &LinuxBridge,
    ) -> Result<(), Fault> {
        if from.is_none() {
            self.remove_links(vec![name.to_owned()])?;
            self.ip(&["link", "add", "name", name, "address", &to.mac, "type", "bridge"])?;
        }
        if from.is_none_or(|from| from.settings != to.settings) {
            let words = ["link", "set", "dev", name, "up", "type", "bridge"];
            let settings = to.settings.iter().flat_map(|(key, value)| [key.as_str(), value]);
            self.ip(&words.into_iter().chain(settings).collect::<Vec<_>>())?;
        }
        for (port, vlans) in &to.ports {
            if from.is_some_and(|from| from.ports.get(port) == Some(vlans)) {
                continue;
            }
            let words = ["link", "set", "dev", port, "master", name];
            // Debian's ifupdown2 sets a guest's port down when it takes it off a bridge.
            let up: &[&str] = if is_guest_port(port) { &["up"] } else { &[] };
            self.ip(&[&words, up].concat())?;
            if let Some(vlans) = vlans {
                self.set_vlans(port, vlans)?;
            }
        }
        Ok(())
    }

    fn set_vlans(&mut self, port: &str, vlans: &Vlans) -> Result<(), Fault> {
        // What every new port of a VLAN-aware bridge is in.
        self.bridge(&["vlan", "delete", "dev", port, "vid", "1"])?;
        if let Some(pvid) = vlans.pvid {
            self.bridge(&["vlan", "add", "dev", port, "vid", &pvid.to_string(), "pvid", "untagged"])?;
        }
        for (first, last) in &vlans.tagged {
            let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
            self.bridge(&["vlan", "add", "dev", port, "vid", &range])?;
        }
        Ok(())
    }

    fn bridge(&mut self, arguments: &[&str]) -> Result<(), Fault> {
        let program = self.paths.bridge.to_string_lossy().into_owned();
        self.run_tool(program, arguments)
    }

    /// Runs `ip` with these arguments.
    pub(crate) fn ip(&mut self, arguments: &[&str]) -> Result<(), Fault> {
        let program = self.paths.ip.to_string_lossy().into_owned();
        self.run_tool(program, arguments)
    }

    fn run_tool(&mut self, program: String, arguments: &[&str]) -> Result<(), Fault> {
        touch(&mut self.checkpoint, &self.paths)?;
        let words: Vec<String> =
            [program].into_iter().chain(arguments.iter().map(|word| (*word).to_owned())).collect();
        let command = words.join(" ");
        self.commands.push(command.clone());
        let finished = spawn::run(&words, self.paths.limits.ip, self.paths.limits.grace)
            .map_err(|error| Fault::from_error("link_not_set", &error))?;
        if finished.success() {
            return Ok(());
        }
        let said = finished.stderr.trim();
        Err(Fault::new("link_not_set", format!("running `{command}` failed: {said}")))
    }
}

/// Whether a link misses a default route, and nothing else.
pub(crate) fn misses_a_default_route(change: &Change) -> bool {
    let Change::Link { from, to, .. } = change else { return false };
    let is_missing =
        |(gateway, is_there): (&String, &bool)| *is_there && from.gateways.get(gateway) != Some(&true);
    let otherwise = Link { gateways: to.gateways.clone(), ..from.clone() };
    to.present && otherwise == *to && to.gateways.iter().any(is_missing)
}

/// A guest's port that is missing.
fn is_guest(change: &Change) -> bool {
    matches!(change, Change::Port { name, from: None, to: Some(_) } if is_guest_port(name))
}
