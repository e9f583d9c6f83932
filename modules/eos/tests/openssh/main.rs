//! The SSH floor against a real OpenSSH server, agent and `ssh-keygen`.

#![expect(clippy::print_stdout, reason = "what was told, and what was left out")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy knows the functions of a test file that are marked as tests, but not their helpers"
)]

mod authentication;
mod connection;
mod host_keys;
mod known_hosts;
mod proxy;
mod server;
mod simulated;

use ansible_module::fault::Fault;
use eos::ssh::{Connection, Login};

/// The fault of a login that has to fail with `code`, without a secret in it.
fn refused(login: &Login, code: &str) -> Fault {
    let Err(error) = Connection::open(login) else { panic!("let in, where {code} was expected") };
    let fault = Fault::from(error);
    println!("{code}: {}", fault.message);
    assert_eq!(fault.code, code, "{}", fault.message);
    let secrets = [&login.password, &login.passphrase];
    for secret in secrets.into_iter().flatten() {
        assert!(!fault.message.contains(secret.reveal()), "{}", fault.message);
    }
    fault
}

/// Whether `fault` says all of `parts`.
#[track_caller]
fn assert_says(fault: &Fault, parts: &[&str]) {
    for part in parts {
        assert!(fault.message.contains(part), "`{part}` is missing: {}", fault.message);
    }
}
