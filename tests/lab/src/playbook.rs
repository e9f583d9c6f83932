//! Real Ansible in the lab's `control`: a playbook run over ssh, and what it printed taken apart.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{Lab, told};

/// What `ansible-playbook -v` told.
#[derive(Debug)]
pub struct Play {
    /// All of it, the warnings included, which go to standard error.
    pub text: String,
    /// The result of each task as far as `-v` shows it, by `HOST TASK`, or `HOST TASK ITEM` in a loop.
    pub results: BTreeMap<String, Value>,
    /// The counters of the recap by host.
    pub recap: BTreeMap<String, BTreeMap<String, u32>>,
}

impl Lab {
    /// The command that runs a playbook of `playbooks/` with the example inventory, the lab's addresses over it. What
    /// `-i` names among `arguments` lies over both.
    pub fn playbook_command(&self, name: &str, arguments: &[&str]) -> Result<Command> {
        let inventory = self.lab("inventory", &[])?;
        let inventories = ["-i", "playbooks/inventory.example.yml", "-i", inventory.trim()];
        let path = format!("playbooks/{name}");
        let words = [&["ansible-playbook", "-v", &path], &inventories[..], arguments].concat();
        let mut command = self.exec_command("control", &words);
        command.current_dir(Self::project());
        Ok(command)
    }

    /// Runs a playbook. It must succeed.
    pub fn playbook(&self, name: &str, arguments: &[&str]) -> Result<Play> {
        Play::of(&mut self.playbook_command(name, arguments)?)
    }

    /// Runs a playbook that must fail on some host.
    pub fn failing_playbook(&self, name: &str, arguments: &[&str]) -> Result<Play> {
        Play::failing(&mut self.playbook_command(name, arguments)?)
    }
}

fn run(command: &mut Command) -> Result<Output> {
    command.output().context("starting ansible-playbook; hint: `make venv`")
}

impl Play {
    /// What a command told that runs a playbook and must succeed.
    pub fn of(command: &mut Command) -> Result<Self> {
        let output = run(command)?;
        ensure!(output.status.success(), "ansible-playbook failed: {}", told(&output));
        take_apart(told(&output))
    }

    /// What a command told that runs a playbook and must fail on some host.
    pub fn failing(command: &mut Command) -> Result<Self> {
        let output = run(command)?;
        ensure!(
            output.status.code() == Some(2),
            "ansible-playbook did not fail on a host: {}",
            told(&output)
        );
        take_apart(told(&output))
    }

    /// The message of a host's task, which only a failed one of our modules has.
    pub fn message(&self, host: &str, task: &str) -> Result<&str> {
        let result = self.results.get(&format!("{host} {task}"));
        let message = result.and_then(|result| result["msg"].as_str());
        message.with_context(|| format!("`{task}` did not fail on {host}: {}", self.text))
    }

    /// That each of these tasks, by the keys of `results`, came out of `done` as this play, its check mode, had said.
    pub fn came_true_in(&self, done: &Self, tasks: impl IntoIterator<Item = String>) -> Result<()> {
        for task in tasks {
            let (Some(predicted), Some(done)) = (self.results.get(&task), done.results.get(&task)) else {
                bail!("`{task}` is not among the results: {:?}", done.results.keys());
            };
            for key in ["changed", "changes", "before", "after"] {
                ensure!(
                    !done[key].is_null() && predicted[key] == done[key],
                    "{task}: `{key}` was predicted to be {:#}, and was {:#}",
                    predicted[key],
                    done[key]
                );
            }
        }
        Ok(())
    }

    /// One counter of the recap, such as `changed`, of all hosts in the order of their names.
    pub fn count(&self, counter: &str) -> Vec<u32> {
        self.recap.values().map(|counters| counters.get(counter).copied().unwrap_or_default()).collect()
    }
}

fn take_apart(text: String) -> Result<Play> {
    let (mut results, mut recap) = (BTreeMap::new(), BTreeMap::new());
    let (mut task, mut is_recap) = ("", false);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("TASK [") {
            task = rest.split(']').next().unwrap_or_default();
        } else if line.starts_with("PLAY RECAP") {
            is_recap = true;
        } else if let Some((host, counters)) = line.split_once(" : ").filter(|_| is_recap) {
            let counters = counters.split_whitespace().map(counter).collect::<Result<_>>()?;
            recap.insert(host.trim().to_owned(), counters);
        } else if let Some((host, rest)) = result_line(line) {
            let (head, json) = rest.split_once("=> {").with_context(|| format!("no result in {line}"))?;
            let item = head.trim().strip_prefix("=> (item=").and_then(|item| item.strip_suffix(')'));
            let key = [Some(host), Some(task), item].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let mut json = format!("{{{json}");
            if json == "{" {
                // From `-vvv` on a result has many lines.
                json.extend(lines.by_ref().take_while(|line| *line != "}").chain(["}"]));
            }
            results.insert(key, serde_json::from_str(&json)?);
        }
    }
    ensure!(!recap.is_empty(), "ansible-playbook ended without a recap: {text}");
    Ok(Play { text, results, recap })
}

/// `STATUS: [HOST] => …` as its host and what follows. A task delegated by the host is the host's.
fn result_line(line: &str) -> Option<(&str, &str)> {
    let (status, rest) = line.split_once(": [")?;
    let (host, rest) = rest.split_once(']')?;
    let host = host.split(" -> ").next()?;
    ["ok", "changed", "skipping", "failed", "fatal"].contains(&status).then_some((host, rest))
}

fn counter(word: &str) -> Result<(String, u32)> {
    let (name, number) = word.split_once('=').with_context(|| format!("`{word}` in the recap"))?;
    Ok((name.to_owned(), number.parse()?))
}
