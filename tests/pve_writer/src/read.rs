//! How Proxmox reads an interfaces file: line by line, with a stanza's body up to the first line that is no option.
//! Lines are not joined at a backslash, and `source` is not followed.

use std::collections::BTreeSet;

use crate::kind::{Kind, numbered, parent};
use crate::model::{Family, Interface, Model};
use crate::ovs_options;

/// Other spellings of keys.
const ALIASES: [(&str, &str); 11] = [
    ("ovs_mtu", "mtu"),
    ("bond-slaves", "slaves"),
    ("bond_slaves", "slaves"),
    ("bond-mode", "bond_mode"),
    ("bond-miimon", "bond_miimon"),
    ("bond-xmit-hash-policy", "bond_xmit_hash_policy"),
    ("bridge-ports", "bridge_ports"),
    ("bridge-stp", "bridge_stp"),
    ("bridge-fd", "bridge_fd"),
    ("bridge-vids", "bridge_vids"),
    ("bridge-vlan-aware", "bridge_vlan_aware"),
];

/// Keys of which the last value counts, whatever it is.
const PLAIN: [&str; 26] = [
    "bond-primary",
    "bond_miimon",
    "bond_xmit_hash_policy",
    "bridge-access",
    "bridge-arp-nd-suppress",
    "bridge-disable-mac-learning",
    "bridge-learning",
    "bridge-multicast-flood",
    "bridge-unicast-flood",
    "bridge_fd",
    "bridge_vids",
    "link-type",
    "mtu",
    "ovs_bonds",
    "ovs_bridge",
    "ovs_options",
    "ovs_ports",
    "ovs_type",
    "uplink-id",
    "vlan-id",
    "vlan-protocol",
    "vlan-raw-device",
    "vxlan-id",
    "vxlan-local-tunnelip",
    "vxlan-physdev",
    "vxlan-svcnodeip",
];

/// Modes of a Linux bond by their numbers.
const BOND_MODES: [&str; 7] =
    ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];

/// Reads a file on a machine with these physical links, each under the name that the file has for it.
pub fn read(file: &[u8], physical_links: &[&str]) -> Model {
    // Byte by byte, as Perl does: what is not ASCII is decoded in comments only.
    let text: String = file.iter().copied().map(char::from).collect();
    let mut reader = Reader { next: 2, ..Reader::default() };
    text.split_inclusive('\n').for_each(|line| reader.line(line.strip_suffix('\n').unwrap_or(line)));
    reader.close();
    let mut model = reader.model;
    for link in physical_links {
        model.interfaces.entry((*link).to_owned()).or_default();
    }
    model.interfaces.entry("lo".to_owned()).or_insert_with(|| {
        let mut lo = Interface { autostart: true, priority: Some(1), ..Interface::default() };
        lo.inet.method = Some("loopback".to_owned());
        lo
    });
    understand(&mut model, &physical_links.iter().copied().collect());
    strike_ports_that_bridges_start(&mut model);
    model
}

#[derive(Default)]
struct Reader {
    model: Model,
    /// The place of the next stanza or kept line; `lo` has the first.
    next: u32,
    stanza: Option<Stanza>,
}

/// The stanza that is being read. What it has of its own replaces what a stanza before it had.
struct Stanza {
    name: String,
    family: Option<Family>,
    options: Vec<String>,
    comments: Vec<String>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if self.stanza.is_none() {
            return self.outside(line);
        }
        let line = line.trim_end();
        let text = line.trim_start();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let is_keyword = matches!(word, "iface" | "mapping" | "auto" | "source" | "source-directory");
        if let Some(comment) = text.strip_prefix('#') {
            self.comment(comment);
        } else if (is_keyword && !rest.is_empty()) || text.starts_with("allow-") || rest.is_empty() {
            self.close();
            self.outside(line);
        } else {
            self.option(text, word, rest.trim_start());
        }
    }

    fn outside(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["auto" | "allow-auto" | "allow-ovs" | "allow-hotplug", names @ ..] if !names.is_empty() => {
                for name in names {
                    self.interface(name).autostart = true;
                }
            }
            ["iface", name] => self.open(name, None, None),
            ["iface", name, "inet", method] => self.open(name, Some(Family::Inet), Some(method)),
            ["iface", name, "inet6", method] => self.open(name, Some(Family::Inet6), Some(method)),
            _ if line.contains(|c: char| c.is_alphanumeric() || c == '_') => {
                self.model.lines.push((self.next, line.to_owned()));
                self.next += 1;
            }
            _ => {}
        }
    }

    fn open(&mut self, name: &str, family: Option<Family>, method: Option<&str>) {
        let next = self.next;
        let interface = self.interface(name);
        let is_new = interface.priority.is_none();
        interface.priority.get_or_insert(next);
        interface.families.push(family);
        if let Some(method) = method {
            interface.of_mut(family).method = Some(method.to_owned());
        }
        self.next += u32::from(is_new);
        self.stanza =
            Some(Stanza { name: name.to_owned(), family, options: Vec::new(), comments: Vec::new() });
    }

    fn close(&mut self) {
        let Some(Stanza { name, family, options, comments }) = self.stanza.take() else { return };
        let interface = self.interface(&name);
        let (own_options, own_comments) = match family {
            Some(Family::Inet6) => (&mut interface.inet6.options, &mut interface.inet6.comments),
            _ => (&mut interface.inet.options, &mut interface.inet.comments),
        };
        for (own, new) in [(own_options, options), (own_comments, comments)] {
            match family {
                None => own.extend(new),
                Some(_) if new.is_empty() => {}
                Some(_) => *own = new,
            }
        }
    }

    fn comment(&mut self, text: &str) {
        let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(c).ok()).collect();
        if let Some(stanza) = &mut self.stanza {
            stanza.comments.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }

    fn option(&mut self, text: &str, key: &str, value: &str) {
        let Some(stanza) = &mut self.stanza else { return };
        let family = stanza.family;
        let interface = self.model.interfaces.entry(stanza.name.clone()).or_default();
        let key = ALIASES.iter().find(|(alias, _)| *alias == key).map_or(key, |(_, known)| known);
        // In a stanza for both families the value tells which one it belongs to.
        let six = match family {
            None if value.contains(':') => Some(Family::Inet6),
            other => other,
        };
        match key {
            "address" => interface.of_mut(six).address = Some(value.to_owned()),
            "gateway" => interface.of_mut(six).gateway = Some(value.to_owned()),
            "netmask" => interface.of_mut(family).netmask = Some(value.to_owned()),
            "broadcast" => {}
            "slaves" | "bridge_ports" => add_ports(interface, key, value),
            "bridge_stp" => {
                let is_on = ["on", "yes"].iter().any(|on| value.eq_ignore_ascii_case(on));
                interface.set(key, if is_on { "on" } else { "off" });
            }
            "bridge_vlan_aware" => interface.set(key, "1"),
            "bond_mode" => {
                let by_number = value.parse().ok().and_then(|number: usize| BOND_MODES.get(number));
                interface.set(key, by_number.map_or(value, |mode| mode));
            }
            "vxlan-remoteip" => interface.remote_ips.push(value.to_owned()),
            _ if PLAIN.contains(&key) => interface.set(key, value),
            _ => stanza.options.push(text.to_owned()),
        }
    }

    fn interface(&mut self, name: &str) -> &mut Interface {
        self.model.interfaces.entry(name.to_owned()).or_default()
    }
}

/// The ports of one line are sorted; more lines add theirs.
fn add_ports(interface: &mut Interface, key: &str, value: &str) {
    let ports: BTreeSet<&str> = value.split_whitespace().filter(|port| *port != "none").collect();
    let ports: Vec<&str> = ports.into_iter().collect();
    let before = interface.settings.get(key).filter(|before| !before.is_empty());
    let all: Vec<&str> = before.map(String::as_str).into_iter().chain(ports).collect();
    let all = all.join(" ");
    interface.set(key, &all);
}

/// Types, and what follows from them.
fn understand(model: &mut Model, physical: &BTreeSet<&str>) {
    let mut parents = Vec::new();
    for (name, interface) in &mut model.interfaces {
        let kind = Kind::of(name, interface, physical.contains(name.as_str()));
        interface.kind = Some(kind);
        match kind {
            Kind::Bridge => {
                let stp = interface.settings.entry("bridge_stp".to_owned()).or_insert("off".to_owned());
                if stp == "off" {
                    interface.settings.entry("bridge_fd".to_owned()).or_insert("0".to_owned());
                }
            }
            Kind::OvsBond => bond_mode(interface),
            Kind::OvsPort | Kind::OvsIntPort => tag(interface),
            Kind::Alias => parents.extend(parent(name, ':').map(|(parent, _)| parent.to_owned())),
            Kind::Vlan => {
                if let Some((device, id)) = parent(name, '.') {
                    interface.settings.entry("vlan-raw-device".to_owned()).or_insert(device.to_owned());
                    interface.set("vlan-id", id);
                } else if let Some(id) = numbered(name, "vlan") {
                    interface.set("vlan-id", id);
                }
                parents.extend(interface.get("vlan-raw-device").map(str::to_owned));
            }
            _ => {}
        }
        let Interface { inet, inet6, families, comments, .. } = interface;
        for address in [&mut *inet, &mut *inet6] {
            if let Some((base, length)) = address.address.as_deref().and_then(split_length) {
                let (base, length) = (base.to_owned(), length.to_owned());
                (address.address, address.netmask) = (Some(base), Some(length));
            }
            address.method.get_or_insert_with(|| "manual".to_owned());
        }
        comments.extend(inet.comments.drain(..).chain(inet6.comments.drain(..)));
        if families.is_empty() {
            families.push(Some(Family::Inet));
        }
    }
    // Too late to be given a type.
    for parent in parents {
        model.interfaces.entry(parent).or_default();
    }
}

/// Open vSwitch's mode and LACP become the mode of Proxmox's API.
fn bond_mode(interface: &mut Interface) {
    let mode = ovs_options::take(interface, "bond_mode").unwrap_or_default();
    let lacp = ovs_options::take(interface, "lacp");
    let mode = match (mode.as_str(), lacp.as_deref()) {
        ("balance-slb", Some("active")) => "lacp-balance-slb",
        ("balance-tcp", _) => "lacp-balance-tcp",
        (mode, _) => mode,
    };
    interface.set("bond_mode", mode);
    tag(interface);
}

fn tag(interface: &mut Interface) {
    if let Some(tag) = ovs_options::take(interface, "tag") {
        interface.set("ovs_tag", &tag);
    }
}

/// An address that has a length, and the length.
pub(crate) fn split_length(address: &str) -> Option<(&str, &str)> {
    address
        .rsplit_once('/')
        .filter(|(_, length)| !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `allow-BRIDGE` lines: ports that the bridge lists are started otherwise when written.
fn strike_ports_that_bridges_start(model: &mut Model) {
    let Model { interfaces, lines } = model;
    lines.retain_mut(|(_, line)| {
        let Some((class, ports)) =
            line.strip_prefix("allow-").and_then(|line| line.split_once(char::is_whitespace))
        else {
            return true;
        };
        let bridge = interfaces.get(class);
        let listed: BTreeSet<&str> =
            bridge.into_iter().flat_map(|bridge| bridge.words("ovs_ports")).collect();
        let left: Vec<&str> = ports.split_whitespace().filter(|port| !listed.contains(port)).collect();
        let left = left.join(" ");
        let stays = !left.is_empty() && class != "ovs";
        *line = format!("allow-{class} {left}");
        stays
    });
}
