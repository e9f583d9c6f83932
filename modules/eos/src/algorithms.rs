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
/// The lists of an offer, in its order (RFC 4253, 7.1): what they are called, what EOS calls them in `management ssh`,
/// and what libssh2 calls them. Those that follow, about compression and languages, are never where it fails.
const LISTS: [(&str, &str, MethodType); 6] = [
    ("key exchange", "key-exchange", MethodType::Kex),
    ("host key algorithm", "hostkey server", MethodType::HostKey),
    ("cipher", "cipher", MethodType::CryptCs),
    ("cipher", "cipher", MethodType::CryptSc),
    ("MAC", "mac", MethodType::MacCs),
    ("MAC", "mac", MethodType::MacSc),
];

/// What a host and libssh2 have nothing in common of.
#[derive(Debug, thiserror::Error)]
#[error(
    "no {what} in common: it offers {}, we have {}; hint: allow one of ours on the host, on EOS with `{line}` in \
     `management ssh`, or give it software that has one",
    theirs.join(" "),
    ours.join(" ")
)]
pub struct Mismatch {
    what: &'static str,
    line: &'static str,
    theirs: Vec<String>,
    ours: Vec<&'static str>,
}

/// What the host at the other end of `socket`, to which nothing was said yet, offers and libssh2 cannot do.
/// `None`: it does not say, or that is not the reason.
pub fn mismatch(socket: OwnedFd, deadline: Instant) -> Option<Mismatch> {
    let offer = read_offer(socket, deadline).ok()?;
    let session = Session::new().ok()?;
    for ((what, line, list), theirs) in LISTS.into_iter().zip(offer) {
        let mut ours = session.supported_algs(list).ok()?;
        ours.retain(|name| !is_no_choice(name));
        let common = ours.iter().find(|ours| theirs.iter().any(|theirs| theirs == *ours));
        match common {
            None => return Some(Mismatch { what, line, theirs, ours }),
            // It authenticates too, and no MAC is agreed on.
            Some(cipher) if cipher.contains("-gcm") || cipher.contains("-poly1305") => return None,
            Some(_) => {}
        }
    }
    None
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
        let lists = ["kex1,kex2", "ssh-rsa", "aes128-cbc", "aes128-cbc", "mac1,mac2", "mac1", "none"];
        let payload: Vec<u8> = lists.iter().flat_map(|list| string(list.as_bytes())).collect();
        let packet = string(&[&[4, 20][..], &[7; 16], &payload, &[0; 4]].concat());
        let said = [b"Welcome\r\nSSH-2.0-Old\r\n", &packet[..]].concat();
        for length in 0..said.len() {
            assert_eq!(offer(&said[..length]), None, "{length}");
        }
        let expected = ["kex1 kex2", "ssh-rsa", "aes128-cbc", "aes128-cbc", "mac1 mac2", "mac1"]
            .map(|list| list.split(' ').collect::<Vec<_>>());
        assert_eq!(offer(&said).unwrap(), expected);
    }

    #[test]
    fn another_message_is_no_offer() {
        assert_eq!(offer(&[b"SSH-2.0-x\n", &string(&[4, 1, 0, 0, 0, 2])[..]].concat()), None);
        assert_eq!(offer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
    }
}
