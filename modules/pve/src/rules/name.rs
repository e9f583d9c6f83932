//! Names of bridges, bonds, IntPorts and NICs, as the kernel, Open vSwitch, ifupdown2 and Proxmox all take them.

use ansible_module::fault::Fault;

use crate::interfaces::looks_like_a_nic;

/// Names that guests, firewall bridges and vnets use for their own ports.
const OTHERS_PREFIXES: [&str; 6] = ["tap", "veth", "fw", "ln_", "vmbr", "ovs_"];

/// The name of an OVSBridge: 2 to 10 letters, digits and underscores (Proxmox's web interface takes no more).
pub fn bridge_name(option: &str, name: &str) -> Result<(), Fault> {
    let fits = (2..=10).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits && !is_bond_name(name) && !looks_like_a_nic(name) {
        return Ok(());
    }
    Err(invalid_name(
        option,
        name,
        "a bridge's name has 2 to 10 letters, digits and underscores, begins with a letter, and is not like a NIC's or a bond's",
        "vmbr0",
    ))
}

/// The name of an OVSBond: `bond` and one to four digits; Proxmox takes any other for an unknown interface, and
/// every later change in its web interface then fails.
pub fn bond_name(option: &str, name: &str) -> Result<(), Fault> {
    if is_bond_name(name) {
        return Ok(());
    }
    Err(invalid_name(
        option,
        name,
        "a bond's name is `bond` and one to four digits: Proxmox takes no other",
        "bond0",
    ))
}

fn is_bond_name(name: &str) -> bool {
    name.strip_prefix("bond").is_some_and(|digits| {
        (1..=4).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// The name of an OVSIntPort: 2 to 15 lower-case letters, digits and underscores, and nothing that Proxmox takes
/// for something else.
pub fn intport_name(option: &str, name: &str) -> Result<(), Fault> {
    let fits = (2..=15).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !fits {
        return Err(invalid_name(
            option,
            name,
            "an IntPort's name has 2 to 15 lower-case letters, digits and underscores, and begins with a letter",
            "mgmt",
        ));
    }
    let others = OTHERS_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if others || looks_like_a_nic(name) || is_bond_name(name) || name == "lo" {
        return Err(invalid_name(
            option,
            name,
            "Proxmox takes such a name for a NIC, a bond, a bridge or a guest's port",
            "mgmt",
        ));
    }
    Ok(())
}

/// The name of a NIC that can stand in the interfaces file: it reaches ifupdown2's shell, and Proxmox takes no
/// other characters.
pub fn nic_name(option: &str, name: &str) -> Result<(), Fault> {
    let fits = (2..=15).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        return Ok(());
    }
    Err(invalid_name(
        option,
        name,
        "a NIC's name has 2 to 15 letters, digits and underscores, and begins with a letter",
        "ens20f0np0",
    ))
}

fn invalid_name(option: &str, name: &str, rule: &str, example: &str) -> Fault {
    Fault::new(
        "invalid_name",
        format!(
            "option `{option}`: `{}` can't be used: {rule}; hint: such as `{example}`",
            name.escape_debug()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_proxmox_takes() {
        for (check, good, bad) in [
            (
                bridge_name as fn(&str, &str) -> Result<(), Fault>,
                vec!["vmbr0", "vm", "Uplink_1", "a123456789"],
                vec![
                    "",
                    "v",
                    "0vmbr",
                    "vmbr0.5",
                    "vm br",
                    "a1234567890",
                    "bond0",
                    "eth0",
                    "eno1",
                    "vmbr-0",
                    "vmbr0\n",
                    "vmbrö",
                ],
            ),
            (
                bond_name,
                vec!["bond0", "bond9999"],
                vec!["bond", "bond12345", "Bond0", "uplink", "bond0.5", "bond-1", "bond٣", "bond0\n"],
            ),
            (
                intport_name,
                vec!["mgmt", "vlan10", "corosync_0", "a2"],
                vec![
                    "m",
                    "Mgmt",
                    "eth0",
                    "eno1",
                    "ens",
                    "nic1",
                    "ibs3",
                    "bond0",
                    "tap100i0",
                    "veth100i0",
                    "fwln1",
                    "vmbr1",
                    "ln_x",
                    "lo",
                    "a.10",
                    "a:1",
                    "averyverylongname",
                ],
            ),
            (
                nic_name,
                vec!["eth0", "ens20f0np0", "lan1"],
                vec!["", "a;b", "e$(x)", "ens 1", "../x", "x-y", "0eth"],
            ),
        ] {
            for name in good {
                assert_eq!(check("name", name), Ok(()), "{name}");
            }
            for name in bad {
                assert_eq!(check("name", name).map_err(|fault| fault.code), Err("invalid_name"), "{name}");
            }
        }
    }
}
