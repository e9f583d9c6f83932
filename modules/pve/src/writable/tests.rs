use super::*;

/// What is found in a file on a node with the NICs eno1, eno2 and eno3.
fn found(file: &str) -> Vec<String> {
    let is_physical = |name: &str| ["eno1", "eno2", "eno3"].contains(&name);
    let interfaces = Interfaces::parse(file.as_bytes());
    let problems = problems(&interfaces, &is_physical);
    problems.iter().map(|problem| format!("{:?} {:?} {problem}", problem.effect, problem.objects)).collect()
}

const GOOD: &str = "\
auto lo
iface lo inet loopback

auto eno1
iface eno1 inet manual
\tmtu 9000

auto mgmt
iface mgmt inet static
\taddress 10.0.0.2/24
\tovs_type OVSIntPort
\tovs_bridge vmbr0
\tovs_options tag=10

auto bond0
iface bond0 inet manual
\tovs_bonds eno1 eno2
\tovs_type OVSBond
\tovs_bridge vmbr0
\tovs_mtu 9000
\tovs_options bond_mode=balance-tcp lacp=active

auto vmbr0
iface vmbr0 inet manual
\tovs_type OVSBridge
\tovs_ports bond0 mgmt
\tovs_mtu 9000
";

#[test]
fn a_file_that_proxmox_wrote_has_no_problem() {
    assert_eq!(found(GOOD), Vec::<String>::new());
    assert_eq!(found(""), Vec::<String>::new());
    assert_eq!(
        found("auto vmbr0\niface vmbr0 inet static\n\taddress 10.0.0.2/24\n\tbridge-ports eno1\n"),
        Vec::<String>::new()
    );
    assert_eq!(
        found("iface bond1\n\tbond-slaves eno1 eno2\n\tbond-mode 802.3ad\n\niface eno1\n\tmtu 9000\n"),
        Vec::<String>::new()
    );
    assert_eq!(found("iface eno1.5 inet manual\n"), Vec::<String>::new());
    assert_eq!(found("iface vmbr0\n\tbridge_ports eno1.5\n"), Vec::<String>::new());
}

#[test]
fn what_makes_proxmox_refuse_every_change_is_found() {
    for (old, new, expected) in [
        (
            "iface lo inet loopback",
            "iface lo inet loopback\n\niface vmbr9\n\tbridge_ports eno1",
            r#"["eno1", "bond0", "vmbr9"] both `bond0` and `vmbr9` have `eno1` as their port; hint: take it out of one of them"#,
        ),
        (
            "ovs_ports bond0 mgmt",
            "ovs_ports bond0 mgmt ghost",
            r#"["vmbr0", "ghost"] `ovs_ports` of `vmbr0` names `ghost`, which has no stanza; hint: declare it, or take it out of that line"#,
        ),
        (
            "ovs_ports bond0 mgmt\n\tovs_mtu 9000\n",
            "ovs_ports bond0 mgmt up\n\tovs_mtu 9000\n\niface up\n\tovs_type OVSBond\n\tovs_bonds eno3 eno4",
            r#"["vmbr0", "up"] `ovs_ports` of `vmbr0` names `up`, which Proxmox can't place; hint: name the bond `bond` and a number"#,
        ),
        (
            "ovs_bonds eno1 eno2",
            "ovs_bonds eno1 lan7",
            r#"["bond0", "lan7"] `bond0` has the member `lan7`, which is no NIC of this node and has no stanza; hint: take it out, or put a NIC in its place"#,
        ),
        (
            "bond_mode=balance-tcp lacp=active",
            "bond_mode=802.3ad",
            r#"["bond0"] `bond0` has `bond_mode=802.3ad`, which Proxmox does not know; hint: one of active-backup, balance-slb, balance-tcp"#,
        ),
        (
            "\tovs_ports bond0 mgmt\n\tovs_mtu 9000",
            "\tovs_ports bond0 mgmt",
            r#"["vmbr0", "bond0"] `vmbr0` has no MTU, which counts as 1500, and `bond0` has 9000; hint: raise that of `vmbr0`, or lower that of `bond0`"#,
        ),
        (
            "\tovs_bridge vmbr0\n\tovs_mtu 9000",
            "\tovs_bridge vmbr0\n\tovs_mtu 8000",
            r#"["bond0", "eno1"] `bond0` has the MTU 8000, and `eno1` has 9000; hint: raise that of `bond0`, or lower that of `eno1`"#,
        ),
        (
            "iface lo inet loopback",
            "iface lo inet loopback\n\niface vmbr0.5 inet manual",
            r#"["vmbr0.5", "vmbr0"] `vmbr0.5` is a VLAN on `vmbr0`, which Proxmox takes for an OVSBridge; hint: on Open vSwitch a VLAN is an IntPort with a tag: pve_ovs_intport"#,
        ),
        (
            "iface lo inet loopback",
            "iface lo inet loopback\n\niface vmbr9\n\tbridge_ports eno3\n\niface eno3 inet static\n\taddress 10.1.0.1/24",
            r#"["vmbr9", "eno3"] `eno3` has an address and is a port of the Linux bridge `vmbr9`; hint: move the address to the bridge"#,
        ),
    ] {
        assert!(GOOD.contains(old), "{old}");
        assert_eq!(found(&GOOD.replacen(old, new, 1)), [format!("Refused {expected}")], "{new}");
    }
}

#[test]
fn what_proxmox_would_not_keep_is_found() {
    for (old, new, expected) in [
        (
            "ovs_ports bond0 mgmt",
            "ovs_ports bond0",
            r#"["mgmt", "vmbr0"] no `ovs_ports` line names `mgmt`: of an OVSIntPort nothing but the name is kept; hint: list it in `ovs_ports` of its bridge"#,
        ),
        (
            "bond_mode=balance-tcp lacp=active",
            "bond_mode=balance-slb lacp=passive",
            r#"["bond0"] `bond0` loses its `lacp=passive` with `bond_mode=balance-slb`; hint: let `mode` of pve_ovs_bond say what it shall be"#,
        ),
        (
            "bond_mode=balance-tcp lacp=active",
            "lacp=active",
            r#"["bond0"] `bond0` loses its `lacp=active` with `bond_mode=active-backup`; hint: let `mode` of pve_ovs_bond say what it shall be"#,
        ),
        (
            "bond_mode=balance-tcp lacp=active",
            "bond_mode=balance-tcp lacp=passive",
            r#"["bond0"] the `lacp=passive` of `bond0` becomes `lacp=active` with `bond_mode=balance-tcp`; hint: let `mode` of pve_ovs_bond say what it shall be"#,
        ),
        (
            "bond_mode=balance-tcp lacp=active",
            "bond_mode=balance-tcp",
            r#"["bond0"] `bond0` gets `lacp=active` with `bond_mode=balance-tcp`; hint: let `mode` of pve_ovs_bond say what it shall be"#,
        ),
        (
            "ovs_options tag=10",
            "ovs_options tag=10 lone",
            r#"["mgmt"] `ovs_options` of `mgmt` has the word `lone`, which sets nothing; hint: take it out"#,
        ),
        (
            "\tovs_type OVSIntPort\n",
            "\tovs_type OVSIntPort\n\tovs-options tag=11\n",
            r#"["mgmt"] `mgmt` has `ovs-options`, which ifupdown2 understands and Proxmox does not; hint: write an underscore for the dash"#,
        ),
        (
            "\tovs_bridge vmbr0\n\tovs_options tag=10\n",
            "\tovs_bridge vmbr0\n\n\tovs_options tag=10\n",
            r#"["mgmt"] a blank line in the stanza of `mgmt` cuts off `ovs_options tag=10`; hint: remove that blank line"#,
        ),
    ] {
        assert!(GOOD.contains(old), "{old}");
        assert_eq!(found(&GOOD.replacen(old, new, 1)), [format!("Lost {expected}")], "{new}");
    }
}
