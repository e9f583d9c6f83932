//! The switch's side of it: a task that finds its Port-Channel as declared, counted at the switch, and timed beside a
//! Python client that does no more than log in and read the running-config.

use anyhow::{Context, Result, ensure};
use lab::Lab;
use serde_json::json;

use crate::measure::Expected;
use crate::{RUNS, measure_in, megabytes, row};

const MODULE: &str = "eos_port_channel";

/// Logs in and reads, as the modules for EOS in Python have to at least. Says what a module says, for the measurement.
const PEER: &str = r#"
import json, sys
from netmiko import ConnectHandler
with open(sys.argv[1]) as file:
    task = json.load(file)
with ConnectHandler(device_type="arista_eos", host=task["host"], username=task["username"],
                    password=task["password"]) as switch:
    switch.send_command("show running-config")
print(json.dumps({"changed": False}))
"#;

/// Measures and prints.
pub fn compare() -> Result<()> {
    let lab = Lab::up_switch()?;
    let task = lab.eos_arguments(&json!({
        "name": 1001, "description": "PVE-N1-LACP", "mode": "trunk",
        "members": [{"interface": "Ethernet7/1"}, {"interface": "Ethernet8/1"}],
    }))?;
    ensure!(lab.eos(&task)?.changed()?, "the first run has to make it");

    let number = |text: &str| text.trim().parse::<u32>().context("reading a number of connections");
    let before = number(&lab.switch_control("connections")?)?;
    let typed = lab.switch_control("lines")?.lines().count();
    ensure!(!lab.eos(&task)?.changed()?, "the second run has nothing to do");
    let connections = number(&lab.switch_control("connections")?)? - before;
    let lines = lab.switch_control("lines")?;
    let lines: Vec<&str> =
        lines.lines().skip(typed).filter_map(|line| line.split_once(' ')).map(|(_, line)| line).collect();

    // The password is in it: the file is the measured process's own business, and gone with the lab.
    let file = lab.private_file("task.json", &task.to_string())?;
    let peer = lab.private_file("peer.py", PEER)?;
    let binary = Lab::module_path(MODULE);
    let binary = binary.to_str().context("the project's path is not UTF-8")?;
    let ours = measure_in(&lab, "control", RUNS, Expected::Unchanged, &[binary, &file])?;
    row(MODULE, &ours, &ours, &format!("{:.2} MB", megabytes(binary)?));
    let python = Lab::project().join(".lab/clients/bin/python");
    let python = python.to_str().context("the project's path is not UTF-8")?;
    let theirs = measure_in(&lab, "control", RUNS, Expected::Unchanged, &[python, &peer, &file])?;
    row("  netmiko: log in, show running-config", &theirs, &ours, "");
    println!(
        "\n{MODULE} with nothing to do: {connections} connection, {} commands after login: {}.\nAims: 1 connection, 5 commands.",
        lines.len(),
        lines.join("; ")
    );
    ensure!(connections == 1 && lines.len() <= 5, "more than the aim");
    Ok(())
}
