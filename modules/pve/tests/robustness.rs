//! What is done to bytes that nobody promised: every file of `tests/corpus`, and what comes of it when it is cut off
//! anywhere, loses any byte, has bits flipped and parts repeated elsewhere. A new seed needs no code.
//!
//! - `interfaces`: the interfaces file.
//! - `answer`: what a peer sends in answer to a call, as [`pve::jsonrpc`] has to cut it out of what comes.
//! - `database`: the answer of `ovsdb-server` to the question for the picture.
//! - `lacp`, `bond`: the texts of `lacp/show` and `bond/show`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here is the test")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use pve::interfaces::Interfaces;
use pve::jsonrpc::{Connection, Error};
use pve::ovsdb::Database;
use pve::paths::Paths;
use pve::unixctl::Daemon;
use serde_json::{Value, json};

/// How many flips, and how many splices, of each seed.
const ROUNDS: usize = 256;
/// Nothing here waits for time: a peer that has said its piece hangs up.
const LIMIT: Duration = Duration::from_secs(60);

fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// The seed itself and all that is made of it.
fn variants(seed: &[u8]) -> Vec<Vec<u8>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut variants = vec![seed.to_vec()];
    variants.extend((0..seed.len()).map(|end| seed[..end].to_vec()));
    variants.extend((0..seed.len()).map(|gone| [&seed[..gone], &seed[gone + 1..]].concat()));
    for _ in 0..ROUNDS {
        let mut flipped = seed.to_vec();
        flipped[random.below(seed.len())] ^= 1 << random.below(8);
        variants.push(flipped);
        let (from, to) = (random.below(seed.len()), random.below(seed.len()));
        let length = random.below(seed.len() - from);
        variants.push([&seed[..to], &seed[from..from + length], &seed[to..]].concat());
    }
    variants
}

/// Always the same numbers, so that what fails once fails again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// A daemon that answers each connection's first request with what it is told to, and hangs up.
struct Peer {
    folder: tempfile::TempDir,
    answers: Sender<Vec<u8>>,
}

impl Peer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ovs-vswitchd.pid"), "7\n").unwrap();
        let listener = UnixListener::bind(folder.path().join("ovs-vswitchd.7.ctl")).unwrap();
        let (answers, told) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for answer in told {
                let (mut stream, _) = listener.accept().unwrap();
                let mut heard = vec![0; 64 << 10];
                // Who is not listening any more has all that it wanted.
                let _ = stream.read(&mut heard).and_then(|_| stream.write_all(&answer));
                let _ = stream.shutdown(Shutdown::Write).and_then(|()| stream.read_to_end(&mut heard));
            }
        });
        Self { folder, answers }
    }

    fn saying(&self, answer: Vec<u8>) -> PathBuf {
        self.answers.send(answer).unwrap();
        self.folder.path().join("ovs-vswitchd.7.ctl")
    }

    fn connect(&self, answer: Vec<u8>) -> Connection {
        Connection::open(&self.saying(answer), Instant::now() + LIMIT).unwrap()
    }

    fn daemon(&self, text: &[u8]) -> Daemon {
        let text = String::from_utf8_lossy(text);
        self.saying(json!({ "id": 1, "error": null, "result": text }).to_string().into_bytes());
        let paths = Paths { ovs_run: self.folder.path().to_owned(), ..Paths::default() };
        Daemon::open(&paths, Instant::now() + LIMIT).unwrap()
    }
}

#[test]
fn any_interfaces_file_keeps_its_bytes() {
    for bytes in seeds("interfaces").iter().flat_map(|seed| variants(seed)) {
        let mut file = Interfaces::parse(&bytes);
        assert_eq!(file.render(), bytes);
        for name in file.names() {
            let stanza = file.stanza(&name).unwrap();
            file.put(&stanza).unwrap();
        }
        assert_eq!(file.render(), bytes, "what was there was put there");
    }
}

#[test]
fn an_answer_is_cut_out_of_what_comes_where_it_ends() {
    let peer = Peer::new();
    for seed in seeds("answer") {
        let mut connection =
            peer.connect([&seed, &b"{\"id\":2,\"error\":null,\"result\":\"next\"}"[..]].concat());
        let first = connection.call("x", json!([]));
        assert!(matches!(first, Ok(_) | Err(Error::Refused { .. })), "{first:?}");
        assert_eq!(connection.call("x", json!([])).unwrap(), "next");
    }
}

#[test]
fn any_answer_is_a_value_or_an_error() {
    let peer = Peer::new();
    for bytes in seeds("answer").iter().flat_map(|seed| variants(seed)) {
        if let Ok(value) = peer.connect(bytes).call("x", json!([])) {
            let again: Value = serde_json::from_str(&value.to_string()).unwrap();
            assert!(again == value || !is_exact(&value), "{again} was {value}");
        }
    }
}

/// Whether no number in it is a fraction, or too large: no column holds such.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(values) => values.iter().all(is_exact),
        Value::Object(values) => values.values().all(is_exact),
        _ => true,
    }
}

#[test]
fn an_answer_may_be_nested_as_deep_as_it_likes() {
    let peer = Peer::new();
    let deep = |depth: usize, closed: bool| {
        let close = if closed { "]".repeat(depth) + "}" } else { String::new() };
        format!("{{\"id\":1,\"error\":null,\"result\":{}{close}", "[".repeat(depth)).into_bytes()
    };
    assert!(peer.connect(deep(50, true)).call("x", json!([])).is_ok());
    assert!(matches!(peer.connect(deep(1_000_000, true)).call("x", json!([])), Err(Error::Garbled { .. })));
    assert!(matches!(peer.connect(deep(1_000_000, false)).call("x", json!([])), Err(Error::Closed { .. })));
}

#[test]
fn any_database_is_a_picture_or_an_error() {
    let peer = Peer::new();
    let read =
        |bytes: &[u8]| Database::open(&peer.saying(bytes.to_vec()), Instant::now() + LIMIT).unwrap().read();
    let mut understood = 0;
    for seed in seeds("database") {
        understood += usize::from(read(&seed).is_ok());
        for bytes in variants(&seed) {
            let Ok(found) = read(&bytes) else { continue };
            let on_bridges = found.bridges.values().flat_map(|bridge| &bridge.ports);
            assert!(found.ports.keys().all(|port| on_bridges.clone().any(|known| known == port)));
        }
    }
    assert!(understood > 0, "no seed is a picture: its columns are out of date");
}

#[test]
fn any_text_of_the_daemon_names_what_stands_in_it_or_is_an_error() {
    let peer = Peer::new();
    let mut understood = 0;
    for bytes in seeds("lacp").iter().flat_map(|seed| variants(seed)) {
        let text = String::from_utf8_lossy(&bytes);
        let Ok(lacp) = peer.daemon(&bytes).lacp("bond0") else { continue };
        understood += 1;
        assert!(lacp.members.keys().all(|member| text.contains(member.as_str())));
    }
    for bytes in seeds("bond").iter().flat_map(|seed| variants(seed)) {
        let text = String::from_utf8_lossy(&bytes);
        let Ok(bond) = peer.daemon(&bytes).bond("bond0") else { continue };
        understood += 1;
        assert!(bond.enabled.iter().chain(&bond.active).all(|member| text.contains(member.as_str())));
    }
    assert!(understood > 100, "of all texts only {understood} are understood");
}
