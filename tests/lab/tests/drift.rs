//! Drift: what somebody changed by hand behind the modules' back is found, told, repaired by the task that looks
//! after it, and by no other; and what is nobody's of these modules stays.

use std::time::Duration;

use anyhow::{Context, Result};
use lab::link::{MEMBERS, Task, node_end};
use lab::{Lab, wait_until};

/// What is done by hand, and which of the tasks (bridge, bond, IntPort) repair it.
type Drift = (&'static str, &'static str, [bool; 3]);

const BRIDGE: [bool; 3] = [true, false, false];
const BOND: [bool; 3] = [false, true, false];
const INTPORT: [bool; 3] = [false, false, true];

#[test]
fn open_vswitch_changed_by_hand_is_repaired() -> Result<()> {
    repaired(&[
        ("a member removed", "ovs-vsctl del-bond-iface bond0 ens20f1np1", BOND),
        ("a member added", "ovs-vsctl add-bond-iface bond0 ens21f0np0", BOND),
        ("the bond deleted", "ovs-vsctl del-port bond0", BOND),
        ("the bond's mode changed", "ovs-vsctl set Port bond0 bond_mode=balance-slb", BOND),
        ("the bond's mode cleared", "ovs-vsctl clear Port bond0 bond_mode", BOND),
        ("LACP switched off", "ovs-vsctl set Port bond0 lacp=off", BOND),
        ("LACP passive", "ovs-vsctl set Port bond0 lacp=passive", BOND),
        ("the bond tagged", "ovs-vsctl set Port bond0 tag=20", BOND),
        ("the bond's trunks set", "ovs-vsctl set Port bond0 trunks=1,2 vlan_mode=trunk", BOND),
        ("a delay set", "ovs-vsctl set Port bond0 bond_updelay=5000 bond_downdelay=100", BOND),
        ("LACP slow", "ovs-vsctl set Port bond0 other_config:lacp-time=slow", BOND),
        ("the fallback removed", "ovs-vsctl remove Port bond0 other_config lacp-fallback-ab", BOND),
        ("other settings added", "ovs-vsctl set Port bond0 other_config:bond-rebalance-interval=2000", BOND),
        ("the IntPort's tag changed", "ovs-vsctl set Port mgmt tag=20", INTPORT),
        ("the IntPort's tag removed", "ovs-vsctl clear Port mgmt tag", INTPORT),
        ("the IntPort deleted", "ovs-vsctl del-port mgmt", INTPORT),
        // `ifreload -a` knows no single bridge: it brings back what was on it too.
        ("the bridge deleted", "ovs-vsctl del-br vmbr0", BRIDGE),
    ])
}

#[test]
fn links_changed_by_hand_are_repaired() -> Result<()> {
    repaired(&[
        ("the address removed", "ip address del 10.10.0.2/24 dev mgmt", INTPORT),
        ("the default route removed", "ip route del default", INTPORT),
        ("the IntPort down", "ip link set mgmt down", INTPORT),
        ("a member down", "ip link set ens20f1np1 down", BOND),
        ("the bridge down", "ip link set vmbr0 down", BRIDGE),
    ])
}

#[test]
fn the_file_changed_by_hand_is_repaired() -> Result<()> {
    repaired(&[
        (
            "the bond's mode",
            "sed -i s/bond_mode=balance-tcp/bond_mode=balance-slb/ /etc/network/interfaces",
            BOND,
        ),
        ("the bond's options", "sed -i '/ovs_options bond_mode/d' /etc/network/interfaces", BOND),
        (
            "a member",
            "sed -i 's/ovs_bonds .*/ovs_bonds ens20f0np0 ens21f0np0/' /etc/network/interfaces",
            BOND,
        ),
        ("a comment", "sed -i s/#uplink/#something/ /etc/network/interfaces", BOND),
        ("a member's auto line", "sed -i '/auto ens20f0np0/d' /etc/network/interfaces", BOND),
        ("the listing of the bond", "sed -i 's/ovs_ports .*/ovs_ports mgmt/' /etc/network/interfaces", BOND),
        (
            "the listing of the IntPort",
            "sed -i 's/ovs_ports .*/ovs_ports bond0/' /etc/network/interfaces",
            INTPORT,
        ),
        ("the IntPort's tag", "sed -i s/tag=10/tag=20/ /etc/network/interfaces", INTPORT),
        ("the IntPort's address", "sed -i s/10.10.0.2/10.10.0.4/ /etc/network/interfaces", INTPORT),
        ("the IntPort's gateway", "sed -i /gateway/d /etc/network/interfaces", INTPORT),
        ("the IntPort's auto line", "sed -i '/auto mgmt/d' /etc/network/interfaces", INTPORT),
        ("the IntPort's stanza", "sed -i '/auto mgmt/,/^$/d' /etc/network/interfaces", INTPORT),
        ("the bond's stanza", "sed -i '/auto bond0/,/^$/d' /etc/network/interfaces", BOND),
        (
            "all that the file says of the bond",
            "sed -i '/auto bond0/,/^$/d; s/ovs_ports .*/ovs_ports mgmt/' /etc/network/interfaces",
            BOND,
        ),
        ("the bridge's datapath", "sed -i /ovs_extra/d /etc/network/interfaces", BRIDGE),
    ])
}

#[test]
fn what_is_not_ours_stays() -> Result<()> {
    let lab = Lab::up()?;
    let tasks = tasks();
    assert_eq!(lab.run("node1", &tasks)?, [true; 3]);
    lab.sh("node1", "ip address add 10.10.0.77/24 dev mgmt; ip route add 203.0.113.0/24 via 10.10.0.9")?;
    let before = configuration(&lab)?;
    assert!(before.contains("10.10.0.77/24") && before.contains("203.0.113.0/24"));
    assert_eq!(lab.run("node1", &tasks)?, [false; 3]);

    // What is repaired in Open vSwitch alone needs no `ifreload -a`, which would take them away.
    lab.vsctl("node1", &["set", "Port", "mgmt", "tag=20"])?;
    assert_eq!(lab.run("node1", &tasks)?, INTPORT);
    assert_eq!(configuration(&lab)?, before);
    Ok(())
}

/// The node end with a comment, so that there is one to change.
fn tasks() -> [Task; 3] {
    let [bridge, mut bond, intport] = node_end("node1");
    if let Some(arguments) = bond.1.as_object_mut() {
        arguments.insert("comments".to_owned(), "uplink to the switch".into());
    }
    [bridge, bond, intport]
}

fn repaired(drifts: &[Drift]) -> Result<()> {
    let lab = Lab::up()?;
    let tasks = tasks();
    assert_eq!(lab.run("node1", &tasks)?, [true; 3]);
    assert_eq!(lab.run("node2", &node_end("node2"))?, [true; 3]);
    // Others' things: a bridge made by hand, a stanza with a comment, a file that is included.
    lab.sh(
        "node1",
        "ovs-vsctl add-br other -- set Bridge other datapath_type=netdev -- add-port other other0 -- \
             set Interface other0 type=internal -- set Port other0 tag=7 external_ids:owner=somebody
         printf 'iface other0 inet manual\\n#kept by somebody\\n\\nsource /etc/network/interfaces.d/*\\n' >>/etc/network/interfaces",
    )?;
    let declared = configuration(&lab)?;

    for (name, by_hand, repairs) in drifts {
        let drifted = || -> Result<()> {
            lab.sh("node1", by_hand)?;
            assert_ne!(configuration(&lab)?, declared);
            assert_eq!(lab.run_as_predicted("node1", &tasks)?, *repairs);
            assert_eq!(configuration(&lab)?, declared);
            assert_eq!(lab.run("node1", &tasks)?, [false; 3]);
            Ok(())
        };
        drifted().with_context(|| format!("{name}: `{by_hand}`"))?;
    }

    for node in ["node1", "node2"] {
        for member in MEMBERS {
            wait_until("LACP after all of it", Duration::from_secs(30), || {
                let current = lab.vsctl(node, &["get", "Interface", member, "lacp_current"])?;
                Ok((current == "true").then_some(()))
            })?;
        }
    }
    lab.exec("node1", &["ping", "-c", "1", "-W", "5", "10.10.0.3"])?;
    Ok(())
}

/// A port that comes back into `ovs_ports` comes last; the order there means nothing.
fn configuration(lab: &Lab) -> Result<String> {
    Ok(lab.configuration("node1")?.replace("ovs_ports mgmt bond0", "ovs_ports bond0 mgmt"))
}
