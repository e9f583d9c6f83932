//! Which IPv6 addresses nobody configured: `/proc/net/if_inet6`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use ansible_module::gather::Gather as _;

use super::Error;
use crate::paths::Paths;

/// `IFA_F_PERMANENT` of `<linux/if_addr.h>`.
const PERMANENT: u32 = 0x80;

/// The addresses with a lifetime, which come and go with router advertisements, with their links' names.
pub fn passing(paths: &Paths) -> Result<BTreeSet<(String, IpAddr)>, Error> {
    let path = paths.proc_net.join("if_inet6");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(source) => return Err(Error::File { path, source }),
    };
    Ok(text.lines().filter_map(line).gather())
}

/// Address, index, prefix length, scope, flags – in hexadecimal digits – and name.
fn line(line: &str) -> Option<(String, IpAddr)> {
    let mut words = line.split_ascii_whitespace();
    let address = u128::from_str_radix(words.next()?, 16).ok()?;
    let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
    let name = words.next()?.to_owned();
    (flags & PERMANENT == 0).then_some((name, Ipv6Addr::from_bits(address).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_configured_is_permanent() {
        assert_eq!(line("fe800000000000003efdfefffe000001 02 40 20 80     eno1"), None);
        assert_eq!(
            line("20010db8000000003efdfefffe000001 02 40 00 00     eno1"),
            Some(("eno1".to_owned(), "2001:db8::3efd:feff:fe00:1".parse().unwrap()))
        );
        assert_eq!(line("nonsense"), None);
    }
}
