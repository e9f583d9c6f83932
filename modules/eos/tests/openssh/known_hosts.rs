//! Our reader of known hosts finds what `ssh-keygen -F` finds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use eos::host_key::HostKey;
use eos::known_hosts::{KnownHost, Refusal};

use crate::server::{new_key, output, program};

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
    "[2001:DB8::1]",
    "2001:db8::1",
    "2001:DB8::*",
    "fe80::1%eth0",
    "[fe80::1%eth0]:2222",
    "@revoked core",
    "@revoked *.example.com",
    "@revoked [core]:2222",
    "@revoked !core,*e*",
    "@cert-authority *",
    "\t core",
    "core,",
    ",core",
    "!core",
    "!*",
    "*,!core",
    "*.*.com,c*e*.e*m",
    "#core",
    "core#",
    "192.0.2.?",
    "192.0.2.0/24",
    "[192.0.2.*]:2222",
    "??",
];

/// Lines that hold no key, with `KEY` for one of type ed25519. Some hosts are named in them.
const BROKEN: &[&str] = &[
    "",
    "  \t ",
    "# a comment",
    "\u{feff}# written on another system",
    "core",
    "core ssh-ed25519",
    "core ssh-ed25519 AAAA",
    "core ssh-ed25519 !",
    "core ssh-ed25519 KEY=",
    "core ssh-rsa KEY",
    "core unheard-of KEY",
    "core 1024 35 1234567890",
    "core,other",
    "|1|c2FsdA== ssh-ed25519 KEY",
    "|2|c2FsdA==|aGFzaA== ssh-ed25519 KEY",
    "|1|!|! ssh-ed25519 KEY",
    "@revoked",
    "@revoked core",
    "@trusted core ssh-ed25519 KEY",
    "@REVOKED core ssh-ed25519 KEY",
    "@ core ssh-ed25519 KEY",
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
    ("2001:DB8::1", 22),
    ("2001:db8::1", 2222),
    ("fe80::1%eth0", 22),
    ("fe80::1%eth0", 2222),
    ("core#", 22),
    ("*", 22),
    ("h\u{e9}", 22),
];

/// A public key of type ed25519, in base64, a different one for each number.
fn ed25519(number: u8) -> String {
    Base64::encode_string(&[&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], &[number; 32]].concat())
}

/// The `KEY` of lines that cannot be used.
fn unusable() -> String {
    ed25519(200)
}

/// The keys that were found for a host, and those that are revoked for it.
type Found = (BTreeSet<String>, BTreeSet<String>);

fn found_by_ssh_keygen(host: &str, port: u16, file: &Path, keys: &[String]) -> Found {
    // As `ssh` itself does; `ssh-keygen` does not, where names are hashed.
    let host = host.to_ascii_lowercase();
    let name = if port == 22 { host } else { format!("[{host}]:{port}") };
    let printed = program("usr/bin/ssh-keygen").arg("-F").arg(name).arg("-f").arg(file).output().unwrap();
    let mut found = Found::default();
    for line in String::from_utf8_lossy(&printed.stdout).lines().filter(|line| !line.starts_with("# Host ")) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            // Certificates of hosts are none of ours.
            ["@cert-authority", ..] => {}
            ["@revoked", _, _, key, ..] => drop(found.1.insert((*key).to_owned())),
            [_, _, key, ..] => drop(found.0.insert((*key).to_owned())),
            _ => panic!("{line}"),
        }
    }
    // It also finds lines whose key is none, which `ssh` then skips.
    found.0.retain(|key| keys.contains(key) && *key != unusable());
    // Whatever else is said of it.
    found.0.retain(|key| !found.1.contains(key));
    found
}

fn found_by_us(host: &str, port: u16, file: &Path, keys: &[String]) -> Found {
    let known = KnownHost::look_up(host, port, Some(file)).unwrap();
    let mut found = Found::default();
    for key in keys {
        match known.judge(&HostKey::from_blob(&Base64::decode_vec(key).unwrap()).unwrap()) {
            Ok(()) => found.0.insert(key.clone()),
            Err(Refusal::Revoked { .. }) => found.1.insert(key.clone()),
            Err(Refusal::Unknown { .. } | Refusal::Changed { .. }) => continue,
        };
    }
    found
}

#[test]
fn what_is_found_is_what_ssh_keygen_finds() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut lines: Vec<[String; 3]> = NAMES
        .iter()
        .zip(1..)
        .map(|(names, number)| [(*names).to_owned(), "ssh-ed25519".to_owned(), ed25519(number)])
        .collect();
    // Keys of other types, two of which a host holds, and of which one is revoked.
    for (kind, names) in
        [("rsa", "core"), ("ecdsa", "core"), ("ecdsa", "@revoked core.example.com"), ("rsa", "*")]
    {
        let file = path(&format!("{kind}{}", lines.len()));
        new_key(&file, &["-t", kind, "-N", ""]);
        let key = fs::read_to_string(file.with_extension("pub")).unwrap();
        let [kind, key, ..] = key.split(' ').collect::<Vec<_>>()[..] else { panic!("{key}") };
        lines.push([names.to_owned(), kind.to_owned(), key.to_owned()]);
    }
    // A key that is known, and revoked further down.
    lines.push(["@revoked c*".to_owned(), "ssh-ed25519".to_owned(), ed25519(1)]);
    let keys: Vec<String> = lines.iter().map(|line| line[2].clone()).chain([unusable()]).collect();

    let text: String = lines.iter().map(|line| line.join(" ") + " a # comment\n").collect();
    let tabs: String = lines.iter().map(|line| line.join("\t ") + "\n").collect();
    let broken = BROKEN.iter().map(|line| line.replace("KEY", &unusable()));
    let among: Vec<String> = text
        .lines()
        .map(str::to_owned)
        .zip(broken.cycle())
        .flat_map(|(line, broken)| [broken, line, String::new()])
        .collect();
    let broken = among.join("\n");
    assert!(lines.len() > BROKEN.len());
    let forms: [(&str, Vec<u8>); 6] = [
        ("plain", text.clone().into()),
        ("windows", text.replace('\n', "\r\n").into()),
        ("tabs", tabs.into()),
        ("broken", broken.into()),
        ("unended", text.trim_end().into()),
        ("latin", [&b"# Stra\xdfe\ncore ssh-ed25519 \xff\n"[..], text.as_bytes()].concat()),
    ];
    for (form, bytes) in &forms {
        fs::write(path(form), bytes).unwrap();
    }
    fs::write(path("hashed"), &text).unwrap();
    output(program("usr/bin/ssh-keygen").arg("-H").arg("-f").arg(path("hashed")));
    assert!(fs::read_to_string(path("hashed")).unwrap().contains("|1|"));

    for (host, port) in HOSTS {
        for form in forms.iter().map(|(form, _)| *form).chain(["hashed"]) {
            let expected = found_by_ssh_keygen(host, *port, &path(form), &keys);
            assert_ne!(expected, Found::default(), "{host} {port} in {form}");
            assert_eq!(found_by_us(host, *port, &path(form), &keys), expected, "{host} {port} in {form}");
        }
    }
}
