//! Who names a bridge in Proxmox's own configuration under `/etc/pve`: this node's guests, and SDN zones.
//!
//! Of each file only the lines are read that can name one. Source of the formats: pve-guest-common and pve-network
//! (`net0: virtio=…,bridge=vmbr0,tag=10`; sections of `zones.cfg`, with `bridge vmbr0` in those over a VLAN).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use ansible_module::fault::Fault;

use crate::paths::Paths;

/// Who names a bridge, by bridge.
pub type Namers = BTreeMap<String, Namer>;

/// Who names one bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namer {
    /// Guests of this node, each with its interface: ``guest 100 (`net0`)``.
    pub guests: Vec<String>,
    /// SDN zones.
    pub zones: Vec<String>,
}

/// Reads it. A machine that is no Proxmox VE node has no such folder.
pub fn read(paths: &Paths) -> Result<Namers, Fault> {
    let mut namers = Namers::new();
    // Both are links to this node's part of `/etc/pve/nodes`.
    for folder in ["qemu-server", "lxc"] {
        for (name, text) in configurations(&paths.pve_config.join(folder))? {
            for (interface, bridge) in of_guest(&text) {
                let guest = format!("guest {name} (`{interface}`)");
                namers.entry(bridge.to_owned()).or_default().guests.push(guest);
            }
        }
    }
    let zones = paths.pve_config.join("sdn/zones.cfg");
    for (zone, bridge) in of_zones(&read_text(&zones)?.unwrap_or_default()) {
        namers.entry(bridge.to_owned()).or_default().zones.push(zone.to_owned());
    }
    Ok(namers)
}

/// The guests' numbers with their configurations.
fn configurations(folder: &Path) -> Result<Vec<(String, String)>, Fault> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let Some(guest) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".conf")) else {
            continue;
        };
        // One that has just gone names nothing.
        if let Some(text) = read_text(&path)? {
            found.push((guest.to_owned(), text));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The guest's interfaces with their bridges, as they are and as they are to be at its next start; not those of its
/// snapshots.
fn of_guest(text: &str) -> Vec<(&str, &str)> {
    let mut counts = true;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(section) = line.strip_prefix('[') {
            counts = section.starts_with("PENDING]");
        }
        let Some((key, value)) = line.split_once(':').filter(|_| counts) else { continue };
        let number = key.strip_prefix("net").unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if let Some(bridge) = value.trim().split(',').find_map(|setting| setting.strip_prefix("bridge=")) {
            found.push((key, bridge));
        }
    }
    found.dedup();
    found
}

/// The zones with their bridges.
fn of_zones(text: &str) -> Vec<(&str, &str)> {
    let mut zone = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with(|first: char| !first.is_whitespace()) {
            zone = line.split_once(':').map_or("", |(_, name)| name.trim());
        } else if let Some(("bridge", bridge)) = line.trim().split_once(char::is_whitespace) {
            found.push((zone, bridge.trim()));
        }
    }
    found
}

fn read_text(path: &Path) -> Result<Option<String>, Fault> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::new("file_unreadable", format!("reading `{}` failed: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_names_the_bridges_of_its_interfaces_now_and_at_its_next_start() {
        let text = "#net9: bridge=comment\nboot: order=net0\nname: net1\n\
            net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,tag=10\n\
            net1: name=eth1,bridge=vmbr1,hwaddr=BC:24:11:00:00:02,type=veth\nnet2: virtio=BC:24:11:00:00:03\n\n\
            [PENDING]\nnet2: virtio=BC:24:11:00:00:03,bridge=vmbr2\n\n\
            [before-upgrade]\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr9\n";
        assert_eq!(of_guest(text), [("net0", "vmbr0"), ("net1", "vmbr1"), ("net2", "vmbr2")]);
    }

    #[test]
    fn a_zone_names_the_bridge_that_it_is_built_on() {
        let text = "simple: local\n\tdhcp dnsmasq\n\nvlan: campus\n\tbridge vmbr0\n\tipam pve\n\nqinq: two\n\tbridge vmbr1\n\ttag 5\n";
        assert_eq!(of_zones(text), [("campus", "vmbr0"), ("two", "vmbr1")]);
    }

    #[test]
    fn who_names_a_bridge_is_read_from_the_folder_of_the_node() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { pve_config: folder.path().to_owned(), ..Paths::default() };
        assert_eq!(read(&paths), Ok(Namers::new()));
        for (path, text) in [
            ("qemu-server/101.conf", "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n"),
            ("lxc/100.conf", "net3: name=eth0,bridge=vmbr0\n"),
            ("lxc/100.conf.bak", "net4: name=eth0,bridge=vmbr0\n"),
            ("sdn/zones.cfg", "vlan: campus\n\tbridge vmbr0\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let namer = read(&paths).unwrap().remove("vmbr0").unwrap();
        assert_eq!(namer.guests, ["guest 101 (`net0`)", "guest 100 (`net3`)"]);
        assert_eq!(namer.zones, ["campus"]);
    }
}
