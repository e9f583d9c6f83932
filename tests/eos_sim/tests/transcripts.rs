//! Each file in `transcripts/` is what a screen showed: prompts, typed lines, answers. Typing the same lines again has
//! to show the same. A line that begins with `~ ` stands for what is not typed:
//!
//! - `~ switch SECRET` starts the switch with this secret of `enable`; by default it has none.
//! - `~ release 4.20.1F` starts the switch with this release.
//! - `~ model DCS-7504` starts the switch as this model.
//! - `~ answered` starts the switch with something at the other end of its cables that answers LACP.
//! - `~ imagined` starts the switch with the cables that are imagined where there is no Open vSwitch.
//! - `~ partner PORT HOW` and `~ forward-delay SECONDS` are commands of the control socket.
//! - `~ user NAME` goes to this user's connection, which begins unprivileged where it is new.
//! - `~ password TEXT` is typed where `Password: ` stands.
//! - `~ wait SECONDS` lets time pass.
//! - `~ close` ends the connection.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here is the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use eos_sim::dataplane::{DataPlane, Intent, LacpEnd, NoPlane, Status};
use eos_sim::imagined::Imagined;
use eos_sim::switch::{Setup, Switch};
use eos_sim::terminal::{Answer, Terminal, Then};

const STARTUP: &str = include_str!("startup-config");

/// Every member that speaks LACP has a partner.
#[derive(Default)]
struct Answered(NoPlane);

impl DataPlane for Answered {
    fn apply(&mut self, intent: &Intent) -> anyhow::Result<()> {
        self.0.apply(intent)
    }

    fn status(&mut self) -> anyhow::Result<Status> {
        let mut status = self.0.status()?;
        for port in status.ports.values_mut() {
            let Some(lacp) = &mut port.lacp else { continue };
            port.bundled = true;
            lacp.actor.state = 0b0011_1101;
            lacp.partner = Some(LacpEnd {
                system_priority: 65534,
                system: "00:1b:21:00:00:02".to_owned(),
                port: lacp.actor.port + 1,
                port_priority: 65535,
                key: 7,
                state: 0b0011_1111,
            });
        }
        Ok(status)
    }
}

struct Replay {
    switch: Switch,
    terminals: BTreeMap<String, Terminal>,
    user: String,
}

impl Replay {
    fn new(startup: String, plane: Box<dyn DataPlane>, enable_secret: Option<String>) -> Self {
        let switch = Switch::new(Setup { startup, plane, enable_secret }).unwrap();
        // A machine that is busy for a while is no reason for a timer to run out.
        switch.stop_clock();
        let terminals = [("admin".to_owned(), switch.terminal("admin", true, "192.0.2.1"))].into();
        Self { switch, terminals, user: "admin".to_owned() }
    }

    fn unplugged(startup: String) -> Self {
        Self::new(startup, Box::<NoPlane>::default(), None)
    }

    fn terminal(&mut self) -> &mut Terminal {
        self.terminals.get_mut(&self.user).unwrap()
    }

    fn happen(&mut self, what: &str) -> String {
        let (word, argument) = what.split_once(' ').unwrap_or((what, ""));
        match word {
            "switch" => {
                *self = Self::new(STARTUP.to_owned(), Box::<NoPlane>::default(), Some(argument.to_owned()));
            }
            "release" => *self = Self::unplugged(STARTUP.replace("4.28.3M", argument)),
            "model" => *self = Self::unplugged(STARTUP.replace("DCS-7050QX-32S", argument)),
            "answered" => *self = Self::new(STARTUP.to_owned(), Box::<Answered>::default(), None),
            "imagined" => *self = Self::new(STARTUP.to_owned(), Box::<Imagined>::default(), None),
            "partner" => {
                let (port, partner) = argument.split_once(' ').unwrap();
                self.switch.set_partner(port, partner.parse().unwrap()).unwrap();
            }
            "forward-delay" => self.switch.delay_forwarding(Duration::from_secs(argument.parse().unwrap())),
            "user" => {
                argument.clone_into(&mut self.user);
                let new = || self.switch.terminal(argument, false, "192.0.2.2");
                self.terminals.entry(self.user.clone()).or_insert_with(new);
            }
            "password" => return self.terminal().password(argument).text,
            "wait" => self.switch.advance(Duration::from_secs(argument.parse().unwrap())),
            "close" => self.terminal().close(),
            _ => panic!("what is `{what}`?"),
        }
        String::new()
    }

    /// What the screen shows when the lines of `screen` are typed that were typed there.
    fn type_again(&mut self, screen: &str) -> String {
        let mut shown = String::new();
        for line in screen.lines() {
            let answer = if let Some(what) = line.strip_prefix("~ ") {
                Answer { text: self.happen(what), then: Then::Prompt }
            } else {
                let prompt = self.terminal().prompt();
                let Some(typed) = line.strip_prefix(&prompt) else { continue };
                // Typing takes a moment, by which the earlier is told from the later.
                self.switch.advance(Duration::from_millis(1));
                self.terminal().line(typed)
            };
            let _ = write!(shown, "{line}\n{}", answer.text);
            match answer.then {
                Then::Prompt | Then::Paste => {}
                Then::Password => shown.push_str("Password: \n"),
                Then::Close => shown.push_str("closed\n"),
            }
        }
        shown
    }
}

#[test]
fn what_was_typed_shows_again_what_it_showed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let screen = fs::read_to_string(&file).unwrap();
        let shown = Replay::unplugged(STARTUP.to_owned()).type_again(&screen);
        let diff = similar::TextDiff::from_lines(&screen, &shown).unified_diff().to_string();
        assert!(diff.is_empty(), "{}\n{diff}", file.display());
    }
}

#[test]
fn the_end_of_a_commit_timer_is_told_in_uptime() {
    let mut replay = Replay::unplugged(STARTUP.to_owned());
    let mut number = |command: &str, path: &str| -> f64 {
        let text = replay.terminal().line(command).text;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        json.pointer(path).and_then(serde_json::Value::as_f64).unwrap_or_default()
    };
    number("configure session x", "");
    number("commit timer 00:01:00", "");
    let end = number("show configuration sessions detail | json", "/sessions/x/commitBy");
    let left = end - number("show version | json", "/uptime");
    assert!(left > 0.0 && left <= 60.0, "{left}");
}

proptest::proptest! {
    #[test]
    fn no_line_is_too_strange_for_a_terminal(lines in proptest::collection::vec(line(), 0..30)) {
        let mut replay = Replay::unplugged(STARTUP.to_owned());
        for line in lines {
            replay.terminal().line(&line);
        }
        replay.terminal().line("end");
        let printed = replay.terminal().line("show running-config").text;
        let again = Replay::unplugged(printed.clone()).terminal().line("show running-config").text;
        proptest::prop_assert_eq!(again, printed);
    }
}

/// Words that mean something somewhere, in any order, and anything else.
fn line() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    const WORDS: &[&str] = &[
        "no",
        "default",
        "interface",
        "ethernet7/1",
        "et7/1-8/1",
        "po5",
        "port-channel",
        "channel-group",
        "5",
        "6",
        "mode",
        "active",
        "on",
        "switchport",
        "trunk",
        "allowed",
        "vlan",
        "10-12",
        "add",
        "remove",
        "none",
        "native",
        "tag",
        "name",
        "x",
        "description",
        "shutdown",
        "configure",
        "session",
        "commit",
        "timer",
        "00:00:10",
        "abort",
        "exit",
        "end",
        "rollback",
        "clean-config",
        "hostname",
        "ip",
        "route",
        "routing",
        "address",
        "lldp",
        "transmit",
        "lacp",
        "port-priority",
        "show",
        "running-config",
        "diffs",
        "session-config",
        "interfaces",
        "|",
        "json",
        "section",
        "^interface",
        "vlan 10",
        "interface po5",
        "configure session x",
        "configure",
        "logging",
        "!",
    ];
    prop_oneof![
        9 => prop::collection::vec(prop::sample::select(WORDS), 1..7).prop_map(|words| words.join(" ")),
        1 => any::<String>(),
    ]
}
