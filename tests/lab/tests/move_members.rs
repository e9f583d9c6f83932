//! `move_members` and `member_addresses`: a NIC leaves what has it, live, and what stays there is not disturbed.

#![allow(clippy::indexing_slicing, reason = "the tests fail by panicking")]

use std::time::Duration;

use anyhow::Result;
use lab::bond::bond;
use lab::witness::{Log, Stream};
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const NODES: [&str; 2] = ["node1", "node2"];
/// The NIC with the lowest MAC, which gives the bridge its own.
const MOVED: &str = "ens19f0np0";
const STAYING: [&str; 2] = ["ens20f0np0", "ens20f1np1"];
const FREE: &str = "ens21f0np0";

/// A second bond of these.
fn bond1(members: &[&str], move_members: bool) -> Value {
    json!({"name": "bond1", "bridge": "vmbr0", "members": members, "lacp_time": "fast", "move_members": move_members})
}

/// Both ends with LACP negotiated on a bond of three, and what `more` makes there.
fn negotiated(more: impl Fn(&Lab, &str) -> Result<()>) -> Result<Lab> {
    let lab = Lab::up()?;
    let members = [&[MOVED], STAYING.as_slice()].concat();
    for node in NODES {
        lab.make_bond(node, &members)?;
        more(&lab, node)?;
    }
    for node in NODES {
        lab.wait_for_lacp(node, &members)?;
    }
    Ok(lab)
}

/// Anybody's `ifreload -a`, whose remark about a bond is none.
fn reload(lab: &Lab, node: &str) -> Result<()> {
    lab.sh(node, "ifreload -a 2>/tmp/said || grep -q 'not present in cache' /tmp/said").map(drop)
}

fn interfaces(lab: &Lab, node: &str, bond: &str) -> Result<Vec<String>> {
    let text = lab.sh(
        node,
        &format!("for id in $(ovs-vsctl get port {bond} interfaces | tr -d '[],'); do ovs-vsctl get interface $id name; done"),
    )?;
    let mut names: Vec<String> = text.lines().map(|name| name.trim_matches('"').to_owned()).collect();
    names.sort();
    Ok(names)
}

/// Moves the NIC at both ends, and asks the witnesses about those that stay.
fn moves_without_disturbing(lab: &Lab, to: &[&str]) -> Result<()> {
    let logs = [Log::start(lab, "node1")?, Log::start(lab, "node2")?];
    let streams = [Stream::start(lab, "node1")?, Stream::start(lab, "node2")?];
    let expired = [lab.links_expired("node1")?, lab.links_expired("node2")?];
    for node in NODES {
        let refused = lab.module(node, "pve_ovs_bond", &bond1(to, false))?;
        assert_eq!(refused.failure()?, ("port_in_use", "unchanged"));
        assert!(refused.message().contains("`bond0`") && refused.message().contains("`move_members: true`"));
        let check = lab.check(node, "pve_ovs_bond", &bond1(to, true))?;
        let done = lab.module(node, "pve_ovs_bond", &bond1(to, true))?;
        assert!(done.changed()?);
        assert_eq!(check.result["changes"], done.result["changes"]);
    }
    for node in NODES {
        lab.wait_for_lacp(node, &STAYING)?;
        reload(lab, node)?;
        assert!(!lab.module(node, "pve_ovs_bond", &bond1(to, true))?.changed()?, "{node} is not idle");
        assert!(!lab.module(node, "pve_ovs_bond", &bond(&STAYING))?.changed()?, "{node} is not idle");
        assert_eq!(interfaces(lab, node, "bond0")?, STAYING);
        assert_eq!(interfaces(lab, node, "bond1")?, to);
    }
    for ((node, log), stream) in NODES.iter().zip(&logs).zip(&streams) {
        wait_until("the stream to tell of the move", Duration::from_secs(10), || {
            Ok(stream.text()?.contains(&format!(",delete,{MOVED},")).then_some(()))
        })?;
        assert_eq!(stream.lost(&STAYING)?, Vec::<String>::new(), "{node}: {}", stream.text()?);
        // Of the first bond: the second is a new one, or has no partner.
        let stopped = log.stopped()?;
        assert!(stopped.iter().all(|line| !line.contains("bond0")), "{node}: {stopped:?}");
    }
    for (node, before) in NODES.iter().zip(&expired) {
        let after = lab.links_expired(node)?;
        for member in STAYING {
            assert_eq!(after.get(member), before.get(member), "{node} {member}");
        }
    }
    Ok(())
}

#[test]
fn a_member_moves_to_a_new_bond_and_those_that_stay_keep_their_partner() -> Result<()> {
    let lab = negotiated(|_, _| Ok(()))?;
    moves_without_disturbing(&lab, &[MOVED, FREE])
}

#[test]
fn a_member_moves_to_another_bond_and_those_that_stay_keep_their_partner() -> Result<()> {
    // A link of such a name counts as a NIC.
    let lab = negotiated(|lab, node| {
        lab.sh(node, "ip link add nic9 type veth peer name far9")?;
        lab.module(node, "pve_ovs_bond", &bond1(&[FREE, "nic9"], false))?.changed().map(drop)
    })?;
    moves_without_disturbing(&lab, &[MOVED, FREE, "nic9"])
}

#[test]
fn a_move_that_fails_is_undone_at_both_bonds() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond("node1", &[MOVED, STAYING[0], STAYING[1]])?;
    let before = lab.configuration("node1")?;
    let fails_once = "[ ! -e /tmp/failed ] || exec /sbin/ifreload -a; touch /tmp/failed; /sbin/ifreload -a; echo error: broken; exit 1";
    lab.write("node1", "/tmp/ifreload", fails_once)?;
    let environment = ["BOTHENDS_IFRELOAD=sh /tmp/ifreload"];
    let answer = lab.module_with("node1", &environment, "pve_ovs_bond", &bond1(&[MOVED, FREE], true))?;
    assert_eq!(answer.failure()?, ("reload_failed", "rolled_back"), "{}", answer.message());
    assert_eq!(lab.configuration("node1")?, before);
    Ok(())
}

const ELSEWHERE: &str = "auto lo
iface lo inet loopback

auto ens20f0np0
iface ens20f0np0 inet manual
	ovs_type OVSPort
	ovs_bridge vmbr0

iface ens19f0np0 inet manual

iface ens20f1np1 inet manual

iface ens21f0np0 inet manual

iface nic9 inet manual

auto vmbr0
iface vmbr0 inet manual
	ovs_type OVSBridge
	ovs_ports ens20f0np0
	ovs_extra set bridge vmbr0 datapath_type=netdev

auto vmbr9
iface vmbr9 inet static
	address 10.9.0.1/24
	bridge-ports ens19f0np0 nic9
	bridge-stp off
	bridge-fd 0
";

/// Who has what in the kernel.
fn masters(lab: &Lab) -> Result<String> {
    lab.sh(
        "node1",
        "cd /sys/class/net; for nic in ens* nic*; do [ ! -e $nic/master ] || echo $nic $(basename $(readlink $nic/master)); done",
    )
}

#[test]
fn nics_move_out_of_a_linux_bridge_and_an_ovs_bridge() -> Result<()> {
    let lab = Lab::up()?;
    lab.sh("node1", "ip link add nic9 type veth peer name far9")?;
    lab.write("node1", "/etc/network/interfaces", ELSEWHERE)?;
    reload(&lab, "node1")?;
    let before = masters(&lab)?;
    assert_eq!(before, "ens19f0np0 vmbr9\nnic9 vmbr9\n");
    let arguments = json!({"name": "bond0", "bridge": "vmbr0", "members": [MOVED, STAYING[0], STAYING[1], FREE],
        "move_members": true});

    let fails_once = "[ ! -e /tmp/failed ] || exec /sbin/ifreload -a; touch /tmp/failed; /sbin/ifreload -a; echo error: broken; exit 1";
    lab.write("node1", "/tmp/ifreload", fails_once)?;
    let environment = ["BOTHENDS_IFRELOAD=sh /tmp/ifreload"];
    let answer = lab.module_with("node1", &environment, "pve_ovs_bond", &arguments)?;
    assert_eq!(answer.failure()?, ("reload_failed", "rolled_back"), "{}", answer.message());
    assert_eq!(masters(&lab)?, before);
    assert_eq!(lab.read("node1", "/etc/network/interfaces")?, ELSEWHERE);

    assert_eq!(lab.run_as_predicted("node1", &[("pve_ovs_bond", arguments.clone())])?, [true]);
    assert_eq!(masters(&lab)?, "nic9 vmbr9\n");
    assert_eq!(interfaces(&lab, "node1", "bond0")?, [MOVED, STAYING[0], STAYING[1], FREE]);
    for member in interfaces(&lab, "node1", "bond0")? {
        assert_eq!(lab.vsctl("node1", &["get", "Interface", &member, "error"])?, "[]", "{member}");
    }
    reload(&lab, "node1")?;
    assert_eq!(lab.run_as_predicted("node1", &[("pve_ovs_bond", arguments)])?, [false]);
    assert!(lab.exec("node1", &["ip", "-4", "address", "show", "vmbr9"])?.contains("10.9.0.1/24"));
    Ok(())
}

const ADDRESSED: &str = "auto lo
iface lo inet loopback

auto ens20f0np0
iface ens20f0np0 inet static
	address 10.10.0.2/24
	gateway 10.10.0.1

iface ens20f1np1 inet manual

auto vmbr0
iface vmbr0 inet manual
	ovs_type OVSBridge
	ovs_extra set bridge vmbr0 datapath_type=netdev
";

#[test]
fn an_address_moves_from_a_member_to_an_intport_with_the_same_mac_in_one_apply() -> Result<()> {
    let lab = Lab::up()?;
    lab.write("node1", "/etc/network/interfaces", ADDRESSED)?;
    reload(&lab, "node1")?;
    let session = ["SSH_CONNECTION=192.0.2.9 50000 10.10.0.2 22"];
    let mut bond = json!({"name": "bond0", "bridge": "vmbr0", "members": STAYING, "mode": "active-backup"});
    let refused = lab.module("node1", "pve_ovs_bond", &bond)?;
    assert_eq!(refused.failure()?, ("nic_has_address", "unchanged"));
    assert!(refused.message().contains("member_addresses: remove"), "{}", refused.message());
    bond["member_addresses"] = "remove".into();
    let refused = lab.module_with("node1", &session, "pve_ovs_bond", &bond)?;
    assert_eq!(refused.failure()?, ("lifeline_cut", "unchanged"), "{}", refused.message());
    let refused = lab.module("node1", "pve_ovs_bond", &bond)?;
    assert_eq!(refused.failure()?, ("lifeline_cut", "unchanged"), "{}", refused.message());

    // One that nobody depends on goes, also one that the file does not know.
    lab.sh("node1", "ip link set ens21f0np0 up; ip address add 10.20.0.2/24 dev ens21f0np0")?;
    let other =
        json!({"name": "bond1", "bridge": "vmbr0", "members": [MOVED, FREE], "member_addresses": "remove"});
    assert_eq!(lab.run_as_predicted("node1", &[("pve_ovs_bond", other)])?, [true]);
    assert!(!lab.exec("node1", &["ip", "address", "show", "dev", FREE])?.contains("10.20.0.2"));

    bond["apply"] = false.into();
    let mut intport = json!({"name": "mgmt", "bridge": "vmbr0", "cidr": "10.10.0.2/24", "gateway": "10.10.0.1",
        "mac": "inherit", "apply": false});
    for (module, arguments) in [("pve_ovs_bond", &bond), ("pve_ovs_intport", &intport)] {
        assert!(lab.module_with("node1", &session, module, arguments)?.changed()?);
        assert!(!lab.module_with("node1", &session, module, arguments)?.changed()?);
    }
    assert!(lab.read("node1", "/etc/network/interfaces")?.contains("iface ens20f0np0 inet static"));
    let mac = |link: &str| lab.read("node1", &format!("/sys/class/net/{link}/address"));
    let own = mac(STAYING[0])?;
    intport["apply"] = true.into();
    intport["pending"] = "apply".into();
    let done = lab.module_with("node1", &session, "pve_ovs_intport", &intport)?;
    assert!(done.changed()?);
    assert_eq!(mac("mgmt")?, own);
    let addresses =
        lab.sh("node1", "ip -4 -oneline address | tr -s ' ' | grep 10.10.0.2 | cut -d ' ' -f 2-4")?;
    assert_eq!(addresses, "mgmt inet 10.10.0.2/24\n");
    let routes = lab.exec("node1", &["ip", "-4", "route", "show", "default"])?;
    assert!(routes.starts_with("default via 10.10.0.1 dev mgmt") && routes.lines().count() == 1, "{routes}");
    reload(&lab, "node1")?;
    intport["pending"] = "fail".into();
    assert!(!lab.module("node1", "pve_ovs_intport", &intport)?.changed()?);
    assert_eq!(mac("mgmt")?, own);

    let absent = json!({"name": "mgmt", "state": "absent"});
    let refused = lab.module_with("node1", &session, "pve_ovs_intport", &absent)?;
    assert_eq!(refused.failure()?, ("lifeline_cut", "unchanged"), "{}", refused.message());
    lab.sh("node1", "mkdir -p /tmp/pve; echo '  ring0_addr: node1-ring' >/tmp/pve/corosync.conf; echo 10.10.0.2 node1-ring >/tmp/pve/hosts")?;
    let cluster = ["BOTHENDS_COROSYNC=/tmp/pve/corosync.conf", "BOTHENDS_HOSTS=/tmp/pve/hosts"];
    let refused = lab.module_with("node1", &cluster, "pve_ovs_intport", &absent)?;
    assert_eq!(refused.failure()?, ("lifeline_cut", "unchanged"), "{}", refused.message());
    assert!(refused.message().contains("`ring0_addr`"), "{}", refused.message());
    assert!(lab.module("node1", "pve_ovs_intport", &absent)?.changed()?);
    Ok(())
}
