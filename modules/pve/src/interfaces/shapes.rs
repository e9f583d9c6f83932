//! Files as Proxmox and people write them, put together at random: stanzas of every kind, in either hand.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The machine's physical links; one is not named like a NIC.
pub(super) const LINKS: [&str; 4] = ["eno1", "eno2", "eno3", "lan0"];

/// A stanza's lines without its `auto` line; `$` is the indentation.
const STANZAS: &[&str] = &[
    "iface lo inet loopback\n",
    "iface eno1 inet manual\n",
    "iface eno2 inet manual\n$mtu 1500\n# Gr\u{fc}n \u{2192} Rack 3\n",
    "iface eno3 inet static\n$address 192.0.2.3/24\n$hwaddress 02:00:00:00:00:03\n",
    "iface lan0 inet manual\n",
    "iface mgmt inet static\n$address 10.10.0.2/24\n$gateway 10.10.0.1\n$ovs_type OVSIntPort\n$ovs_bridge vmbr0\n\
     $ovs_mtu 1500\n$ovs_options tag=10\n#Verwaltung\n\n\
     iface mgmt inet6 static\n$address fd00::2/64\n$gateway fd00::1\n",
    "iface storage inet manual\n$ovs_type OVSIntPort\n$ovs_bridge vmbr0\n$ovs_options tag=20 vlan_mode=access\n",
    "iface bond0 inet manual\n$ovs_bonds eno1 eno2\n$ovs_type OVSBond\n$ovs_bridge vmbr0\n\
     $ovs_options bond_mode=balance-tcp lacp=active other_config:lacp-time=fast\n",
    "iface bond1 inet manual\n$bond-slaves none\n$bond-miimon 100\n$bond-mode 802.3ad\n\
     $bond-xmit-hash-policy layer3+4\n",
    "iface vmbr0 inet manual\n$ovs_type OVSBridge\n$ovs_ports bond0 mgmt storage\n\
     $ovs_extra set bridge vmbr0 rstp_enable=true\n#one\n#two\n",
    "iface vmbr1 inet static\n$address 10.0.0.2/24\n$bridge-ports eno3.5\n$bridge-stp off\n$bridge-fd 0\n\
     $bridge-vlan-aware yes\n$bridge-vids 2-4094\n$post-up echo 1 > /proc/sys/net/ipv4/ip_forward\n",
    "iface eno3.5 inet manual\n",
    "iface vlan7 inet static\n$address 192.0.2.65/26\n$vlan-raw-device eno3\n",
    "iface eno1:0 inet static\n$address 198.51.100.2/24\n",
    "iface wg0 inet manual\n$pre-up ip link add wg0 type wireguard\n",
    "iface dummy0 inet manual\n$link-type dummy\n",
    "iface vx1 inet manual\n$vxlan-id 1\n$vxlan-remoteip 192.0.2.9\n$vxlan-remoteip 192.0.2.10\n",
    "iface late\n$address 203.0.113.9/24\n$address 2001:db8::9/64\n",
];

/// Stanzas that Proxmox would write otherwise.
const BY_HAND: &[&str] = &[
    "iface eno1 inet dhcp\n",
    "iface mgmt inet static\n$netmask 255.255.255.0\n$address 10.10.0.2\n$ovs_bridge vmbr0\n$ovs_type OVSIntPort\n",
    "iface bond0 inet manual\n$ovs-type OVSBond\n$ovs-bonds eno1 eno2\n$ovs-bridge vmbr0\n",
    "iface bond1 inet manual\n$slaves eno3 eno2\n$bond_mode 1\n",
    "iface vmbr0 inet manual\n$ovs_ports   bond0\tmgmt\n$ovs_type OVSBridge\n",
    "iface vmbr0 inet static\n$address 10.0.0.2\n$netmask 24\n$bridge_ports eno1\n$bridge_stp off\n",
    "iface vmbr1 inet6 auto\n$# indented\n",
    "iface storage inet manual\n$mtu 1500\n\n$ovs_type OVSIntPort\n",
    "iface eno2\n",
];

const BETWEEN: &[&str] = &[
    "# a comment between\n",
    "\n",
    "source /etc/network/interfaces.d/*\n",
    "source-directory more.d\n",
    "allow-hotplug eno3\n",
    "allow-ovs vmbr0\n",
    "allow-vmbr0 bond0 mgmt\n",
    "allow-other eno1\n",
    "mapping eno*\n$script /bin/map\n",
    "auto eno1 eno2\n",
];

/// Any of it, in any order, stanzas repeated, lines continued, with any ending.
pub(super) fn files() -> impl Strategy<Value = Vec<u8>> {
    let block = prop_oneof![
        6 => (select(STANZAS), any::<bool>(), select(&["\n", "\n", "", "\n\n"][..])).prop_map(started),
        3 => (select(BY_HAND), any::<bool>(), select(&["\n", "", "# right below\n"][..])).prop_map(started),
        2 => select(BETWEEN).prop_map(str::to_owned),
    ];
    let endings = (any::<bool>(), any::<bool>(), any::<bool>());
    (vec(block, 0..16), select(&["\t", "    ", " \t"][..]), endings).prop_map(
        |(blocks, indent, (crlf, ended, continued))| {
            let mut text = blocks.concat().replace('$', indent);
            if continued {
                text = text.replace("eno1 eno2", "eno1 \\\n\t\teno2").replace("tag=10", "\\\n tag=10");
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            if !ended {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
            text.into_bytes()
        },
    )
}

/// What Proxmox reads as ifupdown2 does, and can save: each stanza at most once, no line continued, a bridge's ports
/// those that there are.
pub(super) fn plain_files() -> impl Strategy<Value = Vec<u8>> {
    let stanzas = subsequence(STANZAS, 0..STANZAS.len()).prop_shuffle();
    let between = vec(select(BETWEEN).prop_map(str::to_owned), STANZAS.len());
    (stanzas, vec(any::<bool>(), STANZAS.len()), between, vec(any::<bool>(), STANZAS.len()), any::<bool>())
        .prop_map(|(stanzas, auto, between, some, crlf)| {
            let mut text = String::new();
            let is_there =
                |port: &&str| stanzas.iter().any(|stanza| stanza.starts_with(&format!("iface {port} ")));
            let ports: Vec<&str> = ["bond0", "mgmt", "storage"].into_iter().filter(is_there).collect();
            let ports =
                if ports.is_empty() { String::new() } else { format!("$ovs_ports {}\n", ports.join(" ")) };
            for (((stanza, auto), between), some) in stanzas.iter().copied().zip(auto).zip(between).zip(some)
            {
                text += &started((stanza, auto, "\n"));
                text += if some { &between } else { "" };
            }
            let text = text.replace("$ovs_ports bond0 mgmt storage\n", &ports).replace('$', "\t");
            if crlf { text.replace('\n', "\r\n").into_bytes() } else { text.into_bytes() }
        })
}

fn started((stanza, auto, end): (&str, bool, &str)) -> String {
    let name = stanza.split([' ', '\n']).nth(1).unwrap_or_default();
    if auto { format!("auto {name}\n{stanza}{end}") } else { format!("{stanza}{end}") }
}
