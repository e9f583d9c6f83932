//! Real Ansible in the lab's `control`: a playbook run over ssh, and what it printed taken apart.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
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
    /// Runs a playbook of `playbooks/` with the example inventory, the lab's addresses over it. It must succeed.
    pub fn playbook(&self, name: &str, arguments: &[&str]) -> Result<Play> {
        let inventory = self.lab("inventory", &[])?;
        let inventories = ["-i", "playbooks/inventory.example.yml", "-i", inventory.trim()];
        let path = format!("playbooks/{name}");
        let words = [&["ansible-playbook", "-v", &path], &inventories[..], arguments].concat();
        let output = self
            .exec_command("control", &words)
            .current_dir(Self::project())
            .output()
            .context("starting ansible-playbook; hint: `make venv`")?;
        ensure!(output.status.success(), "ansible-playbook failed: {}", told(&output));
        take_apart(told(&output))
    }
}

impl Play {
    /// One counter of the recap, such as `changed`, of all hosts in the order of their names.
    pub fn count(&self, counter: &str) -> Vec<u32> {
        self.recap.values().map(|counters| counters.get(counter).copied().unwrap_or_default()).collect()
    }
}

fn take_apart(text: String) -> Result<Play> {
    let (mut results, mut recap) = (BTreeMap::new(), BTreeMap::new());
    let (mut task, mut is_recap) = ("", false);
    for line in text.lines() {
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
            results.insert(key, serde_json::from_str(&format!("{{{json}"))?);
        }
    }
    ensure!(!recap.is_empty(), "ansible-playbook ended without a recap: {text}");
    Ok(Play { text, results, recap })
}

/// `STATUS: [HOST] => …` as its host and what follows.
fn result_line(line: &str) -> Option<(&str, &str)> {
    let (status, rest) = line.split_once(": [")?;
    ["ok", "changed", "skipping", "failed", "fatal"].contains(&status).then(|| rest.split_once(']')).flatten()
}

fn counter(word: &str) -> Result<(String, u32)> {
    let (name, number) = word.split_once('=').with_context(|| format!("`{word}` in the recap"))?;
    Ok((name.to_owned(), number.parse()?))
}
