//! The alternative names of links, which are not in sysfs: one dump of all links over rtnetlink(7).

use std::io;
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, setsockopt, socket,
    sockopt,
};
use nix::sys::time::TimeVal;

/// `RTM_GETLINK`, and its answer `RTM_NEWLINK`.
const GET_LINK: u16 = 18;
const NEW_LINK: u16 = 16;
/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// `IFLA_IFNAME`, `IFLA_PROP_LIST`, and `IFLA_ALT_IFNAME` inside of that.
const NAME: u16 = 3;
const PROPERTIES: u16 = 52;
const ALTERNATIVE_NAME: u16 = 53;
/// `NLA_TYPE_MASK`: without the bits that say how an attribute is laid out.
const TYPE: u16 = 0x3fff;

/// The lengths of `struct nlmsghdr`, `struct ifinfomsg` and `struct rtattr`.
const MESSAGE: usize = 16;
const LINK: usize = 16;
const ATTRIBUTE: usize = 4;

/// The kernel answers at once; this only bounds a kernel that does not.
const SECONDS: i64 = 5;

/// Each alternative name with the name in use of its link, in this process's network namespace.
pub fn read() -> io::Result<Vec<(String, String)>> {
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(SECONDS, 0))?;
    let length = u32::try_from(MESSAGE + LINK).unwrap_or_default();
    let mut request =
        [length.to_ne_bytes().as_slice(), &GET_LINK.to_ne_bytes(), &DUMP.to_ne_bytes()].concat();
    request.resize(MESSAGE + LINK, 0);
    sendto(socket.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut names = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        if take(buffer.get(..length).unwrap_or_default(), &mut names)? {
            return Ok(names);
        }
    }
}

/// Takes the names out of one datagram; whether it was the last.
fn take(mut datagram: &[u8], names: &mut Vec<(String, String)>) -> io::Result<bool> {
    while let Some(header) = datagram.get(..MESSAGE) {
        let length = number(header).max(MESSAGE);
        match half(header.get(4..).unwrap_or_default()) {
            DONE => return Ok(true),
            ERROR => return Err(io::Error::other("the kernel refused to list its links")),
            NEW_LINK => names.extend(link(datagram.get(MESSAGE + LINK..length).unwrap_or_default())),
            _ => {}
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn link(attributes: &[u8]) -> Vec<(String, String)> {
    let of = |bytes, kind| split(bytes).filter(move |(found, _)| *found == kind).map(|(_, value)| value);
    let Some(name) = of(attributes, NAME).next() else { return Vec::new() };
    let properties = of(attributes, PROPERTIES).flat_map(|list| of(list, ALTERNATIVE_NAME));
    properties.map(|other| (text(other), text(name))).collect()
}

/// The attributes in `bytes`, each with its type.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(half(bytes)).max(ATTRIBUTE);
        let attribute = bytes.get(..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        let (header, value) = attribute.split_at_checked(ATTRIBUTE)?;
        Some((half(header.get(2..)?) & TYPE, value))
    })
}

fn number(bytes: &[u8]) -> usize {
    let number = bytes.first_chunk().copied().map(u32::from_ne_bytes);
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

fn half(bytes: &[u8]) -> u16 {
    bytes.first_chunk().copied().map(u16::from_ne_bytes).unwrap_or_default()
}

/// Up to its closing zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(ATTRIBUTE + value.len()).unwrap();
        let mut bytes = [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(MESSAGE + body.len()).unwrap();
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], body].concat()
    }

    #[test]
    fn names_are_found_in_a_dump_however_it_is_cut() {
        let list =
            [attribute(ALTERNATIVE_NAME, b"enp1s0\0"), attribute(ALTERNATIVE_NAME, b"enx3cfdfe000001\0")]
                .concat();
        let with = [
            vec![0; LINK],
            attribute(NAME, b"eno1\0"),
            attribute(4, &1500_u32.to_ne_bytes()),
            attribute(PROPERTIES | 0x8000, &list),
        ]
        .concat();
        let without = [vec![0; LINK], attribute(NAME, b"lo\0")].concat();
        let dump = [message(NEW_LINK, &without), message(NEW_LINK, &with), message(DONE, &[0; 4])].concat();
        let mut names = Vec::new();
        assert!(take(&dump, &mut names).unwrap());
        let pair = |other: &str| (other.to_owned(), "eno1".to_owned());
        assert_eq!(names, [pair("enp1s0"), pair("enx3cfdfe000001")]);
        for end in 0..dump.len() {
            // Nothing but that it ends, and never in a panic.
            let _ = take(&dump[..end], &mut Vec::new());
        }
        assert!(take(&message(ERROR, &[0; 20]), &mut names).is_err());
    }

    #[test]
    fn the_machine_that_runs_this_test_can_be_asked() {
        read().unwrap();
    }
}
