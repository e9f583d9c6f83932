//! What a node with a link in use does not let happen to it.

use anyhow::Result;
use lab::Lab;
use lab::link::node_end;
use serde_json::json;

use crate::{BOND, BRIDGE, INTPORT, Mode, refused, refused_after};

#[test]
fn what_a_node_that_is_in_use_refuses() -> Result<()> {
    let lab = Lab::up()?;
    assert_eq!(lab.run("node1", &node_end("node1"))?, [true; 3]);
    refused(
        &lab,
        Mode::Both,
        &[
            (
                BRIDGE,
                json!({"name": "vmbr0", "state": "absent"}),
                "bridge_in_use",
                &["`vmbr0`", "an OVSBond `bond0`", "an OVSIntPort `mgmt`"],
            ),
            (
                INTPORT,
                json!({"name": "storage", "bridge": "vmbr0", "cidr": "10.20.0.2/24", "gateway": "10.20.0.1"}),
                "gateway_in_use",
                &["`gateway`", "`mgmt`", "10.10.0.1"],
            ),
            (
                BRIDGE,
                json!({"name": "vmbr0", "cidr": "10.20.0.2/24", "gateway": "10.20.0.1"}),
                "gateway_in_use",
                &["`gateway`", "`mgmt`", "10.10.0.1"],
            ),
            (
                INTPORT,
                json!({"name": "storage", "bridge": "vmbr0", "cidr": "10.10.0.2/16"}),
                "address_in_use",
                &["`cidr`", "`mgmt`", "10.10.0.2"],
            ),
            // In the kernel alone: the lab's own link, which is in no file.
            (
                INTPORT,
                json!({"name": "storage", "bridge": "vmbr0", "cidr": "198.18.1.2/24"}),
                "address_in_use",
                &["`cidr`", "`lab0`", "198.18.1.2"],
            ),
            (INTPORT, json!({"name": "lab0", "bridge": "vmbr0"}), "name_in_use", &["`lab0`"]),
            (
                BOND,
                json!({"name": "bond1", "bridge": "vmbr0", "members": ["ens19f0np0", "ens20f1np1"]}),
                "port_in_use",
                &["`members`", "`ens20f1np1`", "`bond0`"],
            ),
        ],
    )
}

#[test]
fn changes_that_somebody_staged_or_made_by_hand() -> Result<()> {
    let lab = Lab::up()?;
    assert_eq!(lab.run("node1", &node_end("node1"))?, [true; 3]);
    let staged = &["interfaces.new"];
    refused_after(
        &lab,
        "cp /etc/network/interfaces /etc/network/interfaces.new",
        "rm /etc/network/interfaces.new",
        &[
            (BRIDGE, json!({"name": "vmbr0"}), "pending_changes", staged),
            (BOND, json!({"name": "bond0", "tag": 5}), "pending_changes", staged),
            (INTPORT, json!({"name": "mgmt", "state": "absent"}), "pending_changes", staged),
        ],
    )?;
    refused_after(
        &lab,
        "sed -i 's/^\\(\tovs_options\\) /\\1 updelay=5000 /' /etc/network/interfaces",
        "",
        &[
            (BOND, json!({"name": "bond0"}), "unsupported_ovs_option", &["`bond0`", "`updelay=5000`"]),
            (INTPORT, json!({"name": "mgmt"}), "unsupported_ovs_option", &["`mgmt`", "`updelay=5000`"]),
        ],
    )?;
    refused_after(
        &lab,
        "sed -i 's/^\tovs_options/\\n&/' /etc/network/interfaces",
        "",
        &[
            (BOND, json!({"name": "bond0"}), "stanza_cut", &["`bond0`", "ovs_options bond_mode"]),
            (INTPORT, json!({"name": "mgmt"}), "stanza_cut", &["`mgmt`", "`ovs_options tag=10`"]),
        ],
    )
}

#[test]
fn names_of_something_else() -> Result<()> {
    let lab = Lab::up()?;
    assert_eq!(lab.run("node1", &node_end("node1"))?, [true; 3]);
    refused_after(
        &lab,
        "ip link add vmbr1 type bridge
         printf 'iface vmbr1 inet manual\n\tbridge-ports none\n\tbridge-stp off\n' >>/etc/network/interfaces",
        "ip link del vmbr1",
        &[
            (BRIDGE, json!({"name": "vmbr1"}), "name_in_use", &["`vmbr1`", "a Linux bridge"]),
            (
                BRIDGE,
                json!({"name": "vmbr1", "state": "absent"}),
                "name_in_use",
                &["`vmbr1`", "a Linux bridge"],
            ),
            (
                BOND,
                json!({"name": "bond0", "bridge": "vmbr1"}),
                "not_an_ovs_bridge",
                &["`bridge`", "`vmbr1`", "a Linux bridge"],
            ),
            (
                INTPORT,
                json!({"name": "storage", "bridge": "vmbr1"}),
                "not_an_ovs_bridge",
                &["`bridge`", "`vmbr1`", "a Linux bridge"],
            ),
        ],
    )?;
    refused_after(
        &lab,
        "ip link add vmbr1 type bridge",
        "ip link del vmbr1",
        &[
            (BRIDGE, json!({"name": "vmbr1"}), "name_in_use", &["`vmbr1`"]),
            (
                BOND,
                json!({"name": "bond0", "bridge": "vmbr1"}),
                "not_an_ovs_bridge",
                &["`bridge`", "`vmbr1`"],
            ),
            (
                INTPORT,
                json!({"name": "mgmt", "bridge": "vmbr1"}),
                "not_an_ovs_bridge",
                &["`bridge`", "`vmbr1`"],
            ),
        ],
    )?;
    refused_after(
        &lab,
        "printf 'auto bond1\niface bond1 inet manual\n\tbond-slaves none\n\tbond-mode 802.3ad\n' >>/etc/network/interfaces",
        "",
        &[
            (
                BOND,
                json!({"name": "bond1", "bridge": "vmbr0", "members": ["ens19f0np0", "ens21f0np0"]}),
                "name_in_use",
                &["`bond1`", "a Linux bond"],
            ),
            (BOND, json!({"name": "bond1", "state": "absent"}), "name_in_use", &["`bond1`", "a Linux bond"]),
        ],
    )
}

#[test]
fn a_run_without_open_vswitch() -> Result<()> {
    let lab = Lab::up_with(&["--no-ovs"])?;
    let told = &["hint: install `openvswitch-switch`", "systemctl start openvswitch-switch"];
    let cases =
        node_end("node1").map(|(module, arguments)| (module, arguments, "ovs_not_running", &told[..]));
    refused(&lab, Mode::RunOnly, &cases)
}
