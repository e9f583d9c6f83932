//! Both ends of the SSH connection that this process was started over.
//!
//! sshd(8) says it in the environment, and sudo(8) takes that away. Then the connection is found among the sockets of
//! the processes above this one: sshd's own process for the session is one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ansible_module::gather::Gather as _;

use crate::paths::Paths;

/// `TCP_ESTABLISHED` and `TCP_LISTEN` of `<net/tcp_states.h>`, as in `/proc/net/tcp`.
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";
/// Far more than there are between a shell of sshd and a module; a made-up `/proc` may have a circle.
const GENERATIONS: usize = 64;

/// The address that the connection comes from; `None` where there is none, or where that cannot be told. An address
/// of this node itself (loopback), or one that is local to a link, would prove nothing after a change.
pub fn ssh_peer(paths: &Paths) -> Option<IpAddr> {
    ["SSH_CONNECTION", "SSH_CLIENT"]
        .iter()
        .find_map(|name| from_variable(std::env::var_os(name)?.to_str()?))
        .or_else(|| Some(from_ancestors(paths, std::process::id())?.remote))
}

/// The address of this node that the connection came to; `None` where there is none, or where that cannot be told.
pub fn ssh_address(paths: &Paths) -> Option<IpAddr> {
    let connection = std::env::var_os("SSH_CONNECTION");
    // Client, its port, server, its port; sshd(8).
    let named = connection.and_then(|value| value.to_str()?.split_ascii_whitespace().nth(2)?.parse().ok());
    named.filter(is_far).or_else(|| Some(from_ancestors(paths, std::process::id())?.local))
}

/// Both variables begin with the client's address; sshd(8).
fn from_variable(value: &str) -> Option<IpAddr> {
    value.split_ascii_whitespace().next()?.parse().ok().filter(is_far)
}

/// Looks from `process` upwards for the first one that holds a connection which came in.
fn from_ancestors(paths: &Paths, process: u32) -> Option<Ends> {
    let incoming = incoming(
        &fs::read_to_string(paths.proc_net.join("tcp")).unwrap_or_default(),
        &fs::read_to_string(paths.proc_net.join("tcp6")).unwrap_or_default(),
    );
    let mut process = process;
    for _ in 0..GENERATIONS {
        let folder = paths.proc.join(process.to_string());
        // sshd has its client before all that it opens for it, such as forwarded ports.
        if let Some(ends) = sockets(&folder).iter().find_map(|socket| incoming.get(socket)) {
            return Some(*ends);
        }
        process = parent(&fs::read_to_string(folder.join("stat")).ok()?)?;
    }
    None
}

/// The parent in the text of `/proc/PID/stat`: `PID (NAME) STATE PARENT …`. The name may hold anything; proc(5).
fn parent(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The inodes of a process's sockets, in the order of its file descriptors.
fn sockets(folder: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(folder.join("fd")) else { return Vec::new() };
    let mut sockets: Vec<(u32, u64)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let target = fs::read_link(entry.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some((entry.file_name().to_str()?.parse().ok()?, inode.parse().ok()?))
        })
        .collect();
    sockets.sort_unstable();
    sockets.into_iter().map(|(_, inode)| inode).collect()
}

/// The addresses of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    local: IpAddr,
    remote: IpAddr,
}

/// A line of `/proc/net/tcp` or `/proc/net/tcp6`.
struct Connection<'a> {
    local_port: u16,
    ends: Ends,
    state: &'a str,
    inode: u64,
}

/// The established connections to a port that somebody listens on, by the inode of their socket.
fn incoming(tcp: &str, tcp6: &str) -> BTreeMap<u64, Ends> {
    let connections: Vec<_> = tcp.lines().chain(tcp6.lines()).filter_map(connection).collect();
    let listening: BTreeSet<u16> = connections
        .iter()
        .filter(|connection| connection.state == LISTEN)
        .map(|connection| connection.local_port)
        .gather();
    connections
        .iter()
        .filter(|connection| {
            connection.state == ESTABLISHED
                && listening.contains(&connection.local_port)
                && is_far(&connection.ends.remote)
        })
        .map(|connection| (connection.inode, connection.ends))
        .gather()
}

/// `NUMBER: LOCAL REMOTE STATE QUEUES TIMER RETRANSMITS USER TIMEOUT INODE …`; the header is none.
fn connection(line: &str) -> Option<Connection<'_>> {
    let fields: Vec<_> = line.split_ascii_whitespace().collect();
    let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields.as_slice() else { return None };
    let (local, port) = local.split_once(':')?;
    Some(Connection {
        local_port: u16::from_str_radix(port, 16).ok()?,
        ends: Ends { local: address(local)?, remote: address(remote.split_once(':')?.0)? },
        state,
        inode: inode.parse().ok()?,
    })
}

/// 32-bit words in hexadecimal, each a number of the machine's byte order.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |start: usize| Some(u32::from_str_radix(hex.get(start..start + 8)?, 16).ok()?.to_ne_bytes());
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let bytes = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
    // A server that listens on IPv6 alone takes IPv4 connections so.
    Some(address.to_canonical())
}

fn is_far(address: &IpAddr) -> bool {
    !address.is_loopback() && !address.is_unspecified() && !super::is_link_local(*address)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const HEADER: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    /// A line as the kernel writes it: local port 22 is `0016`.
    fn line(local: &str, remote: &str, state: &str, inode: u32) -> String {
        format!(
            "   0: {local} {remote} {state} 00000000:00000000 02:000AFC3D 00000000     0        0 {inode} 2 0000 20 4 31 10 -1\n"
        )
    }

    fn v4(a: u8, b: u8, c: u8, d: u8, port: u16) -> String {
        format!("{:08X}:{port:04X}", u32::from_ne_bytes([a, b, c, d]))
    }

    fn v6(address: &str, port: u16) -> String {
        let octets = address.parse::<Ipv6Addr>().unwrap().octets();
        let words: Vec<_> = octets
            .chunks(4)
            .map(|word| format!("{:08X}", u32::from_ne_bytes(word.try_into().unwrap())))
            .collect();
        format!("{}:{port:04X}", words.concat())
    }

    struct Tree {
        folder: tempfile::TempDir,
        paths: Paths,
    }

    impl Tree {
        fn new(tcp: &[String], tcp6: &[String]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let paths = Paths {
                proc: folder.path().to_owned(),
                proc_net: folder.path().join("net"),
                ..Paths::default()
            };
            fs::create_dir(&paths.proc_net).unwrap();
            fs::write(paths.proc_net.join("tcp"), format!("{HEADER}{}", tcp.concat())).unwrap();
            fs::write(paths.proc_net.join("tcp6"), format!("{HEADER}{}", tcp6.concat())).unwrap();
            Self { folder, paths }
        }

        fn process(self, pid: u32, name: &str, parent: u32, descriptors: &[(u32, &str)]) -> Self {
            let fd = self.folder.path().join(format!("{pid}/fd"));
            fs::create_dir_all(&fd).unwrap();
            for (number, target) in descriptors {
                symlink(target, fd.join(number.to_string())).unwrap();
            }
            let stat = format!("{pid} ({name}) S {parent} 1 1 0 -1 4194560 0\n");
            fs::write(self.folder.path().join(format!("{pid}/stat")), stat).unwrap();
            self
        }
    }

    fn remote(tree: &Tree, process: u32) -> Option<String> {
        Some(from_ancestors(&tree.paths, process)?.remote.to_string())
    }

    fn listener() -> String {
        line(&v4(0, 0, 0, 0, 22), &v4(0, 0, 0, 0, 0), "0A", 1)
    }

    #[test]
    fn both_variables_begin_with_the_peer_and_one_that_proves_nothing_is_none() {
        let peer = |value| from_variable(value).map(|address| address.to_string());
        assert_eq!(peer("192.0.2.7 50022 192.0.2.1 22").as_deref(), Some("192.0.2.7"));
        assert_eq!(peer("2001:db8::7 50022 22").as_deref(), Some("2001:db8::7"));
        for nothing in
            ["", "UNKNOWN 65535 65535", "127.0.0.1 1 127.0.0.1 22", "::1 1 22", "fe80::7%vmbr0 1 22"]
        {
            assert_eq!(peer(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_parent_is_read_behind_any_name() {
        assert_eq!(parent("12 (a) b (c d) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (sshd) S"), None);
        assert_eq!(parent(""), None);
    }

    #[test]
    fn the_peer_is_found_in_the_session_process_above_sudo() {
        let tree =
            Tree::new(&[listener(), line(&v4(192, 0, 2, 1, 22), &v4(192, 0, 2, 7, 50022), "01", 77)], &[])
                .process(50, "pve_ovs_bond", 40, &[(0, "pipe:[9]")])
                .process(40, "sudo", 30, &[(0, "pipe:[9]"), (3, "socket:[500]")])
                .process(30, "sshd-session", 20, &[(4, "socket:[77]")])
                .process(20, "sshd", 1, &[(3, "socket:[1]")])
                .process(1, "systemd", 0, &[]);
        assert_eq!(
            from_ancestors(&tree.paths, 50),
            Some(Ends { local: "192.0.2.1".parse().unwrap(), remote: "192.0.2.7".parse().unwrap() })
        );
        assert_eq!(from_ancestors(&tree.paths, 20), None, "the listener has no connection");
        assert_eq!(from_ancestors(&tree.paths, 99), None, "no such process");
    }

    #[test]
    fn a_peer_on_ipv6_and_one_mapped_into_it_are_found() {
        let listener = line(&v6("::", 22), &v6("::", 0), "0A", 1);
        let tree = Tree::new(
            &[],
            &[
                listener,
                line(&v6("2001:db8::1", 22), &v6("2001:db8::7", 50022), "01", 77),
                line(&v6("::ffff:192.0.2.1", 22), &v6("::ffff:192.0.2.7", 50022), "01", 78),
                line(&v6("fe80::1", 22), &v6("fe80::7", 50022), "01", 79),
            ],
        )
        .process(30, "sshd", 1, &[(4, "socket:[77]")])
        .process(31, "sshd", 1, &[(4, "socket:[78]")])
        .process(32, "sshd", 1, &[(4, "socket:[79]")]);
        assert_eq!(remote(&tree, 30).as_deref(), Some("2001:db8::7"));
        assert_eq!(remote(&tree, 31).as_deref(), Some("192.0.2.7"));
        assert_eq!(from_ancestors(&tree.paths, 32), None, "local to the link");
    }

    #[test]
    fn a_connection_that_went_out_or_that_is_not_established_is_none() {
        let tree = Tree::new(
            &[
                listener(),
                line(&v4(192, 0, 2, 1, 40000), &v4(192, 0, 2, 9, 443), "01", 77),
                line(&v4(192, 0, 2, 1, 22), &v4(192, 0, 2, 7, 50022), "08", 78),
                line(&v4(127, 0, 0, 1, 22), &v4(127, 0, 0, 1, 50022), "01", 79),
            ],
            &[],
        )
        .process(30, "tool", 29, &[(3, "socket:[77]"), (4, "socket:[78]"), (5, "socket:[79]")])
        // A circle, which the kernel does not make.
        .process(29, "tool", 30, &[]);
        assert_eq!(from_ancestors(&tree.paths, 30), None);
    }

    #[test]
    fn of_several_connections_the_one_of_the_lowest_descriptor_counts() {
        let forwarded = 8022;
        let tree = Tree::new(
            &[
                listener(),
                line(&v4(0, 0, 0, 0, forwarded), &v4(0, 0, 0, 0, 0), "0A", 2),
                line(&v4(192, 0, 2, 1, forwarded), &v4(192, 0, 2, 66, 50000), "01", 70),
                line(&v4(192, 0, 2, 1, 22), &v4(192, 0, 2, 7, 50022), "01", 77),
            ],
            &[],
        )
        .process(30, "sshd", 1, &[(4, "socket:[77]"), (10, "socket:[70]")]);
        assert_eq!(remote(&tree, 30).as_deref(), Some("192.0.2.7"));
    }
}
