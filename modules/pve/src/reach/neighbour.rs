//! Whether a router answers for its address on a link, though it drops pings: ARP and neighbour discovery, which no
//! router can do without.
//!
//! The kernel's entry alone proves nothing. It stays `REACHABLE` for up to 45 seconds after the cable was cut, and
//! `DELAY` says that a packet was sent, not that one came. So the kernel is told to verify the entry, which goes on
//! being used meanwhile: it asks at once, and says `REACHABLE` only when the router has answered (neighbour states:
//! ip-neighbour(8), `net/core/neighbour.c`).

use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::paths::Paths;
use crate::spawn;

/// On a link an answer takes milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(25);

/// Whether the router at `address` on `link` answers now. A moment ago something was sent to it, so that the kernel
/// has an entry if it ever answered.
pub(super) fn answers(paths: &Paths, address: IpAddr, link: &str) -> bool {
    let address = address.to_string();
    let Some(entry) = entry(paths, &address, link) else { return false };
    let router = if entry.is_router { &["router"][..] } else { &[] };
    let change = [&["change", &address, "dev", link, "nud", "probe"], router].concat();
    if !entry.can_be_verified || ip_neighbour(paths, &change).is_none() {
        return false;
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        if self::entry(paths, &address, link).is_some_and(|entry| entry.is_reachable) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    is_reachable: bool,
    /// Whether it has a MAC address that the kernel found by itself: no entry of an administrator (`PERMANENT`,
    /// `NOARP`) or of a routing daemon (`extern_learn`), which is not ours to change.
    can_be_verified: bool,
    is_router: bool,
}

fn entry(paths: &Paths, address: &str, link: &str) -> Option<Entry> {
    parse(&ip_neighbour(paths, &["show", "to", address, "dev", link])?)
}

/// Reads `192.0.2.1 lladdr 3c:fd:fe:00:00:01 router REACHABLE`: flags stand between the MAC and the state.
fn parse(shown: &str) -> Option<Entry> {
    let mut words = shown.lines().next()?.split_ascii_whitespace().skip(1);
    let mut has_mac = false;
    let mut is_router = false;
    let mut is_plain = true;
    let mut state = "";
    while let Some(word) = words.next() {
        match word {
            "lladdr" => has_mac = words.next().is_some(),
            "router" => is_router = true,
            "REACHABLE" | "STALE" | "DELAY" | "PROBE" => state = word,
            _ => is_plain = false,
        }
    }
    let is_reachable = state == "REACHABLE";
    Some(Entry { is_reachable, can_be_verified: has_mac && is_plain && !state.is_empty(), is_router })
}

/// What `ip neighbour` says; `None` if it fails.
fn ip_neighbour(paths: &Paths, words: &[&str]) -> Option<String> {
    let ip = paths.ip.to_string_lossy();
    let command: Vec<_> = [&*ip, "neighbour"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let finished = spawn::run(&command, paths.limits.ip, paths.limits.grace).ok()?;
    finished.success().then_some(finished.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_entry_that_the_kernel_found_by_itself_can_be_verified() {
        let mac = "192.0.2.1 lladdr 3c:fd:fe:00:00:01";
        for (rest, reachable, verifiable, router) in [
            (" REACHABLE", true, true, false),
            (" STALE", false, true, false),
            (" DELAY", false, true, false),
            (" router PROBE", false, true, true),
            (" router REACHABLE", true, true, true),
            (" PERMANENT", false, false, false),
            (" NOARP", false, false, false),
            (" extern_learn REACHABLE", true, false, false),
            (" managed extern_learn router STALE", false, false, true),
        ] {
            let entry = Entry { is_reachable: reachable, can_be_verified: verifiable, is_router: router };
            assert_eq!(parse(&format!("{mac}{rest} \n")), Some(entry), "{rest}");
        }
        assert_eq!(parse(""), None);
        assert!(!parse("192.0.2.1 FAILED").unwrap().can_be_verified);
        assert!(!parse("192.0.2.1 INCOMPLETE").unwrap().can_be_verified);
    }
}
