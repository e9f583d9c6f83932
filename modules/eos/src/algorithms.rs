//! Why a host and we do not agree on how to talk: what it offers, beside what libssh2 can do.
//!
//! libssh2 does not tell what it was offered, so the host is asked once more, for its first packet only.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Instant;

use nix::poll::PollFlags;
use ssh2::{MethodType, Session};

use crate::transport;

/// What a host may say until its offer is complete: the lines before its version, and one packet of RFC 4253.
const LONGEST: usize = 64 << 10;
/// The lists of an offer, in its order (RFC 4253, 7.1): what they are called, and what libssh2 calls them. Those
/// that follow, about the other direction, compression and languages, are never where it fails.
const LISTS: [(&str, MethodType); 4] = [
    ("key exchange", MethodType::Kex),
    ("host key algorithm", MethodType::HostKey),
    ("cipher", MethodType::CryptCs),
    ("cipher", MethodType::CryptSc),
];

/// What the host at the other end of `socket`, to which nothing was said yet, offers and libssh2 cannot do.
/// `None`: it does not say, or that is not the reason.
pub fn mismatch(socket: OwnedFd, deadline: Instant) -> Option<String> {
    let offer = read_offer(socket, deadline).ok()?;
    let session = Session::new().ok()?;
    LISTS.into_iter().zip(offer).find_map(|((what, list), theirs)| {
        let mut ours = session.supported_algs(list).ok()?;
        ours.retain(|name| !is_no_choice(name));
        let none = !theirs.iter().any(|name| ours.contains(&name.as_str()));
        none.then(|| {
            format!("no {what} in common: it offers {}, we have {}", theirs.join(" "), ours.join(" "))
        })
    })
}

/// Whether a name is a hint to the other end, or a certificate, which we do not offer.
fn is_no_choice(name: &str) -> bool {
    ["ext-info-", "kex-strict-"].iter().any(|hint| name.starts_with(hint)) || name.contains("-cert-")
}

fn read_offer(socket: OwnedFd, deadline: Instant) -> io::Result<Vec<Vec<String>>> {
    let waiting = socket.try_clone()?;
    let mut stream = File::from(socket);
    stream.write_all(b"SSH-2.0-bothends\r\n")?;
    let mut said = Vec::new();
    while said.len() < LONGEST {
        let left = deadline.saturating_duration_since(Instant::now());
        if !transport::is_ready(&waiting, PollFlags::POLLIN, left) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer)?;
        said.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if let Some(lists) = offer(&said) {
            return Ok(lists);
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// The name lists of the first packet, which follows the line with the version. `None`: more has to be read, or
/// it is no offer.
fn offer(said: &[u8]) -> Option<Vec<Vec<String>>> {
    let mut rest = said;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end + 1)?;
        rest = after;
        if line.starts_with(b"SSH-") {
            break;
        }
    }
    let (packet, _) = counted(rest)?;
    // The length of the padding, the type of the message, and a cookie.
    let mut lists = packet.strip_prefix(packet.first_chunk::<1>()?)?.strip_prefix(&[20])?.get(16..)?;
    let mut offer = Vec::new();
    for _ in LISTS {
        let (names, after) = counted(lists)?;
        offer.push(str::from_utf8(names).ok()?.split(',').map(str::to_owned).collect());
        lists = after;
    }
    Some(offer)
}

/// What follows a length of four bytes, as far as that says, and the rest.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    #[test]
    fn an_offer_is_read_once_it_is_complete_and_never_before() {
        let lists = ["kex1,kex2", "ssh-rsa", "aes128-cbc", "aes128-cbc", "mac"];
        let payload: Vec<u8> = lists.iter().flat_map(|list| string(list.as_bytes())).collect();
        let packet = string(&[&[4, 20][..], &[7; 16], &payload, &[0; 4]].concat());
        let said = [b"Welcome\r\nSSH-2.0-Old\r\n", &packet[..]].concat();
        for length in 0..said.len() {
            assert_eq!(offer(&said[..length]), None, "{length}");
        }
        let expected = [vec!["kex1", "kex2"], vec!["ssh-rsa"], vec!["aes128-cbc"], vec!["aes128-cbc"]];
        assert_eq!(offer(&said).unwrap(), expected);
    }

    #[test]
    fn another_message_is_no_offer() {
        assert_eq!(offer(&[b"SSH-2.0-x\n", &string(&[4, 1, 0, 0, 0, 2])[..]].concat()), None);
        assert_eq!(offer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
    }
}
