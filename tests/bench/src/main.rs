//! What a task costs that has nothing to do: each module as a process on a node of the lab, beside the Python module
//! that looks after the same object, in the same run. The Python ones are what Ansible sends for them, run by the
//! node's own Python. What Ansible adds on both sides, ssh above all, is not in it.
//!
//! `bench measure …` is the same program on the node: see `measure.rs`; `bench probe ADDRESS` is it behind the switch.
//! `bench stanzas`, `bench interfaces`, `bench playbooks` and `bench port_channels` are those parts alone; the latter three do
//! without the lab. `bench migration` is only run by itself: it takes minutes, and what it measures is an outage.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::env;
use std::fs;

use anyhow::{Context, Result, ensure};
use lab::Lab;
use serde_json::{Value, json};

use crate::measure::{Expected, Measured};

mod capture;
mod interfaces;
mod measure;
mod migration;
mod playbooks;
mod port_channels;
mod simulated;
mod stanzas;
mod switch;

const RUNS: u32 = 50;

/// One object on the node, as either module is told of it.
struct Pair {
    ours: &'static str,
    ours_arguments: Value,
    theirs: &'static str,
    theirs_arguments: Value,
}

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.split_first() {
        Some((role, command)) if role == "measure" => {
            println!("{}", serde_json::to_string(&measure::measure(command)?)?);
            Ok(())
        }
        Some((role, [address])) if role == "probe" => lab::probe::until_closed(address.parse()?),
        Some((part, [])) if part == "migration" => migration::compare(),
        Some((part, [option])) if part == "migration" && option == "--capture" => migration::capture(),
        Some((part, [])) if part == "interfaces" => interfaces::compare(),
        Some((part, [])) if part == "playbooks" => playbooks::compare(),
        Some((part, [])) if part == "port_channels" => port_channels::compare(),
        Some((part, [])) if part == "stanzas" => stanzas::compare(&lab()?),
        _ => {
            let lab = lab()?;
            compare(&lab)?;
            println!();
            stanzas::compare(&lab)?;
            drop(lab);
            println!();
            switch::compare()?;
            println!();
            port_channels::compare()?;
            println!();
            playbooks::compare()?;
            println!();
            interfaces::compare()
        }
    }
}

/// A lab in which there is nothing to do any more.
fn lab() -> Result<Lab> {
    let lab = Lab::up()?;
    for Pair { ours, ours_arguments, .. } in &pairs() {
        lab.module("node1", ours, ours_arguments)?.changed()?;
    }
    Ok(lab)
}

fn compare(lab: &Lab) -> Result<()> {
    println!("{:<46}{:>10}{:>9}{:>18}{:>10}", "nothing to do", "median", "ratio", "other processes", "size");
    for pair in &pairs() {
        compare_pair(lab, pair)?;
    }
    println!(
        "\n{RUNS} runs each on the node itself (of the switch's: on the control node), from the start of the process to its end. Other processes: process and\n\
         thread ids that were taken on the node meanwhile. Aims: 5 ms, 2.5 MB, no other process."
    );
    Ok(())
}

fn compare_pair(lab: &Lab, pair: &Pair) -> Result<()> {
    let binary = Lab::module_path(pair.ours);
    let binary = binary.to_str().context("the project's path is not UTF-8")?;
    let file = format!("/root/{}.json", pair.ours);
    lab.write("node1", &file, &pair.ours_arguments.to_string())?;
    let ours = measure_in(lab, "node1", RUNS, Expected::Unchanged, &[binary, &file])?;
    row(pair.ours, &ours, &ours, &format!("{:.2} MB", megabytes(binary)?));

    let wrapper = sent_by_ansible(lab, pair)?;
    let theirs = measure_in(lab, "node1", RUNS, Expected::Unchanged, &["/usr/bin/python3", &wrapper])?;
    row(&format!("  {COLLECTION}.{}", pair.theirs), &theirs, &ours, "");
    Ok(())
}

const COLLECTION: &str = "openvswitch.openvswitch";

fn pairs() -> [Pair; 3] {
    let members = ["ens20f0np0", "ens20f1np1"];
    [
        Pair {
            ours: "pve_ovs_bridge",
            ours_arguments: json!({"name": "vmbr0", "datapath_type": "netdev"}),
            theirs: "openvswitch_bridge",
            theirs_arguments: json!({"bridge": "vmbr0"}),
        },
        Pair {
            ours: "pve_ovs_bond",
            ours_arguments: json!({"name": "bond0", "bridge": "vmbr0", "members": members, "mode": "lacp-balance-tcp"}),
            theirs: "openvswitch_bond",
            theirs_arguments: json!({"bridge": "vmbr0", "port": "bond0", "interfaces": members,
                                     "bond_mode": "balance-tcp", "lacp": "active"}),
        },
        Pair {
            ours: "pve_ovs_intport",
            ours_arguments: json!({"name": "mgmt", "bridge": "vmbr0", "tag": 10, "cidr": "10.10.0.2/24"}),
            theirs: "openvswitch_port",
            theirs_arguments: json!({"bridge": "vmbr0", "port": "mgmt", "tag": 10}),
        },
    ]
}

/// Runs `command` there `runs` times, each of which must report what is expected of it.
fn measure_in(lab: &Lab, name: &str, runs: u32, expected: Expected, command: &[&str]) -> Result<Measured> {
    let me = env::current_exe()?;
    let me = me.to_str().context("this program's path is not UTF-8")?;
    let (runs, expected) = (runs.to_string(), serde_json::to_string(&expected)?);
    let words: Vec<&str> = [me, "measure", &runs, &expected].iter().chain(command).copied().collect();
    serde_json::from_str(&lab.exec(name, &words)?).context("reading the measurement")
}

/// Lets Ansible run the Python module once, over ssh, and leave on the node what it sent. Its path there.
fn sent_by_ansible(lab: &Lab, pair: &Pair) -> Result<String> {
    let inventory = lab.lab("inventory", &[])?;
    let collections = Lab::project().join(".lab/bench");
    let module = format!("{COLLECTION}.{}", pair.theirs);
    let mut command = lab.exec_command(
        "control",
        &[
            "env",
            "ANSIBLE_KEEP_REMOTE_FILES=1",
            &format!("ANSIBLE_COLLECTIONS_PATH={}", collections.display()),
            "ansible",
            "node1",
            "-i",
            inventory.trim(),
            "-m",
            &module,
            "-a",
            &pair.theirs_arguments.to_string(),
        ],
    );
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "running {module} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let found = lab.sh("node1", &format!("ls /root/.ansible/tmp/*/AnsiballZ_{}.py", pair.theirs))?;
    Ok(found.trim().to_owned())
}

fn row(name: &str, measured: &Measured, ours: &Measured, size: &str) {
    let ratio = measured.median_ms / ours.median_ms;
    println!(
        "{name:<46}{:>10}{:>9}{:>18}{size:>10}",
        format!("{:.2} ms", measured.median_ms),
        format!("{ratio:.0}"),
        measured.others()
    );
}

#[expect(clippy::cast_precision_loss, reason = "a file of a few megabytes")]
fn megabytes(path: &str) -> Result<f64> {
    Ok(fs::metadata(path).with_context(|| format!("{path} is not built"))?.len() as f64 / 1e6)
}
