//! Keys, passphrases, passwords and agents, against a server that knows them.

use std::fs;
use std::path::Path;

use eos::ssh::{Connection, Login, PrivateKey, Secret};

use crate::server::{Agent, PASSWORD, Server, is_root, new_key};
use crate::{assert_says, refused};

const PASSPHRASE: &str = "battery staple";

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_form_of_private_key_logs_in_as_file_and_as_text() {
    let forms: [&[&str]; 7] = [
        &["-t", "ed25519"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        &["-t", "ecdsa"],
        &["-t", "ecdsa", "-m", "PEM"],
        &["-t", "ecdsa", "-b", "521"],
    ];
    let server = Server::start();
    for (form, number) in forms.iter().zip(0..) {
        for passphrase in ["", PASSPHRASE] {
            let path = server.path(&format!("key{number}{}", passphrase.len()));
            new_key(&path, &[form, &["-N", passphrase][..]].concat());
            fs::copy(path.with_extension("pub"), server.path("authorized_keys")).unwrap();
            let text = text_of(&path);
            let login = Login {
                passphrase: (!passphrase.is_empty()).then(|| Secret::from(passphrase.to_owned())),
                ..server.login()
            };
            // Ansible's lookup of a file takes the last line end away.
            for key in [path.display().to_string(), text.clone(), text.trim_end().to_owned()] {
                let given = PrivateKey::from(key);
                let login = Login { private_key: Some(given.clone()), ..login.clone() };
                if let Err(error) = Connection::open(&login) {
                    panic!("{form:?} `{passphrase}` {given:?}: {error:?}");
                }
            }
        }
    }
}

#[test]
fn a_private_key_that_cannot_be_used_is_told_before_it_is_offered() {
    let server = Server::start();
    let encrypted = server.path("encrypted");
    new_key(&encrypted, &["-t", "ed25519", "-N", PASSPHRASE]);
    let with = |key: String, passphrase: Option<&str>| Login {
        private_key: Some(PrivateKey::from(key)),
        passphrase: passphrase.map(|text| Secret::from(text.to_owned())),
        ..server.login()
    };
    let path = encrypted.display().to_string();

    let fault = refused(&with(path.clone(), Some("wrong horse")), "private_key_unusable");
    assert_says(&fault, &[&path, "hint: see whether the passphrase is the right one"]);
    let fault = refused(&with(text_of(&encrypted), Some("wrong horse")), "private_key_unusable");
    assert_says(&fault, &["given as text"]);
    let fault = refused(&with(path.clone(), None), "private_key_unusable");
    assert_says(&fault, &[&path, "give its `passphrase`"]);
    let fault = refused(&with(server.path("missing").display().to_string(), None), "private_key_unusable");
    assert_says(&fault, &["/missing", "No such file"]);
    let public = encrypted.with_extension("pub").display().to_string();
    refused(&with(public, None), "private_key_unusable");
    refused(&with("-----BEGIN RSA PRIVATE KEY-----\nnone\n".to_owned(), None), "private_key_unusable");
}

#[test]
fn a_key_that_the_host_does_not_know_is_refused_with_what_was_tried() {
    let server = Server::start();
    new_key(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    let login = Login { private_key: Some(PrivateKey::File(server.path("other"))), ..server.login() };
    let fault = refused(&login, "authentication_failed");
    assert_says(
        &fault,
        &["logging in as `", "the private key `", "/other`", "which it refused; it takes publickey,"],
    );
}

#[test]
fn every_key_of_the_agent_is_offered() {
    let server = Server::start();
    let agent = Agent::start(&server.path(""));
    for name in ["first", "second", "third"] {
        new_key(&server.path(name), &["-t", "ecdsa", "-N", "", "-C", name]);
        agent.add(&server.path(name));
    }
    let login = Login { private_key: None, agent: Some(agent.socket.clone()), ..server.login() };
    let fault = refused(&login, "authentication_failed");
    assert_says(&fault, &["the agent's key `first`", "`second`", "`third`"]);

    new_key(&server.path("rsa"), &["-t", "rsa", "-N", ""]);
    fs::copy(server.path("rsa.pub"), server.path("authorized_keys")).unwrap();
    agent.add(&server.path("rsa"));
    Connection::open(&login).unwrap();
}

#[test]
fn an_agent_with_more_keys_than_the_host_lets_be_tried_is_told() {
    let server = Server::with(&["ed25519"], "MaxAuthTries 2");
    let agent = Agent::start(&server.path(""));
    for name in ["first", "second", "third"] {
        new_key(&server.path(name), &["-t", "ed25519", "-N", "", "-C", name]);
        agent.add(&server.path(name));
    }
    let login = Login { private_key: None, agent: Some(agent.socket.clone()), ..server.login() };
    let fault = refused(&login, "authentication_failed");
    assert_says(
        &fault,
        &["the agent's key `first`, the agent's key `second`, which it refused, and hung up"],
    );
}

#[test]
fn nothing_to_log_in_with_is_told_with_what_could_be_given() {
    let server = Server::start();
    let with = |agent| Login { private_key: None, agent, ..server.login() };
    let fault = refused(&with(None), "no_credentials");
    assert_says(&fault, &["`private_key`", "`password`", "`SSH_AUTH_SOCK` is not set", "hint: "]);
    let fault = refused(&with(Some(server.path("nobody.sock"))), "no_credentials");
    assert_says(&fault, &["nobody.sock` does not answer"]);
    let agent = Agent::start(&server.path(""));
    let fault = refused(&with(Some(agent.socket.clone())), "no_credentials");
    assert_says(&fault, &["holds no key"]);
}

/// Whether passwords are left out: only root's server have a password of its own, because
/// that takes a file of accounts of its own.
fn no_passwords() -> bool {
    if !is_root() {
        println!("left out: passwords, because the server can only check ours as root");
    }
    !is_root()
}

#[test]
fn a_password_logs_in_and_a_wrong_one_does_not() {
    if no_passwords() {
        return;
    }
    let server = Server::start();
    Connection::open(&server.login_with_password(PASSWORD)).unwrap();
    let fault = refused(&server.login_with_password("hunter2"), "authentication_failed");
    assert_says(
        &fault,
        &["logging in as `root`: tried the password, which it refused; it takes publickey, password; hint: "],
    );
}

#[test]
fn the_password_follows_a_key_that_was_refused_and_one_that_was_not_enough() {
    if no_passwords() {
        return;
    }
    let server = Server::start();
    new_key(&server.path("other"), &["-t", "ed25519", "-N", ""]);
    let by_password = server.login_with_password(PASSWORD);
    let other = Some(PrivateKey::File(server.path("other")));
    Connection::open(&Login { private_key: other, ..by_password }).unwrap();

    let server = Server::with(&["ed25519"], "AuthenticationMethods publickey,password");
    let by_password = server.login_with_password(PASSWORD);
    Connection::open(&Login { private_key: server.login().private_key, ..by_password.clone() }).unwrap();
    let fault = refused(&by_password, "authentication_failed");
    assert_says(&fault, &["it only takes publickey; hint: "]);
}

/// A server that asks for the password as PAM tells it to.
fn with_pam(methods: &str) -> Server {
    Server::with(&["ed25519"], &format!("UsePAM yes\n{methods}"))
}

#[test]
fn a_password_answers_the_question_of_keyboard_interactive_and_a_wrong_one_is_told() {
    if no_passwords() {
        return;
    }
    let server = with_pam("KbdInteractiveAuthentication yes\nPasswordAuthentication no");
    Connection::open(&server.login_with_password(PASSWORD)).unwrap();
    let fault = refused(&server.login_with_password("hunter2"), "authentication_failed");
    assert_says(
        &fault,
        &["tried the password (keyboard-interactive), which it refused; it takes publickey,"],
    );

    let two =
        with_pam("KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive");
    let login = Login { private_key: two.login().private_key, ..two.login_with_password(PASSWORD) };
    Connection::open(&login).unwrap();
}

#[test]
fn a_password_that_has_expired_is_told_and_never_changed() {
    if no_passwords() {
        return;
    }
    let server = with_pam("KbdInteractiveAuthentication yes\nPasswordAuthentication no");
    server.change_password_on("0");
    let fault = refused(&server.login_with_password(PASSWORD), "authentication_failed");
    assert_says(
        &fault,
        &[
            "after the password it asks for more, `",
            "change your password",
            "assword:`",
            "a password that has expired",
        ],
    );
    Connection::open(&server.login_with_password(PASSWORD)).err().unwrap();
    server.change_password_on("19000");
    Connection::open(&server.login_with_password(PASSWORD)).unwrap();
}
