//! The way in: every one that should work, and everybody who should not get in.

use std::fs;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::{STARTUP, Sim};
use crate::untouched::{Node, idle, stores, with};

const PASSPHRASE: &str = "staple in the haystack";
const SECRET: &str = "open? sesame!";
const WRONG: &str = "hunter2 of netops";

/// The user's key as text, and encrypted in a file of its own.
fn keys(sim: &Sim) -> (String, PathBuf) {
    let locked = sim.path("locked");
    fs::copy(sim.path("key"), &locked).unwrap();
    ssh("ssh-keygen").args(["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f"]).arg(&locked).ok();
    (fs::read_to_string(sim.path("key")).unwrap(), locked)
}

/// A key that the switch does not know.
fn stranger(sim: &Sim) -> PathBuf {
    let path = sim.path("stranger");
    ssh("ssh-keygen").args(["-q", "-N", "", "-t", "ed25519", "-C", "stranger", "-f"]).arg(&path).ok();
    path
}

/// One of OpenSSH's programs, without a word.
struct Program(Command);

fn ssh(name: &str) -> Program {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Program(command)
}

impl Program {
    fn args<const N: usize>(mut self, words: [&str; N]) -> Self {
        self.0.args(words);
        self
    }

    fn arg(mut self, path: &Path) -> Self {
        self.0.arg(path);
        self
    }

    fn ok(mut self) {
        assert!(self.0.status().unwrap().success(), "{:?}", self.0);
    }
}

/// An agent that runs as long as this lives.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(sim: &Sim, keys: &[&Path]) -> Self {
        let socket = sim.path("agent");
        let process = ssh("ssh-agent").args(["-D", "-a"]).arg(&socket).0.spawn().unwrap();
        let agent = Self { process, socket };
        let begun = Instant::now();
        while !agent.socket.exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "no agent");
            thread::sleep(Duration::from_millis(5));
        }
        for key in keys {
            let mut add = ssh("ssh-add").arg(key);
            add.0.env("SSH_AUTH_SOCK", &agent.socket);
            add.ok();
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The tries to log in of one run.
fn tries(sim: &Sim, run: impl FnOnce()) -> Vec<String> {
    let before = sim.logins().len();
    run();
    let method = |login: &String| login.split_once(' ').unwrap().1.to_owned();
    sim.logins().iter().skip(before).map(method).collect()
}

fn no_password() -> Value {
    json!({"password": null})
}

#[test]
fn a_password_logs_in_by_either_method_and_a_wrong_one_is_tried_once() {
    for (offered, used) in [
        ("publickey,password", "password"),
        ("publickey,keyboard-interactive", "keyboard-interactive"),
        ("publickey,keyboard-interactive,password", "password"),
    ] {
        let sim = Sim::start_with(STARTUP, &["--auth", offered]);
        let node = Node::of(&sim).hiding(WRONG);
        assert_eq!(tries(&sim, || assert!(!node.run(&idle()).changed())), [format!("{used} taken")]);

        let before = stores(&sim);
        let connections = sim.connections();
        let wrong = with(idle(), &json!({"password": WRONG}));
        let says = ["127.0.0.1", "logging in as `netops`", "the password", "it takes", used];
        let tried = tries(&sim, || drop(node.refused(&wrong, "authentication_failed", &says)));
        assert_eq!(tried, [format!("{used} refused")]);
        assert_eq!(sim.connections(), connections + 1);
        assert_eq!(stores(&sim), before);
    }
    let sim = Sim::start_with(STARTUP, &["--auth", "publickey"]);
    let node = Node::of(&sim);
    assert!(
        tries(&sim, || drop(node.refused(&idle(), "authentication_failed", &["only takes publickey"])))
            .is_empty()
    );
}

#[test]
fn a_key_logs_in_as_file_as_text_with_its_passphrase_and_from_the_agent() {
    let sim = Sim::start();
    let (text, locked) = keys(&sim);
    let node = Node::of(&sim).hiding(PASSPHRASE).hiding(text.lines().nth(2).unwrap());
    let locked_text = fs::read_to_string(&locked).unwrap();
    for more in [
        json!({"private_key": sim.path("key")}),
        json!({"private_key": text}),
        json!({"private_key": locked, "passphrase": PASSPHRASE}),
        json!({"private_key": locked_text, "passphrase": PASSPHRASE}),
        json!({"private_key": sim.path("key"), "passphrase": "", "password": ""}),
    ] {
        let arguments = with(with(idle(), &no_password()), &more);
        assert_eq!(tries(&sim, || assert!(!node.run(&arguments).changed())), ["publickey taken"]);
    }
    let stranger = stranger(&sim);
    // A password is the next thing to try, not the agent.
    let both = with(idle(), &json!({"private_key": stranger}));
    assert_eq!(tries(&sim, || assert!(!node.run(&both).changed())), ["publickey refused", "password taken"]);

    let agent = Agent::start(&sim, &[&stranger, &sim.path("key")]);
    let node = node.with("SSH_AUTH_SOCK", agent.socket.clone());
    for nothing in [json!({"password": null}), json!({"password": "", "private_key": ""})] {
        let arguments = with(idle(), &nothing);
        assert_eq!(
            tries(&sim, || assert!(!node.run(&arguments).changed())),
            ["publickey refused", "publickey taken"]
        );
    }
}

#[test]
fn nobody_gets_in_with_a_key_that_is_none_of_theirs_or_cannot_be_used() {
    let sim = Sim::start();
    let (text, locked) = keys(&sim);
    let (stranger, garbage) = (stranger(&sim), sim.path("garbage"));
    fs::write(&garbage, "no key at all\n").unwrap();
    let cut_short = format!("{}\n", text.lines().take(3).collect::<Vec<_>>().join("\n"));
    let before = stores(&sim);
    let node = Node::of(&sim).hiding(PASSPHRASE).hiding(WRONG).hiding(text.lines().nth(1).unwrap());
    let path = |path: &Path| format!("`{}`", path.display());
    for (more, code, says, tried) in [
        (json!({"private_key": stranger}), "authentication_failed", path(&stranger), 1),
        (json!({"private_key": locked, "passphrase": WRONG}), "private_key_unusable", path(&locked), 0),
        (json!({"private_key": locked}), "private_key_unusable", "give its `passphrase`".to_owned(), 0),
        (json!({"private_key": sim.path("none")}), "private_key_unusable", path(&sim.path("none")), 0),
        (json!({"private_key": sim.path("home")}), "private_key_unusable", path(&sim.path("home")), 0),
        (json!({"private_key": garbage}), "private_key_unusable", path(&garbage), 0),
        (json!({"private_key": cut_short}), "private_key_unusable", "that was given as text".to_owned(), 0),
        (json!({}), "no_credentials", "`SSH_AUTH_SOCK` is not set".to_owned(), 0),
        (json!({"private_key": ""}), "no_credentials", "neither `private_key` nor `password`".to_owned(), 0),
    ] {
        let arguments = with(with(idle(), &no_password()), &more);
        let tries = tries(&sim, || drop(node.refused(&arguments, code, &[&says])));
        assert_eq!(tries.len(), tried, "{more}: {tries:?}");
    }
    let nobody = Node::of(&sim).with("SSH_AUTH_SOCK", sim.path("nobody"));
    nobody.refused(&with(idle(), &no_password()), "no_credentials", &["does not answer"]);
    let agent = Agent::start(&sim, &[]);
    let empty = Node::of(&sim).with("SSH_AUTH_SOCK", agent.socket.clone());
    empty.refused(&with(idle(), &no_password()), "no_credentials", &["holds no key"]);
    assert_eq!(stores(&sim), before);
}

#[test]
fn enable_is_typed_where_it_is_needed_and_its_secret_once() {
    let sim = Sim::start_with(STARTUP, &["--enable-secret", SECRET, "--user", "boss:the boss's own:15"]);
    let node = Node::of(&sim).hiding(SECRET).hiding(WRONG).hiding("the boss's own");
    let before = stores(&sim);
    let begins = |arguments: &Value| {
        let typed = sim.typed().len();
        let answer = node.run(arguments);
        let lines = sim.typed().split_off(typed);
        (
            answer,
            lines.iter().take(2).map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>(),
        )
    };
    let (answer, lines) = begins(&with(idle(), &json!({"enable_password": SECRET})));
    assert!(!answer.changed());
    assert_eq!(lines, ["enable", "<password>"]);
    let (answer, lines) = begins(&with(idle(), &json!({"username": "boss", "password": "the boss's own"})));
    assert!(!answer.changed());
    assert_eq!(lines[0], "terminal length 0");

    let refused = |password: Value, says: &str| {
        let arguments = with(idle(), &json!({"enable_password": password}));
        node.refused(&arguments, "privilege_refused", &["privileged mode", says, "`enable_password`"]);
    };
    refused(json!(null), "it wants a password, and none is given");
    refused(json!(""), "it wants a password, and none is given");
    let typed = sim.typed().len();
    refused(json!(WRONG), "% Bad secret");
    let lines = sim.typed().split_off(typed);
    assert_eq!(lines.iter().filter(|line| line.ends_with(" <password>")).count(), 1, "{lines:?}");
    assert_eq!(stores(&sim), before);
}

#[test]
fn what_the_user_is_not_authorized_to_do_is_told_with_the_line() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let before = stores(&sim);
    for line in ["enable", "show running-config", "show startup-config", "show configuration sessions"] {
        sim.control(&format!("refuse {line} with Authorization denied for command '{line}'"));
        node.refused(&scenario(), "privilege_refused", &[line, "% Authorization denied"]);
        sim.control("clear");
    }
    sim.control("refuse configure with Authorization denied for command 'configure'");
    for answer in [node.run(&scenario()), sim.check(&scenario())] {
        assert_eq!(answer.failure(), ("privilege_refused", "unchanged"), "{:#}", answer.result);
        let told = answer.result["msg"].as_str().unwrap();
        for part in ["configure session bothends-", "% Authorization denied", "hint: the user needs"] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(answer.result["warnings"], json!([]));
    }
    sim.control("clear");
    assert_eq!(stores(&sim), before);
}

#[test]
fn a_switch_is_found_by_name_and_by_either_kind_of_address() {
    let v6 = TcpListener::bind("[::1]:0").and_then(|listener| listener.local_addr()).ok();
    let listen = v6.map(|address| ["--listen".to_owned(), address.to_string()]);
    let options: Vec<&str> = listen.iter().flatten().map(String::as_str).collect();
    let sim = Sim::start_with(STARTUP, &options);
    let node = Node::of(&sim);
    let key = fs::read_to_string(sim.path("known_hosts")).unwrap();
    let mut hosts = vec![("localhost", sim.port()), ("LocalHost", sim.port())];
    match v6 {
        Some(address) => hosts.push(("::1", address.port())),
        None => println!("left out: IPv6, which this machine does not have"),
    }
    for (host, port) in hosts {
        let known = sim.path("known_so");
        let name = format!("[{}]:{port}", host.to_lowercase());
        fs::write(&known, key.replace(&format!("[127.0.0.1]:{}", sim.port()), &name)).unwrap();
        let there = json!({"host": host, "port": port, "known_hosts": known});
        assert!(!node.run(&with(idle(), &there)).changed(), "{host}");
    }
}

#[test]
fn a_switch_that_cannot_be_reached_is_told_within_the_time_that_it_is_given() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let at = |host: &str, port: u16| with(idle(), &json!({"host": host, "port": port, "timeout": 1}));
    let begun = Instant::now();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    node.refused(
        &at("127.0.0.1", free),
        "connection_failed",
        &[&format!("127.0.0.1:{free}: Connection refused")],
    );
    node.refused(
        &at("core.invalid", 22),
        "host_not_found",
        &["`core.invalid`", "hint: check the spelling of `host`"],
    );

    // Once as many wait as the listener lets wait, the kernel ignores whoever comes.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
    }
    node.refused(&at("127.0.0.1", address.port()), "connection_failed", &["no answer within"]);

    let answers = |bytes: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(bytes);
            if bytes.is_empty() {
                // It listens, and says nothing.
                let _ = io::copy(&mut stream, &mut io::sink());
            }
        });
        port
    };
    node.refused(&at("127.0.0.1", answers(b"")), "timed_out", &["shaking hands", "`timeout`"]);
    let web = answers(b"HTTP/1.1 400 Bad Request\r\nServer: core\r\n\r\n");
    node.refused(&at("127.0.0.1", web), "handshake_failed", &["an SSH server"]);
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
}

#[test]
fn no_route_to_the_switch_is_told_with_its_address() {
    let is_possible =
        Command::new("unshare").args(["--net", "true"]).status().is_ok_and(|status| status.success());
    if !is_possible {
        println!("left out: no route, because only root makes a network namespace without one");
        return;
    }
    let sim = Sim::start();
    let mut alone = Command::new("unshare");
    alone.args(["--net", env!("CARGO_BIN_EXE_eos_port_channel")]);
    let arguments = with(idle(), &json!({"host": "192.0.2.1"}));
    let says = [&*format!("192.0.2.1:{}: Network is unreachable", sim.port()), "check that the host is up"];
    Node::of(&sim).refused_as(&mut alone, &arguments, "connection_failed", &says);
}
