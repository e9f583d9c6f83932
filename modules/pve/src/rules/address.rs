//! Addresses of IPv4, IPv6 and Ethernet, each brought to its one spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ansible_module::fault::Fault;

/// An IPv4 address with prefix length.
pub fn cidr(option: &str, text: &str) -> Result<String, Fault> {
    with_prefix(text, 32, ipv4_host).ok_or_else(|| {
        invalid_address(option, text, "an IPv4 address of a host with its prefix length", "10.10.0.2/24")
    })
}

/// An IPv4 gateway.
pub fn gateway(option: &str, text: &str) -> Result<String, Fault> {
    let parsed = ipv4_host(text.trim()).map(|address| address.to_string());
    parsed.ok_or_else(|| {
        invalid_address(option, text, "an IPv4 address of a host, without prefix length", "10.10.0.1")
    })
}

/// An IPv6 address with prefix length. Not a link-local one: the kernel gives each link its own.
pub fn cidr6(option: &str, text: &str) -> Result<String, Fault> {
    with_prefix(text, 128, |text| {
        ipv6_host(text)
            .filter(|address| !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local()))
    })
    .ok_or_else(|| {
        invalid_address(
            option,
            text,
            "an IPv6 address of a host, and not a link-local one, with its prefix length",
            "fd00:10::2/64",
        )
    })
}

/// An IPv6 gateway. Routers usually have a link-local address for that; it takes no zone, as the route names the link.
pub fn gateway6(option: &str, text: &str) -> Result<String, Fault> {
    let parsed = ipv6_host(text.trim()).map(|address| address.to_string());
    parsed.ok_or_else(|| {
        invalid_address(
            option,
            text,
            "an IPv6 address of a host, without prefix length and zone",
            "fd00:10::1` or `fe80::1",
        )
    })
}

fn with_prefix(text: &str, longest: u8, host: impl FnOnce(&str) -> Option<IpAddr>) -> Option<String> {
    let (address, prefix) = text.trim().split_once('/')?;
    // `parse` takes a sign.
    let prefix: u8 = prefix.bytes().all(|digit| digit.is_ascii_digit()).then(|| prefix.parse().ok())??;
    (1..=longest).contains(&prefix).then_some(())?;
    Some(format!("{}/{prefix}", host(address)?))
}

fn ipv4_host(text: &str) -> Option<IpAddr> {
    let address: Ipv4Addr = text.parse().ok()?;
    let is_host = !address.is_unspecified()
        && !address.is_multicast()
        && !address.is_broadcast()
        && !address.is_loopback();
    is_host.then_some(address.into())
}

fn ipv6_host(text: &str) -> Option<IpAddr> {
    let address: Ipv6Addr = text.parse().ok()?;
    let is_host = !address.is_unspecified()
        && !address.is_multicast()
        && !address.is_loopback()
        && address.to_ipv4_mapped().is_none();
    is_host.then_some(address.into())
}

fn invalid_address(option: &str, text: &str, rule: &str, example: &str) -> Fault {
    Fault::new(
        "invalid_address",
        format!("option `{option}`: `{}` is not {rule}; hint: such as `{example}`", text.escape_debug()),
    )
}

/// The MAC address of one station, as the kernel writes it: lower case, with colons. `-` is taken for `:`.
pub fn mac(option: &str, text: &str) -> Result<String, Fault> {
    let mac = text.trim().to_ascii_lowercase().replace('-', ":");
    let parsed: Option<Vec<u8>> = mac.split(':').map(octet).collect();
    let is_station = parsed.is_some_and(|octets| {
        octets.len() == 6
            && octets.iter().any(|octet| *octet != 0)
            && octets.first().is_some_and(|first| first & 1 == 0)
    });
    if is_station {
        return Ok(mac);
    }
    Err(Fault::new(
        "invalid_mac",
        format!(
            "option `{option}`: `{}` is not the MAC address of one station, which has six pairs of hexadecimal digits, the first \
             of them even; hint: such as `3c:fd:fe:00:00:01`",
            text.escape_debug()
        ),
    ))
}

fn octet(text: &str) -> Option<u8> {
    let is_pair = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_refused(check: fn(&str, &str) -> Result<String, Fault>, code: &str, texts: &[&str]) {
        for text in texts {
            let fault = check("option", text).unwrap_err();
            assert_eq!(fault.code, code, "{text}");
            let start = format!("option `option`: `{}` is not ", text.escape_debug());
            assert!(
                fault.message.starts_with(&start) && fault.message.contains("; hint: "),
                "{}",
                fault.message
            );
        }
    }

    #[test]
    fn ipv4_addresses_have_one_spelling() {
        assert_eq!(cidr("cidr", " 10.10.0.2/24"), Ok("10.10.0.2/24".to_owned()));
        assert_eq!(gateway("gateway", "10.10.0.1"), Ok("10.10.0.1".to_owned()));
        assert_refused(
            cidr,
            "invalid_address",
            &[
                "10.10.0.2",
                "10.10.0.2/33",
                "10.10.0.2/0",
                "10.10.0.2/",
                "10.10.0.2/+24",
                "10.10.0/24",
                "010.1.1.1/8",
                "fd00::1/64",
                "x/24",
                "0.0.0.0/8",
                "224.0.0.1/4",
                "127.0.0.1/8",
                "10.0.0.1/24 ; reboot",
            ],
        );
        assert_refused(gateway, "invalid_address", &["10.10.0.1/24", "fd00::1", "", "router"]);
    }

    #[test]
    fn ipv6_addresses_have_one_spelling() {
        for (given, meant) in [
            ("fd00::2/64", "fd00::2/64"),
            (" FD00:0:0::0002/64 ", "fd00::2/64"),
            ("2001:db8:0:0:1::/128", "2001:db8:0:0:1::/128"),
            ("2001:DB8::192.0.2.1/1", "2001:db8::c000:201/1"),
        ] {
            assert_eq!(cidr6("cidr6", given), Ok(meant.to_owned()));
        }
        assert_refused(
            cidr6,
            "invalid_address",
            &[
                "fd00::2",
                "fd00::2/0",
                "fd00::2/129",
                "fd00::2/ffff::",
                "fe80::2/64",
                "febf::2/64",
                "ff02::1/16",
                "::1/128",
                "::/64",
                "::ffff:10.0.0.2/128",
                "fd00::2%mgmt/64",
                "[fd00::2]/64",
                "10.10.0.2/24",
            ],
        );
        for (given, meant) in [("FD00::1", "fd00::1"), ("fe80:0::1", "fe80::1")] {
            assert_eq!(gateway6("gateway6", given), Ok(meant.to_owned()));
        }
        assert_refused(
            gateway6,
            "invalid_address",
            &["fd00::1/64", "fe80::1%mgmt", "ff02::2", "::", "::1", "::ffff:10.0.0.1", "10.10.0.1", ""],
        );
    }

    #[test]
    fn a_mac_address_is_of_one_station_and_has_one_spelling() {
        for given in ["3c:fd:fe:00:00:0a", "3C-FD-FE-00-00-0A", " 3C:fd:fe:00:00:0a "] {
            assert_eq!(mac("mac", given), Ok("3c:fd:fe:00:00:0a".to_owned()));
        }
        assert_refused(
            mac,
            "invalid_mac",
            &[
                "",
                "inherit",
                "3c:fd:fe:00:00",
                "3c:fd:fe:00:00:0a:0b",
                "3cfdfe00000a",
                "3c:fd:fe:00:00:a",
                "3c:fd:fe:00:00:+a",
                "3c:fd:fe:00:00:0g",
                "00:00:00:00:00:00",
                "01:00:5e:00:00:01",
                "ff:ff:ff:ff:ff:ff",
                "3c:fd:fe:00:00:0a;x",
            ],
        );
    }
}
