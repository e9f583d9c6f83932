//! What is made of bytes that no switch promised: every file of `tests/corpus`, cut off anywhere, and mutated by proptest. A new
//! seed needs no code.
//!
//! - `running_config`: a running-config or startup-config.
//! - `sessions_json`, `sessions_table`: `show configuration sessions detail`, with `| json` and without.
//! - `session_diff`: `show session-config diffs`.
//! - `live_json`: the answers to `show … | json` about what is live.
//! - `dialog`: what comes over the wire from login on.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here is the test")]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use eos::bundle::Bundle;
use eos::config::Config;
use eos::lacp::Negotiation;
use eos::link::Link;
use eos::prompt::Prompt;
use eos::session_diff::SessionDiff;
use eos::sessions::Sessions;
use eos::shell::{Error, Shell};
use eos::stream::Stream;
use eos::version::Version;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Nothing here waits for time: a switch that has said its piece hangs up.
const LIMIT: Duration = Duration::from_secs(600);
/// The rows, lines and blocks of what is large. What takes the square of that takes minutes, and the runner ends it.
const MANY: usize = 50_000;

fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// What the shell hands on: text, in which what is not UTF-8 is replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Something done to bytes.
#[derive(Debug, Clone)]
enum Mutation {
    CutOff(Index),
    Lose(Index),
    Flip(Index, u32),
    Repeat(Index, Index, Index),
    Insert(Index, &'static [u8]),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // What means something to one reader or another.
    let words: Vec<&'static [u8]> = vec![
        b"\n",
        b"\r",
        b"!\n",
        b"end\n",
        b"@@ -1,1 +1,1 @@\n",
        b"interface Ethernet7/1\n",
        b"banner motd\n",
        b"EOF\n",
        b"core#",
        b"\x1b[",
        b"\x08",
        b"\x00",
        b"\xff",
        b"{",
        b"}",
        b"\"",
        b"[[",
        b"---",
        b" ",
        b"\t",
        b"null",
        b"-1",
        b"1e999",
        b"\xe2\x80\xa8",
    ];
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Mutation::CutOff),
        at().prop_map(Mutation::Lose),
        (at(), 0_u32..8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), at(), at()).prop_map(|(from, to, into)| Mutation::Repeat(from, to, into)),
        (at(), select(words)).prop_map(|(at, word)| Mutation::Insert(at, word)),
    ]
}

impl Mutation {
    fn on(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index, bytes: &Vec<u8>| at.index(bytes.len() + 1);
        match self {
            Self::CutOff(at) => bytes.truncate(place(at, bytes)),
            Self::Insert(at, word) => {
                let at = place(at, bytes);
                bytes.splice(at..at, word.iter().copied());
            }
            Self::Repeat(from, to, into) => {
                let [from, to, into] = [from, to, into].map(|at| place(at, bytes));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(into..into, part);
            }
            Self::Lose(_) | Self::Flip(..) if bytes.is_empty() => {}
            Self::Lose(at) => {
                bytes.remove(at.index(bytes.len()));
            }
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

/// A seed of a folder after a few mutations.
fn mutated(folder: &str) -> impl Strategy<Value = Vec<u8>> {
    (select(seeds(folder)), vec(mutation(), 0..6)).prop_map(|(mut bytes, mutations)| {
        for mutation in mutations {
            mutation.on(&mut bytes);
        }
        bytes
    })
}

/// A switch that says these bytes in pieces of this size, whatever is typed, and hangs up.
struct Wire {
    bytes: VecDeque<u8>,
    piece: usize,
}

impl Stream for Wire {
    fn read_within(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
        let count = self.piece.min(buffer.len()).min(self.bytes.len());
        for (to, from) in buffer.iter_mut().zip(self.bytes.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn write_within(&mut self, _: &[u8], _: Duration) -> io::Result<()> {
        Ok(())
    }
}

fn read_config(text: &str) -> Config {
    let config = Config::parse(text);
    let spelled: String = text.split_whitespace().collect();
    for (_, block) in config.interfaces() {
        assert!(block.head.starts_with("interface "), "{}", block.head);
        for line in block.lines.iter().chain([&block.head]) {
            let line: String = line.split_whitespace().collect();
            assert!(spelled.contains(&line), "{line} is not in it");
        }
    }
    assert!(config.vlans().iter().all(|vlan| (1..4095).contains(&vlan)));
    assert!(!config.hostname().contains('\n'));
    config
}

fn read_diff(diff: &str, running: &str) -> Option<SessionDiff> {
    let found = SessionDiff::parse(diff, running, &["interface Ethernet7/1".to_owned()]);
    assert_eq!(found.is_none(), diff.trim().is_empty());
    if let Some(found) = &found {
        assert!(
            found.to_string().ends_with('\n')
                && !found.changes_of_others().iter().any(|line| line.contains('\n'))
        );
    }
    found
}

proptest! {
    #[test]
    fn any_bytes_are_a_configuration_that_holds_nothing_else(bytes in mutated("running_config")) {
        let text = text(&bytes);
        let config = read_config(&text);
        prop_assert_eq!(Config::parse(&text.replace("\r\n", "\n").replace('\n', "\r\n")), config);
    }

    #[test]
    fn any_bytes_name_the_sessions_that_stand_in_them_or_are_none(
        json in mutated("sessions_json"), table in mutated("sessions_table"),
    ) {
        for found in [Sessions::parse(&text(&json)), Sessions::parse_text(&text(&table))].into_iter().flatten() {
            prop_assert!(found.occupied().all(|name| found.is_pending(name)));
            prop_assert!(found.timer.iter().all(|timer| !found.is_pending(&timer.session)));
        }
        if let Ok(found) = Sessions::parse_text(&text(&table)) {
            let table = text(&table);
            prop_assert!(found.pending.iter().all(|name| table.contains(name.as_str())));
        }
    }

    #[test]
    fn any_bytes_are_a_difference_unless_they_are_blank(
        diff in mutated("session_diff"), running in mutated("running_config"),
    ) {
        read_diff(&text(&diff), &text(&running));
    }

    #[test]
    fn any_json_tells_of_interfaces_that_stand_in_it(bytes in mutated("live_json")) {
        let Ok(json) = serde_json::from_slice(&bytes) else { return Ok(()) };
        let named = Link::read_all(&json).into_keys()
            .chain(Bundle::read_all(&json).into_iter().flat_map(|(name, bundle)| bundle.members.into_keys().chain([name])))
            .chain(Negotiation::read_all(&json).into_keys());
        let text = json.to_string();
        prop_assert!(named.into_iter().all(|name| text.contains(&name.to_string())));
        let _ = Version::read(&json);
    }

    #[test]
    fn any_bytes_on_the_wire_are_an_answer_or_an_error(bytes in mutated("dialog"), piece in 1_usize..80) {
        let wire = Wire { bytes: bytes.clone().into(), piece };
        let Ok(mut shell) = Shell::begin(wire, LIMIT) else { return Ok(()) };
        prop_assert!(text(&bytes).contains(shell.prompt().base.trim_end()) || bytes.contains(&0x1b) || !bytes.is_ascii());
        let _ = shell.show("show version");
        let _ = shell.enable(None);
        let _ = shell.configure("commit");
    }

    #[test]
    fn any_line_is_a_prompt_or_none(line in "[-a-z0-9.:@/ ()\\[\\]#>]{0,80}(\\(config(-s-[a-z]{0,8})?(-if-[A-Z][a-z]{1,2}[0-9/]{0,4})?\\))?[#>]? ?") {
        if let Some(prompt) = Prompt::parse(&line) {
            prop_assert!(line.starts_with(&prompt.base) && !prompt.base.is_empty());
        }
    }
}

#[test]
fn sessions_that_are_cut_off_anywhere_never_pass_for_fewer() {
    for seed in seeds("sessions_json").iter().map(|seed| text(seed)) {
        Sessions::parse(&seed).unwrap();
        for (end, _) in seed.trim_end().char_indices() {
            assert!(Sessions::parse(&seed[..end]).is_err(), "{}", &seed[..end]);
        }
    }
    for seed in seeds("sessions_table").iter().map(|seed| text(seed)) {
        let whole = Sessions::parse_text(&seed).unwrap();
        assert!(whole.pending.len() + whole.occupied().count() > 1 && whole.timer.is_some());
        let head = seed.rfind("---\n").unwrap();
        for (end, _) in seed[..head].char_indices() {
            assert!(Sessions::parse_text(&seed[..end]).is_err(), "{}", &seed[..end]);
        }
    }
}

#[test]
fn a_dialog_that_is_cut_off_anywhere_is_lost_and_never_an_answer() {
    let seed = "core#show version\r\nArista\r\ncore#\r\nSoftware\r\n".as_bytes();
    for end in 0..seed.len() {
        let wire = Wire { bytes: seed[..end].to_vec().into(), piece: 7 };
        match Shell::begin(wire, LIMIT).and_then(|mut shell| shell.show("show version")) {
            Err(Error::Lost { .. }) => {}
            other => unreachable!("{other:?}"),
        }
    }
}

/// So many times what `one` writes.
fn many(count: usize, one: impl Fn(usize, &mut String)) -> String {
    let mut text = String::new();
    for number in 0..count {
        one(number, &mut text);
    }
    text
}

#[test]
fn what_is_large_is_read_in_one_go() {
    let name = |n: usize| format!("interface Ethernet{}/{}", n / 1000 + 1, n % 1000 + 1);
    let blocks =
        many(MANY, |n, text| write!(text, "{}\n   description {n}\n   key 7 x\n!\n", name(n)).unwrap());
    assert_eq!(Config::parse(&blocks).interfaces().count(), MANY);

    let signed = |sign: &str| format!("{sign}{}", blocks.trim_end().replace('\n', &format!("\n{sign}")));
    let one = format!("@@ -1,1 +1,1 @@\n{}\n{}\n", signed("-"), signed("+").replace("description", "speed"));
    assert!(read_diff(&one, &blocks).unwrap().changes_of_others().len() > MANY);
    // The numbers are wrong, so that each is looked for.
    let hunks =
        many(MANY, |n, text| write!(text, "@@ -7,3 +7,3 @@\n !\n {}\n-   key 7 x\n", name(n)).unwrap());
    read_diff(&hunks, &blocks).unwrap();

    let rows = many(MANY, |n, text| writeln!(text, "  session-{n} pending").unwrap());
    let table = format!("  Name State\n  ---- -----\n{rows}");
    assert_eq!(Sessions::parse_text(&table).unwrap().pending.len(), MANY);
}

#[test]
fn an_answer_of_one_long_line_or_of_many_is_read_in_one_go() {
    for filler in [
        vec![b'x'; 16 << 20],
        b"x\x08".repeat(4 << 20),
        b"\r\n".repeat(1 << 20),
        b"core#\r\n".repeat(1 << 18),
    ] {
        let bytes = [b"core#", &filler[..], b"\r\nshow version\r\nArista\r\n"].concat();
        let wire = Wire { bytes: bytes.into(), piece: 16 << 10 };
        let told = Shell::begin(wire, LIMIT).and_then(|mut shell| shell.show("show version"));
        assert!(matches!(told, Err(Error::Lost { .. })), "{told:?}");
    }
}
