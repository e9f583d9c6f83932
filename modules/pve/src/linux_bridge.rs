//! Linux bridges of the kernel: their ports with their VLANs, and what a guest's port of one becomes on an OVSBridge.
//! When one is replaced is `replace.rs`' business, and how is `apply`'s.
//!
//! Source of the output's shape: iproute2, `bridge/vlan.c`; of what Proxmox makes of a guest's VLANs: pve-common,
//! `src/PVE/Network.pm` (`tap_plug`, `ovs_bridge_add_port`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;
use ansible_module::json;
use ansible_module::sentence::Properties;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kernel::{Kind, Links, Master};
use crate::live::Port;
use crate::ovsdb;
use crate::paths::Paths;
use crate::spawn;

/// What of a bridge's settings is its own, as sysfs and `ip link` name and count it.
const SETTINGS: [&str; 3] = ["forward_delay", "stp_state", "vlan_filtering"];

/// A Linux bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinuxBridge {
    /// Its MAC address. Comes with its ports, so it is not compared.
    pub mac: String,
    /// Settings by the names that both sysfs and ip(8) have for them.
    pub settings: BTreeMap<String, String>,
    /// Its ports, with their VLANs where it is VLAN-aware.
    pub ports: BTreeMap<String, Option<Vlans>>,
}

/// The VLANs of a port of a VLAN-aware bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vlans {
    /// The VLAN of what comes in untagged; it goes out untagged.
    pub pvid: Option<u16>,
    /// First and last of the VLANs that stay tagged, in rising order.
    pub tagged: Vec<(u16, u16)>,
}

impl LinuxBridge {
    /// Whether it is as `wanted`, but for what changes by itself: guests come and go.
    pub fn is_like(&self, wanted: &Self) -> bool {
        let Self { mac: _, settings, ports } = self;
        let is_foreseen = |name: &String| wanted.ports.contains_key(name) || is_guest_port(name);
        *settings == wanted.settings
            && wanted.ports.iter().all(|(name, vlans)| ports.get(name) == Some(vlans))
            && ports.keys().all(is_foreseen)
    }

    /// What it is told in.
    pub fn properties(&self) -> Properties {
        let Self { mac: _, settings, ports } = self;
        let mut properties: Properties =
            settings.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let ports = ports.iter().map(|(name, vlans)| match vlans {
            Some(vlans) => format!("{name}[{}]", vlans.text()),
            None => name.clone(),
        });
        properties.push(("ports".to_owned(), ports.collect::<Vec<_>>().join(" ")));
        properties
    }
}

impl Vlans {
    /// Those that the port of a guest has in Open vSwitch.
    pub fn of_port(port: &ovsdb::Port) -> Self {
        let trunks = port.trunks.iter().map(|vlan| (*vlan, *vlan)).collect();
        let tagged = if port.tag.is_none() && port.trunks.is_empty() { vec![(2, 4094)] } else { trunks };
        Self { pvid: Some(port.tag.unwrap_or(1)), tagged }
    }

    fn text(&self) -> String {
        let pvid = self.pvid.map(|pvid| format!("untagged {pvid}"));
        let tagged = self
            .tagged
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
        pvid.into_iter().chain(tagged).collect::<Vec<_>>().join(",")
    }

    /// Whether every VLAN is carried, as by a port that nobody gave VLANs to.
    fn are_all(&self) -> bool {
        let carried: BTreeSet<u16> = self.tagged.iter().flat_map(|(first, last)| *first..=*last).gather();
        (2..=4094).all(|vlan| carried.contains(&vlan) || self.pvid == Some(vlan))
    }
}

/// Whether a guest's network interface has such a name on the node: a virtual machine's tap, a container's veth.
pub fn is_guest_port(name: &str) -> bool {
    guest_of(name).is_some()
}

/// The guest whose port this is.
pub fn guest_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("tap").or_else(|| name.strip_prefix("veth"))?;
    let (guest, index) = rest.split_once('i')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(guest) && is_number(index)).then_some(guest)
}

/// The port that a guest has on the OVSBridge `bridge`, as Proxmox plugs it in there, if it has these VLANs on a
/// Linux bridge; nothing where it has none at all.
pub fn guest_port(bridge: &str, name: &str, vlans: Option<&Vlans>) -> Option<Port> {
    let mut port = Port::plain(bridge, name);
    let Some(vlans) = vlans else { return Some(port) };
    if vlans.pvid.is_none() && vlans.tagged.is_empty() {
        return None;
    }
    // What is VLAN 1 on a Linux bridge is untagged on its NIC.
    port.tag = vlans.pvid.filter(|pvid| *pvid != 1);
    if !vlans.are_all() {
        port.trunks = vlans.tagged.iter().flat_map(|(first, last)| *first..=*last).gather();
    }
    port.vlan_mode = (port.tag.is_some() && !vlans.tagged.is_empty()).then(|| "native-untagged".to_owned());
    Some(port)
}

/// Reads every Linux bridge among `links`.
pub fn read(paths: &Paths, links: &Links) -> Result<BTreeMap<String, LinuxBridge>, Fault> {
    let mut bridges = BTreeMap::new();
    for (name, link) in links.iter().filter(|(_, link)| link.kind == Kind::Bridge) {
        let folder = paths.sys_class_net.join(name).join("bridge");
        // One that has just gone has none.
        let setting =
            |key: &str| Some((key.to_owned(), fs::read_to_string(folder.join(key)).ok()?.trim().to_owned()));
        let settings = SETTINGS.into_iter().filter_map(setting).gather();
        bridges
            .insert(name.to_owned(), LinuxBridge { mac: link.mac.clone(), settings, ports: BTreeMap::new() });
    }
    let is_aware = |bridge: &LinuxBridge| bridge.settings.get("vlan_filtering").is_some_and(|on| on == "1");
    let vlans = if bridges.values().any(is_aware) { Some(vlans(paths)?) } else { None };
    for (name, link) in links.iter() {
        let Some(Master::Bridge(master)) = &link.master else { continue };
        if let Some(bridge) = bridges.get_mut(master) {
            let vlans = vlans.as_ref().filter(|_| is_aware(bridge));
            let vlans = vlans.map(|vlans| vlans.get(name).cloned().unwrap_or_default());
            bridge.ports.insert(name.to_owned(), vlans);
        }
    }
    Ok(bridges)
}

fn vlans(paths: &Paths) -> Result<BTreeMap<String, Vlans>, Fault> {
    let program = paths.bridge.to_string_lossy().into_owned();
    let words = [&*program, "-compressvlans", "-json", "vlan", "show"].map(str::to_owned);
    let command = words.join(" ");
    let finished = spawn::run(&words, paths.limits.ip, paths.limits.grace)
        .map_err(|error| Fault::from_error("kernel_unreadable", &error))?;
    let found = finished.success().then(|| parse(&finished.stdout)).flatten();
    found.ok_or_else(|| {
        let said = finished.stderr.trim();
        let said = if said.is_empty() { "what it says is not understood" } else { said };
        Fault::new("kernel_unreadable", format!("running `{command}` failed: {said}"))
    })
}

/// What `bridge -compressvlans -json vlan show` says, by port.
fn parse(text: &str) -> Option<BTreeMap<String, Vlans>> {
    let ports: Value = json::read(text.as_bytes()).ok()?;
    let mut found: BTreeMap<String, Vlans> = BTreeMap::new();
    for port in ports.as_array()? {
        let vlans = found.entry(port.get("ifname")?.as_str()?.to_owned()).or_default();
        for entry in port.get("vlans")?.as_array()? {
            let number = |key| entry.get(key)?.as_u64()?.try_into().ok();
            let first: u16 = number("vlan")?;
            let flags = entry.get("flags").and_then(Value::as_array);
            if flags.is_some_and(|flags| flags.iter().any(|flag| flag == "PVID")) {
                vlans.pvid = Some(first);
            } else {
                vlans.tagged.push((first, number("vlanEnd").unwrap_or(first)));
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans_are_read_as_iproute2_prints_them() {
        // iproute2 6.1.
        let text = r#"[{"ifname":"eno1","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":2,"vlanEnd":4094}]},
            {"ifname":"tap100i0","vlans":[{"vlan":20,"flags":["PVID","Egress Untagged"]}]},
            {"ifname":"tap101i0","vlans":[{"vlan":10,"vlanEnd":12},{"vlan":30}]},
            {"ifname":"vmbr0","vlans":[]}]"#;
        let found = parse(text).unwrap();
        assert_eq!(found.get("eno1").unwrap(), &Vlans { pvid: Some(1), tagged: vec![(2, 4094)] });
        assert_eq!(found.get("tap100i0").unwrap(), &Vlans { pvid: Some(20), tagged: vec![] });
        assert_eq!(found.get("tap101i0").unwrap(), &Vlans { pvid: None, tagged: vec![(10, 12), (30, 30)] });
        assert_eq!(found.get("vmbr0").unwrap(), &Vlans::default());
        assert_eq!(parse("[]"), Some(BTreeMap::new()));
        for text in ["", "{}", r#"[{"ifname":"a"}]"#, r#"[{"ifname":"a","vlans":[{"vlan":70000}]}]"#] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_guest_gets_the_port_that_proxmox_gives_it() {
        let port = |vlans: Option<Vlans>| guest_port("vmbr0", "tap100i0", vlans.as_ref());
        let columns = |vlans| {
            let port = port(vlans).unwrap();
            let trunks: Vec<u16> = port.trunks.into_iter().collect();
            (port.tag, trunks, port.vlan_mode)
        };
        let vlans = |pvid, tagged: &[(u16, u16)]| Some(Vlans { pvid, tagged: tagged.to_vec() });
        let native = Some("native-untagged".to_owned());
        // The bridge is not VLAN-aware.
        assert_eq!(columns(None), (None, vec![], None));
        // A guest without a tag, with a tag, with trunks, with both.
        assert_eq!(columns(vlans(Some(1), &[(2, 4094)])), (None, vec![], None));
        assert_eq!(columns(vlans(Some(20), &[])), (Some(20), vec![], None));
        assert_eq!(columns(vlans(Some(1), &[(10, 12)])), (None, vec![10, 11, 12], None));
        assert_eq!(columns(vlans(Some(20), &[(30, 30)])), (Some(20), vec![30], native.clone()));
        assert_eq!(columns(vlans(Some(20), &[(2, 19), (21, 4094)])), (Some(20), vec![], native));
        assert_eq!(port(vlans(None, &[])), None);
    }

    #[test]
    fn a_guests_port_is_known_by_its_name() {
        for (name, guest) in [
            ("tap100i0", Some("100")),
            ("veth101i12", Some("101")),
            ("tapi0", None),
            ("tap100", None),
            ("tap100i", None),
            ("fwpr100p0", None),
            ("fwln100i0", None),
            ("tapx1i0", None),
        ] {
            assert_eq!(guest_of(name), guest, "{name}");
        }
    }
}
