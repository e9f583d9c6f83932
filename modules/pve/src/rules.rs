//! What Proxmox VE and this project take for a name, a comment, an address, a VLAN. Pure checks of single
//! values; what depends on the node is in `conflicts.rs`.

use std::net::Ipv4Addr;
use std::time::Duration;

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

/// A comment, trimmed at its end: one line that stays one line, and a text that stays one. ifupdown2 has the whole
/// file rendered by Mako where that is installed, comments too.
pub fn comment(option: &str, text: &str) -> Result<String, Fault> {
    let text = text.trim_end_matches(' ');
    let refuse = |what: &str| {
        Err(Fault::new(
            "invalid_text",
            format!(
                "option `{option}`: `{}` can't be used: {what} would become a line of its own in the interfaces file; \
                 hint: one line of plain text",
                text.escape_debug()
            ),
        ))
    };
    if text.chars().any(char::is_control) {
        return refuse("a newline or control character");
    }
    if text.ends_with('\\') {
        return refuse("what follows a backslash at the end");
    }
    if let Some(word) = ["${", "<%", "</%"].into_iter().find(|word| text.contains(word)) {
        return Err(Fault::new(
            "invalid_text",
            format!(
                "option `{option}`: `{}` can't be used: ifupdown2 may take `{word}` for a piece of program; hint: plain text",
                text.escape_debug()
            ),
        ));
    }
    Ok(text.to_owned())
}

/// An IPv4 address with prefix length, in its one spelling.
pub fn cidr(option: &str, text: &str) -> Result<String, Fault> {
    let parsed = text.trim().split_once('/').and_then(|(address, prefix)| {
        let prefix: u8 = prefix.parse().ok().filter(|prefix| (1..=32).contains(prefix))?;
        Some(format!("{}/{prefix}", host(address)?))
    });
    parsed.ok_or_else(|| {
        invalid_address(option, text, "an IPv4 address of a host with its prefix length", "10.10.0.2/24")
    })
}

/// An IPv4 gateway, in its one spelling.
pub fn gateway(option: &str, text: &str) -> Result<String, Fault> {
    let parsed = host(text.trim()).map(|address| address.to_string());
    parsed.ok_or_else(|| {
        invalid_address(option, text, "an IPv4 address of a host, without prefix length", "10.10.0.1")
    })
}

fn host(text: &str) -> Option<Ipv4Addr> {
    let address: Ipv4Addr = text.parse().ok()?;
    let is_host = !address.is_unspecified()
        && !address.is_multicast()
        && !address.is_broadcast()
        && !address.is_loopback();
    is_host.then_some(address)
}

fn invalid_address(option: &str, text: &str, rule: &str, example: &str) -> Fault {
    Fault::new(
        "invalid_address",
        format!("option `{option}`: `{}` is not {rule}; hint: such as `{example}`", text.escape_debug()),
    )
}

/// What has to be given because the object is to be made.
pub fn required(option: &str, name: &str, example: &str) -> Fault {
    Fault::new(
        "missing_option",
        format!(
            "option `{option}`: required, because `{name}` does not exist yet; hint: such as `{example}`"
        ),
    )
}

/// How long to wait; 0 does not.
pub fn wait(option: &str, seconds: i64) -> Result<Option<Duration>, Fault> {
    match u64::try_from(seconds) {
        Ok(seconds) => Ok((seconds > 0).then(|| Duration::from_secs(seconds))),
        Err(_) => Err(Fault::new(
            "invalid_number",
            format!("option `{option}`: {seconds} is not a number of seconds; hint: 0 does not wait"),
        )),
    }
}

/// A VLAN tag, or 0 where that takes it away.
pub fn vlan(option: &str, number: i64, zero_takes_away: bool) -> Result<u16, Fault> {
    let lowest = i64::from(!zero_takes_away);
    match u16::try_from(number) {
        Ok(vlan) if vlan <= 4094 && number >= lowest => Ok(vlan),
        _ => Err(Fault::new(
            "invalid_vlan",
            format!("option `{option}`: {number} is not a VLAN; hint: {lowest} to 4094"),
        )),
    }
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
                assert_eq!(check("name", name).unwrap_err().code, "invalid_name", "{name}");
            }
        }
    }

    #[test]
    fn a_comment_stays_one_line() {
        assert_eq!(
            comment("comments", "Kern-Switch, Port „7/1“ (R) "),
            Ok("Kern-Switch, Port „7/1“ (R)".to_owned())
        );
        assert_eq!(comment("comments", ""), Ok(String::new()));
        for text in [
            "a\nauto evil",
            "a\r",
            "tab\there",
            "\u{85}",
            "\u{1b}[1m",
            "end\\",
            "nul\0",
            "${x}",
            "<% import os %>",
            "</%def>",
        ] {
            assert_eq!(comment("comments", text).unwrap_err().code, "invalid_text", "{text:?}");
        }
    }

    #[test]
    fn addresses_have_one_spelling() {
        assert_eq!(cidr("cidr", " 10.10.0.2/24"), Ok("10.10.0.2/24".to_owned()));
        for text in [
            "10.10.0.2",
            "10.10.0.2/33",
            "10.10.0.2/0",
            "10.10.0/24",
            "010.1.1.1/8",
            "fd00::1/64",
            "x/24",
            "0.0.0.0/8",
            "224.0.0.1/4",
            "127.0.0.1/8",
            "10.0.0.1/24 ; reboot",
        ] {
            assert_eq!(cidr("cidr", text).unwrap_err().code, "invalid_address", "{text}");
        }
        assert_eq!(gateway("gateway", "10.10.0.1"), Ok("10.10.0.1".to_owned()));
        assert_eq!(gateway("gateway", "10.10.0.1/24").unwrap_err().code, "invalid_address");
    }

    #[test]
    fn vlans_are_1_to_4094() {
        assert_eq!(vlan("tag", 10, true), Ok(10));
        assert_eq!(vlan("tag", 0, true), Ok(0));
        for (number, zero) in [(0, false), (4095, true), (-1, true), (70000, true)] {
            assert_eq!(vlan("tag", number, zero).unwrap_err().code, "invalid_vlan");
        }
    }
}
