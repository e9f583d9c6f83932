//! Bad input: an error that names the option, the value and the remedy under its code, exit status 1, one JSON
//! object, and a node on which nothing was touched; in a run and in check mode.

#![allow(clippy::indexing_slicing, reason = "the tests fail by panicking")]

mod arguments;
mod call;
mod nic;
mod node;

use anyhow::{Context, Result, ensure};
use lab::{Answer, Lab};
use serde_json::Value;

const BRIDGE: &str = "pve_ovs_bridge";
const BOND: &str = "pve_ovs_bond";
const INTPORT: &str = "pve_ovs_intport";

/// Module, arguments, `error.code`, and what the message tells.
type Case = (&'static str, Value, &'static str, &'static [&'static str]);

/// Where an error shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// In a run and in check mode.
    Both,
    /// In a run; check mode assumes what an earlier task would do.
    RunOnly,
}

/// Runs each case on `node1` in each mode that it fails in; nothing there is other afterwards.
fn refused(lab: &Lab, mode: Mode, cases: &[Case]) -> Result<()> {
    let mut before = lab.snapshot("node1")?;
    for (module, arguments, code, tells) in cases {
        let modes: &[bool] = if mode == Mode::RunOnly { &[false] } else { &[true, false] };
        for check_mode in modes {
            let told = || format!("{module} {arguments} with check mode {check_mode}");
            let mut arguments = arguments.clone();
            arguments["_ansible_check_mode"] = (*check_mode).into();
            let answer = lab.module("node1", module, &arguments).with_context(told)?;
            is_told(&answer, code, tells).with_context(told)?;
            let after = lab.snapshot("node1")?;
            // A run that got as far as looking at the node had taken its lock.
            if *check_mode || answer.result["error"]["step"] == "arguments" {
                assert_eq!(after, before, "{}", told());
            } else {
                assert_eq!(without_lock(&after), without_lock(&before), "{}", told());
            }
            before = after;
        }
    }
    Ok(())
}

/// The same while something on the node is as somebody's commands made it; `undo` is for what is not in the file.
fn refused_after(lab: &Lab, by_hand: &str, undo: &str, cases: &[Case]) -> Result<()> {
    lab.sh("node1", &format!("cp -p /etc/network/interfaces /root/kept; {by_hand}"))?;
    refused(lab, Mode::Both, cases).with_context(|| by_hand.to_owned())?;
    lab.sh("node1", &format!("cp -p /root/kept /etc/network/interfaces; {undo}"))?;
    Ok(())
}

fn without_lock(snapshot: &str) -> Vec<&str> {
    snapshot.lines().filter(|line| !line.starts_with("/run/bothends")).collect()
}

/// The failure tells what it has to.
fn is_told(answer: &Answer, code: &str, tells: &[&str]) -> Result<()> {
    ensure!(answer.failure()? == (code, "unchanged"), "expected the code `{code}`: {:#}", answer.result);
    ensure!(answer.result["changed"] == false, "it says that it changed something: {:#}", answer.result);
    let message = answer.message();
    for text in tells {
        ensure!(message.contains(text), "`{text}` is not in `{message}`");
    }
    // Where the words are Ansible's own, what would have been accepted is the remedy.
    let is_ansibles =
        ["Supported parameters include", "missing required", "unable to convert", "must be one of"]
            .iter()
            .any(|words| message.contains(words));
    ensure!(is_ansibles || message.contains("hint: "), "no remedy in `{message}`");
    Ok(())
}
