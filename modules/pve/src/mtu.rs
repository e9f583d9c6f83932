//! What MTU the kernel's links have with what is declared, and once an MTU is no longer declared.
//!
//! Open vSwitch gives an interface the MTU that is requested. Without a request a NIC keeps what it has (1500 unless
//! somebody says otherwise, as ifupdown2 has it), and an internal port follows the lowest MTU of the bridge's other
//! ports: `find_min_mtu` in `ofproto/ofproto.c`. That nothing is requested does not by itself bring an MTU down.

use crate::interfaces::{Interfaces, Kind};
use crate::live::Port;
use crate::picture::Picture;
use crate::state::State;

/// What an interface has of which nobody says anything; what Proxmox takes as given, too.
pub const DEFAULT: u32 = 1500;

impl State {
    /// Adds the MTU to the links whose MTU is declared, or was until now. Any other is nobody's of ours.
    pub(crate) fn declare_mtus(&mut self, picture: &Picture, interfaces: &Interfaces) {
        let names: Vec<String> =
            self.kernel.iter().filter(|(_, link)| link.present).map(|(name, _)| name.clone()).collect();
        let mut following = Vec::new();
        for name in names {
            let stanza = interfaces.get(&name);
            let declared = || stanza.filter(|_| interfaces.kind(&name) == Kind::Eth)?.mtu();
            let mtu = match self.mtu_request(picture, &name).or_else(declared) {
                Some(mtu) => mtu,
                None if !had_mtu(picture, &name) => continue,
                None if picture.links.is_nic(&name) => DEFAULT,
                None => {
                    following.push(name);
                    continue;
                }
            };
            self.set_mtu(&name, mtu);
        }
        // What they follow is known by now.
        for name in following {
            let bridge = match self.ovsdb.ports.get(&name) {
                Some(Some(port)) => port.bridge.clone(),
                _ => name.clone(),
            };
            let mtu = self.lowest_mtu(picture, &bridge, &name);
            self.set_mtu(&name, mtu);
        }
    }

    fn set_mtu(&mut self, name: &str, mtu: u32) {
        if let Some(link) = self.kernel.get_mut(name) {
            link.mtu = Some(mtu);
        }
    }

    /// What is requested of an interface then.
    fn mtu_request(&self, picture: &Picture, name: &str) -> Option<u32> {
        if let Some(bridge) = self.ovsdb.bridges.get(name) {
            return bridge.as_ref()?.mtu_request;
        }
        let declared = || self.ovsdb.ports.values().flatten();
        if let Some(port) = declared().find(|port| port.interfaces.contains(name)) {
            return port.mtu_requests.get(name).copied();
        }
        // Not the task's, or about to go.
        let row = picture.ovs.interfaces.get(name)?;
        row.mtu_request.filter(|_| !self.ovsdb.ports.contains_key(&row.port))
    }

    /// The lowest MTU of the ports of `bridge` but for `name`, leaving out those that follow, too.
    fn lowest_mtu(&self, picture: &Picture, bridge: &str, name: &str) -> u32 {
        let declared = self.ovsdb.ports.values().flatten().filter(|port| port.bridge == bridge);
        let others =
            picture.ovs.ports.iter().filter(|(name, port)| {
                port.bridge == bridge && !self.ovsdb.ports.contains_key(name.as_str())
            });
        let others = others.filter_map(|(name, _)| Port::found(&picture.ovs, name));
        let interfaces = declared.cloned().chain(others).flat_map(|port| port.interfaces);
        let mtus = interfaces.filter(|other| other != name).filter_map(|other| {
            let follows = || {
                let kind = picture.ovs.interfaces.get(&other).map(|row| row.kind.as_str());
                matches!(kind, Some("internal" | "patch"))
            };
            let found = || {
                let declared = self.kernel.get(&other).and_then(|link| link.mtu);
                declared.or_else(|| picture.links.get(&other).map(|link| link.mtu)).filter(|_| !follows())
            };
            self.mtu_request(picture, &other).or_else(found)
        });
        mtus.min().unwrap_or(DEFAULT)
    }
}

/// Whether there is a link that is known to have been given its MTU: by the running file, or by somebody's request.
fn had_mtu(picture: &Picture, name: &str) -> bool {
    let is_declared = || picture.running.interfaces.get(name).is_some_and(|stanza| stanza.mtu().is_some());
    let is_requested = || picture.ovs.interfaces.get(name).is_some_and(|row| row.mtu_request.is_some());
    picture.links.get(name).is_some() && (is_declared() || is_requested())
}
