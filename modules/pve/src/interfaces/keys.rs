//! The keys of a stanza: their spellings, and the order in which Proxmox writes them. Knows no value.

use super::kind::Kind;

pub(super) const ADDRESS: &str = "address";
pub(super) const NETMASK: &str = "netmask";
pub(super) const GATEWAY: &str = "gateway";

/// Other spellings that Proxmox's reader takes, and the name under which it knows the key. A dash where Proxmox
/// wants an underscore (`ovs-type`) is not among them: ifupdown2 understands it, Proxmox does not.
const ALIASES: &[(&str, &str)] = &[
    ("ovs_mtu", "mtu"),
    ("bond-slaves", "slaves"),
    ("bond_slaves", "slaves"),
    ("bond-xmit-hash-policy", "bond_xmit_hash_policy"),
    ("bond-mode", "bond_mode"),
    ("bond-miimon", "bond_miimon"),
    ("bridge-vlan-aware", "bridge_vlan_aware"),
    ("bridge-fd", "bridge_fd"),
    ("bridge-stp", "bridge_stp"),
    ("bridge-ports", "bridge_ports"),
    ("bridge-vids", "bridge_vids"),
];

/// Keys that Proxmox knows and has no fixed place for: written sorted by name, before those that it does not know.
const SORTED: &[&str] = &[
    "bond-primary",
    "bond_miimon",
    "bond_mode",
    "bond_xmit_hash_policy",
    "bridge-access",
    "bridge-arp-nd-suppress",
    "bridge-disable-mac-learning",
    "bridge-learning",
    "bridge-multicast-flood",
    "bridge-unicast-flood",
    "bridge_fd",
    "bridge_ports",
    "bridge_stp",
    "bridge_vids",
    "bridge_vlan_aware",
    "link-type",
    "mtu",
    "ovs_bonds",
    "ovs_bridge",
    "ovs_options",
    "ovs_ports",
    "ovs_type",
    "slaves",
    "uplink-id",
    "vlan-id",
    "vlan-protocol",
    "vlan-raw-device",
    "vxlan-id",
    "vxlan-local-tunnelip",
    "vxlan-physdev",
    "vxlan-remoteip",
    "vxlan-svcnodeip",
];

/// The name under which Proxmox knows a key, such as `mtu` for `ovs_mtu`.
pub(super) fn canonical(key: &str) -> &str {
    // Asked at every look at an option: most begin otherwise, and need not be compared with each of these.
    if !matches!(key.as_bytes(), [b'b', ..] | [b'o', b'v', b's', b'_', b'm', ..]) {
        return key;
    }
    ALIASES.iter().find(|(alias, _)| *alias == key).map_or(key, |(_, name)| name)
}

/// The spelling in which Proxmox writes a key into the stanza of such an interface.
pub(super) fn written(key: &str, kind: Kind) -> &str {
    match key {
        "mtu" if kind.is_ovs() => "ovs_mtu",
        "mtu" => key,
        _ => ALIASES
            .iter()
            .find(|(alias, name)| *name == key && alias.contains('-'))
            .map_or(key, |(alias, _)| alias),
    }
}

/// Whether the key belongs to one address family and not to the interface as a whole.
pub(super) fn is_per_family(key: &str) -> bool {
    matches!(key, ADDRESS | NETMASK | "broadcast" | GATEWAY)
}

/// Where Proxmox writes a key in the body of such an interface: keys in rising order; equal ones as they came.
pub(super) fn rank(key: &str, kind: Kind) -> (usize, &str) {
    let common = [ADDRESS, NETMASK, "broadcast", GATEWAY];
    let own: &[&str] = match kind {
        Kind::LinuxBridge => {
            &["bridge_ports", "bridge_stp", "bridge_fd", "bridge_vlan_aware", "bridge_vids", "mtu"]
        }
        Kind::LinuxBond => {
            &["slaves", "bond_miimon", "bond_mode", "bond_xmit_hash_policy", "bond-primary", "mtu"]
        }
        Kind::Vxlan => {
            &["vxlan-id", "vxlan-svcnodeip", "vxlan-physdev", "vxlan-local-tunnelip", "vxlan-remoteip", "mtu"]
        }
        Kind::OvsBridge => &["ovs_type", "ovs_ports", "mtu"],
        Kind::OvsBond => &["ovs_bonds", "ovs_type", "ovs_bridge", "mtu"],
        Kind::OvsIntPort | Kind::OvsPort => &["ovs_type", "ovs_bridge", "mtu"],
        _ => &[],
    };
    let fixed = common.len() + own.len();
    match common.iter().chain(own).position(|known| *known == key) {
        Some(place) => (place, ""),
        None if SORTED.contains(&key) => (fixed, key),
        None => (fixed + 1, ""),
    }
}
