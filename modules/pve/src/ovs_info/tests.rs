//! What is told of made-up nodes, as the JSON that a user gets.

use serde_json::json;

use super::*;
use crate::kernel::{self, Cidr, DefaultRoute, Link, Links};
use crate::ovsdb;

const FILE: &str = "\
auto ens20f0np0
iface ens20f0np0 inet manual

auto bond0
iface bond0 inet manual
\tovs_bonds ens20f0np0 ens20f1np1
\tovs_type OVSBond
\tovs_bridge vmbr0
\tovs_options bond_mode=balance-tcp lacp=active bond_updelay=200 other_config:lacp-time=fast

auto mgmt
iface mgmt inet static
\taddress 10.10.0.2/24
\tgateway 10.10.0.1
\tovs_type OVSIntPort
\tovs_bridge vmbr0
\tovs_options tag=10
#management

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
        bond_updelay: 200,
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
        port_priority: Some(255),
        state: vec!["activity".to_owned()],
    }
}

/// The first member is negotiated and carries, the second hears nobody.
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
    let load = |hashes, kb| unixctl::Load { hashes, kb };
    let bond = unixctl::Bond {
        enabled: ["ens20f0np0".to_owned()].into(),
        active: Some("ens20f0np0".to_owned()),
        loads: [("ens20f0np0", load(2, Some(4711))), ("ens20f1np1", load(1, None))]
            .map(|(name, load)| (name.to_owned(), load))
            .into(),
    };
    BTreeMap::from([("bond0".to_owned(), Shown { bond, lacp: unixctl::Lacp { key: Some(3), members } })])
}

fn info(picture: &Picture) -> Info {
    Info::new(picture, &shown(), None)
}

/// The node with somebody's `staged` file.
fn staged(file: &str) -> Picture {
    let picture = node();
    Picture { staged: Some(Text::new(Some(file.into()), &picture.links)), ..picture }
}

/// As JSON, with the place that is looked at.
fn at(info: &Info, pointer: &str) -> Value {
    serde_json::to_value(info).unwrap().pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")).clone()
}

#[test]
fn every_store_has_its_part_in_what_is_told() {
    let actor = |port_id: u16| {
        json!({"system_id": "3c:fd:fe:a1:01:20", "system_priority": 1, "key": 3, "port_id": port_id,
               "port_priority": 255, "state": ["activity"]})
    };
    let info = info(&node());
    assert_eq!(
        at(&info, "/bridges"),
        json!({"vmbr0": {
            "live": true, "configured": true, "comments": "", "staged": null, "drift": [],
            "datapath_type": "system", "stp": false, "rstp": false, "mcast_snooping": false,
            "mac": "3c:fd:fe:a1:01:20", "mtu": 9000, "up": true, "addresses": [],
            "cidr": null, "gateway": null, "cidr6": null, "gateway6": null,
            "ports": [], "other_ports": ["bond0", "mgmt"],
        }})
    );
    let members = json!({
        "ens20f0np0": {
            "link": true, "mtu": 9000, "mac": "3c:fd:fe:a1:01:20", "enabled": true, "current": true,
            "attached": true, "load": {"hashes": 2, "kb": 4711}, "actor": actor(3),
            "partner": {
                "system_id": "00:1c:73:0a:0b:0c", "system_priority": 1, "key": 1001, "port_id": 25,
                "port_priority": 255, "state": ["activity"],
            },
        },
        "ens20f1np1": {
            "link": false, "mtu": 9000, "mac": "3c:fd:fe:a1:01:30", "enabled": false, "current": false,
            "attached": false, "load": {"hashes": 1, "kb": null}, "actor": actor(4), "partner": null,
        },
    });
    assert_eq!(
        at(&info, "/bonds"),
        json!({"bond0": {
            "live": true, "configured": true, "comments": "", "staged": null, "drift": [],
            "bridge": "vmbr0", "mode": "lacp-balance-tcp", "lacp": "active", "lacp_time": "fast",
            "lacp_fallback": false, "tag": null, "trunks": [], "vlan_mode": null,
            "updelay": 200, "downdelay": 0, "rebalance_interval": null, "mtu": 9000,
            "negotiated": false, "active_member": "ens20f0np0", "members": members,
        }})
    );
    assert_eq!(
        at(&info, "/intports"),
        json!({"mgmt": {
            "live": true, "configured": true, "comments": "management", "staged": null, "drift": [],
            "bridge": "vmbr0", "tag": 10, "mac": "3c:fd:fe:a1:01:40", "mtu": 9000, "up": true,
            "addresses": ["10.10.0.2/24"], "cidr": "10.10.0.2/24", "gateway": "10.10.0.1",
            "cidr6": null, "gateway6": null,
        }})
    );
    assert_eq!(
        (&info.drift[..], info.pending, &info.pending_diff, &info.change),
        (&[][..], false, &None, &None)
    );
}

#[test]
fn of_several_addresses_the_declared_one_is_told_by_itself() {
    let mut picture = node();
    let more = [("10.10.0.1", 24), ("10.10.0.2", 24), ("2001:db8::2", 64), ("fe80::1", 64)];
    let mgmt = link(kernel::Kind::Tap, 0x40, "unknown", &more);
    let links = picture.links.iter().map(|(name, link)| (name.to_owned(), link.clone()));
    picture.links = links.chain([("mgmt".to_owned(), mgmt)]).collect();
    picture.routes.push(DefaultRoute {
        gateway: Some("fe80::9".parse().unwrap()),
        link: "mgmt".to_owned(),
        metric: 1024,
    });
    let mgmt = at(&info(&picture), "/intports/mgmt");
    assert_eq!(mgmt["addresses"], json!(["10.10.0.1/24", "10.10.0.2/24", "2001:db8::2/64"]));
    for (key, value) in [
        ("cidr", "10.10.0.2/24"),
        ("gateway", "10.10.0.1"),
        ("cidr6", "2001:db8::2/64"),
        ("gateway6", "fe80::9"),
    ] {
        assert_eq!(mgmt[key], value, "{key}");
    }
}

#[test]
fn a_bond_is_negotiated_when_all_its_members_are_and_waits_for_those_that_are_not() {
    let mut shown = shown();
    let picture = node();
    let is_negotiated = |shown: &BTreeMap<String, Shown>| {
        (Info::new(&picture, shown, None).bonds["bond0"].negotiated, waiting(&picture, shown))
    };
    let bond = |members: &[&str]| {
        Waiting::from([("bond0".to_owned(), members.iter().map(|member| (*member).to_owned()).collect())])
    };
    assert_eq!(is_negotiated(&shown), (false, bond(&["ens20f1np1"])));
    let unknown = BTreeMap::from([("bond0".to_owned(), Shown::default())]);
    assert_eq!(is_negotiated(&unknown), (false, bond(&["ens20f0np0", "ens20f1np1"])));
    let lacp = &mut shown.get_mut("bond0").unwrap().lacp;
    let first = lacp.members["ens20f0np0"].clone();
    lacp.members.insert("ens20f1np1".to_owned(), first);
    assert_eq!(is_negotiated(&shown), (true, Waiting::new()));

    let mut without = node();
    for lacp in [None, Some("off".to_owned())] {
        without.ovs.ports.get_mut("bond0").unwrap().lacp = lacp;
        assert_eq!(waiting(&without, &unknown), Waiting::new(), "there is nothing to wait for");
    }
}

#[test]
fn a_bond_of_one_is_a_bond_and_a_nic_on_its_own_is_none() {
    let mut picture = node();
    put(&mut picture, "bond1", &["ens21f0np0"], "", ovsdb::Port::default());
    put(&mut picture, "ens20f1np1", &["ens20f1np1"], "", ovsdb::Port::default());
    assert_eq!(bonds(&picture), ["bond0", "bond1"]);
    let info = info(&picture);
    assert_eq!(at(&info, "/bonds/bond1/configured"), false);
    assert_eq!(at(&info, "/bridges/vmbr0/ports"), json!(["ens20f1np1"]));
    assert_eq!(at(&info, "/bridges/vmbr0/other_ports"), json!(["bond0", "bond1", "mgmt"]));
    assert_eq!(info.intports.keys().collect::<Vec<_>>(), ["mgmt"]);
}

#[test]
fn drift_is_told_at_its_object_and_together_in_the_sentences_of_a_task() {
    let mut picture = node();
    let bond = picture.ovs.ports.get_mut("bond0").unwrap();
    (bond.bond_updelay, bond.tag) = (0, Some(5));
    let mgmt = link(kernel::Kind::Tap, 0x40, "unknown", &[("10.10.0.9", 24)]);
    let links = picture.links.iter().map(|(name, link)| (name.to_owned(), link.clone()));
    picture.links = links.chain([("mgmt".to_owned(), Link { is_up: false, ..mgmt })]).collect();
    let info = info(&picture);
    let bond = "Open vSwitch: change port bond0 (tag: 5 → none, bond_updelay: 0 → 200)";
    let mgmt = "kernel: change link mgmt (state: down → up, address: 10.10.0.2/24)";
    assert_eq!(at(&info, "/bonds/bond0/drift"), json!([bond]));
    assert_eq!(at(&info, "/intports/mgmt/drift"), json!([mgmt]));
    assert_eq!(at(&info, "/bridges/vmbr0/drift"), json!([]));
    assert_eq!(info.drift, [bond, mgmt]);
    assert_eq!(
        warnings(&picture, &info),
        [
            "not as the interfaces file says: `bond0`, `mgmt`; hint: `drift` tells how; run the tasks that declare them"
        ]
    );
}

#[test]
fn what_nobody_starts_has_no_drift_and_what_cannot_be_foreseen_says_why() {
    let without_auto = FILE.replace("auto mgmt\n", "");
    let mut picture = node();
    picture.running = Text::new(Some(without_auto.into_bytes()), &picture.links);
    picture.ovs.ports.get_mut("mgmt").unwrap().tag = Some(11);
    assert_eq!(info(&picture).drift, Vec::<String>::new());

    let unknown = FILE.replace("lacp=active", "lacp=active updelay=5000");
    picture.running = Text::new(Some(unknown.into_bytes()), &picture.links);
    let info = info(&picture);
    let [bond] = &*info.bonds["bond0"].declared.drift else { panic!("{:?}", info.drift) };
    assert!(bond.contains("`updelay=5000` is not understood"), "{bond}");
    assert_eq!(info.drift.len(), 2, "the others are compared all the same: {:?}", info.drift);
}

#[test]
fn what_is_staged_is_told_at_its_object_and_as_a_diff() {
    let nothing = info(&staged(FILE));
    assert_eq!((nothing.pending, nothing.pending_diff.as_deref()), (true, Some("")));
    assert_eq!(at(&nothing, "/intports/mgmt/staged"), Value::Null);
    assert_eq!(nothing.drift, Vec::<String>::new(), "what waits is no drift");

    let file = FILE
        .replace("tag=10", "tag=20")
        .replace("ovs_ports bond0 mgmt", "ovs_ports mgmt storage")
        .replace("auto bond0\niface bond0 inet manual\n", "auto storage\niface storage inet manual\n")
        .replace("\tovs_bonds ens20f0np0 ens20f1np1\n", "")
        .replace("OVSBond", "OVSIntPort")
        .replace("bond_mode=balance-tcp lacp=active bond_updelay=200 other_config:lacp-time=fast", "tag=30");
    let info = info(&staged(&file));
    assert_eq!(
        at(&info, "/intports/mgmt/staged"),
        json!({"change": "changed",
               "changes": ["staged interfaces file: change mgmt (ovs_options: tag=10 → tag=20)"]})
    );
    assert_eq!(
        at(&info, "/bonds/bond0/staged"),
        json!({"change": "removed", "changes": ["staged interfaces file: remove bond0",
               "staged interfaces file: take bond0 out of ovs_ports of vmbr0"]})
    );
    let storage = at(&info, "/intports/storage");
    assert_eq!(
        (&storage["live"], &storage["configured"], &storage["bridge"], &storage["comments"]),
        (&json!(false), &json!(false), &Value::Null, &Value::Null)
    );
    assert_eq!(storage["staged"]["change"], "added");
    assert_eq!(storage["staged"]["changes"][1], "staged interfaces file: name storage in ovs_ports of vmbr0");
    assert_eq!(at(&info, "/bridges/vmbr0/staged"), Value::Null);
    let diff = info.pending_diff.unwrap();
    assert!(diff.contains("\n-\tovs_options tag=10\n+\tovs_options tag=20\n"), "{diff}");
}

#[test]
fn what_is_in_the_file_only_is_told_as_not_live_and_as_drift() {
    let mut picture = node();
    picture.ovs.ports.remove("bond0");
    picture.ovs.bridges.get_mut("vmbr0").unwrap().ports.remove("bond0");
    let info = info(&picture);
    let bond = at(&info, "/bonds/bond0");
    assert_eq!(
        (&bond["live"], &bond["configured"], &bond["negotiated"], &bond["mode"], &bond["members"]),
        (&json!(false), &json!(true), &json!(false), &Value::Null, &json!({}))
    );
    let [told] = &*info.drift else { panic!("{:?}", info.drift) };
    assert!(told.starts_with("Open vSwitch: add port bond0 (bridge: vmbr0, "), "{told}");
}

#[test]
fn what_is_unusable_or_interrupted_is_a_warning() {
    let told = |picture: &Picture| warnings(picture, &info(picture));
    assert_eq!(told(&node()), Vec::<String>::new());
    let mut picture = node();
    let mgmt = picture.ovs.interfaces.get_mut("mgmt").unwrap();
    mgmt.error = Some("could not open network device mgmt (No such device)".to_owned());
    assert_eq!(
        told(&picture),
        ["Open vSwitch cannot use `mgmt` of `mgmt`: could not open network device mgmt (No such device)"]
    );
}

#[test]
fn a_node_without_open_vswitch_has_what_its_file_says_to_tell_and_that() {
    let node = node();
    let picture = Picture { running: node.running, links: node.links, ..Picture::default() };
    let info = Info::new(&picture, &BTreeMap::new(), None);
    assert_eq!(at(&info, "/bonds/bond0/live"), false);
    let [warning] = &*warnings(&picture, &info) else { panic!("more or less than one warning") };
    assert!(warning.starts_with("Open vSwitch does not run"), "{warning}");

    let info = Info::new(&Picture::default(), &BTreeMap::new(), None);
    for key in ["/bridges", "/bonds", "/intports"] {
        assert_eq!(at(&info, key), json!({}));
    }
}
