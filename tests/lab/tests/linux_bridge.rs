//! From a fresh Proxmox VE installation – a Linux bridge with the NIC and the node's address – to Open vSwitch, with a
//! guest on the bridge that goes on answering; and back again where the change fails or is killed.

use std::time::Duration;

use anyhow::{Context, Result};
use lab::link::Task;
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const NODE: &str = "node1";
/// Beyond the cable: what answers it is on the net.
const PEER: &str = "node2";
const MANAGEMENT: &str = "192.0.2.10";
const GUEST: &str = "192.0.2.100";
const LONG: Duration = Duration::from_secs(60);

/// As the installer writes it, less its header.
const FRESH: &str = "auto lo
iface lo inet loopback

iface ens20f0np0 inet manual

auto vmbr0
iface vmbr0 inet static
\taddress 192.0.2.10/24
\tgateway 192.0.2.1
\tbridge-ports ens20f0np0
\tbridge-stp off
\tbridge-fd 0

iface ens19f0np0 inet manual

iface ens20f1np1 inet manual

iface ens21f0np0 inet manual

";

#[test]
fn one_task_makes_the_linux_bridge_an_ovs_bridge() -> Result<()> {
    let lab = fresh()?;
    let task = [one_task()];
    // A guest's, where that is the lowest on the Linux bridge; an OVSBridge would not take that.
    let mac = || lab.sh(NODE, "cat /sys/class/net/vmbr0/address");
    let before = mac()?;
    assert_eq!(lab.run_as_predicted(NODE, &task)?, [true]);
    assert_eq!(lab.run_as_predicted(NODE, &task)?, [false]);
    assert_eq!(ports(&lab)?, "ens20f0np0\ntap100i0");
    all_answer(&lab)?;
    assert_eq!(mac()?, before);
    let route = lab.exec(NODE, &["ip", "route", "show", "default"])?;
    assert!(route.starts_with("default via 192.0.2.1 dev vmbr0"), "{route}");
    assert_eq!(lab.exec(NODE, &["ip", "link", "show", "type", "bridge"])?, "");
    Ok(())
}

/// An address that comes up with another MAC is deaf until its neighbours ask again.
#[test]
fn the_address_keeps_the_mac_that_its_neighbours_know() -> Result<()> {
    let lab = fresh()?;
    let mac = || lab.sh(NODE, "cat /sys/class/net/vmbr0/address");
    // An OVSBridge takes the lowest, the MAC of the NIC that was plugged in last.
    lab.sh(
        NODE,
        "sed -i 's/bridge-ports .*/bridge-ports ens20f0np0 ens19f0np0/' /etc/network/interfaces; ifreload -a",
    )?;
    lab.lab("guest", &[NODE, "100", "0", "192.0.2.100/24"])?;
    lab.sh(NODE, "ip link set vmbr0 address $(cat /sys/class/net/ens20f0np0/address)")?;
    let before = mac()?;
    assert_ne!(before, lab.sh(NODE, "cat /sys/class/net/ens19f0np0/address")?);
    assert_eq!(lab.run_as_predicted(NODE, &[one_task()])?, [true]);
    assert_eq!(mac()?, before);
    lab.exec(NODE, &["ifreload", "-a"])?;
    assert_eq!(mac()?, before);
    assert_eq!(lab.run_as_predicted(NODE, &[one_task()])?, [false]);
    Ok(())
}

/// At boot nothing is left of what ifupdown2 saved, and what it did not save it can't undo.
#[test]
fn it_does_not_matter_what_ifupdown2_remembers() -> Result<()> {
    let lab = fresh()?;
    lab.sh(NODE, "find /run/network /var/tmp/network -type f -delete")?;
    assert_eq!(lab.run_as_predicted(NODE, &[one_task()])?, [true]);
    all_answer(&lab)
}

#[test]
fn staged_tasks_and_one_apply_make_bridge_bond_and_intport_of_it() -> Result<()> {
    let lab = fresh()?;
    let before = configuration(&lab)?;
    for task in staged() {
        assert_eq!(lab.run_as_predicted(NODE, &[task.clone(), task])?, [true, false]);
    }
    // Nothing but the staged file is there, and it is as the web interface leaves one.
    lab.sh(NODE, "mv /etc/network/interfaces.new /root/staged")?;
    assert_eq!(configuration(&lab)?, before);
    lab.sh(NODE, "mv /root/staged /etc/network/interfaces.new")?;
    all_answer(&lab)?;

    assert_eq!(lab.run_as_predicted(NODE, &[apply()])?, [true]);
    assert_eq!(lab.run_as_predicted(NODE, &[apply()])?, [false]);
    assert_eq!(ports(&lab)?, "bond0\nmgmt\ntap100i0");
    assert_eq!(
        lab.sh(NODE, "ip -4 -oneline address show dev mgmt | tr -s ' ' | cut -d ' ' -f 4")?.trim(),
        "192.0.2.10/24"
    );
    assert!(!lab.exec(NODE, &["ip", "-4", "address", "show", "dev", "vmbr0"])?.contains("inet "));
    all_answer(&lab)?;
    // Nor is any of it left to do for the tasks themselves.
    for (module, mut arguments) in staged() {
        if let Some(arguments) = arguments.as_object_mut() {
            arguments.remove("apply");
        }
        assert!(!lab.module(NODE, module, &arguments)?.changed()?);
    }
    Ok(())
}

#[test]
fn a_failed_replacement_is_undone_with_the_guest_on_the_linux_bridge() -> Result<()> {
    let lab = fresh()?;
    failures_are_undone(&lab, &one_task())
}

#[test]
fn a_failed_apply_of_staged_tasks_is_undone_with_the_guest_on_the_linux_bridge() -> Result<()> {
    let lab = fresh()?;
    lab.run(NODE, &staged())?;
    failures_are_undone(&lab, &apply())
}

fn failures_are_undone(lab: &Lab, (module, arguments): &Task) -> Result<()> {
    let before = configuration(lab)?;
    for (script, code) in [
        ("exit 1", "reload_failed"),
        ("exit 0", "not_settled"),
        ("/sbin/ifreload -a; echo 'error: vmbr0: too late' >&2; exit 1", "reload_failed"),
    ] {
        lab.write(NODE, "/root/ifreload", script)?;
        let environment = ["BOTHENDS_IFRELOAD=sh /root/ifreload", "BOTHENDS_LIMIT_SETTLE=2"];
        let answer = lab.module_with(NODE, &environment, module, arguments)?;
        assert_eq!(answer.failure()?, (code, "rolled_back"), "{script}: {}", answer.message());
        assert_eq!(configuration(lab)?, before, "{script}");
        all_answer(lab).context(script)?;
    }
    assert!(lab.module(NODE, module, arguments)?.changed()?);
    all_answer(lab)
}

#[test]
fn a_replacement_that_was_killed_is_undone_by_the_next_run() -> Result<()> {
    let lab = fresh()?;
    killed_anywhere(&lab, &one_task(), By::NextRun)
}

#[test]
fn a_replacement_that_was_killed_is_undone_by_its_guard_with_nobody_there() -> Result<()> {
    let lab = fresh()?;
    killed_anywhere(&lab, &one_task(), By::Guard)
}

#[test]
fn an_apply_of_staged_tasks_that_was_killed_is_undone_by_the_next_run() -> Result<()> {
    let lab = fresh()?;
    lab.run(NODE, &staged())?;
    killed_anywhere(&lab, &apply(), By::NextRun)
}

/// Who goes back.
#[derive(Debug, Clone, Copy)]
enum By {
    Guard,
    NextRun,
}

fn killed_anywhere(lab: &Lab, (module, arguments): &Task, undone_by: By) -> Result<()> {
    let before = configuration(lab)?;
    // With the Linux bridge gone and nothing in its place, and with everything done.
    for script in
        ["touch /tmp/reached; exec sleep 600", "/sbin/ifreload -a; touch /tmp/reached; exec sleep 600"]
    {
        lab.sh(NODE, "rm -f /tmp/reached")?;
        lab.write(NODE, "/root/ifreload", script)?;
        let mut run = lab.start_module(NODE, &["BOTHENDS_IFRELOAD=sh /root/ifreload"], module, arguments)?;
        wait_until(script, LONG, || {
            Ok(lab.sh(NODE, "[ ! -e /tmp/reached ] || echo yes")?.contains("yes").then_some(()))
        })?;
        // Whoever goes back needs the real one.
        lab.write(NODE, "/root/ifreload", "exec /sbin/ifreload -a")?;
        match undone_by {
            By::Guard => {
                lab.kill_run(NODE)?;
                run.wait()?;
                lab.wait_until_undone(NODE)?;
            }
            By::NextRun => {
                lab.kill_run_and_guard(NODE)?;
                run.wait()?;
                let next = lab.module(NODE, module, arguments)?;
                assert_eq!(
                    next.failure()?,
                    ("interrupted_run", "rolled_back"),
                    "{script}: {}",
                    next.message()
                );
            }
        }
        assert_eq!(configuration(lab)?, before, "{script}");
        all_answer(lab).context(script)?;
    }
    assert!(lab.module(NODE, module, arguments)?.changed()?);
    all_answer(lab)
}

/// What Proxmox does with guests while a change waits is not undone with it, and does not stand against its confirmation.
#[test]
fn guests_that_come_and_go_while_a_change_waits_are_where_they_belong() -> Result<()> {
    let lab = fresh()?;
    let network_apply = |arguments: Value| lab.module(NODE, "pve_network_apply", &arguments)?.changed();
    let starts = |id: &str| lab.lab("guest", &[NODE, id, "0", &format!("192.0.2.{id}/24")]);
    let stops =
        |id: &str| lab.sh(NODE, &format!("ovs-vsctl del-port vmbr0 tap{id}i0; ip link delete dev tap{id}i0"));

    lab.run(NODE, &staged())?;
    assert!(network_apply(json!({"confirm_within": 300}))?);
    starts("101")?;
    stops("100")?;
    assert!(network_apply(json!({"state": "discarded"}))?);
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.sh(NODE, "ls /sys/class/net/vmbr0/brif")?.trim(), "ens20f0np0\ntap101i0");
    answers(&lab, MANAGEMENT)?;
    answers(&lab, "192.0.2.101")?;

    lab.run(NODE, &staged())?;
    assert!(network_apply(json!({"confirm_within": 300}))?);
    starts("102")?;
    stops("101")?;
    assert!(network_apply(json!({"state": "confirmed"}))?);
    assert_eq!(ports(&lab)?, "bond0\nmgmt\ntap102i0");
    answers(&lab, MANAGEMENT)?;
    answers(&lab, "192.0.2.102")
}

/// With nobody there, and Open vSwitch dead for good: its own link is in the place of the bridge.
#[test]
fn the_linux_bridge_comes_back_without_open_vswitch() -> Result<()> {
    let lab = fresh()?;
    let before = configuration(&lab)?;
    lab.run(NODE, &staged())?;
    assert!(lab.module(NODE, "pve_network_apply", &json!({"confirm_within": 15}))?.changed()?);
    lab.sh(NODE, "kill -STOP $(cat /run/openvswitch/ovs-vswitchd.pid); kill -KILL $(cat /run/openvswitch/ovsdb-server.pid)")?;
    wait_until("the Linux bridge", LONG, || {
        let ports = lab.sh(NODE, "ls /sys/class/net/vmbr0/brif 2>/dev/null || true")?;
        Ok((ports.trim() == "ens20f0np0\ntap100i0").then_some(()))
    })?;
    all_answer(&lab)?;

    lab.sh(
        NODE,
        "kill -KILL $(cat /run/openvswitch/ovs-vswitchd.pid)
         PATH=/usr/share/openvswitch/scripts:$PATH ovs-ctl --no-monitor --system-id=random --no-record-hostname start",
    )?;
    lab.wait_until_undone(NODE)?;
    assert_eq!(configuration(&lab)?, before);
    all_answer(&lab)
}

/// A node as the installer leaves it, and a guest on its bridge.
fn fresh() -> Result<Lab> {
    let lab = Lab::up()?;
    lab.write(NODE, "/etc/network/interfaces", FRESH)?;
    lab.exec(NODE, &["ifreload", "-a"])?;
    lab.lab("guest", &[NODE, "100", "0", "192.0.2.100/24"])?;
    lab.sh(PEER, "ip address add 192.0.2.1/24 dev ens20f0np0; ip link set ens20f0np0 up")?;
    all_answer(&lab)?;
    Ok(lab)
}

fn one_task() -> Task {
    ("pve_ovs_bridge", json!({"name": "vmbr0", "replace_linux_bridge": true, "datapath_type": "netdev"}))
}

fn staged() -> [Task; 3] {
    [
        (
            "pve_ovs_bridge",
            json!({"name": "vmbr0", "replace_linux_bridge": true, "ports": [], "cidr": "", "gateway": "",
                   "datapath_type": "netdev", "apply": false}),
        ),
        (
            "pve_ovs_bond",
            json!({"name": "bond0", "bridge": "vmbr0", "members": ["ens20f0np0", "ens20f1np1"], "mode": "active-backup",
                   "apply": false}),
        ),
        (
            "pve_ovs_intport",
            json!({"name": "mgmt", "bridge": "vmbr0", "cidr": "192.0.2.10/24", "gateway": "192.0.2.1", "apply": false}),
        ),
    ]
}

fn apply() -> Task {
    ("pve_ovs_bridge", json!({"name": "vmbr0", "pending": "apply"}))
}

fn all_answer(lab: &Lab) -> Result<()> {
    answers(lab, MANAGEMENT)?;
    answers(lab, GUEST)
}

/// From beyond the cable.
fn answers(lab: &Lab, address: &str) -> Result<()> {
    lab.wait_for_answer(PEER, &[], address)
}

fn ports(lab: &Lab) -> Result<String> {
    lab.vsctl(NODE, &["list-ports", "vmbr0"])
}

/// What the node is set to, and what is on its Linux bridge.
fn configuration(lab: &Lab) -> Result<String> {
    let bridge = lab.sh(
        NODE,
        "for bridge in /sys/class/net/*/bridge; do [ ! -d $bridge ] || grep . $bridge/forward_delay $bridge/stp_state; done
         ls -d /sys/class/net/*/brif/* 2>/dev/null || true
         cat /sys/class/net/vmbr0/address",
    )?;
    Ok(lab.configuration(NODE)? + &bridge)
}
