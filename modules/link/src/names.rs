//! The names of a description, each by itself: what can be one at all. What a device further asks of a name, its own
//! module says.

use std::net::Ipv4Addr;

use ansible_module::fault::Fault;

/// A Port-Channel as the switch writes it, from `1001`, `Port-Channel1001` or `po1001`.
pub fn port_channel(option: &str, text: &str) -> Result<String, Fault> {
    let (word, number) = split(text.trim());
    let is_word = word.is_empty() || (word.len() >= 2 && "port-channel".starts_with(&word));
    if is_word && number.parse::<u32>().is_ok_and(|parsed| parsed > 0 && parsed.to_string() == number) {
        return Ok(format!("Port-Channel{number}"));
    }
    Err(invalid_name(option, text, "a Port-Channel", "1001"))
}

/// An interface as the switch writes it, from `Ethernet7/1` or `et7/1`.
pub fn ethernet(option: &str, text: &str) -> Result<String, Fault> {
    let (word, numbers) = split(text.trim());
    let is_number = |part: &str| part.parse::<u16>().is_ok_and(|parsed| parsed.to_string() == part);
    if !word.is_empty() && "ethernet".starts_with(&word) && numbers.split('/').all(is_number) {
        return Ok(format!("Ethernet{numbers}"));
    }
    Err(invalid_name(option, text, "an Ethernet interface", "Ethernet7/1"))
}

/// The word before the first digit, in lower case, and the rest.
fn split(text: &str) -> (String, &str) {
    let at = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (word, rest) = text.split_at(at);
    (word.trim_end().to_ascii_lowercase(), rest)
}

/// A bond of a Proxmox VE node, which is `bond` and one to four digits.
pub fn bond(option: &str, text: &str) -> Result<String, Fault> {
    let digits = text.strip_prefix("bond").unwrap_or_default();
    if (1..=4).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(invalid_name(option, text, "a bond, which is `bond` and one to four digits", "bond0"))
}

/// A link of the node: a bridge, a NIC or an `IntPort`.
pub fn node_link(option: &str, text: &str, example: &str) -> Result<String, Fault> {
    let fits = (2..=15).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        return Ok(text.to_owned());
    }
    let what = "a link of the node: 2 to 15 letters, digits and underscores, with a letter first";
    Err(invalid_name(option, text, what, example))
}

fn invalid_name(option: &str, text: &str, what: &str, example: &str) -> Fault {
    let text = text.escape_debug();
    Fault::new(
        "invalid_name",
        format!("option `{option}`: `{text}` is not {what}; hint: such as `{example}`"),
    )
}

/// An IPv4 address of a host with the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The host.
    pub address: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    /// From `10.10.0.2/24`.
    pub fn new(option: &str, text: &str) -> Result<Self, Fault> {
        Self::parse(text).filter(|cidr| is_host(cidr.address)).ok_or_else(|| {
            invalid_address(option, text, "an IPv4 address of a host with its prefix length", "10.10.0.2/24")
        })
    }

    /// Any address with a prefix length; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.trim().split_once('/')?;
        let prefix = prefix.parse().ok().filter(|prefix| (1..=32).contains(prefix))?;
        Some(Self { address: address.parse().ok()?, prefix })
    }

    /// Whether `other` is in the same network.
    pub fn reaches(self, other: Ipv4Addr) -> bool {
        let mask = u32::MAX << (32 - u32::from(self.prefix));
        (u32::from(self.address) ^ u32::from(other)) & mask == 0
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// An IPv4 address of a host.
pub fn host(option: &str, text: &str) -> Result<Ipv4Addr, Fault> {
    let parsed = text.trim().parse().ok().filter(|address| is_host(*address));
    parsed.ok_or_else(|| {
        invalid_address(option, text, "an IPv4 address of a host, without prefix length", "10.10.0.1")
    })
}

fn is_host(address: Ipv4Addr) -> bool {
    !(address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_loopback())
}

fn invalid_address(option: &str, text: &str, what: &str, example: &str) -> Fault {
    let text = text.escape_debug();
    Fault::new(
        "invalid_address",
        format!("option `{option}`: `{text}` is not {what}; hint: such as `{example}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_switch_become_its_own_spelling() {
        for text in ["1001", "Port-Channel1001", "po1001", "Po 1001", "port-channel1001"] {
            assert_eq!(port_channel("x", text).unwrap(), "Port-Channel1001", "{text}");
        }
        for text in ["0", "p1", "01", "", "Port-Channel", "Ethernet1", "1,2", "99999999999"] {
            assert_eq!(port_channel("x", text).unwrap_err().code, "invalid_name", "{text}");
        }
        for text in ["Ethernet7/1", "et7/1", "Eth 7/1", "e7/1"] {
            assert_eq!(ethernet("x", text).unwrap(), "Ethernet7/1", "{text}");
        }
        for text in ["7/1", "Ethernet", "Ethernet7/", "Ethernet7/1.10", "Po7/1", "Ethernet07/1"] {
            assert_eq!(ethernet("x", text).unwrap_err().code, "invalid_name", "{text}");
        }
    }

    #[test]
    fn a_network_reaches_its_own_hosts() {
        let cidr = |text| Cidr::new("x", text).unwrap();
        assert!(cidr("10.10.0.2/24").reaches(Ipv4Addr::new(10, 10, 0, 1)));
        assert!(!cidr("10.10.0.2/24").reaches(Ipv4Addr::new(10, 10, 1, 1)));
        assert!(!cidr("10.10.0.2/32").reaches(Ipv4Addr::new(10, 10, 0, 3)));
        assert!(cidr("10.10.0.2/1").reaches(Ipv4Addr::LOCALHOST));
        for text in ["10.10.0.2", "10.10.0.2/0", "10.10.0.2/33", "0.0.0.0/24", "10.10.0/24", "::1/64"] {
            assert_eq!(Cidr::new("x", text).unwrap_err().code, "invalid_address", "{text}");
        }
    }
}
