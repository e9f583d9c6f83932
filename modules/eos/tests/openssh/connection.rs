//! The way to a shell and the bytes in it: names, addresses, limits, hosts that hang up.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use eos::ssh::{Connection, Login};
use eos::stream::Stream;

use crate::server::Server;
use crate::{assert_says, refused};

pub const SOON: Duration = Duration::from_secs(20);

/// What the shell says up to and with `end`.
pub fn read_until(connection: &mut Connection, end: &str) -> String {
    let mut said = String::new();
    let mut buffer = [0; 4096];
    while !said.contains(end) {
        let read = connection.read_within(&mut buffer, SOON).unwrap();
        assert_ne!(read, 0, "the shell ended: {said}");
        said += &String::from_utf8_lossy(buffer.get(..read).unwrap());
    }
    said
}

#[test]
fn a_shell_answers_waits_and_ends() {
    let server = Server::start();
    let mut connection = Connection::open(&server.login()).unwrap();
    assert!(connection.notices().is_empty());

    connection.write_within(b"stty size; echo $TERM $((6*7))\n", SOON).unwrap();
    let said = read_until(&mut connection, " 42");
    assert!(said.contains("1000 512") && said.contains("vt100 42"), "{said}");

    connection.write_within(b"sleep 60 & exec cat >/dev/null\n", SOON).unwrap();
    read_until(&mut connection, "/dev/null");
    let error = loop {
        match connection.read_within(&mut [0; 64], Duration::from_millis(300)) {
            Ok(read) => assert_ne!(read, 0),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);

    // ^D ends the input of a terminal.
    connection.write_within(b"\x04", SOON).unwrap();
    let mut buffer = [0; 64];
    while connection.read_within(&mut buffer, SOON).unwrap() > 0 {}
    assert_eq!(connection.read_within(&mut buffer, SOON).unwrap(), 0);
}

#[test]
fn more_than_fits_into_the_window_is_written_as_the_host_makes_room() {
    let server = Server::start();
    let mut connection = Connection::open(&server.login()).unwrap();
    connection.write_within(b"stty raw -echo; echo re''ady; head -c 5000000 | wc -c\n", SOON).unwrap();
    read_until(&mut connection, "ready");
    connection.write_within(&vec![b'x'; 5_000_000], SOON).unwrap();
    read_until(&mut connection, "5000000");
}

#[test]
fn a_host_that_takes_nothing_more_is_given_up_at_the_limit() {
    let server = Server::start();
    let mut connection = Connection::open(&server.login()).unwrap();
    connection.write_within(b"stty raw -echo; echo re''ady; sleep 60\n", SOON).unwrap();
    read_until(&mut connection, "ready");
    let error = connection.write_within(&vec![b'x'; 50_000_000], Duration::from_millis(500)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn a_connection_that_breaks_is_the_end_or_an_error_and_never_silence() {
    let server = Server::start();
    let mut connection = Connection::open(&server.login()).unwrap();
    connection.write_within(b"kill -9 $PPID\n", SOON).unwrap();
    let mut buffer = [0; 4096];
    let end = loop {
        match connection.read_within(&mut buffer, SOON) {
            Ok(read) if read > 0 => {}
            end => break end,
        }
    };
    assert!(!matches!(&end, Err(error) if error.kind() == io::ErrorKind::TimedOut), "{end:?}");
}

#[test]
fn a_name_is_found_and_its_addresses_are_tried_in_turn() {
    // Where `localhost` has an IPv6 address too, nobody listens on that.
    let server = Server::start();
    server.write_known_hosts(&server.line("ed25519").replace("127.0.0.1", "LocalHost"));
    Connection::open(&Login { host: "localHOST".to_owned(), ..server.login() }).unwrap();
}

#[test]
fn a_name_that_nobody_knows_is_told() {
    let server = Server::start();
    let fault = refused(&Login { host: "core.invalid".to_owned(), ..server.login() }, "host_not_found");
    assert_says(&fault, &["`core.invalid`", "hint: "]);
}

#[test]
fn a_port_where_nobody_listens_is_told_with_its_address() {
    let server = Server::start();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let fault = refused(&Login { port: free, ..server.login() }, "connection_failed");
    assert_says(&fault, &[&format!("127.0.0.1:{free}: Connection refused"), "hint: "]);
}

/// Connects to a listener that `behave`s so to its first connection, and has to fail with `code`.
fn against(behave: impl FnOnce(TcpStream) + Send + 'static, limit: Duration, code: &str) -> String {
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || behave(listener.accept().unwrap().0));
    refused(&Login { port, timeout: limit, ..server.login() }, code).message
}

#[test]
fn a_host_that_accepts_and_says_nothing_is_given_up_at_the_limit() {
    let start = Instant::now();
    let hang = |stream| {
        thread::sleep(SOON);
        drop(stream);
    };
    let message = against(hang, Duration::from_millis(500), "timed_out");
    assert!(message.contains("shaking hands: the host did not answer in time"), "{message}");
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_host_that_speaks_too_slowly_is_given_up_at_the_limit() {
    let dribble = |mut stream: TcpStream| {
        while stream.write_all(b"x\n").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    };
    against(dribble, Duration::from_millis(500), "timed_out");
}

#[test]
fn a_host_that_never_answers_a_connect_is_told_with_its_address() {
    let server = Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Once as many wait as the listener lets wait, the kernel ignores whoever comes.
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
    }
    let login = Login { port: address.port(), timeout: Duration::from_millis(500), ..server.login() };
    let fault = refused(&login, "connection_failed");
    assert_says(&fault, &[&format!("{address}: no answer within 0.5 s")]);
}

#[test]
fn a_host_that_hangs_up_while_shaking_hands_is_told() {
    against(drop, SOON, "handshake_failed");
    let after_its_version = |mut stream: TcpStream| stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
    against(after_its_version, SOON, "handshake_failed");
    let no_ssh = |mut stream: TcpStream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    against(no_ssh, SOON, "handshake_failed");
}

#[test]
fn a_host_that_only_speaks_what_is_out_of_use_is_told_with_both_lists_and_the_remedy() {
    for (offers, ours, line) in [
        (
            "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
            "curve25519-sha256",
            "key-exchange",
        ),
        ("HostKeyAlgorithms ssh-rsa", "rsa-sha2-512", "hostkey server"),
        ("MACs umac-64@openssh.com,umac-128@openssh.com\nCiphers aes128-ctr", "hmac-sha2-256", "mac"),
        // As switches of 2014 did.
        (
            "KexAlgorithms diffie-hellman-group1-sha1\nHostKeyAlgorithms ssh-rsa\nCiphers 3des-cbc\nMACs hmac-md5",
            "curve25519-sha256",
            "key-exchange",
        ),
    ] {
        let server = Server::with(&["rsa"], offers);
        let fault = refused(&server.login(), "handshake_failed");
        let (_, theirs) = offers.lines().next().unwrap().split_once(' ').unwrap();
        let theirs = format!("it offers {}", theirs.replace(',', " "));
        let hint = format!("hint: allow one of ours on the host, on EOS with `{line}` in `management ssh`");
        assert_says(&fault, &[&theirs, ", we have ", ours, &hint]);
    }
}

#[test]
fn one_algorithm_of_each_kind_in_common_is_enough() {
    let server = Server::with(
        &["rsa"],
        "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha256\n\
         HostKeyAlgorithms ssh-rsa,rsa-sha2-256\nCiphers 3des-cbc,aes128-ctr\nMACs hmac-md5,hmac-sha2-256",
    );
    Connection::open(&server.login()).unwrap();
    // A cipher that authenticates needs no MAC.
    let server = Server::with(&["rsa"], "Ciphers aes256-gcm@openssh.com\nMACs umac-64@openssh.com");
    Connection::open(&server.login()).unwrap();
}
