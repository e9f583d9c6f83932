//! Our reader of known hosts finds what `ssh-keygen -F` finds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use eos::host_key::HostKey;
use eos::known_hosts::{KnownHost, Refusal};

use crate::server::{output, program};

/// First fields of lines, each of which gets a key of its own.
const NAMES: &[&str] = &[
    "core",
    "CORE,other",
    "core.example.com,192.0.2.1",
    "*.example.com,!leaf.example.com",
    "!core.example.com,*",
    "*",
    "c?re",
    "[core]:2222",
    "[core]:22",
    "[*]:2222",
    "[core.example.com]:*",
    "[2001:db8::1]:2222",
    "2001:db8::1",
    "@revoked core",
    "@revoked *.example.com",
    "@revoked [core]:2222",
    "\t core",
    "core,",
    "*.*.com,c*e*.e*m",
    "#core",
    "[192.0.2.*]:2222",
];

const HOSTS: &[(&str, u16)] = &[
    ("core", 22),
    ("Core", 22),
    ("core", 2222),
    ("other", 22),
    ("core.example.com", 22),
    ("core.example.com", 2222),
    ("leaf.example.com", 22),
    ("192.0.2.1", 22),
    ("192.0.2.1", 2222),
    ("2001:db8::1", 22),
    ("2001:db8::1", 2222),
];

/// A public key of type ed25519, a different one for each number.
fn blob(number: u8) -> Vec<u8> {
    [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[number; 32]].concat()
}

/// The numbers of the keys that were found for a host, and of those that are revoked for it.
type Found = (BTreeSet<u8>, BTreeSet<u8>);

fn found_by_ssh_keygen(host: &str, port: u16, file: &Path) -> Found {
    // As `ssh` itself does; `ssh-keygen` does not, where names are hashed.
    let host = host.to_lowercase();
    let name = if port == 22 { host } else { format!("[{host}]:{port}") };
    let printed = program("usr/bin/ssh-keygen").arg("-F").arg(name).arg("-f").arg(file).output().unwrap();
    let mut found = Found::default();
    for line in String::from_utf8(printed.stdout).unwrap().lines().filter(|line| !line.starts_with("# Host "))
    {
        let (names, key) = line.split_once(" ssh-ed25519 ").unwrap();
        let (key, _) = key.split_once(' ').unwrap();
        let of = if names.starts_with("@revoked") { &mut found.1 } else { &mut found.0 };
        of.insert(*Base64::decode_vec(key).unwrap().last().unwrap());
    }
    found
}

fn found_by_us(host: &str, port: u16, file: &Path) -> Found {
    let known = KnownHost::look_up(host, port, Some(file)).unwrap();
    let mut found = Found::default();
    for (_, number) in NAMES.iter().zip(1..) {
        match known.judge(&HostKey::from_blob(&blob(number)).unwrap()) {
            Ok(()) => found.0.insert(number),
            Err(Refusal::Revoked { .. }) => found.1.insert(number),
            Err(Refusal::Unknown { .. } | Refusal::Changed { .. }) => continue,
        };
    }
    found
}

#[test]
fn what_is_found_is_what_ssh_keygen_finds() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    let line = |(names, number): (&&str, u8)| {
        format!("{names} ssh-ed25519 {} a comment\n", Base64::encode_string(&blob(number)))
    };
    let text: String = NAMES.iter().zip(1..).map(line).collect();
    fs::write(&plain, &text).unwrap();
    let windows = folder.path().join("windows");
    fs::write(&windows, text.replace('\n', "\r\n")).unwrap();
    let hashed = folder.path().join("hashed");
    fs::write(&hashed, text).unwrap();
    output(program("usr/bin/ssh-keygen").arg("-H").arg("-f").arg(&hashed));
    assert!(fs::read_to_string(&hashed).unwrap().contains("|1|"));

    for (host, port) in HOSTS {
        let expected = found_by_ssh_keygen(host, *port, &plain);
        assert_ne!(expected, Found::default(), "{host} {port}");
        assert_eq!(found_by_us(host, *port, &plain), expected, "{host} {port}");
        assert_eq!(found_by_us(host, *port, &windows), expected, "{host} {port}");
        let expected = found_by_ssh_keygen(host, *port, &hashed);
        assert_eq!(found_by_us(host, *port, &hashed), expected, "{host} {port}, hashed");
    }
}
