//! The database code against a real `ovsdb-server` with Open vSwitch's own schema. `ovs-vswitchd` is not needed: a
//! test that waits for it plays its part.
//!
//! The programs come from a private folder that `make lab-root` fills, so nothing needs to be installed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows the functions of a test file that are marked as tests, but not their helpers"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pve::jsonrpc::Connection;
use pve::ovsdb::{
    BridgeColumn, Database, Error, InterfaceColumn, Map, NewPort, Ovs, PortColumn, Transaction,
};
use serde_json::{Value, json};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A database server of our own in a folder of our own.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    fn start() -> Self {
        let root = std::env::var_os("BOTHENDS_OVS_ROOT")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.lab/root"), PathBuf::from);
        assert!(
            root.join("usr/sbin/ovsdb-server").exists(),
            "no Open vSwitch in `{}`; hint: `make lab-root`, or point BOTHENDS_OVS_ROOT at a folder with \
             usr/sbin/ovsdb-server in it",
            root.display()
        );
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str| {
            let mut command = Command::new(root.join(name));
            command
                .current_dir(folder.path())
                .env("LD_LIBRARY_PATH", root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH)))
                .env("OVS_RUNDIR", folder.path())
                .stdin(Stdio::null());
            command
        };
        let schema = root.join("usr/share/openvswitch/vswitch.ovsschema");
        let created = program("usr/bin/ovsdb-tool").args(["create", "conf.db"]).arg(schema).status().unwrap();
        assert!(created.success());
        let process = program("usr/sbin/ovsdb-server")
            .args(["--remote=punix:db.sock", "--unixctl=ctl", "--no-chdir", "-vconsole:warn", "conf.db"])
            .spawn()
            .unwrap();
        let server = Self { folder, process };
        let deadline = soon();
        while Connection::open(&server.socket(), deadline).is_err() {
            assert!(Instant::now() < deadline, "ovsdb-server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// A server with bridge `vmbr0`, its own port, the bond `bond0` of `nic0` and `nic1`, and a mirror.
    fn with_a_bond() -> Self {
        let server = Self::start();
        let set =
            |ids: &[&str]| json!(["set", ids.iter().map(|id| json!(["named-uuid", id])).collect::<Vec<_>>()]);
        server.transact(&[
            json!({ "op": "insert", "table": "Interface", "uuid-name": "i0", "row": { "name": "nic0" } }),
            json!({ "op": "insert", "table": "Interface", "uuid-name": "i1", "row": { "name": "nic1" } }),
            json!({ "op": "insert", "table": "Interface", "uuid-name": "i2", "row": {
                "name": "vmbr0", "type": "internal", "mac_in_use": "3c:fd:fe:00:00:01", "ofport": 65534,
            } }),
            json!({ "op": "insert", "table": "Port", "uuid-name": "bond", "row": {
                "name": "bond0", "interfaces": set(&["i0", "i1"]), "bond_mode": "balance-tcp", "lacp": "active",
                "trunks": ["set", [10, 20]], "bond_updelay": 100, "bond_fake_iface": true,
                "other_config": ["map", [["lacp-time", "fast"]]],
            } }),
            json!({ "op": "insert", "table": "Port", "uuid-name": "own", "row": {
                "name": "vmbr0", "interfaces": set(&["i2"]), "tag": 5,
            } }),
            json!({ "op": "insert", "table": "Mirror", "uuid-name": "m", "row": { "name": "span" } }),
            json!({ "op": "insert", "table": "Bridge", "uuid-name": "br", "row": {
                "name": "vmbr0", "ports": set(&["bond", "own"]), "datapath_type": "netdev", "rstp_enable": true,
                "mirrors": set(&["m"]),
            } }),
            json!({ "op": "insert", "table": "Open_vSwitch", "row": { "bridges": set(&["br"]) } }),
        ]);
        server
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("db.sock")
    }

    fn database(&self) -> Database {
        Database::open(&self.socket(), soon()).unwrap()
    }

    fn read(&self) -> Ovs {
        self.database().read().unwrap()
    }

    /// What somebody else does to the database.
    fn transact(&self, operations: &[Value]) -> Value {
        let params: Value =
            [Value::from("Open_vSwitch")].into_iter().chain(operations.iter().cloned()).collect();
        let results = Connection::open(&self.socket(), soon()).unwrap().call("transact", params).unwrap();
        assert!(results.as_array().unwrap().iter().all(|result| result.get("error").is_none()), "{results}");
        results
    }

    /// Commits while somebody plays `ovs-vswitchd`, who reports after a moment that it has done what was asked.
    fn commit(&self, transaction: &Transaction) -> Result<(), Error> {
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                let select = json!({ "op": "select", "table": "Open_vSwitch", "where": [] });
                let asked = self.transact(&[select])[0]["rows"][0]["next_cfg"].clone();
                self.transact(&[
                    json!({ "op": "update", "table": "Open_vSwitch", "where": [], "row": { "cur_cfg": asked } }),
                ]);
            });
            transaction.commit(&mut self.database())
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn the_whole_picture_is_read() {
    let server = Server::with_a_bond();
    let ovs = server.read();

    let bridge = &ovs.bridges["vmbr0"];
    assert_eq!(bridge.ports, names(["bond0", "vmbr0"]));
    assert_eq!(bridge.mirrors, names(["span"]));
    assert_eq!(
        (bridge.datapath_type.as_str(), bridge.stp_enable, bridge.rstp_enable),
        ("netdev", false, true)
    );

    let bond = &ovs.ports["bond0"];
    assert_eq!((bond.bridge.as_str(), &bond.interfaces), ("vmbr0", &names(["nic0", "nic1"])));
    assert_eq!((bond.bond_mode.as_deref(), bond.lacp.as_deref()), (Some("balance-tcp"), Some("active")));
    assert_eq!((bond.tag, &bond.trunks), (None, &BTreeSet::from([10, 20])));
    assert_eq!((bond.bond_updelay, bond.bond_downdelay, bond.bond_fake_iface), (100, 0, true));
    assert_eq!(bond.other_config, Map::from([("lacp-time".to_owned(), "fast".to_owned())]));
    assert_eq!((ovs.ports["vmbr0"].tag, &ovs.ports["vmbr0"].bond_mode), (Some(5), &None));

    let own = &ovs.interfaces["vmbr0"];
    assert_eq!((own.kind.as_str(), own.port.as_str(), own.ofport), ("internal", "vmbr0", Some(65534)));
    assert_eq!(own.mac_in_use.as_deref(), Some("3c:fd:fe:00:00:01"));
    assert_eq!((ovs.interfaces["nic0"].lacp_current, &ovs.interfaces["nic0"].error), (None, &None));
}

#[test]
fn an_empty_database_is_an_empty_picture() {
    assert_eq!(Server::start().read(), Ovs::default());
}

#[test]
fn columns_are_set_and_taken_away() {
    let server = Server::with_a_bond();
    let before = server.read();
    let mut change = Transaction::new(&before);
    for column in [
        PortColumn::BondMode(Some("active-backup".to_owned())),
        PortColumn::Lacp(None),
        PortColumn::Tag(Some(7)),
        PortColumn::Trunks(BTreeSet::new()),
        PortColumn::VlanMode(Some("native-untagged".to_owned())),
        PortColumn::BondUpdelay(0),
        PortColumn::BondDowndelay(200),
        PortColumn::OtherConfig(Map::new()),
    ] {
        change.set_port("bond0", &column).unwrap();
    }
    change.set_bridge("vmbr0", &BridgeColumn::RstpEnable(false)).unwrap();
    change.set_bridge("vmbr0", &BridgeColumn::McastSnoopingEnable(true)).unwrap();
    change.set_interface("nic0", &InterfaceColumn::MtuRequest(Some(9000))).unwrap();
    server.commit(&change).unwrap();

    let mut wanted = before.clone();
    let bond = wanted.ports.get_mut("bond0").unwrap();
    bond.bond_mode = Some("active-backup".to_owned());
    bond.lacp = None;
    bond.tag = Some(7);
    bond.trunks.clear();
    bond.vlan_mode = Some("native-untagged".to_owned());
    (bond.bond_updelay, bond.bond_downdelay) = (0, 200);
    bond.other_config.clear();
    let bridge = wanted.bridges.get_mut("vmbr0").unwrap();
    (bridge.rstp_enable, bridge.mcast_snooping_enable) = (false, true);
    bridge.columns["rstp_enable"] = false.into();
    bridge.columns["mcast_snooping_enable"] = true.into();
    wanted.interfaces.get_mut("nic0").unwrap().mtu_request = Some(9000);
    assert_eq!(server.read(), wanted);
}

#[test]
fn a_guests_port_is_added_with_its_vlans() {
    let server = Server::with_a_bond();
    let before = server.read();
    let mut change = Transaction::new(&before);
    let native = "native-untagged".to_owned();
    let [tap, veth] = ["tap100i0", "veth101i0"].map(|name| BTreeSet::from([name.to_owned()]));
    let tagged = NewPort {
        tag: Some(20),
        trunks: [30, 31].into(),
        vlan_mode: Some(native.clone()),
        ..NewPort::default()
    };
    change.add_port("vmbr0", "tap100i0", &tap, &tagged).unwrap();
    change.add_port("vmbr0", "veth101i0", &veth, &NewPort::default()).unwrap();
    server.commit(&change).unwrap();
    let after = server.read();
    let port = &after.ports["tap100i0"];
    assert_eq!((port.bridge.as_str(), port.tag, &port.vlan_mode), ("vmbr0", Some(20), &Some(native)));
    assert_eq!((&port.trunks, &port.interfaces), (&[30, 31].into(), &["tap100i0".to_owned()].into()));
    assert_eq!(after.interfaces["veth101i0"].kind, "");
    assert!(after.bridges["vmbr0"].ports.contains("veth101i0"));

    // Somebody else was quicker.
    let mut again = Transaction::new(&before);
    again.add_port("vmbr0", "tap100i0", &tap, &NewPort::default()).unwrap();
    let error = again.commit(&mut server.database()).unwrap_err();
    assert!(error.to_string().contains("port `tap100i0` changed"), "{error}");
}

#[test]
fn members_are_exchanged_and_those_that_stay_keep_their_rows() {
    let server = Server::with_a_bond();
    let before = server.read();
    let mut change = Transaction::new(&before);
    let key = BTreeMap::from([("lacp-aggregation-key".to_owned(), "7".to_owned())]);
    change.set_new_interface("nic1", BTreeMap::new());
    change.set_new_interface("nic2", key.clone());
    change.set_members("bond0", &names(["nic1", "nic2", "nic3"])).unwrap();
    server.commit(&change).unwrap();

    let after = server.read();
    assert_eq!(after.interfaces["nic2"].other_config, key);
    assert_eq!(after.interfaces["nic3"].other_config, BTreeMap::new());
    assert_eq!(after.ports["bond0"].interfaces, names(["nic1", "nic2", "nic3"]));
    assert_eq!(after.interfaces["nic1"], before.interfaces["nic1"]);
    assert_eq!(
        after.interfaces.keys().cloned().collect::<BTreeSet<_>>(),
        names(["nic1", "nic2", "nic3", "vmbr0"])
    );
}

#[test]
fn a_member_moves_from_a_port_that_is_deleted_in_the_same_transaction() {
    let server = Server::with_a_bond();
    let before = server.read();
    let mut change = Transaction::new(&before);
    change.set_members("bond0", &names(["nic0", "nic1", "vmbr0"])).unwrap();
    let refused = server.commit(&change).unwrap_err();
    assert!(
        matches!(&refused, Error::Refused { operation, details, .. } if operation == "commit" && details.contains("vmbr0")),
        "{refused}"
    );
    assert_eq!(server.read(), before);

    change.delete_port("vmbr0").unwrap();
    server.commit(&change).unwrap();
    let after = server.read();
    assert_eq!(after.ports["bond0"].interfaces, names(["nic0", "nic1", "vmbr0"]));
    assert!(!after.ports.contains_key("vmbr0"));
}

#[test]
fn a_port_and_a_bridge_go_with_all_that_belongs_to_them() {
    let server = Server::with_a_bond();
    let before = server.read();
    let mut change = Transaction::new(&before);
    change.delete_port("bond0").unwrap();
    server.commit(&change).unwrap();
    let between = server.read();
    assert_eq!(between.bridges["vmbr0"].ports, names(["vmbr0"]));
    assert_eq!(between.interfaces.len(), 1);

    let mut change = Transaction::new(&between);
    change.delete_bridge("vmbr0").unwrap();
    server.commit(&change).unwrap();
    assert_eq!(server.read(), Ovs::default());
}

#[test]
fn what_is_as_wanted_already_sends_nothing() {
    let server = Server::with_a_bond();
    let ovs = server.read();
    let mut change = Transaction::new(&ovs);
    change.set_members("bond0", &names(["nic0", "nic1"])).unwrap();
    change.set_port("bond0", &PortColumn::Trunks(BTreeSet::from([20, 10]))).unwrap();
    change.set_bridge("vmbr0", &BridgeColumn::DatapathType("netdev".to_owned())).unwrap();
    assert!(change.is_empty());
    assert_eq!(change.operations(), Vec::<Value>::new());
    // Without anybody who plays ovs-vswitchd.
    change.commit(&mut server.database()).unwrap();
}

/// Somebody else does `theirs` between our read and our commit.
fn conflict(ours: impl FnOnce(&mut Transaction), theirs: &[Value]) -> String {
    let server = Server::with_a_bond();
    let ovs = server.read();
    let mut change = Transaction::new(&ovs);
    ours(&mut change);
    server.transact(theirs);
    let theirs = server.read();
    let Err(Error::Conflict { what }) = change.commit(&mut server.database()) else { panic!("no conflict") };
    assert_eq!(server.read(), theirs, "something was done");
    what
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    let bond = json!([["name", "==", "bond0"]]);
    let no_lacp = json!({ "op": "update", "table": "Port", "where": bond, "row": { "lacp": "off" } });
    let lacp = PortColumn::Lacp(Some("passive".to_owned()));
    // A column that nobody else touched is set before the one that conflicts: it must not be done either.
    let delay = PortColumn::BondUpdelay(0);
    let what = conflict(
        |change| {
            change.set_port("bond0", &delay).unwrap();
            change.set_port("bond0", &lacp).unwrap();
        },
        &[no_lacp],
    );
    assert_eq!(what, "`lacp` of port `bond0`");

    let grow = [
        json!({ "op": "insert", "table": "Interface", "uuid-name": "n", "row": { "name": "nic2" } }),
        json!({ "op": "mutate", "table": "Port", "where": bond, "mutations": [["interfaces", "insert", ["named-uuid", "n"]]] }),
    ];
    let what = conflict(|change| change.set_members("bond0", &names(["nic0", "nic3"])).unwrap(), &grow);
    assert_eq!(what, "`interfaces` of port `bond0`");
    let what = conflict(|change| change.delete_port("bond0").unwrap(), &grow);
    assert_eq!(what, "`interfaces` of port `bond0`");

    let plug = |interface: &str| {
        [
            json!({ "op": "insert", "table": "Interface", "uuid-name": "n", "row": { "name": interface } }),
            json!({ "op": "insert", "table": "Port", "uuid-name": "p", "row": {
                "name": interface, "interfaces": ["named-uuid", "n"],
            } }),
            json!({ "op": "mutate", "table": "Bridge", "where": [], "mutations": [["ports", "insert", ["named-uuid", "p"]]] }),
        ]
    };
    let what = conflict(|change| change.delete_bridge("vmbr0").unwrap(), &plug("tap100i0"));
    assert_eq!(what, "`ports` of bridge `vmbr0`");
    let what = conflict(
        |change| change.set_members("bond0", &names(["nic0", "nic1", "nic2"])).unwrap(),
        &plug("nic2"),
    );
    assert_eq!(what, "interface `nic2`");
}

#[test]
fn a_guest_that_starts_meanwhile_is_no_conflict() {
    let server = Server::with_a_bond();
    let ovs = server.read();
    let mut change = Transaction::new(&ovs);
    change.delete_port("bond0").unwrap();
    server.transact(&[
        json!({ "op": "insert", "table": "Interface", "uuid-name": "n", "row": { "name": "tap100i0" } }),
        json!({ "op": "insert", "table": "Port", "uuid-name": "p", "row": {
            "name": "tap100i0", "interfaces": ["named-uuid", "n"],
        } }),
        json!({ "op": "mutate", "table": "Bridge", "where": [], "mutations": [["ports", "insert", ["named-uuid", "p"]]] }),
    ]);
    server.commit(&change).unwrap();
    assert_eq!(server.read().bridges["vmbr0"].ports, names(["tap100i0", "vmbr0"]));
}

#[test]
fn a_value_that_the_schema_forbids_is_refused_with_the_operation() {
    let server = Server::with_a_bond();
    let ovs = server.read();
    for (column, name, details) in [
        (PortColumn::BondMode(Some("balance-foo".to_owned())), "bond_mode", "balance-foo is not one of"),
        (PortColumn::Tag(Some(9999)), "tag", "9999 is not in the valid range"),
    ] {
        let mut change = Transaction::new(&ovs);
        change.set_port("bond0", &column).unwrap();
        let error = change.commit(&mut server.database()).unwrap_err();
        let Error::Refused { error, details: found, operation } = &error else { panic!("{error}") };
        assert_eq!(error, "constraint violation");
        assert!(found.starts_with(details), "{found}");
        assert!(operation.contains(&format!("\"{name}\"")), "{operation}");
    }
    assert_eq!(server.read(), ovs);
}

#[test]
fn a_row_that_is_not_there_is_named_before_anything_is_sent() {
    let ovs = Ovs::default();
    let mut change = Transaction::new(&ovs);
    let error = change.set_port("bond0", &PortColumn::Lacp(None)).unwrap_err();
    assert_eq!(error.to_string(), "changing the Open vSwitch database: table `Port` has no `bond0`");
    assert!(matches!(change.set_members("bond0", &names(["a"])), Err(Error::Missing { .. })));
    assert!(matches!(change.delete_bridge("vmbr0"), Err(Error::Missing { .. })));
    assert!(change.is_empty());
}

#[test]
fn a_change_that_nobody_acts_on_is_told_from_one_that_failed() {
    let server = Server::with_a_bond();
    let ovs = server.read();
    let mut change = Transaction::new(&ovs);
    change.set_port("bond0", &PortColumn::Lacp(None)).unwrap();
    let begin = Instant::now();
    let mut database = Database::open(&server.socket(), begin + Duration::from_millis(500)).unwrap();
    assert!(matches!(change.commit(&mut database), Err(Error::NotTakenUp)));
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(server.read().ports["bond0"].lacp, None);
}

#[test]
fn a_bridge_a_bond_and_an_intport_are_made_in_one_transaction() {
    let server = Server::with_a_bond();
    let before = server.read();
    let mut change = Transaction::new(&before);
    change.add_bridge("vmbr9", "netdev");
    let members = BTreeSet::from(["nic8".to_owned(), "nic9".to_owned()]);
    let fallback = [("lacp-fallback-ab".to_owned(), "true".to_owned())].into();
    let bond = NewPort { lacp: Some("passive".to_owned()), other_config: fallback, ..NewPort::default() };
    change.add_port("vmbr9", "bond9", &members, &bond).unwrap();
    let intport = NewPort { internal: true, tag: Some(10), ..NewPort::default() };
    change.add_port("vmbr9", "mgmt9", &["mgmt9".to_owned()].into(), &intport).unwrap();
    server.commit(&change).unwrap();
    let after = server.read();
    assert_eq!(after.bridges["vmbr9"].datapath_type, "netdev");
    let ports: Vec<&str> = after.bridges["vmbr9"].ports.iter().map(String::as_str).collect();
    assert_eq!(ports, ["bond9", "mgmt9", "vmbr9"]);
    assert_eq!(after.ports["bond9"].interfaces, members);
    assert!(after.ports["bond9"].bond_fake_iface && !after.ports["mgmt9"].bond_fake_iface);
    assert_eq!(after.interfaces["mgmt9"].kind, "internal");
    // A bridge that nobody makes takes no port.
    assert!(Transaction::new(&before).add_port("vmbr8", "x", &members, &bond).is_err());
}
