//! A run that is refused: it says why and what helps, leaves the switch as it was, and gives no secret away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::sim::{Answer, PASSWORD, Sim};

/// Told as Ansible itself tells it, without a hint.
pub const IN_ANSIBLES_WORDS: [&str; 6] =
    ["unknown_option", "missing_option", "wrong_type", "wrong_choice", "mutually_exclusive", "required_if"];

/// A task that has nothing to do, wherever it gets in.
pub fn idle() -> Value {
    json!({"name": 99, "state": "absent"})
}

/// The first value with what the second has on top of it.
pub fn with(mut arguments: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

/// A control node with a home of its own, and what must never be seen there.
pub struct Node<'a> {
    pub sim: &'a Sim,
    secrets: BTreeSet<String>,
    variables: Vec<(&'static str, PathBuf)>,
}

impl<'a> Node<'a> {
    pub fn of(sim: &'a Sim) -> Self {
        let home = sim.path("home");
        fs::create_dir_all(&home).unwrap();
        Self { sim, secrets: [PASSWORD.to_owned()].into(), variables: vec![("HOME", home)] }
    }

    /// One more text that must never be seen.
    pub fn hiding(mut self, secret: &str) -> Self {
        self.secrets.insert(secret.to_owned());
        self
    }

    /// One more variable in its environment.
    pub fn with(mut self, name: &'static str, value: PathBuf) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Runs the module and looks at everything that can be seen of it.
    pub fn run(&self, more: &Value) -> Answer {
        self.run_as(&mut Command::new(env!("CARGO_BIN_EXE_eos_port_channel")), more)
    }

    /// The same as this command.
    pub fn run_as(&self, command: &mut Command, more: &Value) -> Answer {
        let mut running = self.sim.begin_as(command, &self.variables, more);
        let seen = watch(&mut running.0);
        let answer = running.finish();
        for place in [&seen, &answer.text] {
            self.assert_hidden(place);
        }
        self.assert_nothing_kept();
        answer
    }

    /// No file of its home holds a secret.
    pub fn assert_nothing_kept(&self) {
        for path in files(&self.sim.path("home")) {
            self.assert_hidden(&text(&path));
        }
    }

    /// Neither as it is, nor as messages and JSON quote it.
    pub fn assert_hidden(&self, place: &str) {
        for secret in &self.secrets {
            let json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
            let quoted = format!("{secret:?}").trim_matches('"').to_owned();
            for form in [secret.clone(), json(secret), json(&quoted), quoted] {
                assert!(!place.contains(&form), "{form} in {place}");
            }
        }
    }

    /// A run that has to fail with this code and say all of this, and types nothing on the switch but to look.
    #[track_caller]
    pub fn refused(&self, more: &Value, code: &str, says: &[&str]) -> Answer {
        self.refused_as(&mut Command::new(env!("CARGO_BIN_EXE_eos_port_channel")), more, code, says)
    }

    /// The same as this command.
    #[track_caller]
    pub fn refused_as(&self, command: &mut Command, more: &Value, code: &str, says: &[&str]) -> Answer {
        let typed = self.sim.typed().len();
        let answer = self.run_as(command, more);
        assert_eq!(answer.failure(), (code, "unchanged"), "{:#}", answer.result);
        let told = answer.result["msg"].as_str().unwrap();
        let is_ours = !IN_ANSIBLES_WORDS.contains(&code);
        assert!(!is_ours || !told.contains(char::is_control), "{told:?}");
        let hint = Some("hint: ").filter(|_| is_ours);
        for part in says.iter().copied().chain(hint) {
            assert!(told.contains(part), "no `{part}` in {told:?}");
        }
        assert_eq!(answer.result["changed"], false);
        for line in self.sim.typed().split_off(typed) {
            let line = line.split_once(' ').unwrap().1;
            let looks =
                ["enable", "<password>", "terminal length 0"].contains(&line) || line.starts_with("show ");
            assert!(looks, "{line}");
        }
        answer
    }
}

/// Everything that a switch keeps: what runs, what is saved, and its sessions.
pub fn stores(sim: &Sim) -> String {
    // Its head holds the time.
    let startup = sim.show("show startup-config").lines().skip(2).collect::<Vec<_>>().join("\n");
    [sim.running(), startup, sim.open_sessions().join("\n")].join("\n---\n")
}

/// Arguments and environment of a process and of all that it starts, as others on the machine see them.
fn watch(child: &mut Child) -> String {
    let mut seen = BTreeSet::new();
    while child.try_wait().unwrap().is_none() {
        let mut waiting = vec![child.id().to_string()];
        while let Some(id) = waiting.pop() {
            for file in ["cmdline", "environ"] {
                seen.insert(text(Path::new(&format!("/proc/{id}/{file}"))));
            }
            let children = text(Path::new(&format!("/proc/{id}/task/{id}/children")));
            waiting.extend(children.split_whitespace().map(str::to_owned));
        }
        thread::sleep(Duration::from_millis(2));
    }
    seen.into_iter().collect::<Vec<_>>().join("\n")
}

/// What a file holds; nothing where it is gone.
fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Every file in a folder and in those that it holds.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
