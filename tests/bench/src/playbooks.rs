//! The scenario as a playbook of one task, and as the tasks of the collection `arista.eos` that come to the same, each
//! against a simulated switch of its own, counted there: what a user of Ansible waits for, and what a switch sees of it.

use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use lab::Lab;
use serde_json::{Value, json};

use crate::measure::median;
use crate::simulated::Simulated;

const ROUNDS: usize = 3;

/// What one run of a playbook cost.
struct Cost {
    seconds: f64,
    connections: usize,
    /// Every line that was typed.
    lines: Vec<String>,
}

/// A way to the same configuration.
struct Way {
    name: &'static str,
    tasks: Vec<Value>,
}

/// Measures and prints.
pub fn compare() -> Result<()> {
    let ways = [ours(), theirs()];
    let mut costs: Vec<[Vec<Cost>; 2]> = ways.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    let startup = fs::read_to_string(Lab::project().join("tests/lab/core.cfg"))?;
    // In turn, so that whatever else the machine does is shared.
    for _ in 0..ROUNDS {
        for (way, [creating, idle]) in ways.iter().zip(&mut costs) {
            let switch = Simulated::start(&startup)?;
            creating.push(play(&switch, way, true)?);
            idle.push(play(&switch, way, false)?);
        }
    }
    println!(
        "{:<46}{:>6}{:>9}{:>10}{:>13}{:>9}{:>7}",
        "Port-Channel1001 with two members",
        "tasks",
        "commits",
        "commands",
        "connections",
        "seconds",
        "ratio"
    );
    for (at, kind) in ["created and saved", "nothing to do"].into_iter().enumerate() {
        let mut first = None;
        for (way, costs) in ways.iter().zip(&costs) {
            let costs = costs.get(at).context("two kinds of runs")?;
            let seconds = median(costs.iter().map(|cost| cost.seconds).collect())?;
            let ratio = seconds / *first.get_or_insert(seconds);
            let cost = costs.last().context("no round")?;
            let commits = cost.lines.iter().filter(|line| line.starts_with("commit")).count();
            println!(
                "{:<46}{:>6}{commits:>9}{:>10}{:>13}{seconds:>9.2}{ratio:>7.1}",
                format!("{kind}: {}", way.name),
                way.tasks.len(),
                cost.lines.len(),
                cost.connections
            );
        }
    }
    println!(
        "\nMedian of {ROUNDS} runs of `ansible-playbook`, from its start to its end, each on a simulated switch on this machine. Commits are those\n\
         that change the running-config; a confirmation of one is none. Commands are the lines typed at the switch, over all connections."
    );
    Ok(())
}

fn ours() -> Way {
    let task = json!({
        "name": "Port-Channel1001 with its members",
        "connection": "local",
        "eos_port_channel": {
            "name": 1001, "description": "PVE-N1-LACP", "mode": "trunk",
            "members": [
                {"interface": "Ethernet7/1", "description": "PVE-N1-P0(R)"},
                {"interface": "Ethernet8/1", "description": "PVE-N1-P1(L)"},
            ],
            "host": "{{ ansible_host }}", "port": "{{ ansible_port }}", "host_key_checking": false,
            "username": "{{ ansible_user }}", "password": "{{ ansible_password }}",
        },
    });
    Way { name: "eos_port_channel", tasks: vec![task] }
}

fn theirs() -> Way {
    let interfaces = [
        ("Port-Channel1001", "PVE-N1-LACP"),
        ("Ethernet7/1", "PVE-N1-P0(R)"),
        ("Ethernet8/1", "PVE-N1-P1(L)"),
    ];
    let descriptions =
        interfaces.map(|(name, text)| json!({"name": name, "description": text, "enabled": true}));
    let modes = interfaces.map(|(name, _)| json!({"name": name, "mode": "trunk"}));
    let members = ["Ethernet7/1", "Ethernet8/1"].map(|name| json!({"member": name, "mode": "active"}));
    let replaced = |config: Value| json!({"state": "replaced", "config": config});
    let tasks = vec![
        json!({"name": "Descriptions", "arista.eos.eos_interfaces": replaced(json!(descriptions))}),
        json!({"name": "Trunks", "arista.eos.eos_l2_interfaces": replaced(json!(modes))}),
        json!({"name": "Members", "arista.eos.eos_lag_interfaces":
               replaced(json!([{"name": "Port-Channel1001", "members": members}]))}),
        json!({"name": "Saved", "arista.eos.eos_config": {"save_when": "modified"}}),
    ];
    Way { name: "arista.eos over network_cli", tasks }
}

/// Runs a playbook, which has to change something or nothing.
fn play(switch: &Simulated, way: &Way, changes: bool) -> Result<Cost> {
    let playbook = json!([{"hosts": "switch", "gather_facts": false, "tasks": way.tasks}]);
    fs::write(switch.folder().join("playbook.json"), playbook.to_string())?;
    let mut variables = switch.variables();
    variables.as_object_mut().context("no object")?.extend([
        ("ansible_connection".to_owned(), json!("ansible.netcommon.network_cli")),
        ("ansible_network_os".to_owned(), json!("arista.eos.eos")),
        ("ansible_network_cli_ssh_type".to_owned(), json!("libssh")),
    ]);
    let inventory = json!({"all": {"hosts": {"switch": variables}}});
    fs::write(switch.folder().join("inventory.json"), inventory.to_string())?;
    let (connections_before, lines_before) = switch.seen()?;
    let project = Lab::project();
    let start = Instant::now();
    let output = Command::new(project.join(".lab/clients/bin/ansible-playbook"))
        .args(["-i", "inventory.json", "playbook.json"])
        .current_dir(switch.folder())
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", switch.folder())
        .env("ANSIBLE_COLLECTIONS_PATH", project.join(".lab/collections"))
        .env("ANSIBLE_ACTION_PLUGINS", project.join("playbooks/action_plugins"))
        .env("ANSIBLE_LIBRARY", project.join("library"))
        .env("ANSIBLE_HOST_KEY_CHECKING", "false")
        .output()
        .context("starting ansible-playbook; hint: tests/lab/prepare clients")?;
    let seconds = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.contains("changed=0 ") != changes,
        "{}, where something was to be done: {changes}: {said}{}",
        way.name,
        String::from_utf8_lossy(&output.stderr)
    );
    let (connections, mut lines) = switch.seen()?;
    let lines = lines.split_off(lines_before.len());
    Ok(Cost { seconds, connections: connections - connections_before, lines })
}
