//! Which host keys are trusted, and what is told of the others.

use std::fs;

use eos::ssh::{Connection, Login};

use crate::server::{Server, new_key, output, program};
use crate::{assert_says, refused};

#[test]
fn an_unknown_key_is_refused_with_its_fingerprint_and_the_remedy() {
    let server = Server::start();
    server.write_known_hosts("");
    let fault = refused(&server.login(), "host_key_unknown");
    let remedy =
        format!("`ssh-keyscan -p {} 127.0.0.1 >> {}`", server.port, server.path("known_hosts").display());
    assert_says(&fault, &["ssh-ed25519", &server.fingerprint("ed25519"), "hint: ", &remedy]);

    // The remedy is one.
    let mut keyscan = program("usr/bin/ssh-keyscan");
    let lines = output(keyscan.args(["-p", &server.port.to_string(), "127.0.0.1"]));
    server.write_known_hosts(&lines);
    Connection::open(&server.login()).unwrap();
}

#[test]
fn an_unknown_key_is_let_in_where_that_is_asked_for() {
    let server = Server::start();
    let login = Login { host_key_checking: false, known_hosts: Some(server.path("none")), ..server.login() };
    Connection::open(&login).unwrap();
}

#[test]
fn a_changed_key_is_refused_with_both_fingerprints_and_the_line() {
    let server = Server::start();
    new_key(&server.path("host_old"), &["-t", "ed25519", "-N", ""]);
    server.write_known_hosts(&format!("# our switches\n{}", server.line("old")));
    let fault = refused(&server.login(), "host_key_changed");
    let place = format!("({}:2)", server.path("known_hosts").display());
    let found = format!("found ssh-ed25519 {}", server.fingerprint("ed25519"));
    assert_says(&fault, &["expected ssh-ed25519 ", &server.fingerprint("old"), &place, &found, "hint: "]);
}

#[test]
fn a_revoked_key_is_refused_whatever_else_is_known() {
    let server = Server::start();
    let line = server.line("ed25519");
    let key = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
    server.write_known_hosts(&format!("{line}@revoked * {key}"));
    let fault = refused(&server.login(), "host_key_revoked");
    assert_says(&fault, &[&server.fingerprint("ed25519"), "known_hosts:2", "hint: "]);
}

#[test]
fn a_host_that_has_none_of_the_known_types_is_unknown_and_the_known_are_told() {
    let server = Server::with(&["rsa"], "");
    new_key(&server.path("host_ed25519"), &["-t", "ed25519", "-N", ""]);
    server.know(&["ed25519"]);
    let fault = refused(&server.login(), "host_key_unknown");
    let known = format!("only ssh-ed25519 {}", server.fingerprint("ed25519"));
    assert_says(&fault, &["ssh-rsa", &server.fingerprint("rsa"), &known]);
}

#[test]
fn a_host_with_several_keys_is_asked_for_the_known_one() {
    let server = Server::with(&["ed25519", "ecdsa", "rsa"], "");
    for kind in ["ed25519", "ecdsa", "rsa"] {
        server.know(&[kind]);
        Connection::open(&server.login()).unwrap();
    }
}

#[test]
fn a_host_with_a_certificate_is_asked_for_its_plain_key() {
    let server = Server::with(&["ed25519"], "");
    new_key(&server.path("authority"), &["-t", "ed25519", "-N", ""]);
    output(
        program("usr/bin/ssh-keygen")
            .args(["-q", "-h", "-I", "core", "-s"])
            .arg(server.path("authority"))
            .arg(server.path("host_ed25519.pub")),
    );
    let config = fs::read_to_string(server.path("sshd_config")).unwrap();
    let certificate = server.path("host_ed25519-cert.pub");
    let config = format!("{config}HostCertificate {}\n", certificate.display());
    fs::write(server.path("sshd_config"), config).unwrap();
    Connection::open(&server.login()).unwrap();
}

#[test]
fn names_may_be_hashed_and_lines_broken() {
    let server = Server::start();
    let known_hosts = server.path("known_hosts");
    output(program("usr/bin/ssh-keygen").arg("-H").arg("-f").arg(&known_hosts));
    let hashed = fs::read_to_string(&known_hosts).unwrap();
    assert!(hashed.starts_with("|1|"), "{hashed}");
    server.write_known_hosts(&format!("[127.0.0.1]:{} ssh-ed25519 AAAA\n|1|x\n{hashed}", server.port));
    let connection = Connection::open(&server.login()).unwrap();
    let notices = connection.notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices.iter().zip(1..).all(|(notice, line)| notice.contains(&format!("known_hosts:{line} "))));
}

#[test]
fn a_host_whose_only_line_is_broken_is_unknown_and_the_line_is_told() {
    let server = Server::start();
    server.write_known_hosts(&format!("[127.0.0.1]:{} ssh-rsa AAAAC3Nz\n", server.port));
    let fault = refused(&server.login(), "host_key_unknown");
    assert_says(&fault, &["is not known, ", "known_hosts:1 was skipped: its key cannot be read; hint: "]);
}

#[test]
fn the_port_is_part_of_the_name() {
    let server = Server::start();
    let line = server.line("ed25519");
    for names in ["127.0.0.1", "[127.0.0.1]:22", "*,![127.0.0.1]:*"] {
        let (_, key) = line.split_once(' ').unwrap();
        server.write_known_hosts(&format!("{names} {key}"));
        refused(&server.login(), "host_key_unknown");
    }
}

#[test]
fn a_file_that_was_given_has_to_be_there() {
    let server = Server::start();
    let fault = refused(
        &Login { known_hosts: Some(server.path("none")), ..server.login() },
        "known_hosts_unreadable",
    );
    assert_says(&fault, &["/none", "No such file"]);
}
