//! What is told of made-up nodes, as the JSON that a user gets.

use serde_json::json;

use super::*;
use crate::kernel::{self, Cidr, DefaultRoute, Link, Links};
use crate::picture::Text;

const FILE: &str = "\
auto ens20f0np0
iface ens20f0np0 inet manual

auto bond0
iface bond0 inet manual
\tovs_bonds ens20f0np0 ens20f1np1
\tovs_type OVSBond
\tovs_bridge vmbr0
\tovs_options bond_mode=balance-tcp lacp=active other_config:lacp-time=fast

auto mgmt
iface mgmt inet static
\taddress 10.10.0.2/24
\tgateway 10.10.0.1
\tovs_type OVSIntPort
\tovs_bridge vmbr0
\tovs_options tag=10

auto vmbr0
iface vmbr0 inet manual
\tovs_type OVSBridge
\tovs_ports bond0 mgmt
";

fn link(kind: kernel::Kind, number: u8, operstate: &str, addresses: &[(&str, u8)]) -> Link {
    Link {
        index: number.into(),
        kind,
        mac: format!("3c:fd:fe:a1:01:{number:02x}"),
        mtu: 9000,
        is_up: true,
        operstate: operstate.to_owned(),
        master: None,
        addresses: addresses
            .iter()
            .map(|(address, prefix)| Cidr { address: address.parse().unwrap(), prefix: *prefix })
            .collect(),
    }
}

/// One bridge with a bond of two and an `IntPort`; the far end of the second member is down.
fn node() -> Picture {
    let links: Links = [
        ("ens20f0np0", link(kernel::Kind::Physical, 0x20, "up", &[])),
        ("ens20f1np1", link(kernel::Kind::Physical, 0x30, "down", &[])),
        ("vmbr0", link(kernel::Kind::Tap, 0x20, "unknown", &[])),
        ("mgmt", link(kernel::Kind::Tap, 0x40, "unknown", &[("10.10.0.2", 24), ("fe80::1", 64)])),
    ]
    .map(|(name, link)| (name.to_owned(), link))
    .into_iter()
    .collect();
    let mut picture = Picture {
        running: Text::new(Some(FILE.into()), &links),
        links,
        ovs_runs: true,
        ..Picture::default()
    };
    picture.routes.push(DefaultRoute {
        gateway: Some("10.10.0.1".parse().unwrap()),
        link: "mgmt".to_owned(),
        metric: 0,
    });
    let bond = ovsdb::Port {
        bond_mode: Some("balance-tcp".to_owned()),
        lacp: Some("active".to_owned()),
        other_config: BTreeMap::from([("lacp-time".to_owned(), "fast".to_owned())]),
        ..ovsdb::Port::default()
    };
    put(&mut picture, "vmbr0", &["vmbr0"], "internal", ovsdb::Port::default());
    put(&mut picture, "bond0", &["ens20f0np0", "ens20f1np1"], "", bond);
    put(&mut picture, "mgmt", &["mgmt"], "internal", ovsdb::Port { tag: Some(10), ..ovsdb::Port::default() });
    picture
}

fn put(picture: &mut Picture, name: &str, members: &[&str], kind: &str, port: ovsdb::Port) {
    for member in members {
        let interface =
            ovsdb::Interface { port: name.to_owned(), kind: kind.to_owned(), ..ovsdb::Interface::default() };
        picture.ovs.interfaces.insert((*member).to_owned(), interface);
    }
    let interfaces = members.iter().map(|member| (*member).to_owned()).collect();
    let port = ovsdb::Port { bridge: "vmbr0".to_owned(), interfaces, ..port };
    picture.ovs.ports.insert(name.to_owned(), port);
    picture.ovs.bridges.entry("vmbr0".to_owned()).or_default().ports.insert(name.to_owned());
}

fn end(system_id: &str, key: u16, port_id: u16) -> unixctl::LacpPort {
    unixctl::LacpPort {
        system_id: Some(system_id.to_owned()),
        system_priority: Some(1),
        key: Some(key),
        port_id: Some(port_id),
        state: vec!["activity".to_owned()],
    }
}

/// The first member is negotiated, the second hears nobody.
fn shown() -> BTreeMap<String, Shown> {
    let first = unixctl::Member {
        port_id: Some(3),
        is_current: true,
        is_attached: true,
        may_enable: true,
        actor: end("3c:fd:fe:a1:01:20", 3, 3),
        partner: end("00:1c:73:0a:0b:0c", 1001, 25),
    };
    let second = unixctl::Member { actor: end("3c:fd:fe:a1:01:20", 3, 4), ..unixctl::Member::default() };
    let members =
        BTreeMap::from([("ens20f0np0".to_owned(), first.clone()), ("ens20f1np1".to_owned(), second)]);
    let bond =
        unixctl::Bond { enabled: ["ens20f0np0".to_owned()].into(), active: Some("ens20f0np0".to_owned()) };
    BTreeMap::from([("bond0".to_owned(), Shown { bond, lacp: unixctl::Lacp { key: Some(3), members } })])
}

#[test]
fn every_store_has_its_part_in_what_is_told() {
    let actor = |port_id: u16| json!({"system_id": "3c:fd:fe:a1:01:20", "system_priority": 1, "key": 3, "port_id": port_id, "state": ["activity"]});
    assert_eq!(
        serde_json::to_value(Info::new(&node(), &shown())).unwrap(),
        json!({
            "bridges": {"vmbr0": {
                "configured": true, "datapath_type": "system", "mac": "3c:fd:fe:a1:01:20", "ports": ["bond0", "mgmt"],
            }},
            "bonds": {"bond0": {
                "configured": true, "bridge": "vmbr0", "mode": "lacp-balance-tcp", "lacp": "active", "lacp_time": "fast",
                "lacp_fallback": false, "tag": null, "trunks": [], "vlan_mode": null, "negotiated": false,
                "active_member": "ens20f0np0",
                "members": {
                    "ens20f0np0": {
                        "link": true, "mtu": 9000, "mac": "3c:fd:fe:a1:01:20", "enabled": true, "current": true,
                        "attached": true, "actor": actor(3),
                        "partner": {
                            "system_id": "00:1c:73:0a:0b:0c", "system_priority": 1, "key": 1001, "port_id": 25,
                            "state": ["activity"],
                        },
                    },
                    "ens20f1np1": {
                        "link": false, "mtu": 9000, "mac": "3c:fd:fe:a1:01:30", "enabled": false, "current": false,
                        "attached": false, "actor": actor(4), "partner": null,
                    },
                },
            }},
            "intports": {"mgmt": {
                "configured": true, "bridge": "vmbr0", "tag": 10, "mtu": 9000, "up": true,
                "addresses": ["10.10.0.2/24"], "gateway": "10.10.0.1",
            }},
        })
    );
}

#[test]
fn a_bond_is_negotiated_when_all_its_members_are() {
    let mut shown = shown();
    let lacp = &mut shown.get_mut("bond0").unwrap().lacp;
    let first = lacp.members["ens20f0np0"].clone();
    lacp.members.insert("ens20f1np1".to_owned(), first);
    let is_negotiated = |picture: &Picture, shown| Info::new(picture, shown).bonds["bond0"].negotiated;
    assert!(is_negotiated(&node(), &shown));
    assert!(!is_negotiated(&node(), &BTreeMap::new()));
}

#[test]
fn a_bond_of_one_is_a_bond_and_a_nic_on_its_own_is_none() {
    let mut picture = node();
    put(&mut picture, "bond1", &["ens21f0np0"], "", ovsdb::Port::default());
    put(&mut picture, "ens21f1np1", &["ens21f1np1"], "", ovsdb::Port::default());
    assert_eq!(bonds(&picture), ["bond0", "bond1"]);
    let info = Info::new(&picture, &shown());
    assert!(!info.bonds["bond1"].configured);
    assert_eq!(info.intports.keys().collect::<Vec<_>>(), ["mgmt"]);
}

#[test]
fn what_is_missing_or_unusable_is_a_warning() {
    let told = |picture: &Picture| warnings(picture, &Info::new(picture, &shown()));
    assert_eq!(told(&node()), Vec::<String>::new());

    let mut picture = node();
    picture.ovs.ports.remove("bond0");
    let mgmt = picture.ovs.interfaces.get_mut("mgmt").unwrap();
    mgmt.error = Some("could not open network device mgmt (No such device)".to_owned());
    assert_eq!(
        told(&picture),
        [
            "`bond0` is an OVSBond in the interfaces file, and Open vSwitch does not have it; hint: `ifreload -a`",
            "Open vSwitch cannot use `mgmt` of `mgmt`: could not open network device mgmt (No such device)",
        ]
    );
}

#[test]
fn a_node_without_open_vswitch_has_nothing_to_tell_but_that() {
    let node = node();
    let picture = Picture { running: node.running, links: node.links, ..Picture::default() };
    let info = Info::new(&picture, &BTreeMap::new());
    assert_eq!(serde_json::to_value(&info).unwrap(), json!({"bridges": {}, "bonds": {}, "intports": {}}));
    let [warning] = &*warnings(&picture, &info) else { panic!("more or less than one warning") };
    assert!(warning.starts_with("Open vSwitch does not run"), "{warning}");
}
