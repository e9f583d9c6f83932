//! Made-up sysfs and procfs trees, and the real ones of the machine that runs the tests.

use std::os::unix::fs::symlink;

use super::*;

struct Tree {
    folder: tempfile::TempDir,
    paths: Paths,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths {
            sys_class_net: folder.path().join("sys"),
            proc_net: folder.path().join("proc"),
            ..Paths::default()
        };
        fs::create_dir(&paths.sys_class_net).unwrap();
        fs::create_dir(&paths.proc_net).unwrap();
        Self { folder, paths }
    }

    /// Attributes beyond the usual ones: `name=content`, or `name/` for a folder.
    fn link(self, name: &str, index: u32, attributes: &[&str]) -> Self {
        let folder = self.paths.sys_class_net.join(name);
        fs::create_dir(&folder).unwrap();
        let index = format!("ifindex={index}");
        let usual = [
            &index,
            "type=1",
            "flags=0x1003",
            "mtu=1500",
            "address=3c:fd:fe:00:00:01",
            "operstate=up",
            "uevent=",
        ];
        for attribute in usual.iter().chain(attributes) {
            match attribute.split_once('=') {
                Some((name, content)) => fs::write(folder.join(name), format!("{content}\n")).unwrap(),
                None => fs::create_dir(folder.join(attribute)).unwrap(),
            }
        }
        self
    }

    fn master(self, link: &str, master: &str) -> Self {
        symlink(format!("../{master}"), self.paths.sys_class_net.join(link).join("master")).unwrap();
        self
    }

    fn table(self, name: &str, text: &str) -> Self {
        fs::write(self.paths.proc_net.join(name), text).unwrap();
        self
    }
}

#[test]
fn each_kind_of_link_is_told_by_what_the_kernel_shows_of_it() {
    let cases: [(&str, &[&str], Kind, bool); 13] = [
        ("ens20f0np0", &["device/"], Kind::Physical, true),
        ("lan1", &["device/", "uevent=DEVTYPE=dsa\nINTERFACE=lan1"], Kind::Physical, true),
        ("wlan0", &["device/", "uevent=DEVTYPE=wlan"], Kind::Other, false),
        ("ibp1", &["device/", "type=32"], Kind::Other, false),
        ("lo", &["type=772"], Kind::Loopback, false),
        ("br", &["bridge/", "uevent=DEVTYPE=bridge"], Kind::Bridge, false),
        ("bond1", &["bonding/", "uevent=DEVTYPE=bond"], Kind::Bond, false),
        ("ens1.5", &["uevent=DEVTYPE=vlan"], Kind::Vlan, false),
        ("tap100i0", &["tun_flags=0x1002"], Kind::Tap, false),
        ("veth100i0", &[], Kind::Virtual, false),
        ("mgmt", &[], Kind::Virtual, false),
        ("ens21f0np0", &[], Kind::Virtual, true),
        ("vxlan7", &["uevent=DEVTYPE=vxlan"], Kind::Other, false),
    ];
    let tree = cases
        .iter()
        .zip(2..)
        .fold(Tree::new(), |tree, ((name, attributes, ..), index)| tree.link(name, index, attributes));
    // Such files lie between the links.
    fs::write(tree.paths.sys_class_net.join("bonding_masters"), "bond1\n").unwrap();

    let links = Links::read(&tree.paths).unwrap();
    assert_eq!(links.iter().count(), cases.len());
    for (name, _, kind, is_nic) in cases {
        assert_eq!((links.get(name).unwrap().kind, links.is_nic(name)), (kind, is_nic), "{name}");
    }
}

#[test]
fn a_master_is_told_by_its_kind() {
    let tree = Tree::new()
        .link("vmbr9", 2, &["bridge/"])
        .link("bond9", 3, &["bonding/"])
        .link("ovs-system", 4, &[])
        .link("a", 5, &[])
        .link("b", 6, &[])
        .link("c", 7, &[])
        .master("a", "vmbr9")
        .master("b", "bond9")
        .master("c", "ovs-system");
    let links = Links::read(&tree.paths).unwrap();
    let master = |name| links.get(name).unwrap().master.clone();
    assert_eq!(master("a"), Some(Master::Bridge("vmbr9".to_owned())));
    assert_eq!(master("b"), Some(Master::Bond("bond9".to_owned())));
    assert_eq!(master("c"), Some(Master::Other("ovs-system".to_owned())));
    assert_eq!(master("vmbr9"), None);
}

#[test]
fn an_attribute_that_is_not_understood_is_named() {
    let tree = Tree::new().link("a", 2, &["mtu=jumbo"]);
    let error = Links::read(&tree.paths).unwrap_err().to_string();
    assert!(error.ends_with("/a/mtu`: `jumbo` is not understood"), "{error}");
    assert!(error.contains(&tree.folder.path().display().to_string()), "{error}");
}

#[test]
fn default_routes_of_both_families_are_read_but_for_what_a_router_advertised() {
    let tree = Tree::new()
        .table(
            "route",
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT   \n\
             mgmt\t00000000\t01000A0A\t0003\t0\t0\t100\t00000000\t0\t0\t0    \n\
             tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0    \n\
             *\t00000000\t00000000\t0200\t0\t0\t9\t00000000\t0\t0\t0    \n\
             mgmt\t00000A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0    \n",
        )
        .table(
            "ipv6_route",
            "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
             fd000000000000000000000000000001 00000400 00000002 00000000 00000003     mgmt\n\
             ff000000000000000000000000000000 08 00000000000000000000000000000000 00 \
             00000000000000000000000000000000 00000100 00000003 00000000 00000001     mgmt\n\
             00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
             00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n\
             00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
             fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eno1\n\
             00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
             fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eno2\n",
        );
    let route = |gateway: Option<&str>, link: &str, metric| DefaultRoute {
        gateway: gateway.map(|address| address.parse().unwrap()),
        link: link.to_owned(),
        metric,
    };
    let v4 = if cfg!(target_endian = "little") { "10.10.0.1" } else { "1.0.10.10" };
    assert_eq!(
        default_routes(&tree.paths).unwrap(),
        [
            route(Some(v4), "mgmt", 100),
            route(None, "tun0", 0),
            route(Some("fd00::1"), "mgmt", 1024),
            route(Some("fe80::1"), "eno2", 1024),
        ]
    );
}

#[test]
fn a_missing_table_has_no_routes_and_a_strange_line_is_shown() {
    assert_eq!(default_routes(&Tree::new().paths).unwrap(), []);
    let error = default_routes(&Tree::new().table("route", "mgmt\tx\n").paths).unwrap_err().to_string();
    assert!(error.ends_with("/route`: `mgmt\tx` is not understood"), "{error}");
}

#[test]
fn the_machine_that_runs_this_test_can_be_read() {
    let paths = Paths::default();
    let links = Links::read(&paths).unwrap();
    let loopback = links.get("lo").unwrap();
    assert_eq!(loopback.kind, Kind::Loopback);
    if loopback.is_up {
        assert!(loopback.addresses.iter().any(|cidr| cidr.to_string() == "127.0.0.1/8"), "{loopback:?}");
    }
    assert_eq!(links.resolve("lo"), Some("lo"));
    assert_eq!(links.resolve("nonexistent"), None);
    default_routes(&paths).unwrap();
}
