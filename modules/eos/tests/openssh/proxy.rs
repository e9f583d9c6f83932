//! Through a real jump host, with OpenSSH's own client as the command.

use eos::proxy::ProxyCommand;
use eos::ssh::{Connection, Login};
use eos::stream::Stream as _;

use crate::connection::{SOON, read_until};
use crate::server::{Server, program};
use crate::{assert_says, refused};

/// What leads through `jump` to `host`, as `ssh_config` has it; `more` are further options of `ssh`.
fn through(jump: &Server, host: &Login, more: &str) -> Login {
    let ssh = program("usr/bin/ssh");
    let words: Vec<_> = std::iter::once(ssh.get_program()).chain(ssh.get_args()).collect();
    let words = words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ");
    let template = format!(
        "{words} -F none -o BatchMode=yes -o UserKnownHostsFile={} -i {} -p {} {more} -W %h:%p %r@127.0.0.1",
        jump.path("known_hosts").display(),
        jump.path("id").display(),
        jump.port
    );
    let proxy = ProxyCommand::new(&template, &host.host, host.port, &host.username).unwrap();
    Login { proxy: Some(proxy), ..host.clone() }
}

#[test]
fn a_host_is_reached_through_a_jump_host() {
    let (jump, server) = (Server::start(), Server::start());
    let mut connection = Connection::open(&through(&jump, &server.login(), "")).unwrap();
    connection.write_within(b"stty raw -echo; echo re''ady; head -c 1000000 | wc -c\n", SOON).unwrap();
    read_until(&mut connection, "ready");
    connection.write_within(&vec![b'x'; 1_000_000], SOON).unwrap();
    read_until(&mut connection, "1000000");
}

#[test]
fn what_the_jump_host_refuses_is_told_in_its_words() {
    let (jump, server) = (Server::with(&["ed25519"], "AllowTcpForwarding no"), Server::start());
    let fault = refused(&through(&jump, &server.login(), ""), "proxy_failed");
    assert_says(&fault, &["(status ", "administratively prohibited"]);
    let fault = refused(
        &through(&jump, &server.login(), "-o IdentitiesOnly=yes -o PubkeyAuthentication=no"),
        "proxy_failed",
    );
    assert_says(&fault, &["(status 255)", "Permission denied"]);
    jump.write_known_hosts("");
    let fault = refused(&through(&jump, &server.login(), ""), "proxy_failed");
    assert_says(&fault, &["Host key verification failed."]);
}

#[test]
fn the_host_behind_a_jump_host_shows_its_own_key_and_its_own_algorithms() {
    let (jump, server) = (Server::start(), Server::start());
    server.write_known_hosts(&jump.line("ed25519").replace(&jump.port.to_string(), &server.port.to_string()));
    let fault = refused(&through(&jump, &server.login(), ""), "host_key_changed");
    assert_says(&fault, &[&jump.fingerprint("ed25519"), &server.fingerprint("ed25519")]);

    let old = Server::with(&["ed25519"], "KexAlgorithms diffie-hellman-group14-sha1");
    let fault = refused(&through(&jump, &old.login(), ""), "handshake_failed");
    assert_says(&fault, &["diffie-hellman-group14-sha1", "curve25519-sha256"]);
}
