//! NICs that cannot be a member or a port: somebody uses them, or they are none.

use anyhow::Result;
use lab::Lab;
use lab::link::node_end;
use serde_json::json;

use crate::{BOND, BRIDGE, Mode, refused, refused_after};

#[test]
fn a_nic_that_is_not_free() -> Result<()> {
    let lab = Lab::up()?;
    lab.run("node1", &node_end("node1")[..1])?;
    let bond = || json!({"name": "bond0", "bridge": "vmbr0", "members": ["ens20f0np0", "ens20f1np1"]});
    let bridge = || json!({"name": "vmbr0", "ports": ["ens20f0np0"]});
    for (by_hand, undo, code, tells) in [
        (
            "ip link add brx type bridge; ip link set ens20f0np0 master brx",
            "ip link set ens20f0np0 nomaster; ip link del brx",
            "port_in_use",
            &["`ens20f0np0`", "Linux bridge `brx`"][..],
        ),
        (
            "ip address add 192.0.2.1/24 dev ens20f0np0",
            "ip address flush dev ens20f0np0",
            "nic_has_address",
            &["`ens20f0np0`", "192.0.2.1/24"],
        ),
        (
            "sed -i 's/^iface ens20f0np0 inet manual/iface ens20f0np0 inet static\\n\\taddress 192.0.2.2\\/24/' /etc/network/interfaces",
            "",
            "nic_has_address",
            &["`ens20f0np0`", "192.0.2.2/24"],
        ),
        (
            "sed -i 's/^iface ens20f0np0 inet manual/iface ens20f0np0 inet dhcp/' /etc/network/interfaces",
            "",
            "nic_has_address",
            &["`ens20f0np0`", "dhcp"],
        ),
        (
            "ovs-vsctl add-br other -- set Bridge other datapath_type=netdev -- add-bond other bond7 ens20f0np0 ens21f0np0",
            "ovs-vsctl del-br other",
            "port_in_use",
            &["`ens20f0np0`", "`bond7`", "`other`"],
        ),
        (
            "printf 'iface bond7 inet manual\\n\\tovs_bonds ens20f0np0 ens21f0np0\\n\\tovs_type OVSBond\\n\\tovs_bridge vmbr1\\n' >>/etc/network/interfaces",
            "",
            "port_in_use",
            &["`ens20f0np0`", "`bond7`", "`ovs_bonds`"],
        ),
        (
            "printf 'iface vmbr1 inet manual\\n\\tbridge-ports ens20f0np0\\n\\tbridge-stp off\\n' >>/etc/network/interfaces",
            "",
            "port_in_use",
            &["`ens20f0np0`", "`vmbr1`"],
        ),
        (
            "printf 'iface ens20f0np0.5 inet manual\\n' >>/etc/network/interfaces",
            "",
            "port_in_use",
            &["`ens20f0np0`", "`ens20f0np0.5`", "VLAN"],
        ),
    ] {
        refused_after(&lab, by_hand, undo, &[(BOND, bond(), code, tells), (BRIDGE, bridge(), code, tells)])?;
    }
    refused(
        &lab,
        Mode::Both,
        &[
            (
                BOND,
                json!({"name": "bond0", "bridge": "vmbr0", "members": ["ens20f0np0", "ens99"]}),
                "nic_not_found",
                &["`members`", "`ens99`", "ens20f1np1"],
            ),
            (BRIDGE, json!({"name": "vmbr0", "ports": ["ens99"]}), "nic_not_found", &["`ports`", "`ens99`"]),
            (
                BOND,
                json!({"name": "bond0", "bridge": "vmbr0", "members": ["ens20f0np0", "lab0"]}),
                "not_a_nic",
                &["`members`", "`lab0`"],
            ),
        ],
    )?;
    // All of it undone, the same arguments are good.
    assert!(lab.module("node1", BOND, &bond())?.changed()?);
    Ok(())
}
