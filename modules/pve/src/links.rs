//! What ip(8) has to do to links: where they are ports, up or down, their MAC addresses, default routes. That of Linux
//! bridges is in `replacement.rs`.

use std::thread;
use std::time::{Duration, Instant};

use ansible_module::fault::Fault;

use crate::change::Change;
use crate::node::Node;
use crate::sight::Presence;
use crate::state::Link;

/// How long Open vSwitch may take until the link of a port that it removed is gone.
const REMOVED: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(10);

impl Node<'_> {
    /// Takes NICs that are to be in Open vSwitch out of Linux bridges and bonds: until then it can't have them. A bridge
    /// that becomes one of Open vSwitch itself gives them up when it does.
    pub(crate) fn release(&mut self, changes: &[Change]) -> Result<(), Fault> {
        let is_replaced = |master: &str| {
            changes
                .iter()
                .any(|change| matches!(change, Change::Bridge { name, to: Some(_), .. } if name == master))
        };
        let released: Vec<Vec<String>> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Link { name, from, to }
                    if to.master.as_deref() == Some("")
                        && !from.master.as_deref().is_some_and(is_replaced) =>
                {
                    leave_master(name, from, to)
                }
                _ => None,
            })
            .collect();
        self.run_ip(&released)
    }

    /// Sets links on the way back: `ifreload -a` leaves one up that it brought up and that is not declared any more, and
    /// never made the default route that somebody else made.
    pub(crate) fn set_links(&mut self, changes: &[Change]) -> Result<(), Fault> {
        let mut commands: Vec<Vec<String>> = changes.iter().flat_map(corrections).collect();
        for change in changes {
            let Change::Link { name, from, to } = change else { continue };
            if !(from.present && to.present) {
                continue;
            }
            if let Some(up) = to.up.filter(|up| from.up != Some(*up)) {
                commands.push(words(&["link", "set", "dev", name, if up { "up" } else { "down" }]));
            }
            let made = to
                .gateways
                .iter()
                .filter(|(gateway, is)| **is && from.gateways.get(*gateway) == Some(&false));
            commands.extend(made.map(|(gateway, _)| default_route("add", gateway, name)));
        }
        self.run_ip(&commands)
    }

    /// Deletes links of ports that are gone: an Open vSwitch that ended while it removed a port knows nothing of its link when it
    /// is started again.
    pub(crate) fn delete_orphans(&mut self, changes: &[Change]) -> Result<(), Fault> {
        let goes = |change: &Change| match change {
            Change::Link { name, from, to } => (from.present && !to.present).then(|| name.clone()),
            _ => None,
        };
        let mut orphans: Vec<String> = changes.iter().filter_map(goes).collect();
        if orphans.is_empty() || !self.picture()?.ovs_runs {
            return Ok(());
        }
        orphans.retain(|name| !self.ovs.interfaces.contains_key(name));
        self.remove_links(orphans)
    }

    /// Deletes links of which Open vSwitch knows nothing, or nothing any more: then they may be on their way.
    pub(crate) fn remove_links(&mut self, mut names: Vec<String>) -> Result<(), Fault> {
        let deadline =
            Instant::now() + if self.presence == Presence::Runs { REMOVED } else { Duration::ZERO };
        while Instant::now() < deadline && names.iter().any(|name| self.exists(name)) {
            thread::sleep(INTERVAL);
        }
        names.retain(|name| self.exists(name));
        names.iter().try_for_each(|name| self.ip(&["link", "delete", "dev", name]))
    }

    fn exists(&self, name: &str) -> bool {
        self.paths.sys_class_net.join(name).exists()
    }

    /// Runs ip(8), with the words of each command.
    pub(crate) fn run_ip(&mut self, commands: &[Vec<String>]) -> Result<(), Fault> {
        for command in commands {
            self.ip(&command.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

/// What ip(8) has to do to a link that `ifreload -a` leaves in a place, with a MAC address or with a default route that is
/// not declared.
pub(crate) fn corrections(change: &Change) -> Vec<Vec<String>> {
    let Change::Link { name, from, to } = change else { return Vec::new() };
    if !(from.present && to.present) {
        return Vec::new();
    }
    let mut commands: Vec<_> = leave_master(name, from, to).into_iter().collect();
    match &to.master {
        Some(master) if !master.is_empty() && from.master != to.master => {
            commands.push(words(&["link", "set", "dev", name, "master", master]));
        }
        _ => {}
    }
    if let Some(mac) = to.mac.as_ref().filter(|_| from.mac != to.mac) {
        commands.push(words(&["link", "set", "dev", name, "address", mac]));
    }
    let wrong =
        to.gateways.iter().filter(|(gateway, is)| !**is && from.gateways.get(*gateway) == Some(&true));
    commands.extend(wrong.map(|(gateway, _)| default_route("del", gateway, name)));
    commands
}

/// Out of the Linux bridge or bond that has the link and is not to have it.
fn leave_master(name: &str, from: &Link, to: &Link) -> Option<Vec<String>> {
    let has_master = from.master.as_deref().is_some_and(|master| !master.is_empty());
    (to.master.is_some() && has_master && from.master != to.master)
        .then(|| words(&["link", "set", "dev", name, "nomaster"]))
}

/// What ip(8) has to do to a default route, as ifupdown2 makes it. The family is that of the gateway: a batch takes no `-6`.
pub(crate) fn default_route(verb: &str, gateway: &str, link: &str) -> Vec<String> {
    let route = ["route", verb, "default", "via", gateway, "dev", link];
    let made: &[&str] = if verb == "del" { &[] } else { &["proto", "kernel", "onlink"] };
    words(&[&route, made].concat())
}

/// What ip(8) has to do to an address of this node, also to give a link one that another had a moment ago: nobody else has to
/// be asked for it.
pub(crate) fn own_address(verb: &str, cidr: &str, link: &str) -> Vec<String> {
    let unasked: &[&str] = if cidr.contains(':') && verb != "del" { &["nodad"] } else { &[] };
    words(&[&["address", verb, cidr, "dev", link], unasked].concat())
}

/// The words of a command.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
